//! What probes found last, in a file: who asks for the status is another process.

use std::{collections::BTreeMap, io, path::PathBuf, sync::Arc};

use jiff::Timestamp;
use scheduler_core::{
    Error, Home, Result,
    vfs::{Vfs, atomic_write},
};
use serde::{Deserialize, Serialize};
use tokio::{sync::Mutex, task::spawn_blocking};

use super::command::Finding;

/// Where something stands that is probed.
///
/// ```
/// use sched_monitor::probes::State;
/// assert_eq!(serde_json::to_string(&State::Well)?, r#""well""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Nobody has seen yet.
    #[default]
    Unknown,
    /// The last run ended with 0.
    Well,
    /// It didn't.
    Bad,
}

/// What is known of one probe.
///
/// ```
/// use sched_monitor::probes::{Entry, State};
/// assert_eq!(Entry::default().state, State::Unknown);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Entry {
    /// How it is.
    pub state: State,
    /// Since when.
    pub since: Option<Timestamp>,
    /// When it was last run to its end.
    pub at: Option<Timestamp>,
    /// How long that took, in milliseconds.
    pub took_ms: u64,
    /// What isn't well.
    pub why: Option<String>,
    /// When it was last put off.
    pub put_off_at: Option<Timestamp>,
    /// Why.
    pub put_off_for: Option<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Sheet {
    format: u32,
    probes: BTreeMap<String, Entry>,
}

/// The probes of `home` by their names, as its daemon last saw them.
///
/// # Errors
/// Why that can't be read.
///
/// ```
/// use scheduler_core::{Home, vfs::RealFs};
/// assert!(sched_monitor::probes::read(&RealFs, &Home::new("/nowhere"))?.is_empty());
/// # Ok::<(), scheduler_core::Error>(())
/// ```
pub fn read(fs: &dyn Vfs, home: &Home) -> Result<BTreeMap<String, Entry>> {
    let path = path(home);
    let failed = |error| Error::io(format!("cannot read {}", path.display()), error);
    match fs.read(&path) {
        Ok(bytes) => {
            let sheet: Sheet = serde_json::from_slice(&bytes).map_err(|error| failed(error.into()))?;
            Ok(sheet.probes)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(failed(error)),
    }
}

fn path(home: &Home) -> PathBuf {
    home.heartbeats().join("probes.json")
}

/// The file, kept by one daemon.
pub(super) struct Board {
    fs: Arc<dyn Vfs>,
    home: Home,
    /// As it is in memory; `None` until it was read.
    sheet: Mutex<Option<BTreeMap<String, Entry>>>,
}

impl Board {
    pub(super) fn new(fs: Arc<dyn Vfs>, home: &Home) -> Self {
        Self { fs, home: home.clone(), sheet: Mutex::default() }
    }

    pub(super) async fn found(&self, name: &str, finding: &Finding, at: Timestamp) {
        self.change(|sheet| {
            let entry = sheet.entry(name.to_owned()).or_default();
            let state = if finding.is_well() { State::Well } else { State::Bad };
            if std::mem::replace(&mut entry.state, state) != state || entry.since.is_none() {
                entry.since = Some(at);
            }
            entry.at = Some(at);
            entry.took_ms = u64::try_from(finding.took.as_millis()).unwrap_or(u64::MAX);
            entry.why.clone_from(&finding.wrong);
            (entry.put_off_at, entry.put_off_for) = (None, None);
            true
        })
        .await;
    }

    pub(super) async fn put_off(&self, name: &str, why: String, at: Timestamp) {
        self.change(|sheet| {
            let entry = sheet.entry(name.to_owned()).or_default();
            (entry.put_off_at, entry.put_off_for) = (Some(at), Some(why));
            true
        })
        .await;
    }

    /// Forgets all but these.
    pub(super) async fn keep(&self, names: &[String]) {
        self.change(|sheet| {
            let before = sheet.len();
            sheet.retain(|name, _| names.contains(name));
            sheet.len() != before
        })
        .await;
    }

    /// Writes what `change` made of it, if that says that it is another one.
    async fn change(&self, change: impl FnOnce(&mut BTreeMap<String, Entry>) -> bool) {
        let mut sheet = self.sheet.lock().await;
        let mut probes = match sheet.take() {
            Some(probes) => probes,
            None => {
                let (fs, home) = (Arc::clone(&self.fs), self.home.clone());
                spawn_blocking(move || read(&*fs, &home).unwrap_or_default()).await.unwrap_or_default()
            }
        };
        let is_another = change(&mut probes);
        *sheet = Some(probes.clone());
        if !is_another {
            return;
        }
        let (fs, path) = (Arc::clone(&self.fs), path(&self.home));
        let write = move || {
            let bytes = serde_json::to_vec(&Sheet { format: 1, probes }).expect("it is JSON");
            let written = atomic_write(&*fs, &path, &bytes, None);
            written.map_err(|error| Error::io(format!("cannot write {}", path.display()), error))
        };
        // In the order in which it changed: the lock is held until it is written.
        if let Ok(Err(error)) = spawn_blocking(write).await {
            tracing::warn!("{error}; `status` shows what probes found before");
        }
    }
}
