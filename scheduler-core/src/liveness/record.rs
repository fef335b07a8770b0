//! Small files of one JSON object each, replaced as a whole: how they are written, and how they are read without being fooled.

use std::{io, path::Path};

use serde::{Serialize, de::DeserializeOwned};

use super::heartbeat::Unreadable;
use crate::{
    Error, Result,
    vfs::{Vfs, atomic_write},
};

/// Replaces the file at `path`, in a folder that is made if need be.
pub(super) fn write(record: &impl Serialize, fs: &dyn Vfs, path: &Path) -> Result<()> {
    let failed = |error| Error::io(format!("cannot write {}", path.display()), error);
    let mut text = serde_json::to_vec(record).unwrap_or_default();
    text.push(b'\n');
    if let Some(folder) = path.parent() {
        let failed = |error| Error::io(format!("cannot make {}", folder.display()), error);
        fs.create_dir_all(folder).map_err(failed)?;
    }
    atomic_write(fs, path, &text, None).map(drop).map_err(failed)
}

/// The record at `path`, if it is of the format that this build reads; `format_of` says which it has.
pub(super) fn read<T: DeserializeOwned>(
    fs: &dyn Vfs,
    path: &Path,
    ours: u32,
    format_of: impl FnOnce(&T) -> u32,
) -> Result<T, Unreadable> {
    let text = match fs.read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Unreadable::Missing),
        Err(error) => return Err(Unreadable::Failed(Error::io("cannot be read", error).to_string())),
    };
    if text.trim_ascii().is_empty() {
        return Err(Unreadable::Empty);
    }
    let record: T = serde_json::from_slice(&text).map_err(|error| Unreadable::Garbage(error.to_string()))?;
    match format_of(&record) {
        format if format == ours => Ok(record),
        other => Err(Unreadable::Garbage(format!("it is of format {other}, and this build reads {ours}"))),
    }
}
