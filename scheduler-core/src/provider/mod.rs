//! When a job fires: the [`CronScheduler`] axis.
//!
//! A provider never runs a job and never touches the store: it asks its [`SchedulerContext`] to fire, and the store decides.
//! That is the rule that keeps every provider at-most-once.
//!
//! ```
//! use async_trait::async_trait;
//! use scheduler_core::{Result, provider::{CronScheduler, SchedulerContext}};
//!
//! /// Fires what is due once a minute, by its own clock.
//! struct EveryMinute;
//!
//! #[async_trait]
//! impl CronScheduler for EveryMinute {
//!     fn name(&self) -> &str {
//!         "every-minute"
//!     }
//!
//!     async fn start(&self, cx: SchedulerContext) -> Result<()> {
//!         while !cx.stopping().is_cancelled() {
//!             cx.tick().await?;
//!             tokio::select! {
//!                 () = cx.stopping().cancelled() => {}
//!                 () = tokio::time::sleep(std::time::Duration::from_secs(60)) => {}
//!             }
//!         }
//!         Ok(())
//!     }
//! }
//! ```

mod resolver;
mod ticker;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use jiff::Timestamp;

pub use resolver::{BUILTIN_ALIASES, ProviderFactory, Resolved, resolve};
pub use ticker::Ticker;

pub use crate::engine::SchedulerContext;
use crate::{JobId, Result, RunId, occurrence::SkipReason};

/// Decides when jobs fire.
///
/// The required surface is [`name`](Self::name) and [`start`](Self::start), for good: what is added later has a default that
/// does nothing or delegates to the context.
///
/// ```
/// use async_trait::async_trait;
/// use scheduler_core::{Result, provider::{Availability, CronScheduler, Liveness, SchedulerContext}};
/// use scheduler_core::provider::{FireOutcome, FireRequest, JobsChanged};
///
/// /// Arms a timer in something outside, which calls back: an engine's host hands that to `fire_due`.
/// struct Outside;
///
/// #[async_trait]
/// impl CronScheduler for Outside {
///     fn name(&self) -> &str {
///         "outside"
///     }
///
///     async fn start(&self, cx: SchedulerContext) -> Result<()> {
///         self.reconcile(&cx).await
///     }
///
///     fn liveness(&self) -> Liveness {
///         Liveness::External
///     }
///
///     async fn reconcile(&self, cx: &SchedulerContext) -> Result<()> {
///         for job in cx.jobs().await? {
///             println!("arm {} at {:?}", job.id, job.due_at);
///         }
///         Ok(())
///     }
///
///     async fn on_jobs_changed(&self, cx: &SchedulerContext, _: &JobsChanged) -> Result<()> {
///         self.reconcile(cx).await
///     }
///
///     async fn stop(&self) -> Result<()> {
///         println!("disarm all");
///         Ok(())
///     }
/// }
///
/// /// What the host does with a call from outside.
/// async fn called(cx: &SchedulerContext, job: &str) -> Result<FireOutcome> {
///     Outside.fire_due(cx, &FireRequest::due(job.parse()?)).await
/// }
/// assert_eq!(Outside.is_available(), Availability::Available);
/// ```
#[async_trait]
pub trait CronScheduler: Send + Sync {
    /// What `provider:` in config.yaml calls it.
    ///
    /// # Behavior
    /// - Always the same, lower case, without blanks.
    fn name(&self) -> &str;

    /// Makes jobs fire until told to stop, or arms something outside that will.
    ///
    /// # Behavior
    /// - The engine calls it once, after recovery, on a task of its own.
    /// - With [`Liveness::Ticks`] it returns only when `cx.stopping()` is cancelled, and calls `cx.tick()` or `cx.beat()` at
    ///   least once every `cx.interval()`.
    /// - With [`Liveness::External`] it may return as soon as everything is armed.
    /// - If it fails, panics, or returns early though it ticks, the built-in ticker takes over at once.
    ///
    /// # Errors
    /// Why it can't go on; shown by `sched status`.
    async fn start(&self, cx: SchedulerContext) -> Result<()>;

    /// Whether it can work on this machine.
    ///
    /// # Behavior
    /// - Answers within 100 ms and never touches the network.
    fn is_available(&self) -> Availability {
        Availability::Available
    }

    /// How its life shows.
    fn liveness(&self) -> Liveness {
        Liveness::Ticks
    }

    /// Takes down what `start` put up.
    ///
    /// # Behavior
    /// - Called once, after `cx.stopping()` was cancelled; may run beside `start`.
    ///
    /// # Errors
    /// What could not be taken down.
    async fn stop(&self) -> Result<()> {
        Ok(())
    }

    /// Somebody outside says that a job is due.
    ///
    /// # Behavior
    /// - Fires through `cx` and nothing else. A lost claim, a job that isn't due and one that is gone are answers, not errors.
    ///
    /// # Errors
    /// Why it could not be tried.
    async fn fire_due(&self, cx: &SchedulerContext, fire: &FireRequest) -> Result<FireOutcome> {
        cx.fire(fire).await
    }

    /// Brings what is armed outside in line with the jobs as they are, from any state.
    ///
    /// # Behavior
    /// - Called at start, after a reload and every ten minutes; never beside another hook.
    ///
    /// # Errors
    /// What could not be armed; it is tried again.
    async fn reconcile(&self, cx: &SchedulerContext) -> Result<()> {
        let _ = cx;
        Ok(())
    }

