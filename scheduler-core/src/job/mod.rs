//! What a job is: the checked, ready-to-run form of one entry of `jobs.json`.
//!
//! [`Job`] is a plain value. Reading entries from text, with their errors, is the file `entry`'s; whole files are the
//! JSON store's. `reference` is the table of all fields, of which come [`schema()`] and `docs/configuration.md`.

mod entry;
mod jitter;
mod reference;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use entry::build;
pub use entry::{EntryError, FIELDS, JobDefaults, entry_id, parse_definition, unknown_fields};
pub use reference::{ROWS, schema};

use crate::{
    JobId,
    schedule::{Schedule, share},
};

/// A job: a definition that has been checked and can be planned and run.
///
/// ```
/// use scheduler_core::{Job, job::{Command, Overlap}, schedule::{ParseOptions, Schedule}};
/// let schedule = Schedule::parse("30 2 * * *", &ParseOptions::default())?;
/// let backup = Job::new("backup".parse()?, schedule.clone(), Command::Shell("pg_dump shop".into()));
/// assert_eq!((backup.name.as_str(), backup.overlap), ("backup", Overlap::Forbid));
/// assert!(backup.command().is_some());
///
/// let greet = Job::new("greet".parse()?, schedule, serde_json::json!({"greet": "world"}));
/// assert_eq!(greet.payload().map(|payload| &payload["greet"]), Some(&"world".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Job {
    /// Its id, unique in the store.
    pub id: JobId,
    /// What people call it; the id where no name was given.
    pub name: String,
    /// What it is for, in the operator's words.
    pub description: Option<String>,
    /// The definition's own switch: a disabled job owes nothing.
    pub enabled: bool,
    /// When it is owed.
    pub schedule: Schedule,
    /// The zone its schedule is read in.
    pub time_zone: TimeZone,
    /// What its runs do.
    pub work: Work,
    /// Added to the child's environment.
    pub env: BTreeMap<String, String>,
    /// Where it runs; the user's home if unset.
    pub workdir: Option<PathBuf>,
    /// How long a run may take; `None` is for ever.
    pub timeout: Option<Duration>,
    /// What happens when it is due while a run of it is open.
    pub overlap: Overlap,
    /// What happens to instants that were missed.
    pub misfire: Misfire,
    /// How often an attempt that ended badly is followed by another.
    pub retries: Retries,
    /// Whether a run whose end nobody saw is followed by another.
    pub delivery: Delivery,
    /// How many of its occurrences may start; then it is over.
    pub max_runs: Option<u32>,
    /// It owes nothing before this.
    pub start_at: Option<Timestamp>,
    /// It owes nothing after this.
    pub end_at: Option<Timestamp>,
    /// How much later than its instants it may start at most: [`delay`](Self::delay) is its part of that.
    pub jitter: Option<Duration>,
    /// How many runs of it may be open at once.
    pub max_parallel: Option<u32>,
    /// The jobs with which it shares places, by the name of their group.
    pub group: Option<Arc<str>>,
    /// The most output kept of a run, in bytes; `None` is the configured default.
    pub output_limit: Option<u64>,
    /// Labels, for people and filters.
    pub tags: Vec<String>,
    /// Who hears of it, by the names of sinks in config.yaml; `None` is all of them.
    pub notify: Option<Vec<String>>,
}

impl Job {
    /// A job with everything but these three at its default. `work` may be a [`Command`], or a JSON value as a payload.
    pub fn new(id: JobId, schedule: Schedule, work: impl Into<Work>) -> Self {
        Self {
            name: id.to_string(),
            id,
            description: None,
            enabled: true,
            schedule,
            time_zone: TimeZone::UTC,
            work: work.into(),
            env: BTreeMap::new(),
            workdir: None,
            timeout: None,
            overlap: Overlap::default(),
            misfire: Misfire::default(),
            retries: Retries::default(),
            delivery: Delivery::default(),
            max_runs: None,
            start_at: None,
            end_at: None,
            jitter: None,
            max_parallel: None,
            group: None,
            output_limit: None,
            tags: Vec::new(),
            notify: None,
        }
    }

