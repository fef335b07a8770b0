//! Everything a verdict may rest on, as plain values. Whoever collects them reads the clocks *after* the files: a beat
//! that seems to come from the future is taken for a lie.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    account::AccountFacts,
    heartbeat::{Heartbeat, Unreadable},
    watchdog::WatchdogFacts,
};
use crate::{JobId, ProcessRef, RunId, RunResult, store::Problem};

/// What is known of a home, its daemon and its jobs at one moment.
///
/// The default is that nothing is known, and nothing is there.
///
/// ```
/// use scheduler_core::liveness::{Facts, VerdictKind, verdict};
/// let mut facts = Facts::default();
/// facts.home_exists = true;
/// assert_eq!(verdict(&facts).kind, VerdictKind::Stopped, "nobody holds the lock, and nobody ever beat");
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Facts {
    /// Wall time.
    pub now: Timestamp,
    /// Time since boot, suspend included.
    pub boottime: Duration,
    /// Time since boot, suspend excluded.
    pub monotonic: Duration,
    /// The boot of the machine this is asked on.
    pub boot_id: Option<String>,
    /// That machine, where it has a name.
    pub machine_id: Option<String>,
    /// The pid namespace this is asked in.
    pub pid_ns: Option<u64>,
    /// Whether the home folder is there.
    pub home_exists: bool,
    /// `state/daemon.lock`.
    pub lock: LockFacts,
    /// The state letter of the lock's holder in `/proc`, if pid, start and boot were compared and are the holder's.
    pub holder_state: Option<char>,
    /// The same of the process that wrote the beat of the daemon, lock or no lock.
    pub beat_state: Option<char>,
    /// `heartbeats/ticker.json`.
    pub beat: Result<Heartbeat, Unreadable>,
    /// `heartbeats/tick.json`.
    pub tick: Result<Heartbeat, Unreadable>,
    /// The watchdog, if there is one or should be.
    pub watchdog: WatchdogFacts,
    /// What is on no record.
    pub account: AccountFacts,
    /// The interval that is configured, for a daemon that hasn't said its own yet.
    pub interval: Duration,
    /// The provider that is configured; empty is the built-in one.
    pub provider_configured: String,
    /// The jobs.
    pub jobs: JobFacts,
    /// What is wrong with the configuration, the store's files and their entries.
    pub problems: Vec<Problem>,
    /// Why the store could not be read; `jobs` is then empty for want of knowledge.
    pub store_error: Option<String>,
    /// What to do about that, if the store knows.
    pub store_hint: Option<String>,
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            now: Timestamp::UNIX_EPOCH,
            boottime: Duration::ZERO,
            monotonic: Duration::ZERO,
            boot_id: None,
            machine_id: None,
            pid_ns: None,
            home_exists: false,
            lock: LockFacts::default(),
            holder_state: None,
            beat_state: None,
            beat: Err(Unreadable::Missing),
            tick: Err(Unreadable::Missing),
            watchdog: WatchdogFacts::default(),
            account: AccountFacts::default(),
            interval: Duration::from_mins(1),
            provider_configured: String::new(),
            jobs: JobFacts::default(),
            problems: Vec::new(),
            store_error: None,
            store_hint: None,
        }
    }
}

/// The lock that a daemon holds for life.
///
/// ```
/// use scheduler_core::liveness::LockFacts;
/// assert!(!LockFacts::default().held);
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct LockFacts {
    /// Whether somebody holds it.
    pub held: bool,
    /// Who, as the file says; without the lock held it means nothing.
    pub holder: Option<ProcessRef>,
    /// Why it could not be examined, though it is there.
    pub unreadable: Option<String>,
}

/// The jobs of a home.
///
/// ```
/// use scheduler_core::liveness::{Facts, verdict};
/// let mut facts = Facts::default();
/// facts.home_exists = true;
/// facts.jobs.total = 3;
/// facts.jobs.enabled = 2;
/// assert!(verdict(&facts).summary.contains("2 enabled jobs don't fire"));
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct JobFacts {
    /// All of them.
    pub total: usize,
    /// Those that are enabled.
    pub enabled: usize,
    /// Those of the enabled ones that are paused.
    pub paused: usize,
    /// The next instant of any of them.
    pub next: Option<Timestamp>,
    /// Enabled, unpaused ones whose instant passed longer ago than any tick takes.
    pub overdue: Vec<(JobId, Timestamp)>,
    /// Enabled ones whose last run failed, timed out or is unknown.
    pub troubled: Vec<Troubled>,
    /// Open occurrences.
    pub open: Vec<OpenRun>,
    /// Jobs that fire nothing until then, because their instants up to there were settled by a clock that was ahead.
    pub silent_until: Vec<(JobId, Timestamp)>,
}

/// A job whose last run went wrong.
///
/// ```
/// use jiff::Timestamp;
/// use scheduler_core::{RunId, RunResult, liveness::Troubled};
/// let run = RunId::random(Timestamp::UNIX_EPOCH);
/// let message = Some("exit code 3".to_owned());
/// let troubled =
///     Troubled { job: "a".parse()?, run, result: RunResult::Failed, at: Timestamp::UNIX_EPOCH, message, acknowledged: false };
/// assert!(troubled.result.is_trouble());
/// # Ok::<(), scheduler_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Troubled {
    /// The job.
    pub job: JobId,
    /// The run.
    pub run: RunId,
    /// How it ended.
    pub result: RunResult,
    /// When.
    pub at: Timestamp,
    /// Why, in words.
    pub message: Option<String>,
    /// Whether somebody has taken note of this very run.
    pub acknowledged: bool,
}

/// An occurrence that isn't closed.
///
/// ```
/// use jiff::Timestamp;
/// use scheduler_core::{RunId, liveness::{Facts, OpenRun}};
/// let run = RunId::random(Timestamp::UNIX_EPOCH);
/// let open = OpenRun { job: "a".parse()?, run, state: "running", since: None, pid: Some(42), abandoned: false };
/// let mut facts = Facts::default();
/// facts.jobs.open.push(open);
/// # Ok::<(), scheduler_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct OpenRun {
    /// The job.
    pub job: JobId,
    /// The run.
    pub run: RunId,
    /// Where it stands, in a word: queued, claimed, running, orphaned.
    pub state: &'static str,
    /// Since when.
    pub since: Option<Timestamp>,
    /// The process that does the work.
    pub pid: Option<u32>,
    /// Whether its owner is dead.
    pub abandoned: bool,
}
