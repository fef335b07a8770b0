//! The engine: turns what a provider asks for into claims, and claims into runs.
//!
//! ```text
//! provider --cx.tick()--> pass (plan, admit, claim) --> execute (start, run, finish) --> wake
//!                          ^                                                               |
//! engine loop --turn: recover the dead, obey cancels, start what is queued, beat <---------+
//! ```
//! The turn runs under every provider; recovery is nobody's option. The engine is a guest in its host's process: it installs
//! no signal handler, no panic hook and no subscriber, and never ends the process.

mod builder;
mod context;
mod execute;
mod fire;
mod gates;
mod hooks;
mod pass;
mod secrets;
mod supervise;
mod turn;
mod witness;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use builder::EngineBuilder;
pub use context::SchedulerContext;

use self::{builder::Parts, gates::Gates, pass::Reach, secrets::Secrets, witness::Witness};
use crate::{
    Error, Job, JobId, JobRunner, JobStore, OccurrenceId, Result, RunId,
    audit::Outage,
    liveness::{Failure, Phase, Pulse},
    occurrence::{Occurrence, State},
    provider::{FireOutcome, FireRequest, Resolved},
    store::{Limits, Which},
};

/// What of an engine can be changed while it runs.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use scheduler_core::{Engine, engine::Settings, store::{Limits, MemoryStore}};
/// # use scheduler_core::{Job, JobRunner, Outcome, Result, RunContext, RunResult};
/// # struct MyRunner;
/// # #[async_trait::async_trait]
/// # impl JobRunner for MyRunner {
/// #     fn validate(&self, _: &Job) -> Result<()> { Ok(()) }
/// #     async fn run(&self, _: RunContext) -> Outcome { Outcome::new(RunResult::Succeeded) }
/// # }
/// let engine = Engine::builder(Arc::new(MemoryStore::default()), Arc::new(MyRunner)).build();
/// let limits = Limits { max_parallel: 8, ..Limits::default() };
/// let settings = Settings { limits, interval: Duration::from_secs(30), drain: Duration::from_secs(5) };
/// engine.reload(settings, None);
/// assert_eq!(engine.context().interval(), Duration::from_secs(30));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What may run at once.
    pub limits: Limits,
    /// The longest the engine sleeps.
    pub interval: Duration,
    /// How long open runs may take when the engine is told to stop.
    pub drain: Duration,
}

/// A scheduler at work.
///
/// Cheap to clone; all clones are the same engine.
///
/// ```
/// use std::sync::Arc;
/// use scheduler_core::{Engine, JobStore, provider::{FireOutcome, FireRequest, Ticker}, store::{Edit, MemoryStore}};
/// use serde_json::json;
/// # use scheduler_core::{Job, JobRunner, Outcome, Result, RunContext, RunResult};
/// # struct MyRunner;
/// # #[async_trait::async_trait]
/// # impl JobRunner for MyRunner {
/// #     fn validate(&self, _: &Job) -> Result<()> { Ok(()) }
/// #     async fn run(&self, _: RunContext) -> Outcome { Outcome::new(RunResult::Succeeded) }
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let store = Arc::new(MemoryStore::default());
/// store.define(Edit::Add(vec![json!({"id": "greet", "schedule": "every 1s", "payload": "hello"})])).await?;
/// let engine = Engine::builder(store, Arc::new(MyRunner)).build();
/// assert!(engine.refused().await?.is_empty(), "the runner takes all jobs");
///
/// // Until something says that it is enough: here the first record in the history, else Ctrl-C.
/// let mut changes = engine.store().subscribe();
/// let first = async {
///     while engine.store().ledger(Default::default()).await.is_ok_and(|entries| entries.is_empty()) {
///         changes.changed().await.expect("the store lives");
///     }
/// };
/// engine.run_until(Ticker, first).await?;
/// assert!(engine.is_stopping() && engine.open_runs() == 0);
/// assert_eq!(engine.pulse().current().provider, "builtin");
/// assert!(!engine.context().may_dispatch(), "nothing fires any more");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Engine(Arc<Shared>);

