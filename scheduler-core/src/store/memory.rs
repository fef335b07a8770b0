//! A store in memory: for tests, and for embedders who can lose it. One process, one owner; everything else is the contract.

use std::{ops::ControlFlow, sync::Arc};

use async_trait::async_trait;
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::watch;

use super::{
    Admission, Ask, Asked, Cancelled, Claim, Edit, JobStore, JobView, LedgerEntry, LedgerQuery, Limits, Lost, Open,
    Problem, Recovery, Selected, Settled, Start, Which,
    book::Book,
    event::Event,
    transactions::{self, Transaction},
};
use crate::{
    Clock, JobId, Outcome, OwnerId, ProcessRef, Result, RunId, SystemClock,
    audit::{self, Audit, AuditQuery, Explanation, Lives, Outage, Testimony, Told},
    job::JobDefaults,
};

/// Jobs and occurrences in memory.
///
/// ```
/// use scheduler_core::{JobStore, Result, store::{Edit, MemoryStore}};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let store = MemoryStore::default();
/// let entry = serde_json::json!({"id": "greet", "schedule": "@hourly", "payload": {"greet": "world"}});
/// let views = store.define(Edit::Add(vec![entry])).await?;
/// assert!(views[0].next_at.is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    owner: OwnerId,
    inner: Mutex<Inner>,
    changed: watch::Sender<u64>,
}

#[derive(Debug)]
struct Inner {
    book: Book,
    ledger: Vec<LedgerEntry>,
    /// What a look at the past judges by.
    past: Vec<Event>,
}

impl MemoryStore {
    /// An empty store.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use scheduler_core::{SystemClock, store::MemoryStore};
    /// let store = MemoryStore::new(Arc::new(SystemClock), Default::default());
    /// ```
    pub fn new(clock: Arc<dyn Clock>, defaults: JobDefaults) -> Self {
        let owner = OwnerId::random(clock.now());
        let inner = Inner { book: Book::new(Arc::new(defaults)), ledger: Vec::new(), past: Vec::new() };
        Self { clock, owner, inner: Mutex::new(inner), changed: watch::Sender::new(0) }
    }

    fn transact<T>(&self, change: impl FnOnce(&mut Transaction<'_>) -> T) -> T {
        let mut inner = self.inner.lock();
        let inner = &mut *inner;
        let mut transaction = Transaction::new(&mut inner.book, self.clock.now(), &self.owner);
        let answer = change(&mut transaction);
        let wrote = !transaction.events.is_empty();
        inner.ledger.append(&mut transaction.closed);
        inner.past.extend(transaction.events.drain(..).filter(Event::is_about_definitions));
        if wrote {
            self.changed.send_modify(|count| *count += 1);
        }
        answer
    }
}

impl Inner {
    fn testimony(&self) -> Memory<'_> {
        let mut lives = Lives::new(Arc::clone(self.book.defaults()));
        self.past.iter().cloned().for_each(|event| lives.take(event));
        Memory { lives, inner: self }
    }
}

/// All there ever was.
struct Memory<'i> {
    lives: Lives,
    inner: &'i Inner,
}

impl Testimony for Memory<'_> {
    fn lives(&self) -> &Lives {
        &self.lives
    }

    fn book(&self) -> &Book {
        &self.inner.book
    }

    fn kept_since(&self) -> Option<Timestamp> {
        None
    }

    fn entries(
        &self,
        _: Timestamp,
        _: Option<&JobId>,
        _: &dyn Fn(u64, u64),
        take: &mut dyn FnMut(Told<'_>) -> ControlFlow<()>,
    ) -> Result<()> {
        let _ = self.inner.ledger.iter().try_for_each(|entry| take(Told::Entry(entry)));
        Ok(())
    }
}

impl Default for MemoryStore {
    /// An empty store that reads the system's clock.
    fn default() -> Self {
        Self::new(Arc::new(SystemClock), JobDefaults::default())
    }
}

#[async_trait]
impl JobStore for MemoryStore {
    fn owner(&self) -> &OwnerId {
        &self.owner
    }

