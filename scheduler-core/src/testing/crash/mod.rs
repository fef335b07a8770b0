//! A disk in memory whose power can be cut at every call, and whose every call can be made to fail.
//!
//! | file | what it is |
//! |---|---|
//! | `disk` | what is on the disk, what is on its way there, and who holds which lock |
//! | `file` | one file's content, durable and not |
//! | `loss` | what is left after a power cut |
//!
//! It promises what a disk promises and no more: what was written before a sync that succeeded is there, and names of a folder
//! that was synced. Of everything else any part may be there, pages of one write included, in any order; and a sync that
//! failed has made nothing sure, then or later. Whoever has the file open then is told once, as Linux does it.

mod disk;
mod file;
mod loss;

use std::{io, path::Path, sync::Arc};

use parking_lot::{Condvar, Mutex};

use self::disk::{Disk, Entry, Handle};
pub use self::loss::{Loss, Moment};
use crate::vfs::{Lock, Open, Stat, Vfs, VfsFile};

/// A disk in memory.
///
/// ```
/// use std::{io::ErrorKind, path::Path};
/// use scheduler_core::{testing::{CrashFs, Loss}, vfs::{Open, Vfs}};
/// let disk = CrashFs::default();
/// disk.record();
/// disk.create_dir_all(Path::new("/a"))?;
/// disk.sync_dir(Path::new("/"))?;
/// let file = disk.open(Path::new("/a/file"), Open::Create)?;
/// file.write_all_at(b"content", 0)?;
/// file.sync()?;
/// disk.mark(1);
///
/// // The content is durable, its name is not: the folder was never synced.
/// let moment = disk.moments().pop().expect("a moment for every call");
/// assert_eq!(moment.reached(), 1);
/// assert_eq!(moment.after(Loss::Nothing).read(Path::new("/a/file"))?, b"content");
/// assert!(moment.after(Loss::Everything).read(Path::new("/a/file")).is_err());
///
/// disk.fail(disk.calls(), 1, ErrorKind::StorageFull);
/// assert_eq!(file.sync().unwrap_err().kind(), ErrorKind::StorageFull);
/// file.sync()?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct CrashFs(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    machine: Mutex<Machine>,
    unlocked: Condvar,
}

#[derive(Debug, Default)]
struct Machine {
    disk: Disk,
    /// How many calls there have been.
    calls: u64,
    /// Which calls fail, and how.
    fault: Option<(std::ops::Range<u64>, io::ErrorKind)>,
    /// How far whoever drives this has got.
    reached: u64,
    moments: Option<Vec<Moment>>,
}

impl CrashFs {
    /// Remembers the disk as it is after every change, from now on.
    pub fn record(&self) {
        self.0.machine.lock().moments = Some(Vec::new());
    }

    /// Notes that `reached` has been promised: every later moment knows it.
    pub fn mark(&self, reached: u64) {
        let mut machine = self.0.machine.lock();
        machine.reached = reached;
        machine.remember(None);
    }

    /// What was remembered, oldest first; nothing is remembered from here on.
    pub fn moments(&self) -> Vec<Moment> {
        self.0.machine.lock().moments.take().unwrap_or_default()
    }

    /// How many calls there have been.
    pub fn calls(&self) -> u64 {
        self.0.machine.lock().calls
    }

    /// Lets `count` calls from number `call` on fail. Of a write, half is done; of a sync nothing is sure any more; anything
    /// else isn't done.
    pub fn fail(&self, call: u64, count: u64, error: io::ErrorKind) {
        self.0.machine.lock().fault = Some((call..call + count, error));
    }

    fn holding(disk: Disk) -> Self {
        let machine = Machine { disk, ..Machine::default() };
        Self(Arc::new(Shared { machine: Mutex::new(machine), unlocked: Condvar::new() }))
    }

    fn look<T>(&self, look: impl FnOnce(&Disk) -> io::Result<T>) -> io::Result<T> {
        let mut machine = self.0.machine.lock();
        machine.call()?;
        look(&machine.disk)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Disk) -> io::Result<T>) -> io::Result<T> {
        let mut machine = self.0.machine.lock();
        machine.call()?;
        let answer = change(&mut machine.disk);
        machine.remember(None);
        answer
    }
}

