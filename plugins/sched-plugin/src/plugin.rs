//! What a plugin is: a trait with two functions that must be there.

use std::error::Error;

use crate::{Config, FireOutcome, Host, Unavailable};

/// Whatever went wrong. Its text, with those of its sources, ends in the daemon's log and in `sched status`.
///
/// A [`HostError`](crate::HostError) or an [`Unavailable`] in it keeps its meaning.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// A trigger provider: it decides when jobs fire.
///
/// A panic in any of these is caught and is an error like others.
///
/// ```
/// use sched_plugin::{BoxError, Config, Host, SchedulerPlugin, testing::TestHost};
///
/// struct Once;
///
/// impl SchedulerPlugin for Once {
///     fn from_config(_: Config) -> Result<Self, BoxError> {
///         Ok(Self)
///     }
///
///     fn start(&self, host: &Host) -> Result<(), BoxError> {
///         host.tick()?;
///         Ok(())
///     }
/// }
///
/// let host = TestHost::default();
/// Once::from_config(Config::default())?.start(&host.host())?;
/// assert_eq!(host.calls(), ["tick"]);
/// # Ok::<(), BoxError>(())
/// ```
pub trait SchedulerPlugin: Send + Sync + Sized + 'static {
    /// How the plugin's life shows.
    const LIVENESS: Liveness = Liveness::Ticks;

    /// Which of the last three functions the host calls at all. All of them, so that none that you write is ever overlooked: a
    /// default of this trait does what the host would do. A plugin that leaves some to their defaults may say so here, and
    /// saves the daemon the calls.
    const HOOKS: Hooks = Hooks::ALL;

    /// Makes the plugin of its configuration.
    ///
    /// # Behavior
    /// - Called once, before anything else, in a fresh process. It should take milliseconds and must not touch the network.
    /// - An error with an [`Unavailable`] in it says that this machine lacks something; any other, that the plugin is broken or
    ///   not configured as it should be. Either way the built-in ticker does the work, and `sched status` has the text.
    ///
    /// # Errors
    /// What is wrong with the configuration, or missing.
    fn from_config(config: Config) -> Result<Self, BoxError>;

    /// Makes jobs fire.
    ///
    /// # Behavior
    /// - With [`Liveness::Ticks`] it works until [`Host::is_stopping`] and then returns. It waits with [`Host::wait_until`] or
    ///   [`Host::wait_for`], which beat; who waits elsewhere calls [`Host::beat`] at least once in every `ticker.interval` of
    ///   config.yaml, which is a minute by default. To return early is a failure.
    /// - With [`Liveness::External`] it arms something outside and returns.
    ///
    /// # Errors
    /// Why it can't go on. The built-in ticker takes over.
    fn start(&self, host: &Host) -> Result<(), BoxError>;

    /// Whether this machine has what the plugin needs.
    ///
    /// # Behavior
    /// - Called after `from_config` and before `start`. It must not touch the network.
    ///
    /// # Errors
    /// What is missing.
    fn is_available(&self) -> Result<(), Unavailable> {
        Ok(())
    }

    /// Takes down what `start` has armed outside.
    ///
    /// # Behavior
    /// - Called once, beside a `start` that still runs. By then [`Host::is_stopping`] is true and [`Host::wait_until`] returns,
    ///   so a plugin that ticks has nothing to do here.
    ///
    /// # Errors
    /// What is still armed.
    fn stop(&self, host: &Host) -> Result<(), BoxError> {
        let _ = host;
        Ok(())
    }

    /// Somebody outside says that a job is due.
    ///
    /// # Behavior
    /// - Called beside `start`; never at the same time as the other two hooks.
    /// - To fire, ask the host. It never calls back here.
    ///
    /// # Errors
    /// Why it was not fired.
    fn fire_due(&self, host: &Host, job: &str) -> Result<FireOutcome, BoxError> {
        Ok(host.fire_due(job)?)
    }

    /// Makes what is armed outside agree with the jobs: missing ones are armed, wrong ones armed anew, others taken down.
    ///
    /// # Behavior
    /// - Called after `start`, after a reload and every ten minutes; from any state outside it must lead to the right one.
    ///
    /// # Errors
    /// What does not agree.
    fn reconcile(&self, host: &Host) -> Result<(), BoxError> {
        let _ = host;
        Ok(())
    }

    /// Jobs were added, changed, removed, or have fired.
    ///
    /// # Behavior
    /// - Called after changes of any kind, at most about once a second. [`Host::wait_until`] returns on them as well.
    ///
    /// # Errors
    /// What could not be armed anew.
    fn on_jobs_changed(&self, host: &Host) -> Result<(), BoxError> {
        let _ = host;
        Ok(())
    }
}

/// How a plugin's life shows.
///
/// ```
/// use sched_plugin::Liveness;
/// assert_ne!(Liveness::Ticks, Liveness::External);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Liveness {
    /// It ticks or beats at least once in every `ticker.interval` of config.yaml; silence means that it is dead.
    Ticks,
    /// It armed something outside, such as a timer of the system; silence means nothing.
    External,
}

/// Some of the functions of a [`SchedulerPlugin`] that the host calls beside `start`.
///
/// ```
/// use sched_plugin::Hooks;
/// let hooks = Hooks::FIRE_DUE.and(Hooks::RECONCILE);
/// assert!(hooks.contains(Hooks::RECONCILE) && !hooks.contains(Hooks::JOBS_CHANGED));
/// assert_eq!(hooks.and(Hooks::JOBS_CHANGED), Hooks::ALL);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hooks(u8);

impl Hooks {
    /// None of them.
    pub const NONE: Self = Self(0);
    /// [`SchedulerPlugin::fire_due`].
    pub const FIRE_DUE: Self = Self(1);
    /// [`SchedulerPlugin::reconcile`].
    pub const RECONCILE: Self = Self(2);
    /// [`SchedulerPlugin::on_jobs_changed`].
    pub const JOBS_CHANGED: Self = Self(4);
    /// All of them.
    pub const ALL: Self = Self(7);

    /// These and `others`.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Whether all of `others` are among them.
    pub const fn contains(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }
}
