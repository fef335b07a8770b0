//! The runner that pings: another one, with word of each run to the push monitor that its job names.

use std::sync::Arc;

use async_trait::async_trait;
use scheduler_core::{Job, JobRunner, Orphan, Outcome, ProcessRef, Result, RunContext, RunId};

use super::Pings;

/// Another runner, whose runs are told to push monitors.
///
/// # Behavior
/// - Does what the runner inside does, and waits for nothing else.
/// - An end is told when it is on record, as what it is there: a bad one that is followed by another attempt is no alarm.
/// - A job without `ping_url` costs nothing.
///
/// ```
/// use std::sync::Arc;
/// use scheduler_core::{JobRunner, testing::RecordingRunner};
/// use sched_monitor::{PingSettings, Pinging, Pings};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let pings = Pings::new(PingSettings::default());
/// let runner: Arc<dyn JobRunner> = Arc::new(Pinging::new(Arc::new(RecordingRunner::default()), pings));
/// # }
/// ```
#[derive(Clone)]
pub struct Pinging {
    inner: Arc<dyn JobRunner>,
    pings: Pings,
}

impl Pinging {
    /// `inner`, whose runs are told by `pings`.
    pub fn new(inner: Arc<dyn JobRunner>, pings: Pings) -> Self {
        Self { inner, pings }
    }
}

#[async_trait]
impl JobRunner for Pinging {
    fn validate(&self, job: &Job) -> Result<()> {
        self.inner.validate(job)
    }

    async fn run(&self, run: RunContext) -> Outcome {
        let Some(url) = run.job.ping_url.clone() else { return self.inner.run(run).await };
        let (engine, pings) = (run.clone(), self.pings.clone());
        let run = run.on_spawned(move |process| {
            engine.spawned(process);
            pings.started(&engine.job.id, &url, &engine.run);
        });
        self.inner.run(run).await
    }

    fn find_orphan(&self, orphan: &Orphan) -> Option<ProcessRef> {
        self.inner.find_orphan(orphan)
    }

    async fn adopt(&self, orphan: Orphan, run: RunContext) -> Outcome {
        self.inner.adopt(orphan, run).await
    }

    fn settled(&self, job: &Job, run: &RunId, outcome: &Outcome, followed: bool) {
        self.inner.settled(job, run, outcome, followed);
        if let Some(url) = &job.ping_url {
            self.pings.ended(&job.id, url, run, outcome.clone(), followed);
        }
    }
}
