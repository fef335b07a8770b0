//! All jobs' instants against all entries.

use std::{collections::HashMap, ops::ControlFlow};

use jiff::{SignedDuration, Timestamp};

use super::{
    Audit, AuditQuery, JobAudit, OutageCause, OutageCost, Testimony, Told,
    life::{Life, Lives},
    record::Record,
    tally::{Costs, Standing, Tally},
};
use crate::{
    Error, ErrorKind, JobId, Result,
    store::{book::Book, record::JobRecord},
};

/// An entry is written when its instant has come, but for what is claimed and skipped ahead of it.
const AHEAD: SignedDuration = SignedDuration::from_secs(5);

/// Accounts for what was owed up to `now`.
///
/// # Errors
/// `NotFound` for a job that never was, or why the history can't be read.
pub(crate) fn judge(testimony: &dyn Testimony, query: &AuditQuery, now: Timestamp) -> Result<Audit> {
    let lives = testimony.lives();
    if let Some(job) = query.job.as_ref().filter(|job| !lives.jobs.contains_key(job)) {
        return Err(Error::new(ErrorKind::NotFound, format!("no job `{job}`")).hint("see `sched list`"));
    }
    let wanted = || lives.jobs.iter().filter(|(id, _)| query.job.as_ref().is_none_or(|job| job == *id));
    let born = wanted().filter_map(|(_, life)| life.chapters().first()).map(|chapter| chapter.since).min();
    let asked = query.since.unwrap_or(Timestamp::MIN).max(born.unwrap_or(now)).min(now);
    let whole_since = testimony.kept_since().map(|kept| first_whole(kept, lives));
    let since = whole_since.map_or(asked, |whole| whole.max(asked)).min(now);

    let outages = lives.outages.iter().chain(&query.outages).filter(|outage| outage.touches(since, now));
    let mut costs = Costs(outages.cloned().map(OutageCost::new).collect());
    costs.0.sort_by_key(|cost| (cost.outage.from, cost.outage.to));
    let mut tallies: Vec<Tally<'_>> = wanted().map(|(id, life)| Tally::new(id.clone(), life, since, now)).collect();
    let places: HashMap<&str, usize> = wanted().enumerate().map(|(place, (id, _))| (id.as_str(), place)).collect();

    let (mut unreadable, mut unknown_jobs) = (0, 0);
    let progress = |done, all| query.progress.iter().for_each(|progress| progress(done, all));
    testimony.entries(first_written(since, lives), query.job.as_ref(), &progress, &mut |told| {
        let record = match told {
            Told::Entry(entry) => Record::of(entry),
            Told::Line(line) => match Record::parse(line) {
                Ok(record) => record,
                Err(_) => {
                    unreadable += 1;
                    return ControlFlow::Continue(());
                }
            },
        };
        match places.get(&*record.job) {
            Some(place) => tallies[*place].take(record.what, &mut costs),
            None => unknown_jobs += u64::from(query.job.is_none()),
        }
        ControlFlow::Continue(())
    })?;

    let ids = wanted().map(|(id, _)| id);
    let jobs = ids.zip(tallies).map(|(id, tally)| tally.close(&standing(testimony.book(), id), &mut costs));
    let mut jobs: Vec<JobAudit> = jobs.collect();
    mark_undefined(&mut jobs, query.job.as_ref(), testimony);
    let pruned_before = testimony.kept_since().filter(|kept| *kept > asked);
    Ok(Audit { since, until: now, pruned_before, jobs, outages: costs.0, unreadable, unknown_jobs })
}

/// The first instant whose entries are all there, if those that were written before `kept` are not: one may have been settled a
/// little ahead, or by a clock that was set back.
fn first_whole(kept: Timestamp, lives: &Lives) -> Timestamp {
    let mut first = kept;
    while let Some(later) = leaps(lives).filter(|(from, to)| *to < first && first < *from).map(|(from, _)| from).max() {
        first = later;
    }
    first.checked_add(AHEAD).unwrap_or(first)
}

/// When the first entry about an instant at `since` or later may have been written: a clock that was set back writes what it
/// has seen come under an earlier time.
fn first_written(since: Timestamp, lives: &Lives) -> Timestamp {
    let mut first = since;
    while let Some(earlier) = leaps(lives).filter(|(from, to)| *to < first && first <= *from).map(|(_, to)| to).min() {
        first = earlier;
    }
    first.checked_sub(AHEAD).unwrap_or(first)
}

/// From where to where the clock was set, each time.
fn leaps(lives: &Lives) -> impl Iterator<Item = (Timestamp, Timestamp)> {
    let leaps = lives.outages.iter().filter(|outage| outage.cause == OutageCause::ClockSet);
    leaps.map(|leap| (leap.from, leap.to))
}

/// A job in force whose definition is nowhere on record owes nothing that anybody could tell: no reason to call it well.
fn mark_undefined(jobs: &mut Vec<JobAudit>, only: Option<&JobId>, testimony: &dyn Testimony) {
    let lives = &testimony.lives().jobs;
    let in_force = testimony.book().jobs().filter(|(id, _)| only.is_none_or(|only| only == *id));
    let undefined: Vec<&JobId> = in_force
        .filter(|(id, record)| !lives.get(*id).is_some_and(|life| tells_of(life, record)))
        .map(|(id, _)| id)
        .collect();
    for id in undefined {
        let place = jobs.binary_search_by(|job| job.job.cmp(id)).unwrap_or_else(|place| {
            jobs.insert(place, JobAudit::new(id.clone()));
            place
        });
        let why = "the record of how it was defined is gone from state/ledger";
        jobs[place].unjudged.get_or_insert_with(|| why.into());
    }
}

/// Whether the definition that is in force is the last that the events tell of.
fn tells_of(life: &Life, record: &JobRecord) -> bool {
    let last = life.chapters().last();
    last.is_some_and(|last| (last.incarnation, last.revision) == (record.incarnation, record.revision))
}

/// Where `job` stands by the book.
fn standing(book: &Book, job: &JobId) -> Standing {
    let open = book.open_of(job).filter_map(|occurrence| occurrence.id.instant()).collect();
    let Some(record) = book.job(job) else { return Standing { open, ..Standing::default() } };
    let is_over = record.next_at.is_none();
    Standing { open, cursor: record.next_at, exhausted_after: is_over.then(|| record.settled_through()) }
}
