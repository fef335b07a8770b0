//! A disk that fails when it is told to.

use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use parking_lot::Mutex;

use crate::vfs::{Lock, Open, RealFs, Stat, Vfs, VfsFile};

/// The real file system with failures on order.
///
/// ```
/// use std::{io::ErrorKind, path::Path};
/// use scheduler_core::{testing::FaultyFs, vfs::atomic_write};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("file");
/// let disk = FaultyFs::default();
/// disk.fill(true);
/// assert_eq!(atomic_write(&disk, &path, b"content", None).unwrap_err().kind(), ErrorKind::StorageFull);
/// disk.fill(false);
/// disk.fail_syncs(true);
/// assert!(atomic_write(&disk, &path, b"content", None).is_err());
/// assert_eq!(disk.syncs(), 0);
/// disk.save_meanwhile("what an editor saved just then");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct FaultyFs(Arc<Faults>);

#[derive(Debug, Default)]
struct Faults {
    syncs_fail: AtomicBool,
    is_full: AtomicBool,
    panics: AtomicBool,
    syncs: AtomicUsize,
    meanwhile: Mutex<Option<Vec<u8>>>,
}

impl FaultyFs {
    /// Syncs of files fail from now on, or don't any more. What was written stays visible, as it does on a real disk.
    pub fn fail_syncs(&self, fail: bool) {
        self.0.syncs_fail.store(fail, Ordering::SeqCst);
    }

    /// No more than half of a write fits from now on, or all of it does again.
    pub fn fill(&self, full: bool) {
        self.0.is_full.store(full, Ordering::SeqCst);
    }

    /// Whoever syncs a file panics from now on, or doesn't any more: a mistake in the program, where it hurts.
    ///
    /// ```
    /// use scheduler_core::{testing::FaultyFs, vfs::{Open, Vfs}};
    /// # let folder = tempfile::tempdir()?;
    /// let disk = FaultyFs::default();
    /// let file = disk.open(&folder.path().join("file"), Open::Create)?;
    /// disk.panic_in_syncs(true);
    /// assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| file.sync())).is_err());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn panic_in_syncs(&self, panic: bool) {
        self.0.panics.store(panic, Ordering::SeqCst);
    }

    /// Somebody saves this in the very moment in which a file is next exchanged for a new one.
    pub fn save_meanwhile(&self, content: impl Into<Vec<u8>>) {
        *self.0.meanwhile.lock() = Some(content.into());
    }

    /// How many syncs of files have succeeded.
    pub fn syncs(&self) -> usize {
        self.0.syncs.load(Ordering::SeqCst)
    }
}

impl Vfs for FaultyFs {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        RealFs.read(path)
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        RealFs.stat(path)
    }

    fn open(&self, path: &Path, how: Open) -> io::Result<Box<dyn VfsFile>> {
        let file = RealFs.open(path, how)?;
        Ok(Box::new(FaultyFile { file, faults: Arc::clone(&self.0) }))
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
        if let Some(content) = self.0.meanwhile.lock().take() {
            let file = RealFs.open(b, Open::ReadWrite)?;
            file.set_len(0)?;
            file.write_all_at(&content, 0)?;
        }
        RealFs.exchange(a, b)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealFs.remove(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        RealFs.sync_dir(path)
    }
}

#[derive(Debug)]
struct FaultyFile {
    file: Box<dyn VfsFile>,
    faults: Arc<Faults>,
}

impl VfsFile for FaultyFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        if self.faults.is_full.load(Ordering::SeqCst) {
            self.file.write_all_at(&bytes[..bytes.len() / 2], offset)?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.write_all_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        assert!(!self.faults.panics.load(Ordering::SeqCst), "asked to, in a sync");
        if self.faults.syncs_fail.load(Ordering::SeqCst) {
            return Err(io::Error::other("the disk does not answer"));
        }
        self.file.sync()?;
        self.faults.syncs.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn stat(&self) -> io::Result<Stat> {
        self.file.stat()
    }

    fn set_owner_and_mode(&self, like: &Stat) -> io::Result<()> {
        self.file.set_owner_and_mode(like)
    }

    fn lock(&self, lock: Lock) -> io::Result<()> {
        self.file.lock(lock)
    }

    fn try_lock(&self, lock: Lock) -> io::Result<bool> {
        self.file.try_lock(lock)
    }

    fn unlock(&self) -> io::Result<()> {
        self.file.unlock()
    }
}
