//! A damaged store made whole again: what can be read is kept, and what can't is taken for settled, so that nothing is lost
//! that is there and nothing fires twice.
//!
//! | file | what it is for |
//! |---|---|
//! | `pieces` | a file of frames, the whole ones told from what is damaged |
//! | `inventory` | which files there are, and which of them count |
//! | `salvage` | a book and a history, made of all that can be read |
//! | `renew` | the salvaged book settled, written as a new generation |
//!
//! Nothing is changed before [`Repair::carry_out`], and from there on a power cut leaves the damaged files as they were, or
//! the new generation.

mod inventory;
mod pieces;
mod renew;
mod salvage;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicU64},
};

use self::{inventory::Inventory, salvage::Salvage};
use super::{
    JsonStoreOptions, generation,
    journal::{Access, Caught},
    keeper::another_machines,
    owners::Coroner,
};
use crate::{
    Error, ErrorKind, Home, JobId, Orphan, OwnerId, ProcessRef, Result,
    vfs::{Lock, Open, Stat, Vfs, VfsFile},
};

/// A store that can't be trusted, what is the matter with it, and what can be read of it. While this lives, nobody else
/// changes the store.
///
/// ```
/// use std::sync::Arc;
/// use scheduler_core::{Home, JobStore, Result, SystemClock, vfs::{Open, RealFs, Vfs}};
/// use scheduler_core::store::{Edit, JsonStore, JsonStoreOptions, json::Repair};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let home = Home::new(folder.path().join("home"));
/// let options = JsonStoreOptions::new(home.clone(), Arc::new(SystemClock));
/// let store = JsonStore::open(&options)?;
/// store.define(Edit::Add(vec![serde_json::json!({"id": "a", "schedule": "@daily", "payload": 1})])).await?;
/// store.close().await?;
/// assert!(Repair::begin(&options)?.is_none(), "there is nothing to repair");
///
/// RealFs.remove(&home.manifest()).expect("it was there");
/// assert!(JsonStore::open(&options).is_err());
/// let repair = Repair::begin(&options)?.expect("it is damaged");
/// assert_eq!(repair.damages()[0].to_string(), format!("{} is missing", home.manifest().display()));
/// assert_eq!(repair.kept().jobs, 1);
/// let done = repair.carry_out(None, &|_| None)?;
/// assert_eq!((done.kept.frames_lost, done.unknown), (0, 0));
/// assert_eq!(JsonStore::open(&options)?.jobs().await?.len(), 1);
/// # Ok(())
/// # }
/// ```
pub struct Repair {
    site: Site,
    inventory: Inventory,
    salvage: Salvage,
    /// Held until the end: nobody else writes, owns or compacts meanwhile.
    _locks: Vec<Box<dyn VfsFile>>,
}

/// Where it is done, and when.
struct Site {
    fs: Arc<dyn Vfs>,
    home: Home,
    options: JsonStoreOptions,
}

/// A place in a store that can't be read. As a text it is a sentence for people.
///
/// ```
/// use scheduler_core::store::json::Damage;
/// let damage = Damage { path: "state/MANIFEST".into(), at: Some(20), what: "its checksum doesn't fit".into() };
/// assert_eq!(damage.to_string(), "state/MANIFEST is damaged at byte 20: its checksum doesn't fit");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Which file.
    pub path: PathBuf,
    /// The first byte that can't be read, where that is known.
    pub at: Option<u64>,
    /// What is the matter.
    pub what: String,
}

/// What can be read of a damaged store, and is kept.
///
/// ```
/// use scheduler_core::store::json::Kept;
/// assert_eq!(Kept::default().frames_lost, 0);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// Jobs in force.
    pub jobs: usize,
    /// Those of them that nothing proves: with no `jobs.json` that can be read, a definition that stands in a damaged place, or
    /// that is not in both the store and the last version of that file. They are paused until somebody has looked at them.
    pub held: Vec<JobId>,
    /// Entries of the history.
    pub entries: usize,
    /// Occurrences that were open.
    pub open: usize,
    /// Frames of the journal and the snapshot that can't be read, as far as they can be counted.
    pub frames_lost: u64,
}

/// What a repair came to.
///
/// ```
/// use scheduler_core::store::json::{Kept, Repaired};
/// let done = Repaired { kept: Kept::default(), unknown: 1, orphaned: 0, skipped: 2, aside: "state/damaged".into() };
/// assert_eq!(done.clone(), done);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired {
    /// What was kept.
    pub kept: Kept,
    /// Runs that were open and whose process is gone: how they ended is not known.
    pub unknown: u64,
    /// Runs whose process goes on.
    pub orphaned: u64,
    /// Occurrences that waited, and never run.
    pub skipped: u64,
    /// Where the damaged files are now.
    pub aside: PathBuf,
}

