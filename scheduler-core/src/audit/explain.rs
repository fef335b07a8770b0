//! One instant of one job: what became of it and why, with the evidence.

use std::{ops::ControlFlow, sync::Arc};

use jiff::{SignedDuration, Timestamp};

use super::{
    Outage, Testimony, Told,
    life::{Chapter, Life},
};
use crate::{
    Error, ErrorKind, Job, JobId, Result,
    occurrence::{Closing, Occurrence, SkipReason},
    plan::ON_TIME,
    store::{LedgerEntry, LedgerWhat, Paused},
};

/// What became of one instant of a job, and all that is on record about it. [`JobStore::explain`](crate::JobStore::explain)
/// makes it.
///
/// ```
/// use jiff::{Timestamp, ToSpan as _};
/// use scheduler_core::{JobStore, audit::{NotOwed, Why}, store::{Edit, MemoryStore}};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> scheduler_core::Result<()> {
/// let store = MemoryStore::default();
/// store.define(Edit::Add(vec![serde_json::json!({"id": "a", "schedule": "@daily", "payload": 1})])).await?;
/// let yesterday = Timestamp::now() - 24.hours();
/// let explanation = store.explain("a".parse()?, yesterday).await?;
/// assert!(matches!(explanation.why, Why::NotOwed(NotOwed::NotYetDefined { .. })));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Explanation {
    /// Which job.
    pub job: JobId,
    /// Which instant.
    pub instant: Timestamp,
    /// When it was asked.
    pub now: Timestamp,
    /// The answer.
    pub why: Why,
    /// The definition that was in force when the instant came.
    pub in_force: Option<InForce>,
    /// Every attempt at it that is over, in their order.
    pub attempts: Vec<LedgerEntry>,
    /// The entry that settles it together with others.
    pub gap: Option<LedgerEntry>,
    /// Where it stands, if it is open.
    pub open: Option<Occurrence>,
    /// Of one that was coalesced or superseded, the run that stood for it, as far as there is one.
    pub in_its_place: Option<LedgerEntry>,
    /// Of one that was skipped for it, the run that was open at the time and is over.
    pub in_the_way: Option<LedgerEntry>,
    /// The same if it is open still.
    pub still_in_the_way: Option<Occurrence>,
    /// The pause during which it came.
    pub paused: Option<Paused>,
    /// When that pause ended.
    pub resumed_at: Option<Timestamp>,
    /// What kept the scheduler from settling it at once.
    pub outages: Vec<Outage>,
    /// The instants of the job before and after it, by the definition then in force.
    pub before: Option<Timestamp>,
    /// The one after it.
    pub after: Option<Timestamp>,
}

/// What became of an instant.
///
/// ```
/// use scheduler_core::{audit::{NotOwed, Why}, occurrence::SkipReason};
/// assert_ne!(Why::Skipped(SkipReason::Overlap), Why::NotOwed(NotOwed::NotInSchedule));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// It ran; the last of the attempts says how that ended.
    Ran,
    /// It didn't, for this reason.
    Skipped(SkipReason),
    /// It was cancelled before it started.
    Cancelled,
    /// It is queued, or runs.
    Open,
    /// It is due, and nobody has settled it yet.
    Waiting,
    /// It is still to come.
    ToCome,
    /// It came in a pause that lasts.
    Paused,
    /// The job did not owe it.
    NotOwed(NotOwed),
    /// The history of that time has been pruned.
    Pruned,
    /// It was owed, and nothing is on record: this should not be.
    Missing,
}

/// Why a job did not owe an instant.
///
/// ```
/// use jiff::Timestamp;
/// use scheduler_core::audit::NotOwed;
/// assert_ne!(NotOwed::Removed { at: Timestamp::UNIX_EPOCH }, NotOwed::Disabled);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotOwed {
    /// There was no such job before this.
    NotYetDefined {
        /// When it was first defined.
        at: Timestamp,
    },
    /// It had been removed.
    Removed {
        /// When.
        at: Timestamp,
    },
    /// It was disabled.
    Disabled,
    /// Its schedule does not have it.
    NotInSchedule,
    /// It is before its `start_at`, or after its `end_at`.
    Outside,
    /// The job had run as often as it may.
    Limit,
    /// The definition of that time can't be read any more.
    Unreadable(String),
}

