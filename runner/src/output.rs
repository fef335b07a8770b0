//! The file that a run writes to: making it, bounding it, finishing it.
//!
//! The child has the file itself as stdout and stderr, opened for append; nothing passes through this process. The open
//! file carries a shared `flock`, which the child and all its children hold for as long as they hold the file, even
//! after this process has died: that is how anybody can tell an output file that is still written to from one that is
//! not.
//!
//! Two things to know, and to document for users. A job that opens its output anew for writing (`> /dev/stderr`)
//! truncates it. And where output was left out, the file is a new one after the run: what a background child that
//! outlives its run still writes then goes into the old file, which nobody can see.
//!
//! Blocks on the file system; call it where that is allowed. Never touches a file outside the folder of runs.
#![expect(
    clippy::disallowed_methods,
    reason = "a job appends to its file itself: a `Vfs` in between would prove nothing about it"
)]

use std::{
    collections::HashSet,
    fs::{self, File, OpenOptions},
    io::{self, Seek, SeekFrom, Write},
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::fs::OpenOptionsExt,
    },
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::Mutex;
use rustix::fs::{FallocateFlags, FlockOperation, fallocate, flock};
use scheduler_core::{
    Error, ErrorKind, JobId, Output, Result, RunId,
    vfs::{Open, RealFs, Vfs as _},
};

/// What isn't worth a system call: holes smaller than this are left for the next time.
pub(crate) const SMALLEST_HOLE: u64 = 64 * 1024;

/// The folder of the output files, and which of them this process has runs for.
pub(crate) struct Logs {
    pub(crate) dir: PathBuf,
    open: Mutex<HashSet<PathBuf>>,
}

/// The output file of one run.
pub(crate) struct Log {
    logs: Arc<Logs>,
    pub(crate) path: PathBuf,
    pub(crate) limit: u64,
    hole: Mutex<Hole>,
}

/// What was left out so far.
#[derive(Default)]
struct Hole {
    end: u64,
    /// Set when the file is being finished: a late hole would damage the finished one.
    finished: bool,
}

impl Logs {
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self { dir, open: Mutex::default() }
    }

    pub(crate) fn is_open(&self, path: &Path) -> bool {
        self.open.lock().contains(path)
    }

    /// Makes the file of a new run, and answers it open for the child.
    pub(crate) fn create(self: &Arc<Self>, job: &JobId, run: &RunId, limit: u64) -> Result<(Log, OwnedFd)> {
        let log = self.existing(job, run, limit)?;
        let shown = log.path.display().to_string();
        let failed = |error| Error::io(format!("output file {shown}"), error);
        let mut options = OpenOptions::new();
        options.append(true).custom_flags(libc::O_NOFOLLOW);
        // Made as all else in the home is, which gives it to whom it belongs.
        let made = match RealFs.open(&log.path, Open::CreateNew) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                RealFs.create_dir_all(log.path.parent().unwrap_or(&self.dir)).map_err(failed)?;
                RealFs.open(&log.path, Open::CreateNew)
            }
            result => result,
        };
        let file = made.and_then(|_| options.open(&log.path)).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                let message = format!("run {run} was started before: it has an output file, {shown}");
                Error::new(ErrorKind::Exists, message)
            }
            _ => failed(error),
        })?;
        flock(&file, FlockOperation::NonBlockingLockShared).map_err(|error| failed(error.into()))?;
        Ok((log, beyond_standard(file.into()).map_err(failed)?))
    }

    /// The file of a run that was started before, perhaps by another process.
    pub(crate) fn existing(self: &Arc<Self>, job: &JobId, run: &RunId, limit: u64) -> Result<Log> {
        let name = run.as_str();
        let fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.starts_with('.') || !name.chars().all(fit) {
            return Err(Error::new(ErrorKind::Invalid, format!("run id `{}` can't name a file", name.escape_debug())));
        }
        let path = self.dir.join(job.as_str()).join(format!("{name}.log"));
        self.open.lock().insert(path.clone());
        Ok(Log { logs: Arc::clone(self), path, limit, hole: Mutex::default() })
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.close();
    }
}

impl Log {
    /// How much was written so far.
    pub(crate) fn written(&self) -> u64 {
        fs::metadata(&self.path).map_or(0, |found| found.len())
    }

    /// How much of the limit goes to the beginning of the output; the end has the rest.
    fn head(&self) -> u64 {
        self.limit / 2
    }

