//! A runner that runs nothing and takes notes.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::{Job, JobId, JobRunner, Orphan, Outcome, ProcessRef, Result, RunContext, RunId, RunResult};

/// What was run.
///
/// ```
/// use jiff::Timestamp;
/// use scheduler_core::testing::RecordingRunner;
/// let jobs: Vec<String> = RecordingRunner::default().ran().iter().map(|ran| ran.job.to_string()).collect();
/// assert!(jobs.is_empty());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Ran {
    /// Which job.
    pub job: JobId,
    /// Which instant.
    pub at: Timestamp,
    /// Which run.
    pub run: RunId,
}

/// Takes notes. Jobs named in [`hold`](Self::hold) run until they are released or cancelled; those named in
/// [`fail`](Self::fail) fail.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use scheduler_core::{Engine, JobStore, Result, job::JobDefaults, store::{Edit, MemoryStore}};
/// use scheduler_core::testing::{ManualClock, RecordingRunner};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let clock = Arc::new(ManualClock::at("2026-11-22T10:00:30Z"));
/// let store = Arc::new(MemoryStore::new(clock.clone(), JobDefaults::default()));
/// store.define(Edit::Add(vec![serde_json::json!({"id": "a", "schedule": "* * * * *", "payload": 1})])).await?;
/// let runner = Arc::new(RecordingRunner::default());
/// let engine = Engine::builder(store, runner.clone()).clock(clock.clone()).build();
/// clock.advance(Duration::from_secs(30));
/// runner.hold("a");
/// runner.fail("a", true);
/// let pass = tokio::spawn(async move { engine.run_once().await });
/// runner.until(|ran| ran.len() == 1).await;
/// # let run = runner.ran().remove(0).run;
/// # runner.outlives(&run, true);
/// # runner.outlives(&run, false);
/// runner.release("a");
/// pass.await.expect("no panic")?;
/// assert_eq!(runner.instants("a"), ["2026-11-22T10:01:00Z"]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct RecordingRunner {
    ran: Mutex<Vec<Ran>>,
    failing: Mutex<BTreeSet<String>>,
    held: Mutex<BTreeSet<String>>,
    alive: Mutex<BTreeSet<RunId>>,
    changed: watch::Sender<u64>,
}

impl RecordingRunner {
    /// Everything that was run, in the order of its starts.
    pub fn ran(&self) -> Vec<Ran> {
        self.ran.lock().clone()
    }

    /// The instants that `job` was run for, in the order of their starts.
    pub fn instants(&self, job: &str) -> Vec<String> {
        self.ran.lock().iter().filter(|ran| ran.job.as_str() == job).map(|ran| ran.at.to_string()).collect()
    }

    /// Runs of `job` go on until [`release`](Self::release).
    pub fn hold(&self, job: &str) {
        self.held.lock().insert(job.to_owned());
    }

    /// They end.
    pub fn release(&self, job: &str) {
        self.held.lock().remove(job);
        self.changed.send_modify(|count| *count += 1);
    }

    /// Runs of `job` fail, or don't any more.
    pub fn fail(&self, job: &str, fails: bool) {
        let mut failing = self.failing.lock();
        if fails {
            failing.insert(job.to_owned())
        } else {
            failing.remove(job)
        };
    }

    /// The work of this run outlives its owner, or ends.
    pub fn outlives(&self, run: &RunId, alive: bool) {
        let mut living = self.alive.lock();
        if alive {
            living.insert(run.clone())
        } else {
            living.remove(run)
        };
        drop(living);
        self.changed.send_modify(|count| *count += 1);
    }

    /// Waits until `enough` says so.
    pub async fn until(&self, enough: impl Fn(&[Ran]) -> bool) {
        let mut changed = self.changed.subscribe();
        while !enough(&self.ran.lock()) {
            changed.changed().await.expect("the sender lives as long as this runner");
        }
    }

    async fn while_held(&self, held: impl Fn() -> bool) {
        let mut changed = self.changed.subscribe();
        while held() {
            changed.changed().await.expect("the sender lives as long as this runner");
        }
    }
}

#[async_trait]
impl JobRunner for RecordingRunner {
    fn validate(&self, _: &Job) -> Result<()> {
        Ok(())
    }

    async fn run(&self, run: RunContext) -> Outcome {
        let job = run.job.id.clone();
        self.ran.lock().push(Ran { job: job.clone(), at: run.scheduled_at, run: run.run.clone() });
        self.changed.send_modify(|count| *count += 1);
        tokio::select! {
            () = self.while_held(|| self.held.lock().contains(job.as_str())) => {}
            () = run.cancelled() => return Outcome::new(RunResult::Cancelled),
        }
        if self.failing.lock().contains(job.as_str()) {
            return Outcome { exit_code: Some(1), ..Outcome::new(RunResult::Failed) };
        }
        Outcome { exit_code: Some(0), ..Outcome::new(RunResult::Succeeded) }
    }

    fn find_orphan(&self, orphan: &Orphan) -> Option<ProcessRef> {
        let alive = self.alive.lock().contains(&orphan.run);
        alive.then(|| ProcessRef { pid: 1, start_time: 1, boot_id: "test".into() })
    }

    async fn adopt(&self, orphan: Orphan, run: RunContext) -> Outcome {
        tokio::select! {
            () = self.while_held(|| self.alive.lock().contains(&orphan.run)) => Outcome::new(RunResult::Unknown),
            () = run.cancelled() => Outcome::new(RunResult::Cancelled),
        }
    }
}
