//! Replacing a file as a whole: readers see the old one or the new one, and a power loss leaves one of them.

use std::{io, path::Path};

use super::{Open, Stat, Vfs, regular};

/// What [`atomic_write`] put aside.
///
/// ```
/// use scheduler_core::vfs::Replaced;
/// assert_ne!(Replaced::Nothing, Replaced::Kept);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replaced {
    /// There was nothing.
    Nothing,
    /// The old file is now at the path that was given for it.
    Kept,
}

/// Writes `bytes` to `path` by way of `path.tmp`: write, sync, swap, sync of the folder. The owner and mode of a file that
/// was there are kept. With `keep`, the displaced file is put there, by an exchange, so that it is the very file that was
/// displaced and not one that was read earlier.
///
/// # Errors
/// As the system says; `path` is then untouched, or already the new file.
///
/// ```
/// use scheduler_core::vfs::{RealFs, Replaced, Vfs, atomic_write};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("jobs.json");
/// # let backup = folder.path().join("jobs.json.bak.1");
/// assert_eq!(atomic_write(&RealFs, &path, b"one", Some(&backup))?, Replaced::Nothing);
/// assert_eq!(atomic_write(&RealFs, &path, b"two", Some(&backup))?, Replaced::Kept);
/// assert_eq!((RealFs.read(&path)?, RealFs.read(&backup)?), (b"two".to_vec(), b"one".to_vec()));
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn atomic_write(fs: &dyn Vfs, path: &Path, bytes: &[u8], keep: Option<&Path>) -> io::Result<Replaced> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let old = match fs.stat(path) {
        Ok(stat) => Some(stat),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let temporary = Path::new(&temporary);
    if let Err(error) = write_new(fs, temporary, bytes, old.as_ref()) {
        let _ = fs.remove(temporary);
        return Err(error);
    }
    let replaced = match (old, keep) {
        (Some(_), Some(keep)) => {
            match fs.exchange(temporary, path) {
                Ok(()) => fs.rename(temporary, keep)?,
                // A file system without exchange: the copy is the content of a moment ago, which is the best there is.
                Err(error) if matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput) => {
                    fs.rename(path, keep)?;
                    fs.rename(temporary, path)?;
                }
                Err(error) => {
                    let _ = fs.remove(temporary);
                    return Err(error);
                }
            }
            Replaced::Kept
        }
        _ => {
            fs.rename(temporary, path)?;
            Replaced::Nothing
        }
    };
    fs.sync_dir(folder)?;
    Ok(replaced)
}

fn write_new(fs: &dyn Vfs, path: &Path, bytes: &[u8], like: Option<&Stat>) -> io::Result<()> {
    // A left-over of a crash is ours to replace: the caller holds the lock that guards `path`.
    // The caller speaks of the file that this one is to become.
    let file = fs.open(path, Open::Create).map_err(|error| regular::named(error, path))?;
    file.set_len(0)?;
    if let Some(like) = like {
        file.set_owner_and_mode(like)?;
    }
    file.write_all_at(bytes, 0)?;
    file.sync()
}
