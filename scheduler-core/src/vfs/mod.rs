//! The file system as the store sees it: the [`Vfs`] trait and the real one. Nothing else in this crate touches files, so
//! that a test can put a disk underneath that fails, tears and forgets.

mod atomic;
mod bounded;
mod owner;
mod real;
mod regular;
#[cfg(test)]
mod tests;

use std::{fmt, io, path::Path};

pub use atomic::{Replaced, atomic_write};
pub use bounded::Bounded;
pub use real::RealFs;
pub(crate) use regular::is_in_the_way;

/// A file system.
///
/// # Behavior
/// - Errors are the system's own; the caller adds what it was doing.
/// - Nothing is durable before the matching `sync` has returned.
///
/// ```
/// use scheduler_core::vfs::{Open, RealFs, Vfs};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("a/b");
/// RealFs.create_dir_all(&path)?;
/// RealFs.open(&path.join("one"), Open::CreateNew)?.write_all_at(b"1", 0)?;
/// RealFs.open(&path.join("two"), Open::Create)?.write_all_at(b"22", 0)?;
/// RealFs.exchange(&path.join("one"), &path.join("two"))?;
/// assert_eq!((RealFs.read(&path.join("one"))?, RealFs.stat(&path.join("two"))?.len), (b"22".to_vec(), 1));
/// RealFs.rename(&path.join("two"), &path.join("three"))?;
/// RealFs.remove(&path.join("one"))?;
/// RealFs.sync_dir(&path)?;
/// assert_eq!(RealFs.list(&path)?, ["three"]);
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait Vfs: Send + Sync + fmt::Debug {
    /// The whole file.
    ///
    /// # Errors
    /// As the system says.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// Size, times and owner of the file, links followed.
    ///
    /// # Errors
    /// As the system says.
    fn stat(&self, path: &Path) -> io::Result<Stat>;

    /// Opens a file.
    ///
    /// # Errors
    /// As the system says.
    fn open(&self, path: &Path, how: Open) -> io::Result<Box<dyn VfsFile>>;

    /// Names in a folder.
    ///
    /// # Errors
    /// As the system says.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;

    /// Makes a folder, and those above it, with mode 0700; one that is there already is fine.
    ///
    /// # Errors
    /// As the system says.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;

    /// Renames over whatever is at `to`.
    ///
    /// # Errors
    /// As the system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Swaps two files in one step.
    ///
    /// # Errors
    /// As the system says; `Unsupported` where it can't.
    fn exchange(&self, a: &Path, b: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// As the system says.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a folder durable.
    ///
    /// # Errors
    /// As the system says.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
}

/// An open file.
///
/// ```
/// use scheduler_core::vfs::{Lock, Open, RealFs, Vfs};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("file");
/// let file = RealFs.open(&path, Open::Create)?;
/// file.lock(Lock::Exclusive)?;
/// let other = RealFs.open(&path, Open::ReadWrite)?;
/// assert!(!other.try_lock(Lock::Shared)?);
/// file.write_all_at(b"content", 0)?;
/// file.set_len(4)?;
/// file.sync()?;
/// file.set_owner_and_mode(&file.stat()?)?;
/// file.unlock()?;
/// let mut buffer = [0; 8];
/// assert_eq!((other.read_at(&mut buffer, 0)?, &buffer[..4]), (4, &b"cont"[..]));
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait VfsFile: Send + Sync + fmt::Debug {
    /// Reads up to `buffer.len()` bytes at `offset`; 0 at the end.
    ///
    /// # Errors
    /// As the system says.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes all of `bytes` at `offset`.
    ///
    /// # Errors
    /// As the system says; a part may have been written.
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Makes the content durable.
    ///
    /// # Errors
    /// As the system says; after an error nothing may be assumed of what was written since the last success.
    fn sync(&self) -> io::Result<()>;

    /// Cuts or extends the file.
    ///
    /// # Errors
    /// As the system says.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Size, times and owner.
    ///
    /// # Errors
    /// As the system says.
    fn stat(&self) -> io::Result<Stat>;

    /// Gives the file the owner and mode of another.
    ///
    /// # Errors
    /// As the system says.
    fn set_owner_and_mode(&self, like: &Stat) -> io::Result<()>;

    /// Takes an advisory lock on the open file and waits for it as long as it takes.
    ///
    /// # Errors
    /// As the system says.
    fn lock(&self, lock: Lock) -> io::Result<()>;

    /// Takes an advisory lock if nobody stands in the way; says whether it did.
    ///
    /// # Errors
    /// As the system says.
    fn try_lock(&self, lock: Lock) -> io::Result<bool>;

    /// Gives the lock back.
    ///
    /// # Errors
    /// As the system says.
    fn unlock(&self) -> io::Result<()>;
}

/// How a file is opened.
///
/// ```
/// use scheduler_core::vfs::{Open, RealFs, Vfs};
/// let missing = RealFs.open("/nonexistent".as_ref(), Open::Read);
/// assert_eq!(missing.unwrap_err().kind(), std::io::ErrorKind::NotFound);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// To read; it must be there.
    Read,
    /// To read and write; it must be there.
    ReadWrite,
    /// To read and write; made if missing, with mode 0600.
    Create,
    /// To read and write; it must not be there yet.
    CreateNew,
}

/// Which lock.
///
/// ```
/// use scheduler_core::vfs::Lock;
/// assert_ne!(Lock::Shared, Lock::Exclusive);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// Beside other shared ones.
    Shared,
    /// Alone.
    Exclusive,
}

/// What the system knows of a file.
///
/// ```
/// use scheduler_core::vfs::{RealFs, Stat, Vfs};
/// let Stat { mode, .. } = RealFs.stat("/".as_ref())?;
/// assert_eq!(mode & 0o170_000, 0o040_000, "a folder");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Size in bytes.
    pub len: u64,
    /// Inode.
    pub inode: u64,
    /// Last change of its content, in nanoseconds since the epoch.
    pub modified_ns: i128,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}
