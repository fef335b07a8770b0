//! The keeper compacts: when it is time, and the two steps of it that need the lock.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    super::{
        Mode,
        compaction::{Built, Compaction},
        journal::{Access, Caught, Journal},
        ledger_files,
    },
    Keeper,
};
use crate::{
    Error, ErrorKind, Result,
    vfs::{Lock, Open},
};

/// What may have been appended while a compaction was built: more than this is not copied under the lock.
const TAIL: u64 = 4 << 20;
/// How soon one that failed is tried again.
const AGAIN: Duration = Duration::from_mins(1);
/// A journal that is older than a day is compacted if it has grown to this: so the history is pruned every day.
const DAILY: u64 = 64 << 10;
const DAY_NS: i128 = 24 * 60 * 60 * 1_000_000_000;

/// Where the keeper stands with compaction.
#[derive(Debug, Default)]
pub(super) struct Compacting {
    /// Somebody has asked for it.
    asked_for: bool,
    /// Ends when the one under way does.
    under_way: Option<watch::Receiver<()>>,
    not_before: Option<Instant>,
    /// Why the last one failed, and when.
    failed: Option<(Timestamp, Error)>,
    snapshot_len: u64,
    stop: CancellationToken,
    /// The store is closed: none is begun.
    no_more: bool,
}

/// A compaction to be built, and what ends with it.
pub(in crate::store::json) struct Begun {
    pub(in crate::store::json) compaction: Compaction,
    pub(in crate::store::json) under_way: watch::Sender<()>,
}

impl Keeper {
    /// Makes the next compaction come now.
    pub(in crate::store::json) fn ask_for_compaction(&mut self) {
        self.compacting.asked_for = true;
    }

    /// Begins none from now on.
    pub(in crate::store::json) fn compact_no_more(&mut self) {
        self.compacting.no_more = true;
    }

    /// Ends with the compaction that is under way, if one is.
    pub(in crate::store::json) fn compaction_under_way(&self) -> Option<watch::Receiver<()>> {
        self.compacting.under_way.clone()
    }

    /// What ends the one under way early, and begins no more.
    pub(in crate::store::json) fn compaction_stop(&self) -> CancellationToken {
        self.compacting.stop.clone()
    }

    pub(in crate::store::json) fn failed_compaction(&self) -> Option<&(Timestamp, Error)> {
        self.compacting.failed.as_ref()
    }

    /// Begins one if it is time.
    pub(in crate::store::json) fn begin_compaction(&mut self) -> Option<Begun> {
        if !self.is_time_to_compact() {
            return None;
        }
        self.compacting.asked_for = false;
        match self.begin() {
            Ok(compaction) => {
                let (under_way, ends) = watch::channel(());
                self.compacting.under_way = Some(ends);
                Some(Begun { compaction, under_way })
            }
            Err(error) => {
                self.compaction_failed(error);
                None
            }
        }
    }

    fn is_time_to_compact(&self) -> bool {
        let Compacting { asked_for, under_way, not_before, snapshot_len, stop, no_more, .. } = &self.compacting;
        if *no_more {
            return false;
        }
        let Some(files) = self.files.as_ref().filter(|_| self.mode == Mode::Change && !self.distrusted) else {
            return false;
        };
        if under_way.is_some() || stop.is_cancelled() || *asked_for {
            return *asked_for && under_way.is_none() && !stop.is_cancelled();
        }
        let Some(bound) = self.compact_at.filter(|_| not_before.is_none_or(|then| Instant::now() >= then)) else {
            return false;
        };
        let len = files.journal.end();
        let age = self.clock.now().as_nanosecond() - files.manifest_stat.modified_ns;
        len > bound && len > *snapshot_len || len > DAILY.min(bound) && age > DAY_NS
    }

    fn begin(&mut self) -> Result<Compaction> {
        let path = self.home.compact_lock();
        let failed = |error| Error::io(format!("cannot lock {}", path.display()), error);
        let turn = self.fs.open(&path, Open::Create).map_err(failed)?;
        if !turn.try_lock(Lock::Exclusive).map_err(failed)? {
            return Err(Error::new(ErrorKind::Busy, "another process is at it"));
        }
        self.locked(|keeper| {
            // What goes into the snapshot must be durable where it comes from: nobody may take it back any more.
            let synced = keeper.files.as_mut().map_or(Ok(()), |files| files.journal.sync());
            synced.inspect_err(|_| keeper.distrusted = true)?;
            keeper.clear_up()?;
            let Some(files) = &keeper.files else { return Err(keeper.lost()) };
            Ok(Compaction {
                fs: keeper.fs.clone(),
                home: keeper.home.clone(),
                from: files.manifest.clone(),
                seq: files.journal.seq(),
                end: files.journal.end(),
                still: keeper.book.still(),
                retention: keeper.retention,
                now: keeper.clock.now(),
                stop: keeper.compacting.stop.clone(),
                turn,
            })
        })
    }

