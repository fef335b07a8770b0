//! One run of a probe: its command with a process group of its own, and the end of what it prints.

use std::{
    io,
    os::{fd::OwnedFd, unix::process::ExitStatusExt as _},
    process::{ExitStatus, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};
use scheduler_core::job;
use tokio::{io::AsyncReadExt as _, net::unix::pipe, process::Command, time::timeout};

use super::Work;

/// The most that is kept of what it prints.
const TAIL: usize = 2048;

/// How long the rest of its output is waited for, once it is gone.
const REST: Duration = Duration::from_millis(200);

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

/// Ends a process group when it is dropped, however that comes about.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Runs it to its end, or to the end of its time.
pub(super) async fn run(work: &Work) -> Finding {
    let (begun, mut printed) = (Instant::now(), Vec::new());
    let ended = run_with(work, &mut printed).await;
    let output = String::from_utf8_lossy(&printed).into_owned();
    let wrong = match ended {
        Ok(Some(status)) if status.success() => None,
        Ok(Some(status)) => {
            let how = match (status.code(), status.signal()) {
                (Some(code), _) => format!("exit code {code}"),
                (None, Some(signal)) => format!("signal {signal}"),
                (None, None) => "an unknown end".into(),
            };
            let last = output.lines().rev().find(|line| !line.trim().is_empty());
            Some(how + &last.map_or_else(String::new, |line| format!(": {}", line.trim())))
        }
        Ok(None) => {
            Some(format!("it took longer than {} and was ended", scheduler_core::duration::format(work.probe.timeout)))
        }
        Err(error) => Some(format!("it can't be run: {error}")),
    };
    Finding { wrong, output, took: begun.elapsed() }
}

/// `None` if its time was up.
async fn run_with(work: &Work, printed: &mut Vec<u8>) -> io::Result<Option<ExitStatus>> {
    let (reader, writer) = io::pipe()?;
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
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.process_group(0).kill_on_drop(true).spawn()?;
    // It holds ends of the pipe, and nobody would ever see the end of that.
    drop(command);
    let mut group = Group(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)));
    let mut reader = pipe::Receiver::from_owned_fd(OwnedFd::from(reader))?;
    let ended = tokio::select! {
        status = child.wait() => status.map(Some),
        never = async { listen(&mut reader, printed).await; std::future::pending().await } => never,
        () = tokio::time::sleep(work.probe.timeout) => Ok(None),
    }?;
    if ended.is_none() {
        drop(group);
        let _ = timeout(REST, child.wait()).await;
    } else {
        // It went by itself; what it left running was meant to stay.
        group.0 = None;
    }
    let _ = timeout(REST, listen(&mut reader, printed)).await;
    Ok(ended)
}

/// Reads until there is no more, and keeps the end of it. All of it is read: a pipe that is full would stop the command.
async fn listen(reader: &mut pipe::Receiver, printed: &mut Vec<u8>) {
    let mut buffer = [0; 1024];
    while let Ok(length @ 1..) = reader.read(&mut buffer).await {
        printed.extend_from_slice(&buffer[..length]);
        printed.drain(..printed.len().saturating_sub(TAIL));
    }
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
