//! The one who holds the pen: the files of the store and the book they add up to, used by one thread.
//!
//! Every change runs the same way: take `state/lock`, read what others wrote, take in `jobs.json` if it is another one, let
//! the transactions compare and emit, write one frame, sync, give the lock back. Nothing is written without the lock, and
//! nothing that could not be written stays in the book.
//!
//! `jobs_json` is what concerns that file, `look` what only looks, `compact` how the journal is kept short.

mod compact;
mod jobs_json;
mod look;

use std::{
    io,
    sync::{Arc, atomic::AtomicU64},
};

pub(super) use self::compact::Begun;
use self::{compact::Compacting, jobs_json::Seen};
use super::{
    super::{book::Book, event::Event, transactions::Transaction},
    DAMAGED, JsonStoreOptions, Mode,
    document::Document,
    generation,
    journal::{Access, Caught, Journal},
    manifest::{Manifest, UNCOMPACTED},
    owners::{Coroner, Ownership},
    retention::Retention,
};
use crate::{
    Clock, Error, ErrorKind, Home, OwnerId, Result,
    job::JobDefaults,
    vfs::{Lock, Open, Stat, Vfs, VfsFile, atomic_write},
};

pub(in crate::store::json) struct Keeper {
    fs: Arc<dyn Vfs>,
    clock: Arc<dyn Clock>,
    home: Home,
    mode: Mode,
    owner: Ownership,
    /// `None` for a reader of a home in which no store has been made.
    files: Option<Files>,
    book: Book,
    /// The `jobs.json` that was looked at last.
    seen: Option<Seen>,
    end: Arc<AtomicU64>,
    /// Set while a sync has failed and what it was for could not yet be moved to a new generation.
    distrusted: bool,
    /// How long a journal may become, in bytes.
    compact_at: Option<u64>,
    retention: Retention,
    compacting: Compacting,
}

/// The refusal of a home that was made on the machine `theirs`.
pub(in crate::store::json) fn another_machines(home: &Home, theirs: &str) -> Error {
    let what = format!("{} belongs to another machine ({theirs})", home.path().display());
    Error::new(ErrorKind::Invalid, what)
        .hint("if this is a move and nothing runs there any more: `sched run --adopt`, or SCHED_ADOPT=1")
}

struct Files {
    manifest: Manifest,
    manifest_stat: Stat,
    journal: Journal,
    lock: Option<Box<dyn VfsFile>>,
}

/// A change that waits for its turn.
pub(in crate::store::json) trait Work: Send {
    /// Compares and emits.
    fn run(&mut self, transaction: &mut Transaction<'_>, coroner: &Coroner<'_>);
    /// Answers whoever waits, when it is durable or has failed.
    fn answer(self: Box<Self>, result: Result<(), &Error>);
    /// Whether nobody waits any more.
    fn is_expired(&self) -> bool;
}

impl Keeper {
    pub(in crate::store::json) fn open(
        options: &JsonStoreOptions,
        owner: OwnerId,
        end: Arc<AtomicU64>,
    ) -> Result<Self> {
        let mut keeper = Self {
            fs: Arc::clone(&options.fs),
            clock: Arc::clone(&options.clock),
            home: options.home.clone(),
            mode: options.mode,
            owner: Ownership::new(Arc::clone(&options.fs), options.home.clone(), owner),
            files: None,
            book: Book::new(Arc::new(options.defaults.clone())),
            seen: None,
            end,
            distrusted: false,
            compact_at: options.compact_at,
            retention: options.retention,
            compacting: Compacting::default(),
        };
        if options.mode == Mode::Change {
            keeper.make(options)?;
        }
        keeper.reload()?;
        keeper.check_machine(options)?;
        Ok(keeper)
    }

