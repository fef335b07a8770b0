//! All jobs' instants against all entries.

use std::{collections::HashMap, ops::ControlFlow};

use jiff::{SignedDuration, Timestamp};

use super::{
    Audit, AuditQuery, OutageCost, Testimony, Told,
    record::Record,
    tally::{Costs, Standing, Tally},
};
use crate::{Error, ErrorKind, JobId, Result, store::book::Book};

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
    let since = testimony.kept_since().map_or(asked, |kept| kept.max(asked)).min(now);

    let outages = lives.outages.iter().chain(&query.outages).filter(|outage| outage.touches(since, now));
    let mut costs = Costs(outages.cloned().map(OutageCost::new).collect());
    costs.0.sort_by_key(|cost| (cost.outage.from, cost.outage.to));
    let mut tallies: Vec<Tally<'_>> = wanted().map(|(id, life)| Tally::new(id.clone(), life, since, now)).collect();
    let places: HashMap<&str, usize> = wanted().enumerate().map(|(place, (id, _))| (id.as_str(), place)).collect();

    let (mut unreadable, mut unknown_jobs) = (0, 0);
    let progress = |done, all| query.progress.iter().for_each(|progress| progress(done, all));
    let written_since = since.checked_sub(AHEAD).unwrap_or(since);
    testimony.entries(written_since, query.job.as_ref(), &progress, &mut |told| {
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
    let jobs = ids.zip(tallies).map(|(id, tally)| tally.close(&standing(testimony.book(), id), &mut costs)).collect();
    let pruned_before = testimony.kept_since().filter(|kept| *kept > asked);
    Ok(Audit { since, until: now, pruned_before, jobs, outages: costs.0, unreadable, unknown_jobs })
}

/// Where `job` stands by the book.
fn standing(book: &Book, job: &JobId) -> Standing {
    let open = book.open_of(job).filter_map(|occurrence| occurrence.id.instant()).collect();
    let Some(record) = book.job(job) else { return Standing { open, ..Standing::default() } };
    let is_over = record.next_at.is_none();
    Standing { open, cursor: record.next_at, exhausted_after: is_over.then(|| record.settled_through()) }
}
