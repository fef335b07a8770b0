//! The history as the files tell it, newest first as far as it is wanted: the journal, and before it the ledger's files.

use std::{
    collections::VecDeque,
    ops::ControlFlow,
    sync::{Arc, atomic::AtomicU64},
};

use super::{
    super::{LedgerEntry, LedgerQuery, book::Book},
    generation,
    journal::Access,
    ledger_files::{self, day_of},
};
use crate::{
    Home, Result,
    vfs::{Open, Vfs},
};

pub(super) fn scan(fs: &dyn Vfs, home: &Home, query: &LedgerQuery) -> Result<Vec<LedgerEntry>> {
    let Some(files) = generation::open(fs, home, Open::Read)? else { return Ok(Vec::new()) };
    let mut book = Book::of_occurrences();
    let (manifest, _, mut journal) =
        files.restore(Arc::new(AtomicU64::new(0)), is_open_occurrence, |line| book.restore(line))?;
    let mut recent = VecDeque::new();
    journal.catch_up(Access::Beside, |event| {
        book.apply(&event, &mut |entry| {
            if query.wants(&entry) {
                recent.push_back(entry);
                if query.last.is_some_and(|last| recent.len() > last) {
                    recent.pop_front();
                }
            }
        });
    })?;
    let missing = query.last.map_or(usize::MAX, |last| last - recent.len());
    let mut entries = older(fs, home, manifest.compacted, query, missing)?;
    entries.extend(recent);
    Ok(entries)
}

/// Whether a line of a snapshot is what entries of the history may yet come of.
pub(super) fn is_open_occurrence(line: &[u8]) -> bool {
    line.starts_with(b"{\"open\":")
}

/// Of what compactions have filed, the newest `most` that are wanted, oldest first.
fn older(
    fs: &dyn Vfs,
    home: &Home,
    compacted: Option<u64>,
    query: &LedgerQuery,
    most: usize,
) -> Result<Vec<LedgerEntry>> {
    let mut found = Vec::new();
    if most == 0 {
        return Ok(found);
    }
    let first_day = query.since.map(day_of);
    let sieve = Sieve::of(query);
    for file in ledger_files::list(fs, home, compacted)?.into_iter().rev() {
        if first_day.is_some_and(|first| file.day < first) {
            continue;
        }
        let enough = file.last_first(fs, home, |line| {
            if sieve.holds_back(line) {
                return ControlFlow::Continue(());
            }
            match serde_json::from_slice::<LedgerEntry>(line) {
                Ok(entry) if query.wants(&entry) => found.push(entry),
                Ok(_) => {}
                // One bad line must not hide the rest.
                Err(error) => {
                    tracing::warn!(%error, file = %file.path(home).display(), "passed over a line that can't be read");
                }
            }
            if found.len() == most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if enough.is_break() {
            break;
        }
    }
    found.reverse();
    Ok(found)
}

/// Tells by their text most of the lines that aren't wanted: reading one costs fifty times as much.
struct Sieve {
    begin: String,
    run: Option<String>,
    ends: Vec<String>,
}

impl Sieve {
    fn of(query: &LedgerQuery) -> Self {
        let job = |job| format!("{{\"job\":\"{job}\",");
        Self {
            begin: query.job.as_ref().map(job).unwrap_or_default(),
            run: query.run.as_ref().map(|run| format!("\"run\":\"{run}\"")),
            ends: query.ends.iter().map(|word| format!("\"{word}\"")).collect(),
        }
    }

    fn holds_back(&self, line: &[u8]) -> bool {
        if !line.starts_with(self.begin.as_bytes()) {
            return true;
        }
        let Ok(text) = std::str::from_utf8(line) else { return false };
        let is_run = self.run.as_ref().is_none_or(|run| text.contains(run));
        // A gap is written with the reason why it was skipped, not with the word for it.
        let ends_so = || self.ends.iter().any(|word| text.contains(word)) || text.contains("\"gap\"");
        !is_run || !self.ends.is_empty() && !ends_so()
    }
}
