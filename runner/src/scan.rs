//! Who belongs to a run: every process of its session, and every one that has its id in the environment.
//!
//! Reads all of `/proc`, some ten microseconds for each process; so it is done when a run is stopped or looked for after
//! a crash, and never otherwise. What nobody can find: a child that left the session *and* dropped the environment
//! (`env -i setsid ...`).

use std::{fs, sync::Arc, time::Duration};

use scheduler_core::ProcessRef;
use tokio::{
    task::spawn_blocking,
    time::{Instant, timeout},
};

use crate::{
    environment::RUN_ID,
    proc::{self, Stat},
};

/// Reading the environment of a process that is stuck in a driver can hang.
const SCAN_LIMIT: Duration = Duration::from_secs(5);

/// All processes there were when it was taken, without kernel threads, zombies and this process.
pub(crate) struct Snapshot(Vec<Found>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) process: ProcessRef,
    pub(crate) name: String,
    pub(crate) group: u32,
    pub(crate) session: u32,
    run: Option<Vec<u8>>,
}

/// What is known of the process that was started for a run, and led its session.
#[derive(Debug, Clone)]
pub(crate) enum Leader {
    /// A child of ours that wasn't reaped: its pid, and so the number of its session and group, can be nobody else's.
    Ours(u32),
    /// Noted by whoever started it. Its number may have passed to others since.
    Noted(ProcessRef),
    Unknown,
}

impl Snapshot {
    pub(crate) fn take() -> Self {
        let own = std::process::id();
        let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        Self(pids.filter(|pid| *pid != own).filter_map(Found::read).collect())
    }

    /// The processes of the run `run`, the oldest first.
    pub(crate) fn of_run(&self, run: &str, leader: &Leader) -> Vec<Found> {
        let named = |found: &Found| found.run.as_deref() == Some(run.as_bytes());
        let session = match leader {
            Leader::Ours(pid) => Some(*pid),
            // The number still means that session if the leader has it, or if one of the run's is in it.
            Leader::Noted(noted) => (Stat::of(noted).is_some()
                || self.0.iter().any(|found| found.session == noted.pid && named(found)))
            .then_some(noted.pid),
            Leader::Unknown => None,
        };
        let belongs = |found: &&Found| named(found) || Some(found.session) == session;
        let mut found: Vec<_> = self.0.iter().filter(belongs).cloned().collect();
        found.sort_by_key(|found| (found.process.start_time, found.process.pid));
        found
    }
}

impl Found {
    fn read(pid: u32) -> Option<Self> {
        let stat = Stat::read(pid).filter(|stat| stat.is_running() && !stat.kernel_thread)?;
        let run = fs::read(format!("/proc/{pid}/environ")).ok().and_then(|variables| run_in(&variables));
        let process = ProcessRef { pid, start_time: stat.start_time, boot_id: proc::boot_id()? };
        // Between the two reads the pid may have passed to another process.
        Stat::of(&process)?;
        Some(Self { process, name: stat.name, group: stat.group, session: stat.session, run })
    }

    pub(crate) fn is_of(&self, run: &str) -> bool {
        self.run.as_deref() == Some(run.as_bytes())
    }
}

/// The run that the environment `variables` (as in `/proc/<pid>/environ`) belongs to.
fn run_in(variables: &[u8]) -> Option<Vec<u8>> {
    variables
        .split(|byte| *byte == 0)
        .find_map(|variable| Some(variable.strip_prefix(RUN_ID.as_bytes())?.strip_prefix(b"=")?.to_vec()))
}

/// Takes snapshots for any number of runs that are stopped at the same time, as in a drain, without taking one for each.
#[derive(Default)]
pub(crate) struct Scanner(tokio::sync::Mutex<Option<(Instant, Arc<Snapshot>)>>);

impl Scanner {
    /// A snapshot begun after this call was; `None` if `/proc` can't be read in time.
    pub(crate) async fn snapshot(&self) -> Option<Arc<Snapshot>> {
        let asked = Instant::now();
        let mut last = self.0.lock().await;
        if let Some((begun, snapshot)) = &*last
            && *begun >= asked
        {
            return Some(Arc::clone(snapshot));
        }
        let begun = Instant::now();
        let snapshot = Arc::new(timeout(SCAN_LIMIT, spawn_blocking(Snapshot::take)).await.ok()?.ok()?);
        *last = Some((begun, Arc::clone(&snapshot)));
        Some(snapshot)
    }

    /// Forgets the last snapshot, which nobody waits for any more.
    pub(crate) async fn forget(&self) {
        *self.0.lock().await = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pid: u32, session: u32, run: Option<&str>) -> Found {
        let process = ProcessRef { pid, start_time: u64::from(pid), boot_id: "b".into() };
        Found { process, name: "x".into(), group: session, session, run: run.map(|run| run.as_bytes().to_vec()) }
    }

    #[test]
    fn finds_by_session_and_by_name_of_the_run() {
        let snapshot = Snapshot(vec![
            found(12, 12, Some("r1")),
            found(10, 10, Some("r1")),
            found(11, 10, None),
            found(13, 13, Some("r10")),
            found(14, 14, None),
        ]);
        let check = |leader: Leader, expected: &[u32]| {
            let pids: Vec<_> = snapshot.of_run("r1", &leader).iter().map(|found| found.process.pid).collect();
            assert_eq!(pids, expected, "{leader:?}");
        };
        let noted = |pid| Leader::Noted(ProcessRef { pid, start_time: u64::MAX, boot_id: "b".into() });
        check(Leader::Ours(10), &[10, 11, 12]);
        check(Leader::Unknown, &[10, 12]);
        check(noted(10), &[10, 11, 12]);
        // A session by that number exists, but nothing says that it is still the run's.
        check(noted(14), &[10, 12]);
    }

    #[test]
    fn reads_the_run_from_an_environment() {
        assert_eq!(run_in(b"A=1\0SCHED_RUN_ID=r1\0B=2\0"), Some(b"r1".to_vec()));
        assert_eq!(run_in(b"SCHED_RUN_ID_OLD=r1\0X=SCHED_RUN_ID=r2\0"), None);
        assert_eq!(run_in(b""), None);
    }
}
