//! The files of heartbeats. One is replaced as a whole, by way of a file that nobody else has: many may write at once, none
//! of them waits, and one that dies in the middle leaves the beat before.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;

use super::{
    super::heartbeat::Unreadable,
    beat::{Beat, MAX_LEN},
    name::BeatName,
};
use crate::{
    Error, Result,
    vfs::{Open, Stat, Vfs},
};

/// Why what is in the place of a file can't be read, if that is a folder, a pipe or a device.
pub(super) const NO_FILE: &str = "it is not a regular file";

/// How the file of a beat ends.
const LAST: &str = ".last";

/// How a file ends that isn't whole yet; it begins with a dot, which no beat's does.
const HALF: &str = ".tmp";

/// What is half written for so long was written by somebody who is dead.
const ABANDONED: Duration = Duration::from_hours(1);

/// Writes `beat` into `folder`, which is made if it isn't there. Answers the path of its file.
///
/// # Errors
/// What could not be made or written, and why; the beat before is then still there.
///
/// ```
/// use std::time::Duration;
/// use scheduler_core::{liveness::{Unreadable, beats::{self, Beat, BeatName}}, vfs::RealFs};
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path().join("beats");
/// let beat = Beat::new(jiff::Timestamp::UNIX_EPOCH, Duration::from_mins(15));
/// let path = beats::write(&RealFs, &folder, &BeatName::new("nightly"), &beat)?;
/// assert_eq!(path, folder.join("nightly.last"));
/// assert_eq!(beats::read(&RealFs, &path), Ok(beat));
/// assert!(beats::forget(&RealFs, &folder, &BeatName::new("nightly"))?);
/// assert_eq!(beats::read(&RealFs, &path), Err(Unreadable::Missing));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write(fs: &dyn Vfs, folder: &Path, name: &BeatName, beat: &Beat) -> Result<PathBuf> {
    let path = path_of(folder, name);
    replace(fs, &path, &beat.encode())?;
    Ok(path)
}

/// The beat at `path`.
///
/// # Errors
/// Why there is none.
///
/// ```
/// use scheduler_core::{liveness::{Unreadable, beats}, vfs::RealFs};
/// assert_eq!(beats::read(&RealFs, "/nonexistent".as_ref()), Err(Unreadable::Missing));
/// ```
pub fn read(fs: &dyn Vfs, path: &Path) -> Result<Beat, Unreadable> {
    Beat::decode(&content(fs, path)?)
}

/// Takes a heartbeat's file away; whether there was one.
///
/// # Errors
/// Why it stays.
///
/// ```
/// use scheduler_core::{liveness::beats::{self, BeatName}, vfs::RealFs};
/// assert!(!beats::forget(&RealFs, "/nonexistent".as_ref(), &BeatName::new("a"))?);
/// # Ok::<(), scheduler_core::Error>(())
/// ```
pub fn forget(fs: &dyn Vfs, folder: &Path, name: &BeatName) -> Result<bool> {
    remove(fs, &path_of(folder, name))
}

pub(super) fn path_of(folder: &Path, name: &BeatName) -> PathBuf {
    folder.join(format!("{}{LAST}", name.stem()))
}

/// The names of all beats in `folder`; none if it isn't there.
pub(super) fn names(fs: &dyn Vfs, folder: &Path) -> io::Result<Vec<BeatName>> {
    let files = match fs.list(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed?,
    };
    let stems = files.iter().filter(|file| !file.starts_with('.')).filter_map(|file| file.strip_suffix(LAST));
    Ok(stems.map(BeatName::of_stem).collect())
}

/// Takes away what writers have left half written in `folder` that died an hour ago or earlier. Where that may not be, it
/// stays, and harms nobody.
///
/// ```
/// use scheduler_core::{liveness::beats, vfs::RealFs};
/// # let folder = tempfile::tempdir()?;
/// let half = folder.path().join(".nightly.last.0badcafe.tmp");
/// std::fs::write(&half, "{\"form")?;
/// beats::tidy(&RealFs, folder.path(), jiff::Timestamp::now());
/// assert!(half.exists(), "somebody may be at it");
/// beats::tidy(&RealFs, folder.path(), jiff::Timestamp::now() + jiff::SignedDuration::from_hours(2));
/// assert!(!half.exists());
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn tidy(fs: &dyn Vfs, folder: &Path, now: Timestamp) {
    let is_half = |file: &&String| file.starts_with('.') && file.contains(".last.") && file.ends_with(HALF);
    for half in fs.list(folder).unwrap_or_default().iter().filter(is_half) {
        let path = folder.join(half);
        let abandoned = |stat: Stat| now.as_nanosecond() - stat.modified_ns > ABANDONED.as_nanos().cast_signed();
        if fs.stat(&path).is_ok_and(abandoned) {
            let _ = fs.remove(&path);
        }
    }
}

/// A file as it is, if it is one that can be read without waiting, and no larger than a beat.
pub(super) fn content(fs: &dyn Vfs, path: &Path) -> Result<Vec<u8>, Unreadable> {
    const KIND: u32 = 0o170_000;
    const REGULAR: u32 = 0o100_000;
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Unreadable::Missing,
        _ => Unreadable::Failed(Error::io("cannot be read", error).to_string()),
    };
    // To open a pipe is to wait for its writer. A file system that doesn't tell kinds apart (a test's) reports none.
    if !matches!(fs.stat(path).map_err(failed)?.mode & KIND, REGULAR | 0) {
        return Err(Unreadable::Failed(format!("cannot be read: {NO_FILE}")));
    }
    let file = fs.open(path, Open::Read).map_err(failed)?;
    let mut content = vec![0; MAX_LEN + 1];
    let mut len = 0;
    while len < content.len() {
        match file.read_at(&mut content[len..], len as u64).map_err(failed)? {
            0 => break,
            read => len += read,
        }
    }
    if len > MAX_LEN {
        return Err(Unreadable::Garbage("it is larger than any heartbeat".into()));
    }
    content.truncate(len);
    Ok(content)
}

/// Replaces the file at `path` as a whole; its folder is made if it isn't there. Anybody may read it: the home lets nobody
/// in, and in a folder that is shared whoever judges it is another user than whoever wrote it.
pub(super) fn replace(fs: &dyn Vfs, path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |error| Error::io(format!("cannot write {}", path.display()), error);
    let folder = path.parent().unwrap_or(path);
    fs.create_dir_all(folder).map_err(|error| Error::io(format!("cannot make {}", folder.display()), error))?;
    let name = path.file_name().unwrap_or_default().display();
    // Two writers must not meet in one file, nor two of different containers, whose pids may be the same.
    let own = getrandom::u32().unwrap_or_else(|_| std::process::id());
    let half = folder.join(format!(".{name}.{own:08x}{HALF}"));
    let written = write_new(fs, &half, bytes).and_then(|()| fs.rename(&half, path));
    if let Err(error) = written {
        let _ = fs.remove(&half);
        return Err(failed(error));
    }
    // It is there, which is what counts; a folder that may be written but not read can't be synced.
    let _ = fs.sync_dir(folder);
    Ok(())
}

fn write_new(fs: &dyn Vfs, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let file = fs.open(path, Open::CreateNew)?;
    file.write_all_at(bytes, 0)?;
    file.set_owner_and_mode(&Stat { mode: 0o644, ..file.stat()? })?;
    file.sync()
}

/// Removes a file; whether it was there.
pub(super) fn remove(fs: &dyn Vfs, path: &Path) -> Result<bool> {
    match fs.remove(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::io(format!("cannot remove {}", path.display()), error)),
    }
}