    /// Removes what earlier generations and unfinished compactions have left. Under the lock, and as the only compactor.
    fn clear_up(&self) -> Result<()> {
        let Some(files) = &self.files else { return Ok(()) };
        let manifest = &files.manifest;
        let (journal, snapshot) = (manifest.generation, manifest.compacted);
        let counts = |name: &str| {
            let snapshot_of = || name.strip_prefix("snapshot.")?.strip_suffix(".jsonl")?.parse::<u64>().ok();
            match name.strip_prefix("journal.").and_then(|number| number.parse::<u64>().ok()) {
                Some(number) => number == journal,
                None => snapshot_of().is_none_or(|number| Some(number) == snapshot),
            }
        };
        for name in self.fs.list(&self.home.state()).unwrap_or_default().iter().filter(|name| !counts(name)) {
            let _ = self.fs.remove(&self.home.state().join(name));
        }
        ledger_files::clean(&*self.fs, &self.home, manifest.compacted)
    }

    /// Makes what was built the generation that counts, with what was appended meanwhile.
    ///
    /// # Errors
    /// Why it can't be; nothing has changed then.
    pub(in crate::store::json) fn switch_to(&mut self, built: Built) -> Result<Built> {
        self.locked(|keeper| keeper.switch(&built))?;
        Ok(built)
    }

    /// The one that was under way is over.
    pub(in crate::store::json) fn end_compaction(&mut self, ended: Result<()>) {
        self.compacting.under_way = None;
        match ended {
            Ok(()) => {
                self.compacting.failed = None;
                self.compacting.not_before = None;
            }
            Err(error) => self.compaction_failed(error),
        }
    }

    fn switch(&mut self, built: &Built) -> Result<()> {
        let Some(files) = &mut self.files else { return Ok(()) };
        let changed = |what: &str| Error::new(ErrorKind::Changed, what);
        if files.manifest != built.from {
            return Err(changed("somebody else has begun a new generation meanwhile"));
        }
        if files.journal.end() - built.end > TAIL {
            return Err(changed("more was written meanwhile than can be copied in a moment"));
        }
        let tail = files.journal.content(built.end)?;
        let path = self.home.journal(built.to.generation);
        let failed = |error| Error::io(format!("cannot write {}", path.display()), error);
        let file = self.fs.open(&path, Open::Create).map_err(failed)?;
        file.set_len(0).and_then(|()| file.write_all_at(&tail, 0)).and_then(|()| file.sync()).map_err(failed)?;
        self.fs.sync_dir(&self.home.state()).map_err(failed)?;
        // Should this fail, it can't be known which generation a power loss would leave.
        built.to.write(&*self.fs, &self.home).inspect_err(|_| self.distrusted = true)?;
        for old in [Some(self.home.journal(built.from.generation)), built.from.compacted.map(|n| self.home.snapshot(n))]
        {
            let _ = old.map(|old| self.fs.remove(&old));
        }
        self.go_on_with(built, file, path)
    }

    /// The book is the same; only the files are others.
    fn go_on_with(
        &mut self,
        built: &Built,
        file: Box<dyn crate::vfs::VfsFile>,
        path: std::path::PathBuf,
    ) -> Result<()> {
        let manifest = self.home.manifest();
        let stat = self.fs.stat(&manifest).map_err(|error| Error::io("cannot look at MANIFEST", error))?;
        let Some(files) = &mut self.files else { return Ok(()) };
        let before = files.journal.seq();
        let mut journal = Journal::new(path, file, built.seq, self.end.clone());
        if journal.catch_up(Access::Alone, |_| {})? != Caught::Up || journal.seq() != before {
            return Err(Error::new(ErrorKind::Corrupt, "the new journal isn't what was copied into it"));
        }
        files.manifest = built.to.clone();
        files.manifest_stat = stat;
        files.journal = journal;
        self.compacting.snapshot_len =
            self.fs.stat(&self.home.snapshot(built.to.generation)).map_or(0, |stat| stat.len);
        tracing::debug!(generation = built.to.generation, "the journal was compacted");
        Ok(())
    }

    fn compaction_failed(&mut self, error: Error) {
        self.compacting.not_before = Some(Instant::now() + AGAIN);
        match error.kind() {
            ErrorKind::Busy | ErrorKind::Changed | ErrorKind::Stopping => tracing::debug!(%error, "no compaction now"),
            _ => {
                tracing::warn!(%error, home = %self.home.path().display(), "the journal can't be compacted");
                self.compacting.failed = Some((self.clock.now(), error));
            }
        }
    }

    /// Notes how long the snapshot is that was read.
    pub(super) fn note_snapshot(&mut self) {
        let compacted = self.files.as_ref().and_then(|files| files.manifest.compacted);
        let len = compacted.and_then(|generation| self.fs.stat(&self.home.snapshot(generation)).ok());
        self.compacting.snapshot_len = len.map_or(0, |stat| stat.len);
    }
}
