//! Changes folders of plugins: makes, copies, links, publishes and removes them. What is written is synced, and nobody but its
//! owner can write it, whatever the umask says: anything else the gates would refuse.
#![expect(
    clippy::disallowed_methods,
    reason = "links, whole folders, and files that others than their owner may read: a `Vfs` has none of these"
)]

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, symlink},
    path::{Path, PathBuf},
};

use scheduler_core::{
    Error,
    vfs::{RealFs, Vfs as _},
};

use super::is_there;
use crate::failure::Failure;

/// A place beside the plugins of a home, for one that isn't whole yet. It goes with all that is in it.
pub(super) struct Staging {
    folder: PathBuf,
}

impl Staging {
    /// A new one in the folder `plugins`, which is made if it is missing. Whoever lists plugins passes over hidden names.
    pub(super) fn new(plugins: &Path) -> Result<Self, Failure> {
        RealFs.create_dir_all(plugins).map_err(|cause| failed("make", plugins, cause))?;
        let folder = plugins.join(format!(".staging-{}", std::process::id()));
        // What an earlier process of this number left behind when it was killed.
        remove(&folder)?;
        make(&folder)?;
        Ok(Self { folder })
    }

    /// Where the plugin called `name` can be put together; `part` keeps one such place from another.
    pub(super) fn place(&self, part: &str, name: &str) -> Result<PathBuf, Failure> {
        let folder = self.folder.join(part);
        make(&folder)?;
        Ok(folder.join(name))
    }

    /// Puts what is at `staged` to `target` in one step. What was there goes with the staging place.
    pub(super) fn publish(&self, staged: &Path, target: &Path) -> Result<(), Failure> {
        let published = if is_there(target) { self.exchange(staged, target) } else { RealFs.rename(staged, target) };
        let synced = published.and_then(|()| target.parent().map_or(Ok(()), |folder| RealFs.sync_dir(folder)));
        synced.map_err(|cause| failed("put in place", target, cause))
    }

    /// Takes away what is at `target`, in one step: nobody ever sees half of it.
    pub(super) fn withdraw(&self, target: &Path) -> Result<(), Failure> {
        let withdrawn = RealFs.rename(target, &self.folder.join("old"));
        let synced = withdrawn.and_then(|()| target.parent().map_or(Ok(()), |folder| RealFs.sync_dir(folder)));
        synced.map_err(|cause| failed("remove", target, cause))
    }

    fn exchange(&self, staged: &Path, target: &Path) -> io::Result<()> {
        match RealFs.exchange(staged, target) {
            // A file system without exchange: there is a moment without either, and what was there comes back if that fails.
            Err(error) if matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput) => {
                let old = self.folder.join("old");
                RealFs.rename(target, &old)?;
                RealFs.rename(staged, target).inspect_err(|_| drop(RealFs.rename(&old, target)))
            }
            other => other,
        }
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if let Err(failure) = remove(&self.folder) {
            tracing::warn!("{}", failure.message);
        }
    }
}

/// Makes the folder, and those above it; one that is there already is fine.
pub(super) fn make(folder: &Path) -> Result<(), Failure> {
    DirBuilder::new().recursive(true).mode(0o755).create(folder).map_err(|cause| failed("make", folder, cause))
}

/// Writes a file that isn't there yet, and the folders above it.
pub(super) fn write(path: &Path, bytes: &[u8], executable: bool) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        make(folder)?;
    }
    let mode = if executable { 0o755 } else { 0o644 };
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let written = file.and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.map_err(|cause| failed("write", path, cause))
}

/// Makes the names in the folder durable, and those in all below it.
pub(super) fn sync(folder: &Path) -> Result<(), Failure> {
    let synced = || {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                sync(&entry.path()).map_err(|failure| io::Error::other(failure.message))?;
            }
        }
        RealFs.sync_dir(folder)
    };
    synced().map_err(|cause| failed("sync", folder, cause))
}

/// Makes a link at `path` to the folder `target`.
pub(super) fn link(target: &Path, path: &Path) -> Result<(), Failure> {
    symlink(target, path).map_err(|cause| failed("link", path, cause))
}

/// Removes what is there, a folder with all that is in it. Of a link, only the link.
fn remove(path: &Path) -> Result<(), Failure> {
    let removed = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(stat) if stat.is_dir() => fs::remove_dir_all(path),
        Ok(_) => RealFs.remove(path),
    };
    removed.map_err(|cause| failed("remove", path, cause))
}

fn failed(what: &str, path: &Path, cause: io::Error) -> Failure {
    Error::io(format!("cannot {what} {}", path.display()), cause).into()
}