impl Machine {
    /// One more call.
    fn call(&mut self) -> io::Result<()> {
        let number = self.calls;
        self.calls += 1;
        match &self.fault {
            Some((numbers, error)) if numbers.contains(&number) => Err((*error).into()),
            _ => Ok(()),
        }
    }

    fn remember(&mut self, torn: Option<(u64, usize)>) {
        if let Some(moments) = &mut self.moments {
            moments.push(Moment::new(self.disk.clone(), self.reached, torn));
        }
    }
}

impl Vfs for CrashFs {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.look(|disk| Ok(disk.file(path)?.visible().to_vec()))
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        self.look(|disk| match disk.entry(path)? {
            Entry::Folder => Ok(Stat { len: 0, inode: 1, modified_ns: 0, mode: 0o040_700, uid: 0, gid: 0 }),
            Entry::File(inode) => Ok(disk.inode(inode).stat(inode)),
        })
    }

    fn open(&self, path: &Path, how: Open) -> io::Result<Box<dyn VfsFile>> {
        let handle = match how {
            Open::Read | Open::ReadWrite => self.look(|disk| disk.inode_at(path))?,
            Open::Create => self.change(|disk| disk.inode_at(path).or_else(|_| disk.create(path)))?,
            Open::CreateNew => self.change(|disk| match disk.entry(path) {
                Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
                Err(_) => disk.create(path),
            })?,
        };
        let handle = self.0.machine.lock().disk.handle(handle);
        Ok(Box::new(CrashFile { fs: self.clone(), handle }))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.look(|disk| disk.list(path))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.change(|disk| disk.create_dir_all(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change(|disk| disk.rename(from, to))
    }

    fn exchange(&self, a: &Path, b: &Path) -> io::Result<()> {
        self.change(|disk| disk.exchange(a, b))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.change(|disk| disk.remove(path))
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.change(|disk| disk.sync_dir(path))
    }
}

#[derive(Debug)]
struct CrashFile {
    fs: CrashFs,
    handle: Handle,
}

impl VfsFile for CrashFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.fs.look(|disk| {
            let bytes = disk.inode(self.handle.inode).visible();
            let rest = bytes.get(offset as usize..).unwrap_or_default();
            let count = rest.len().min(buffer.len());
            buffer[..count].copy_from_slice(&rest[..count]);
            Ok(count)
        })
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut machine = self.fs.0.machine.lock();
        let answer = machine.call();
        let done = if answer.is_ok() { bytes } else { &bytes[..bytes.len() / 2] };
        let file = machine.disk.inode_mut(self.handle.inode);
        file.write(offset as usize, done);
        let to_the_end = file.visible().len() == offset as usize + done.len();
        machine.remember(to_the_end.then_some((self.handle.inode, done.len())));
        answer
    }

    fn sync(&self) -> io::Result<()> {
        let mut machine = self.fs.0.machine.lock();
        let answer = machine.call();
        let answer = machine.disk.sync(self.handle, answer);
        machine.remember(None);
        answer
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.fs.change(|disk| {
            disk.inode_mut(self.handle.inode).set_len(len as usize);
            Ok(())
        })
    }

    fn stat(&self) -> io::Result<Stat> {
        self.fs.look(|disk| Ok(disk.inode(self.handle.inode).stat(self.handle.inode)))
    }

    fn set_owner_and_mode(&self, _: &Stat) -> io::Result<()> {
        // There is one user here.
        self.fs.look(|_| Ok(()))
    }

    fn lock(&self, lock: Lock) -> io::Result<()> {
        let mut machine = self.fs.0.machine.lock();
        machine.call()?;
        while !machine.disk.try_lock(self.handle, lock) {
            self.fs.0.unlocked.wait(&mut machine);
        }
        Ok(())
    }

    fn try_lock(&self, lock: Lock) -> io::Result<bool> {
        let mut machine = self.fs.0.machine.lock();
        machine.call()?;
        Ok(machine.disk.try_lock(self.handle, lock))
    }

    fn unlock(&self) -> io::Result<()> {
        // Not a call that can fail: the kernel needs no disk for it.
        self.fs.0.machine.lock().disk.unlock(self.handle);
        self.fs.0.unlocked.notify_all();
        Ok(())
    }
}

impl Drop for CrashFile {
    fn drop(&mut self) {
        self.fs.0.machine.lock().disk.close(self.handle);
        self.fs.0.unlocked.notify_all();
    }
}
