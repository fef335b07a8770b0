//! Definitions on their way from `jobs.json` into the journal.
//!
//! Planning uses the journal's definitions only. This file decides what a text of `jobs.json` means for them: what is new,
//! what has changed, what is gone, and what can't be taken in, in which case the last good definition stays in force.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, value::RawValue};

use super::{
    super::{
        Edit, Problem,
        book::Book,
        event::Event,
        transactions::{Candidate, Paper, Transaction},
    },
    document::{Document, Entry},
};
use crate::{
    JobId,
    job::{EntryError, JobDefaults, entry_id, parse_definition, unknown_fields},
};

/// What names a text of `jobs.json`. The build counts too: another one may take in entries that this one refuses.
pub(super) fn hash(bytes: &[u8]) -> String {
    format!("{:08x}-{}-{}", crc32fast::hash(bytes), bytes.len(), env!("CARGO_PKG_VERSION"))
}

/// An entry that was read and checked.
pub(super) enum Checked {
    Good {
        candidate: Box<Candidate>,
        /// Whether it has fields that mean nothing.
        remarkable: bool,
    },
    /// What was in force under its id stays.
    Invalid(JobId),
    /// Not even its id can be read.
    Nameless,
}

/// Reads and checks an entry.
pub(super) fn check(entry: &RawValue, defaults: &JobDefaults, now: Timestamp) -> Checked {
    let entry: Value = serde_json::from_str(entry.get()).unwrap_or_default();
    match Candidate::check(&entry, defaults, now) {
        Ok(candidate) => {
            Checked::Good { candidate: Box::new(candidate), remarkable: !unknown_fields(&entry).is_empty() }
        }
        Err(_) => entry_id(&entry).map_or(Checked::Nameless, Checked::Invalid),
    }
}

/// A text of `jobs.json` on its way into force, some entries at a time.
pub(super) struct Reading {
    named: BTreeSet<JobId>,
    all_readable: bool,
    flawless: bool,
}

impl Default for Reading {
    fn default() -> Self {
        Self { named: BTreeSet::new(), all_readable: true, flawless: true }
    }
}

impl Reading {
    /// Brings `entries` into force.
    pub(super) fn take_in(&mut self, transaction: &mut Transaction<'_>, entries: Vec<Checked>) {
        for entry in entries {
            let (entry, id) = match entry {
                Checked::Good { candidate, remarkable } => {
                    let candidate = candidate.copied_here();
                    let id = candidate.id.clone();
                    (Some((candidate, remarkable)), id)
                }
                Checked::Invalid(id) => (None, id),
                Checked::Nameless => {
                    self.all_readable = false;
                    self.flawless = false;
                    continue;
                }
            };
            // Of two entries with one id the first counts.
            let first = self.named.insert(id);
            match entry {
                Some((candidate, remarkable)) if first => {
                    self.flawless &= !remarkable;
                    transaction.define(candidate);
                }
                // An invalid entry is not a removal: what was in force stays.
                _ => self.flawless = false,
            }
        }
    }

    /// Takes out of force what the text doesn't name any more, and notes that `hash` has been taken in.
    pub(super) fn finish(self, transaction: &mut Transaction<'_>, is_empty: bool, hash: String) {
        // While it can't be known whose entry one is, nothing may be taken for removed.
        if self.all_readable {
            let gone: Vec<JobId> =
                transaction.book.jobs().map(|(id, _)| id).filter(|id| !self.named.contains(id)).cloned().collect();
            if is_empty && !gone.is_empty() {
                tracing::warn!(jobs = gone.len(), "jobs.json lists no jobs any more: all of them are removed");
            }
            for id in &gone {
                transaction.remove(id);
            }
        }
        transaction.emit(Event::Definitions { hash, flawless: self.flawless });
    }
}

/// Whether `edit` puts nothing into the file that a look at it would remark on.
pub(super) fn has_only_known_fields(edit: &Edit) -> bool {
    edit.parts().put.iter().all(|entry| unknown_fields(entry).is_empty())
}

/// How many further entries with one id are told each by itself.
const FEW: usize = 3;

