//! Who can change what a plugin is: only its owner, if that is us, and root. Reads, and changes nothing.
//!
//! Whoever can write a file, its folder, or a folder above can put other code in its place, and the daemon would run it as
//! its own user. So all of these are looked at, by one rule.

use std::{
    fs::{self, Metadata},
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use rustix::fs::{Mode, OFlags};
use scheduler_core::{Error, ErrorKind, Result};

use super::refused;

/// More files than this nobody looks at in a hurry, and a daemon that starts is in one.
const MOST_ENTRIES: usize = 10_000;
const LONGEST_FILE: u64 = 256 << 20;

const STICKY: u32 = 0o1000;
const OTHERS_WRITE: u32 = 0o022;

/// The folder at `path`, links resolved. One that was linked for development is checked where it really is, as well.
pub(super) fn folder(path: &Path) -> Result<PathBuf> {
    let real = resolved(path)?;
    let stat = fs::metadata(&real).map_err(|error| Error::io(format!("cannot look at {}", real.display()), error))?;
    if !stat.is_dir() {
        return Err(refused(format!("{} is not a folder", path.display()))
            .hint("a plugin is a folder with a plugin.yaml and a program or a library"));
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        above(&resolved(parent)?)?;
    }
    above(&real)?;
    Ok(real)
}

/// Everything in the folder `real`: nothing that somebody else can change, and no link that leads out.
pub(super) fn tree(real: &Path) -> Result<()> {
    let mut folders = vec![real.to_owned()];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        let failed = |error| Error::io(format!("cannot list {}", folder.display()), error);
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            seen += 1;
            if seen > MOST_ENTRIES {
                return Err(refused(format!("{} holds more than {MOST_ENTRIES} files", real.display()))
                    .hint("keep what the plugin doesn't need to run somewhere else"));
            }
            let stat = match fs::symlink_metadata(&path) {
                Ok(stat) => stat,
                // A file that a program of the plugin's took away meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(Error::io(format!("cannot look at {}", path.display()), error)),
            };
            if stat.is_symlink() {
                inside(real, &path)?;
                continue;
            }
            owned(&path, &stat)?;
            if stat.is_dir() {
                folders.push(path);
            }
        }
    }
    Ok(())
}

/// Where `path`, which is in the folder `real`, really is: in that folder too.
pub(super) fn inside(real: &Path, path: &Path) -> Result<PathBuf> {
    let target = resolved(path)?;
    if target.starts_with(real) {
        return Ok(target);
    }
    Err(refused(format!("{} leads out of the plugin's folder, to {}", path.display(), target.display()))
        .hint("put the file itself into the folder"))
}

/// What is in the file at `path`, which is in the folder `real`. It is opened once, and what was opened is checked.
pub(super) fn file(real: &Path, path: &Path) -> Result<Vec<u8>> {
    let target = inside(real, path)?;
    let cannot = |error: io::Error| Error::io(format!("cannot read {}", path.display()), error);
    // Without NONBLOCK a pipe would keep us waiting for somebody to write.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let opened = rustix::fs::open(&target, flags, Mode::empty()).map_err(|error| cannot(error.into()))?;
    let mut opened = fs::File::from(opened);
    let stat = opened.metadata().map_err(cannot)?;
    if !stat.is_file() {
        return Err(refused(format!("{} is not a regular file", path.display())).hint("put a regular file there"));
    }
    owned(path, &stat)?;
    if stat.len() > LONGEST_FILE {
        return Err(refused(format!("{} is larger than 256 MiB", path.display())).hint("strip it"));
    }
    let mut bytes = Vec::with_capacity(stat.len() as usize);
    opened.by_ref().take(LONGEST_FILE).read_to_end(&mut bytes).map_err(cannot)?;
    Ok(bytes)
}

/// A program outside of the plugin's folder, such as an interpreter: nobody but us and root can change it either.
pub(super) fn outside(path: &Path) -> Result<()> {
    let real = resolved(path)?;
    let stat = fs::metadata(&real).map_err(|error| Error::io(format!("cannot look at {}", real.display()), error))?;
    if !stat.is_file() {
        return Err(refused(format!("{} is not a regular file", real.display())).hint("name a program"));
    }
    owned(&real, &stat)?;
    real.parent().map_or(Ok(()), above)
}

/// A folder and all above it.
fn above(real: &Path) -> Result<()> {
    for folder in real.ancestors() {
        let stat = fs::symlink_metadata(folder)
            .map_err(|error| Error::io(format!("cannot look at {}", folder.display()), error))?;
        // In a sticky folder, as /tmp is, others can't take away or rename what isn't theirs.
        if stat.mode() & STICKY != 0 && stat.uid() == 0 && folder != real {
            continue;
        }
        owned(folder, &stat)?;
    }
    Ok(())
}

fn owned(path: &Path, stat: &Metadata) -> Result<()> {
    owned_by(path, stat.uid(), stat.mode(), rustix::process::geteuid().as_raw())
}

/// The rule: owned by `us` or root, and written by nobody else.
pub(super) fn owned_by(path: &Path, owner: u32, mode: u32, us: u32) -> Result<()> {
    let path = path.display();
    if owner != us && owner != 0 {
        let what = format!("{path} is owned by the user {owner}, not by {us}, as whom sched runs, or by root");
        return Err(refused(what).hint(format!("if you trust what is in it: `chown {us} {path}`")));
    }
    if mode & OTHERS_WRITE != 0 {
        let who = if mode & 0o002 != 0 { "everybody" } else { "its group" };
        return Err(refused(format!("{path} can be written by {who} (mode {:04o})", mode & 0o7777))
            .hint(format!("if you trust what is in it: `chmod go-w {path}`")));
    }
    Ok(())
}

fn resolved(path: &Path) -> Result<PathBuf> {
    path.canonicalize().map_err(|error| {
        if error.kind() != io::ErrorKind::NotFound {
            return Error::io(format!("cannot look at {}", path.display()), error).hint("check the path");
        }
        let what = match fs::symlink_metadata(path) {
            Ok(_) => format!("{} is a link to something that is not there", path.display()),
            Err(_) => format!("{} is not there", path.display()),
        };
        Error::new(ErrorKind::NotFound, what).hint("check the path")
    })
}