    /// Gives back the disk space of what lies between the beginning and the end that are kept. The run may go on
    /// writing meanwhile: it appends, and all before the end of the file is settled.
    ///
    /// # Errors
    /// The file system may not know holes (NFS, some FUSE ones); the file is then bounded at the end of the run only.
    pub(crate) fn punch(&self) -> io::Result<()> {
        // Whole pages, as parts of one would have to be written, not dropped.
        const PAGE: u64 = 4096;
        let mut hole = self.hole.lock();
        if hole.finished {
            return Ok(());
        }
        let file = OpenOptions::new().write(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(&self.path)?;
        let size = file.metadata()?.len();
        if size < hole.end {
            // The job has truncated its output and began anew.
            *hole = Hole::default();
        }
        let begin = hole.end.max(self.head().next_multiple_of(PAGE));
        let end = size.saturating_sub(self.limit - self.head()) / PAGE * PAGE;
        if end >= begin.saturating_add(SMALLEST_HOLE) {
            fallocate(&file, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, begin, end - begin)?;
            hole.end = end;
        }
        Ok(())
    }

    /// Brings the file into its final form: none if nothing was written; beginning, a note and end if there was too much.
    pub(crate) fn finish(&self) -> io::Result<Option<Output>> {
        self.hole.lock().finished = true;
        // The job may have put a pipe in its place, and nobody waits here for one to be written to.
        let mut file = match without_waiting(&self.path) {
            Ok(file) => file,
            // Somebody removed it, which is their right.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let written = file.metadata()?.len();
        if written == 0 {
            // A background child may still have something to say; then the file stays, until it is pruned.
            if !is_held(&file) {
                fs::remove_file(&self.path)?;
            }
            return Ok(None);
        }
        let kept = if written > self.limit { self.shorten(&mut file, written)? } else { written };
        Ok(Some(Output { path: self.path.clone(), written, kept }))
    }

    /// Lets go of the file: this process has no run for it any more.
    pub(crate) fn close(&self) {
        self.logs.open.lock().remove(&self.path);
    }

    /// Removes the file of a run that never was.
    pub(crate) fn discard(&self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "output file of a run that could not start stays");
        }
    }

    fn shorten(&self, file: &mut File, written: u64) -> io::Result<u64> {
        let (head, tail) = (self.head(), self.limit - self.head());
        let short = self.path.with_extension("log.tmp");
        let mut options = OpenOptions::new();
        options.write(true).truncate(true).custom_flags(libc::O_NOFOLLOW);
        RealFs.open(&short, Open::Create)?;
        let mut new = options.open(&short)?;
        let copied = (|| {
            let mut kept = copy(file, 0, head, &mut new)?;
            let left_out = written - self.limit;
            let limit = readable_bytes(self.limit);
            write!(
                new,
                "\n[sched: {written} bytes written, {left_out} left out here; limit {limit} (output_limit)]\n"
            )?;
            kept += copy(file, written - tail, tail, &mut new)?;
            fs::rename(&short, &self.path)?;
            Ok(kept)
        })();
        if copied.is_err() {
            // What was written is still there, in the old file; only the attempt to shorten it goes.
            let _ = fs::remove_file(&short);
        }
        copied
    }
}

fn copy(file: &mut File, from: u64, count: u64, to: &mut File) -> io::Result<u64> {
    file.seek(SeekFrom::Start(from))?;
    io::copy(&mut io::Read::take(file, count), to)
}

/// Opens a file to read it, and what isn't one as well.
pub(crate) fn without_waiting(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)
}

/// Whether somebody still has the output file `file` open to write to it.
pub(crate) fn is_held(file: &File) -> bool {
    // The lock ends with `file`. An error other than "held" is no evidence that it isn't.
    flock(file, FlockOperation::NonBlockingLockExclusive).is_err()
}

/// `file` under a number that can't be one of the child's first three, which it gets one after another.
fn beyond_standard(file: OwnedFd) -> io::Result<OwnedFd> {
    if file.as_raw_fd() > 2 {
        return Ok(file);
    }
    Ok(rustix::io::fcntl_dupfd_cloexec(&file, 3)?)
}

/// `1 MiB`, `1000 bytes`: exact.
fn readable_bytes(bytes: u64) -> String {
    match bytes {
        1.. if bytes.is_multiple_of(1 << 30) => format!("{} GiB", bytes >> 30),
        1.. if bytes.is_multiple_of(1 << 20) => format!("{} MiB", bytes >> 20),
        1.. if bytes.is_multiple_of(1 << 10) => format!("{} KiB", bytes >> 10),
        _ => format!("{bytes} bytes"),
    }
}
