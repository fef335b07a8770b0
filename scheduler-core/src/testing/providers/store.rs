//! A store with trouble on order: somebody else who is always faster, or a disk that refuses. And with notes on whom that hit.

use async_trait::async_trait;
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::{Mutex as AsyncMutex, watch};

use crate::{
    Error, ErrorKind, JobId, JobStore, OccurrenceKind, Outcome, OwnerId, ProcessRef, Result, RunId, RunResult,
    audit::{Audit, AuditQuery, Explanation, Outage},
    store::{
        Admission, Ask, Asked, Cancelled, Claim, Edit, JobView, LedgerEntry, LedgerQuery, Limits, Lost, MemoryStore,
        Open, Problem, Recovery, Selected, Settled, Start, Which,
    },
};

/// What is wrong with the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    Nothing,
    /// Whatever is asked for, somebody else has had it a moment before.
    Rival,
    /// Nothing can be written, and of the jobs nothing can be read.
    Failing,
}

/// What was asked of the store for a job, and what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Somebody else was faster.
    Lost,
    /// The store failed.
    Refused,
    /// It was an event, whatever came of it.
    Event,
}

pub(super) struct TroubledStore {
    inner: MemoryStore,
    trouble: Mutex<Trouble>,
    fates: Mutex<Vec<(JobId, Fate)>>,
    /// Held while the rival takes what it wants, so that nobody sees it half done: it is no process of its own.
    whole: AsyncMutex<()>,
}

impl TroubledStore {
    pub(super) fn new(inner: MemoryStore) -> Self {
        Self { inner, trouble: Mutex::new(Trouble::Nothing), fates: Mutex::default(), whole: AsyncMutex::default() }
    }

    pub(super) fn set(&self, trouble: Trouble) {
        *self.trouble.lock() = trouble;
    }

    /// How often this came of something that was asked for `job`.
    pub(super) fn count(&self, job: &str, fate: Fate) -> usize {
        self.fates.lock().iter().filter(|(of, was)| of.as_str() == job && *was == fate).count()
    }

    fn note(&self, job: &JobId, fate: Fate) {
        self.fates.lock().push((job.clone(), fate));
    }

    fn is(&self, trouble: Trouble) -> bool {
        *self.trouble.lock() == trouble
    }

    fn works(&self, what: &str) -> Result<()> {
        if self.is(Trouble::Failing) {
            return Err(Error::new(
                ErrorKind::Io,
                format!("cannot {what}: the store fails, to see what becomes of it"),
            ));
        }
        Ok(())
    }

    /// The rival's run, from its claim to its end.
    async fn settle(&self, claim: &Claim, limits: &Limits) -> Result<()> {
        self.inner.start(claim, limits.clone()).await?;
        self.inner.finish(claim, Outcome::new(RunResult::Succeeded)).await.map(drop)
    }
}

#[async_trait]
impl JobStore for TroubledStore {
    fn owner(&self) -> &OwnerId {
        self.inner.owner()
    }

    async fn define(&self, edit: Edit) -> Result<Vec<JobView>> {
        self.inner.define(edit).await
    }

    async fn pause(&self, jobs: Vec<JobId>, until: Option<Timestamp>, reason: Option<String>) -> Result<Vec<JobId>> {
        self.inner.pause(jobs, until, reason).await
    }

    async fn resume(&self, jobs: Vec<JobId>) -> Result<Vec<JobId>> {
        self.inner.resume(jobs).await
    }

    async fn open(&self, now: Timestamp, limits: Limits) -> Result<Open> {
        let _whole = self.whole.lock().await;
        self.inner.open(now, limits).await
    }

    async fn jobs(&self) -> Result<Vec<JobView>> {
        self.works("read the jobs")?;
        self.inner.jobs().await
    }

    async fn select(&self, which: Which) -> Result<Selected> {
        if let Which::Job(job) = &which {
            self.works("read the jobs").inspect_err(|_| self.note(job, Fate::Refused))?;
        }
        self.inner.select(which).await
    }

    async fn admit(&self, plans: Vec<Admission>, limits: Limits) -> Result<Vec<Result<Vec<Claim>, Lost>>> {
        let refused = |_: &Error| plans.iter().for_each(|plan| self.note(&plan.job, Fate::Refused));
        self.works("write the journal").inspect_err(refused)?;
        let jobs: Vec<JobId> = plans.iter().map(|plan| plan.job.clone()).collect();
        let _whole = self.whole.lock().await;
        if self.is(Trouble::Rival) {
            for claim in self.inner.admit(plans.clone(), limits.clone()).await?.into_iter().flatten().flatten() {
                self.settle(&claim, &limits).await?;
            }
        }
        let answers = self.inner.admit(plans, limits).await?;
        let lost = jobs.iter().zip(&answers).filter(|(_, answer)| answer.is_err());
        lost.for_each(|(job, _)| self.note(job, Fate::Lost));
        Ok(answers)
    }

    async fn ask(&self, request: Ask) -> Result<Asked> {
        if request.kind == OccurrenceKind::External {
            self.note(&request.job, Fate::Event);
        }
        self.works("write the journal")?;
        let _whole = self.whole.lock().await;
        if self.is(Trouble::Rival) {
            if let Asked::Queued(run) = self.inner.ask(request.clone()).await? {
                let limits = Limits::default();
                for claim in self.inner.claim(vec![run], limits.clone()).await?.into_iter().flatten() {
                    self.settle(&claim, &limits).await?;
                }
            }
            self.note(&request.job, Fate::Lost);
        }
        self.inner.ask(request).await
    }

    async fn claim(&self, runs: Vec<RunId>, limits: Limits) -> Result<Vec<Option<Claim>>> {
        self.works("write the journal")?;
        self.inner.claim(runs, limits).await
    }

    async fn start(&self, claim: &Claim, limits: Limits) -> Result<Start> {
        self.inner.start(claim, limits).await
    }

    async fn spawned(&self, claim: &Claim, process: ProcessRef) -> Result<()> {
        self.inner.spawned(claim, process).await
    }

    async fn finish(&self, claim: &Claim, outcome: Outcome) -> Result<Settled> {
        self.inner.finish(claim, outcome).await
    }

    async fn cancel(&self, run: RunId) -> Result<Cancelled> {
        self.inner.cancel(run).await
    }

    async fn recover(&self, judged: Vec<Recovery>) -> Result<Vec<Settled>> {
        self.inner.recover(judged).await
    }

    async fn housekeep(&self, boot: Option<String>) -> Result<Vec<String>> {
        self.inner.housekeep(boot).await
    }

    async fn note(&self, outages: Vec<Outage>) -> Result<()> {
        self.inner.note(outages).await
    }

    async fn audit(&self, query: AuditQuery) -> Result<Audit> {
        self.inner.audit(query).await
    }

    async fn explain(&self, job: JobId, instant: Timestamp) -> Result<Explanation> {
        self.inner.explain(job, instant).await
    }

    async fn ledger(&self, query: LedgerQuery) -> Result<Vec<LedgerEntry>> {
        self.inner.ledger(query).await
    }

    async fn problems(&self) -> Result<Vec<Problem>> {
        self.inner.problems().await
    }

    fn subscribe(&self) -> watch::Receiver<u64> {
        self.inner.subscribe()
    }

    async fn close(&self) -> Result<()> {
        self.inner.close().await
    }
}