struct Shared {
    /// Of these, `settings` has what can change.
    options: Parts,
    settings: Mutex<Settings>,
    /// Runs that this process answers for, orphans it watches included.
    runs: Mutex<HashMap<RunId, Here>>,
    /// Jobs of which a step is taken here and not yet recorded; and how many of them.
    unrecorded: Mutex<HashMap<JobId, usize>>,
    /// Runs whose start could not be recorded in time and that went back into the queue, with their jobs.
    given_back: Mutex<HashMap<RunId, JobId>>,
    /// Jobs whose last run was bad, as far as the notifiers have been told.
    troubled: Mutex<HashSet<JobId>>,
    /// The definitions that these were last looked for in.
    looked_for_in: Mutex<Option<u64>>,
    /// What no job may know.
    secrets: Mutex<Secrets>,
    /// What fails at the moment, by what it is.
    errors: Mutex<BTreeMap<&'static str, Failure>>,
    /// What kept time from passing as it should.
    witness: Mutex<Witness>,
    tasks: TaskTracker,
    gates: Gates,
    /// Wakes the turn: a place became free, or something was queued.
    wake: Notify,
    /// Counts everything that may move a next instant.
    changes: watch::Sender<u64>,
    next_wakeup: Mutex<Option<Timestamp>>,
    /// Which provider may still ask; the one before has been replaced.
    generation: AtomicU64,
    /// Who is to take over from it.
    successor: Mutex<Option<Resolved>>,
    succession: Notify,
    /// Counts reloads.
    reloads: watch::Sender<u64>,
    cycle: AtomicU64,
    /// No new runs.
    draining: CancellationToken,
    /// No new anything.
    stopping: CancellationToken,
    last_turn: Mutex<turn::Last>,
}

/// A run that this process answers for.
struct Here {
    cancel: CancellationToken,
    /// Whether this process stays for its end. An orphan goes on without it, unless it is being stopped.
    awaited: bool,
}

/// What an engine did, for who runs it once.
///
/// ```
/// use std::sync::Arc;
/// use scheduler_core::{Engine, engine::Summary, store::MemoryStore};
/// # use scheduler_core::{Job, JobRunner, Outcome, Result, RunContext, RunResult};
/// # struct MyRunner;
/// # #[async_trait::async_trait]
/// # impl JobRunner for MyRunner {
/// #     fn validate(&self, _: &Job) -> Result<()> { Ok(()) }
/// #     async fn run(&self, _: RunContext) -> Outcome { Outcome::new(RunResult::Succeeded) }
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let engine = Engine::builder(Arc::new(MemoryStore::default()), Arc::new(MyRunner)).build();
/// assert_eq!(engine.run_once().await?, Summary::default(), "there are no jobs");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// What recovery and housekeeping did, in words.
    pub done: Vec<String>,
    /// Runs that were claimed here.
    pub claimed: usize,
}

impl Engine {
    /// Begins an engine: `store` says who may fire, `runner` what firing means; all else has a default.
    pub fn builder(store: Arc<dyn JobStore>, runner: Arc<dyn JobRunner>) -> EngineBuilder {
        EngineBuilder::new(store, runner)
    }

    fn new(options: Parts) -> Self {
        let settings = Settings { limits: options.limits.clone(), interval: options.interval, drain: options.drain };
        Self(Arc::new(Shared {
            options,
            settings: Mutex::new(settings),
            runs: Mutex::default(),
            troubled: Mutex::default(),
            looked_for_in: Mutex::default(),
            secrets: Mutex::default(),
            errors: Mutex::default(),
            tasks: TaskTracker::new(),
            gates: Gates::default(),
            unrecorded: Mutex::default(),
            given_back: Mutex::default(),
            witness: Mutex::default(),
            wake: Notify::new(),
            changes: watch::Sender::new(0),
            next_wakeup: Mutex::default(),
            generation: AtomicU64::new(0),
            successor: Mutex::default(),
            succession: Notify::new(),
            reloads: watch::Sender::new(0),
            cycle: AtomicU64::new(0),
            draining: CancellationToken::new(),
            stopping: CancellationToken::new(),
            last_turn: Mutex::default(),
        }))
    }

