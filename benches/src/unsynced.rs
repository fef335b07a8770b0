//! A file system on which a sync costs nothing: what is left is the store's own work.

use std::{io, path::Path};

use scheduler_core::vfs::{Lock, Open, RealFs, Stat, Vfs, VfsFile};

/// The real file system without its syncs. For measuring only: nothing on it is durable.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unsynced;

impl Vfs for Unsynced {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        RealFs.read(path)
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        RealFs.stat(path)
    }

    fn open(&self, path: &Path, how: Open) -> io::Result<Box<dyn VfsFile>> {
        Ok(Box::new(UnsyncedFile(RealFs.open(path, how)?)))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        RealFs.list(path)
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        RealFs.create_dir_all(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealFs.rename(from, to)
    }

    fn exchange(&self, a: &Path, b: &Path) -> io::Result<()> {
        RealFs.exchange(a, b)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealFs.remove(path)
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Debug)]
struct UnsyncedFile(Box<dyn VfsFile>);

impl VfsFile for UnsyncedFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn stat(&self) -> io::Result<Stat> {
        self.0.stat()
    }

    fn set_owner_and_mode(&self, like: &Stat) -> io::Result<()> {
        self.0.set_owner_and_mode(like)
    }

    fn lock(&self, lock: Lock) -> io::Result<()> {
        self.0.lock(lock)
    }

    fn try_lock(&self, lock: Lock) -> io::Result<bool> {
        self.0.try_lock(lock)
    }

    fn unlock(&self) -> io::Result<()> {
        self.0.unlock()
    }
}
