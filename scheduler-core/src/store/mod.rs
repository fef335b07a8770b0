//! Who may fire: the [`JobStore`] axis, its contract, and the values it takes and answers.
//!
//! - [`JsonStore`] keeps everything in a home folder: `jobs.json` for people, a journal for the machine.
//! - [`MemoryStore`] keeps it in memory: for tests, and for embedders who can lose it.
//!
//! Both are the same pure core (`book`: the state, `event`: what is written down, `transactions`: what is allowed) around a
//! different kind of memory.

pub(crate) mod book;
pub(crate) mod definition;
mod edit;
pub(crate) mod event;
pub mod json;
mod ledger;
mod limits;
mod memory;
pub(crate) mod record;
mod transactions;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::watch;

pub use edit::{Edit, with_remarks_of};
pub use event::Paused;
pub use json::{JsonStore, JsonStoreOptions};
pub use ledger::{LedgerEntry, LedgerQuery, LedgerWhat};
pub use limits::{Groups, Limits};
pub use memory::MemoryStore;
/// For whoever plays the rules through without a store around them.
pub(crate) use {
    book::Book,
    transactions::{Transaction, open as look_at},
};

use crate::{
    Job, JobId, OccurrenceId, Orphan, Outcome, OwnerId, ProcessRef, Result, RunId, Token,
    audit::{Audit, AuditQuery, Explanation, Outage},
    occurrence::{Cause, Occurrence, SkipReason},
    plan::{Cursor, Plan},
};

