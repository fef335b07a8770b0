//! The history as the files tell it: the journal read from its beginning, beside whoever writes it.

use std::{
    collections::VecDeque,
    sync::{Arc, atomic::AtomicU64},
};

use super::{
    super::{LedgerEntry, LedgerQuery, book::Book},
    journal::{Access, Journal},
    manifest::Manifest,
};
use crate::{
    Home, Result,
    job::JobDefaults,
    vfs::{Open, Vfs},
};

pub(super) fn scan(fs: &dyn Vfs, home: &Home, query: &LedgerQuery) -> Result<Vec<LedgerEntry>> {
    let Some(manifest) = Manifest::read(fs, home)? else { return Ok(Vec::new()) };
    let mut journal = Journal::open(fs, home.journal(manifest.generation), Open::Read, Arc::new(AtomicU64::new(0)))?;
    let mut book = Book::new(Arc::new(JobDefaults::default()));
    let mut wanted = VecDeque::new();
    journal.catch_up(Access::Beside, |event| {
        book.apply(&event, &mut |entry| {
            if query.wants(&entry) {
                wanted.push_back(entry);
                if query.last.is_some_and(|last| wanted.len() > last) {
                    wanted.pop_front();
                }
            }
        });
    })?;
    Ok(wanted.into())
}
