//! The JSON job store: `jobs.json` for people, a journal for the machine, locks for who is alive.
//!
//! | file | what it is for |
//! |---|---|
//! | `document` | the text of `jobs.json`, entries and places |
//! | `definitions` | from that text into the journal |
//! | `frame`, `journal` | batches of events on disk, torn and damaged ones told apart |
//! | `manifest`, `generation` | format, identity, which files count; these, opened together |
//! | `snapshot`, `lines` | a book in a file; files of lines |
//! | `compaction`, `ledger_files`, `retention` | the journal kept short: what it moves its past into, and how much of that stays |
//! | `owners` | which processes own claims, and which of them are dead |
//! | `keeper` | all of these and the book, under the lock |
//! | `writer` | the thread that holds the keeper |
//! | `copy` | a home copied while others are at work in it |
//! | `history`, `past` | what ended, newest first; all that is on record, for a look back |
//! | `repair` | a damaged store made whole again |
//! | `examine` | a text of `jobs.json` looked at without a store |
//! | `watch` | notices of others' changes |

mod compaction;
mod copy;
mod definitions;
mod document;
mod examine;
mod frame;
mod generation;
mod history;
mod journal;
mod keeper;
mod ledger_files;
mod lines;
mod manifest;
mod owners;
mod past;
mod repair;
mod retention;
mod snapshot;
mod watch;
mod writer;

use std::{
    sync::{Arc, Once, atomic::AtomicU64},
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

pub use self::{
    copy::{Copied, copy_home},
    examine::{Examined, ExaminedJob, examine, examine_entry, examine_yaml},
    repair::{Damage, Kept, Repair, Repaired},
    retention::Retention,
};
use self::{keeper::Keeper, owners::Coroner, past::Past, writer::Writer};
use super::{
    Admission, Ask, Asked, Cancelled, Claim, Edit, JobStore, JobView, LedgerEntry, LedgerQuery, Limits, Lost, Open,
    Problem, Recovery, Selected, Settled, Start, Which, transactions::Transaction,
};
use crate::{
    Clock, Error, ErrorKind, Home, JobId, Outcome, OwnerId, ProcessRef, Result, RunId,
    audit::{self, Audit, AuditQuery, Explanation, Outage},
    job::JobDefaults,
    vfs::{RealFs, Vfs},
};

/// A store in a home folder.
///
/// ```
/// use std::sync::Arc;
/// use scheduler_core::{Home, JobStore, Result, SystemClock, store::{Edit, JsonStore, JsonStoreOptions}};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let home = Home::new(folder.path().join("home"));
/// let store = JsonStore::open(&JsonStoreOptions::new(home.clone(), Arc::new(SystemClock)))?;
/// let greet = serde_json::json!({"id": "greet", "schedule": "@hourly", "payload": {"greet": "world"}});
/// store.define(Edit::Add(vec![greet])).await?;
/// assert!(home.jobs_json().exists());
/// store.close().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct JsonStore {
    owner: OwnerId,
    writer: Writer,
    fs: Arc<dyn Vfs>,
    home: Home,
    clock: Arc<dyn Clock>,
    end: Arc<AtomicU64>,
    changed: tokio::sync::watch::Sender<u64>,
    watching: Once,
    stop: CancellationToken,
}

/// What a [`JsonStore`] is opened with.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use scheduler_core::{Home, SystemClock, job::JobDefaults, store::{JsonStoreOptions, json::{Mode, Retention}}, vfs::RealFs};
/// let options = JsonStoreOptions::new(Home::new("/srv/mine"), Arc::new(SystemClock))
///     .with_defaults(JobDefaults::default())
///     .on_machine(Some("this machine's id".into()), false)
///     .with_patience(Duration::from_secs(5))
///     .with_fs(Arc::new(RealFs))
///     .with_retention(Retention { keep_days: 7, ..Retention::default() })
///     .with_compaction(None)
///     .to_look();
/// assert_eq!(options.mode, Mode::Look);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct JsonStoreOptions {
    /// The folder.
    pub home: Home,
    /// To look or to change.
    pub mode: Mode,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The file system.
    pub fs: Arc<dyn Vfs>,
    /// What holds for jobs that don't say otherwise.
    pub defaults: JobDefaults,
    /// This machine's id, if it has one: a home that belongs to another is refused.
    pub machine_id: Option<String>,
    /// Takes such a home over.
    pub adopt: bool,
    /// How long to wait for others before giving up.
    pub patience: Duration,
    /// The journal is compacted when it is longer than this, in bytes, and than its snapshot; and once a day if there is
    /// something in it. `None` is never: for programs that are over before it would be.
    pub compact_at: Option<u64>,
    /// How much of the history compaction keeps.
    pub retention: Retention,
}

