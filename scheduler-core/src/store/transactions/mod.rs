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

use std::cell::Cell;

use jiff::Timestamp;

pub(crate) use self::{
    definitions::{Candidate, Paper},
    look::{open, select, views},
};
use super::{LedgerEntry, book::Book, event::Event, record::JobRecord};
use crate::{
    Error, ErrorKind, JobId, OwnerId, Result, RunId, Token,
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
    /// Names runs by their number instead of by chance, so that what is played through comes to the same each time.
    pub(crate) numbers: Option<&'a Cell<u64>>,
}

impl<'a> Transaction<'a> {
    pub(crate) fn new(book: &'a mut Book, now: Timestamp, owner: &'a OwnerId) -> Self {
        let (events, closed) = (Vec::new(), Vec::new());
        Self { book, now, owner, events, closed, durable: true, claimed: false, numbers: None }
    }

    fn new_run(&self) -> RunId {
        match self.numbers {
            None => RunId::random(self.now),
            Some(numbers) => {
                numbers.set(numbers.get() + 1);
                RunId::new(format!("{:015}", numbers.get()))
            }
        }
    }

    fn new_token(&self) -> Token {
        // Nobody is there to steal a claim of what is only played through.
        self.numbers.map_or_else(Token::random, |_| Token::new(""))
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