/// Keeps jobs and their occurrences, and decides who may run what.
///
/// # Contract
/// 1. **Compare and swap.** Every change compares with what is stored *when it is made* and is refused if that is no longer
///    what the caller saw. Nobody saves from memory.
/// 2. **Durable before done.** When [`admit`](Self::admit), [`claim`](Self::claim), [`start`](Self::start) or
///    [`define`](Self::define) answers, the change survives kill -9 and, as far as the disk is honest, power loss.
/// 3. **One cursor, one step.** An occurrence appears in the same step in which its job's cursor moves past it, so no instant
///    can be admitted twice.
/// 4. **Fenced.** Only the holder of a claim's token and epoch can start and finish it. A `start` answers [`Start::Go`] to that
///    holder only; asked again because the answer was lost, it answers the same until a process is noted.
/// 5. **Nothing is dropped.** Every occurrence ends in one [`LedgerEntry`], alone or in a gap; attempts at it that were
///    followed by another have an entry each besides.
/// 6. **Owners are processes.** A claim of a dead owner returns to the queue; a run of a dead owner is never started again,
///    but handed out in [`Open::abandoned`] for the engine to judge.
/// 7. An error answers nothing: the caller must take every part of the batch as not done.
///
/// ```
/// use scheduler_core::{JobStore, OccurrenceKind, Outcome, Result, RunId, RunResult};
/// use scheduler_core::audit::AuditQuery;
/// use scheduler_core::store::{Ask, Asked, Edit, LedgerQuery, Limits, MemoryStore, Settled, Start};
/// use jiff::Timestamp;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let (store, limits) = (MemoryStore::default(), Limits::default());
/// let mut changes = store.subscribe();
/// let entry = serde_json::json!({"id": "greet", "schedule": "@hourly", "payload": {"greet": "world"}});
/// store.define(Edit::Add(vec![entry])).await?;
/// assert!(changes.has_changed().expect("the store lives") && store.problems().await?.is_empty());
///
/// // The way of an occurrence, as the engine takes it; for one that is due, `admit` with a plan takes the place of `ask`.
/// let key = "by-hand".to_owned();
/// let ask = Ask { job: "greet".parse()?, kind: OccurrenceKind::Manual, key, force: false };
/// let Asked::Queued(run) = store.ask(ask).await? else { panic!("it is new") };
/// assert_eq!(store.open(Timestamp::now(), limits.clone()).await?.startable, [run.clone()]);
/// let claim = store.claim(vec![run.clone()], limits.clone()).await?.remove(0).expect("nobody else wants it");
/// assert!(store.claim(vec![run], limits.clone()).await?[0].is_none(), "only one can have it");
/// assert!(matches!(store.start(&claim, limits.clone()).await?, Start::Go(_)));
/// assert_eq!(store.finish(&claim, Outcome::new(RunResult::Succeeded)).await?, Settled::Done);
/// assert_eq!(store.ledger(LedgerQuery::default()).await?.len(), 1);
///
/// // What people do.
/// assert_eq!(store.pause(vec!["greet".parse()?], None, None).await?.len(), 1);
/// assert_eq!(store.resume(vec!["greet".parse()?]).await?.len(), 1);
/// assert!(store.cancel(RunId::new("no such run")).await.is_err());
///
/// // What an engine does besides: nothing is due, nobody has died, and no time has passed.
/// assert!(store.admit(Vec::new(), limits).await?.is_empty());
/// assert!(store.recover(Vec::new()).await?.is_empty());
/// assert!(store.housekeep(None).await?.is_empty() && store.running_lease().is_none());
/// store.note(Vec::new()).await?;
///
/// // Looking back.
/// assert!(store.audit(AuditQuery::default()).await?.is_complete());
/// let explanation = store.explain("greet".parse()?, Timestamp::now()).await?;
/// assert!(explanation.attempts.is_empty());
/// # let process = scheduler_core::ProcessRef { pid: 1, start_time: 1, boot_id: String::new() };
/// # store.spawned(&claim, process).await?;
/// println!("{} was {}", store.owner(), store.jobs().await?.len());
/// store.close().await?;
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait JobStore: Send + Sync {
    /// The id under which this process claims.
    fn owner(&self) -> &OwnerId;

    /// How long a run may go without being renewed. `None`: owners are known to be alive or dead, nothing is renewed.
    fn running_lease(&self) -> Option<Duration> {
        None
    }

    /// Changes definitions, in one step. Answers the jobs in the order of the edit: those that were put as they now are, and
    /// then those that were removed as they were.
    ///
    /// # Errors
    /// `Exists`, `NotFound`, `Invalid`, `Changed`, or why nothing could be written; then nothing was changed.
    async fn define(&self, edit: Edit) -> Result<Vec<JobView>>;

    /// Stops `jobs` from firing. Answers those that weren't paused like this already.
    ///
    /// # Errors
    /// `NotFound`, or why nothing could be written.
    async fn pause(&self, jobs: Vec<JobId>, until: Option<Timestamp>, reason: Option<String>) -> Result<Vec<JobId>>;

    /// Lets them fire again, from now on; what passed is one gap each. Answers those that were paused.
    ///
    /// # Errors
    /// `NotFound`, or why nothing could be written.
    async fn resume(&self, jobs: Vec<JobId>) -> Result<Vec<JobId>>;

    /// What is open at `now`, with everything that others did up to this call.
    ///
    /// # Errors
    /// Why it could not be read.
    async fn open(&self, now: Timestamp, limits: Limits) -> Result<Open>;

    /// All jobs in force, by id.
    ///
    /// # Errors
    /// Why they could not be read.
    async fn jobs(&self) -> Result<Vec<JobView>>;

    /// Some of the jobs in force, without the cost of a view of each, and how many there are.
    ///
    /// # Errors
    /// Why they could not be read.
    async fn select(&self, which: Which) -> Result<Selected>;

    /// Carries plans out: for each, the cursor moves and its occurrences appear, those with a place already claimed. One
    /// plan lost to somebody else doesn't affect the others.
    ///
    /// # Errors
    /// Why nothing could be written.
    async fn admit(&self, plans: Vec<Admission>, limits: Limits) -> Result<Vec<Result<Vec<Claim>, Lost>>>;

    /// Makes an occurrence that no schedule asked for. A key seen before answers the run it had.
    ///
    /// # Errors
    /// `NotFound`, or why nothing could be written.
    async fn ask(&self, request: Ask) -> Result<Asked>;

    /// Takes queued occurrences. `None` where somebody was faster or there is no place now.
    ///
    /// # Errors
    /// Why nothing could be written.
    async fn claim(&self, runs: Vec<RunId>, limits: Limits) -> Result<Vec<Option<Claim>>>;

    /// The last word before a run: checks everything again and makes the start durable. The caller runs it once, however
    /// often it had to ask.
    ///
    /// # Errors
    /// Why nothing could be written; the run must not begin.
    async fn start(&self, claim: &Claim, limits: Limits) -> Result<Start>;

    /// Notes which process does the work. Not synced: it must only outlive this process.
    ///
    /// # Errors
    /// Why nothing could be written.
    async fn spawned(&self, claim: &Claim, process: ProcessRef) -> Result<()>;

    /// Records how a run ended, and in the same step the attempt that follows it, if the job has retries left. Synced soon
    /// after.
    ///
    /// # Errors
    /// Why nothing could be written; worth trying again.
    async fn finish(&self, claim: &Claim, outcome: Outcome) -> Result<Settled>;

    /// Asks for the end of a run: a queued one is over at once, a running one is its owner's to stop.
    ///
    /// # Errors
    /// `NotFound` if it isn't open, or why nothing could be written.
    async fn cancel(&self, run: RunId) -> Result<Cancelled>;

    /// Settles runs whose owner is dead, as the engine judged them. Answers for each what came of it.
    ///
    /// # Errors
    /// Why nothing could be written.
    async fn recover(&self, judged: Vec<Recovery>) -> Result<Vec<Settled>>;

    /// Does what time alone brings: ends pauses that have run out, repairs cursors that no clock can have written, and on a
    /// new `boot` (if one is given) makes the `@reboot` occurrences. Answers what was done, in words.
    ///
    /// # Errors
    /// Why nothing could be written.
    async fn housekeep(&self, boot: Option<String>) -> Result<Vec<String>>;

    /// Puts an outage on record: evidence, for whoever looks back.
    ///
    /// # Errors
    /// Why nothing could be written.
    async fn note(&self, outages: Vec<Outage>) -> Result<()>;

    /// Accounts for every occurrence that was owed: what the schedules had, each as it was defined then, against the history.
    ///
    /// # Errors
    /// `NotFound` for a job that never was, or why the history could not be read.
    async fn audit(&self, query: AuditQuery) -> Result<Audit>;

    /// What became of one instant of a job and why, with the evidence.
    ///
    /// # Errors
    /// `NotFound` for a job that never was, or why the history could not be read.
    async fn explain(&self, job: JobId, instant: Timestamp) -> Result<Explanation>;

    /// The history, oldest first.
    ///
    /// # Errors
    /// Why it could not be read.
    async fn ledger(&self, query: LedgerQuery) -> Result<Vec<LedgerEntry>>;

    /// What is wrong with the store's own material: files, entries, cursors.
    ///
    /// # Errors
    /// Why it could not be read.
    async fn problems(&self) -> Result<Vec<Problem>>;

    /// Changes whenever somebody (this process or another) may have changed something.
    fn subscribe(&self) -> watch::Receiver<u64>;

    /// Makes everything durable and gives up this owner.
    ///
    /// # Errors
    /// Why the last records may not be durable.
    async fn close(&self) -> Result<()>;
}