    /// Makes what isn't there yet.
    fn make(&mut self, options: &JsonStoreOptions) -> Result<()> {
        let home = self.home.clone();
        for folder in [home.path().to_owned(), home.state(), home.owners(), home.heartbeats(), home.runs()] {
            let failed = |error| Error::io(format!("cannot make {}", folder.display()), error);
            self.fs.create_dir_all(&folder).map_err(failed)?;
        }
        if Manifest::read(&*self.fs, &home)?.is_some() {
            return Ok(());
        }
        let lock = self.open_lock()?;
        lock.lock(Lock::Exclusive).map_err(|error| Error::io("cannot take state/lock", error))?;
        // Somebody else may have made it while this process waited.
        if Manifest::read(&*self.fs, &home)?.is_none() {
            // An empty one is what is left of a home that could not be made for want of space: nothing is lost with it.
            let holds_something = |name: &str| self.fs.stat(&home.state().join(name)).is_ok_and(|stat| stat.len > 0);
            let is_ours = |name: &str| name.starts_with("journal.") || name.starts_with("snapshot.");
            let names = self.fs.list(&home.state()).unwrap_or_default();
            if let Some(orphan) = names.iter().find(|name| is_ours(name) && holds_something(name)) {
                let what = format!("{} is missing beside {orphan}", home.manifest().display());
                return Err(Error::new(ErrorKind::Corrupt, what).hint(DAMAGED));
            }
            let failed = |error| Error::io(format!("cannot make a store in {}", home.path().display()), error);
            self.fs.open(&home.journal(1), Open::Create).and_then(|journal| journal.sync()).map_err(failed)?;
            if self.fs.stat(&home.jobs_json()).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
                atomic_write(&*self.fs, &home.jobs_json(), Document::default().text().as_bytes(), None)
                    .map_err(failed)?;
            }
            self.sync_names().map_err(failed)?;
            let store_id = OwnerId::random(self.clock.now()).to_string();
            let machine_id = options.machine_id.clone();
            let format = UNCOMPACTED;
            let manifest = Manifest { format, store_id, machine_id, generation: 1, compacted: None, kept_from: None };
            manifest.write(&*self.fs, &home)?;
        }
        lock.unlock().map_err(|error| Error::io("cannot give state/lock back", error))
    }

    /// Makes the way to what was made durable. Without the names of the folders a power cut could take the whole store, and
    /// with it the starts that it answered; a manifest without its journal could never be opened again.
    fn sync_names(&self) -> io::Result<()> {
        if let Some(above) = self.home.path().parent() {
            use io::ErrorKind::{InvalidInput, PermissionDenied, ReadOnlyFilesystem, Unsupported};
            match self.fs.sync_dir(above) {
                // Somebody else's folder, which holds a home that was there before.
                Err(error)
                    if matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem | InvalidInput | Unsupported) => {}
                answer => answer?,
            }
        }
        self.fs.sync_dir(self.home.path())?;
        self.fs.sync_dir(&self.home.state())
    }

    fn open_lock(&self) -> Result<Box<dyn VfsFile>> {
        let path = self.home.lock();
        self.fs.open(&path, Open::Create).map_err(|error| Error::io(format!("cannot open {}", path.display()), error))
    }

    /// A copied home would fire everything a second time: it must be adopted by its new machine, on purpose.
    fn check_machine(&mut self, options: &JsonStoreOptions) -> Result<()> {
        let Some(files) = &mut self.files else { return Ok(()) };
        let theirs = files.manifest.machine_id.clone();
        let (Some(theirs), Some(ours)) = (theirs, &options.machine_id) else { return Ok(()) };
        if theirs == *ours || self.mode == Mode::Look {
            return Ok(());
        }
        if !options.adopt {
            return Err(another_machines(&self.home, &theirs));
        }
        files.manifest.machine_id = Some(ours.clone());
        files.manifest.write(&*self.fs, &self.home)?;
        tracing::warn!(from = theirs, "this home was adopted from another machine");
        Ok(())
    }

    /// What holds for jobs that don't say otherwise.
    pub(in crate::store::json) fn defaults(&self) -> Arc<JobDefaults> {
        Arc::clone(self.book.defaults())
    }

    pub(in crate::store::json) fn set_defaults(&mut self, defaults: JobDefaults) {
        self.book.set_defaults(Arc::new(defaults));
    }

    pub(in crate::store::json) fn set_retention(&mut self, retention: Retention) {
        self.retention = retention;
    }

    /// Forgets everything and reads it again.
    fn reload(&mut self) -> Result<()> {
        let lock = self.files.take().and_then(|files| files.lock);
        self.book = Book::new(Arc::clone(self.book.defaults()));
        self.seen = None;
        let how = if self.mode == Mode::Change { Open::ReadWrite } else { Open::Read };
        let generation = match (generation::open(&*self.fs, &self.home, how)?, self.mode) {
            (Some(generation), _) => generation,
            (None, Mode::Look) => return Ok(()),
            // It was made before anything else was done, so somebody has taken it away.
            (None, Mode::Change) => return Err(self.lost()),
        };
        let book = &mut self.book;
        let (manifest, manifest_stat, journal) =
            generation.restore(Arc::clone(&self.end), |_| true, |line| book.restore(line))?;
        let lock = match (lock, self.mode) {
            (None, Mode::Change) => Some(self.open_lock()?),
            (lock, _) => lock,
        };
        self.files = Some(Files { manifest, manifest_stat, journal, lock });
        self.note_snapshot();
        let Some(files) = &mut self.files else { return Ok(()) };
        match files.journal.catch_up(Access::Beside, |event| self.book.apply(&event, &mut |_| {}))? {
            Caught::Up => Ok(()),
            Caught::Stale => Err(Error::new(
                ErrorKind::Corrupt,
                format!(
                    "{} is damaged at byte {}: a frame is out of order",
                    self.home.journal(files.manifest.generation).display(),
                    files.journal.end(),
                ),
            )
            .hint(DAMAGED)),
        }
    }

    /// As if this were another process: forgets everything, gives back what is held, and reads it again.
    ///
    /// # Errors
    /// Why it can't be read now; the next change tries again.
    pub(in crate::store::json) fn start_over(&mut self) -> Result<()> {
        // The lock goes with its file.
        self.files = None;
        self.reload()
    }

    /// Reads what others wrote.
    fn catch_up(&mut self, access: Access) -> Result<()> {
        let moved = match &self.files {
            Some(files) => self.fs.stat(&self.home.manifest()).ok() != Some(files.manifest_stat),
            None => true,
        };
        if moved {
            self.reload()?;
        }
        if self.read_on(access)? == Caught::Stale {
            self.reload()?;
            // What is read anew may end in a torn frame too, and whoever holds the lock must not write behind one.
            self.read_on(access)?;
        }
        Ok(())
    }

    fn read_on(&mut self, access: Access) -> Result<Caught> {
        match &mut self.files {
            Some(files) => files.journal.catch_up(access, |event| self.book.apply(&event, &mut |_| {})),
            None => Ok(Caught::Up),
        }
    }

    /// Brings in what others did, edits of `jobs.json` included.
    pub(in crate::store::json) fn refresh(&mut self) -> Result<()> {
        self.catch_up(Access::Beside)?;
        if !self.look() {
            return Ok(());
        }
        match self.mode {
            Mode::Change => self.commit(&mut Vec::new()),
            Mode::Look => {
                // A reader writes nothing: it sees the jobs as they will be once somebody has taken the file in.
                self.take_in(&mut Vec::new())
            }
        }
    }

    /// Whether no other process holds `state/lock`; from here on none does until the next change is made.
    pub(in crate::store::json) fn may_change_at_once(&self) -> bool {
        let lock = self.files.as_ref().and_then(|files| files.lock.as_deref());
        lock.is_some_and(|lock| lock.try_lock(Lock::Exclusive).is_ok_and(|taken| taken))
    }

    /// Runs `batch` and writes what it emits as one frame, durable if any of it must be.
    pub(in crate::store::json) fn commit(&mut self, batch: &mut Vec<Box<dyn Work>>) -> Result<()> {
        self.locked(|keeper| {
            keeper.look();
            let mut events = Vec::new();
            keeper.take_in(&mut events)?;
            let mut durable = !events.is_empty();
            // Whoever stopped waiting must not find later that it was done after all.
            batch.retain(|work| !work.is_expired());
            let coroner = Coroner::new(&*keeper.fs, &keeper.home);
            for work in batch.iter_mut() {
                let mut transaction = Transaction::new(&mut keeper.book, keeper.clock.now(), &keeper.owner.id);
                work.run(&mut transaction, &coroner);
                let Transaction { events: mut emitted, durable: must_last, claimed, .. } = transaction;
                durable |= must_last && !emitted.is_empty();
                events.append(&mut emitted);
                if claimed {
                    keeper.owner.take()?;
                }
            }
            keeper.write(&events, durable)
        })
    }

    /// Runs `change` under `state/lock`, with everything others wrote taken in. If it fails, the book is as it was.
    fn locked<T>(&mut self, change: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.files.is_none() && self.mode == Mode::Change {
            self.reload()?;
        }
        self.lock(|lock| lock.lock(Lock::Exclusive))?;
        let mut answer =
            self.catch_up(Access::Alone).and_then(|()| if self.distrusted { self.new_generation() } else { Ok(()) });
        let mut value = None;
        if answer.is_ok() {
            match change(self) {
                Ok(done) => value = Some(done),
                Err(error) => {
                    answer = Err(error);
                    // What was not written must not stay in the book. A failure here surfaces with the next call.
                    let _ = self.reload();
                }
            }
        }
        let unlocked = self.lock(|lock| lock.unlock());
        answer?;
        unlocked?;
        value.ok_or_else(|| Error::new(ErrorKind::Io, "state/lock was lost"))
    }

    fn lock(&self, how: impl FnOnce(&dyn VfsFile) -> io::Result<()>) -> Result<()> {
        match self.files.as_ref().and_then(|files| files.lock.as_deref()) {
            Some(lock) => how(lock).map_err(|error| Error::io("cannot take state/lock", error)),
            None if self.mode == Mode::Change => Err(self.lost()),
            None => Err(Error::new(ErrorKind::ReadOnly, "this store was opened to look, not to change")),
        }
    }

    fn lost(&self) -> Error {
        let what = format!("{} has been taken away while it was in use", self.home.manifest().display());
        Error::new(ErrorKind::Corrupt, what)
            .hint("put the `state` folder back as it was, or stop this and run `sched repair`")
    }

    fn write(&mut self, events: &[Event], durable: bool) -> Result<()> {
        let Some(files) = &mut self.files else { return Ok(()) };
        if events.is_empty() {
            return Ok(());
        }
        let before = files.journal.end();
        files.journal.append(events)?;
        if durable && let Err(error) = files.journal.sync() {
            // After a failed sync the kernel may call the same pages clean: nothing in them can be proven any more. The
            // frame is taken back, so it never happened, and what was durable before moves to a file of its own.
            files.journal.take_back(before);
            self.distrusted = true;
            let _ = self.reload().and_then(|()| self.new_generation());
            return Err(error);
        }
        Ok(())
    }

    /// Copies the journal into a new file and makes that one count.
    fn new_generation(&mut self) -> Result<()> {
        let Some(files) = &self.files else { return Ok(()) };
        let generation = files.manifest.generation + 1;
        let path = self.home.journal(generation);
        let content = files.journal.content(0)?;
        let failed = |error| Error::io(format!("cannot write {}", path.display()), error);
        let file = self.fs.open(&path, Open::Create).map_err(failed)?;
        file.set_len(0).and_then(|()| file.write_all_at(&content, 0)).and_then(|()| file.sync()).map_err(failed)?;
        self.fs.sync_dir(&self.home.state()).map_err(failed)?;
        let old = self.home.journal(files.manifest.generation);
        Manifest { generation, ..files.manifest.clone() }.write(&*self.fs, &self.home)?;
        let _ = self.fs.remove(&old);
        self.distrusted = false;
        tracing::warn!(generation, "the journal was moved to a new file after a failed sync");
        self.reload()
    }

    /// Makes durable what was written without waiting.
    pub(in crate::store::json) fn sync(&mut self) -> Result<()> {
        let Some(files) = self.files.as_mut().filter(|files| files.journal.needs_sync()) else { return Ok(()) };
        files.journal.sync().inspect_err(|_| self.distrusted = true)
    }

    pub(in crate::store::json) fn needs_sync(&self) -> bool {
        self.files.as_ref().is_some_and(|files| files.journal.needs_sync()) && !self.distrusted
    }

    /// Gives up ownership.
    pub(in crate::store::json) fn close(&mut self) -> Result<()> {
        self.sync()?;
        if self.mode == Mode::Change {
            self.lock(|lock| lock.lock(Lock::Exclusive))?;
            self.owner.give_up();
            self.lock(|lock| lock.unlock())?;
        }
        Ok(())
    }
}
