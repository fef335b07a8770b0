//! Which plugins crashed, by the sum of their code: after two crashes a plugin is not started again until somebody allows it.
//!
//! Kept in a file, so that a restart of the daemon is no amnesty. A new build of the plugin has another sum, and begins
//! without a record.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::Timestamp;
use scheduler_core::{
    Clock, Error, ErrorKind, Home, Result,
    vfs::{Lock, Open, Vfs, VfsFile, atomic_write},
};
use serde::{Deserialize, Serialize};

/// So many crashes are too many.
pub const LIMIT: usize = 2;

/// The record of a home.
#[derive(Debug, Clone)]
pub struct Strikes {
    fs: Arc<dyn Vfs>,
    clock: Arc<dyn Clock>,
    path: PathBuf,
}

/// What is known about one plugin's code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The plugin's name.
    pub plugin: String,
    /// Its crashes, oldest first; the last few.
    pub crashes: Vec<Crash>,
}

/// A crash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crash {
    /// When.
    pub at: Timestamp,
    /// What it did.
    pub why: String,
}

type Records = BTreeMap<String, Record>;

impl Strikes {
    /// The record of `home`.
    pub fn new(fs: Arc<dyn Vfs>, clock: Arc<dyn Clock>, home: &Home) -> Self {
        Self { fs, clock, path: home.state().join("plugin-crashes.json") }
    }

    /// Why the code with this sum must not be started, if it mustn't.
    ///
    /// # Errors
    /// That the record can't be read: then nobody knows, and nothing is started.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use scheduler_core::{Home, SystemClock, vfs::RealFs};
    /// use sched_plugin_host::Strikes;
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let home = Home::new(folder.path());
    /// let strikes = Strikes::new(Arc::new(RealFs), Arc::new(SystemClock), &home);
    /// strikes.record("5f3a", "bells", "it exited with status 1");
    /// assert_eq!(strikes.quarantine("5f3a")?, None);
    /// strikes.record("5f3a", "bells", "it exited with status 1");
    /// assert!(strikes.quarantine("5f3a")?.unwrap().starts_with("it is in quarantine after 2 crashes, the last at "));
    ///
    /// assert!(strikes.allow("bells")?);
    /// assert_eq!(strikes.quarantine("5f3a")?, None);
    /// # Ok::<(), scheduler_core::Error>(())
    /// ```
    pub fn quarantine(&self, sha256: &str) -> Result<Option<String>> {
        let records = self.read()?;
        let Some(Record { crashes, .. }) = records.get(sha256) else { return Ok(None) };
        let Some(last) = crashes.last().filter(|_| crashes.len() >= LIMIT) else { return Ok(None) };
        let (count, at) = (crashes.len(), last.at.strftime("%Y-%m-%dT%H:%M:%SZ"));
        Ok(Some(format!("it is in quarantine after {count} crashes, the last at {at}: {}", last.why)))
    }

    /// Notes a crash. What can't be noted is logged: the plugin is gone either way.
    pub fn record(&self, sha256: &str, plugin: &str, why: &str) {
        let noted = self.change(|records| {
            let record = Record { plugin: plugin.to_owned(), crashes: Vec::new() };
            let record = records.entry(sha256.to_owned()).or_insert(record);
            record.crashes.push(Crash { at: self.clock.now(), why: why.to_owned() });
            // The last ones tell enough, and a file that grows with every crash would be one more thing that goes wrong.
            let surplus = record.crashes.len().saturating_sub(LIMIT * 2);
            record.crashes.drain(..surplus);
            true
        });
        if let Err(error) = noted {
            tracing::error!(plugin, %error, "the plugin's crash could not be noted");
        }
    }

    /// Forgets the crashes of the plugin called `name`; says whether there were any.
    ///
    /// # Errors
    /// That the record can't be read or written.
    pub fn allow(&self, name: &str) -> Result<bool> {
        self.change(|records| {
            let before = records.len();
            records.retain(|_, record| record.plugin != name);
            records.len() != before
        })
    }

    fn change(&self, change: impl FnOnce(&mut Records) -> bool) -> Result<bool> {
        if let Some(folder) = self.path.parent() {
            self.fs.create_dir_all(folder).map_err(|error| self.failed("make the folder of", error))?;
        }
        // The daemon and `sched plugin allow` may both be about to write.
        let _locked = self.lock()?;
        let mut records = self.read()?;
        if !change(&mut records) {
            return Ok(false);
        }
        let text = serde_json::to_vec_pretty(&records)
            .map_err(|error| Error::new(ErrorKind::Invalid, format!("{}: {error}", self.path.display())))?;
        atomic_write(&*self.fs, &self.path, &text, None).map_err(|error| self.failed("write", error))?;
        Ok(true)
    }

    fn lock(&self) -> Result<Box<dyn VfsFile>> {
        let path = self.path.with_extension("lock");
        let locked = self.fs.open(&path, Open::Create).and_then(|file| file.lock(Lock::Exclusive).map(|()| file));
        locked.map_err(|error| self.failed("lock", error))
    }

    fn read(&self) -> Result<Records> {
        let bytes = match self.fs.read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Records::new()),
            Err(error) => return Err(self.failed("read", error)),
        };
        serde_json::from_slice(&bytes).map_err(|why| {
            Error::new(ErrorKind::Corrupt, format!("{} can't be read: {why}", self.path.display()))
                .hint("remove it to forget all crashes of plugins")
        })
    }

    fn failed(&self, what: &str, error: io::Error) -> Error {
        let path: &Path = &self.path;
        Error::io(format!("cannot {what} {}", path.display()), error)
    }
}
