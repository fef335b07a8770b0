//! The private copy of a library: named by its sum, in a folder that only we can enter. A library that is overwritten while
//! it is loaded kills who loaded it; nobody overwrites this one.

use std::path::{Path, PathBuf};

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
    if RealFs.read(&path).is_ok_and(|kept| kept == bytes) {
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
