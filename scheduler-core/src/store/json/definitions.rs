//! Definitions on their way from `jobs.json` into the journal.
//!
//! Planning uses the journal's definitions only. This file decides what a text of `jobs.json` means for them: what is new,
//! what has changed, what is gone, and what can't be taken in, in which case the last good definition stays in force.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::{
    super::{
        Problem,
        book::Book,
        event::Event,
        transactions::{Paper, Transaction},
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

/// Brings the definitions in force in line with `document`.
pub(super) fn take_in(transaction: &mut Transaction<'_>, document: &Document, hash: String) {
    let mut named = BTreeSet::new();
    let mut all_readable = true;
    for entry in &document.entries {
        match entry_id(&entry.value) {
            // Of two entries with one id the first counts.
            Ok(id) if !named.insert(id.clone()) => {}
            // An invalid entry is not a removal: what was in force stays.
            Ok(id) => drop(transaction.define(&id, &entry.value)),
            Err(_) => all_readable = false,
        }
    }
    // While it can't be known whose entry one is, nothing may be taken for removed.
    if all_readable {
        let gone: Vec<JobId> =
            transaction.book.jobs().map(|(id, _)| id.clone()).filter(|id| !named.contains(id)).collect();
        if document.entries.is_empty() && !gone.is_empty() {
            tracing::warn!(jobs = gone.len(), "jobs.json lists no jobs any more: all of them are removed");
        }
        for id in &gone {
            transaction.remove(id);
        }
    }
    transaction.emit(Event::Definitions { hash });
}

/// What an operator has to put right in `document`; what is in force instead is known where there is a `book`.
pub(super) fn problems(path: &str, document: &Document, defaults: &JobDefaults, book: Option<&Book>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut first = BTreeMap::new();
    for entry in &document.entries {
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
