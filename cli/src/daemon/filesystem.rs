//! Locks and syncs mean what they say on local file systems only. A home elsewhere could fire twice, so it is refused.

use scheduler_core::{ErrorKind, Home};

use crate::failure::Failure;

/// Magic numbers of statfs(2) for file systems whose locks don't hold across machines or whose syncs prove nothing.
const REMOTE: [(i64, &str); 6] = [
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB2"),
    (0x6573_5546, "FUSE"),
    (0x0102_1997, "9p"),
];

/// Refuses a home that isn't on a local file system.
///
/// # Errors
/// Which file system it is on.
pub(crate) fn check(home: &Home, unsafe_fs: bool) -> Result<(), Failure> {
    match magic(home).and_then(remote) {
        Some(name) if unsafe_fs => {
            tracing::warn!("the home is on {name}: nothing can be promised about jobs firing once");
            Ok(())
        }
        Some(name) => {
            let what = format!("{} is on {name}, where locks and syncs can't be trusted", home.path().display());
            Err(Failure::new(ErrorKind::Invalid, what)
                .hint("put the home on a local disk, or say `--unsafe-fs` and live with jobs that may fire twice"))
        }
        None => Ok(()),
    }
}

/// What the file system of `home` calls itself in statfs(2), if that can be known.
pub(crate) fn magic(home: &Home) -> Option<i64> {
    rustix::fs::statfs(home.path()).ok().map(|stat| stat.f_type & 0xffff_ffff)
}

/// The name of the file system with this number, if nothing can be promised there.
pub(crate) fn remote(magic: i64) -> Option<&'static str> {
    REMOTE.iter().find(|(known, _)| *known == magic).map(|(_, name)| *name)
}