    /// Jobs changed, or fired and have another next instant now.
    ///
    /// # Behavior
    /// - Called at most once a second, with everything that changed since; never beside another hook.
    ///
    /// # Errors
    /// What could not be armed; `reconcile` will try again.
    async fn on_jobs_changed(&self, cx: &SchedulerContext, changed: &JobsChanged) -> Result<()> {
        let _ = (cx, changed);
        Ok(())
    }
}

macro_rules! forward {
    ($($pointer:ident),*) => {$(
        #[deny(clippy::missing_trait_methods)]
        #[async_trait]
        impl<T: CronScheduler + ?Sized> CronScheduler for $pointer<T> {
            fn name(&self) -> &str {
                (**self).name()
            }

            async fn start(&self, cx: SchedulerContext) -> Result<()> {
                (**self).start(cx).await
            }

            fn is_available(&self) -> Availability {
                (**self).is_available()
            }

            fn liveness(&self) -> Liveness {
                (**self).liveness()
            }

            async fn stop(&self) -> Result<()> {
                (**self).stop().await
            }

            async fn fire_due(&self, cx: &SchedulerContext, fire: &FireRequest) -> Result<FireOutcome> {
                (**self).fire_due(cx, fire).await
            }

            async fn reconcile(&self, cx: &SchedulerContext) -> Result<()> {
                (**self).reconcile(cx).await
            }

            async fn on_jobs_changed(&self, cx: &SchedulerContext, changed: &JobsChanged) -> Result<()> {
                (**self).on_jobs_changed(cx, changed).await
            }
        }
    )*};
}

forward!(Arc, Box);

/// Whether a provider can work here.
///
/// ```
/// use scheduler_core::provider::{Availability, CronScheduler, Ticker};
/// assert_eq!(Ticker.is_available(), Availability::Available);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Availability {
    /// It can.
    Available,
    /// It can't, and why.
    Unavailable(String),
}

/// How a provider's life shows.
///
/// ```
/// use scheduler_core::provider::{CronScheduler, Liveness, Ticker};
/// assert_eq!(Ticker.liveness(), Liveness::Ticks);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    /// It turns a loop in this process, and is dead when that stands still.
    Ticks,
    /// Something outside will call; silence is no sign of death.
    External,
}

/// What somebody outside wants fired.
///
/// ```
/// use scheduler_core::provider::{FireRequest, FireWhat};
/// let request = FireRequest::event("deploy".parse()?, "build-17");
/// assert_eq!(request.what, FireWhat::Event("build-17".into()));
/// # Ok::<(), scheduler_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FireRequest {
    /// Which job.
    pub job: JobId,
    /// Which of its occurrences.
    pub what: FireWhat,
}

/// Which occurrence is meant.
///
/// ```
/// use scheduler_core::provider::{FireRequest, FireWhat};
/// let at = "2026-11-22T02:30:00Z".parse()?;
/// assert_eq!(FireRequest::due("a".parse()?).what, FireWhat::Due);
/// assert_eq!(FireRequest::at("a".parse()?, at).what, FireWhat::At(at));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FireWhat {
    /// The one that is due now.
    Due,
    /// The one at this instant of its schedule.
    At(Timestamp),
    /// A new one, outside the schedule, named by this key.
    Event(String),
}

impl FireRequest {
    /// Whatever `job` owes now.
    pub fn due(job: JobId) -> Self {
        Self { job, what: FireWhat::Due }
    }

    /// What `job` owes at `instant`.
    pub fn at(job: JobId, instant: Timestamp) -> Self {
        Self { job, what: FireWhat::At(instant) }
    }

    /// An occurrence of its own; the same `key` again is the same one.
    pub fn event(job: JobId, key: impl Into<String>) -> Self {
        Self { job, what: FireWhat::Event(key.into()) }
    }
}

/// What came of a [`FireRequest`].
///
/// ```
/// use scheduler_core::provider::FireOutcome;
/// assert_eq!(FireOutcome::LostClaim.to_string(), "somebody else fired it");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FireOutcome {
    /// Claimed here, and on its way.
    Started(RunId),
    /// It waits for a place.
    Queued(RunId),
    /// Nothing is owed.
    NotDue,
    /// Somebody else has it, or had it.
    LostClaim,
    /// No such job.
    NotFound,
    /// The job is paused.
    Paused,
    /// Closed at once, with the reason.
    Skipped(SkipReason),
    /// The engine is stopping; it stays due.
    Draining,
    /// The provider that asks has been replaced.
    Revoked,
}

impl fmt::Display for FireOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started(run) => write!(f, "started as {run}"),
            Self::Queued(run) => write!(f, "queued as {run}"),
            Self::NotDue => f.write_str("nothing is due"),
            Self::LostClaim => f.write_str("somebody else fired it"),
            Self::NotFound => f.write_str("no such job"),
            Self::Paused => f.write_str("the job is paused"),
            Self::Skipped(reason) => write!(f, "skipped: {}", reason.words()),
            Self::Draining => f.write_str("the daemon is stopping; it stays due"),
            Self::Revoked => f.write_str("the provider has been replaced"),
        }
    }
}

/// What changed since the last call.
///
/// ```
/// use scheduler_core::provider::JobsChanged;
/// assert!(JobsChanged::default().jobs.is_empty());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobsChanged {
    /// Which jobs, removed ones included.
    pub jobs: Vec<JobId>,
    /// Whether nothing but their next instants did.
    pub only_next_at: bool,
}
