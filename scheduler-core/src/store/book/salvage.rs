//! A book made of what is left of damaged files: lines and events that may be of different times, some without a proof.
//!
//! The difference to [`Book::restore`] and [`Book::apply`] is that nothing is relied on: of two definitions the newer stays,
//! and what speaks of something that is lost changes nothing.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Book, JobRecord, Line};
use crate::{
    JobId, OccurrenceId, RunId,
    store::{
        LedgerEntry,
        event::{Event, Paused},
    },
};

impl Book {
    /// Takes in a line of a snapshot whose checksum holds.
    pub(crate) fn salvage_line(&mut self, line: Line) {
        match line {
            Line::Job { job, record } => {
                if self.record(&job).is_none_or(|known| !is_newer(known, &record)) {
                    self.forget(&job);
                    self.restore(Line::Job { job, record });
                }
            }
            Line::Open(occurrence) => {
                self.remove(&occurrence.run);
                self.restore(Line::Open(occurrence));
            }
            other => self.restore(other),
        }
    }

    /// Takes in an event of a frame whose checksum holds.
    pub(crate) fn salvage_event(&mut self, event: &Event, closed: &mut dyn FnMut(LedgerEntry)) {
        let is_old = match event {
            Event::Defined(defined) => self.record(&defined.job).is_some_and(|known| {
                (known.incarnation, known.revision) >= (defined.incarnation, defined.revision) && !known.removed
            }),
            _ => false,
        };
        if !is_old {
            self.apply(event, closed);
        }
    }

    /// Takes in what is known of a job without a proof: the definition where nothing as new is known, the pause, and how
    /// often it has started. Says whether the definition is now in force.
    pub(crate) fn salvage_unproven(&mut self, job: &JobId, mut record: JobRecord, now: Timestamp) -> bool {
        let started = record.started();
        let paused = record.paused.take();
        let known = self.record(job).map(|known| (is_newer(known, &record) || same(known, &record), known.removed));
        if known.is_none() && record.removed {
            self.bury(job, record);
            return false;
        }
        let comes = match known {
            Some((as_new, removed)) => !as_new && !removed,
            None => true,
        };
        if comes {
            // No instant of it is believed. What is known of its past stays.
            let before = self.jobs.get(job).map(|known| JobRecord::clone(known));
            let (past, next_at, held) = before.map_or((None, None, None), |it| (it.past, it.next_at, it.paused));
            (record.past, record.next_at, record.paused, record.defined_at) = (past, next_at, held, now);
            self.forget(job);
            self.restore(Line::Job { job: job.clone(), record: Arc::new(record) });
        } else if known.is_none_or(|(_, removed)| removed) {
            return false;
        }
        self.with_job(job, |record| {
            record.paused = record.paused.take().or(paused);
            if started > 0 {
                let past = record.past_mut();
                past.started = past.started.max(started);
            }
        });
        comes
    }

    /// Stops `job` until somebody has looked at it.
    pub(crate) fn hold(&mut self, paused: Paused) {
        let job = paused.job.clone();
        self.with_job(&job, |record| record.paused = Some(Box::new(paused)));
    }

    /// Begins another life of `job` under `incarnation`, which goes on where the one before has been: its runs count, and so do
    /// the events that it has had.
    pub(crate) fn begin_anew(&mut self, job: &JobId, incarnation: u32) {
        self.with_job(job, |record| record.incarnation = incarnation);
        let again = |(id, seen): (&OccurrenceId, &(Timestamp, RunId))| {
            (id.job == *job).then(|| (OccurrenceId { incarnation, ..id.clone() }, seen.clone()))
        };
        let of_this_life: Vec<_> = self.event_keys.iter().filter_map(again).collect();
        self.event_keys.extend(of_this_life);
    }

    /// Notes that `job` was there once, so that the same life of it doesn't come again.
    pub(crate) fn bury(&mut self, job: &JobId, record: JobRecord) {
        self.restore(Line::Job { job: job.clone(), record: Arc::new(JobRecord { removed: true, ..record }) });
    }

    /// All records, those of removed jobs too.
    pub(crate) fn records(&self) -> impl Iterator<Item = (&JobId, &JobRecord)> {
        self.jobs.iter().map(|(id, record)| (id, &**record))
    }

    /// Every event that was seen, by its identity.
    pub(crate) fn events_seen(&self) -> impl Iterator<Item = &OccurrenceId> {
        self.event_keys.keys()
    }

    /// Ends the salvage: `jobs.json` is to be looked at anew, and what spoke of something lost is no riddle.
    pub(crate) fn end_salvage(&mut self) {
        self.taken_in = None;
        self.anomalies = 0;
    }

    fn forget(&mut self, job: &JobId) {
        if let Some(old) = self.jobs.remove(job) {
            self.indexes.remove(job, &old);
        }
    }
}

/// Whether what is `known` of a job is of a later time than `found`.
fn is_newer(known: &JobRecord, found: &JobRecord) -> bool {
    (known.incarnation, known.revision) > (found.incarnation, found.revision)
}

/// Whether two records are of the same definition.
fn same(known: &JobRecord, found: &JobRecord) -> bool {
    known.definition == found.definition || known.definition.value() == found.definition.value()
}
