//! A home copied as it is at one moment, while others are at work in it. A backup is a home, so that putting it back is the
//! same again.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{generation, ledger_files, lines::LineWriter};
use crate::{
    Error, ErrorKind, Home, Result,
    vfs::{Open, Vfs, VfsFile, atomic_write},
};

const PIECE: usize = 256 << 10;

/// What [`copy_home`] has copied.
///
/// ```
/// use scheduler_core::store::json::Copied;
/// assert_eq!(Copied::default(), Copied { files: 0, bytes: 0 });
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Copied {
    /// Files.
    pub files: usize,
    /// Bytes in them.
    pub bytes: u64,
}

/// Copies the jobs, the configuration and the state of the home `from` to `to`, which must not be a home yet. The output of
/// runs, heartbeats and alerts are left where they are.
///
/// # Errors
/// `Exists` if there is a home at `to`, `NotFound` if there is none at `from`, or what can't be read or written.
///
/// ```
/// use scheduler_core::{Home, SystemClock, store::{JsonStore, JsonStoreOptions, json::copy_home}, vfs::RealFs};
/// # let folder = tempfile::tempdir()?;
/// # let home = Home::new(folder.path().join("home"));
/// JsonStore::open(&JsonStoreOptions::new(home.clone(), std::sync::Arc::new(SystemClock)))?;
/// let copied = copy_home(&RealFs, &home, &Home::new(folder.path().join("backup")))?;
/// assert_eq!(copied.files, 3, "jobs.json, MANIFEST and the journal");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn copy_home(fs: &dyn Vfs, from: &Home, to: &Home) -> Result<Copied> {
    for there in [to.manifest(), to.jobs_json(), to.config_yaml()] {
        if fs.stat(&there).is_ok() {
            return Err(Error::new(ErrorKind::Exists, format!("{} is there already", there.display()))
                .hint("name a folder that is empty or not there yet"));
        }
    }
    let Some(generation) = generation::open(fs, from, Open::Read)? else {
        return Err(Error::new(ErrorKind::NotFound, format!("there is no {}", from.manifest().display()))
            .hint("name the folder that holds `jobs.json` and `state`"));
    };
    for folder in [to.path().to_owned(), to.state(), to.ledger()] {
        let failed = |error| Error::io(format!("cannot make {}", folder.display()), error);
        fs.create_dir_all(&folder).map_err(failed)?;
    }
    let mut copied = Copied::default();
    for (path, file) in generation.files() {
        copied.add(copy(fs, &**file, path, &to.state())?);
    }
    for name in ledger_files::that_count(fs, from, generation.manifest.compacted)? {
        copied.add_if_there(copy_path(fs, &from.ledger().join(name), &to.ledger())?);
    }
    copied.add_if_there(copy_path(fs, &from.last_good_config(), &to.state())?);
    copied.add_expected_beats(fs, from, to)?;
    // After the journal: an edit changes this file first, so it is never behind what was copied of that.
    for name in ["config.yaml", "jobs.json"].map(str::to_owned).into_iter().chain((1..=5).map(backup_name)) {
        copied.add_if_there(copy_path(fs, &from.path().join(name), to.path())?);
    }
    // Last, and durable only after the rest: without it there is no store.
    let failed = |path: PathBuf| move |error| Error::io(format!("cannot write {}", path.display()), error);
    for folder in [to.ledger(), to.path().to_owned(), to.state()] {
        fs.sync_dir(&folder).map_err(failed(folder))?;
    }
    let manifest = generation.manifest.text();
    atomic_write(fs, &to.manifest(), &manifest, None).map_err(failed(to.manifest()))?;
    copied.add(manifest.len() as u64);
    Ok(copied)
}

/// The name of the `n`th displaced version of `jobs.json`.
pub(super) fn backup_name(n: usize) -> String {
    format!("jobs.json.bak.{n}")
}

impl Copied {
    fn add(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }

    /// Which heartbeats must come is what somebody has said, like the rest; the heartbeats themselves are soon old.
    fn add_expected_beats(&mut self, fs: &dyn Vfs, from: &Home, to: &Home) -> Result<()> {
        let (from, to) = (from.expected_beats(), to.expected_beats());
        let names = match fs.list(&from) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            listed => listed.map_err(|error| Error::io(format!("cannot read {}", from.display()), error))?,
        };
        let failed = |error| Error::io(format!("cannot make {}", to.display()), error);
        fs.create_dir_all(&to).map_err(failed)?;
        for name in names.iter().filter(|name| !name.starts_with('.')) {
            self.add_if_there(copy_path(fs, &from.join(name), &to)?);
        }
        fs.sync_dir(&to).map_err(failed)
    }

    fn add_if_there(&mut self, bytes: Option<u64>) {
        if let Some(bytes) = bytes {
            self.add(bytes);
        }
    }
}

/// Copies a file into a folder, if it is there.
pub(super) fn copy_path(fs: &dyn Vfs, path: &Path, into: &Path) -> Result<Option<u64>> {
    match fs.open(path, Open::Read) {
        Ok(file) => copy(fs, &*file, path, into).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io(format!("cannot open {}", path.display()), error)),
    }
}

/// Copies an open file into a folder, under its own name.
fn copy(fs: &dyn Vfs, file: &dyn VfsFile, path: &Path, into: &Path) -> Result<u64> {
    let mut copy = LineWriter::open(fs, into.join(path.file_name().unwrap_or_default()), 0)?;
    let (mut buffer, mut at) = (vec![0; PIECE], 0);
    loop {
        match file.read_at(&mut buffer, at) {
            Ok(0) => return copy.finish(),
            Ok(read) => {
                copy.push(&buffer[..read])?;
                at += read as u64;
            }
            Err(error) => return Err(Error::io(format!("cannot read {}", path.display()), error)),
        }
    }
}
