//! How a heartbeat is doing: [`judge()`], a pure function of what was read, what is expected and what time it is. The first
//! row that matches is the verdict:
//!
//! | verdict | evidence | a problem |
//! |---|---|---|
//! | waiting | there is none yet, and there was no time for one since it is expected | no |
//! | missing | there is none | yes |
//! | unreadable | there is one that can't be read | yes |
//! | corrupt | what is there is no heartbeat | yes |
//! | future | it is dated more than a minute ahead | yes |
//! | stale | it is older than its limit | yes |
//! | error | its job says that it is not well | yes |
//! | fresh | none of it | no |

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{
    super::{
        heartbeat::{Status, Unreadable},
        words::{moment, span},
    },
    beat::Beat,
    expected::{Expectation, ExpectedBy, times},
    files,
    name::BeatName,
};
use crate::store::Problem;

/// Clocks of two machines may be this far apart.
const AHEAD: SignedDuration = SignedDuration::from_mins(1);

/// How a heartbeat is doing, in one word.
///
/// ```
/// use scheduler_core::liveness::beats::BeatVerdict;
/// assert!(BeatVerdict::Corrupt.is_problem() && !BeatVerdict::Waiting.is_problem());
/// assert_eq!(BeatVerdict::Stale.word(), "stale");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum BeatVerdict {
    /// It is as it should be.
    Fresh,
    /// It never came, and needn't have yet.
    Waiting,
    /// It never came, or its file is gone.
    Missing,
    /// It is too old.
    Stale,
    /// It came, with the news that its job isn't well.
    Error,
    /// It is dated where no clock can have been.
    Future,
    /// What is in its file is no heartbeat.
    Corrupt,
    /// Its file can't be read.
    Unreadable,
}

impl BeatVerdict {
    /// Whether somebody should see to it.
    pub fn is_problem(self) -> bool {
        !matches!(self, Self::Fresh | Self::Waiting)
    }

    /// The verdict as people and programs read it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Waiting => "waiting",
            Self::Missing => "missing",
            Self::Stale => "stale",
            Self::Error => "error",
            Self::Future => "future",
            Self::Corrupt => "corrupt",
            Self::Unreadable => "unreadable",
        }
    }
}

/// A heartbeat, and how it is doing.
///
/// ```
/// use jiff::Timestamp;
/// use scheduler_core::liveness::{Unreadable, beats::{BeatName, judge}};
/// let judged = judge(&BeatName::new("agent"), Err(Unreadable::Empty), None, Timestamp::UNIX_EPOCH, 2.0);
/// let problem = judged.problem().expect("an empty file is one");
/// assert_eq!(problem.what, "heartbeat `agent` is corrupt: the heartbeat's file is empty");
/// assert_eq!((problem.key, judged.key()), ("heartbeat-agent".to_owned(), "heartbeat-agent".to_owned()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Judged {
    /// Which.
    pub name: BeatName,
    /// How it is doing.
    pub verdict: BeatVerdict,
    /// The beat itself, if there is one.
    pub beat: Option<Beat>,
    /// How old it is.
    pub age: Option<Duration>,
    /// How old it may get, if anybody has said.
    pub limit: Option<Duration>,
    /// Who expects it.
    pub expected: Option<ExpectedBy>,
    /// The verdict in words: what is wrong with it.
    pub why: Option<String>,
}

impl Judged {
    /// The stable name of what may be wrong with it; it also is the name of a file.
    pub fn key(&self) -> String {
        self.name.key()
    }

    /// Whether a folder or a pipe is where its file should be.
    fn is_no_file(&self) -> bool {
        self.why.as_ref().is_some_and(|why| why.ends_with(files::NO_FILE))
    }

    /// What somebody has to put right, and how.
    pub fn problem(&self) -> Option<Problem> {
        let why = self.why.as_ref().filter(|_| self.verdict.is_problem())?;
        let retire = match self.expected {
            Some(ExpectedBy::Config) => "if it is retired, take it out of `heartbeats` in config.yaml".into(),
            _ => format!("if it is retired: `sched heartbeat forget {}`", self.name.typed()),
        };
        let hint = match self.verdict {
            BeatVerdict::Error => "see what its job says".into(),
            BeatVerdict::Future => "check the clock of the machine that it comes from".into(),
            BeatVerdict::Corrupt => format!("the next beat replaces it; {retire}"),
            BeatVerdict::Unreadable if self.is_no_file() => {
                "take away what is in its place; the next beat puts it right".into()
            }
            BeatVerdict::Unreadable => "check who owns its file, and its folder".into(),
            BeatVerdict::Missing if self.expected.is_none() => "`sched heartbeat check` lists those there are".into(),
            _ => format!("see whether its job runs; {retire}"),
        };
        Some(Problem::new(self.key(), format!("heartbeat `{}` {why}", self.name), hint))
    }
}

