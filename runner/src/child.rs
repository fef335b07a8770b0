//! Waiting for the end of a process, and the exit status of a child of ours.
//!
//! Waits for single pids only: other children of this process are somebody else's. Sends no signal.

use std::{io, mem::MaybeUninit, os::fd::OwnedFd, time::Duration};

use rustix::process::{Pid, PidfdFlags, pidfd_open};
use scheduler_core::{ProcessRef, Usage};
use tokio::{
    io::{Interest, unix::AsyncFd},
    time::sleep,
};

use crate::proc;

/// How often the end of a process is asked for where the kernel can't tell: no pidfd (before Linux 5.3, or forbidden by
/// a sandbox), or no descriptor left for one.
const POLL: Duration = Duration::from_millis(50);

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exit {
    pub(crate) status: Status,
    pub(crate) usage: Usage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Code(i32),
    Signal { signal: i32, core_dumped: bool },
}

/// Completes when the process `process` no longer runs; at once if its pid is another's by now. A zombie counts as gone.
pub(crate) async fn gone(process: &ProcessRef) {
    if let Ok(pidfd) = open(process.pid) {
        // The pid may have changed hands before it was opened; from here on the descriptor holds on to its process.
        if !proc::is_alive(process) {
            return;
        }
        if readable(pidfd).await.is_ok() {
            return;
        }
    }
    while proc::is_alive(process) {
        sleep(POLL).await;
    }
}

/// Completes when the child `pid` of ours, not reaped yet, has ended.
pub(crate) async fn ended(pid: u32) {
    if let Ok(pidfd) = open(pid)
        && readable(pidfd).await.is_ok()
    {
        return;
    }
    ended_by_asking(pid).await;
}

/// A zombie has ended, and so has one that isn't there at all because somebody else took its status.
async fn ended_by_asking(pid: u32) {
    while proc::state(pid).is_some_and(|state| !matches!(state, 'Z' | 'X')) {
        sleep(POLL).await;
    }
}

fn open(pid: u32) -> io::Result<OwnedFd> {
    Ok(pidfd_open(to_pid(pid)?, PidfdFlags::empty())?)
}

/// `pid` as the kernel takes it; 0 and what doesn't fit are errors, for to the kernel they mean other things.
pub(crate) fn to_pid(pid: u32) -> io::Result<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

async fn readable(pidfd: OwnedFd) -> io::Result<()> {
    // SAFETY: an OwnedFd is open for as long as it lives, never changes its number, and the AsyncFd owns it.
    let pidfd = unsafe { AsyncFd::register_with_interest(pidfd, Interest::READABLE)? };
    pidfd.readable().await.map(|_| ())
}

/// Takes the exit status of the child `pid`, which is no more after that: `Ok(None)` if it still runs.
///
/// # Errors
/// `ECHILD` if somebody else in this process took it, or the host ignores SIGCHLD.
pub(crate) fn reap(pid: u32) -> io::Result<Option<Exit>> {
    let raw = to_pid(pid)?.as_raw_nonzero().get();
    let mut status = 0;
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    loop {
        // SAFETY: both pointers are to live locals, and the pid is a single positive one.
        let waited = unsafe { libc::wait4(raw, &raw mut status, libc::WNOHANG, usage.as_mut_ptr()) };
        match waited {
            0 => return Ok(None),
            -1 => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
            _ => break,
        }
    }
    // SAFETY: it was zeroed, a valid value for a struct of integers, and the call that succeeded has filled it.
    let usage = unsafe { usage.assume_init() };
    let micros = |time: libc::timeval| time.tv_sec.unsigned_abs() * 1_000_000 + time.tv_usec.unsigned_abs();
    Ok(Some(Exit {
        status: Status::from_wait(status),
        usage: Usage {
            user_us: micros(usage.ru_utime),
            system_us: micros(usage.ru_stime),
            max_rss_kib: usage.ru_maxrss.unsigned_abs(),
        },
    }))
}

impl Status {
    fn from_wait(status: i32) -> Self {
        if libc::WIFEXITED(status) {
            Self::Code(libc::WEXITSTATUS(status))
        } else {
            Self::Signal { signal: libc::WTERMSIG(status), core_dumped: libc::WCOREDUMP(status) }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};

    use tokio::time::timeout;

    use super::*;

    /// A child that ends when its input does.
    fn child() -> Child {
        Command::new("cat").stdin(Stdio::piped()).spawn().unwrap()
    }

    /// Both ways to learn of the end of a process: neither says so before, both do after.
    #[tokio::test]
    async fn the_end_is_seen_with_and_without_a_pidfd() {
        let mut child = child();
        let pid = child.id();
        let process = proc::identity(pid).unwrap();
        let moment = POLL * 3;
        assert!(timeout(moment, ended(pid)).await.is_err());
        assert!(timeout(moment, ended_by_asking(pid)).await.is_err());
        assert!(timeout(moment, gone(&process)).await.is_err());
        assert_eq!(reap(pid).unwrap(), None);

        drop(child.stdin.take());
        ended(pid).await;
        ended_by_asking(pid).await;
        gone(&process).await;
        assert_eq!(reap(pid).unwrap().unwrap().status, Status::Code(0));
        // Its number is free now, or another's.
        assert_eq!(reap(pid).unwrap_err().raw_os_error(), Some(libc::ECHILD));
        assert!(child.wait().is_err());
        gone(&process).await;
    }

    #[tokio::test]
    async fn another_process_under_the_same_pid_is_not_waited_for() {
        let mut child = child();
        let process = proc::identity(child.id()).unwrap();
        gone(&ProcessRef { start_time: process.start_time - 1, ..process }).await;
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn no_pid_means_a_group_or_everybody() {
        assert!(to_pid(0).is_err() && to_pid(u32::MAX).is_err() && to_pid(1 << 31).is_err());
    }
}
