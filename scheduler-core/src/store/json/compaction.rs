//! Compaction: a new generation whose snapshot stands for all that came before it, and whose journal is short.
//!
//! Four steps. The keeper takes a still of its book under the lock, which costs a pointer a job. What is written here, by
//! a thread of its own and under no lock, counts for nobody yet: the files of the ledger, the snapshot. Then the keeper,
//! under the lock again, copies what was appended meanwhile and switches MANIFEST. Last, under no lock, what isn't kept of the
//! history any more is pruned: MANIFEST says by then that it may be missing. Whenever it stops before the switch, the old
//! generation stands as it stood, and the next compaction clears up.

use std::sync::{Arc, atomic::AtomicU64};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{
    super::{
        LedgerEntry,
        book::{Book, Still},
        event::Event,
    },
    generation,
    history::is_open_occurrence,
    ledger_files::LedgerWriter,
    manifest::Manifest,
    retention::{self, Retention},
    snapshot,
};
use crate::{
    Error, ErrorKind, Home, Result,
    vfs::{Open, Vfs, VfsFile},
};

/// A compaction that has been begun.
pub(super) struct Compaction {
    pub(super) fs: Arc<dyn Vfs>,
    pub(super) home: Home,
    /// What it starts from, and how far into its journal: the frame, and the byte after it.
    pub(super) from: Manifest,
    pub(super) seq: u64,
    pub(super) end: u64,
    pub(super) still: Still,
    pub(super) retention: Retention,
    pub(super) now: Timestamp,
    /// Ends it early: it is not worth waiting for when the program ends.
    pub(super) stop: CancellationToken,
    /// Held for as long as it takes, so that there is one at a time.
    pub(super) turn: Box<dyn VfsFile>,
}

/// A compaction whose files are written and durable, and that nobody goes by yet.
pub(super) struct Built {
    fs: Arc<dyn Vfs>,
    home: Home,
    pub(super) from: Manifest,
    pub(super) to: Manifest,
    /// How far into the old journal it goes: the frame, and the byte after it.
    pub(super) seq: u64,
    pub(super) end: u64,
    _turn: Box<dyn VfsFile>,
}

impl Built {
    /// Prunes what isn't kept any more. Not before MANIFEST says from when on the history is whole: whoever looks back would
    /// miss what is gone.
    ///
    /// # Errors
    /// Why a file can't be changed; what is left goes with the next day that isn't kept.
    pub(super) fn prune(&self) -> Result<()> {
        match self.to.kept_from.filter(|_| self.to.kept_from != self.from.kept_from) {
            Some(kept_from) => retention::prune(&*self.fs, &self.home, self.to.compacted, kept_from),
            None => Ok(()),
        }
    }
}

impl Compaction {
    /// Writes everything that can be written without the lock.
    ///
    /// # Errors
    /// Why a file can't be written or read, `Stopping` if it was to end early; nothing has changed then.
    pub(super) fn build(self) -> Result<Built> {
        let generation = self.from.generation + 1;
        let kept_from = retention::kept_from(&*self.fs, &self.home, &self.from, self.retention, self.now)?;
        self.file_the_past(generation)?;
        self.go_on()?;
        snapshot::write(&*self.fs, self.home.snapshot(generation), self.seq, self.still)?;
        let to = Manifest {
            format: super::manifest::FORMAT,
            generation,
            compacted: Some(generation),
            kept_from,
            ..self.from.clone()
        };
        Ok(Built { fs: self.fs, home: self.home, from: self.from, to, seq: self.seq, end: self.end, _turn: self.turn })
    }

    /// Moves what the old journal tells of the past into files of its own.
    fn file_the_past(&self, generation: u64) -> Result<()> {
        let moved = || Error::new(ErrorKind::Changed, "somebody else has begun a new generation meanwhile");
        let files = generation::open(&*self.fs, &self.home, Open::Read)?.ok_or_else(moved)?;
        if files.manifest != self.from {
            return Err(moved());
        }
        let mut book = Book::of_occurrences();
        let nowhere = Arc::new(AtomicU64::new(0));
        let (_, _, mut journal) = files.restore(nowhere, is_open_occurrence, |line| book.restore(line))?;
        let mut writer = LedgerWriter::new(&*self.fs, &self.home, generation)?;
        let mut written = Ok(());
        let mut closed: Vec<LedgerEntry> = Vec::new();
        journal.read_until(self.end, |event: Event| {
            if written.is_err() {
                return;
            }
            book.apply(&event, &mut |entry| closed.push(entry));
            written = self.go_on();
            if written.is_ok() && event.is_about_definitions() {
                written = writer.definition(&event);
            }
            for entry in closed.drain(..) {
                written = std::mem::replace(&mut written, Ok(())).and_then(|()| writer.entry(&entry));
            }
        })?;
        written?;
        if journal.end() != self.end {
            return Err(moved());
        }
        writer.finish()
    }

    fn go_on(&self) -> Result<()> {
        if self.stop.is_cancelled() {
            return Err(Error::new(ErrorKind::Stopping, "the program ends"));
        }
        Ok(())
    }
}