/// Which jobs [`JobStore::select`] is asked for.
///
/// ```
/// use scheduler_core::store::{Edit, JobStore, MemoryStore, Which};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let store = MemoryStore::default();
/// let entry = |id: &str, schedule: &str| serde_json::json!({"id": id, "schedule": schedule, "command": "true"});
/// store.define(Edit::Add(vec![entry("yearly", "@yearly"), entry("often", "* * * * *")])).await?;
/// let first = store.select(Which::Soonest(1)).await?;
/// assert_eq!(first.jobs[0].id.as_str(), "often");
/// # Ok::<(), scheduler_core::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Which {
    /// The one with this id, if it is there.
    Job(JobId),
    /// Those that are due first, at most so many, earliest first.
    Soonest(usize),
    /// Those whose last run ended badly, by id.
    Troubled,
    /// Those with a payload instead of a command, by id.
    Payload,
    /// Those with a `ping_url`, by id.
    Pinging,
    /// Those with an occurrence that is open, by id.
    Open,
}

/// The answer to [`JobStore::select`].
///
/// ```
/// use scheduler_core::store::{JobStore, MemoryStore, Which};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let answer = MemoryStore::default().select(Which::Troubled).await?;
/// assert_eq!((answer.jobs.len(), answer.in_force, answer.waiting), (0, 0, 0));
/// # Ok::<(), scheduler_core::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Selected {
    /// The jobs asked for.
    pub jobs: Vec<JobView>,
    /// How many jobs are in force.
    pub in_force: usize,
    /// How many of these wait for an instant.
    pub waiting: usize,
}

