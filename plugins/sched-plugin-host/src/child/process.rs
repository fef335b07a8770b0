//! The end of a plugin's process, and of all that it started in its group.

use std::{
    io,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::process::ExitStatusExt,
    },
    process::{Child, ExitStatus},
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open},
};
use tokio::io::{Interest, unix::AsyncFd};

/// How long what was sent SIGKILL has to be gone: only the kernel can hold it up.
const KILL_LIMIT: Duration = Duration::from_secs(5);

/// A process that leads a group, and ends with it when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pidfd: OwnedFd,
    ended: Option<ExitStatus>,
}

impl Process {
    pub(super) fn new(mut child: Child) -> io::Result<Self> {
        let opened = pidfd_open(Pid::from_child(&child), PidfdFlags::empty());
        match opened {
            Ok(pidfd) => Ok(Self { child, pidfd, ended: None }),
            Err(error) => {
                // What can't be watched isn't kept.
                let _ = child.kill();
                let _ = child.wait();
                Err(error.into())
            }
        }
    }

    /// Readable once it has ended.
    pub(crate) fn watch(&self) -> io::Result<AsyncFd<OwnedFd>> {
        let pidfd = self.pidfd.try_clone()?;
        // SAFETY: an OwnedFd is open for as long as it lives, never changes its number, and the AsyncFd owns it.
        unsafe { AsyncFd::register_with_interest(pidfd, Interest::READABLE) }.map_err(io::Error::from)
    }

    /// How it ended, if it does so by itself within `limit`; its group ends with it.
    pub(crate) fn exited_within(&mut self, limit: Duration) -> Option<String> {
        // The group goes before its leader is reaped: until then its number is nobody else's.
        if ended(self.pidfd.as_fd(), limit) { self.end().map(words) } else { None }
    }

    /// Ends it and its group, if it hasn't ended, and answers how it did.
    pub(crate) fn end(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
            if ended(self.pidfd.as_fd(), KILL_LIMIT) {
                self.ended = self.child.try_wait().ok().flatten();
            }
        }
        self.ended
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

fn ended(pidfd: BorrowedFd<'_>, limit: Duration) -> bool {
    let limit = Timespec { tv_sec: limit.as_secs() as i64, tv_nsec: limit.subsec_nanos().into() };
    poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&limit)).is_ok_and(|ready| ready > 0)
}

/// How a process ended, in words: `exited with status 0`.
fn words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with status {code}"),
        (None, Some(signal)) => {
            let names = [
                (libc::SIGHUP, "SIGHUP"),
                (libc::SIGINT, "SIGINT"),
                (libc::SIGILL, "SIGILL"),
                (libc::SIGABRT, "SIGABRT"),
                (libc::SIGBUS, "SIGBUS"),
                (libc::SIGFPE, "SIGFPE"),
                (libc::SIGKILL, "SIGKILL"),
                (libc::SIGSEGV, "SIGSEGV"),
                (libc::SIGPIPE, "SIGPIPE"),
                (libc::SIGTERM, "SIGTERM"),
                (libc::SIGSYS, "SIGSYS"),
            ];
            let name = names.iter().find(|(number, _)| *number == signal);
            let name = name.map_or_else(String::new, |(_, name)| format!(" ({name})"));
            format!("was killed by signal {signal}{name}")
        }
        (None, None) => "ended".into(),
    }
}
