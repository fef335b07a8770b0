//! The real file system.
#![expect(clippy::disallowed_methods, reason = "this is the module that the ban on raw file access points to")]

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt},
    path::Path,
};

use rustix::fs::{FlockOperation, Gid, Mode, OFlags, Uid};

use super::{Lock, Open, Stat, Vfs, VfsFile, owner, regular};

/// The file system of this machine.
///
/// # Behavior
/// - What root makes is the owner's of the folder that it is made in, so that who runs a daemon can use what root has made.
/// - What is opened or read is a file: a pipe, a device, a socket or a folder in its place is an error at once, and so is a
///   file of more than 256 MiB that is to be read as a whole.
///
/// ```
/// use scheduler_core::vfs::{RealFs, Vfs};
/// assert!(RealFs.stat("/".as_ref()).is_ok());
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct RealFs;

impl Vfs for RealFs {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        regular::read(path)
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        fs::metadata(path).map(|metadata| stat_of(&metadata))
    }

    fn open(&self, path: &Path, how: Open) -> io::Result<Box<dyn VfsFile>> {
        let mut options = OpenOptions::new();
        options.read(true).write(how != Open::Read).mode(0o600);
        let file = match how {
            Open::Read | Open::ReadWrite => regular::open(&mut options, path)?,
            Open::CreateNew => make(&mut options, path)?,
            // Only of one that this call has made is it known that it was nobody's before.
            Open::Create => match make(&mut options, path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    regular::open(options.create_new(false).create(true), path)?
                }
                made => made?,
            },
        };
        Ok(Box::new(RealFile(file)))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(path).map_err(|error| regular::why_not_listed(path, error))?;
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        regular::make_folders(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    #[cfg(target_os = "linux")]
    fn exchange(&self, a: &Path, b: &Path) -> io::Result<()> {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        Ok(renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE)?)
    }

    #[cfg(not(target_os = "linux"))]
    fn exchange(&self, _: &Path, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let flags = (OFlags::DIRECTORY | OFlags::NONBLOCK).bits().cast_signed();
        OpenOptions::new().read(true).custom_flags(flags).open(path)?.sync_all()
    }
}

/// A new file, which is its folder's owner's.
fn make(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let file = regular::open(options.create_new(true), path)?;
    owner::inherit(&file, path)?;
    Ok(file)
}

#[derive(Debug)]
struct RealFile(File);

impl VfsFile for RealFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn stat(&self) -> io::Result<Stat> {
        self.0.metadata().map(|metadata| stat_of(&metadata))
    }

    fn set_owner_and_mode(&self, like: &Stat) -> io::Result<()> {
        let now = self.stat()?;
        if (now.uid, now.gid) != (like.uid, like.gid) {
            rustix::fs::fchown(&self.0, Some(Uid::from_raw(like.uid)), Some(Gid::from_raw(like.gid)))?;
        }
        rustix::fs::fchmod(&self.0, Mode::from_raw_mode(like.mode & 0o7777))?;
        Ok(())
    }

    fn lock(&self, lock: Lock) -> io::Result<()> {
        loop {
            match rustix::fs::flock(&self.0, operation(lock, false)) {
                Err(rustix::io::Errno::INTR) => {}
                answer => return Ok(answer?),
            }
        }
    }

    fn try_lock(&self, lock: Lock) -> io::Result<bool> {
        match rustix::fs::flock(&self.0, operation(lock, true)) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn unlock(&self) -> io::Result<()> {
        Ok(rustix::fs::flock(&self.0, FlockOperation::Unlock)?)
    }
}

/// `flock`, not POSIX record locks: those belong to the process and go with the first descriptor that is closed; and a
/// child between clone and exec must still hold its owner's lock.
fn operation(lock: Lock, nonblocking: bool) -> FlockOperation {
    match (lock, nonblocking) {
        (Lock::Shared, false) => FlockOperation::LockShared,
        (Lock::Shared, true) => FlockOperation::NonBlockingLockShared,
        (Lock::Exclusive, false) => FlockOperation::LockExclusive,
        (Lock::Exclusive, true) => FlockOperation::NonBlockingLockExclusive,
    }
}

fn stat_of(metadata: &fs::Metadata) -> Stat {
    Stat {
        len: metadata.len(),
        inode: metadata.ino(),
        modified_ns: i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec()),
        mode: metadata.mode(),
        uid: metadata.uid(),
        gid: metadata.gid(),
    }
}
