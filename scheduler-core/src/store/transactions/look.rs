//! The book as others see it: what is open, for the engine; a job, for people.

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    super::{
        Abandoned, DueJob, JobView, Limits, Open,
        book::{Book, JobRecord},
    },
    Transaction,
    occurrences::claim_of,
    places::NoPlace,
};
use crate::{
    JobId, Orphan, OwnerId,
    occurrence::{Occurrence, State},
};

/// What is open in `book` at `now`; `is_dead` says which owners are gone.
pub(crate) fn open(
    book: &mut Book,
    now: Timestamp,
    limits: Limits,
    owner: &OwnerId,
    is_dead: &dyn Fn(&OwnerId) -> bool,
) -> Open {
    let mut open = Open { active: book.active(), next_wakeup: book.next_wakeup(), ..Open::default() };
    for (id, record) in book.due(now) {
        if let Ok(job) = &record.job {
            open.due.push(DueJob {
                job: Arc::clone(job),
                incarnation: record.incarnation,
                revision: record.revision,
                cursor: book.cursor(id, record),
            });
        }
    }
    for occurrence in book.open() {
        let abandoned = || Abandoned { occurrence: occurrence.clone(), orphan: orphan(book, occurrence) };
        match (&occurrence.state, occurrence.owner()) {
            (State::Claimed(claimed), Some(us)) if us == owner => {
                open.claimed_here.push(claim_of(occurrence, claimed.token.clone(), occurrence.epoch));
            }
            (State::Orphaned(_), _) => open.orphaned.push(abandoned()),
            (_, Some(other)) if other != owner && is_dead(other) => open.abandoned.push(abandoned()),
            _ => {}
        }
    }
    open.cancel_requested = book.cancel_requested().cloned().collect();
    open.definitions = book.definitions();
    open.housekeeping = book.expired_pauses(now).next().is_some();
    let queued: Vec<Occurrence> = book.queued().cloned().collect();
    open.queued = queued.len();
    let look = Transaction::new(book, now, owner);
    let room = limits.max_parallel.saturating_sub(open.active);
    // A claim that turns out to be `Never` closes the occurrence, so those are handed out too.
    open.startable = queued
        .iter()
        .filter(|occurrence| look.place_for(occurrence, limits) != Err(NoPlace::NotNow))
        .map(|occurrence| occurrence.run.clone())
        .take(room)
        .collect();
    open
}

fn orphan(book: &Book, occurrence: &Occurrence) -> Option<Orphan> {
    let job = book.record(&occurrence.id.job)?.job.clone().ok()?;
    occurrence.is_running().then(|| Orphan::new(occurrence.run.clone(), job, occurrence.process().cloned()))
}

/// A job for people.
pub(crate) fn view(book: &Book, id: &JobId, record: &JobRecord) -> JobView {
    JobView {
        id: id.clone(),
        job: record.job.clone(),
        definition: Arc::clone(&record.definition),
        incarnation: record.incarnation,
        revision: record.revision,
        zone: record.zone.clone(),
        defined_at: record.defined_at,
        next_at: record.next_at,
        settled_through: record.settled_through(),
        paused: record.paused.clone(),
        open: book.open_of(id).cloned().collect(),
        last: record.last.clone(),
    }
}
