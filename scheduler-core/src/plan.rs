//! What a job owes now: [`plan`], a pure function of the job, its cursor and the time.
//!
//! Bounded for every job: it never walks the instants of a long downtime one by one. It decides what should run, what is
//! late, what is coalesced or skipped and why; whether a place is free is the store's to say, when it is asked.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::{
    Job, RunId,
    job::{MisfirePolicy, Overlap},
    occurrence::{Attempt, Cause, SkipReason},
};

/// An instant planned later than this after it came is a late one.
///
/// ```
/// use scheduler_core::plan::ON_TIME;
/// assert_eq!(ON_TIME.as_secs(), 5);
/// ```
pub const ON_TIME: SignedDuration = SignedDuration::from_secs(5);

/// The longest that a claim may be made before its start: what is decided so early, an edit can no longer undo, and a place
/// is held for it.
pub(crate) const CLAIM_AHEAD: SignedDuration = SignedDuration::from_millis(250);

/// How far `claimed_through` may lie ahead of the clock before the clock that wrote it counts as wrong.
///
/// ```
/// use scheduler_core::plan::CLOCK_SLACK;
/// assert_eq!(CLOCK_SLACK.as_hours(), 3);
/// ```
pub const CLOCK_SLACK: SignedDuration = SignedDuration::from_hours(3);

/// What [`plan`] needs to know of a job's past.
///
/// ```
/// use scheduler_core::plan::Cursor;
/// let next_at = Some("2026-11-22T02:30:00Z".parse()?);
/// let cursor = Cursor { next_at, ..Cursor::default() };
/// assert!(!cursor.busy && cursor.outstanding.is_empty());
/// # Ok::<(), jiff::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Cursor {
    /// The first instant not yet settled; `None` if the schedule owes no more.
    pub next_at: Option<Timestamp>,
    /// Instants up to here passed while the clock was wrong: they fire on time or never.
    pub suspect_through: Option<Timestamp>,
    /// Stretches of instants that have been settled as they came: of the suspect ones, these never fire again.
    pub lived: Vec<(Timestamp, Timestamp)>,
    /// Scheduled occurrences that were admitted and never started, oldest first.
    pub outstanding: Vec<(RunId, Timestamp)>,
    /// Attempts that wait to be made because the one before, which comes with each, ended badly.
    pub retries: Vec<(RunId, Attempt)>,
    /// Whether a run of the job is open.
    pub busy: bool,
}

/// What is to be done for one job.
///
/// ```
/// use jiff::Timestamp;
/// use scheduler_core::plan::Plan;
/// let (gaps, close, through) = (Vec::new(), Vec::new(), Timestamp::UNIX_EPOCH);
/// let nothing = Plan { admit: Vec::new(), gaps, close, through, next_at: None };
/// assert_eq!(nothing.clone(), nothing);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Instants that become occurrences, oldest first.
    pub admit: Vec<(Timestamp, Planned)>,
    /// Ranges that are settled without an occurrence each.
    pub gaps: Vec<Gap>,
    /// Outstanding occurrences that will not run any more.
    pub close: Vec<(RunId, SkipReason)>,
    /// Everything up to here is settled.
    pub through: Timestamp,
    /// The next instant after that.
    pub next_at: Option<Timestamp>,
}

/// What becomes of an instant.
///
/// ```
/// use scheduler_core::{occurrence::{Cause, SkipReason}, plan::Planned};
/// assert_ne!(Planned::Run(Cause::OnTime), Planned::Skip(SkipReason::Overlap));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planned {
    /// It runs, as soon as there is a place.
    Run(Cause),
    /// It doesn't.
    Skip(SkipReason),
}

/// A range of instants settled at once, ends included.
///
/// ```
/// use jiff::Timestamp;
/// use scheduler_core::{occurrence::SkipReason, plan::Gap};
/// let gap = Gap { reason: SkipReason::Coalesced, from: Timestamp::UNIX_EPOCH, to: Timestamp::UNIX_EPOCH };
/// assert!(serde_json::to_string(&gap)?.starts_with(r#"{"reason":"coalesced""#));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Gap {
    /// Why none of them runs by itself.
    pub reason: SkipReason,
    /// The first.
    pub from: Timestamp,
    /// The last.
    pub to: Timestamp,
}

