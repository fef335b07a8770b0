//! From the beat in memory to its file: a plain thread, so that neither a blocked runtime nor a blocked disk stops the
//! other.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{
    heartbeat::{FILE_LEN, Heartbeat},
    pulse::{Order, Pulse},
};
use crate::{
    Error, Result,
    vfs::{Open, Vfs, VfsFile},
};

/// The shortest time between two mere beats on the disk.
const PAUSE: Duration = Duration::from_secs(1);

/// The longest pause after a write that failed; they double up to here.
const LONGEST_PAUSE: Duration = Duration::from_secs(32);

/// Keeps a [`Pulse`] in its file until it is finished or dropped.
///
/// # Behavior
/// - Starting, draining, stopping and a change of error are written at once; everything else within a second, and at
///   most once a second.
/// - Makes the file, with the folders above it, if it isn't there or is no longer the one it had.
/// - A failing disk never ends it: it tries again, and logs once until the error changes.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use scheduler_core::{SystemClock, liveness::{Heartbeat, Phase, Pulse, PulseWriter, heartbeat}, vfs::RealFs};
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let path = folder.path().join("beat.json");
/// let beat = Heartbeat::new("node", jiff::Timestamp::now(), Duration::from_secs(60));
/// let pulse = Pulse::new(beat, Arc::new(SystemClock));
/// let writer = PulseWriter::start(pulse.clone(), Arc::new(RealFs), path.clone())?;
/// pulse.publish(|beat| beat.phase = Phase::Stopped);
/// writer.finish();
/// assert_eq!(heartbeat::read(&RealFs, &path).map(|beat| beat.phase), Ok(Phase::Stopped));
/// # Ok::<(), scheduler_core::Error>(())
/// ```
#[derive(Debug)]
pub struct PulseWriter {
    pulse: Pulse,
    thread: Option<JoinHandle<()>>,
}

impl PulseWriter {
    /// Begins to write `pulse` to `path`.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn start(pulse: Pulse, fs: Arc<dyn Vfs>, path: PathBuf) -> Result<Self> {
        let theirs = pulse.clone();
        let thread = thread::Builder::new()
            .name("heartbeat".into())
            .spawn(move || keep(&theirs, &mut BeatFile::new(fs, path)))
            .map_err(|error| Error::io("cannot start the heartbeat's thread", error))?;
        Ok(Self { pulse, thread: Some(thread) })
    }

    /// Writes the last state and ends. Takes as long as the disk takes for one write.
    pub fn finish(mut self) {
        self.pulse.finish();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the heartbeat's thread panicked");
        }
    }
}

impl Drop for PulseWriter {
    /// Tells the thread to end, and leaves it to the disk when.
    fn drop(&mut self) {
        self.pulse.finish();
    }
}

fn keep(pulse: &Pulse, file: &mut BeatFile) {
    let mut not_before = None;
    let mut pause = PAUSE;
    loop {
        match pulse.next_order(not_before) {
            Order::Write(beat) if file.write(&beat) => pause = PAUSE,
            Order::Write(_) => {
                pulse.give_back();
                not_before = Instant::now().checked_add(pause);
                pause = (pause * 2).min(LONGEST_PAUSE);
                continue;
            }
            Order::Finish(beat) => {
                if let Some(beat) = beat {
                    file.write(&beat);
                }
                return;
            }
        }
        not_before = Instant::now().checked_add(PAUSE);
    }
}

/// The file, held open.
#[derive(Debug)]
struct BeatFile {
    fs: Arc<dyn Vfs>,
    path: PathBuf,
    /// With its inode, by which it is known.
    open: Option<(Box<dyn VfsFile>, u64)>,
    /// What was logged last.
    failure: Option<String>,
}

impl BeatFile {
    fn new(fs: Arc<dyn Vfs>, path: PathBuf) -> Self {
        Self { fs, path, open: None, failure: None }
    }

    /// Whether it is written; if not, why is in the log.
    fn write(&mut self, beat: &Heartbeat) -> bool {
        let failure = self.try_write(beat).err().map(|error| Error::io("cannot be written", error).to_string());
        if failure.is_some() {
            self.open = None;
        }
        if self.failure != failure {
            if let Some(error) = &failure {
                tracing::warn!(path = %self.path.display(), "the heartbeat {error}");
            } else {
                tracing::info!(path = %self.path.display(), "the heartbeat is written again");
            }
            self.failure = failure;
        }
        self.failure.is_none()
    }

    fn try_write(&mut self, beat: &Heartbeat) -> io::Result<()> {
        let file = match self.open.take() {
            // A file that was unlinked or replaced takes every write, and nobody reads it.
            Some((file, inode)) if self.fs.stat(&self.path).is_ok_and(|stat| stat.inode == inode) => (file, inode),
            _ => open(&*self.fs, &self.path)?,
        };
        self.open.insert(file).0.write_all_at(&beat.encode(), 0)
    }
}

fn open(fs: &dyn Vfs, path: &Path) -> io::Result<(Box<dyn VfsFile>, u64)> {
    let file = match fs.open(path, Open::Create) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let Some(folder) = path.parent() else { return Err(error) };
            // Not the home itself: one that was moved away is not to be found in the way when it comes back.
            folder.parent().map_or(Ok(()), |home| fs.stat(home).map(drop))?;
            fs.create_dir_all(folder)?;
            fs.open(path, Open::Create)?
        }
        opened => opened?,
    };
    let stat = file.stat()?;
    if stat.len > FILE_LEN as u64 {
        file.set_len(FILE_LEN as u64)?;
    }
    Ok((file, stat.inode))
}
