//! `state/MANIFEST`: what format the store has, whose it is, and which generation of it counts.

use serde::{Deserialize, Serialize};

use crate::{
    Error, ErrorKind, Home, Result,
    vfs::{Vfs, atomic_write},
};

/// The format this build writes.
pub(super) const FORMAT: u32 = 1;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) format: u32,
    pub(super) store_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) machine_id: Option<String>,
    pub(super) generation: u64,
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
            Error::new(ErrorKind::Corrupt, format!("{} is damaged: {error}", path.display()))
                .hint("put it back from a backup, or move the `state` folder aside to start afresh from jobs.json")
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
