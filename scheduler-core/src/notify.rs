//! Who is told: the [`Notifier`] axis.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Home, JobId, Result,
    vfs::{Vfs, atomic_write},
};

/// Tells somebody.
///
/// # Behavior
/// - Called from a task of its own: it may be slow, and its failure is logged and never reaches a job.
/// - The same key is told again while the problem lasts, and once with [`AlertState::Closed`] when it is over. What is
///   [`AlertState::Passing`] is never closed.
///
/// ```
/// use async_trait::async_trait;
/// use scheduler_core::{Alert, AlertState, Notifier, Result};
///
/// /// Tells whoever looks at stderr.
/// struct Shout;
///
/// #[async_trait]
/// impl Notifier for Shout {
///     async fn notify(&self, alert: &Alert) -> Result<()> {
///         let ending = if alert.state == AlertState::Open { "!" } else { "." };
///         eprintln!("{}{ending} {}", alert.title, alert.detail);
///         Ok(())
///     }
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// Shout.notify(&Alert::open("job-backup", "job `backup` failed", jiff::Timestamp::now())).await?;
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Delivers one alert.
    ///
    /// # Errors
    /// Why it could not be delivered.
    async fn notify(&self, alert: &Alert) -> Result<()>;

    /// The jobs that it has an open alert about from before this process, as far as it can know: those that are gone by now
    /// are closed.
    ///
    /// # Errors
    /// Why it can't be known.
    async fn open_about(&self) -> Result<Vec<JobId>> {
        Ok(Vec::new())
    }
}

/// What the key of an alert about a job begins with.
const JOB: &str = "job-";

/// The key of the alert about the runs of `job`.
///
/// ```
/// assert_eq!(scheduler_core::notify::job_key(&"backup".parse()?), "job-backup");
/// # Ok::<(), scheduler_core::Error>(())
/// ```
pub fn job_key(job: &JobId) -> String {
    format!("{JOB}{job}")
}

/// A problem that somebody should know of, or its end.
///
/// ```
/// use jiff::Timestamp;
/// use scheduler_core::{Alert, AlertState};
/// let open = Alert::open("job-backup", "job `backup` failed", Timestamp::UNIX_EPOCH);
/// let open = open.about("backup".parse()?).detail("exit code 3");
/// let closed = Alert::closed(open.key.clone(), "job `backup` succeeded again", Timestamp::UNIX_EPOCH);
/// assert_eq!((open.state, closed.state), (AlertState::Open, AlertState::Closed));
/// # Ok::<(), scheduler_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Alert {
    /// Stable for as long as the problem is the same one: `job-backup`.
    pub key: String,
    /// Open, closed, or passing.
    pub state: AlertState,
    /// What happened.
    #[serde(default)]
    pub kind: AlertKind,
    /// How bad it is.
    #[serde(default)]
    pub severity: Severity,
    /// What it is about, if one job.
    pub job: Option<JobId>,
    /// Who should hear of it, by the names of sinks; `None` is everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<Vec<String>>,
    /// One line: what is wrong, or what is well again.
    pub title: String,
    /// The evidence, in lines.
    pub detail: String,
    /// When it was seen.
    pub at: Timestamp,
}

impl Alert {
    /// An open alert.
    pub fn open(key: impl Into<String>, title: impl Into<String>, at: Timestamp) -> Self {
        Self {
            key: key.into(),
            state: AlertState::Open,
            kind: AlertKind::default(),
            severity: Severity::default(),
            job: None,
            notify: None,
            title: title.into(),
            detail: String::new(),
            at,
        }
    }

    /// The end of one.
    pub fn closed(key: impl Into<String>, title: impl Into<String>, at: Timestamp) -> Self {
        Self { state: AlertState::Closed, ..Self::open(key, title, at) }
    }

    /// Something that happened and is over by itself: nobody closes it.
    ///
    /// ```
    /// use scheduler_core::{Alert, AlertState, notify::Severity};
    /// let skipped = Alert::passing("skipped-a", "job `a` was skipped", jiff::Timestamp::UNIX_EPOCH);
    /// assert_eq!((skipped.state, skipped.severity), (AlertState::Passing, Severity::Info));
    /// ```
    pub fn passing(key: impl Into<String>, title: impl Into<String>, at: Timestamp) -> Self {
        Self { state: AlertState::Passing, severity: Severity::Info, ..Self::open(key, title, at) }
    }

    /// The same as an event of this kind.
    ///
    /// ```
    /// use scheduler_core::{Alert, notify::AlertKind};
    /// let alert = Alert::open("job-a", "job `a` timed out", jiff::Timestamp::UNIX_EPOCH).kind(AlertKind::Timeout);
    /// assert_eq!(alert.kind.word(), "timeout");
    /// ```
    #[must_use]
    pub fn kind(self, kind: AlertKind) -> Self {
        Self { kind, ..self }
    }

    /// The same, this bad.
    ///
    /// ```
    /// use scheduler_core::{Alert, notify::Severity};
    /// let alert = Alert::open("daemon", "CRASHED", jiff::Timestamp::UNIX_EPOCH).severity(Severity::Critical);
    /// assert!(alert.severity > Severity::Error);
    /// ```
    #[must_use]
    pub fn severity(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }

