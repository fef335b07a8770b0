//! `state/owners/<id>`: a file for each process that owns claims, locked by it for life. Its lock can be had exactly when it
//! is dead, whatever became of its pid.

use std::{collections::HashMap, io, sync::Arc};

use crate::{
    Error, Home, OwnerId, Result,
    vfs::{Lock, Open, Vfs, VfsFile},
};

/// This process's own file, made when it takes its first claim.
#[derive(Debug)]
pub(super) struct Ownership {
    fs: Arc<dyn Vfs>,
    home: Home,
    pub(super) id: OwnerId,
    file: Option<Box<dyn VfsFile>>,
}

impl Ownership {
    pub(super) fn new(fs: Arc<dyn Vfs>, home: Home, id: OwnerId) -> Self {
        Self { fs, home, id, file: None }
    }

    /// Makes and locks the file. The caller holds `state/lock`, so nobody can look at it before it is locked.
    pub(super) fn take(&mut self) -> Result<()> {
        if self.file.is_some() {
            return Ok(());
        }
        let path = self.home.owners().join(self.id.as_str());
        let failed = |error| Error::io(format!("cannot make {}", path.display()), error);
        let file = self.fs.open(&path, Open::Create).map_err(failed)?;
        file.lock(Lock::Exclusive).map_err(failed)?;
        self.file = Some(file);
        Ok(())
    }

    /// Removes the file. The caller holds `state/lock`.
    pub(super) fn give_up(&mut self) {
        if self.file.take().is_some() {
            let _ = self.fs.remove(&self.home.owners().join(self.id.as_str()));
        }
    }
}

/// Removes the file of a dead owner. The caller holds `state/lock`.
pub(super) fn bury(fs: &dyn Vfs, home: &Home, id: &OwnerId) {
    let _ = fs.remove(&home.owners().join(id.as_str()));
}

/// Which owners are dead, asked once each: a look costs an open and a lock.
#[derive(Debug)]
pub(super) struct Coroner<'a> {
    fs: &'a dyn Vfs,
    home: &'a Home,
    known: parking_lot::Mutex<HashMap<OwnerId, bool>>,
}

impl<'a> Coroner<'a> {
    pub(super) fn new(fs: &'a dyn Vfs, home: &'a Home) -> Self {
        Self { fs, home, known: parking_lot::Mutex::default() }
    }

    pub(super) fn is_dead(&self, id: &OwnerId) -> bool {
        *self.known.lock().entry(id.clone()).or_insert_with(|| self.examine(id))
    }

    fn examine(&self, id: &OwnerId) -> bool {
        match self.fs.open(&self.home.owners().join(id.as_str()), Open::Read) {
            // A shared lock is enough to know, and two who look at once don't take each other for the owner.
            Ok(file) => file.try_lock(Lock::Shared).unwrap_or(false),
            // Without evidence nobody is declared dead: the file can't be opened, but it is there.
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }
}