    /// The first instant after `after` that it owes: one of its schedule, within `start_at` and `end_at`.
    ///
    /// ```
    /// use scheduler_core::{Job, schedule::{ParseOptions, Schedule}};
    /// let schedule = Schedule::parse("@daily", &ParseOptions::default())?;
    /// let mut job = Job::new("sale".parse()?, schedule, serde_json::json!("a payload"));
    /// job.start_at = Some("2026-12-01T00:00:00Z".parse()?);
    /// job.end_at = Some("2026-12-02T00:00:00Z".parse()?);
    /// let next = |after: &str| Ok::<_, jiff::Error>(job.next_after(after.parse()?).map(|at| at.to_string()));
    /// assert_eq!(next("2026-11-22T00:00:00Z")?.as_deref(), Some("2026-12-01T00:00:00Z"));
    /// assert_eq!(next("2026-12-01T00:00:00Z")?.as_deref(), Some("2026-12-02T00:00:00Z"));
    /// assert_eq!(next("2026-12-02T00:00:00Z")?, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let before_start = self.start_at.and_then(|start| start.checked_sub(SignedDuration::from_nanos(1)).ok());
        let after = before_start.map_or(after, |start| start.max(after));
        self.schedule.next_after(after, &self.time_zone).filter(|at| self.end_at.is_none_or(|end| *at <= end))
    }

    /// The newest instant from `first` to `last`, both included, that it owes.
    ///
    /// ```
    /// use scheduler_core::{Job, schedule::{ParseOptions, Schedule}};
    /// let schedule = Schedule::parse("@hourly", &ParseOptions::default())?;
    /// let mut job = Job::new("sale".parse()?, schedule, serde_json::json!("a payload"));
    /// job.end_at = Some("2026-12-02T00:30:00Z".parse()?);
    /// let newest = job.newest("2026-12-01T00:00:00Z".parse()?, "2026-12-09T00:00:00Z".parse()?);
    /// assert_eq!(newest, Some("2026-12-02T00:00:00Z".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn newest(&self, first: Timestamp, last: Timestamp) -> Option<Timestamp> {
        let first = self.start_at.map_or(first, |start| start.max(first));
        let last = self.end_at.map_or(last, |end| end.min(last));
        if first > last { None } else { self.schedule.newest(first, last, &self.time_zone) }
    }

    /// How much later than its instants it starts: its own part of its jitter, the same on every machine and after every
    /// restart, as it is made of the job's id. Its instants stay what they are; it lives by a clock that is late.
    ///
    /// ```
    /// use std::time::Duration;
    /// use scheduler_core::{Job, schedule::{ParseOptions, Schedule}};
    /// let schedule = Schedule::parse("@hourly", &ParseOptions::default())?;
    /// let mut job = Job::new("report".parse()?, schedule, serde_json::json!("a payload"));
    /// assert!(job.delay().is_zero());
    /// job.jitter = Some(Duration::from_mins(10));
    /// assert!(job.delay() < Duration::from_mins(10) && job.delay() == job.clone().delay());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn delay(&self) -> Duration {
        self.jitter.map_or(Duration::ZERO, |jitter| share(self.id.as_str(), jitter))
    }

    /// When the occurrence of `instant` may start.
    pub(crate) fn starts(&self, instant: Timestamp) -> Timestamp {
        instant.saturating_add(self.delay_signed()).unwrap_or(instant)
    }

    /// What time it is by the clock that this job lives by.
    pub(crate) fn own_time(&self, now: Timestamp) -> Timestamp {
        now.saturating_sub(self.delay_signed()).unwrap_or(now)
    }

    fn delay_signed(&self) -> SignedDuration {
        SignedDuration::try_from(self.delay()).unwrap_or_default()
    }

    /// The command, if it has one.
    pub fn command(&self) -> Option<&Command> {
        match &self.work {
            Work::Command(command) => Some(command),
            Work::Payload(_) => None,
        }
    }

    /// The payload, if it has one.
    pub fn payload(&self) -> Option<&Value> {
        match &self.work {
            Work::Command(_) => None,
            Work::Payload(payload) => Some(payload),
        }
    }
}

/// What the runs of a job do: one of the two, so that no runner has to choose.
///
/// ```
/// use scheduler_core::job::{Command, Work};
/// assert_eq!(Work::from(Command::Shell("true".into())), Work::Command(Command::Shell("true".into())));
/// assert!(matches!(Work::from(serde_json::json!(["any", "JSON"])), Work::Payload(_)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// A command, for a runner of commands.
    Command(Command),
    /// Whatever the embedding program's own runner understands; never null.
    Payload(Arc<Value>),
}