    /// The same for these sinks alone.
    ///
    /// ```
    /// use scheduler_core::Alert;
    /// let alert = Alert::open("daemon", "CRASHED", jiff::Timestamp::UNIX_EPOCH).to(Some(vec!["ops".into()]));
    /// assert_eq!(alert.notify.as_deref(), Some(&["ops".to_owned()][..]));
    /// ```
    #[must_use]
    pub fn to(self, sinks: Option<Vec<String>>) -> Self {
        Self { notify: sinks, ..self }
    }

    /// The same about `job`.
    #[must_use]
    pub fn about(mut self, job: JobId) -> Self {
        self.job = Some(job);
        self
    }

    /// The same with its evidence.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }
}

/// Whether the problem lasts.
///
/// ```
/// use scheduler_core::AlertState;
/// assert_eq!(serde_json::to_string(&AlertState::Closed)?, r#""closed""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertState {
    /// It does.
    Open,
    /// It is over.
    Closed,
    /// It never lasted: it happened, and may happen again.
    Passing,
}

/// What happened, in the words that the `on` of a sink has for it.
///
/// ```
/// use scheduler_core::notify::AlertKind;
/// assert_eq!((AlertKind::default(), AlertKind::Failure.word()), (AlertKind::Problem, "failure"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum AlertKind {
    /// A job failed.
    Failure,
    /// A job took too long.
    Timeout,
    /// Nobody saw how a job ended.
    Unknown,
    /// A job was due, and didn't run.
    Skipped,
    /// Anything else: what a watchdog finds.
    #[default]
    #[serde(rename = "watchdog")]
    Problem,
}

impl AlertKind {
    /// The word for it: `failure`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Failure => "failure",
            Self::Timeout => "timeout",
            Self::Unknown => "unknown",
            Self::Skipped => "skipped",
            Self::Problem => "watchdog",
        }
    }
}

/// How bad it is.
///
/// ```
/// use scheduler_core::notify::Severity;
/// assert!(Severity::Info < Severity::default() && Severity::default() < Severity::Critical);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Severity {
    /// Good to know.
    Info,
    /// Something may go wrong.
    Warning,
    /// Something went wrong.
    #[default]
    Error,
    /// Nothing works until somebody acts.
    Critical,
}

impl Severity {
    /// The word for it: `error`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

/// The default notifier: a file in `alerts/` for each open problem, removed when it is over.
///
/// ```
/// use std::sync::Arc;
/// use jiff::Timestamp;
/// use scheduler_core::{Alert, AlertFiles, Home, Notifier, Result, vfs::RealFs};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let home = Home::new(folder.path());
/// let files = AlertFiles::new(Arc::new(RealFs), home.clone());
/// files.notify(&Alert::open("job-a", "job `a` failed", Timestamp::UNIX_EPOCH)).await?;
/// assert!(home.alerts().join("job-a.alert").exists());
/// files.notify(&Alert::closed("job-a", "job `a` succeeded again", Timestamp::UNIX_EPOCH)).await?;
/// assert!(!home.alerts().join("job-a.alert").exists());
///
/// files.notify(&Alert::open("job-b", "job `b` failed", Timestamp::UNIX_EPOCH)).await?;
/// assert_eq!(files.open_about().await?, ["b".parse()?]);
/// files.forget(&"b".parse()?)?;
/// assert!(files.open_about().await?.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct AlertFiles {
    fs: Arc<dyn Vfs>,
    home: Home,
}

impl AlertFiles {
    /// Keeps its files in `home`.
    pub fn new(fs: Arc<dyn Vfs>, home: Home) -> Self {
        Self { fs, home }
    }

    /// Takes the alert of a job away that is gone.
    ///
    /// # Errors
    /// Why it stays.
    pub fn forget(&self, job: &JobId) -> Result<()> {
        self.close(&job_key(job))
    }

    fn close(&self, key: &str) -> Result<()> {
        let path = self.path(key);
        match self.fs.remove(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(&path, error)),
            _ => Ok(()),
        }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.home.alerts().join(format!("{key}.alert"))
    }
}

#[async_trait]
impl Notifier for AlertFiles {
    async fn notify(&self, alert: &Alert) -> Result<()> {
        match alert.state {
            // Here is what lasts; what passes has nobody to take its file away.
            AlertState::Passing => Ok(()),
            AlertState::Open => {
                let path = self.path(&alert.key);
                let failed = |error| failed(&path, error);
                self.fs.create_dir_all(&self.home.alerts()).map_err(failed)?;
                let mut text = serde_json::to_vec_pretty(alert).expect("an alert is JSON");
                text.push(b'\n');
                atomic_write(&*self.fs, &path, &text, None).map(drop).map_err(failed)
            }
            AlertState::Closed => self.close(&alert.key),
        }
    }

    async fn open_about(&self) -> Result<Vec<JobId>> {
        let names = match self.fs.list(&self.home.alerts()) {
            Ok(names) => names,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(Error::io(format!("cannot read {}", self.home.alerts().display()), error)),
        };
        let job = |name: &String| name.strip_suffix(".alert")?.strip_prefix(JOB)?.parse().ok();
        Ok(names.iter().filter_map(job).collect())
    }
}

fn failed(path: &Path, error: io::Error) -> Error {
    Error::io(format!("cannot change {}", path.display()), error)
}