/// A definition, and when it was in force.
///
/// ```
/// # use scheduler_core::{JobStore, store::{Edit, MemoryStore}};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> scheduler_core::Result<()> {
/// # let store = MemoryStore::default();
/// store.define(Edit::Add(vec![serde_json::json!({"id": "a", "schedule": "@daily", "payload": 1})])).await?;
/// let explanation = store.explain("a".parse()?, jiff::Timestamp::now()).await?;
/// let in_force = explanation.in_force.expect("it has just been defined");
/// assert_eq!((in_force.revision, in_force.until), (1, None));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct InForce {
    /// Which life of the job.
    pub incarnation: u32,
    /// Which revision of it.
    pub revision: u64,
    /// Since when.
    pub since: Timestamp,
    /// Until when; `None` is until now.
    pub until: Option<Timestamp>,
    /// The definition, unless this build can't read it.
    pub job: Option<Arc<Job>>,
}

const NANO: SignedDuration = SignedDuration::from_nanos(1);
/// As far as an entry may be older than its instant: what is settled ahead of it.
const AHEAD: SignedDuration = SignedDuration::from_secs(5);

/// Explains what became of the instant `instant` of `job`.
///
/// # Errors
/// `NotFound` for a job that never was, or why the history can't be read.
pub(crate) fn explain(
    testimony: &dyn Testimony,
    job: &JobId,
    instant: Timestamp,
    now: Timestamp,
) -> Result<Explanation> {
    let lives = testimony.lives();
    let never = || Error::new(ErrorKind::NotFound, format!("no job `{job}`")).hint("see `sched list`");
    let life = lives.jobs.get(job).ok_or_else(never)?;
    let found = Found::collect(testimony, job, instant)?;
    let book = testimony.book();
    let open = book.open_of(job).find(|open| open.id.instant() == Some(instant)).cloned();
    let in_force = life.in_force(instant);
    // Its jitter puts it off, and it is not late for that.
    let start = in_force.and_then(|chapter| chapter.job().ok()).map_or(instant, |job| job.starts(instant));
    let owed = life.owed(instant) || life.settled_ahead(instant);

    let pruned = testimony.kept_since().is_some_and(|kept| instant < kept);
    let pause = life.paused(instant);
    let last = found.attempts.last().filter(|entry| entry.retry_at().is_none());
    let cursor = book.job(job).and_then(|record| record.next_at);
    let why = match last.map(|entry| &entry.what) {
        Some(LedgerWhat::Occurrence { end: Closing::Skipped(reason), .. }) => Why::Skipped(*reason),
        Some(LedgerWhat::Occurrence { end: Closing::Cancelled, .. }) => Why::Cancelled,
        Some(_) => Why::Ran,
        None if open.is_some() => Why::Open,
        None if !owed => Why::NotOwed(not_owed(life, in_force, instant)),
        None => match &found.gap {
            Some(LedgerEntry { what: LedgerWhat::Gap(gap), .. }) => Why::Skipped(gap.reason),
            _ if start > now => match pause {
                Some(_) => Why::Paused,
                None => Why::ToCome,
            },
            _ if pause.is_some() => Why::Paused,
            _ if cursor.is_some_and(|cursor| instant >= cursor) => Why::Waiting,
            _ if cursor.is_none() && book.job(job).is_some_and(|record| instant > record.settled_through()) => {
                Why::NotOwed(NotOwed::Limit)
            }
            _ if pruned => Why::Pruned,
            _ => Why::Missing,
        },
    };

    let started = last.and_then(LedgerEntry::started_at);
    let settled = started.or_else(|| last.or(found.gap.as_ref()).map(|entry| entry.at)).unwrap_or(now);
    // What came on time, or was nobody's to run, needs no outage to explain it.
    let unseen = is_unknown(last);
    let ended = last.filter(|_| unseen).map_or(settled, |entry| entry.at);
    let put_off = settled.duration_since(start) > ON_TIME || unseen;
    let needs_a_cause = match &why {
        Why::Skipped(reason) => match reason {
            SkipReason::Coalesced | SkipReason::Misfire | SkipReason::ClockRepaired => true,
            SkipReason::Overlap | SkipReason::Superseded => put_off,
            _ => false,
        },
        Why::Ran | Why::Open => put_off,
        Why::Waiting | Why::Missing => true,
        _ => false,
    };
    let outages = lives.outages.iter().filter(|outage| needs_a_cause && outage.touches(instant, ended)).cloned();
    let outages = outages.collect();
    let still_in_the_way = book
        .open_of(job)
        .find(|open| open.id.instant() != Some(instant) && open.started_at.is_some_and(|started| started <= settled))
        .filter(|_| why == Why::Skipped(SkipReason::Overlap))
        .cloned();
    let after = instant.checked_add(NANO).ok().and_then(|from| life.first(from, Timestamp::MAX));
    let before = instant.checked_sub(NANO).ok().and_then(|to| life.last(Timestamp::MIN, to));
    Ok(Explanation {
        job: job.clone(),
        instant,
        now,
        in_force: in_force.map(InForce::of),
        in_its_place: found
            .next_run
            .filter(|_| matches!(why, Why::Skipped(SkipReason::Coalesced | SkipReason::Superseded))),
        in_the_way: found.in_the_way.filter(|_| why == Why::Skipped(SkipReason::Overlap)),
        still_in_the_way,
        paused: pause.map(|(pause, _)| pause.clone()),
        resumed_at: pause.and_then(|(_, end)| *end),
        why,
        attempts: found.attempts,
        gap: found.gap,
        open,
        outages,
        before,
        after,
    })
}