/// What is open.
///
/// ```
/// use scheduler_core::store::Open;
/// let open = Open::default();
/// assert!(open.due.is_empty() && open.next_wakeup.is_none());
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Open {
    /// Jobs with instants that are due, their part of their jitter being over.
    pub due: Vec<DueJob>,
    /// Queued occurrences that have a place now, longest waiting first.
    pub startable: Vec<RunId>,
    /// How many are queued in all.
    pub queued: usize,
    /// How many hold a place, whoever owns them.
    pub active: usize,
    /// Claimed by this owner and not started yet.
    pub claimed_here: Vec<Claim>,
    /// Claimed or running ones whose owner is dead.
    pub abandoned: Vec<Abandoned>,
    /// Runs that outlived their owner.
    pub orphaned: Vec<Abandoned>,
    /// Running ones whose end was asked for.
    pub cancel_requested: Vec<RunId>,
    /// Whether there is something for [`JobStore::housekeep`].
    pub housekeeping: bool,
    /// Another number whenever a job was defined or removed.
    pub definitions: u64,
    /// When the next of the queued ones may start that now may not.
    pub next_start: Option<Timestamp>,
    /// When the next thing happens by the clock, those starts included.
    pub next_wakeup: Option<Timestamp>,
}

/// A job with instants to settle.
///
/// ```
/// use std::sync::Arc;
/// use scheduler_core::{Job, plan::{Cursor, plan}, schedule::{ParseOptions, Schedule}, store::DueJob};
/// # let at = |text: &str| text.parse::<jiff::Timestamp>();
/// let schedule = Schedule::parse("@hourly", &ParseOptions::default())?;
/// let job = Arc::new(Job::new("a".parse()?, schedule, serde_json::json!("a payload")));
/// let cursor = Cursor { next_at: Some(at("2026-11-22T10:00:00Z")?), ..Cursor::default() };
/// let due = DueJob { job, incarnation: 1, revision: 1, cursor };
/// assert!(plan(&due.job, &due.cursor, at("2026-11-22T10:00:00Z")?).is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct DueJob {
    /// The definition in force.
    pub job: Arc<Job>,
    /// Which life of it.
    pub incarnation: u32,
    /// Its revision: what an admission compares.
    pub revision: u64,
    /// Its past.
    pub cursor: Cursor,
}

impl DueJob {
    /// When its next instant is due: then, or later by its part of its jitter.
    ///
    /// ```
    /// use std::{sync::Arc, time::Duration};
    /// use scheduler_core::{Job, plan::Cursor, schedule::{ParseOptions, Schedule}, store::DueJob};
    /// let schedule = Schedule::parse("@hourly", &ParseOptions::default())?;
    /// let mut job = Job::new("a".parse()?, schedule, serde_json::json!("a payload"));
    /// job.jitter = Some(Duration::from_mins(10));
    /// let delay = jiff::SignedDuration::try_from(job.delay())?;
    /// let next_at: jiff::Timestamp = "2026-11-22T10:00:00Z".parse()?;
    /// let cursor = Cursor { next_at: Some(next_at), ..Cursor::default() };
    /// let due = DueJob { job: Arc::new(job), incarnation: 1, revision: 1, cursor };
    /// assert_eq!(due.due_at(), Some(next_at + delay));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn due_at(&self) -> Option<Timestamp> {
        self.cursor.next_at.map(|next_at| self.job.starts(next_at))
    }
}

