//! One run of a probe: its command, and the end of what it prints.

use std::time::{Duration, Instant};

use scheduler_core::{duration, job};
use tokio::process::Command;

use super::Work;
use crate::program::{self, Bounds};

/// The most that is kept of what it prints.
const TAIL: usize = 2048;

/// What a run found out.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    /// What isn't well, in a line.
    pub(super) wrong: Option<String>,
    /// The end of what it printed.
    pub(super) output: String,
    pub(super) took: Duration,
}

impl Finding {
    pub(super) fn is_well(&self) -> bool {
        self.wrong.is_none()
    }
}

/// Runs it to its end, or to the end of its time.
pub(super) async fn run(work: &Work) -> Finding {
    let begun = Instant::now();
    let within = work.probe.timeout;
    let (wrong, output) = match program::run(command(work), b"", Bounds { within, keep: TAIL, all: true }).await {
        Ok(ended) => {
            let wrong = match ended.status {
                Some(status) if status.success() => None,
                Some(status) => Some(program::words(status) + &ended.last_words()),
                None => Some(format!("it took longer than {} and was ended", duration::format(within))),
            };
            (wrong, ended.printed)
        }
        Err(error) => (Some(format!("it can't be run: {error}")), String::new()),
    };
    Finding { wrong, output, took: begun.elapsed() }
}

fn command(work: &Work) -> Command {
    let mut command = match &work.probe.command {
        job::Command::Argv(argv) => {
            let mut command = Command::new(argv.first().map_or("", String::as_str));
            command.args(argv.iter().skip(1));
            command
        }
        job::Command::Shell(line) => {
            let mut command = Command::new(&work.shell);
            command.arg("-c").arg(&**line);
            command
        }
    };
    command.env_clear().envs(work.environment.iter().map(|(name, value)| (name, value))).current_dir(&work.folder);
    command
}

#[cfg(test)]
mod tests {
    use scheduler_core::config::Probe;

    use super::*;

    async fn found(line: &str, timeout: Duration) -> Finding {
        let mut probe = Probe::new("probe", job::Command::Shell(line.into()), Duration::from_mins(1));
        probe.timeout = timeout;
        let environment = vec![("PATH".into(), "/usr/bin:/bin".into())];
        run(&Work { probe, shell: "/bin/sh".into(), folder: "/".into(), environment }).await
    }

    #[tokio::test]
    async fn what_is_wrong_is_said_with_the_last_that_was_printed() {
        let check = async |line: &str, wrong: Option<&str>, output: &str| {
            let found = found(line, Duration::from_mins(1)).await;
            assert_eq!((found.wrong.as_deref(), found.output.as_str()), (wrong, output), "{line}");
        };
        check("echo fine", None, "fine\n").await;
        check("echo one; echo two >&2; exit 3", Some("exit code 3: two"), "one\ntwo\n").await;
        check("exit 3", Some("exit code 3"), "").await;
        check("kill -9 $$", Some("signal 9"), "").await;
        let long = found("seq 100000; exit 1", Duration::from_mins(1)).await;
        assert_eq!((long.wrong.as_deref(), long.output.len()), (Some("exit code 1: 100000"), TAIL));
    }

    #[tokio::test]
    async fn whatever_it_started_ends_with_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let pid = folder.path().join("pid");
        let line = format!("sleep 600 & echo $! > {}; echo waiting; wait", pid.display());
        let found = found(&line, Duration::from_secs(1)).await;
        assert_eq!(found.wrong.as_deref(), Some("it took longer than 1s and was ended"));
        assert_eq!(found.output, "waiting\n");
        crate::ended::until_gone(&std::fs::read_to_string(pid).unwrap()).await;
    }
}
