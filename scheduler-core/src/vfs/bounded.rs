//! A file system that is waited for no longer than a bound. Each call is made on a thread of its own, which is left behind when
//! it doesn't come back: nothing else ends a wait for a dead mount.

use std::{
    fmt, io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use super::{Lock, Open, Stat, Vfs, VfsFile};

/// Another file system, each call of which is waited for no longer than a bound.
///
/// # Behavior
/// - A call that takes longer is `TimedOut`. It may still come to its end, unseen.
/// - From then on every call is `TimedOut` at once, until [`try_again`](Self::try_again): one thread is left behind, and
///   whoever makes many calls doesn't wait for each.
/// - Clones give up together.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use scheduler_core::vfs::{Bounded, RealFs, Vfs};
/// let bounded = Bounded::new(Arc::new(RealFs), Duration::from_secs(10));
/// assert!(bounded.stat("/".as_ref()).is_ok() && !bounded.has_given_up());
/// ```
#[derive(Debug, Clone)]
pub struct Bounded {
    inner: Arc<dyn Vfs>,
    patience: Patience,
}

impl Bounded {
    /// `inner`, with `bound` for each call.
    pub fn new(inner: Arc<dyn Vfs>, bound: Duration) -> Self {
        Self { inner, patience: Patience { bound, given_up: Arc::default() } }
    }

    /// Whether a call has not come back.
    pub fn has_given_up(&self) -> bool {
        self.patience.given_up.load(Ordering::Relaxed)
    }

    /// Makes calls again.
    ///
    /// ```
    /// use std::{sync::Arc, time::Duration};
    /// use scheduler_core::vfs::{Bounded, Lock, Open, RealFs, Vfs};
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("lock");
    /// let held = RealFs.open(&path, Open::Create)?;
    /// held.lock(Lock::Exclusive)?;
    /// let bounded = Bounded::new(Arc::new(RealFs), Duration::from_millis(100));
    /// assert!(bounded.open(&path, Open::Read)?.lock(Lock::Shared).is_err() && bounded.has_given_up());
    /// bounded.try_again();
    /// assert!(!bounded.has_given_up());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_again(&self) {
        self.patience.given_up.store(false, Ordering::Relaxed);
    }

    fn ask<T: Send + 'static>(
        &self,
        path: &Path,
        call: impl FnOnce(&dyn Vfs, &Path) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let (inner, path) = (Arc::clone(&self.inner), path.to_owned());
        self.patience.wait_for(move || call(&*inner, &path))
    }
}

/// How long is waited, and whether that was in vain.
#[derive(Debug, Clone)]
struct Patience {
    bound: Duration,
    given_up: Arc<AtomicBool>,
}

impl Patience {
    fn wait_for<T: Send + 'static>(&self, call: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
        if self.given_up.load(Ordering::Relaxed) {
            return Err(self.silence());
        }
        let (answer, answered) = mpsc::sync_channel(1);
        thread::Builder::new().name("sched-look".into()).spawn(move || drop(answer.send(call())))?;
        match answered.recv_timeout(self.bound) {
            Ok(answer) => answer,
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(io::Error::other("the call broke off")),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                self.given_up.store(true, Ordering::Relaxed);
                Err(self.silence())
            }
        }
    }

    fn silence(&self) -> io::Error {
        let why = format!("the disk has not answered for {}", crate::duration::format(self.bound));
        io::Error::new(io::ErrorKind::TimedOut, why)
    }
}

impl Vfs for Bounded {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.ask(path, |fs, path| fs.read(path))
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        self.ask(path, |fs, path| fs.stat(path))
    }

    fn open(&self, path: &Path, how: Open) -> io::Result<Box<dyn VfsFile>> {
        let file = self.ask(path, move |fs, path| fs.open(path, how))?;
        Ok(Box::new(BoundedFile { file: Some(file.into()), patience: self.patience.clone() }))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.ask(path, |fs, path| fs.list(path))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.ask(path, |fs, path| fs.create_dir_all(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let to = to.to_owned();
        self.ask(from, move |fs, from| fs.rename(from, &to))
    }

    fn exchange(&self, a: &Path, b: &Path) -> io::Result<()> {
        let b = b.to_owned();
        self.ask(a, move |fs, a| fs.exchange(a, &b))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.ask(path, |fs, path| fs.remove(path))
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.ask(path, |fs, path| fs.sync_dir(path))
    }
}

struct BoundedFile {
    /// Until it is closed.
    file: Option<Arc<dyn VfsFile>>,
    patience: Patience,
}

impl BoundedFile {
    fn ask<T: Send + 'static>(
        &self,
        call: impl FnOnce(&dyn VfsFile) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let file = self.file.clone().ok_or(io::ErrorKind::NotConnected)?;
        self.patience.wait_for(move || call(&*file))
    }
}

impl fmt::Debug for BoundedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.file.fmt(f)
    }
}

impl Drop for BoundedFile {
    /// To close a file may be to wait too. A lock on it is gone when this returns.
    fn drop(&mut self) {
        let file = self.file.take();
        let (closed, is_closed) = mpsc::sync_channel(1);
        let close = move || {
            drop(file);
            let _ = closed.send(());
        };
        let given_up = &self.patience.given_up;
        if thread::Builder::new().name("sched-look".into()).spawn(close).is_err() || given_up.load(Ordering::Relaxed) {
            return;
        }
        if is_closed.recv_timeout(self.patience.bound) == Err(mpsc::RecvTimeoutError::Timeout) {
            given_up.store(true, Ordering::Relaxed);
        }
    }
}

impl VfsFile for BoundedFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let len = buffer.len();
        let read = self.ask(move |file| {
            let mut bytes = vec![0; len];
            let read = file.read_at(&mut bytes, offset)?;
            bytes.truncate(read);
            Ok(bytes)
        })?;
        buffer[..read.len()].copy_from_slice(&read);
        Ok(read.len())
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let bytes = bytes.to_owned();
        self.ask(move |file| file.write_all_at(&bytes, offset))
    }

    fn sync(&self) -> io::Result<()> {
        self.ask(|file| file.sync())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.ask(move |file| file.set_len(len))
    }

    fn stat(&self) -> io::Result<Stat> {
        self.ask(|file| file.stat())
    }

    fn set_owner_and_mode(&self, like: &Stat) -> io::Result<()> {
        let like = *like;
        self.ask(move |file| file.set_owner_and_mode(&like))
    }

    fn lock(&self, lock: Lock) -> io::Result<()> {
        self.ask(move |file| file.lock(lock))
    }

    fn try_lock(&self, lock: Lock) -> io::Result<bool> {
        self.ask(move |file| file.try_lock(lock))
    }

    fn unlock(&self) -> io::Result<()> {
        self.ask(|file| file.unlock())
    }
}