/// A plan to be carried out, with what it was based on.
///
/// ```
/// use jiff::Timestamp;
/// use scheduler_core::{JobStore, occurrence::Cause, plan::{Plan, Planned}};
/// use scheduler_core::store::{Admission, Limits, Lost, MemoryStore};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> scheduler_core::Result<()> {
/// let at = Timestamp::UNIX_EPOCH;
/// let admit = vec![(at, Planned::Run(Cause::Late))];
/// let plan = Plan { admit, gaps: Vec::new(), close: Vec::new(), through: at, next_at: None };
/// let admission = Admission { job: "gone".parse()?, incarnation: 1, revision: 1, expected: Some(at), plan };
/// let answers = MemoryStore::default().admit(vec![admission], Limits::default()).await?;
/// assert_eq!(answers[0].as_ref().err(), Some(&Lost::Gone));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Admission {
    /// Which job.
    pub job: JobId,
    /// Which life of it was seen.
    pub incarnation: u32,
    /// Which revision was seen.
    pub revision: u64,
    /// Where the cursor was seen.
    pub expected: Option<Timestamp>,
    /// What is to be done.
    pub plan: Plan,
}

/// Why an admission was refused: somebody else was faster.
///
/// ```
/// use scheduler_core::store::Lost;
/// assert_ne!(Lost::Moved, Lost::Redefined);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// The cursor has moved.
    Moved,
    /// The definition is another one.
    Redefined,
    /// The job is gone.
    Gone,
    /// The job is paused.
    Paused,
}

/// The right to run an occurrence.
///
/// ```
/// use scheduler_core::{JobStore, OccurrenceKind, Result, occurrence::Cause};
/// use scheduler_core::store::{Ask, Asked, Edit, Limits, MemoryStore};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let store = MemoryStore::default();
/// store.define(Edit::Add(vec![serde_json::json!({"id": "a", "schedule": "@manually", "payload": 1})])).await?;
/// let ask = Ask { job: "a".parse()?, kind: OccurrenceKind::Manual, key: "1".into(), force: false };
/// let Asked::Queued(run) = store.ask(ask).await? else { panic!("it is new") };
/// let claim = store.claim(vec![run], Limits::default()).await?.remove(0).expect("nobody else wants it");
/// assert_eq!((claim.cause, claim.attempt, claim.epoch), (Cause::Asked, 1, 1));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Claim {
    /// The attempt.
    pub run: RunId,
    /// What it is an attempt at.
    pub id: OccurrenceId,
    /// When that is owed.
    pub at: Timestamp,
    /// It doesn't start before this, where that is later.
    pub not_before: Option<Timestamp>,
    /// Why it exists.
    pub cause: Cause,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// The fence.
    pub token: Token,
    /// The claim's number.
    pub epoch: u32,
}

impl Claim {
    /// It may not start before this: the instant at which it is owed, or later by its job's jitter, or by the pause before
    /// another attempt.
    ///
    /// ```
    /// use scheduler_core::{JobStore, OccurrenceKind, Result, store::{Ask, Asked, Edit, Limits, MemoryStore}};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// let store = MemoryStore::default();
    /// let entry = serde_json::json!({"id": "a", "schedule": "@hourly", "payload": 1, "jitter": "10m"});
    /// store.define(Edit::Add(vec![entry])).await?;
    /// let ask = Ask { job: "a".parse()?, kind: OccurrenceKind::Manual, key: "1".into(), force: false };
    /// let Asked::Queued(run) = store.ask(ask).await? else { panic!("it is new") };
    /// let claim = store.claim(vec![run], Limits::default()).await?.remove(0).expect("nobody else wants it");
    /// assert_eq!(claim.starts_at(), claim.at, "jitter is for instants, not for who asks by hand");
    /// # Ok(())
    /// # }
    /// ```
    pub fn starts_at(&self) -> Timestamp {
        self.not_before.map_or(self.at, |at| at.max(self.at))
    }
}

