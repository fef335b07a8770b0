//! The disk: files, names, and locks. Names are durable apart from what they name.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use super::file::{File, Reach};
use crate::vfs::Lock;

/// All of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Disk {
    files: BTreeMap<u64, File>,
    names: BTreeMap<PathBuf, Entry>,
    durable_names: BTreeMap<PathBuf, Entry>,
    /// What happened to names since their folder was synced, in order.
    renames: Vec<Rename>,
    locks: Vec<(Handle, Lock)>,
    open: Vec<Handle>,
    /// Those who have not been told yet that a sync of their file has failed.
    untold: Vec<Handle>,
    last_inode: u64,
    last_handle: u64,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    File(u64),
    Folder,
}

/// An open file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Handle {
    pub(super) inode: u64,
    number: u64,
}

/// A change of names in a folder, in one step.
#[derive(Debug, Clone)]
struct Rename {
    folder: PathBuf,
    names: Vec<(PathBuf, Option<Entry>)>,
}

impl Disk {
    pub(super) fn entry(&self, path: &Path) -> io::Result<Entry> {
        match self.names.get(path) {
            Some(entry) => Ok(*entry),
            None if path == Path::new("/") => Ok(Entry::Folder),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    pub(super) fn inode_at(&self, path: &Path) -> io::Result<u64> {
        match self.entry(path)? {
            Entry::File(inode) => Ok(inode),
            Entry::Folder => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    pub(super) fn file(&self, path: &Path) -> io::Result<&File> {
        self.inode_at(path).map(|inode| self.inode(inode))
    }

    pub(super) fn inode(&self, inode: u64) -> &File {
        self.files.get(&inode).expect("files stay as long as the disk")
    }

    pub(super) fn inode_mut(&mut self, inode: u64) -> &mut File {
        self.files.get_mut(&inode).expect("files stay as long as the disk")
    }

    pub(super) fn handle(&mut self, inode: u64) -> Handle {
        self.last_handle += 1;
        let handle = Handle { inode, number: self.last_handle };
        self.open.push(handle);
        handle
    }

    pub(super) fn close(&mut self, handle: Handle) {
        self.unlock(handle);
        self.open.retain(|other| *other != handle);
        self.untold.retain(|other| *other != handle);
    }

    /// Syncs the content of a file, unless `answer` says that this fails, or that it has failed for somebody else.
    pub(super) fn sync(&mut self, handle: Handle, answer: io::Result<()>) -> io::Result<()> {
        let answer = match answer {
            Err(error) => {
                self.untold.extend(self.open.iter().filter(|other| other.inode == handle.inode));
                Err(error)
            }
            Ok(()) if self.untold.contains(&handle) => Err(io::ErrorKind::Other.into()),
            Ok(()) => Ok(()),
        };
        self.untold.retain(|other| *other != handle);
        let file = self.inode_mut(handle.inode);
        if answer.is_ok() {
            file.sync();
        } else {
            file.fail_to_sync();
        }
        answer
    }

    pub(super) fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.entry(path)?;
        let inside = self.names.keys().filter(|name| name.parent() == Some(path));
        Ok(inside.filter_map(|name| Some(name.file_name()?.to_string_lossy().into_owned())).collect())
    }

    pub(super) fn create(&mut self, path: &Path) -> io::Result<u64> {
        self.last_inode += 1;
        let inode = self.last_inode;
        self.rename_all(path, vec![(path.to_owned(), Some(Entry::File(inode)))])?;
        self.files.insert(inode, File::default());
        Ok(inode)
    }

    pub(super) fn create_dir_all(&mut self, path: &Path) -> io::Result<()> {
        let missing: Vec<&Path> = path.ancestors().take_while(|folder| self.entry(folder).is_err()).collect();
        missing
            .into_iter()
            .rev()
            .try_for_each(|folder| self.rename_all(folder, vec![(folder.to_owned(), Some(Entry::Folder))]))
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let entry = self.entry(from)?;
        self.rename_all(to, vec![(from.to_owned(), None), (to.to_owned(), Some(entry))])
    }

    pub(super) fn exchange(&mut self, a: &Path, b: &Path) -> io::Result<()> {
        let (at_a, at_b) = (self.entry(a)?, self.entry(b)?);
        self.rename_all(a, vec![(a.to_owned(), Some(at_b)), (b.to_owned(), Some(at_a))])
    }

    pub(super) fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.entry(path)?;
        self.rename_all(path, vec![(path.to_owned(), None)])
    }

    fn rename_all(&mut self, path: &Path, names: Vec<(PathBuf, Option<Entry>)>) -> io::Result<()> {
        let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
        self.entry(&folder)?;
        let rename = Rename { folder, names };
        rename.reach(&mut self.names);
        self.renames.push(rename);
        Ok(())
    }

    pub(super) fn sync_dir(&mut self, path: &Path) -> io::Result<()> {
        self.entry(path)?;
        let (done, rest): (Vec<Rename>, _) =
            std::mem::take(&mut self.renames).into_iter().partition(|rename| rename.folder == path);
        self.renames = rest;
        for rename in done {
            rename.reach(&mut self.durable_names);
        }
        Ok(())
    }

    /// As `flock`: one lock for each open file, shared ones beside each other.
    pub(super) fn try_lock(&mut self, handle: Handle, lock: Lock) -> bool {
        let mut others = self.locks.iter().filter(|(other, _)| other.inode == handle.inode && *other != handle);
        let free = others.all(|(_, other)| *other == Lock::Shared && lock == Lock::Shared);
        if free {
            self.unlock(handle);
            self.locks.push((handle, lock));
        }
        free
    }

    pub(super) fn unlock(&mut self, handle: Handle) {
        self.locks.retain(|(other, _)| *other != handle);
    }

    /// The disk after a power cut: `names` says which renames have reached it, `parts` which parts of files.
    pub(super) fn left(&self, mut names: impl FnMut() -> bool, mut parts: impl FnMut() -> Reach) -> Self {
        let mut there = self.durable_names.clone();
        self.renames.iter().filter(|_| names()).for_each(|rename| rename.reach(&mut there));
        let files = self.files.iter().map(|(inode, file)| (*inode, file.left(&mut parts))).collect();
        self.found(there, files)
    }

    /// Everything is as it was seen, but of the last `written` bytes of one file only the first `kept`.
    pub(super) fn torn(&self, inode: u64, written: usize, kept: usize) -> Self {
        let mut files: BTreeMap<u64, File> =
            self.files.iter().map(|(inode, file)| (*inode, file.left(|| Reach::All))).collect();
        files.insert(inode, self.inode(inode).torn(written, kept));
        self.found(self.names.clone(), files)
    }

    fn found(&self, mut names: BTreeMap<PathBuf, Entry>, files: BTreeMap<u64, File>) -> Self {
        // What lies in a folder that isn't there isn't there either.
        let all = names.clone();
        let reachable = |path: &Path| {
            path.ancestors().skip(1).all(|folder| folder == Path::new("/") || all.get(folder) == Some(&Entry::Folder))
        };
        names.retain(|path, _| reachable(path));
        Self { files, durable_names: names.clone(), names, last_inode: self.last_inode, ..Self::default() }
    }
}

impl Rename {
    fn reach(&self, names: &mut BTreeMap<PathBuf, Entry>) {
        for (path, entry) in &self.names {
            match entry {
                Some(entry) => names.insert(path.clone(), *entry),
                None => names.remove(path),
            };
        }
    }
}
