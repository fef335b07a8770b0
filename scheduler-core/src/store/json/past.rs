//! All that a home has on record, for a look back: definitions since its first day, entries as far as they are kept.

use std::{
    ops::ControlFlow,
    sync::{Arc, atomic::AtomicU64},
};

use jiff::{Timestamp, tz::TimeZone};

use super::{
    super::{LedgerEntry, book::Book},
    generation,
    journal::Access,
    ledger_files::{self, day_of},
    manifest::Manifest,
};
use crate::{
    Home, JobId, Result,
    audit::{Lives, Testimony, Told},
    job::JobDefaults,
    vfs::{Open, Vfs},
};

/// The record of a home as it was at one moment.
pub(super) struct Past<'f> {
    fs: &'f dyn Vfs,
    home: &'f Home,
    /// `None` where no store has been made.
    manifest: Option<Manifest>,
    lives: Lives,
    book: Book,
    /// Entries that are in the journal.
    recent: Vec<LedgerEntry>,
}

/// Hands the record of `home` to `look`. What is filed or pruned while it looks makes it look again.
pub(super) fn look_back<T>(
    fs: &dyn Vfs,
    home: &Home,
    defaults: &Arc<JobDefaults>,
    look: impl Fn(&Past<'_>) -> Result<T>,
) -> Result<T> {
    loop {
        let past = Past::read(fs, home, defaults)?;
        let answer = look(&past)?;
        let now = Manifest::read(fs, home)?;
        let of = |manifest: Option<&Manifest>| manifest.map(|manifest| (manifest.compacted, manifest.kept_from));
        if of(now.as_ref()) == of(past.manifest.as_ref()) {
            return Ok(answer);
        }
    }
}

impl<'f> Past<'f> {
    fn read(fs: &'f dyn Vfs, home: &'f Home, defaults: &Arc<JobDefaults>) -> Result<Self> {
        let mut lives = Lives::new(Arc::clone(defaults));
        let mut book = Book::new(Arc::clone(defaults));
        let mut recent = Vec::new();
        let Some(files) = generation::open(fs, home, Open::Read)? else {
            return Ok(Self { fs, home, manifest: None, lives, book, recent });
        };
        let nowhere = Arc::new(AtomicU64::new(0));
        let (manifest, _, mut journal) = files.restore(nowhere, |_| true, |line| book.restore(line))?;
        ledger_files::definition_events(fs, home, manifest.compacted, |event| lives.take(event))?;
        journal.catch_up(Access::Beside, |event| {
            book.apply(&event, &mut |entry| recent.push(entry));
            if event.is_about_definitions() {
                lives.take(event);
            }
        })?;
        Ok(Self { fs, home, manifest: Some(manifest), lives, book, recent })
    }
}

impl Testimony for Past<'_> {
    fn lives(&self) -> &Lives {
        &self.lives
    }

    fn book(&self) -> &Book {
        &self.book
    }

    fn kept_since(&self) -> Option<Timestamp> {
        let day = self.manifest.as_ref()?.kept_from?;
        day.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    }

    fn entries(
        &self,
        since: Timestamp,
        only: Option<&JobId>,
        progress: &dyn Fn(u64, u64),
        take: &mut dyn FnMut(Told<'_>) -> ControlFlow<()>,
    ) -> Result<()> {
        let (first_day, begin) = (day_of(since), only.map(|job| format!("{{\"job\":\"{job}\",")));
        let begin = begin.unwrap_or_default();
        let mut files = ledger_files::list(self.fs, self.home, self.manifest.as_ref().and_then(|m| m.compacted))?;
        files.retain(|file| file.day >= first_day);
        let len = |file: &ledger_files::LedgerFile| self.fs.stat(&file.path(self.home)).map_or(0, |stat| stat.len);
        let lengths: Vec<u64> = files.iter().map(len).collect();
        let (all, mut before) = (lengths.iter().sum(), 0);
        for (file, length) in files.iter().zip(lengths) {
            let read = |at| progress(before + at, all);
            let enough = file.first_first(self.fs, self.home, read, |line| {
                if line.starts_with(begin.as_bytes()) { take(Told::Line(line)) } else { ControlFlow::Continue(()) }
            })?;
            if enough.is_break() {
                return Ok(());
            }
            before += length;
        }
        let _ = self.recent.iter().try_for_each(|entry| take(Told::Entry(entry)));
        Ok(())
    }
}
