//! A life of the provider under test: an engine of its own that runs under it, from its start to its end.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use serde_json::json;
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::{
    ProviderSuite,
    store::TroubledStore,
    watched::{Ended, Watched},
};
use crate::{
    Clock, Engine, JobId, JobStore as _, Result, SystemClock,
    engine::Settings,
    job::JobDefaults,
    provider::{CronScheduler, FireOutcome, FireRequest, JobsChanged, Liveness, Resolved, SchedulerContext},
    store::{Edit, JobView, Limits, MemoryStore},
    testing::{ManualClock, RecordingRunner},
};

/// How long a provider that ticks may be silent, as its context says.
pub(super) const INTERVAL: Duration = Duration::from_secs(1);

/// How long one may take to be made and started.
const TO_START: Duration = Duration::from_secs(30);
/// How long the end of one may take that is ended by force.
const BY_FORCE: Duration = Duration::from_secs(5);

/// Why a check has not passed.
#[derive(Debug)]
pub(super) enum Not {
    /// The provider doesn't do what it should.
    Kept(String),
    /// There is nothing to look at.
    Applicable(String),
}

/// How far a check that passed went, if not all the way; or why it did not pass.
pub(super) type Checked = Result<Option<&'static str>, Not>;

pub(super) fn kept(why: impl Into<String>) -> Not {
    Not::Kept(why.into())
}

pub(super) fn applicable(why: impl Into<String>) -> Not {
    Not::Applicable(why.into())
}

/// How time passes.
#[derive(Debug, Clone)]
pub(super) enum Pace {
    ByHand(Arc<ManualClock>),
    Real,
}

impl Pace {
    /// From between two instants, and in steps that meet none: what happens at one can't be mistaken for it.
    pub(super) fn by_hand() -> Self {
        Self::ByHand(Arc::new(ManualClock::at("2026-03-02T10:00:00.4Z")))
    }

    fn clock(&self) -> Arc<dyn Clock> {
        match self {
            Self::ByHand(clock) => Arc::clone(clock) as _,
            Self::Real => Arc::new(SystemClock),
        }
    }

    /// Lets a moment pass for the provider; for us, hardly any.
    async fn pass(&self) {
        if let Self::ByHand(clock) = self {
            clock.advance(Duration::from_millis(250));
        }
        sleep(Duration::from_millis(4)).await;
    }

    /// How long we wait for a fire of a job that is due every second.
    pub(super) fn to_fire(&self) -> Duration {
        match self {
            // A thousand seconds for the provider, if the machine keeps up.
            Self::ByHand(_) => Duration::from_secs(2),
            Self::Real => Duration::from_secs(4),
        }
    }
}

pub(super) struct Life {
    pub(super) engine: Engine,
    pub(super) store: Arc<TroubledStore>,
    pub(super) runner: Arc<RecordingRunner>,
    pub(super) provider: Arc<Watched>,
    pub(super) pace: Pace,
    pub(super) cx: SchedulerContext,
    call: Duration,
    running: JoinHandle<Result<()>>,
}

/// A new one, not started.
pub(super) async fn made(suite: &ProviderSuite) -> Result<Arc<dyn CronScheduler>, Not> {
    let made = timeout(TO_START, (suite.make)()).await;
    let made = made.map_err(|_| kept(format!("it was not made within {TO_START:?}")))?;
    made.map_err(|error| kept(format!("it could not be made: {error}")))
}

impl Life {
    pub(super) async fn begin(suite: &ProviderSuite) -> Result<Self, Not> {
        let provider = Arc::new(Watched::new(made(suite).await?));
        let pace = if suite.real_time { Pace::Real } else { Pace::by_hand() };
        let clock = pace.clock();
        let store = Arc::new(TroubledStore::new(MemoryStore::new(Arc::clone(&clock), JobDefaults::default())));
        let runner = Arc::new(RecordingRunner::default());
        let engine = Engine::builder(Arc::clone(&store) as _, Arc::clone(&runner) as _);
        // Nothing is claimed ahead: what a rival takes, it has run before the instant is over.
        let engine = engine.clock(clock).interval(INTERVAL).claim_ahead(Duration::ZERO).build();
        let resolved = Resolved { provider: Arc::clone(&provider) as _, reason: None };
        let running = tokio::spawn({
            let engine = engine.clone();
            async move { engine.run(resolved).await }
        });
        let deadline = Instant::now() + TO_START;
        let cx = loop {
            match provider.context() {
                Some(cx) => break cx,
                None if Instant::now() > deadline => {
                    return Err(kept(format!("it was not started within {TO_START:?}")));
                }
                None => sleep(Duration::from_millis(1)).await,
            }
        };
        let life = Self { engine, store, runner, provider, pace, cx, call: suite.call, running };
        for job in &suite.jobs {
            life.add(job.as_str(), "@manually").await?;
        }
        Ok(life)
    }