    async fn define(&self, edit: Edit) -> Result<Vec<JobView>> {
        self.transact(|transaction| {
            // Everything is tried on a copy first: an edit is done whole or not at all.
            let mut trial = transaction.book.clone();
            Transaction::new(&mut trial, transaction.now, transaction.owner).edit(&mut (), &edit)?;
            transaction.edit(&mut (), &edit)
        })
    }

    async fn pause(&self, jobs: Vec<JobId>, until: Option<Timestamp>, reason: Option<String>) -> Result<Vec<JobId>> {
        self.transact(|transaction| transaction.pause(&jobs, until, reason.as_deref()))
    }

    async fn resume(&self, jobs: Vec<JobId>) -> Result<Vec<JobId>> {
        self.transact(|transaction| transaction.resume(&jobs))
    }

    async fn open(&self, now: Timestamp, limits: Limits) -> Result<Open> {
        Ok(transactions::open(&mut self.inner.lock().book, now, &limits, &self.owner, &|_| false))
    }

    async fn jobs(&self) -> Result<Vec<JobView>> {
        Ok(transactions::views(&self.inner.lock().book))
    }

    async fn select(&self, which: Which) -> Result<Selected> {
        Ok(transactions::select(&self.inner.lock().book, &which))
    }

    async fn admit(&self, plans: Vec<Admission>, limits: Limits) -> Result<Vec<Result<Vec<Claim>, Lost>>> {
        Ok(self.transact(|transaction| plans.into_iter().map(|plan| transaction.admit(plan, &limits)).collect()))
    }

    async fn ask(&self, request: Ask) -> Result<Asked> {
        self.transact(|transaction| transaction.ask(request))
    }

    async fn claim(&self, runs: Vec<RunId>, limits: Limits) -> Result<Vec<Option<Claim>>> {
        Ok(self.transact(|transaction| runs.iter().map(|run| transaction.claim(run, &limits)).collect()))
    }

    async fn start(&self, claim: &Claim, limits: Limits) -> Result<Start> {
        Ok(self.transact(|transaction| transaction.start(claim, &limits)))
    }

    async fn spawned(&self, claim: &Claim, process: ProcessRef) -> Result<()> {
        self.transact(|transaction| transaction.spawned(claim, process));
        Ok(())
    }

    async fn finish(&self, claim: &Claim, outcome: Outcome) -> Result<Settled> {
        Ok(self.transact(|transaction| transaction.finish(claim, outcome)))
    }

    async fn cancel(&self, run: RunId) -> Result<Cancelled> {
        self.transact(|transaction| transaction.cancel(&run))
    }

    async fn recover(&self, judged: Vec<Recovery>) -> Result<Vec<Settled>> {
        Ok(self.transact(|transaction| judged.into_iter().map(|one| transaction.recover(one, |_| false)).collect()))
    }

    async fn housekeep(&self, boot: Option<String>) -> Result<Vec<String>> {
        Ok(self.transact(|transaction| transaction.housekeep(boot.as_deref())))
    }

    async fn note(&self, outages: Vec<Outage>) -> Result<()> {
        self.transact(|transaction| transaction.note(outages));
        Ok(())
    }

    async fn audit(&self, query: AuditQuery) -> Result<Audit> {
        audit::judge(&self.inner.lock().testimony(), &query, self.clock.now())
    }

    async fn explain(&self, job: JobId, instant: Timestamp) -> Result<Explanation> {
        audit::explain(&self.inner.lock().testimony(), &job, instant, self.clock.now())
    }

    async fn ledger(&self, query: LedgerQuery) -> Result<Vec<LedgerEntry>> {
        let inner = self.inner.lock();
        let mut wanted: Vec<LedgerEntry> = inner.ledger.iter().filter(|entry| query.wants(entry)).cloned().collect();
        if let Some(last) = query.last {
            wanted.drain(..wanted.len().saturating_sub(last));
        }
        Ok(wanted)
    }

    async fn problems(&self) -> Result<Vec<Problem>> {
        Ok(Vec::new())
    }

    fn subscribe(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }
}
