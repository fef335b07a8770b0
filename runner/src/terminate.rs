//! Stopping a run: SIGTERM, some time to obey, SIGKILL, again until nothing of it is found.
//!
//! Signals only what was found to belong to the run, each through a pidfd and after a second look at its identity; a
//! group as a whole only while its leader is an unreaped child of ours. Never signals this process.

use std::{io, time::Duration};

use rustix::{
    io::Errno,
    process::{PidfdFlags, Signal, kill_process, kill_process_group, pidfd_open, pidfd_send_signal},
};
use tokio::time::{Instant, timeout_at};

use crate::{
    child::{ended, gone, to_pid},
    proc,
    scan::{Found, Leader, Scanner},
};

/// How long what was sent SIGKILL has to be gone: only the kernel can hold it up.
const KILL_LIMIT: Duration = Duration::from_secs(5);
/// How long a round of waiting may take before the processes are looked for anew.
const TERM_ROUND: Duration = Duration::from_secs(1);
const KILL_ROUND: Duration = Duration::from_millis(200);

/// What became of a run that was stopped.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Stopped {
    /// Whether it took SIGKILL.
    pub(crate) killed: bool,
    /// What could not be stopped, in words.
    pub(crate) survivors: Vec<String>,
}

/// A run to be stopped.
pub(crate) struct Target<'a> {
    pub(crate) scanner: &'a Scanner,
    pub(crate) run: &'a str,
    pub(crate) leader: &'a Leader,
}

impl Target<'_> {
    /// Stops all of it; `grace` is the time between the signals.
    pub(crate) async fn stop(&self, grace: Duration) -> Stopped {
        let stopped = match self.terminate(Instant::now() + grace).await {
            None => Stopped::default(),
            Some(left) => self.kill(left, Instant::now() + KILL_LIMIT).await,
        };
        self.scanner.forget().await;
        stopped
    }

    /// Asks them to go, once; answers who didn't.
    async fn terminate(&self, until: Instant) -> Option<Vec<Found>> {
        // Each that is there now gets the signal. What comes later are the helpers of those who clean up.
        let found = self.find().await;
        self.signal_group(Signal::TERM);
        for found in found.iter().filter(|found| !self.is_in_group(found)) {
            let _ = signal(found, Signal::TERM);
        }
        // A process that was stopped can't obey before it goes on.
        for found in &found {
            let _ = signal(found, Signal::CONT);
        }
        self.wait(found, until, TERM_ROUND, |_| {}).await
    }

    /// Ends them, and what they start meanwhile.
    async fn kill(&self, left: Vec<Found>, until: Instant) -> Stopped {
        let mut refused = Vec::new();
        let kill = |found: &[Found]| {
            self.signal_group(Signal::KILL);
            let kill = |found: &Found| Some((found.process.pid, signal(found, Signal::KILL).err()?));
            refused = found.iter().filter_map(kill).collect();
        };
        let Some(left) = self.wait(left, until, KILL_ROUND, kill).await else {
            return Stopped { killed: true, survivors: Vec::new() };
        };
        let mut survivors: Vec<_> = left.iter().map(|found| survivor(found, &refused)).collect();
        if survivors.is_empty() {
            survivors.push("its main process".into());
        }
        Stopped { killed: true, survivors }
    }

    async fn find(&self) -> Vec<Found> {
        let Some(snapshot) = self.scanner.snapshot().await else {
            tracing::warn!(run = self.run, "/proc can't be read; only the run's process group is stopped");
            return Vec::new();
        };
        snapshot.of_run(self.run, self.leader)
    }

    /// Waits until nothing of the run is found, or `until`; `act` is called in each round. Answers what is left.
    async fn wait(
        &self,
        mut found: Vec<Found>,
        until: Instant,
        round: Duration,
        mut act: impl FnMut(&[Found]),
    ) -> Option<Vec<Found>> {
        loop {
            act(&found);
            let all_gone = async {
                // Not left to /proc alone: our own child is waited for even where that can't be read.
                if let Leader::Ours(pid) = self.leader {
                    ended(*pid).await;
                }
                for found in &found {
                    gone(&found.process).await;
                }
            };
            let round = until.min(Instant::now() + round);
            let all_gone = timeout_at(round, all_gone).await.is_ok();
            found = self.find().await;
            if found.is_empty() && all_gone {
                return None;
            }
            if Instant::now() >= until {
                return Some(found);
            }
        }
    }

    fn is_in_group(&self, found: &Found) -> bool {
        matches!(self.leader, Leader::Ours(pid) if found.group == *pid)
    }

    fn signal_group(&self, signal: Signal) {
        if let Leader::Ours(pid) = self.leader
            && let Ok(pid) = to_pid(*pid)
        {
            // "No such process" is a group of zombies; "not permitted" is found again by name below.
            let _ = kill_process_group(pid, signal);
        }
    }
}

/// A process that is still there, and why.
fn survivor(found: &Found, refused: &[(u32, io::Error)]) -> String {
    let pid = found.process.pid;
    let why = match refused.iter().find(|(refused, _)| *refused == pid) {
        Some((_, error)) => error.to_string(),
        None => format!("state {}", proc::state(pid).unwrap_or('?')),
    };
    format!("{pid} ({}): {why}", found.name)
}

/// Signals just this process. One that is gone needs none: no error.
fn signal(found: &Found, signal: Signal) -> io::Result<()> {
    let pid = to_pid(found.process.pid)?;
    let pidfd = pidfd_open(pid, PidfdFlags::empty());
    // The pid may have changed hands before it was opened; from here on the descriptor holds on to its process.
    if !proc::is_alive(&found.process) {
        return Ok(());
    }
    let sent = match pidfd {
        Ok(pidfd) => pidfd_send_signal(pidfd, signal),
        // An old kernel, or no descriptor left: then there is a moment in which the pid could pass to another process.
        Err(_) => kill_process(pid, signal),
    };
    match sent {
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
