//! The private copy of a library: named by its sum, in a folder that only we can enter. A library that is overwritten while
//! it is loaded kills who loaded it; nobody overwrites this one.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::{
    fs::{AtFlags, CWD, Timestamps, UTIME_NOW, utimensat},
    time::Timespec,
};
use scheduler_core::{
    Error, Result,
    vfs::{Open, RealFs, Stat, Vfs},
};

use super::refused;

/// The copy of `bytes`, whose sum is `sha256`, in the folder `cache`.
pub(super) fn keep(cache: &Path, sha256: &str, bytes: &[u8]) -> Result<PathBuf> {
    let failed = |what: &str, path: &Path, error| Error::io(format!("cannot {what} {}", path.display()), error);
    RealFs.create_dir_all(cache).map_err(|error| failed("make", cache, error))?;
    let Stat { mode, uid, .. } = RealFs.stat(cache).map_err(|error| failed("look at", cache, error))?;
    if uid != rustix::process::geteuid().as_raw() || mode & 0o077 != 0 {
        let what = format!("{} is open to others (owner {uid}, mode {:04o})", cache.display(), mode & 0o7777);
        return Err(refused(what).hint(format!("remove it; sched makes it anew: `rm -r {}`", cache.display())));
    }
    let path = cache.join(format!("{sha256}.so"));
    if RealFs.read(&path).is_ok_and(|kept| kept == bytes) && touch(&path).is_ok() {
        return Ok(path);
    }
    // Under a name of this process, since two may check the same plugin at once.
    let draft = cache.join(format!("{sha256}.{}.tmp", std::process::id()));
    let write = || {
        let file = RealFs.open(&draft, Open::Create)?;
        file.set_len(0)?;
        file.write_all_at(bytes, 0)?;
        file.sync()?;
        RealFs.rename(&draft, &path)?;
        RealFs.sync_dir(cache)
    };
    write().map_err(|error| {
        let _ = RealFs.remove(&draft);
        failed("write", &path, error)
    })?;
    Ok(path)
}

/// Whoever is about to load a copy has asked for it a moment ago. So long nobody takes it away.
const IN_USE: Duration = Duration::from_hours(1);

/// Takes away the copies that nobody has asked for in the last while before `current` was, which is one of them. One that is loaded stays
/// so without its file.
pub(crate) fn prune(current: &Path) -> io::Result<()> {
    let Some(cache) = current.parent() else { return Ok(()) };
    let asked_for = |path: &Path| RealFs.stat(path).map(|stat| stat.modified_ns);
    let now = asked_for(current)?;
    for name in RealFs.list(cache)? {
        let path = cache.join(name);
        let is_old = |at| now - at > IN_USE.as_nanos() as i128;
        if path != current && asked_for(&path).is_ok_and(is_old) {
            RealFs.remove(&path)?;
        }
    }
    Ok(())
}

/// Notes that somebody asks for it now.
fn touch(path: &Path) -> io::Result<()> {
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    let times = Timestamps { last_access: now, last_modification: now };
    Ok(utimensat(CWD, path, &times, AtFlags::empty())?)
}