/// Why `instant` was not owed.
fn not_owed(life: &Life, in_force: Option<&Chapter>, instant: Timestamp) -> NotOwed {
    let Some(chapter) = in_force else {
        let first = life.chapters().first().map_or(instant, |chapter| chapter.since);
        let before = life.chapters().iter().rev().find(|chapter| chapter.since <= instant);
        return match before.and_then(|chapter| chapter.until.filter(|_| chapter.removed)) {
            Some(at) => NotOwed::Removed { at },
            None => NotOwed::NotYetDefined { at: first },
        };
    };
    let job = match chapter.job() {
        Ok(job) => job,
        Err(why) => return NotOwed::Unreadable(why.to_owned()),
    };
    let outside = job.start_at.is_some_and(|start| instant < start) || job.end_at.is_some_and(|end| instant > end);
    if job.schedule.newest(instant, instant, &job.time_zone) != Some(instant) {
        NotOwed::NotInSchedule
    } else if !job.enabled {
        NotOwed::Disabled
    } else if outside {
        NotOwed::Outside
    } else if job.max_runs.is_some() {
        NotOwed::Limit
    } else {
        // Its schedule has it, but a change of the definition came between the instant before and this one.
        NotOwed::NotYetDefined { at: chapter.since }
    }
}

fn is_unknown(entry: Option<&LedgerEntry>) -> bool {
    entry.is_some_and(|entry| entry.word() == "unknown")
}

impl InForce {
    fn of(chapter: &Chapter) -> Self {
        let job = chapter.job().ok().map(|job| Arc::new(job.clone()));
        let (incarnation, revision) = (chapter.incarnation, chapter.revision);
        Self { incarnation, revision, since: chapter.since, until: chapter.until, job }
    }
}

/// What of the history has to do with an instant.
#[derive(Default)]
struct Found {
    attempts: Vec<LedgerEntry>,
    gap: Option<LedgerEntry>,
    /// The first run of a later instant.
    next_run: Option<LedgerEntry>,
    /// The last run that began before the instant was settled and ended afterwards.
    in_the_way: Option<LedgerEntry>,
}

impl Found {
    fn collect(testimony: &dyn Testimony, job: &JobId, instant: Timestamp) -> Result<Self> {
        let mut found = Self::default();
        let since = instant.checked_sub(AHEAD).unwrap_or(instant);
        testimony.entries(since, Some(job), &|_, _| {}, &mut |told| {
            let parsed;
            let entry = match told {
                Told::Entry(entry) => entry,
                Told::Line(line) => match serde_json::from_slice(line) {
                    Ok(entry) => {
                        parsed = entry;
                        &parsed
                    }
                    Err(_) => return ControlFlow::Continue(()),
                },
            };
            if entry.job == *job { found.take(entry, instant) } else { ControlFlow::Continue(()) }
        })?;
        Ok(found)
    }

    fn take(&mut self, entry: &LedgerEntry, instant: Timestamp) -> ControlFlow<()> {
        match &entry.what {
            LedgerWhat::Gap(gap) if gap.from <= instant && instant <= gap.to => {
                self.gap.get_or_insert_with(|| entry.clone());
            }
            LedgerWhat::Occurrence { id, .. } if id.instant() == Some(instant) => self.attempts.push(entry.clone()),
            LedgerWhat::Occurrence { id, started_at: Some(started), .. } => {
                let settled = self.settled();
                if id.instant().is_some_and(|at| at > instant) && settled.is_none_or(|settled| entry.at >= settled) {
                    self.next_run.get_or_insert_with(|| entry.clone());
                }
                // Before the instant is settled nobody knows who will be in the way; the run that was ends after that.
                if settled.is_some_and(|settled| *started <= settled && entry.at >= settled) {
                    self.in_the_way.get_or_insert_with(|| entry.clone());
                }
            }
            LedgerWhat::Gap(_) | LedgerWhat::Occurrence { .. } => {}
        }
        if self.next_run.is_some() && (self.settled().is_some()) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// When its end was written down.
    fn settled(&self) -> Option<Timestamp> {
        let last = self.attempts.last().filter(|entry| entry.retry_at().is_none());
        last.or(self.gap.as_ref()).map(|entry| entry.at)
    }
}
