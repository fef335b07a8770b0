//! The one who holds the pen: the files of the store and the book they add up to, used by one thread.
//!
//! Every change runs the same way: take `state/lock`, read what others wrote, take in `jobs.json` if it is another one, let
//! the transactions compare and emit, write one frame, sync, give the lock back. Nothing is written without the lock, and
//! nothing that could not be written stays in the book.

use std::{
    io,
    path::Path,
    sync::{Arc, atomic::AtomicU64},
};

use super::{
    super::{
        Edit, JobView, Limits, Open as OpenView, Problem,
        book::Book,
        event::Event,
        transactions::{self, Transaction},
    },
    JsonStoreOptions, Mode, definitions,
    document::{Document, Unreadable},
    journal::{Access, Caught, Journal},
    manifest::{FORMAT, Manifest},
    owners::{Coroner, Ownership, bury},
};
use crate::{
    Clock, Error, ErrorKind, Home, OwnerId, Result,
    vfs::{Lock, Open, Stat, Vfs, VfsFile, atomic_write},
};

/// How many displaced versions of `jobs.json` are kept.
const BACKUPS: usize = 5;

pub(super) struct Keeper {
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
}

struct Files {
    manifest: Manifest,
    manifest_stat: Stat,
    journal: Journal,
    lock: Option<Box<dyn VfsFile>>,
}

/// A look at `jobs.json`.
struct Seen {
    stat: Option<Stat>,
    content: Result<(Document, String), Unseen>,
}

enum Unseen {
    Missing,
    Failed(Error),
    Unreadable(Unreadable),
}

/// A change that waits for its turn.
pub(super) trait Work: Send {
    /// Compares and emits.
    fn run(&mut self, transaction: &mut Transaction<'_>, coroner: &Coroner<'_>);
    /// Answers whoever waits, when it is durable or has failed.
    fn answer(self: Box<Self>, result: Result<(), &Error>);
    /// Whether nobody waits any more.
    fn is_expired(&self) -> bool;
}