/// What is made of a heartbeat that was read, or couldn't be.
///
/// # Behavior
/// - Pure: the same arguments, the same answer.
/// - Its limit is what whoever expects it says, else what its writer says; and where neither names an age, `factor` times
///   the interval.
///
/// ```
/// use std::time::Duration;
/// use jiff::{SignedDuration, Timestamp};
/// use scheduler_core::liveness::beats::{Beat, BeatName, BeatVerdict, judge};
/// let beat = Beat::new(Timestamp::UNIX_EPOCH, Duration::from_mins(15));
/// let after = |minutes| {
///     let now = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
///     judge(&BeatName::new("agent"), Ok(beat.clone()), None, now, 2.0).verdict
/// };
/// assert_eq!((after(30), after(31), after(-2)), (BeatVerdict::Fresh, BeatVerdict::Stale, BeatVerdict::Future));
/// ```
pub fn judge(
    name: &BeatName,
    read: Result<Beat, Unreadable>,
    expectation: Option<&Expectation>,
    now: Timestamp,
    factor: f64,
) -> Judged {
    let expected_limit = expectation.map(|expectation| expectation.expected.limit(factor));
    let of_beat = |beat: &Beat| beat.max_age().unwrap_or_else(|| times(beat.interval(), factor));
    let limit = expected_limit.or_else(|| read.as_ref().ok().map(of_beat));
    let age = read.as_ref().ok().map(|beat| Duration::try_from(now.duration_since(beat.at)).unwrap_or_default());
    let (verdict, why) = match &read {
        Ok(beat) => verdict_of(beat, limit, now),
        Err(Unreadable::Missing) => absent(expectation, limit, now),
        Err(why @ (Unreadable::Empty | Unreadable::Garbage(_))) => {
            (BeatVerdict::Corrupt, Some(format!("is corrupt: {why}")))
        }
        Err(Unreadable::Failed(why)) => (BeatVerdict::Unreadable, Some(why.clone())),
    };
    let (name, beat, expected) = (name.clone(), read.ok(), expectation.map(|expectation| expectation.by));
    Judged { name, verdict, beat, age, limit, expected, why }
}

fn verdict_of(beat: &Beat, limit: Option<Duration>, now: Timestamp) -> (BeatVerdict, Option<String>) {
    let age = now.duration_since(beat.at);
    let at = moment(beat.at, now);
    let limit = limit.unwrap_or(Duration::MAX);
    if age < -AHEAD {
        return (BeatVerdict::Future, Some(format!("is from the future: it is dated {at}")));
    }
    if Duration::try_from(age).unwrap_or_default() > limit {
        let why = format!("is stale: the last one came at {at}, and it may be {} old", span(limit));
        return (BeatVerdict::Stale, Some(why));
    }
    if beat.status == Status::Error {
        let action = beat.action.as_ref().map_or_else(String::new, |action| format!(": {}", flat(action)));
        return (BeatVerdict::Error, Some(format!("says since {at} that its job is not well{action}")));
    }
    (BeatVerdict::Fresh, None)
}

fn absent(expectation: Option<&Expectation>, limit: Option<Duration>, now: Timestamp) -> (BeatVerdict, Option<String>) {
    let Some((expectation, limit)) = expectation.zip(limit) else {
        return (BeatVerdict::Missing, Some("is missing: there is none, and none is expected".into()));
    };
    let waited = now.duration_since(expectation.since);
    let since = moment(expectation.since, now);
    let every = span(expectation.expected.every);
    // Who expects it from the future on would never be told that it doesn't come.
    if waited >= -AHEAD && Duration::try_from(waited).unwrap_or_default() <= limit {
        return (BeatVerdict::Waiting, Some(format!("has not come yet: it is expected since {since}, every {every}")));
    }
    (BeatVerdict::Missing, Some(format!("is missing: it is expected since {since}, every {every}, and there is none")))
}

/// What a job says must not move the cursor of whoever reads it.
fn flat(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