/// What `job` owes at `now`; `None` if nothing is due.
///
/// ```
/// use jiff::Timestamp;
/// use scheduler_core::{Job, occurrence::Cause, plan::{Cursor, Planned, plan}, schedule::{ParseOptions, Schedule}};
/// let schedule = Schedule::parse("@hourly", &ParseOptions::default())?;
/// let job = Job::new("report".parse()?, schedule, serde_json::json!("a payload"));
/// let at = |text: &str| text.parse::<Timestamp>();
/// let cursor = Cursor { next_at: Some(at("2026-11-22T02:00:00Z")?), ..Cursor::default() };
/// assert_eq!(plan(&job, &cursor, at("2026-11-22T01:59:59Z")?), None);
///
/// // Asleep for eight hours: one run stands for all that was missed.
/// let plan = plan(&job, &cursor, at("2026-11-22T10:30:00Z")?).expect("something is due");
/// assert_eq!(plan.admit, [(at("2026-11-22T10:00:00Z")?, Planned::Run(Cause::Late))]);
/// assert_eq!((plan.gaps[0].from, plan.gaps[0].to), (at("2026-11-22T02:00:00Z")?, at("2026-11-22T09:00:00Z")?));
/// assert_eq!(plan.next_at, Some(at("2026-11-22T11:00:00Z")?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn plan(job: &Job, cursor: &Cursor, now: Timestamp) -> Option<Plan> {
    // By its own clock: what its jitter puts off is neither due before nor late after.
    let now = job.own_time(now);
    whole(job, cursor, now, now)
}

/// What `job` owes for the instants up to `now`, those included that its jitter still puts off: for when its definition
/// ends, which they came under.
pub(crate) fn settle(job: &Job, cursor: &Cursor, now: Timestamp) -> Option<Plan> {
    whole(job, cursor, now, job.own_time(now))
}

fn whole(job: &Job, cursor: &Cursor, last: Timestamp, now: Timestamp) -> Option<Plan> {
    let mut plan = instants(job, cursor, last, now)?;
    // What is due anew takes the place of what would be tried again.
    if job.overlap != Overlap::Allow && plan.admit.iter().any(|(_, planned)| matches!(planned, Planned::Run(_))) {
        plan.close.extend(cursor.retries.iter().map(|(run, _)| (run.clone(), SkipReason::Superseded)));
    }
    Some(plan)
}

/// What becomes of the instants up to `last`, and of those that wait, when it is `now` by the clock of the job.
fn instants(job: &Job, cursor: &Cursor, last: Timestamp, now: Timestamp) -> Option<Plan> {
    let first = cursor.next_at.filter(|next_at| *next_at <= last)?;
    let newest = job.newest(first, last).unwrap_or(first);
    let next_at = job.next_after(newest);
    let mut plan = Plan { admit: Vec::new(), gaps: Vec::new(), close: Vec::new(), through: newest, next_at };

    let first = match cursor.suspect_through {
        Some(suspect) if first <= suspect => match cursor.first_credible(job, first, suspect, last, now) {
            Some(credible) => {
                plan.gap(job, SkipReason::ClockRepaired, first, credible);
                credible
            }
            None => {
                plan.settle(SkipReason::ClockRepaired, first, newest);
                return Some(plan);
            }
        },
        _ => first,
    };

    match job.overlap {
        _ if !cursor.busy => {}
        Overlap::Allow => {}
        Overlap::Queue if cursor.outstanding.is_empty() => {
            plan.newest_alone(job, cursor, first, newest, now);
            return Some(plan);
        }
        Overlap::Replace => {
            plan.newest_alone(job, cursor, first, newest, now);
            return Some(plan);
        }
        Overlap::Forbid | Overlap::Queue => {
            plan.settle(SkipReason::Overlap, first, newest);
            return Some(plan);
        }
    }

    let second = (first < newest).then(|| job.next_after(first)).flatten();
    let due = match second {
        None => 1,
        Some(second) if second == newest => 2,
        Some(_) => 3,
    };
    let oldest = cursor.outstanding.first().map_or(first, |(_, at)| first.min(*at));
    let within_grace = now.duration_since(oldest) <= grace(job, oldest);
    if due + cursor.outstanding.len() <= 2 && within_grace {
        plan.run(first, now);
        if let Some(second) = second {
            plan.run(second, now);
        }
        return Some(plan);
    }

    match job.misfire.policy {
        MisfirePolicy::Latest => {
            plan.close.extend(cursor.outstanding.iter().map(|(run, _)| (run.clone(), SkipReason::Coalesced)));
            plan.gap(job, SkipReason::Coalesced, first, newest);
            plan.run(newest, now);
        }
        MisfirePolicy::All => {
            // The newest `max` run; found by walking forwards only when few are owed, which `max` bounds.
            let max = job.misfire.max.max(1) as usize;
            let kept = newest_instants(job, first, newest, max);
            let oldest_kept = kept.first().copied().unwrap_or(newest);
            plan.gap(job, SkipReason::Misfire, first, oldest_kept);
            let room = max.saturating_sub(kept.len());
            let surplus = cursor.outstanding.len().saturating_sub(room);
            plan.close
                .extend(cursor.outstanding.iter().take(surplus).map(|(run, _)| (run.clone(), SkipReason::Misfire)));
            for at in kept {
                plan.run(at, now);
            }
        }
        MisfirePolicy::Skip => {
            plan.close.extend(cursor.outstanding.iter().map(|(run, _)| (run.clone(), SkipReason::Misfire)));
            if now.duration_since(newest) <= ON_TIME {
                plan.gap(job, SkipReason::Misfire, first, newest);
                plan.run(newest, now);
            } else {
                plan.settle(SkipReason::Misfire, first, newest);
            }
        }
    }
    Some(plan)
}