impl Keeper {
    pub(super) fn open(options: &JsonStoreOptions, owner: OwnerId, end: Arc<AtomicU64>) -> Result<Self> {
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
            let names = self.fs.list(&home.state()).unwrap_or_default();
            if let Some(orphan) = names.iter().find(|name| name.starts_with("journal.") && holds_something(name)) {
                let what = format!("{} is missing beside {orphan}", home.manifest().display());
                return Err(Error::new(ErrorKind::Corrupt, what).hint(
                    "put it back from a backup, or move the `state` folder aside to start afresh from jobs.json",
                ));
            }
            let failed = |error| Error::io(format!("cannot make a store in {}", home.path().display()), error);
            self.fs.open(&home.journal(1), Open::Create).and_then(|journal| journal.sync()).map_err(failed)?;
            if self.fs.stat(&home.jobs_json()).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
                atomic_write(&*self.fs, &home.jobs_json(), Document::default().text().as_bytes(), None)
                    .map_err(failed)?;
            }
            let store_id = OwnerId::random(self.clock.now()).to_string();
            let machine_id = options.machine_id.clone();
            Manifest { format: FORMAT, store_id, machine_id, generation: 1 }.write(&*self.fs, &home)?;
        }
        lock.unlock().map_err(|error| Error::io("cannot give state/lock back", error))
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
            let what = format!("{} belongs to another machine ({theirs})", self.home.path().display());
            return Err(Error::new(ErrorKind::Invalid, what)
                .hint("if this is a move and nothing runs there any more: `sched run --adopt`, or SCHED_ADOPT=1"));
        }
        files.manifest.machine_id = Some(ours.clone());
        files.manifest.write(&*self.fs, &self.home)?;
        tracing::warn!(from = theirs, "this home was adopted from another machine");
        Ok(())
    }

    /// Forgets everything and reads it again.
    fn reload(&mut self) -> Result<()> {
        let lock = self.files.take().and_then(|files| files.lock);
        self.book = Book::new(Arc::clone(self.book.defaults()));
        self.seen = None;
        let manifest = match (Manifest::read(&*self.fs, &self.home)?, self.mode) {
            (Some(manifest), _) => manifest,
            (None, Mode::Look) => return Ok(()),
            // It was made before anything else was done, so somebody has taken it away.
            (None, Mode::Change) => return Err(self.lost()),
        };
        let stat = |error| Error::io(format!("cannot look at {}", self.home.manifest().display()), error);
        let manifest_stat = self.fs.stat(&self.home.manifest()).map_err(stat)?;
        let how = if self.mode == Mode::Change { Open::ReadWrite } else { Open::Read };
        let path = self.home.journal(manifest.generation);
        let journal = Journal::open(&*self.fs, path, how, Arc::clone(&self.end))?;
        let lock = match (lock, self.mode) {
            (None, Mode::Change) => Some(self.open_lock()?),
            (lock, _) => lock,
        };
        let files = self.files.insert(Files { manifest, manifest_stat, journal, lock });
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
            .hint("put it back from a backup, or move the `state` folder aside to start afresh from jobs.json")),
        }
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
        let Some(files) = &mut self.files else { return Ok(()) };
        if files.journal.catch_up(access, |event| self.book.apply(&event, &mut |_| {}))? == Caught::Stale {
            self.reload()?;
        }
        Ok(())
    }

    /// Brings in what others did, edits of `jobs.json` included.
    pub(super) fn refresh(&mut self) -> Result<()> {
        self.catch_up(Access::Beside)?;
        if !self.look() {
            return Ok(());
        }
        match self.mode {
            Mode::Change => self.commit(&mut Vec::new()),
            Mode::Look => {
                // A reader writes nothing: it sees the jobs as they will be once somebody has taken the file in.
                self.take_in(&mut Vec::new());
                Ok(())
            }
        }
    }

    /// Looks at `jobs.json`; says whether it has to be taken in.
    fn look(&mut self) -> bool {
        let path = self.home.jobs_json();
        let stat = self.fs.stat(&path).ok();
        if self.seen.as_ref().is_some_and(|seen| seen.stat == stat && stat.is_some()) {
            return self.is_new();
        }
        let content = match self.fs.read(&path) {
            Ok(bytes) => match Document::parse(&bytes) {
                Ok(document) => Ok((document, definitions::hash(&bytes))),
                Err(why) => Err(Unseen::Unreadable(why)),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Unseen::Missing),
            Err(error) => Err(Unseen::Failed(Error::io(format!("cannot read {}", path.display()), error))),
        };
        let before = self.seen.take().and_then(|seen| seen.content.err().map(|error| error.words()));
        if let Err(error) = &content
            && before.as_ref() != Some(&error.words())
            && self.mode == Mode::Change
            && self.book.jobs().next().is_some()
        {
            tracing::warn!(
                problem = error.words(),
                "{} can't be taken in; the jobs known so far stay in force",
                path.display()
            );
        }
        self.seen = Some(Seen { stat, content });
        self.is_new()
    }

    /// Whether the file that was looked at is one that isn't in force.
    fn is_new(&self) -> bool {
        matches!(&self.seen, Some(Seen { content: Ok((_, hash)), .. }) if self.book.definitions_hash() != Some(hash))
    }

    /// Takes the file that was looked at in, if it is new.
    fn take_in(&mut self, events: &mut Vec<Event>) {
        if let Some(Seen { content: Ok((document, hash)), .. }) = self.seen.as_ref().filter(|_| self.is_new()) {
            let mut transaction = Transaction::new(&mut self.book, self.clock.now(), &self.owner.id);
            definitions::take_in(&mut transaction, document, hash.clone());
            events.append(&mut transaction.events);
        }
    }

    /// Runs `batch` and writes what it emits as one frame, durable if any of it must be.
    pub(super) fn commit(&mut self, batch: &mut Vec<Box<dyn Work>>) -> Result<()> {
        self.locked(|keeper| {
            keeper.look();
            let mut events = Vec::new();
            keeper.take_in(&mut events);
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

    /// Edits `jobs.json` and takes the edit in: the file first, the frame second.
    pub(super) fn edit(&mut self, edit: &Edit) -> Result<Vec<JobView>> {
        self.locked(|keeper| {
            loop {
                keeper.look();
                let mut events = Vec::new();
                keeper.take_in(&mut events);
                let (before, mut document) = keeper.editable()?;
                let removed = match edit {
                    Edit::Remove(ids) => keeper.looking(|transaction| transaction.views(ids)),
                    Edit::Add(_) => Vec::new(),
                };
                let mut transaction = Transaction::new(&mut keeper.book, keeper.clock.now(), &keeper.owner.id);
                let ids = definitions::edit(&mut transaction, &mut document, edit)?;
                transaction.emit(Event::Definitions { hash: definitions::hash(document.text().as_bytes()) });
                events.append(&mut transaction.events);
                if keeper.replace_jobs_json(before.as_deref(), &document)? {
                    keeper.write(&events, true)?;
                    keeper.look();
                    let views = keeper.looking(|transaction| transaction.views(&ids));
                    return Ok(if removed.is_empty() { views } else { removed });
                }
                // Somebody saved the file while it was being edited here: their version is merged, not lost.
                keeper.reload()?;
            }
        })
    }

    fn looking<T>(&mut self, look: impl FnOnce(&mut Transaction<'_>) -> T) -> T {
        look(&mut Transaction::new(&mut self.book, self.clock.now(), &self.owner.id))
    }

    /// The file's bytes, and the document to edit.
    fn editable(&self) -> Result<(Option<Vec<u8>>, Document)> {
        let path = self.home.jobs_json();
        let rebuilt = || Document::of(self.book.jobs().map(|(_, record)| (*record.definition).clone()));
        match &self.seen {
            Some(Seen { content: Ok((document, _)), .. }) => Ok((self.fs.read(&path).ok(), document.clone())),
            Some(Seen { content: Err(Unseen::Missing), .. }) | None => Ok((None, rebuilt())),
            Some(Seen { content: Err(Unseen::Unreadable(why)), .. }) => match self.fs.read(&path) {
                Ok(bytes) if bytes.trim_ascii().is_empty() => Ok((Some(bytes), rebuilt())),
                _ => {
                    let what = format!("{}: {}: {}; nothing was changed", path.display(), why.place, why.why);
                    Err(Error::new(ErrorKind::Invalid, what).hint(if self.has_backup() {
                        "correct the file first; jobs.json.bak.1 is the version before"
                    } else {
                        "correct the file first"
                    }))
                }
            },
            Some(Seen { content: Err(Unseen::Failed(error)), .. }) => Err(Error::new(error.kind(), error.to_string())),
        }
    }

    fn has_backup(&self) -> bool {
        self.fs.stat(&self.home.path().join("jobs.json.bak.1")).is_ok()
    }

    /// Puts `document` in the place of `jobs.json`. False if the file that it displaced isn't `before`.
    fn replace_jobs_json(&mut self, before: Option<&[u8]>, document: &Document) -> Result<bool> {
        let path = self.home.jobs_json();
        let backup = |n: usize| self.home.path().join(format!("jobs.json.bak.{n}"));
        let displaced = backup(0);
        atomic_write(&*self.fs, &path, document.text().as_bytes(), Some(&displaced)).map_err(|error| {
            let refused = error.kind() == io::ErrorKind::PermissionDenied;
            let error = Error::io(format!("cannot replace {}; nothing was changed", path.display()), error);
            if refused { error.hint("run this as the user who owns the file and its folder") } else { error }
        })?;
        self.seen = None;
        let Some(before) = before else { return Ok(true) };
        let unchanged = self.fs.read(&displaced).is_ok_and(|bytes| bytes == before);
        if !unchanged {
            let _ = self.fs.exchange(&displaced, &path);
            let _ = self.fs.remove(&displaced);
            return Ok(false);
        }
        for n in (1..=BACKUPS).rev() {
            if self.fs.stat(&backup(n - 1)).is_ok() {
                let _ = self.fs.rename(&backup(n - 1), &backup(n));
            }
        }
        Ok(true)
    }

    /// Runs `change` under `state/lock`, with everything others wrote taken in. If it fails, the book is as it was.
    fn locked<T>(&mut self, change: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
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
        Error::new(ErrorKind::Corrupt, what).hint(
            "put the `state` folder back as it was, or stop this and start afresh from jobs.json with `sched run`",
        )
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
        let content = files.journal.content(files.journal.end())?;
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
    pub(super) fn sync(&mut self) -> Result<()> {
        let Some(files) = self.files.as_mut().filter(|files| files.journal.needs_sync()) else { return Ok(()) };
        files.journal.sync().inspect_err(|_| self.distrusted = true)
    }

    pub(super) fn needs_sync(&self) -> bool {
        self.files.as_ref().is_some_and(|files| files.journal.needs_sync()) && !self.distrusted
    }

    /// Gives up ownership.
    pub(super) fn close(&mut self) -> Result<()> {
        self.sync()?;
        if self.mode == Mode::Change {
            self.lock(|lock| lock.lock(Lock::Exclusive))?;
            self.owner.give_up();
            self.lock(|lock| lock.unlock())?;
        }
        Ok(())
    }
}

/// Looking.
impl Keeper {
    pub(super) fn open_view(&mut self, now: jiff::Timestamp, limits: Limits) -> Result<OpenView> {
        self.refresh()?;
        let coroner = Coroner::new(&*self.fs, &self.home);
        Ok(transactions::open(&mut self.book, now, limits, &self.owner.id, &|owner| coroner.is_dead(owner)))
    }

    pub(super) fn views(&mut self) -> Result<Vec<JobView>> {
        self.refresh()?;
        Ok(self.book.jobs().map(|(id, record)| transactions::view(&self.book, id, record)).collect())
    }

    pub(super) fn problems(&mut self) -> Result<Vec<Problem>> {
        self.refresh()?;
        let path = self.home.jobs_json();
        let path = path.display().to_string();
        let mut problems = match &self.seen {
            Some(Seen { content: Ok((document, _)), .. }) => definitions::problems(&path, document, &self.book),
            Some(Seen { content: Err(error), .. }) if self.files.is_some() => {
                let known = self.book.jobs().count();
                let what = format!("{path}: {}; the {known} known jobs stay in force", error.words());
                vec![Problem::new("jobs-json", what, error.hint(self.has_backup()))]
            }
            _ => Vec::new(),
        };
        if let Some((at, job)) = self.book.clock_repaired()
            && self.clock.now().duration_since(*at).abs() < jiff::SignedDuration::from_hours(24)
        {
            let what =
                format!("the clock was wrong and was taken back at {at}; job `{job}` and maybe others started afresh");
            problems.push(Problem::new("clock-repaired", what, "check the machine's time source; this stays for 24 h"));
        }
        if self.book.anomalies() > 0 {
            let what = format!("{} records in the journal make no sense and were passed over", self.book.anomalies());
            problems.push(Problem::remark("anomalies", what, "keep a copy of the `state` folder and report it"));
        }
        Ok(problems)
    }

    /// Removes the files of owners that are dead and own nothing any more. Called under no lock: it takes it.
    pub(super) fn bury_dead_owners(&mut self) -> Result<()> {
        let listed = self.fs.list(&self.home.owners()).unwrap_or_default();
        let others: Vec<OwnerId> = listed.into_iter().map(OwnerId::new).filter(|id| *id != self.owner.id).collect();
        if others.is_empty() {
            return Ok(());
        }
        self.locked(|keeper| {
            let coroner = Coroner::new(&*keeper.fs, &keeper.home);
            for id in others {
                let owns = keeper.book.open().any(|occurrence| occurrence.owner() == Some(&id));
                if !owns && coroner.is_dead(&id) {
                    bury(&*keeper.fs, &keeper.home, &id);
                }
            }
            Ok(())
        })
    }

    pub(super) fn home(&self) -> &Path {
        self.home.path()
    }
}

impl Unseen {
    fn words(&self) -> String {
        match self {
            Self::Missing => "the file is missing".into(),
            Self::Failed(error) => error.to_string(),
            Self::Unreadable(why) => format!("{}: {}", why.place, why.why),
        }
    }

    /// What to do. A file that no command has rewritten yet has no version before it (`backup`).
    fn hint(&self, backup: bool) -> &'static str {
        match (self, backup) {
            (Self::Missing, true) => {
                "put it back (jobs.json.bak.1 is the version before); the next `sched add` rebuilds it"
            }
            (Self::Missing, false) => "put it back; the next `sched add` rebuilds it",
            (Self::Failed(_), _) => "check who owns it and its mode",
            (Self::Unreadable(_), true) => "correct it, or put jobs.json.bak.1 back",
            (Self::Unreadable(_), false) => "correct it; `sched list` shows what is in force",
        }
    }
}