    /// Runs under `provider` (mostly [`Ticker`](crate::provider::Ticker), or what
    /// [`resolve`](crate::provider::resolve()) answers) until [`stop`](Self::stop) or [`cancel_all`](Self::cancel_all) has
    /// been called and every run is over.
    ///
    /// Once for each engine: one that has stopped stays so. To drop the future instead leaves the runs without anybody who
    /// records their end.
    ///
    /// # Errors
    /// Why the first turn failed for good: a store that can't be trusted is no scheduler. Whatever may pass is survived.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use scheduler_core::{Engine, provider::resolve, store::MemoryStore};
    /// # use scheduler_core::{Job, JobRunner, Outcome, Result, RunContext, RunResult};
    /// # struct MyRunner;
    /// # #[async_trait::async_trait]
    /// # impl JobRunner for MyRunner {
    /// #     fn validate(&self, _: &Job) -> Result<()> { Ok(()) }
    /// #     async fn run(&self, _: RunContext) -> Outcome { Outcome::new(RunResult::Succeeded) }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// let engine = Engine::builder(Arc::new(MemoryStore::default()), Arc::new(MyRunner)).build();
    /// let running = tokio::spawn({
    ///     let engine = engine.clone();
    ///     async move { engine.run(resolve("", &[])).await }
    /// });
    /// engine.stop(); // `cancel_all` would cancel the open runs, too
    /// running.await.expect("no panic")?;
    /// # engine.cancel_all();
    /// # Ok(())
    /// # }
    /// ```
    pub async fn run(&self, provider: impl Into<Resolved>) -> Result<()> {
        let resolved = provider.into();
        let shared = &self.0;
        shared.note_troubled().await?;
        match self.turn().await {
            Ok(summary) => summary.done.iter().for_each(|line| tracing::warn!("{line}")),
            // A disk that is full now may not be in a minute: the turn tries again, and the pulse says why nothing fires.
            Err(error) if error.is_retryable() => {}
            Err(error) => return Err(error),
        }
        let provider = tokio::spawn(supervise::run(self.clone(), resolved));
        let turns = tokio::spawn(turn::run(self.clone()));
        shared.draining.cancelled().await;
        shared.options.pulse.publish(|beat| beat.phase = Phase::Draining);
        self.drain().await;
        shared.stopping.cancel();
        let _ = tokio::join!(provider, turns);
        shared.options.pulse.publish(|beat| beat.phase = Phase::Stopped);
        Ok(())
    }

