//! How a run ended, in the engine's terms. Words and values only.

use std::{fmt::Write, io, time::Duration};

use scheduler_core::{Outcome, RunContext, RunResult, duration, job::Command};

use crate::{
    child::{Exit, Status},
    terminate::Stopped,
};

/// Why a run is over before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    Cancelled,
    TimedOut,
}

impl Stop {
    pub(crate) fn result(self) -> RunResult {
        match self {
            Self::Cancelled => RunResult::Cancelled,
            Self::TimedOut => RunResult::TimedOut,
        }
    }

    /// Has `outcome` say that the run was stopped, however its main process took it: one that exits with 0 when it is
    /// told to go has not done its work.
    pub(crate) fn settle(self, outcome: &mut Outcome, run: &RunContext, stopped: &Stopped, grace: Duration) {
        outcome.result = self.result();
        outcome.message = Some(self.message(run, stopped, grace));
    }

    fn message(self, run: &RunContext, stopped: &Stopped, grace: Duration) -> String {
        let mut message = match (self, run.job.timeout) {
            (Self::Cancelled, _) => "cancelled".to_owned(),
            (Self::TimedOut, Some(timeout)) => format!("timed out after {}", duration::format(timeout)),
            (Self::TimedOut, None) => "timed out".to_owned(),
        };
        if stopped.killed {
            let _ = write!(message, "; still running {} after SIGTERM, so killed", duration::format(grace));
        }
        if !stopped.survivors.is_empty() {
            let _ = write!(message, "; could not be stopped: {}", stopped.survivors.join(", "));
        }
        message
    }
}

/// The outcome of a run whose exit status can't be known.
pub(crate) fn without_status(result: RunResult, message: impl Into<String>) -> Outcome {
    let mut outcome = Outcome::new(result);
    outcome.message = Some(message.into());
    outcome
}

/// The outcome of a main process that has ended.
pub(crate) fn exited(exit: &io::Result<Option<Exit>>, command: Option<&Command>) -> Outcome {
    let Exit { status, usage } = match exit {
        Ok(Some(exit)) => *exit,
        Ok(None) => return without_status(RunResult::Unknown, "it does not end"),
        Err(_) => return without_status(RunResult::Unknown, "somebody else in this process took its exit status"),
    };
    let mut outcome = Outcome::new(RunResult::Failed);
    outcome.usage = Some(usage);
    match status {
        Status::Code(code) => {
            outcome.exit_code = Some(code);
            if code == 0 {
                outcome.result = RunResult::Succeeded;
            }
            if code == 127 && matches!(command, Some(Command::Shell(_))) {
                outcome.message = Some("the shell found no such command (exit code 127); see its output".into());
            }
        }
        Status::Signal { signal, core_dumped } => {
            outcome.signal = Some(signal);
            let dumped = if core_dumped { ", core dumped" } else { "" };
            outcome.message = Some(format!("killed by {}{dumped}", signal_name(signal)));
        }
    }
    outcome
}

fn signal_name(signal: i32) -> String {
    let name = match signal {
        libc::SIGHUP => "SIGHUP",
        libc::SIGINT => "SIGINT",
        libc::SIGQUIT => "SIGQUIT",
        libc::SIGILL => "SIGILL",
        libc::SIGABRT => "SIGABRT",
        libc::SIGBUS => "SIGBUS",
        libc::SIGFPE => "SIGFPE",
        libc::SIGKILL => "SIGKILL (out of memory? see the kernel's log)",
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGPIPE => "SIGPIPE",
        libc::SIGTERM => "SIGTERM",
        libc::SIGXCPU => "SIGXCPU",
        libc::SIGXFSZ => "SIGXFSZ",
        _ => return format!("signal {signal}"),
    };
    name.into()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use scheduler_core::{
        Job, OccurrenceId, RunId,
        schedule::{ParseOptions, Schedule},
    };

    use super::*;

    #[test]
    fn the_message_says_how_a_run_was_stopped() {
        let schedule = Schedule::parse("@daily", &ParseOptions::default()).unwrap();
        let mut job = Job::new("j".parse().unwrap(), schedule, Command::Shell("true".into()));
        job.timeout = Some(Duration::from_secs(90));
        let at = "2026-11-22T02:30:00Z".parse().unwrap();
        let occurrence = OccurrenceId::scheduled(job.id.clone(), 0, at);
        let run = RunContext::new(Arc::new(job), RunId::new("r"), occurrence, at, 1);
        let check = |stop: Stop, killed, survivors: &[&str], expected: &str| {
            let survivors = survivors.iter().map(|survivor| (*survivor).to_owned()).collect();
            let mut outcome = Outcome::new(RunResult::Succeeded);
            stop.settle(&mut outcome, &run, &Stopped { killed, survivors }, Duration::from_secs(10));
            assert_eq!((outcome.result, outcome.message.as_deref()), (stop.result(), Some(expected)));
        };
        check(Stop::Cancelled, false, &[], "cancelled");
        check(Stop::TimedOut, false, &[], "timed out after 1m 30s");
        check(
            Stop::TimedOut,
            true,
            &["7 (dd): state D", "8 (su): not permitted"],
            "timed out after 1m 30s; still running 10s after SIGTERM, so killed; \
             could not be stopped: 7 (dd): state D, 8 (su): not permitted",
        );
    }
}