/// What a store is opened for.
///
/// ```
/// use std::sync::Arc;
/// use scheduler_core::{Home, SystemClock, store::{JsonStoreOptions, json::Mode}};
/// assert_eq!(JsonStoreOptions::new(Home::new("/srv/mine"), Arc::new(SystemClock)).mode, Mode::Change);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Writes nothing, takes no lock, works on a read-only home, and makes none.
    Look,
    /// Makes what isn't there.
    Change,
}

impl JsonStoreOptions {
    /// Options for the store in `home`, to change it, on the real file system.
    pub fn new(home: Home, clock: Arc<dyn Clock>) -> Self {
        Self {
            home,
            mode: Mode::Change,
            clock,
            fs: Arc::new(RealFs),
            defaults: JobDefaults::default(),
            machine_id: None,
            adopt: false,
            patience: Duration::from_secs(30),
            compact_at: Some(8 << 20),
            retention: Retention::default(),
        }
    }

    /// The same, to look only.
    #[must_use]
    pub fn to_look(mut self) -> Self {
        self.mode = Mode::Look;
        self
    }

    /// The same with these defaults for jobs.
    #[must_use]
    pub fn with_defaults(mut self, defaults: JobDefaults) -> Self {
        self.defaults = defaults;
        self
    }

    /// The same on the machine with this id; `adopt` takes over a home that belongs to another.
    #[must_use]
    pub fn on_machine(mut self, machine_id: Option<String>, adopt: bool) -> Self {
        self.machine_id = machine_id;
        self.adopt = adopt;
        self
    }

    /// The same, waiting so long for others.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The same, compacting a journal that is longer than so many bytes; `None` is never.
    #[must_use]
    pub fn with_compaction(mut self, at: Option<u64>) -> Self {
        self.compact_at = at;
        self
    }

    /// The same, keeping so much of the history.
    #[must_use]
    pub fn with_retention(mut self, retention: Retention) -> Self {
        self.retention = retention;
        self
    }

    /// The same on another file system.
    #[must_use]
    pub fn with_fs(mut self, fs: Arc<dyn Vfs>) -> Self {
        self.fs = fs;
        self
    }
}

impl JsonStore {
    /// Opens the store, and makes it first if it is to be changed and isn't there.
    ///
    /// # Errors
    /// Why it can't be read, made or trusted; nothing was changed then.
    pub fn open(options: &JsonStoreOptions) -> Result<Self> {
        let owner = OwnerId::random(options.clock.now());
        let end = Arc::new(AtomicU64::new(0));
        let keeper = Keeper::open(options, owner.clone(), Arc::clone(&end))?;
        let stop = keeper.compaction_stop();
        Ok(Self {
            owner,
            writer: Writer::start(keeper, options.patience)?,
            fs: Arc::clone(&options.fs),
            home: options.home.clone(),
            clock: Arc::clone(&options.clock),
            end,
            changed: tokio::sync::watch::Sender::new(0),
            watching: Once::new(),
            stop,
        })
    }
}

impl JsonStore {
    /// What holds for jobs that don't say otherwise is this from now on. Where that moves their instants, the next
    /// [`housekeep`](JobStore::housekeep) moves them.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use scheduler_core::{Home, Result, SystemClock, job::JobDefaults, store::{JsonStore, JsonStoreOptions}};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let folder = tempfile::tempdir().expect("a folder");
    /// # let home = Home::new(folder.path().join("home"));
    /// let store = JsonStore::open(&JsonStoreOptions::new(home, Arc::new(SystemClock)))?;
    /// let mut defaults = JobDefaults::default();
    /// defaults.zone = "Europe/Berlin".into();
    /// store.set_defaults(defaults).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The store doesn't answer.
    pub async fn set_defaults(&self, defaults: JobDefaults) -> Result<()> {
        let set = move |keeper: &mut Keeper| {
            keeper.set_defaults(defaults);
            Ok(())
        };
        self.writer.direct(set).await
    }

