//! A book on its way into a file and back: line by line, so that neither way needs room for all of it.
//!
//! What can be told from other lines (indexes, counts) is not written but made anew. A book that is restored and the one
//! that it was taken from go on alike under the same events.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Book, JobRecord, TakenIn};
use crate::{JobId, OccurrenceId, RunId, job::build, occurrence::Occurrence};

/// A book as it is at one moment. It shares the records of jobs with the book, which copies those that it changes meanwhile.
pub(crate) struct Still {
    cover: Cover,
    jobs: Vec<(JobId, Arc<JobRecord>)>,
    open: Vec<Occurrence>,
    event_keys: Vec<(OccurrenceId, (Timestamp, RunId))>,
}

/// One line of a book that is written down.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Line {
    /// What concerns all of it; comes first.
    Cover(Cover),
    /// A job, be it a removed one: its incarnation must not come again.
    Job {
        /// Which.
        job: JobId,
        /// What is known of it.
        record: Arc<JobRecord>,
    },
    /// An open occurrence; comes after all jobs.
    Open(Box<Occurrence>),
    /// An event that was seen.
    Event {
        /// Which.
        id: OccurrenceId,
        /// When.
        at: Timestamp,
        /// The run it had.
        run: RunId,
    },
}

/// What a book holds beside jobs, occurrences and events.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Cover {
    /// The build that has checked the definitions.
    build: u32,
    definitions: u64,
    anomalies: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    taken_in: Option<TakenIn>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    boot_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    clock_repaired: Option<(Timestamp, JobId)>,
}

impl Still {
    /// The lines that [`Book::restore`] makes a book of.
    pub(crate) fn lines(self) -> impl Iterator<Item = Line> {
        let jobs = self.jobs.into_iter().map(|(job, record)| Line::Job { job, record });
        let open = self.open.into_iter().map(|occurrence| Line::Open(Box::new(occurrence)));
        let events = self.event_keys.into_iter().map(|(id, (at, run))| Line::Event { id, at, run });
        std::iter::once(Line::Cover(self.cover)).chain(jobs).chain(open).chain(events)
    }
}

impl Book {
    /// The book as it is now.
    pub(crate) fn still(&self) -> Still {
        Still {
            cover: Cover {
                build: build(),
                definitions: self.definitions,
                anomalies: self.anomalies,
                taken_in: self.taken_in.clone(),
                boot_key: self.boot_key.clone(),
                clock_repaired: self.clock_repaired.clone(),
            },
            jobs: self.jobs.iter().map(|(id, record)| (id.clone(), Arc::clone(record))).collect(),
            open: self.open.values().cloned().collect(),
            event_keys: self.event_keys.iter().map(|(id, seen)| (id.clone(), seen.clone())).collect(),
        }
    }

    /// Takes in a line of a book that was written down. All come, in their order, before the first event.
    pub(crate) fn restore(&mut self, line: Line) {
        match line {
            Line::Cover(Cover { build: by, definitions, anomalies, taken_in, boot_key, clock_repaired }) => {
                self.checked_by_another = by != build();
                self.definitions = definitions;
                self.anomalies = anomalies;
                self.taken_in = taken_in;
                self.boot_key = boot_key;
                self.clock_repaired = clock_repaired;
            }
            Line::Job { .. } if self.only_occurrences => {}
            Line::Job { job, mut record } => {
                let its = Arc::make_mut(&mut record);
                its.zone = self.zone(&its.zone);
                // What the same build found good is so still, and what was wrong may have been put right: a zone that was
                // not on the machine, say.
                if its.invalid.is_some() || self.checked_by_another {
                    let checked = its.definition.check(&self.defaults, &its.zone, its.anchor);
                    its.invalid = checked.err().map(|error| error.to_string().into());
                }
                self.indexes.add(&job, its);
                self.jobs.insert(job, record);
            }
            Line::Open(occurrence) => self.insert(*occurrence),
            Line::Event { id, at, run } => {
                self.event_keys.insert(id, (at, run));
            }
        }
    }
}

#[cfg(test)]
mod tests;