impl Cursor {
    /// The first instant from `first` on that is owed though a wrong clock has passed it: one that is on time and was never
    /// settled as it came, or any that lies beyond what that clock had reached.
    fn first_credible(
        &self,
        job: &Job,
        first: Timestamp,
        suspect: Timestamp,
        last: Timestamp,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let stale = now.checked_sub(ON_TIME).unwrap_or(Timestamp::MIN).min(suspect);
        let mut candidate = if first > stale { Some(first) } else { job.next_after(stale) }?;
        for (from, to) in &self.lived {
            if (*from..=*to).contains(&candidate) {
                candidate = job.next_after(*to)?;
            }
        }
        (candidate <= last).then_some(candidate)
    }
}

impl Plan {
    /// The newest instant stands for all before it and for what waits: there is one place behind an open run.
    fn newest_alone(&mut self, job: &Job, cursor: &Cursor, first: Timestamp, newest: Timestamp, now: Timestamp) {
        if job.misfire.policy == MisfirePolicy::Skip && now.duration_since(newest) > grace(job, newest) {
            return self.settle(SkipReason::Misfire, first, newest);
        }
        self.close.extend(cursor.outstanding.iter().map(|(run, _)| (run.clone(), SkipReason::Coalesced)));
        self.gap(job, SkipReason::Coalesced, first, newest);
        self.run(newest, now);
    }

    fn run(&mut self, at: Timestamp, now: Timestamp) {
        let cause = if now.duration_since(at) > ON_TIME { Cause::Late } else { Cause::OnTime };
        self.admit.push((at, Planned::Run(cause)));
    }

    /// Settles `first..=last` without a run: one record where it is one instant, a gap where it is more.
    fn settle(&mut self, reason: SkipReason, first: Timestamp, last: Timestamp) {
        if first == last {
            self.admit.push((first, Planned::Skip(reason)));
        } else {
            self.gaps.push(Gap { reason, from: first, to: last });
        }
    }

    /// Settles the instants from `first` up to, not including, `end`.
    fn gap(&mut self, job: &Job, reason: SkipReason, first: Timestamp, end: Timestamp) {
        let before_end = end.checked_sub(SignedDuration::from_nanos(1)).ok();
        if let Some(last) = before_end.and_then(|before| job.newest(first, before)) {
            self.settle(reason, first, last);
        }
    }
}

/// The newest `count` instants in `first..=newest`, oldest first: doubles a window backwards from the newest until it holds
/// enough of them.
fn newest_instants(job: &Job, first: Timestamp, newest: Timestamp, count: usize) -> Vec<Timestamp> {
    let mut kept = vec![newest];
    while kept.len() < count {
        let oldest = kept[kept.len() - 1];
        let before = oldest.checked_sub(SignedDuration::from_nanos(1)).ok();
        match before.filter(|b| *b >= first).and_then(|b| job.newest(first, b)) {
            Some(at) => kept.push(at),
            None => break,
        }
    }
    kept.reverse();
    kept
}

/// How late an instant of `job` may be and still run as itself: what the job says, else half the period around `at`,
/// between two minutes and two hours; two minutes for one-shots.
///
/// ```
/// use jiff::{SignedDuration, Timestamp};
/// use scheduler_core::{Job, plan::grace, schedule::{ParseOptions, Schedule}};
/// let schedule = Schedule::parse("@hourly", &ParseOptions::default())?;
/// let job = Job::new("report".parse()?, schedule, serde_json::json!("a payload"));
/// assert_eq!(grace(&job, Timestamp::UNIX_EPOCH), SignedDuration::from_mins(30));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn grace(job: &Job, at: Timestamp) -> SignedDuration {
    const LEAST: Duration = Duration::from_mins(2);
    const MOST: Duration = Duration::from_hours(2);
    let grace = job.misfire.grace.unwrap_or_else(|| {
        job.schedule.period_hint(at, &job.time_zone).map_or(LEAST, |period| (period / 2).clamp(LEAST, MOST))
    });
    SignedDuration::try_from(grace).unwrap_or(SignedDuration::MAX)
}

#[cfg(test)]
mod tests;