impl Repair {
    /// Looks at the store of `options`; `None` if it can be opened as it is, or none has been made. Changes nothing but for
    /// files of locks. Whoever calls this holds `daemon.lock`, or knows that no daemon runs.
    ///
    /// # Errors
    /// `Busy` while somebody is at work on the store, `TooNew` for one that a newer build wrote, `Invalid` for that of another
    /// machine, or what can't be read.
    pub fn begin(options: &JsonStoreOptions) -> Result<Option<Self>> {
        let site = Site { fs: Arc::clone(&options.fs), home: options.home.clone(), options: options.clone() };
        if site.fs.stat(&site.home.state()).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
            return Ok(None);
        }
        let locks = site.lock()?;
        if site.is_sound()? {
            return Ok(None);
        }
        let inventory = Inventory::take(&*site.fs, &site.home)?;
        let (theirs, ours) = (inventory.machine_id(), &options.machine_id);
        if let (Some(theirs), Some(ours), false) = (theirs, ours, options.adopt)
            && theirs != ours
        {
            return Err(another_machines(&site.home, theirs));
        }
        let salvage = Salvage::of(&site, &inventory)?;
        Ok(Some(Self { site, inventory, salvage, _locks: locks }))
    }

    /// What is the matter, a place each.
    pub fn damages(&self) -> &[Damage] {
        &self.salvage.damages
    }

    /// What can be read.
    pub fn kept(&self) -> Kept {
        self.salvage.kept()
    }

    /// Writes what can be read as a new generation, in which everything up to now is settled, and puts the damaged files aside.
    /// `boot` names this start of the machine; `lives` finds the process of a run.
    ///
    /// # Errors
    /// Why something can't be written; the store is then as it was, or already the new one.
    pub fn carry_out(self, boot: Option<&str>, lives: &dyn Fn(&Orphan) -> Option<ProcessRef>) -> Result<Repaired> {
        let Self { site, inventory, salvage, _locks } = self;
        renew::renew(&site, &inventory, salvage, boot, lives)
    }
}

impl Site {
    /// Takes what others hold while they work.
    fn lock(&self) -> Result<Vec<Box<dyn VfsFile>>> {
        let mut locks = Vec::new();
        for path in [self.home.compact_lock(), self.home.lock()] {
            let failed = |error| Error::io(format!("cannot lock {}", path.display()), error);
            let is_new = self.fs.stat(&path).is_err();
            let file = self.fs.open(&path, Open::Create).map_err(failed)?;
            if is_new {
                self.give(&*file).map_err(failed)?;
            }
            if !file.try_lock(Lock::Exclusive).map_err(failed)? {
                let what = format!("another process holds {}", path.display());
                return Err(
                    Error::new(ErrorKind::Busy, what).hint(format!("see who with `fuser -v {}`", path.display()))
                );
            }
            locks.push(file);
        }
        let coroner = Coroner::new(&*self.fs, &self.home);
        for name in self.fs.list(&self.home.owners()).unwrap_or_default() {
            if !coroner.is_dead(&OwnerId::new(name.clone())) {
                let path = self.home.owners().join(name);
                let what = format!("a process that runs jobs of this home is alive: it holds {}", path.display());
                return Err(Error::new(ErrorKind::Busy, what)
                    .hint(format!("wait for it, or stop it; `fuser -v {}` says which it is", path.display())));
            }
        }
        Ok(locks)
    }

    /// Whether the store can be read from end to end.
    fn is_sound(&self) -> Result<bool> {
        let read = || -> Result<bool> {
            let Some(files) = generation::open(&*self.fs, &self.home, Open::Read)? else {
                return Ok(!Inventory::take(&*self.fs, &self.home)?.holds_something());
            };
            let (_, _, mut journal) = files.restore(Arc::new(AtomicU64::new(0)), |_| true, |_| {})?;
            Ok(journal.catch_up(Access::Beside, |_| {})? == Caught::Up)
        };
        match read() {
            Err(error) if error.kind() == ErrorKind::Corrupt => Ok(false),
            answer => answer,
        }
    }

    /// Gives a file to whom the store belongs: who repairs it may be another, and must not lock the owner out.
    fn give(&self, file: &dyn VfsFile) -> std::io::Result<()> {
        let (folder, stat) = (self.fs.stat(&self.home.state())?, file.stat()?);
        if (folder.uid, folder.gid) == (stat.uid, stat.gid) {
            return Ok(());
        }
        file.set_owner_and_mode(&Stat { uid: folder.uid, gid: folder.gid, ..stat })
    }

    fn give_path(&self, path: &Path) -> Result<()> {
        let is_theirs = || {
            let (folder, stat) = (self.fs.stat(&self.home.state())?, self.fs.stat(path)?);
            Ok((folder.uid, folder.gid) == (stat.uid, stat.gid))
        };
        let given = match is_theirs() {
            Ok(true) => Ok(()),
            Ok(false) => self.fs.open(path, Open::Read).and_then(|file| self.give(&*file)),
            Err(error) => Err(error),
        };
        given.map_err(|error| Error::io(format!("cannot give {} to the owner of the home", path.display()), error))
    }
}

impl Damage {
    fn missing(path: PathBuf, why: &str) -> Self {
        Self { path, at: None, what: format!("is missing{why}") }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some(at) => write!(f, "{} is damaged at byte {at}: {}", self.path.display(), self.what),
            None => write!(f, "{} {}", self.path.display(), self.what),
        }
    }
}

impl fmt::Debug for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repair").field("damages", &self.salvage.damages).finish_non_exhaustive()
    }
}
