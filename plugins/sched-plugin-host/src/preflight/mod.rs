//! Gate 1: whether a plugin's folder may be trusted with a process, found out without running any of its code.
//!
//! - `trust`: who can change what is in the folder. `program`: what a command starts. `elf`: what a library's file says about
//!   it. `copy`: the private copy that is loaded in its place.
//!
//! Files are opened once: what was checked, hashed and copied is one and the same. A program runs in place, since it may
//! need what lies beside it; that is safe because nobody but its owner and root can change it.
//!
//! Every refusal is one sentence that names the file and what is wrong with it, with the fix as its hint.

mod copy;
mod elf;
mod program;
#[cfg(test)]
mod tests;
mod trust;

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use scheduler_core::{Error, ErrorKind, Result};
use sha2::{Digest, Sha256};

use crate::{
    library,
    manifest::{self, Code, Manifest},
};

/// A plugin that passed: what is to be started, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct Cleared {
    /// Its plugin.yaml.
    pub manifest: Manifest,
    /// Its folder, links resolved.
    pub folder: PathBuf,
    /// What is started.
    pub argv: Vec<OsString>,
    /// What people know it by: its library, or the file that its command runs, as it lies in the folder; of a command that
    /// runs no file of the folder, the program.
    pub file: PathBuf,
    /// Names its code: the SHA-256, in lower-case hex, of the library, of the program if that lies in the folder, and
    /// otherwise of the first argument that does. Without any, of plugin.yaml.
    pub sha256: String,
}

impl Cleared {
    /// Takes away the copies of other libraries that nobody uses any more. What can't be taken away stays for another time.
    pub(crate) fn prune(&self) {
        let (Code::Library(_), Some(copy)) = (&self.manifest.code, self.argv.last()) else { return };
        if let Err(error) = copy::prune(copy.as_ref()) {
            tracing::debug!(%error, "old copies of plugins stay");
        }
    }

    /// A sentence about the plugin that begins with `it`, with the name of its file in that place.
    pub(crate) fn told(&self, what: &str) -> String {
        let file = self.file.display();
        match what.strip_prefix("it ") {
            Some(rest) => format!("{file} {rest}"),
            None => format!("{file}: {what}"),
        }
    }

    /// How it is started by hand.
    pub(crate) fn by_hand(&self) -> String {
        let command = match &self.manifest.code {
            Code::Library(_) => format!("sched {} {}", library::ARGUMENT, self.file.display()),
            Code::Command(words) => format!("cd {} && {}", self.folder.display(), words.join(" ")),
        };
        format!("try it by hand, as docs/plugins.md says: `{command}`")
    }
}

/// What is known about machine and daemon when a plugin is looked at and started.
#[derive(Debug, Clone)]
pub struct Grounds {
    /// Where libraries are copied to. Made if it is missing.
    pub cache: PathBuf,
    /// What loads a library: a command, to which the path of the library is added.
    pub loader: Vec<OsString>,
    /// The daemon's environment: a few of its variables are passed on, and programs that are named without a `/` are looked
    /// for on its `PATH`.
    pub environment: Vec<(OsString, OsString)>,
}

impl Grounds {
    fn path(&self) -> &OsStr {
        let found = self.environment.iter().find(|(name, _)| name == "PATH");
        found.map_or(OsStr::new("/usr/bin:/bin"), |(_, path)| path)
    }
}

/// Checks the plugin in `folder`, which is called `name`.
///
/// # Errors
/// Why it must not be started, in one sentence.
pub fn preflight(name: &str, folder: &Path, grounds: &Grounds) -> Result<Cleared> {
    let real = trust::folder(folder)?;
    let path = real.join(manifest::FILE);
    let bytes = trust::file(&real, &path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => refused(format!("{} has no {}", folder.display(), manifest::FILE))
            .hint("a plugin is a folder with a plugin.yaml; `sched plugin check` says what else it needs"),
        _ => error,
    })?;
    let manifest = Manifest::parse(&path.display().to_string(), &bytes)?;
    if manifest.name != name {
        let what = format!("{} calls the plugin `{}`, and its folder is `{name}`", path.display(), manifest.name);
        return Err(refused(what).hint(format!("rename the folder to `{}`", manifest.name)));
    }
    trust::tree(&real)?;
    let code = match &manifest.code {
        Code::Library(library) => Some(elf::library(&real, library)?),
        Code::Command(words) => program::code(&real, words)?,
    };
    let sha256 = code.as_ref().map_or_else(|| sum(&bytes), |code| sum(&code.bytes));
    if let Some(wanted) = manifest.sha256.as_ref().filter(|wanted| **wanted != sha256) {
        return Err(match &code {
            Some(code) => refused(format!("{} has the sha256 {sha256}, not {wanted}", code.file.display()))
                .hint("somebody changed it; if that is right, put the new sum into plugin.yaml"),
            None => refused(format!("{} gives a sha256, and nothing that lies beside it is started", path.display()))
                .hint("remove `sha256`, or start a program that lies in the folder"),
        });
    }
    let file = code.as_ref().map(|code| code.file.clone());
    let argv = match &manifest.code {
        Code::Command(words) => program::argv(&real, words, grounds.path())?,
        Code::Library(_) => {
            let bytes = code.map_or_else(Vec::new, |code| code.bytes);
            let copy = copy::keep(&grounds.cache, &sha256, &bytes)?;
            grounds.loader.iter().cloned().chain([copy.into()]).collect()
        }
    };
    let file = file.or_else(|| argv.first().map(PathBuf::from)).unwrap_or_else(|| real.clone());
    Ok(Cleared { manifest, folder: real, argv, file, sha256 })
}

/// The file that a plugin's code is, as it was read.
struct CodeFile {
    file: PathBuf,
    bytes: Vec<u8>,
}

fn sum(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

fn refused(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::Invalid, what)
}
