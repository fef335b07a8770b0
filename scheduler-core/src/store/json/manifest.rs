//! `state/MANIFEST`: what format the store has, whose it is, and which generation of it counts.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{
    Error, ErrorKind, Home, Result,
    vfs::{Vfs, atomic_write},
};

/// The newest format that this build knows, and the one of a home that has been compacted: a build that doesn't know
/// snapshots must not take the journal for all there is.
pub(super) const FORMAT: u32 = 2;
/// The format of one that has not.
pub(super) const UNCOMPACTED: u32 = 1;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) format: u32,
    pub(super) store_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) machine_id: Option<String>,
    pub(super) generation: u64,
    /// The last compaction: the generation that it began, whose snapshot the journal goes on from, and whose files of the
    /// history and those before count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) compacted: Option<u64>,
    /// The first day of the history that is kept whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) kept_from: Option<Date>,
}

impl Manifest {
    /// The manifest of `home`; `None` if no store has been made there.
    pub(super) fn read(fs: &dyn Vfs, home: &Home) -> Result<Option<Self>> {
        let path = home.manifest();
        let bytes = match fs.read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io(format!("cannot read {}", path.display()), error)),
        };
        let manifest: Self = serde_json::from_slice(&bytes).map_err(|error| {
            Error::new(ErrorKind::Corrupt, format!("{} is damaged: {error}", path.display())).hint(super::DAMAGED)
        })?;
        if manifest.format > FORMAT {
            let what = format!("{} has format {}; this build knows {FORMAT}", path.display(), manifest.format);
            return Err(
                Error::new(ErrorKind::TooNew, what).hint("use the newer sched that wrote it; nothing was changed")
            );
        }
        Ok(Some(manifest))
    }

    pub(super) fn write(&self, fs: &dyn Vfs, home: &Home) -> Result<()> {
        let path = home.manifest();
        let mut text = serde_json::to_vec(self).expect("a manifest is JSON");
        text.push(b'\n');
        atomic_write(fs, &path, &text, None)
            .map_err(|error| Error::io(format!("cannot write {}", path.display()), error))?;
        Ok(())
    }
}