/// What an operator has to put right in `document`; what is in force instead is known where there is a `book`.
pub(super) fn problems(path: &str, document: &Document, defaults: &JobDefaults, book: Option<&Book>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let (mut first, mut again) = (BTreeMap::new(), BTreeMap::<JobId, usize>::new());
    for entry in &document.entries {
        if let Some(why) = &entry.broken {
            let hint = "correct the entry; until then no job is taken for removed";
            problems.push(Problem::new("entry", format!("{path}: {}: {why}", entry.place), hint));
            continue;
        }
        let at = |error: &EntryError| format!("{path}: {}", entry.place_of(error.field.as_deref()));
        let id = match entry_id(&entry.value) {
            Ok(id) => id,
            Err(error) => {
                let hint = match book {
                    Some(_) => "correct the entry; until then no job is taken for removed",
                    None => "correct the entry",
                };
                problems.push(Problem::new("entry", format!("{}: {error}", at(&error)), hint));
                continue;
            }
        };
        if let Some(first) = first.get(&id) {
            let count = again.entry(id.clone()).or_default();
            *count += 1;
            if *count > FEW {
                continue;
            }
            let what = format!("{path}: {}: job `{id}` is there already, at {first}", entry.place);
            let what = if book.is_some() { format!("{what}; this one is ignored") } else { what };
            let hint = "remove one of them, or give it another id";
            problems.push(Problem::new(format!("entry-{id}-again"), what, hint).of_job(&id));
            continue;
        }
        first.insert(id.clone(), entry.place.row());
        if let Err(error) = parse_definition(&entry.value, defaults, defaults.zone_name(), Timestamp::UNIX_EPOCH) {
            let instead = match book.map(|book| book.job(&id)) {
                Some(Some(_)) => " and its last good definition stays in force",
                Some(None) => " and it does not fire",
                None => "",
            };
            let what = format!("{}: job `{id}` is invalid{instead}: {error}", at(&error));
            let hint =
                if book.is_some() { "correct the entry, then run `sched validate`" } else { "correct the entry" };
            problems.push(Problem::new(format!("entry-{id}"), what, hint).of_job(&id));
        }
        for (field, nearest) in unknown_fields(&entry.value) {
            let place = entry.place_of(Some(&field));
            let what = format!("{path}: {place}: job `{id}`: no such field: `{field}`");
            let hint = nearest.map_or_else(|| "remove it".to_owned(), |nearest| format!("did you mean `{nearest}`?"));
            problems.push(Problem::remark(format!("entry-{id}-{field}"), what, hint).of_job(&id));
        }
    }
    for (id, count) in again.into_iter().filter(|(_, count)| *count > FEW) {
        let what = format!("{path}: job `{id}` is there {} more times", count - FEW);
        let hint = "remove all of them but one, or give them other ids";
        problems.push(Problem::new(format!("entry-{id}-more"), what, hint).of_job(&id));
    }
    problems
}

/// A document in the course of an edit, with its entries by id: of two with one id the first counts.
pub(super) struct Sheet<'d> {
    document: &'d mut Document,
    places: BTreeMap<JobId, usize>,
    /// Taken out at the end, so that places stay what they are.
    gone: BTreeSet<JobId>,
    /// Whether anything on it has changed.
    pub(super) touched: bool,
}

impl<'d> Sheet<'d> {
    pub(super) fn new(document: &'d mut Document) -> Self {
        let mut places = BTreeMap::new();
        for (place, entry) in document.entries.iter().enumerate() {
            if let Ok(id) = entry_id(&entry.value) {
                places.entry(id).or_insert(place);
            }
        }
        Self { document, places, gone: BTreeSet::new(), touched: false }
    }

    /// Brings the document to its end; says whether it is another one now.
    pub(super) fn finish(self) -> bool {
        let stays = |id: Result<JobId, EntryError>| id.map_or(true, |id| !self.gone.contains(&id));
        self.document.entries.retain(|entry| stays(entry_id(&entry.value)));
        self.touched
    }
}

impl Paper for Sheet<'_> {
    fn entry(&self, id: &JobId) -> Option<&Value> {
        self.places.get(id).map(|place| &self.document.entries[*place].value)
    }

    fn put(&mut self, id: &JobId, entry: Value) {
        self.touched = true;
        let entry = Entry::new(entry);
        match self.places.get(id) {
            Some(place) => self.document.entries[*place] = entry,
            None => {
                self.places.insert(id.clone(), self.document.entries.len());
                self.document.entries.push(entry);
            }
        }
    }

    fn remove(&mut self, id: &JobId) {
        self.touched |= self.places.remove(id).is_some();
        self.gone.insert(id.clone());
    }
}