    /// How much of the history compaction keeps is this from now on.
    ///
    /// # Errors
    /// The store doesn't answer.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use scheduler_core::{Home, Result, SystemClock, store::{JsonStore, JsonStoreOptions, json::Retention}};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let folder = tempfile::tempdir().expect("a folder");
    /// # let home = Home::new(folder.path().join("home"));
    /// let store = JsonStore::open(&JsonStoreOptions::new(home, Arc::new(SystemClock)))?;
    /// store.set_retention(Retention { keep_days: 7, ..Retention::default() }).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set_retention(&self, retention: Retention) -> Result<()> {
        let set = move |keeper: &mut Keeper| {
            keeper.set_retention(retention);
            Ok(())
        };
        self.writer.direct(set).await
    }

    /// Puts `jobs.json.bak.<n>` back as `jobs.json`, word for word, and takes it in. The file it displaces becomes
    /// `jobs.json.bak.1`.
    ///
    /// # Errors
    /// `NotFound`, `Invalid` if that is no text of a `jobs.json`, or why nothing could be written.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use scheduler_core::{Home, JobStore, Result, SystemClock, store::{Edit, JsonStore, JsonStoreOptions}};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let folder = tempfile::tempdir().expect("a folder");
    /// # let home = Home::new(folder.path().join("home"));
    /// let store = JsonStore::open(&JsonStoreOptions::new(home.clone(), Arc::new(SystemClock)))?;
    /// store.define(Edit::Add(vec![serde_json::json!({"id": "a", "schedule": "@daily", "payload": 1})])).await?;
    /// store.restore(1).await?;
    /// assert!(store.jobs().await?.is_empty());
    /// store.restore(1).await?;
    /// assert_eq!(store.jobs().await?.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn restore(&self, n: usize) -> Result<()> {
        self.writer.direct(move |keeper| keeper.restore(n)).await
    }

    /// Compacts the journal now, however short it is. Where somebody else is at it, that one is left to it.
    ///
    /// # Errors
    /// Why it can't be done; everything is as before then.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use scheduler_core::{Home, JobStore, Result, SystemClock, store::{JsonStore, JsonStoreOptions}};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let folder = tempfile::tempdir().expect("a folder");
    /// # let home = Home::new(folder.path().join("home"));
    /// let store = JsonStore::open(&JsonStoreOptions::new(home.clone(), Arc::new(SystemClock)))?;
    /// store.compact().await?;
    /// assert!(home.snapshot(2).exists() && home.journal(2).exists() && !home.journal(1).exists());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn compact(&self) -> Result<()> {
        // One that is under way has begun before now.
        self.end_of_compaction().await?;
        self.writer
            .direct(|keeper| {
                keeper.ask_for_compaction();
                Ok(())
            })
            .await?;
        self.end_of_compaction().await?;
        self.writer.direct(|keeper| keeper.failed_compaction().map_or(Ok(()), |(_, error)| Err(error.copy()))).await
    }

    /// Has `look` look at all that is on record, on a thread where that may take a while.
    async fn look_back<T: Send + 'static>(&self, look: impl Fn(&Past<'_>) -> Result<T> + Send + 'static) -> Result<T> {
        let defaults = self.writer.direct(|keeper| Ok(keeper.defaults())).await?;
        let (fs, home) = (Arc::clone(&self.fs), self.home.clone());
        read_aside(move || past::look_back(&*fs, &home, &defaults, look)).await
    }

    /// Waits for the compaction that is under way, if one is.
    async fn end_of_compaction(&self) -> Result<()> {
        let under_way = self.writer.direct(|keeper| Ok(keeper.compaction_under_way())).await?;
        if let Some(mut under_way) = under_way {
            // Its other end is dropped when it is over.
            while under_way.changed().await.is_ok() {}
        }
        Ok(())
    }
}

/// Reads on a thread that may block.
async fn read_aside<T: Send + 'static>(read: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let read = tokio::task::spawn_blocking(read);
    read.await.map_err(|error| Error::new(ErrorKind::Io, error.to_string()))?
}

/// What to do about a store that can't be read.
const DAMAGED: &str = "`sched repair --dry-run` shows what can be read, and `sched repair` keeps it; or move the home aside and \
                       put it back from a backup with `sched restore --from`";

impl Drop for JsonStore {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[async_trait]
impl JobStore for JsonStore {
    fn owner(&self) -> &OwnerId {
        &self.owner
    }

    async fn define(&self, edit: Edit) -> Result<Vec<JobView>> {
        self.writer.direct(move |keeper| keeper.edit(&edit)).await
    }

    async fn pause(&self, jobs: Vec<JobId>, until: Option<Timestamp>, reason: Option<String>) -> Result<Vec<JobId>> {
        self.writer.change(move |transaction, _| transaction.pause(&jobs, until, reason.as_deref())).await?
    }

