//! The home folder: where everything lives. Paths only; nothing here touches the file system.

use std::path::{Path, PathBuf};

use crate::{JobId, RunId};

/// The folder all state of one scheduler lives in.
///
/// ```
/// use std::path::Path;
/// use scheduler_core::{Home, RunId};
/// let home = Home::new("/srv/sched");
/// assert_eq!(home.jobs_json(), home.path().join("jobs.json"));
/// assert_eq!(home.config_yaml(), Path::new("/srv/sched/config.yaml"));
/// assert_eq!(home.run_log(&"backup".parse()?, &RunId::new("1")), home.runs().join("backup/1.log"));
/// assert_eq!(home.alerts(), Path::new("/srv/sched/alerts"));
/// assert_eq!((home.ticker_json(), home.tick_json()), {
///     let beats = home.heartbeats();
///     (beats.join("ticker.json"), beats.join("tick.json"))
/// });
/// assert_eq!(home.watchdog_json(), home.heartbeats().join("watchdog.json"));
/// assert_eq!(home.beats(), home.heartbeats().join("jobs"));
/// // The rest is the store's own, and the machine's.
/// for path in [home.manifest(), home.journal(1), home.lock(), home.daemon_lock(), home.owners(), home.last_good_config()] {
///     assert!(path.starts_with(home.state()));
/// }
/// for path in [home.snapshot(2), home.ledger(), home.compact_lock(), home.expected_beats(), home.reported(), home.account()] {
///     assert!(path.starts_with(home.state()));
/// }
/// for path in [home.restarts(), home.watchdog_lock(), home.daemon_log()] {
///     assert!(path.starts_with(home.state()));
/// }
/// # Ok::<(), scheduler_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home(PathBuf);

impl Home {
    /// The home at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What the operator wants from the daemon.
    pub fn config_yaml(&self) -> PathBuf {
        self.0.join("config.yaml")
    }

    /// The last `config.yaml` that could be read as a whole.
    pub fn last_good_config(&self) -> PathBuf {
        self.state().join("config.last-good.yaml")
    }

    /// What the operator wants run.
    pub fn jobs_json(&self) -> PathBuf {
        self.0.join("jobs.json")
    }

    /// The machine's own folder.
    pub fn state(&self) -> PathBuf {
        self.0.join("state")
    }

    /// Format, identity and current generation of the store.
    pub fn manifest(&self) -> PathBuf {
        self.state().join("MANIFEST")
    }

    /// The transitions of a generation.
    pub fn journal(&self, generation: u64) -> PathBuf {
        self.state().join(format!("journal.{generation}"))
    }

    /// All that the events before a generation add up to.
    pub fn snapshot(&self, generation: u64) -> PathBuf {
        self.state().join(format!("snapshot.{generation}.jsonl"))
    }

    /// The history before the journal.
    pub fn ledger(&self) -> PathBuf {
        self.state().join("ledger")
    }

    /// Held by whoever compacts.
    pub fn compact_lock(&self) -> PathBuf {
        self.state().join("compact.lock")
    }

    /// The transaction lock.
    pub fn lock(&self) -> PathBuf {
        self.state().join("lock")
    }

    /// Held for life by the daemon.
    pub fn daemon_lock(&self) -> PathBuf {
        self.state().join("daemon.lock")
    }

    /// A file for each process that owns claims.
    pub fn owners(&self) -> PathBuf {
        self.state().join("owners")
    }

    /// Captured output, a folder for each job.
    pub fn runs(&self) -> PathBuf {
        self.0.join("runs")
    }

    /// Captured output of one run.
    pub fn run_log(&self, job: &JobId, run: &RunId) -> PathBuf {
        self.runs().join(job.as_str()).join(format!("{run}.log"))
    }

    /// Proofs that loops turned.
    pub fn heartbeats(&self) -> PathBuf {
        self.0.join("heartbeats")
    }

    /// The daemon's own.
    pub fn ticker_json(&self) -> PathBuf {
        self.heartbeats().join("ticker.json")
    }

    /// The one of `sched tick`.
    pub fn tick_json(&self) -> PathBuf {
        self.heartbeats().join("tick.json")
    }

    /// The one of `sched watchdog`.
    pub fn watchdog_json(&self) -> PathBuf {
        self.heartbeats().join("watchdog.json")
    }

    /// How often a watchdog has started the daemon, and when.
    pub fn restarts(&self) -> PathBuf {
        self.state().join("restarts.json")
    }

    /// Held by a watchdog while it beats or starts the daemon.
    pub fn watchdog_lock(&self) -> PathBuf {
        self.state().join("watchdog.lock")
    }

    /// What a daemon says that a watchdog has started.
    pub fn daemon_log(&self) -> PathBuf {
        self.state().join("daemon.log")
    }

    /// Those of jobs, unless config.yaml names another folder: a file each.
    pub fn beats(&self) -> PathBuf {
        self.heartbeats().join("jobs")
    }

    /// Which of these must come, as `sched heartbeat expect` was told: a file each.
    pub fn expected_beats(&self) -> PathBuf {
        self.state().join("heartbeats")
    }

    /// Which morning report went out last.
    pub fn reported(&self) -> PathBuf {
        self.state().join("report.json")
    }

    /// What the last look at the history found.
    pub fn account(&self) -> PathBuf {
        self.state().join("account.json")
    }

    /// Open problems, a file each.
    pub fn alerts(&self) -> PathBuf {
        self.0.join("alerts")
    }
}
