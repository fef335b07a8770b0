//! Whose a new file is. What root makes in somebody's home is that user's: a daemon that runs as the home's owner must be able
//! to use what a command of root has left there.

use std::{fs, io, os::fd::AsFd, os::unix::fs::MetadataExt as _, path::Path};

use rustix::{
    fs::{Gid, Uid, fchown},
    process::geteuid,
};

/// Gives what was just made at `path`, and is open as `made`, to the owner of the folder that it is in, if this is root.
pub(super) fn inherit(made: impl AsFd, path: &Path) -> io::Result<()> {
    if !geteuid().is_root() {
        return Ok(());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let of = fs::metadata(folder)?;
    let is = rustix::fs::fstat(&made)?;
    if (is.st_uid, is.st_gid) == (of.uid(), of.gid()) || of.uid() == 0 {
        return Ok(());
    }
    fchown(made, Some(Uid::from_raw(of.uid())), Some(Gid::from_raw(of.gid()))).or_else(|error| {
        // A root of a container that may not, or a file system without owners: what could be made is of use all the same.
        tracing::debug!(path = %path.display(), %error, "it could not be given to the owner of its folder");
        Ok(())
    })
}
