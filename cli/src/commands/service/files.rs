//! The files of units.

use std::{io, path::Path};

use scheduler_core::{
    Error, Result,
    vfs::{Open, RealFs, Vfs as _},
};

use super::units::{MARK, Unit};

/// How the file of a unit stands to what this build would write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// There is none.
    Missing,
    /// It is the same.
    Same,
    /// It is ours, and another: of an older build, or changed since.
    Differs,
    /// Somebody else wrote it.
    Foreign,
}

/// Looks at the file of `unit` in `folder`.
///
/// # Errors
/// It can't be read.
pub(super) fn state(folder: &Path, unit: &Unit) -> Result<State> {
    let path = folder.join(&unit.file);
    match RealFs.read(&path) {
        Ok(bytes) if bytes == unit.text.as_bytes() => Ok(State::Same),
        Ok(bytes) if bytes.starts_with(MARK.as_bytes()) => Ok(State::Differs),
        Ok(_) => Ok(State::Foreign),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(State::Missing),
        Err(error) => Err(Error::io(format!("cannot read {}", path.display()), error)),
    }
}

/// Writes `unit`, for everybody to read, as units are.
///
/// # Errors
/// The folder or the file can't be written.
pub(super) fn write(folder: &Path, unit: &Unit) -> Result<()> {
    let path = folder.join(&unit.file);
    let temporary = folder.join(format!(".{}.tmp", unit.file));
    let write = || {
        RealFs.create_dir_all(folder)?;
        let file = RealFs.open(&temporary, Open::Create)?;
        file.set_len(0)?;
        let mut like = file.stat()?;
        like.mode = like.mode & !0o777 | 0o644;
        file.set_owner_and_mode(&like)?;
        file.write_all_at(unit.text.as_bytes(), 0)?;
        file.sync()?;
        RealFs.rename(&temporary, &path)?;
        RealFs.sync_dir(folder)
    };
    write().map_err(|error| Error::io(format!("cannot write {}", path.display()), error))
}

/// Takes the file of `unit` away.
///
/// # Errors
/// It stays.
pub(super) fn remove(folder: &Path, unit: &Unit) -> Result<()> {
    let path = folder.join(&unit.file);
    match RealFs.remove(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io(format!("cannot remove {}", path.display()), error))
        }
        _ => Ok(()),
    }
}