/// The answer to [`JobStore::start`].
///
/// ```
/// use scheduler_core::{occurrence::SkipReason, store::Start};
/// assert!(matches!(Start::Skipped(SkipReason::Paused), Start::Skipped(reason) if reason.words() == "paused"));
/// ```
#[derive(Debug, Clone)]
pub enum Start {
    /// Run this definition.
    Go(Arc<Job>),
    /// No place: it is back in the queue.
    Requeued,
    /// It will never run: closed, with this reason.
    Skipped(SkipReason),
    /// Somebody else has it, or its end was asked for.
    Lost,
}

/// What came of the end of a run.
///
/// ```
/// use scheduler_core::{RunId, store::Settled};
/// let again = Settled::Again { run: RunId::new("2"), attempt: 2, not_before: "2026-11-22T02:31:00Z".parse()? };
/// assert_ne!(again, Settled::Done);
/// # Ok::<(), jiff::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// It wasn't the caller's to say any more: nothing was written.
    Lost,
    /// It is written, and nothing follows from it.
    Done,
    /// It is written, and the occurrence waits for its next attempt.
    Again {
        /// That attempt.
        run: RunId,
        /// Which one it is.
        attempt: u32,
        /// It doesn't start before this.
        not_before: Timestamp,
    },
}

/// An occurrence that no schedule asked for.
///
/// ```
/// use scheduler_core::{OccurrenceKind, store::Ask};
/// let key = "message-17".to_owned(); // asked twice, it runs once
/// let ask = Ask { job: "deploy".parse()?, kind: OccurrenceKind::External, key, force: false };
/// assert!(!ask.force);
/// # Ok::<(), scheduler_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Ask {
    /// Which job.
    pub job: JobId,
    /// Manual, external or reboot.
    pub kind: crate::OccurrenceKind,
    /// Names the event; asked again, it is the same one.
    pub key: String,
    /// Passes pause, overlap and `enabled: false`.
    pub force: bool,
}

/// The answer to [`JobStore::ask`].
///
/// ```
/// use scheduler_core::{RunId, store::Asked};
/// assert_ne!(Asked::Queued(RunId::new("1")), Asked::Known(RunId::new("1")));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// It waits for its turn.
    Queued(RunId),
    /// This event has been seen; it was this run.
    Known(RunId),
    /// Closed at once, with the reason.
    Skipped(RunId, SkipReason),
}

/// The answer to [`JobStore::cancel`].
///
/// ```
/// use scheduler_core::{JobStore, OccurrenceKind, Result, store::{Ask, Asked, Cancelled, Edit, MemoryStore}};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let store = MemoryStore::default();
/// store.define(Edit::Add(vec![serde_json::json!({"id": "a", "schedule": "@manually", "payload": 1})])).await?;
/// let ask = Ask { job: "a".parse()?, kind: OccurrenceKind::Manual, key: "1".into(), force: false };
/// let Asked::Queued(run) = store.ask(ask).await? else { panic!("it is new") };
/// assert_eq!(store.cancel(run).await?, Cancelled::Closed);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// It had not started, and never will.
    Closed,
    /// Its owner has been asked.
    Requested,
}

/// An occurrence whose owner is dead.
///
/// ```
/// use scheduler_core::store::{Finding, Open, Recovery};
/// // Of each, the engine asks its runner what is left, and tells the store.
/// let judged: Vec<Recovery> = (Open::default().abandoned.into_iter())
///     .map(|left| Recovery { run: left.occurrence.run, epoch: left.occurrence.epoch, finding: Finding::NeverStarted })
///     .collect();
/// assert!(judged.is_empty());
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Abandoned {
    /// The occurrence.
    pub occurrence: Occurrence,
    /// Its work, for the runner to look for; `None` if it had not been started.
    pub orphan: Option<Orphan>,
}