    /// As [`run`](Self::run), and stops when `stop` completes: Ctrl-C, say.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn run_until(&self, provider: impl Into<Resolved>, stop: impl Future<Output = ()>) -> Result<()> {
        let mut running = pin!(self.run(provider));
        tokio::select! {
            ended = &mut running => return ended,
            () = stop => self.stop(),
        }
        running.await
    }

    /// One pass over everything that is due, and over what it queues, until all runs of this process are over. For homes
    /// that are driven from outside.
    ///
    /// # Errors
    /// Why the pass failed; runs that had begun have been waited for all the same.
    pub async fn run_once(&self) -> Result<Summary> {
        let mut summary = Summary::default();
        let mut answer = self.0.note_troubled().await;
        if answer.is_ok() {
            answer = self.turn().await.map(|turn| summary = turn);
        }
        if answer.is_ok() {
            answer = self.0.pass(Reach::Now).await.map(|claimed| summary.claimed += claimed);
        }
        let mut elsewhere = self.0.options.store.subscribe();
        let mut here = self.0.changes.subscribe();
        loop {
            here.mark_unchanged();
            if let Err(error) = self.turn().await.map(|turn| summary.claimed += turn.claimed) {
                answer = answer.and(Err(error));
            }
            if self.0.awaited() == 0 {
                break;
            }
            tokio::select! {
                _ = here.changed() => {}
                _ = elsewhere.changed() => {}
            }
        }
        self.0.tasks.close();
        self.0.tasks.wait().await;
        answer.map(|()| summary)
    }

    /// Runs one queued occurrence here, with the attempts that follow if it has retries, and waits for it. Answers false if it
    /// has no place now, or somebody else took it.
    ///
    /// # Errors
    /// Why it could not be claimed.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use scheduler_core::{Engine, JobStore, OccurrenceKind, store::{Ask, Asked, Edit, MemoryStore}};
    /// use serde_json::json;
    /// # use scheduler_core::{Job, JobRunner, Outcome, Result, RunContext, RunResult};
    /// # struct MyRunner;
    /// # #[async_trait::async_trait]
    /// # impl JobRunner for MyRunner {
    /// #     fn validate(&self, _: &Job) -> Result<()> { Ok(()) }
    /// #     async fn run(&self, _: RunContext) -> Outcome { Outcome::new(RunResult::Succeeded) }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// let store = Arc::new(MemoryStore::default());
    /// store.define(Edit::Add(vec![json!({"id": "a", "schedule": "@manually", "payload": 1})])).await?;
    /// let ask = Ask { job: "a".parse()?, kind: OccurrenceKind::Manual, key: "by-hand".into(), force: false };
    /// let Asked::Queued(run) = store.ask(ask).await? else { panic!("it is new") };
    /// let engine = Engine::builder(store, Arc::new(MyRunner)).build();
    /// assert!(engine.run_one(&run).await?);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn run_one(&self, run: &RunId) -> Result<bool> {
        let shared = &self.0;
        // A success ends an alert of an earlier process, too.
        shared.note_troubled().await?;
        let claim = shared.options.store.claim(vec![run.clone()], shared.limits()).await?.pop().flatten();
        let Some(claim) = claim else { return Ok(false) };
        let occurrence = claim.id.clone();
        shared.dispatch(claim);
        self.wait_for_runs().await?;
        let mut changes = shared.options.store.subscribe();
        loop {
            changes.mark_unchanged();
            let Some(next) = shared.waiting_attempt(&occurrence).await? else { return Ok(true) };
            let now = shared.options.clock.now();
            let not_before = next.not_before.unwrap_or(now);
            if not_before <= now {
                // With no place for it now it stays in the queue, for whoever comes by when there is one.
                let claim = shared.options.store.claim(vec![next.run], shared.limits()).await?.pop().flatten();
                let Some(claim) = claim else { return Ok(true) };
                shared.dispatch(claim);
                self.wait_for_runs().await?;
                continue;
            }
            tokio::select! {
                () = shared.options.clock.sleep_until(not_before) => {}
                () = shared.draining.cancelled() => return Ok(true),
                _ = changes.changed() => {}
            }
        }
    }

    /// Fires one job as a provider would, and waits for what that started here.
    ///
    /// # Errors
    /// Why it could not be tried.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use scheduler_core::{Engine, provider::{FireOutcome, FireRequest}, store::MemoryStore};
    /// # use scheduler_core::{Job, JobRunner, Outcome, Result, RunContext, RunResult};
    /// # struct MyRunner;
    /// # #[async_trait::async_trait]
    /// # impl JobRunner for MyRunner {
    /// #     fn validate(&self, _: &Job) -> Result<()> { Ok(()) }
    /// #     async fn run(&self, _: RunContext) -> Outcome { Outcome::new(RunResult::Succeeded) }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// let engine = Engine::builder(Arc::new(MemoryStore::default()), Arc::new(MyRunner)).build();
    /// assert_eq!(engine.fire_once(&FireRequest::due("nobody".parse()?)).await?, FireOutcome::NotFound);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn fire_once(&self, request: &FireRequest) -> Result<FireOutcome> {
        self.0.note_troubled().await?;
        let outcome = self.0.fire(request).await?;
        self.wait_for_runs().await?;
        Ok(outcome)
    }

    async fn wait_for_runs(&self) -> Result<()> {
        let mut changes = self.0.options.store.subscribe();
        let emptied = self.0.emptied();
        tokio::pin!(emptied);
        loop {
            tokio::select! {
                () = &mut emptied => break,
                // A cancellation from outside comes as a change of the store.
                _ = changes.changed() => self.0.obey_cancellations().await?,
            }
        }
        self.0.tasks.close();
        self.0.tasks.wait().await;
        Ok(())
    }

    /// Goes on with these settings from now on, and under another provider if one is given. Everything is looked over again,
    /// as at the start: files, cursors, what the provider has armed.
    ///
    /// The provider in force is told to end, and is `Revoked` from then on; the other one starts when it has.
    pub fn reload(&self, settings: Settings, provider: Option<Resolved>) {
        let shared = &self.0;
        let interval = settings.interval;
        *shared.settings.lock() = settings;
        shared.options.pulse.publish(|beat| beat.interval_s = interval.as_secs_f64());
        if provider.is_some() {
            *shared.successor.lock() = provider;
            shared.succession.notify_one();
        }
        shared.reloads.send_modify(|count| *count += 1);
        shared.last_turn.lock().look_over_again();
        shared.wake.notify_one();
        shared.changed();
    }

    /// No new runs; [`run`](Self::run) returns when the open ones are over, or cancelled after the drain time.
    pub fn stop(&self) {
        self.0.draining.cancel();
    }

    /// As [`stop`](Self::stop), and cancels the open runs at once.
    pub fn cancel_all(&self) {
        self.0.draining.cancel();
        for here in self.0.runs.lock().values().filter(|here| here.awaited) {
            here.cancel.cancel();
        }
        self.0.wake.notify_one();
    }

    /// Has an outage put on record that was before this engine's time: how the last one ended, say.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use jiff::{Timestamp, ToSpan as _};
    /// use scheduler_core::{Engine, audit::{Outage, OutageCause}, store::MemoryStore};
    /// # use scheduler_core::{Job, JobRunner, Outcome, Result, RunContext, RunResult};
    /// # struct MyRunner;
    /// # #[async_trait::async_trait]
    /// # impl JobRunner for MyRunner {
    /// #     fn validate(&self, _: &Job) -> Result<()> { Ok(()) }
    /// #     async fn run(&self, _: RunContext) -> Outcome { Outcome::new(RunResult::Succeeded) }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// let engine = Engine::builder(Arc::new(MemoryStore::default()), Arc::new(MyRunner)).build();
    /// let now = Timestamp::now();
    /// engine.note(Outage::new(OutageCause::Crashed, now - 2.hours(), now));
    /// engine.run_once().await?; // with its next turn
    /// # Ok(())
    /// # }
    /// ```
    pub fn note(&self, outage: Outage) {
        self.0.witness.lock().note(outage);
    }

    /// Whether it was told to stop.
    pub fn is_stopping(&self) -> bool {
        self.0.draining.is_cancelled()
    }

    /// How many runs this process has open.
    pub fn open_runs(&self) -> usize {
        self.0.awaited()
    }

    /// The enabled jobs that the runner says it can't run here, each with the reason. They fire all the same, and fail: a
    /// host asks this when it starts, and says so.
    ///
    /// # Errors
    /// Why the jobs could not be read.
    pub async fn refused(&self) -> Result<Vec<(JobId, Error)>> {
        let views = self.0.options.store.jobs().await?;
        let jobs = views.iter().filter_map(|view| view.job.as_ref().ok()).filter(|job| job.enabled);
        let refusal = |job: &Arc<Job>| Some((job.id.clone(), self.0.options.runner.validate(job).err()?));
        Ok(jobs.filter_map(refusal).collect())
    }

    /// Who may fire.
    pub fn store(&self) -> &Arc<dyn JobStore> {
        &self.0.options.store
    }

    /// How it is doing.
    pub fn pulse(&self) -> &Pulse {
        &self.0.options.pulse
    }

    /// Fires something as a provider would, under no provider's name.
    pub fn context(&self) -> SchedulerContext {
        SchedulerContext::new(self.clone(), self.0.generation.load(Ordering::Relaxed))
    }

    /// Waits for open runs; cancels what is left after the drain time. Orphans are not waited for: they go on without us.
    async fn drain(&self) {
        let shared = &self.0;
        let drain = shared.settings.lock().drain;
        if tokio::time::timeout(drain, shared.emptied()).await.is_err() {
            tracing::warn!(runs = shared.awaited(), "the drain time is over; the open runs are cancelled");
            self.cancel_all();
            shared.emptied().await;
        }
    }
}