    /// Ends it; one that doesn't end within `patience` is ended by force.
    pub(super) async fn end(mut self, patience: Duration) {
        self.engine.cancel_all();
        if timeout(patience, &mut self.running).await.is_err() {
            self.provider.cut();
            if timeout(BY_FORCE, &mut self.running).await.is_err() {
                self.running.abort();
            }
        }
    }

    /// Whether it works, or has armed what works for it.
    pub(super) fn works(&self) -> Result<(), Not> {
        match self.provider.ended() {
            None => Ok(()),
            Some(Ended::Returned) if self.provider.liveness() == Liveness::External => Ok(()),
            Some(ended) => {
                // The engine knows what a panic said.
                let reason = self.engine.pulse().current().fallback_reason;
                Err(kept(reason.unwrap_or_else(|| ended.words())))
            }
        }
    }

    /// Lets time pass until something holds; `false` if it doesn't within `bound`, or the provider doesn't work any more.
    pub(super) async fn comes_true(&self, bound: Duration, holds: impl Fn() -> bool) -> bool {
        let deadline = Instant::now() + bound;
        while !holds() {
            if Instant::now() > deadline || self.works().is_err() {
                return false;
            }
            self.pace.pass().await;
        }
        true
    }

    /// Gives it time to do what follows from something, such as failing for it.
    pub(super) async fn settle(&self, time: Duration) -> Result<(), Not> {
        self.comes_true(time, || false).await;
        self.works()
    }

    /// As [`comes_true`](Self::comes_true) for what must hold, or `what` is the reason why it failed.
    pub(super) async fn until(&self, bound: Duration, what: &str, holds: impl Fn() -> bool) -> Result<(), Not> {
        if self.comes_true(bound, holds).await {
            return Ok(());
        }
        self.works()?;
        Err(kept(what))
    }

    /// Lets at least `time` pass for the provider.
    pub(super) async fn pass(&self, time: Duration) {
        let until = self.now() + time;
        while self.now() < until {
            self.pace.pass().await;
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.cx.clock().now()
    }

    pub(super) async fn add(&self, id: &str, schedule: &str) -> Result<JobId, Not> {
        self.edit(Edit::Add(vec![json!({"id": id, "schedule": schedule, "payload": "nothing"})])).await?;
        named(id)
    }

    /// Changes definitions. That this works is no question of the provider's.
    pub(super) async fn edit(&self, edit: Edit) -> Result<(), Not> {
        self.store.define(edit).await.map(drop).map_err(|error| kept(format!("the suite's own jobs: {error}")))
    }

    pub(super) async fn pause(&self, job: JobId) -> Result<(), Not> {
        let paused = self.store.pause(vec![job], None, None).await;
        paused.map(drop).map_err(|error| kept(format!("the suite's own jobs: {error}")))
    }

    pub(super) async fn jobs(&self) -> Result<Vec<JobView>, Not> {
        self.store.jobs().await.map_err(|error| kept(format!("the suite's own jobs: {error}")))
    }

    /// How often `job` was run.
    pub(super) fn ran(&self, job: &str) -> usize {
        self.runner.instants(job).len()
    }

    /// A call from outside through the provider's hook.
    pub(super) async fn fire(&self, request: FireRequest) -> Result<Result<FireOutcome>, Not> {
        let (provider, cx) = (Arc::clone(&self.provider), self.cx.clone());
        self.called("fire_due", async move { provider.fire_due(&cx, &request).await }).await
    }

    pub(super) async fn reconcile(&self) -> Result<Result<()>, Not> {
        let (provider, cx) = (Arc::clone(&self.provider), self.cx.clone());
        self.called("reconcile", async move { provider.reconcile(&cx).await }).await
    }

    pub(super) async fn jobs_changed(&self, jobs: Vec<JobId>, only_next_at: bool) -> Result<Result<()>, Not> {
        let (provider, cx) = (Arc::clone(&self.provider), self.cx.clone());
        let changed = JobsChanged { jobs, only_next_at };
        self.called("on_jobs_changed", async move { provider.on_jobs_changed(&cx, &changed).await }).await
    }

    /// The answer of a hook. On a task of its own, so that a panic is the hook's and not the suite's.
    async fn called<T: Send + 'static>(
        &self,
        hook: &str,
        call: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<Result<T>, Not> {
        let mut call = tokio::spawn(call);
        match timeout(self.call, &mut call).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(kept(format!("its `{hook}` panicked"))),
            Err(_) => {
                call.abort();
                Err(kept(format!("its `{hook}` did not answer within {:?}", self.call)))
            }
        }
    }

    /// Another provider takes over.
    pub(super) fn replace_by(&self, successor: Resolved) {
        let settings = Settings { limits: Limits::default(), interval: INTERVAL, drain: Duration::from_mins(1) };
        self.engine.reload(settings, Some(successor));
    }
}

/// The id of a job of the suite's own.
pub(super) fn named(id: &str) -> Result<JobId, Not> {
    id.parse().map_err(|error| kept(format!("the suite's own jobs: {error}")))
}
