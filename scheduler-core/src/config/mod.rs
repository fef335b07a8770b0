//! `config.yaml`: what the operator wants from the daemon, and what holds where the file says nothing or can't be read.
//!
//! - [`Config`] is the checked value; [`load()`] makes one from a home and never fails.
//! - `keys` reads the file key by key, `values` what stands behind a key: one wrong key never costs the others.
//! - `difference` tells what differs between two of them, for the log of a reload.
//! - `locate` finds the place of a key for messages.
//! - [`checks`] is what a watchdog looks at.
//! - [`sinks`] is who is told of alerts, [`Probe`] what the daemon looks at; [`Secret`] a text that holds a password.
//! - [`ReportPlan`] is when the morning report goes out.
//! - `reference` is the table of all keys: of it come [`schema()`], the file that `sched init` writes (`template`), and
//!   the tables of `docs/configuration.md`.
//!
//! **Invariant:** whatever is in the file, the answer is a configuration cron can fire with. What is wrong with the
//! file comes as [`Problem`](crate::store::Problem)s beside it, and a file that can't be read as a whole names no
//! provider, so the built-in one fires.

pub mod checks;
mod difference;
mod keys;
mod load;
pub mod locate;
mod probes;
mod reference;
mod report;
mod secret;
pub mod sinks;
mod template;
mod values;

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

pub use difference::Difference;
pub use load::{Loaded, Source, load};
pub use probes::{Probe, SCOPE as PROBE_SCOPE};
pub use reference::{KEYS, schema};
pub(crate) use reference::{MISFIRE, RETRIES};
pub use report::ReportPlan;
pub use secret::Secret;
pub use template::TEMPLATE;

use crate::{
    PingUrl,
    job::{JobDefaults, Misfire, Overlap, Retries},
    liveness::beats::Expected,
    schedule::zone,
    store::Groups,
};

/// What the operator wants from the daemon. Every value has a default; `Config::default()` is an empty file.
///
/// ```
/// use scheduler_core::config::Config;
/// let config = Config::default();
/// assert_eq!((config.provider.as_str(), config.interval.as_secs()), ("", 60));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// Which trigger provider decides when; empty is the built-in ticker.
    pub provider: String,
    /// The name in heartbeats and reports; `None` is the name of the machine.
    pub agent: Option<String>,
    /// The zone of schedules that name none: an IANA name, or `system`.
    pub timezone: String,
    /// The longest the ticker sleeps, and with it how often the heart beats: between 1 s and 1 h.
    pub interval: Duration,
    /// How long the daemon may go without getting on before it ends itself; zero is for ever.
    pub abort_after: Duration,
    /// Runs open at once, over all jobs.
    pub max_parallel: usize,
    /// Runs open at once of the jobs of a group.
    pub groups: Groups,
    /// How long a stop waits for open runs; zero doesn't wait.
    pub drain_timeout: Duration,
    /// What happens to missed instants of jobs that don't say.
    pub misfire: Misfire,
    /// How much of the past is kept.
    pub history: History,
    /// What holds for jobs that don't say otherwise.
    pub defaults: Defaults,
    /// Who is told of alerts.
    pub notify: Vec<sinks::Sink>,
    /// What a watchdog looks at, and whom it tells.
    pub watchdog: Watchdog,
    /// Heartbeats of jobs that must come; each name once.
    pub heartbeats: Vec<Expected>,
    /// The folder that jobs put their heartbeats into; `None` is the home's own.
    pub heartbeats_dir: Option<PathBuf>,
    /// Who hears from outside that we live.
    pub monitor: Monitor,
    /// What the daemon looks at now and then.
    pub probes: Vec<Probe>,
    /// When the morning report goes out, and to whom.
    pub report: ReportPlan,
}

/// Who hears from outside that we live, and how pings are sent.
///
/// ```
/// use scheduler_core::config::Monitor;
/// assert_eq!((Monitor::default().ping_url, Monitor::default().ping_interval.as_secs()), (None, 300));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Monitor {
    /// Where the daemon says that it fires.
    pub ping_url: Option<PingUrl>,
    /// How often it does.
    pub ping_interval: Duration,
    /// The most of a run's output that goes along with its ping, in bytes; the end of it is kept.
    pub ping_body: u64,
}

/// What a watchdog looks at, and whom it tells.
///
/// ```
/// use scheduler_core::config::Watchdog;
/// assert_eq!((Watchdog::default().rate_limit.as_secs(), Watchdog::default().notify), (3600, None));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Watchdog {
    /// How often one comes; `None` where nobody has said that one should.
    pub every: Option<Duration>,
    /// A sink is told of an open alert again after this at the soonest.
    pub rate_limit: Duration,
    /// The sinks that hear of what checks find, by their names; `None` is all.
    pub notify: Option<Vec<String>>,
    /// What it looks at beside its scheduler.
    pub checks: checks::Checks,
}