impl From<Command> for Work {
    fn from(command: Command) -> Self {
        Self::Command(command)
    }
}

impl From<Value> for Work {
    fn from(payload: Value) -> Self {
        Self::Payload(Arc::new(payload))
    }
}

/// A command.
///
/// ```
/// use scheduler_core::job::Command;
/// let argv = Command::Argv(["df", "-h"].map(str::to_owned).into());
/// assert_ne!(argv, Command::Shell("df -h".into()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A program and its arguments, as they are; never empty.
    Argv(Arc<[String]>),
    /// A line for the configured shell.
    Shell(Arc<str>),
}

/// What happens when a job is due while a run of it is open (orphans included).
///
/// ```
/// use scheduler_core::job::Overlap;
/// assert_eq!(serde_json::to_string(&Overlap::default())?, r#""forbid""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Overlap {
    /// The new occurrence is skipped, and recorded as such.
    #[default]
    Forbid,
    /// They run side by side.
    Allow,
    /// The new occurrence waits for the end of the open run; while one waits, others are skipped.
    Queue,
    /// The open run is cancelled, and the new one starts when nothing of it is left.
    Replace,
}

/// What happens to instants that were missed: the daemon was down, or the clock jumped.
///
/// ```
/// use scheduler_core::job::{Misfire, MisfirePolicy};
/// assert_eq!(Misfire::default().max, Misfire::DEFAULT_MAX);
/// assert_eq!(Misfire::default().policy, MisfirePolicy::Latest);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Misfire {
    /// How late an instant may be and still run as itself; `None` is half the period, between 120 s and 2 h.
    pub grace: Option<Duration>,
    /// What is done with those beyond the grace, or with more than two.
    pub policy: MisfirePolicy,
    /// The most runs that `all` catches up on.
    pub max: u32,
}

/// What is done with missed instants beyond the grace, or with more than two of them.
///
/// ```
/// use scheduler_core::job::MisfirePolicy;
/// assert_eq!(serde_json::from_str::<MisfirePolicy>(r#""all""#)?, MisfirePolicy::All);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MisfirePolicy {
    /// One catch-up run for the newest; the rest is one gap record.
    #[default]
    Latest,
    /// All of them run, at most `max`, newest kept.
    All,
    /// None of them runs.
    Skip,
}

/// Whether a run whose end nobody saw, because its daemon or its machine died, is followed by another.
///
/// ```
/// use scheduler_core::job::Delivery;
/// assert_eq!(serde_json::to_string(&Delivery::AtLeastOnce)?, r#""at_least_once""#);
/// assert_eq!(Delivery::default(), Delivery::AtMostOnce);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// It isn't: it may have done its work.
    #[default]
    AtMostOnce,
    /// It is, when nothing of it is left; as often as the job has retries, and once in any case. Its work may be done twice.
    AtLeastOnce,
}

/// How often an attempt that failed or took too long is followed by another, and how soon.
///
/// ```
/// use std::time::Duration;
/// use scheduler_core::job::Retries;
/// let retries = Retries { max: 5, backoff: Duration::from_mins(1), max_backoff: Duration::from_mins(5) };
/// let pauses: Vec<u64> = (1..=5).map(|attempt| retries.pause_after(attempt).as_secs() / 60).collect();
/// assert_eq!(pauses, [1, 2, 4, 5, 5]);
/// assert_eq!(Retries::default().max, 0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// The most attempts after the first.
    pub max: u32,
    /// How long to wait after the first attempt; each time it is twice as long.
    pub backoff: Duration,
    /// The longest to wait.
    pub max_backoff: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self { max: 0, backoff: Duration::from_mins(1), max_backoff: Duration::from_hours(1) }
    }
}

impl Retries {
    /// How long to wait after attempt number `attempt`.
    pub fn pause_after(&self, attempt: u32) -> Duration {
        let doubled = 1u32.checked_shl(attempt.saturating_sub(1)).and_then(|times| self.backoff.checked_mul(times));
        doubled.unwrap_or(Duration::MAX).min(self.max_backoff)
    }
}

impl Default for Misfire {
    fn default() -> Self {
        Self { grace: None, policy: MisfirePolicy::Latest, max: Self::DEFAULT_MAX }
    }
}

impl Misfire {
    /// How many missed instants `all` runs when `max` is not given.
    pub const DEFAULT_MAX: u32 = 10;
}
