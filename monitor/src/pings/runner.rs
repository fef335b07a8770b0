//! The runner that pings: another one, with word of each run to the push monitor that its job names.

use std::sync::Arc;

use async_trait::async_trait;
use scheduler_core::{Job, JobRunner, Orphan, Outcome, PingUrl, ProcessRef, Result, RunContext, RunId, RunResult};

use super::Pings;

/// Another runner, whose runs are told to push monitors.
///
/// # Behavior
/// - Does what the runner inside does, and waits for nothing else.
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

/// A run whose end is yet to be told. One that breaks off by a panic has failed; one that is only let go of goes on.
struct Open<'p> {
    pings: &'p Pings,
    job: Arc<Job>,
    url: PingUrl,
    run: RunId,
    outcome: Option<Outcome>,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let broken = std::thread::panicking().then(|| Outcome::failed("the runner panicked"));
        if let Some(outcome) = self.outcome.take().or(broken) {
            self.pings.ended(&self.job.id, &self.url, &self.run, outcome);
        }
    }
}

#[async_trait]
impl JobRunner for Pinging {
    fn validate(&self, job: &Job) -> Result<()> {
        self.inner.validate(job)
    }

    async fn run(&self, run: RunContext) -> Outcome {
        let Some(url) = run.job.ping_url.clone() else { return self.inner.run(run).await };
        let mut open = Open { pings: &self.pings, job: Arc::clone(&run.job), url, run: run.run.clone(), outcome: None };
        let (engine, pings, url) = (run.clone(), self.pings.clone(), open.url.clone());
        let outcome = self
            .inner
            .run(run.on_spawned(move |process| {
                engine.spawned(process);
                pings.started(&engine.job.id, &url, &engine.run);
            }))
            .await;
        open.outcome = Some(outcome.clone());
        outcome
    }

    fn find_orphan(&self, orphan: &Orphan) -> Option<ProcessRef> {
        let found = self.inner.find_orphan(orphan);
        if let (None, Some(url)) = (&found, &orphan.job.ping_url) {
            let mut outcome = Outcome::new(RunResult::Unknown);
            outcome.message = Some("its process was gone when the next one looked; how it ended is not known".into());
            self.pings.ended(&orphan.job.id, url, &orphan.run, outcome);
        }
        found
    }

    async fn adopt(&self, orphan: Orphan, run: RunContext) -> Outcome {
        let Some(url) = orphan.job.ping_url.clone() else { return self.inner.adopt(orphan, run).await };
        let (job, id) = (orphan.job.id.clone(), orphan.run.clone());
        let outcome = self.inner.adopt(orphan, run).await;
        self.pings.ended(&job, &url, &id, outcome.clone());
        outcome
    }
}