impl Shared {
    /// What may run at once.
    fn limits(&self) -> Limits {
        self.settings.lock().limits.clone()
    }

    /// The attempt at `occurrence` that waits in the queue.
    async fn waiting_attempt(&self, occurrence: &OccurrenceId) -> Result<Option<Occurrence>> {
        let jobs = self.options.store.select(Which::Job(occurrence.job.clone())).await?.jobs;
        let mut open = jobs.into_iter().flat_map(|job| job.open);
        Ok(open.find(|open| open.id == *occurrence && open.state == State::Queued))
    }

    /// Waits until another provider is to take over.
    async fn successor(&self) -> Resolved {
        loop {
            if let Some(resolved) = self.successor.lock().take() {
                return resolved;
            }
            self.succession.notified().await;
        }
    }

    /// Runs whose end this process stays for.
    fn awaited(&self) -> usize {
        self.runs.lock().values().filter(|here| here.awaited).count()
    }

    /// Waits until no run is open here whose end this process stays for. Not by `wake`: that wakes one waiter, and the turn
    /// is another; a run that ended just when the stop came was waited for until the drain time was over.
    async fn emptied(&self) {
        let mut changes = self.changes.subscribe();
        while self.awaited() > 0 && changes.changed().await.is_ok() {}
    }

    /// Something moved: the ticker looks again.
    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }
}
