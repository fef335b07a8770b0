//! `state/MANIFEST`: what format the store has, whose it is, and which generation of it counts.

use std::fmt::Write as _;

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

/// Before the last member: the checksum of all the text before it, whatever a newer build may put there. One flipped bit
/// could name another generation, or none. What older builds wrote has none.
const SEAL: &str = ",\"crc32\":\"";

impl Manifest {
    /// The manifest of `home`; `None` if no store has been made there.
    pub(super) fn read(fs: &dyn Vfs, home: &Home) -> Result<Option<Self>> {
        let path = home.manifest();
        let bytes = match fs.read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io(format!("cannot read {}", path.display()), error)),
        };
        let damaged = |why: &dyn std::fmt::Display| {
            Error::new(ErrorKind::Corrupt, format!("{} is damaged: {why}", path.display())).hint(super::DAMAGED)
        };
        if !seal_holds(&bytes) {
            return Err(damaged(&"its checksum doesn't fit"));
        }
        let manifest: Self = serde_json::from_slice(&bytes).map_err(|error| damaged(&error))?;
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
        let text = self.text();
        atomic_write(fs, &path, &text, None)
            .map_err(|error| Error::io(format!("cannot write {}", path.display()), error))?;
        Ok(())
    }

    /// The file's bytes.
    pub(super) fn text(&self) -> Vec<u8> {
        let mut text = serde_json::to_string(self).expect("a manifest is JSON");
        text.pop();
        let crc32 = crc32fast::hash(text.as_bytes());
        let _ = writeln!(text, "{SEAL}{crc32:08x}\"}}");
        text.into_bytes()
    }
}

fn seal_holds(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    text.rsplit_once(SEAL).is_none_or(|(before, after)| {
        after.split('"').next() == Some(format!("{:08x}", crc32fast::hash(before.as_bytes())).as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vfs::{Open, RealFs};

    #[test]
    fn a_manifest_with_any_changed_byte_is_refused_or_says_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path());
        RealFs.create_dir_all(&home.state()).unwrap();
        let manifest = Manifest {
            format: FORMAT,
            store_id: "1m80n5b7wkgtt6h".into(),
            machine_id: Some("here".into()),
            generation: 4,
            compacted: Some(3),
            kept_from: None,
        };
        manifest.write(&RealFs, &home).unwrap();
        assert_eq!(Manifest::read(&RealFs, &home).unwrap().as_ref(), Some(&manifest));
        let text = manifest.text();
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut damaged = text.clone();
                damaged[at] ^= 1 << bit;
                RealFs.open(&home.manifest(), Open::ReadWrite).unwrap().write_all_at(&damaged, 0).unwrap();
                match Manifest::read(&RealFs, &home) {
                    Ok(read) => assert_eq!(read.as_ref(), Some(&manifest), "byte {at}"),
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupt, "byte {at}: {error}"),
                }
            }
        }
    }
}