impl Watchdog {
    /// How often one comes where nobody has said.
    ///
    /// ```
    /// assert_eq!(scheduler_core::config::Watchdog::EVERY.as_secs(), 60);
    /// ```
    pub const EVERY: Duration = Duration::from_mins(1);

    /// How often one should come; `None` if nothing in the file asks for one.
    ///
    /// ```
    /// use scheduler_core::config::Watchdog;
    /// assert_eq!(Watchdog::default().expected(), None);
    /// ```
    pub fn expected(&self) -> Option<Duration> {
        self.every.or_else(|| (!self.checks.is_empty()).then_some(Self::EVERY))
    }
}

/// How much of the past is kept.
///
/// ```
/// use scheduler_core::config::History;
/// assert_eq!(History::default().logs_per_job, 20);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct History {
    /// Days that the history goes back.
    pub keep_days: u32,
    /// All of the history together, in bytes.
    pub max_bytes: u64,
    /// Output files kept for each job.
    pub logs_per_job: usize,
    /// All output files together, in bytes.
    pub logs_max_bytes: u64,
    /// The most output kept of one run, in bytes.
    pub output_limit: u64,
}

/// What holds for jobs that don't say otherwise.
///
/// ```
/// use scheduler_core::config::Defaults;
/// assert_eq!(Defaults::default().shell, "/bin/sh");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Defaults {
    /// How long a run may take; `None` is for ever.
    pub timeout: Option<Duration>,
    /// What happens when a job is due while a run of it is open.
    pub overlap: Overlap,
    /// What follows an attempt that ended badly.
    pub retries: Retries,
    /// Whether a run gets the daemon's environment.
    pub inherit_env: bool,
    /// Added to the environment of every run.
    pub env: BTreeMap<String, String>,
    /// What runs a command that is one line of text, as `<shell> -c <line>`.
    pub shell: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            provider: String::new(),
            agent: None,
            timezone: "system".into(),
            interval: Duration::from_mins(1),
            abort_after: Duration::from_mins(5),
            max_parallel: 256,
            groups: Groups::NONE,
            drain_timeout: Duration::from_mins(1),
            misfire: Misfire::default(),
            history: History::default(),
            defaults: Defaults::default(),
            notify: Vec::new(),
            watchdog: Watchdog::default(),
            heartbeats: Vec::new(),
            heartbeats_dir: None,
            monitor: Monitor::default(),
            probes: Vec::new(),
            report: ReportPlan::default(),
        }
    }
}

impl Default for Watchdog {
    fn default() -> Self {
        Self { every: None, rate_limit: Duration::from_hours(1), notify: None, checks: checks::Checks::default() }
    }
}

impl Default for Monitor {
    fn default() -> Self {
        Self { ping_url: None, ping_interval: Duration::from_mins(5), ping_body: 10_000 }
    }
}

impl Default for History {
    fn default() -> Self {
        Self { keep_days: 30, max_bytes: 256 << 20, logs_per_job: 20, logs_max_bytes: 1 << 30, output_limit: 1 << 20 }
    }
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            timeout: None,
            overlap: Overlap::default(),
            retries: Retries::default(),
            inherit_env: true,
            env: BTreeMap::new(),
            shell: "/bin/sh".into(),
        }
    }
}

impl Config {
    /// What holds for a job whose entry doesn't say otherwise, with `system` resolved to the zone's name. A zone that
    /// can't be found is UTC here; [`load()`] has then reported it.
    ///
    /// ```
    /// use scheduler_core::config::Config;
    /// let mut config = Config::default();
    /// config.timezone = "Europe/Berlin".into();
    /// assert_eq!(config.job_defaults().zone_name(), "Europe/Berlin");
    /// ```
    pub fn job_defaults(&self) -> JobDefaults {
        let zone = self.zone_name().unwrap_or_else(|_| "UTC".into());
        let Defaults { timeout, overlap, retries, .. } = self.defaults;
        JobDefaults { zone, timeout, overlap, misfire: self.misfire, retries }
    }

    /// The variables of the environment that only secrets use: no job needs to know them.
    ///
    /// ```
    /// use scheduler_core::config::Config;
    /// assert!(Config::default().secret_variables().is_empty());
    /// ```
    pub fn secret_variables(&self) -> Vec<String> {
        let ping = self.monitor.ping_url.as_ref().map(PingUrl::secret);
        let secrets = self.notify.iter().flat_map(sinks::Sink::secrets).chain(ping);
        secrets.flat_map(Secret::variables).map(str::to_owned).collect()
    }

    /// The IANA name of the zone, or why it has none.
    fn zone_name(&self) -> Result<String, String> {
        let zone = zone::parse(&self.timezone).map_err(|error| error.message().to_owned())?;
        // A store writes zones down by name, so rules without one (a plain copy of a tzdata file) can't be kept.
        let nameless = || "the system's time zone has rules but no name".to_owned();
        zone.iana_name().map(str::to_owned).ok_or_else(nameless)
    }
}

#[cfg(test)]
pub(crate) mod tests;
