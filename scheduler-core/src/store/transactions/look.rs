//! The book as others see it: what is open, for the engine; a job, for people.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;

use super::{
    super::{Abandoned, DueJob, JobView, Limits, Open, Selected, Which, book::Book, record::JobRecord},
    Transaction,
    occurrences::claim_of,
    places::NoPlace,
};
use crate::{
    Job, JobId, Orphan, OwnerId,
    occurrence::{Occurrence, State},
};

/// What is open in `book` at `now`; `is_dead` says which owners are gone.
pub(crate) fn open(
    book: &mut Book,
    now: Timestamp,
    limits: &Limits,
    owner: &OwnerId,
    is_dead: &dyn Fn(&OwnerId) -> bool,
) -> Open {
    let mut open = Open { active: book.active(), next_wakeup: book.next_wakeup(now), ..Open::default() };
    open.next_start = book.next_start(now);
    let mut spoilt = Vec::new();
    for (id, record) in book.due(now) {
        match book.check(record, id) {
            Ok(job) => open.due.push(DueJob {
                job,
                incarnation: record.incarnation,
                revision: record.revision,
                cursor: book.cursor(id, record),
            }),
            Err(why) => spoilt.push((id.clone(), why)),
        }
    }
    for (id, why) in spoilt {
        tracing::error!(job = %id, why, "its definition was good once and is so no longer; it does not fire");
        book.spoil(&id, &why);
        open.next_wakeup = book.next_wakeup(now);
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
    let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
    // A claim that turns out to be `Never` closes the occurrence, so those are handed out too.
    let startable = queued.iter().filter(|occurrence| match look.place_for(occurrence, limits) {
        Ok(()) => match look.book.group_of(&occurrence.id.job) {
            // One place is not held out to many, or a long queue of one group would keep all others from theirs.
            Some(group) => {
                let taken = taken.entry(group).or_default();
                *taken += 1;
                limits.groups.most(group).is_none_or(|most| look.book.tally(group).active + *taken <= most)
            }
            None => true,
        },
        Err(no_place) => no_place != NoPlace::NotNow,
    });
    open.startable = startable.map(|occurrence| occurrence.run.clone()).take(room).collect();
    open
}

/// What a runner needs to look for the process of a run.
pub(super) fn orphan(book: &Book, occurrence: &Occurrence) -> Option<Orphan> {
    let id = &occurrence.id.job;
    let job = book.check(book.record(id)?, id).ok()?;
    occurrence.is_running().then(|| Orphan::new(occurrence.run.clone(), job, occurrence.process().cloned()))
}

/// All jobs for people.
pub(crate) fn views(book: &Book) -> Vec<JobView> {
    book.jobs().map(|(id, record)| view(book, id, record)).collect()
}

/// Some of them.
pub(crate) fn select(book: &Book, which: &Which) -> Selected {
    let view = |(id, record)| view(book, id, record);
    let jobs = match which {
        Which::Job(id) => book.job(id).map(|record| view((id, record))).into_iter().collect(),
        Which::Soonest(most) => book.soonest().take(*most).map(view).collect(),
        Which::Troubled => book.jobs().filter(|(_, record)| is_troubled(record)).map(view).collect(),
        Which::Open => {
            let ids: BTreeSet<&JobId> = book.open().map(|occurrence| &occurrence.id.job).collect();
            ids.into_iter().filter_map(|id| Some(view((id, book.job(id)?)))).collect()
        }
        Which::Payload => with_field(book, "\"payload\"", |job| job.payload().is_some()),
        Which::Pinging => with_field(book, "\"ping_url\"", |job| job.ping_url.is_some()),
    };
    Selected { jobs, in_force: book.in_force(), waiting: book.waiting() }
}

/// The jobs that have what `has` looks for, which is behind `key` in their definitions.
fn with_field(book: &Book, key: &str, has: impl Fn(&Job) -> bool) -> Vec<JobView> {
    // The word is looked for first: few have it, and reading each definition takes a while.
    let candidates = book.jobs().filter(|(_, record)| record.definition.text().contains(key));
    let views = candidates.map(|(id, record)| view(book, id, record));
    views.filter(|view| view.job.as_ref().is_ok_and(|job| has(job))).collect()
}

fn is_troubled(record: &JobRecord) -> bool {
    record.last().and_then(|last| last.outcome()).is_some_and(|outcome| outcome.result.is_trouble())
}

/// A job for people.
pub(crate) fn view(book: &Book, id: &JobId, record: &JobRecord) -> JobView {
    let job = match &record.invalid {
        Some(why) => Err(why.to_string()),
        None => book.check_unkept(record).map(Arc::new),
    };
    JobView {
        id: id.clone(),
        job,
        definition: Arc::new(record.definition.value()),
        incarnation: record.incarnation,
        revision: record.revision,
        zone: record.zone.to_string(),
        anchor: record.anchor,
        defined_at: record.defined_at,
        next_at: record.next_at,
        due_at: record.due_at(),
        started: record.started(),
        settled_through: record.settled_through(),
        paused: record.paused.as_deref().cloned(),
        open: book.open_of(id).cloned().collect(),
        last: record.last().cloned(),
    }
}
