//! Where alerts are kept while their folder takes none: a folder in the memory of the machine.
//!
//! A watchdog that cron calls is a new process every minute. On a disk that is full, what it told must be known to the next one
//! all the same, or somebody is told the same every minute until there is space.
//!
//! **Invariant:** only a folder that is ours alone is believed. It lies where everybody may make one.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustix::fs::{FlockOperation, flock, rmdir};
use scheduler_core::vfs::{Vfs, atomic_write};
use sha2::{Digest as _, Sha256};

use crate::alert::OpenAlert;

/// The spare folder of one home and one user. It is there only while something is in it.
#[derive(Debug, Clone)]
pub(crate) struct Spare {
    fs: Arc<dyn Vfs>,
    root: PathBuf,
    folder: PathBuf,
}

/// What is kept in place of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// What it should hold.
    Alert(Box<OpenAlert>),
    /// There should be none.
    Gone,
}

impl Spare {
    /// That of `home`, below `root`.
    pub(crate) fn new(fs: Arc<dyn Vfs>, root: &Path, home: &Path) -> Self {
        let home = fs::canonicalize(home).unwrap_or_else(|_| home.to_owned());
        let hash = Sha256::digest(home.as_os_str().as_encoded_bytes());
        let hash = hash.iter().take(8).fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        let folder = root.join(format!("sched-{}-{hash}", user()));
        Self { fs, root: root.to_owned(), folder }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What is kept here, by the names of files.
    pub(crate) fn names(&self) -> Vec<String> {
        if self.is_ours() { self.fs.list(&self.folder).unwrap_or_default() } else { Vec::new() }
    }

    /// What is kept in place of the file with this name.
    pub(crate) fn get(&self, name: &str) -> Option<Kept> {
        if !self.is_ours() {
            return None;
        }
        let bytes = self.fs.read(&self.folder.join(name)).ok()?;
        let alert: Option<Box<OpenAlert>> = serde_json::from_slice(&bytes).ok()?;
        Some(alert.map_or(Kept::Gone, Kept::Alert))
    }

    /// Keeps `alert`, or that the file should be gone. Answers whether it could.
    pub(crate) fn put(&self, name: &str, alert: Option<&OpenAlert>) -> bool {
        let put = || {
            self.make()?;
            atomic_write(&*self.fs, &self.folder.join(name), &serde_json::to_vec(&alert)?, None).map(drop)
        };
        put().inspect_err(|error| tracing::debug!("nothing is kept in {}: {error}", self.folder.display())).is_ok()
    }

    /// The file itself is as it should be.
    pub(crate) fn forget(&self, name: &str) {
        if self.is_ours() {
            let _ = self.fs.remove(&self.folder.join(name));
            self.tidy();
        }
    }

    /// Keeps all others out that come here, for as long as the answer lives.
    pub(crate) fn lock(&self) -> io::Result<File> {
        self.make()?;
        let folder = File::open(&self.folder)?;
        flock(&folder, FlockOperation::LockExclusive)?;
        Ok(folder)
    }

    /// Takes the folder away, unless something is in it.
    pub(crate) fn tidy(&self) {
        let _ = rmdir(&self.folder);
    }

    fn make(&self) -> io::Result<()> {
        // What it is in is the machine's to make.
        if !self.root.is_dir() {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.fs.create_dir_all(&self.folder)?;
        if self.is_ours() { Ok(()) } else { Err(io::ErrorKind::PermissionDenied.into()) }
    }

    /// Whether it is a folder, no link to one, of this user, that nobody else gets into.
    fn is_ours(&self) -> bool {
        let found = fs::symlink_metadata(&self.folder);
        found.is_ok_and(|it| it.is_dir() && it.uid() == user() && it.mode().trailing_zeros() >= 6)
    }
}

fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the test makes what the code under test finds")]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use jiff::Timestamp;
    use scheduler_core::{Alert, vfs::RealFs};

    use super::*;

    #[test]
    fn what_is_kept_is_found_by_the_next_one_and_by_no_other_home() {
        let (root, homes) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let of = |home: &str| Spare::new(Arc::new(RealFs), root.path(), &homes.path().join(home));
        let alert = OpenAlert::new(&Alert::open("daemon", "CRASHED", Timestamp::UNIX_EPOCH));
        assert!(of("a").put("daemon.alert", Some(&alert)) && of("a").put("gone.alert", None));
        assert_eq!(of("a").get("daemon.alert"), Some(Kept::Alert(Box::new(alert))));
        assert_eq!((of("a").get("gone.alert"), of("a").get("other")), (Some(Kept::Gone), None));
        assert_eq!((of("b").get("daemon.alert"), of("b").names()), (None, Vec::new()));
        of("a").forget("daemon.alert");
        assert_eq!(of("a").names(), ["gone.alert"]);
        of("a").forget("gone.alert");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0, "nothing is left lying about");
    }

    #[test]
    fn a_folder_that_others_may_have_made_is_not_believed() {
        let root = tempfile::tempdir().unwrap();
        let spare = Spare::new(Arc::new(RealFs), root.path(), Path::new("/srv/sched"));
        let theirs = root.path().join("theirs");
        fs::create_dir(&theirs).unwrap();
        fs::write(theirs.join("daemon.alert"), "null").unwrap();
        symlink(&theirs, spare.folder()).unwrap();
        assert!(spare.names().is_empty() && spare.get("daemon.alert").is_none() && !spare.put("a.alert", None));
        fs::remove_file(spare.folder()).unwrap();
        fs::rename(&theirs, spare.folder()).unwrap();
        fs::set_permissions(spare.folder(), fs::Permissions::from_mode(0o770)).unwrap();
        assert!(spare.names().is_empty() && spare.get("daemon.alert").is_none() && !spare.put("a.alert", None));
        fs::set_permissions(spare.folder(), fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(spare.get("daemon.alert"), Some(Kept::Gone), "the same, and ours alone");
        // Where the machine has no such place, none is made.
        let nowhere = Spare::new(Arc::new(RealFs), &root.path().join("no/such"), Path::new("/srv/sched"));
        assert!(!nowhere.put("a.alert", None) && !root.path().join("no").exists());
    }
}
