//! Puts an [`Engine`] together: two axes that nobody can guess, and a default for everything else.

use std::{fmt, sync::Arc, time::Duration};

use super::Engine;
use crate::{
    Clock, JobRunner, JobStore, Notifier, SystemClock,
    liveness::{Heartbeat, Pulse},
    plan::CLAIM_AHEAD,
    store::Limits,
};

const MAX_CLAIM_AHEAD: Duration = CLAIM_AHEAD.unsigned_abs();

/// An engine in the making; [`Engine::builder`] begins one.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use scheduler_core::{AlertFiles, Clock, Engine, Home, SystemClock, store::{Limits, MemoryStore}, vfs::RealFs};
/// use scheduler_core::liveness::{Heartbeat, Pulse};
/// # use scheduler_core::{Job, JobRunner, Outcome, Result, RunContext, RunResult};
/// # struct MyRunner;
/// # #[async_trait::async_trait]
/// # impl JobRunner for MyRunner {
/// #     fn validate(&self, _: &Job) -> Result<()> { Ok(()) }
/// #     async fn run(&self, _: RunContext) -> Outcome { Outcome::new(RunResult::Succeeded) }
/// # }
/// let interval = Duration::from_secs(30);
/// let pulse = Pulse::new(Heartbeat::new("mine", SystemClock.now(), interval), Arc::new(SystemClock));
/// let engine = Engine::builder(Arc::new(MemoryStore::default()), Arc::new(MyRunner))
///     .notifier(Arc::new(AlertFiles::new(Arc::new(RealFs), Home::new("/var/lib/mine"))))
///     .clock(Arc::new(SystemClock))
///     .limits(Limits { max_parallel: 8, ..Limits::default() })
///     .pulse(pulse)
///     .interval(interval)
///     .claim_ahead(Duration::from_millis(100))
///     .drain(Duration::from_secs(10))
///     .boot_key(None)
///     .build();
/// assert_eq!(engine.open_runs(), 0);
/// ```
#[must_use = "nothing is made before `build`"]
pub struct EngineBuilder {
    store: Arc<dyn JobStore>,
    runner: Arc<dyn JobRunner>,
    notifiers: Vec<Arc<dyn Notifier>>,
    clock: Arc<dyn Clock>,
    pulse: Option<Pulse>,
    limits: Limits,
    interval: Duration,
    claim_ahead: Duration,
    drain: Duration,
    boot_key: Option<String>,
}

/// What an engine is made of.
pub(super) struct Parts {
    pub(super) store: Arc<dyn JobStore>,
    pub(super) runner: Arc<dyn JobRunner>,
    pub(super) notifiers: Vec<Arc<dyn Notifier>>,
    pub(super) clock: Arc<dyn Clock>,
    /// Where progress shows.
    pub(super) pulse: Pulse,
    pub(super) limits: Limits,
    pub(super) interval: Duration,
    /// At most [`MAX_CLAIM_AHEAD`].
    pub(super) claim_ahead: Duration,
    pub(super) drain: Duration,
    pub(super) boot_key: Option<String>,
}

impl EngineBuilder {
    pub(super) fn new(store: Arc<dyn JobStore>, runner: Arc<dyn JobRunner>) -> Self {
        Self {
            store,
            runner,
            notifiers: Vec::new(),
            clock: Arc::new(SystemClock),
            pulse: None,
            limits: Limits::default(),
            interval: Duration::from_mins(1),
            claim_ahead: MAX_CLAIM_AHEAD,
            drain: Duration::from_mins(1),
            boot_key: None,
        }
    }

    /// Tells `notifier` too. Without one, failures are only in the history.
    pub fn notifier(mut self, notifier: Arc<dyn Notifier>) -> Self {
        self.notifiers.push(notifier);
        self
    }

    /// Asks this clock what time it is: the one that the store asks. The system's is the default.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Shows progress in this pulse, which somebody may write to a file. By default one in memory: [`Engine::pulse`].
    pub fn pulse(mut self, pulse: Pulse) -> Self {
        self.pulse = Some(pulse);
        self
    }

    /// Bounds what may run at once. By default 256 runs.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The longest that engine and ticker sleep, though nothing is due. By default a minute.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// How long before its instant a tick may make a claim durable; the run starts at the instant. By default, and at most,
    /// 250 ms.
    pub fn claim_ahead(mut self, claim_ahead: Duration) -> Self {
        self.claim_ahead = claim_ahead.min(MAX_CLAIM_AHEAD);
        self
    }

    /// How long open runs may take once the engine is told to stop. By default a minute; then they are cancelled.
    pub fn drain(mut self, drain: Duration) -> Self {
        self.drain = drain;
        self
    }

    /// Names this start of the machine: `@reboot` jobs fire once for each name. By default there is none, and they don't.
    pub fn boot_key(mut self, boot_key: Option<String>) -> Self {
        self.boot_key = boot_key;
        self
    }

    /// The engine, which does nothing yet.
    pub fn build(self) -> Engine {
        let Self { store, runner, notifiers, clock, pulse, limits, interval, claim_ahead, drain, boot_key } = self;
        let own = || Pulse::new(Heartbeat::new("embedded", clock.now(), interval), Arc::clone(&clock));
        let pulse = pulse.unwrap_or_else(own);
        Engine::new(Parts { store, runner, notifiers, clock, pulse, limits, interval, claim_ahead, drain, boot_key })
    }
}

impl fmt::Debug for EngineBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineBuilder").field("limits", &self.limits).finish_non_exhaustive()
    }
}
