//! The file of an account: how it is read and written, and what names the files that it is about.

use std::path::Path;

use super::look::{Account, FORMAT};
use crate::{
    Home, Result,
    liveness::{heartbeat::Unreadable, record},
    vfs::Vfs,
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
        record::write(self, fs, path)
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
        record::read(fs, path, FORMAT, |account: &Self| account.format)
    }
}
