//! What of a plugin's folder is needed where it is installed. A library is all that a plugin of that kind is started from; a
//! program may read what lies beside it, so of its folder all is taken but what is hidden or a cache.

use std::{
    fs::{self, Metadata},
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Component, Path, PathBuf},
};

use sched_plugin_host::manifest::{self, Code};
use scheduler_core::{Error, ErrorKind};

use super::{super::folders, OLD};
use crate::failure::Failure;

/// A file to copy.
pub(super) struct Piece {
    from: PathBuf,
    /// Its path in the folder it is copied to.
    to: PathBuf,
    executable: bool,
    /// Whether plugin.yaml names it: it is the plugin's code.
    pub(super) named: bool,
}

impl Piece {
    /// The same, from where it was copied to.
    pub(super) fn taken_from(&self, folder: &Path) -> Self {
        Self { from: folder.join(&self.to), to: self.to.clone(), ..*self }
    }
}

/// More files than this are no plugin but a mistake; the gates would refuse them as well.
const MOST: usize = 10_000;

/// What says that all in a folder can be made again (<https://bford.info/cachedir/>). Cargo's target folder has it.
const CACHE_TAG: &str = "CACHEDIR.TAG";

/// What is needed of the folder `real`, which was given as `given`, where its code is `code`; without its plugin.yaml. It is
/// to become `wanted`, which differs in where a library lies.
pub(super) fn of(given: &Path, real: &Path, code: &Code, wanted: &Code) -> Result<Vec<Piece>, Failure> {
    let walk = Walk { given, real };
    match (code, wanted) {
        (Code::Library(library), Code::Library(to)) => Ok(vec![walk.library(library, to)?]),
        (Code::Command(words), _) => walk.program(words),
        (Code::Library(_), Code::Command(_)) => unreachable!("a plugin stays of its kind"),
    }
}

/// Copies them into `folder`.
pub(super) fn copy(pieces: &[Piece], folder: &Path) -> Result<(), Failure> {
    for Piece { from, to, executable, .. } in pieces {
        let bytes = fs::read(from).map_err(|cause| Error::io(format!("cannot read {}", from.display()), cause))?;
        folders::write(&folder.join(to), &bytes, *executable)?;
    }
    folders::make(folder)
}

struct Walk<'a> {
    given: &'a Path,
    real: &'a Path,
}

impl Walk<'_> {
    fn library(&self, library: &Path, to: &Path) -> Result<Piece, Failure> {
        let path = self.real.join(library);
        let is_step = |step: Component<'_>| matches!(step, Component::Normal(_) | Component::CurDir);
        if !library.components().all(is_step) {
            let what = format!("the library {} is not given by its path in the plugin's folder", library.display());
            return Err(refused(what).hint("write it as `library: libplugin.so`"));
        }
        if let Err(error) = fs::metadata(&path)
            && error.kind() == io::ErrorKind::NotFound
        {
            let what = format!("the library {} is not there", self.given.join(library).display());
            let hint = "build it first; if Cargo builds elsewhere: `cargo build --release --target-dir target`";
            return Err(Failure::new(ErrorKind::NotFound, what).hint(hint));
        }
        let (from, _) = self.file(&path)?;
        Ok(Piece { from, to: to.to_owned(), executable: false, named: true })
    }

    fn program(&self, words: &[String]) -> Result<Vec<Piece>, Failure> {
        let mut pieces = Vec::new();
        self.collect(Path::new(""), &mut pieces)?;
        for word in words.iter().map(Path::new).filter(|word| word.is_relative()) {
            let to: PathBuf = word.components().filter(|step| *step != Component::CurDir).collect();
            if !self.real.join(&to).is_file() {
                continue;
            }
            match pieces.iter_mut().find(|piece: &&mut Piece| piece.to == to) {
                Some(piece) => piece.named = true,
                // What is started is needed, even in a cache.
                None => pieces.push(Piece { named: true, ..self.piece(&to)? }),
            }
        }
        Ok(pieces)
    }

    /// What is in the folder `below` the plugin's.
    fn collect(&self, below: &Path, pieces: &mut Vec<Piece>) -> Result<(), Failure> {
        let folder = self.real.join(below);
        let failed = |cause| Error::io(format!("cannot list {}", folder.display()), cause);
        let mut names = Vec::new();
        for entry in fs::read_dir(&folder).map_err(failed)? {
            names.push(entry.map_err(failed)?.file_name());
        }
        if names.iter().any(|name| name == CACHE_TAG) && !below.as_os_str().is_empty() {
            return Ok(());
        }
        names.sort();
        for name in names {
            let to = below.join(&name);
            let leftover = name.as_encoded_bytes().starts_with(b".") || name == "__pycache__";
            if leftover || [manifest::FILE, OLD].map(Path::new).contains(&to.as_path()) {
                continue;
            }
            if fs::symlink_metadata(self.real.join(&to)).is_ok_and(|stat| stat.is_dir()) {
                self.collect(&to, pieces)?;
            } else {
                pieces.push(self.piece(&to)?);
            }
            if pieces.len() > MOST {
                let what = format!("{} holds more than {MOST} files", self.given.display());
                return Err(refused(what).hint("keep what the plugin doesn't need to run somewhere else"));
            }
        }
        Ok(())
    }

    fn piece(&self, to: &Path) -> Result<Piece, Failure> {
        let (from, stat) = self.file(&self.real.join(to))?;
        Ok(Piece { from, to: to.to_owned(), executable: stat.permissions().mode() & 0o111 != 0, named: false })
    }

    /// Where a file of the folder really is, and what it is: a regular one in that folder, in which not everybody can write.
    fn file(&self, path: &Path) -> Result<(PathBuf, Metadata), Failure> {
        let shown = self.given.join(path.strip_prefix(self.real).unwrap_or(path));
        let cannot = |cause| Failure::from(Error::io(format!("cannot look at {}", shown.display()), cause));
        let target = path.canonicalize().map_err(cannot)?;
        if !target.starts_with(self.real) {
            let what = format!("{} leads out of the plugin's folder, to {}", shown.display(), target.display());
            return Err(refused(what).hint("put the file itself into the folder"));
        }
        let stat = fs::metadata(&target).map_err(cannot)?;
        if !stat.is_file() {
            return Err(refused(format!("{} is not a regular file", shown.display())).hint("put a regular file there"));
        }
        let mode = stat.permissions().mode();
        if mode & 0o002 != 0 {
            let what = format!("{} can be written by everybody (mode {:04o})", shown.display(), mode & 0o7777);
            return Err(refused(what).hint(format!("if you trust what is in it: `chmod o-w {}`", shown.display())));
        }
        Ok((target, stat))
    }
}

fn refused(what: impl Into<String>) -> Failure {
    Failure::new(ErrorKind::Invalid, what)
}
