//! The files that MANIFEST says count, opened together: a manifest, the snapshot, and the journal that goes on from it.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, atomic::AtomicU64},
};

use super::{super::book::Line, journal::Journal, manifest::Manifest, snapshot};
use crate::{
    Error, ErrorKind, Home, Result,
    vfs::{Open, Stat, Vfs, VfsFile},
};

/// An opened generation, of which nothing has been read.
pub(super) struct Generation {
    pub(super) manifest: Manifest,
    /// MANIFEST is another one as soon as this is another.
    pub(super) manifest_stat: Stat,
    snapshot: Option<(PathBuf, Box<dyn VfsFile>)>,
    journal: (PathBuf, Box<dyn VfsFile>),
}

/// Opens the generation that counts; `None` where no store has been made.
pub(super) fn open(fs: &dyn Vfs, home: &Home, how: Open) -> Result<Option<Generation>> {
    let path = home.manifest();
    loop {
        let manifest_stat = match fs.stat(&path) {
            Ok(stat) => stat,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io(format!("cannot look at {}", path.display()), error)),
        };
        let Some(manifest) = Manifest::read(fs, home)? else { return Ok(None) };
        let open = |path: PathBuf, how| match fs.open(&path, how) {
            Ok(file) => Ok((path, file)),
            Err(error) => Err((path, error)),
        };
        let snapshot = manifest.compacted.map(|compacted| open(home.snapshot(compacted), Open::Read)).transpose();
        let opened = snapshot.and_then(|snapshot| Ok((snapshot, open(home.journal(manifest.generation), how)?)));
        match opened {
            Ok((snapshot, journal)) => return Ok(Some(Generation { manifest, manifest_stat, snapshot, journal })),
            // Somebody has switched to another generation since, and this one is gone.
            Err(_) if fs.stat(&path).ok() != Some(manifest_stat) => {}
            Err((path, error)) if error.kind() == io::ErrorKind::NotFound => {
                let what = format!("{} is missing, and MANIFEST says that it counts", path.display());
                return Err(Error::new(ErrorKind::Corrupt, what).hint(super::DAMAGED));
            }
            Err((path, error)) => return Err(Error::io(format!("cannot open {}", path.display()), error)),
        }
    }
}

impl Generation {
    /// The open files and where they were opened.
    pub(super) fn files(&self) -> impl Iterator<Item = &(PathBuf, Box<dyn VfsFile>)> {
        self.snapshot.iter().chain([&self.journal])
    }

    /// Reads the snapshot, as far as `wants` says by the text of a line; the journal is then at its beginning.
    pub(super) fn restore(
        self,
        end: Arc<AtomicU64>,
        wants: impl Fn(&[u8]) -> bool,
        take: impl FnMut(Line),
    ) -> Result<(Manifest, Stat, Journal)> {
        let seq = match &self.snapshot {
            Some((path, file)) => snapshot::read(path, &**file, wants, take)?,
            None => 0,
        };
        let (path, file) = self.journal;
        Ok((self.manifest, self.manifest_stat, Journal::new(path, file, seq, end)))
    }
}
