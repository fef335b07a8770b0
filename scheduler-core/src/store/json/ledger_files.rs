//! `state/ledger`: what compaction moves out of the journal for good.
//!
//! | file | holds |
//! |---|---|
//! | `<day>.<generation>.jsonl` | entries of the history that were written on that day (UTC), oldest first |
//! | `definitions.<generation>.jsonl` | events that tell which instants jobs owed: what a look at the past judges by |
//!
//! The generation is the one that the compaction began. A file counts if MANIFEST says that this compaction, or a later one,
//! has come to its end; so what a crashed one left is nobody's, and no entry is ever there twice.

use std::{collections::HashMap, io, ops::ControlFlow, path::PathBuf};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{
    super::{LedgerEntry, event::Event},
    lines::{LineWriter, first_first, last_first},
};
use crate::{
    Error, ErrorKind, Home, Result,
    vfs::{Open, Vfs, VfsFile},
};

/// A file of the history. Ordered by age.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LedgerFile {
    pub(super) generation: u64,
    pub(super) day: Date,
}

/// The day that something written at `at` is filed under.
pub(super) fn day_of(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

impl LedgerFile {
    pub(super) fn path(&self, home: &Home) -> PathBuf {
        home.ledger().join(format!("{}.{}.jsonl", self.day, self.generation))
    }

    /// Hands its lines to `take`, newest first. A file that has been pruned meanwhile has none.
    pub(super) fn last_first(
        &self,
        fs: &dyn Vfs,
        home: &Home,
        take: impl FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>> {
        self.read(fs, home, |file| last_first(file, take))
    }

    /// Hands its lines to `take`, oldest first; `read` is told how many bytes have been read.
    pub(super) fn first_first(
        &self,
        fs: &dyn Vfs,
        home: &Home,
        read: impl Fn(u64),
        take: impl FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>> {
        self.read(fs, home, |file| first_first(file, read, take))
    }

    fn read(
        &self,
        fs: &dyn Vfs,
        home: &Home,
        read: impl FnOnce(&dyn VfsFile) -> io::Result<ControlFlow<()>>,
    ) -> Result<ControlFlow<()>> {
        let path = self.path(home);
        let read = match fs.open(&path, Open::Read) {
            Ok(file) => read(&*file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(ControlFlow::Continue(())),
            Err(error) => Err(error),
        };
        read.map_err(|error| Error::io(format!("cannot read {}", path.display()), error))
    }
}

/// The files of the history up to the compaction `compacted`, oldest first.
pub(super) fn list(fs: &dyn Vfs, home: &Home, compacted: Option<u64>) -> Result<Vec<LedgerFile>> {
    let Some(compacted) = compacted else { return Ok(Vec::new()) };
    let mut files: Vec<LedgerFile> = names(fs, home)?.iter().filter_map(|name| parse(name)).collect();
    files.retain(|file| file.generation <= compacted);
    files.sort_unstable();
    Ok(files)
}

/// Hands the events about definitions that compactions up to `compacted` have filed to `take`, oldest first.
pub(super) fn definition_events(
    fs: &dyn Vfs,
    home: &Home,
    compacted: Option<u64>,
    mut take: impl FnMut(Event),
) -> Result<()> {
    for path in definitions(fs, home, compacted)? {
        let mut unknown = None;
        let read = fs.open(&path, Open::Read).and_then(|file| {
            first_first(
                &*file,
                |_| {},
                |line| match serde_json::from_slice(line) {
                    Ok(event) => {
                        take(event);
                        ControlFlow::Continue(())
                    }
                    Err(error) => {
                        unknown = Some(error);
                        ControlFlow::Break(())
                    }
                },
            )
        });
        let _ = read.map_err(|error| Error::io(format!("cannot read {}", path.display()), error))?;
        if let Some(error) = unknown {
            let what = format!("{} holds a line that this build can't read: {error}", path.display());
            let hint = "if a newer sched wrote it, use that one; nothing fires by this file, it only explains the past";
            return Err(Error::new(ErrorKind::TooNew, what).hint(hint));
        }
    }
    Ok(())
}

/// The names of all files up to the compaction `compacted`.
pub(super) fn that_count(fs: &dyn Vfs, home: &Home, compacted: Option<u64>) -> Result<Vec<String>> {
    let mut names = names(fs, home)?;
    names.retain(|name| generation_of(name).is_some_and(|generation| Some(generation) <= compacted));
    Ok(names)
}

/// The files with events about definitions up to the compaction `compacted`, oldest first.
pub(super) fn definitions(fs: &dyn Vfs, home: &Home, compacted: Option<u64>) -> Result<Vec<PathBuf>> {
    let mut names = that_count(fs, home, compacted)?;
    names.retain(|name| name.starts_with("definitions."));
    names.sort_by_key(|name| generation_of(name));
    Ok(names.iter().map(|name| home.ledger().join(name)).collect())
}

/// Removes what compactions after `compacted` have left unfinished.
pub(super) fn clean(fs: &dyn Vfs, home: &Home, compacted: Option<u64>) -> Result<()> {
    for name in names(fs, home)? {
        if generation_of(&name).is_some_and(|generation| compacted.is_none_or(|compacted| generation > compacted)) {
            let path = home.ledger().join(&name);
            fs.remove(&path).map_err(|error| Error::io(format!("cannot remove {}", path.display()), error))?;
        }
    }
    Ok(())
}

fn names(fs: &dyn Vfs, home: &Home) -> Result<Vec<String>> {
    match fs.list(&home.ledger()) {
        Ok(names) => Ok(names),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Error::io(format!("cannot list {}", home.ledger().display()), error)),
    }
}

fn parse(name: &str) -> Option<LedgerFile> {
    let generation = generation_of(name)?;
    let day = name.split('.').next()?.parse().ok()?;
    Some(LedgerFile { generation, day })
}

/// The generation in the name of a file of the ledger.
pub(super) fn generation_of(name: &str) -> Option<u64> {
    name.strip_suffix(".jsonl")?.rsplit_once('.')?.1.parse().ok()
}

/// The files of one compaction, being written.
pub(super) struct LedgerWriter<'f> {
    fs: &'f dyn Vfs,
    home: &'f Home,
    generation: u64,
    /// The day that is being written, and how long those before it became: a clock that was set back returns to one.
    today: Option<(Date, LineWriter)>,
    lengths: HashMap<Date, u64>,
    definitions: Option<LineWriter>,
    line: Vec<u8>,
}

impl<'f> LedgerWriter<'f> {
    pub(super) fn new(fs: &'f dyn Vfs, home: &'f Home, generation: u64) -> Result<Self> {
        let failed = |error| Error::io(format!("cannot make {}", home.ledger().display()), error);
        fs.create_dir_all(&home.ledger()).map_err(failed)?;
        let (lengths, line) = (HashMap::new(), Vec::new());
        Ok(Self { fs, home, generation, today: None, lengths, definitions: None, line })
    }

    /// Files an entry of the history.
    pub(super) fn entry(&mut self, entry: &LedgerEntry) -> Result<()> {
        let day = day_of(entry.at);
        if self.today.as_ref().is_none_or(|(today, _)| *today != day) {
            self.end_day()?;
            let path = LedgerFile { generation: self.generation, day }.path(self.home);
            let len = self.lengths.get(&day).copied().unwrap_or(0);
            self.today = Some((day, LineWriter::open(self.fs, path, len)?));
        }
        self.line.clear();
        serde_json::to_writer(&mut self.line, entry).expect("entries are JSON");
        self.line.push(b'\n');
        match &mut self.today {
            Some((_, file)) => file.push(&self.line),
            None => Ok(()),
        }
    }

    /// Files an event about definitions.
    pub(super) fn definition(&mut self, event: &Event) -> Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, event).expect("events are JSON");
        self.line.push(b'\n');
        let file = match &mut self.definitions {
            Some(file) => file,
            none => {
                let path = self.home.ledger().join(format!("definitions.{}.jsonl", self.generation));
                none.insert(LineWriter::open(self.fs, path, 0)?)
            }
        };
        file.push(&self.line)
    }

    fn end_day(&mut self) -> Result<()> {
        if let Some((day, file)) = self.today.take() {
            self.lengths.insert(day, file.finish()?);
        }
        Ok(())
    }

    /// Makes all of it durable.
    pub(super) fn finish(mut self) -> Result<()> {
        self.end_day()?;
        if let Some(definitions) = self.definitions.take() {
            definitions.finish()?;
        }
        let failed = |error| Error::io(format!("cannot sync {}", self.home.ledger().display()), error);
        self.fs.sync_dir(&self.home.ledger()).map_err(failed)
    }
}
