//! The beat of a watchdog, and whether it has fallen silent: who watches must be seen to come, too.
//!
//! The file is one that shells, `sched heartbeat check` and other monitors can read: a JSON object with the time, the interval
//! and the oldest age in it. What only we read, the boot and the time awake, tells a machine that slept from a watchdog that
//! stopped.

use std::{path::Path, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    facts::Facts,
    heartbeat::{Status, Unreadable},
    record,
    words::{moment, span},
};
use crate::{Result, store::Problem, vfs::Vfs};

/// The format this build writes.
const FORMAT: u32 = 1;

/// How far ahead of the facts a beat may be: the two are not read in the same instant.
const SLACK: Duration = Duration::from_secs(5);

/// The key of the problem that it has fallen silent.
pub(super) const KEY: &str = "watchdog";

/// What a watchdog says of itself, at the end of each evaluation.
///
/// ```
/// use std::time::Duration;
/// use scheduler_core::{Home, liveness::WatchdogBeat, vfs::RealFs};
/// # let folder = tempfile::tempdir().expect("a folder");
/// let file = Home::new(folder.path()).watchdog_json();
/// let beat = WatchdogBeat::new(jiff::Timestamp::UNIX_EPOCH, Duration::from_mins(1)).found(2, 9);
/// beat.write(&RealFs, &file)?;
/// assert_eq!(WatchdogBeat::read(&RealFs, &file), Ok(beat));
/// # Ok::<(), scheduler_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WatchdogBeat {
    /// The version of the file.
    pub format: u32,
    /// When it came.
    pub at: Timestamp,
    /// How often it comes, in seconds.
    pub interval_s: u64,
    /// The oldest the beat may get, in seconds.
    pub max_age_s: u64,
    /// Always ok: that something else is wrong is no failure of the watchdog.
    pub status: Status,
    /// What it found, in words.
    pub action: String,
    /// How often it has come.
    #[serde(default)]
    pub cycle: u64,
    /// The boot it came in; empty if that can't be known.
    #[serde(default)]
    pub boot_id: String,
    /// Time since that boot, suspend excluded.
    #[serde(default)]
    pub monotonic_ns: u64,
}

impl WatchdogBeat {
    /// The beat of one that comes every `interval`.
    pub fn new(at: Timestamp, interval: Duration) -> Self {
        let seconds = |span: Duration| span.as_secs().max(1);
        Self {
            format: FORMAT,
            at,
            interval_s: seconds(interval),
            max_age_s: seconds(interval.saturating_mul(WatchdogFacts::PATIENCE)),
            status: Status::Ok,
            action: String::new(),
            cycle: 1,
            boot_id: String::new(),
            monotonic_ns: 0,
        }
    }

    /// The same, with what it found: so many problems in so many checks.
    #[must_use]
    pub fn found(self, problems: usize, checks: usize) -> Self {
        let problems = if problems == 1 { "1 problem".into() } else { format!("{problems} problems") };
        Self { action: format!("{problems} in {checks} checks"), ..self }
    }

    /// The same, in this boot at this time awake.
    ///
    /// ```
    /// use std::time::Duration;
    /// use scheduler_core::liveness::WatchdogBeat;
    /// let beat = WatchdogBeat::new(jiff::Timestamp::UNIX_EPOCH, Duration::from_mins(1));
    /// assert_eq!(beat.in_boot(Some("boot".into()), Duration::from_nanos(7)).monotonic_ns, 7);
    /// ```
    #[must_use]
    pub fn in_boot(self, boot_id: Option<String>, monotonic: Duration) -> Self {
        let monotonic_ns = u64::try_from(monotonic.as_nanos()).unwrap_or(u64::MAX);
        Self { boot_id: boot_id.unwrap_or_default(), monotonic_ns, ..self }
    }

    /// The next one after `before`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use scheduler_core::liveness::WatchdogBeat;
    /// let beat = WatchdogBeat::new(jiff::Timestamp::UNIX_EPOCH, Duration::from_mins(1));
    /// assert_eq!(beat.clone().after(Some(&beat)).cycle, 2);
    /// ```
    #[must_use]
    pub fn after(self, before: Option<&Self>) -> Self {
        Self { cycle: before.map_or(1, |before| before.cycle.saturating_add(1)), ..self }
    }

    /// Replaces the file at `path`, in a folder that is made if need be. Two at once need a lock.
    ///
    /// # Errors
    /// Why it can't be written.
    pub fn write(&self, fs: &dyn Vfs, path: &Path) -> Result<()> {
        record::write(self, fs, path)
    }

