//! What is allowed: each store operation as a function over a [`Transaction`], which compares with the book and emits events.
//!
//! Pure but for the ids it draws. A store runs these one after the other under its lock, writes what they emitted as one
//! frame, and answers only when that is durable.

//!
//! | file | operations |
//! |---|---|
//! | `definitions` | define, remove, pause, resume |
//! | `occurrences` | admit, ask, claim, start, spawned, finish, cancel, recover |
//! | `retries` | whether an attempt that ended badly is followed by another |
//! | `places` | whether there is a place for an occurrence now |
//! | `housekeeping` | what time alone brings |
//! | `repaired` | what becomes of everything when records are lost |
//! | `look` | what is open, and jobs for people |

mod definitions;
mod housekeeping;
mod look;
mod occurrences;
mod places;
mod repaired;
mod retries;

use jiff::Timestamp;

pub(crate) use self::{
    definitions::{Candidate, Paper},
    look::{open, select, views},
};
use super::{LedgerEntry, book::Book, event::Event, record::JobRecord};
use crate::{
    Error, ErrorKind, JobId, OwnerId, Result, RunId,
    occurrence::{Change, transition},
};

/// A change in the making: the book as it already is after this change's own events.
pub(crate) struct Transaction<'a> {
    pub(crate) book: &'a mut Book,
    pub(crate) now: Timestamp,
    pub(crate) owner: &'a OwnerId,
    /// What the change consists of.
    pub(crate) events: Vec<Event>,
    /// What it closed.
    pub(crate) closed: Vec<LedgerEntry>,
    /// Whether it must be durable before it is answered.
    pub(crate) durable: bool,
    /// Whether this process has taken claims by it.
    pub(crate) claimed: bool,
}

impl<'a> Transaction<'a> {
    pub(crate) fn new(book: &'a mut Book, now: Timestamp, owner: &'a OwnerId) -> Self {
        Self { book, now, owner, events: Vec::new(), closed: Vec::new(), durable: true, claimed: false }
    }

    pub(crate) fn emit(&mut self, event: Event) {
        let closed = &mut self.closed;
        self.book.apply(&event, &mut |entry| closed.push(entry));
        self.events.push(event);
    }

    /// Changes an occurrence, if that is a step from where it stands.
    fn change(&mut self, run: &RunId, change: Change) -> bool {
        let Some(occurrence) = self.book.occurrence(run) else { return false };
        if transition(occurrence, &change, self.now).is_err() {
            return false;
        }
        self.emit(Event::Run { id: run.clone(), at: self.now, change });
        true
    }

    fn record(&self, id: &JobId) -> Result<&JobRecord> {
        self.book
            .job(id)
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("no job `{id}`")).hint("see `sched list`"))
    }
}