/// What the engine found of an abandoned run.
///
/// ```
/// use scheduler_core::{Outcome, RunId, RunResult, store::{Finding, Recovery}};
/// let finding = Finding::Over(Outcome::new(RunResult::Unknown));
/// let recovery = Recovery { run: RunId::new("1"), epoch: 1, finding };
/// assert_eq!(recovery.epoch, 1);
/// ```
#[derive(Debug, Clone)]
pub struct Recovery {
    /// The run.
    pub run: RunId,
    /// The claim's number, as it was seen.
    pub epoch: u32,
    /// The finding.
    pub finding: Finding,
}

/// The finding.
///
/// ```
/// use scheduler_core::{Outcome, RunResult, store::Finding};
/// assert!(matches!(Finding::Over(Outcome::new(RunResult::Unknown)), Finding::Over(_)));
/// ```
#[derive(Debug, Clone)]
pub enum Finding {
    /// It had not started.
    NeverStarted,
    /// Its work goes on.
    Alive(Option<ProcessRef>),
    /// Its work is over; nobody saw how.
    Over(Outcome),
}

/// A job with its state, for people.
///
/// ```
/// use scheduler_core::{JobStore, Result, store::{Edit, MemoryStore}};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let store = MemoryStore::default();
/// store.define(Edit::Add(vec![serde_json::json!({"id": "a", "schedule": "@daily", "payload": 1})])).await?;
/// for view in store.jobs().await? {
///     assert!(view.job.is_ok() && view.paused.is_none());
///     println!("{} next at {:?}, last {:?}", view.id, view.due_at, view.last);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct JobView {
    /// Its id.
    pub id: JobId,
    /// The checked definition, or why this build can't take it.
    pub job: Result<Arc<Job>, String>,
    /// The entry as it was given.
    pub definition: Arc<Value>,
    /// Which life of that id.
    pub incarnation: u32,
    /// Goes up with every change.
    pub revision: u64,
    /// The zone its schedule is read in, by name.
    pub zone: String,
    /// From where its intervals are counted.
    pub anchor: Timestamp,
    /// When this life of it began, or it was last changed.
    pub defined_at: Timestamp,
    /// Its next instant; `None` while it owes none.
    pub next_at: Option<Timestamp>,
    /// When that is to start: then, or later by its part of its jitter. What a provider arms.
    pub due_at: Option<Timestamp>,
    /// How many of its occurrences have started in this life of it.
    pub started: u32,
    /// Up to where its instants are settled.
    pub settled_through: Timestamp,
    /// Its pause.
    pub paused: Option<Paused>,
    /// Its open occurrences.
    pub open: Vec<Occurrence>,
    /// The last one that ran.
    pub last: Option<Arc<LedgerEntry>>,
}

/// Something an operator has to put right.
///
/// ```
/// use scheduler_core::store::Problem;
/// let problem = Problem::new("jobs-json", "jobs.json: line 1: it is empty", "correct it");
/// let remark = Problem::remark("field-a", "job `a`: no such field: `note`", "remove it").of_job(&"a".parse()?);
/// assert!(!problem.remark && remark.remark && remark.job.is_some());
/// # Ok::<(), scheduler_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Problem {
    /// Stable for as long as it is the same problem.
    pub key: String,
    /// What is wrong, where.
    pub what: String,
    /// What to do.
    pub hint: String,
    /// Whether things work in spite of it: a remark, no reason for alarm.
    pub remark: bool,
    /// The job it is about, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<JobId>,
}

impl Problem {
    /// A problem.
    pub fn new(key: impl Into<String>, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { key: key.into(), what: what.into(), hint: hint.into(), remark: false, job: None }
    }

    /// Something worth a look that keeps nothing from working.
    pub fn remark(key: impl Into<String>, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { remark: true, ..Self::new(key, what, hint) }
    }

    /// The same, about `job`.
    #[must_use]
    pub fn of_job(mut self, job: &JobId) -> Self {
        self.job = Some(job.clone());
        self
    }
}

#[cfg(test)]
mod tests;
