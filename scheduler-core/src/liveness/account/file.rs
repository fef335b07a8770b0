//! The file of an account: how it is read and written, and what names the files that it is about.

use std::{io, path::Path};

use super::look::{Account, FORMAT};
use crate::{
    Error, Home, Result,
    liveness::heartbeat::Unreadable,
    vfs::{Vfs, atomic_write},
};

impl Account {
    /// Names what the files of the history of `home` are like: other files, another mark.
    ///
    /// ```
    /// use scheduler_core::{Home, liveness::Account, vfs::RealFs};
    /// let nowhere = Home::new("/nowhere");
    /// assert_eq!(Account::mark(&RealFs, &nowhere), Account::mark(&RealFs, &nowhere));
    /// ```
    pub fn mark(fs: &dyn Vfs, home: &Home) -> String {
        let mut names = fs.list(&home.ledger()).unwrap_or_default();
        names.sort_unstable();
        let mut hash = crc32fast::Hasher::new();
        for name in names {
            let stat = fs.stat(&home.ledger().join(&name)).ok();
            hash.update(format!("{name} {:?};", stat.map(|stat| (stat.len, stat.modified_ns))).as_bytes());
        }
        format!("{:08x}", hash.finalize())
    }

    /// Replaces the file at `path`.
    ///
    /// ```
    /// use scheduler_core::{Home, liveness::Account, vfs::RealFs};
    /// # let folder = tempfile::tempdir().expect("a folder");
    /// let file = Home::new(folder.path()).account();
    /// let account: Account = serde_json::from_str(r#"{"format": 1, "at": "1970-01-01T00:00:00Z", "since": null}"#)?;
    /// assert!(account.write(&RealFs, &file).is_ok());
    /// assert_eq!(Account::read(&RealFs, &file), Ok(account));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    ///
    /// # Errors
    /// Why it can't be written.
    pub fn write(&self, fs: &dyn Vfs, path: &Path) -> Result<()> {
        let failed = |error| Error::io(format!("cannot write {}", path.display()), error);
        let mut text = serde_json::to_vec(self).unwrap_or_default();
        text.push(b'\n');
        if let Some(folder) = path.parent() {
            let failed = |error| Error::io(format!("cannot make {}", folder.display()), error);
            fs.create_dir_all(folder).map_err(failed)?;
        }
        atomic_write(fs, path, &text, None).map(drop).map_err(failed)
    }

    /// The account at `path`.
    ///
    /// ```
    /// use scheduler_core::{Home, liveness::{Account, Unreadable}, vfs::RealFs};
    /// assert_eq!(Account::read(&RealFs, &Home::new("/nowhere").account()), Err(Unreadable::Missing));
    /// ```
    ///
    /// # Errors
    /// Why there is none to be had.
    pub fn read(fs: &dyn Vfs, path: &Path) -> Result<Self, Unreadable> {
        let text = match fs.read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Unreadable::Missing),
            Err(error) => return Err(Unreadable::Failed(Error::io("cannot be read", error).to_string())),
        };
        if text.trim_ascii().is_empty() {
            return Err(Unreadable::Empty);
        }
        let account: Self = serde_json::from_slice(&text).map_err(|error| Unreadable::Garbage(error.to_string()))?;
        match account.format {
            FORMAT => Ok(account),
            other => Err(Unreadable::Garbage(format!("it is of format {other}, and this build reads {FORMAT}"))),
        }
    }
}