    /// The beat at `path`.
    ///
    /// # Errors
    /// Why there is none to be had.
    pub fn read(fs: &dyn Vfs, path: &Path) -> Result<Self, Unreadable> {
        record::read(fs, path, FORMAT, |beat: &Self| beat.format)
    }
}

/// What is known of the watchdog of a home.
///
/// ```
/// use scheduler_core::liveness::{Facts, WatchdogFacts, verdict};
/// let mut facts = Facts::default();
/// facts.home_exists = true;
/// facts.watchdog.every = Some(std::time::Duration::from_mins(1));
/// assert!(verdict(&facts).problems.iter().any(|problem| problem.key == "watchdog"), "it is configured and never came");
/// assert!(WatchdogFacts::default().every.is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WatchdogFacts {
    /// How often one should come, if config.yaml asks for one.
    pub every: Option<Duration>,
    /// The last time one came.
    pub beat: Result<WatchdogBeat, Unreadable>,
}

impl WatchdogFacts {
    /// How many of its intervals a watchdog may be silent.
    ///
    /// ```
    /// assert_eq!(scheduler_core::liveness::WatchdogFacts::PATIENCE, 3);
    /// ```
    pub const PATIENCE: u32 = 3;
}

impl Default for WatchdogFacts {
    /// Nobody asked for one, and none has come.
    fn default() -> Self {
        Self { every: None, beat: Err(Unreadable::Missing) }
    }
}

impl Facts {
    /// What is wrong with the watchdog: asked for and never seen, or silent for three of its intervals.
    ///
    /// ```
    /// let mut facts = scheduler_core::liveness::Facts::default();
    /// assert!(facts.missed_watchdog().is_none(), "nobody asked for one");
    /// facts.watchdog.every = Some(std::time::Duration::from_mins(1));
    /// assert!(facts.missed_watchdog().is_some_and(|problem| problem.what.contains("none has ever come")));
    /// ```
    pub fn missed_watchdog(&self) -> Option<Problem> {
        problem(self)
    }
}

fn problem(facts: &Facts) -> Option<Problem> {
    const START: &str =
        "start one: `sched service install`, or a line of a crontab, `* * * * * sched watchdog --restart`";
    const SEE: &str = "see what starts it: a timer, a crontab, a terminal; if it is retired, `sched watchdog --retire`";
    let WatchdogFacts { every, beat } = &facts.watchdog;
    let beat = match (every, beat) {
        (None, Err(Unreadable::Missing)) => return None,
        (Some(every), Err(Unreadable::Missing)) => {
            let what = format!("a watchdog should come every {}, and none has ever come", span(*every));
            return Some(Problem::new(KEY, what, START));
        }
        (_, Err(why)) => {
            let what = format!("whether the watchdog still comes can't be known: {why}");
            return Some(Problem::new(KEY, what, "check the file heartbeats/watchdog.json of the home"));
        }
        (_, Ok(beat)) => beat,
    };
    let every = every.unwrap_or(Duration::from_secs(beat.interval_s));
    let came = moment(beat.at, facts.now);
    let silent = match silence(facts, beat) {
        Some(silent) if silent <= every.saturating_mul(WatchdogFacts::PATIENCE) => return None,
        Some(silent) => silent,
        None => {
            let what =
                format!("the watchdog's last beat can't be believed: it is dated {came}, where no clock has been");
            return Some(Problem::new(KEY, what, SEE));
        }
    };
    let (silent, every) = (span(silent), span(every));
    let what =
        format!("the watchdog has been silent for {silent}: it came last at {came}, and should come every {every}");
    Some(Problem::new(KEY, what, SEE))
}

/// How long the machine has been awake since the beat. One from before this boot is as old as the boot at least: nobody could
/// come while the machine was off. `None` if the beat is from a time that has not been.
fn silence(facts: &Facts, beat: &WatchdogBeat) -> Option<Duration> {
    match &facts.boot_id {
        Some(boot) if *boot == beat.boot_id => {
            let then = Duration::from_nanos(beat.monotonic_ns);
            (then <= facts.monotonic + SLACK).then(|| facts.monotonic.saturating_sub(then))
        }
        Some(_) if !beat.boot_id.is_empty() => Some(facts.monotonic),
        _ => Duration::try_from(facts.now.duration_since(beat.at) + SLACK.try_into().ok()?).ok(),
    }
}