    async fn resume(&self, jobs: Vec<JobId>) -> Result<Vec<JobId>> {
        self.writer.change(move |transaction, _| transaction.resume(&jobs)).await?
    }

    async fn open(&self, now: Timestamp, limits: Limits) -> Result<Open> {
        self.writer.direct(move |keeper| keeper.open_view(now, &limits)).await
    }

    async fn jobs(&self) -> Result<Vec<JobView>> {
        self.writer.direct(Keeper::views).await
    }

    async fn select(&self, which: Which) -> Result<Selected> {
        self.writer.direct(move |keeper| keeper.select(&which)).await
    }

    async fn admit(&self, plans: Vec<Admission>, limits: Limits) -> Result<Vec<Result<Vec<Claim>, Lost>>> {
        let admit = move |transaction: &mut Transaction<'_>, _: &Coroner<'_>| {
            plans.into_iter().map(|plan| transaction.admit(plan, &limits)).collect()
        };
        self.writer.change(admit).await
    }

    async fn ask(&self, request: Ask) -> Result<Asked> {
        self.writer.change(move |transaction, _| transaction.ask(request)).await?
    }

    async fn claim(&self, runs: Vec<RunId>, limits: Limits) -> Result<Vec<Option<Claim>>> {
        self.writer.change(move |transaction, _| runs.iter().map(|run| transaction.claim(run, &limits)).collect()).await
    }

    async fn start(&self, claim: &Claim, limits: Limits) -> Result<Start> {
        let claim = claim.clone();
        self.writer.change_here(move |transaction, _| transaction.start(&claim, &limits)).await
    }

    async fn spawned(&self, claim: &Claim, process: ProcessRef) -> Result<()> {
        let claim = claim.clone();
        self.writer.change(move |transaction, _| transaction.spawned(&claim, process)).await
    }

    async fn finish(&self, claim: &Claim, outcome: Outcome) -> Result<Settled> {
        let claim = claim.clone();
        self.writer.change(move |transaction, _| transaction.finish(&claim, outcome)).await
    }

    async fn cancel(&self, run: RunId) -> Result<Cancelled> {
        self.writer.change(move |transaction, _| transaction.cancel(&run)).await?
    }

    async fn recover(&self, judged: Vec<Recovery>) -> Result<Vec<Settled>> {
        let recover = move |transaction: &mut Transaction<'_>, coroner: &Coroner<'_>| {
            judged.into_iter().map(|one| transaction.recover(one, |owner| coroner.is_dead(owner))).collect()
        };
        self.writer.change(recover).await
    }

    async fn housekeep(&self, boot: Option<String>) -> Result<Vec<String>> {
        let done = self.writer.change(move |transaction, _| transaction.housekeep(boot.as_deref())).await?;
        self.writer.direct(Keeper::bury_dead_owners).await?;
        Ok(done)
    }

    async fn note(&self, outages: Vec<Outage>) -> Result<()> {
        self.writer.change(move |transaction, _| transaction.note(outages)).await
    }

    async fn audit(&self, query: AuditQuery) -> Result<Audit> {
        let now = self.clock.now();
        self.look_back(move |past| audit::judge(past, &query, now)).await
    }

    async fn explain(&self, job: JobId, instant: Timestamp) -> Result<Explanation> {
        let now = self.clock.now();
        self.look_back(move |past| audit::explain(past, &job, instant, now)).await
    }

    async fn ledger(&self, query: LedgerQuery) -> Result<Vec<LedgerEntry>> {
        let (fs, home) = (Arc::clone(&self.fs), self.home.clone());
        read_aside(move || history::scan(&*fs, &home, &query)).await
    }

    async fn problems(&self) -> Result<Vec<Problem>> {
        self.writer.direct(Keeper::problems).await
    }

    fn subscribe(&self) -> tokio::sync::watch::Receiver<u64> {
        // Watching costs a few wake-ups, so it starts with the first one who wants to know.
        self.watching.call_once(|| {
            let watched =
                watch::Watched { fs: Arc::clone(&self.fs), home: self.home.clone(), end: Arc::clone(&self.end) };
            tokio::spawn(watched.run(self.changed.clone(), self.stop.clone()));
        });
        self.changed.subscribe()
    }

    async fn close(&self) -> Result<()> {
        // One that began after the wait would go on beside whoever comes next.
        let no_more = |keeper: &mut Keeper| {
            keeper.compact_no_more();
            Ok(())
        };
        self.writer.direct(no_more).await?;
        self.end_of_compaction().await?;
        self.writer.direct(Keeper::close).await
    }
}

#[cfg(test)]
mod tests;
