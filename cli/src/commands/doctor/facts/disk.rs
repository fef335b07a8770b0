//! The disk under the home: what is left of it, and how long a sync takes. The one probe that writes.

use std::{io, path::Path, time::Duration};

use rustix::fs::StatVfsMountFlags;
use scheduler_core::{
    Clock, Error, Home,
    vfs::{Open, RealFs, Vfs as _},
};

use super::super::disk::{Disk, Room};
use crate::daemon::filesystem;

pub(super) fn disk(home: &Home, clock: &dyn Clock) -> Disk {
    let room = rustix::fs::statvfs(home.path()).ok().map(|stat| Room {
        bytes: stat.f_bavail.saturating_mul(stat.f_frsize),
        inodes: stat.f_favail,
        all_inodes: stat.f_files,
        read_only: stat.f_flag.contains(StatVfsMountFlags::RDONLY),
    });
    let sync = home.state().is_dir().then(|| probe(&home.state(), clock).map_err(|error| error.to_string()));
    Disk { magic: filesystem::magic(home), room, sync }
}

/// What a probe is called, with the pid behind it.
pub(super) const PROBE: &str = "doctor.probe-";

/// How often a sync is tried; the middle one counts.
const TRIES: usize = 5;
/// As much as a frame of a busy tick.
const PROBE_LEN: usize = 4096;

/// How long it takes to make a write durable in `folder`. The file for it is removed again.
fn probe(folder: &Path, clock: &dyn Clock) -> Result<Duration, Error> {
    let path = folder.join(format!("{PROBE}{}", std::process::id()));
    let failed = |error| Error::io(format!("cannot write {}", path.display()), error);
    let file = RealFs.open(&path, Open::CreateNew).map_err(failed)?;
    let bytes = [b'.'; PROBE_LEN];
    let mut tries: Vec<io::Result<Duration>> = Vec::new();
    for index in 0..TRIES {
        let timed = file.write_all_at(&bytes, (index * PROBE_LEN) as u64).and_then(|()| {
            let before = clock.monotonic();
            file.sync().map(|()| clock.monotonic().saturating_sub(before))
        });
        tries.push(timed);
    }
    let removed = RealFs.remove(&path);
    let mut took = tries.into_iter().collect::<io::Result<Vec<Duration>>>().map_err(failed)?;
    removed.map_err(|error| Error::io(format!("cannot remove {}", path.display()), error))?;
    took.sort_unstable();
    Ok(took[TRIES / 2])
}
