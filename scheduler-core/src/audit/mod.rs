//! Every occurrence accounted for: what the schedules owed, against what is on record.
//!
//! | file | holds |
//! |---|---|
//! | `outage` | times at which nobody could fire: the causes |
//! | `life` | what each job owed at any time, by the definition then in force |
//! | `record` | an entry of the history, read no further than it must be |
//! | `tally` | one job's instants against its entries |
//! | `judge` | all of them: [`Audit`] |
//! | `explain` | one instant of one job, with the evidence: [`Explanation`] |
//!
//! Pure: a store tells what it has on record (`Testimony`), and the time is handed in. Nothing is kept of an instant that is
//! accounted for, so a month of occurrences needs no more memory than a day of them.

mod explain;
mod judge;
mod life;
mod outage;
mod record;
mod tally;

use std::{collections::BTreeMap, fmt, ops::ControlFlow, sync::Arc};

use jiff::Timestamp;

pub(crate) use self::{explain::explain, judge::judge, life::Lives};
pub use self::{
    explain::{Explanation, InForce, NotOwed, Why},
    outage::{Outage, OutageCause},
};
use crate::{
    JobId, Result, RunResult,
    occurrence::SkipReason,
    store::{LedgerEntry, book::Book},
};

/// Which part of the past is to be accounted for.
///
/// ```
/// use scheduler_core::audit::AuditQuery;
/// let of_one = AuditQuery { job: Some("backup".parse()?), ..AuditQuery::default() };
/// assert!(of_one.since.is_none(), "as far back as there is a record");
/// # Ok::<(), scheduler_core::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct AuditQuery {
    /// Only this job.
    pub job: Option<JobId>,
    /// Only instants from then on; by default all that are on record.
    pub since: Option<Timestamp>,
    /// Outages that the store can't know of: the one that goes on, say.
    pub outages: Vec<Outage>,
    /// Is told how many bytes of how many have been read.
    pub progress: Option<Arc<dyn Fn(u64, u64) + Send + Sync>>,
}

impl fmt::Debug for AuditQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditQuery").field("job", &self.job).field("since", &self.since).finish_non_exhaustive()
    }
}

/// What became of everything that was owed. [`JobStore::audit`](crate::JobStore::audit) makes it.
///
/// ```
/// use scheduler_core::{JobStore, audit::AuditQuery, store::{Edit, MemoryStore}};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> scheduler_core::Result<()> {
/// let store = MemoryStore::default();
/// store.define(Edit::Add(vec![serde_json::json!({"id": "a", "schedule": "@daily", "payload": 1})])).await?;
/// let audit = store.audit(AuditQuery::default()).await?;
/// assert!(audit.is_complete() && audit.jobs.len() == 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Audit {
    /// The first instant that was looked at.
    pub since: Timestamp,
    /// The last.
    pub until: Timestamp,
    /// Set if more was asked for: the history before this has been pruned.
    pub pruned_before: Option<Timestamp>,
    /// Job by job, removed ones included.
    pub jobs: Vec<JobAudit>,
    /// The outages within that time, and what each cost.
    pub outages: Vec<OutageCost>,
    /// Entries of the history that can't be read.
    pub unreadable: u64,
    /// Entries of jobs whose definition is nowhere on record.
    pub unknown_jobs: u64,
}

impl Audit {
    /// Whether every occurrence is accounted for, each once.
    pub fn is_complete(&self) -> bool {
        self.unreadable == 0 && self.jobs.iter().all(JobAudit::is_complete)
    }
}

/// What became of everything that one job owed.
///
/// ```
/// use scheduler_core::audit::{End, JobAudit};
/// let mut job = JobAudit::new("backup".parse()?);
/// assert!(job.is_complete());
/// job.owed = 1;
/// *job.ends.entry(End::Open).or_default() += 1;
/// assert_eq!(job.count(|end| end == End::Open), 1);
/// # Ok::<(), scheduler_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct JobAudit {
    /// Which.
    pub job: JobId,
    /// How many instants of its schedule came.
    pub owed: u64,
    /// How they ended.
    pub ends: BTreeMap<End, u64>,
    /// How many of those that ran were late.
    pub late: u64,
    /// How many attempts were followed by another.
    pub retried: u64,
    /// How many runs no schedule asked for: by hand, by an event, by a start of the machine.
    pub asked: u64,
    /// The first of those that wait to be settled, if some do: the cursor stands there.
    pub waiting_since: Option<Timestamp>,
    /// Stretches of instants of which nothing is on record.
    pub missing: Vec<Missing>,
    /// Instants that are on record more than once.
    pub twice: Vec<Timestamp>,
    /// Instants on record that its schedule did not have then.
    pub stray: Vec<Timestamp>,
    /// Why some of its time can't be judged: a definition that this build can't read.
    pub unjudged: Option<String>,
}

impl JobAudit {
    /// Nothing so far.
    pub fn new(job: JobId) -> Self {
        Self {
            job,
            owed: 0,
            ends: BTreeMap::new(),
            late: 0,
            retried: 0,
            asked: 0,
            waiting_since: None,
            missing: Vec::new(),
            twice: Vec::new(),
            stray: Vec::new(),
            unjudged: None,
        }
    }

    /// Whether each of its instants is accounted for, once.
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.twice.is_empty() && self.stray.is_empty() && self.unjudged.is_none()
    }

    /// How many instants ended in a way that `wanted` says yes to.
    pub fn count(&self, wanted: impl Fn(End) -> bool) -> u64 {
        self.ends.iter().filter(|(end, _)| wanted(**end)).map(|(_, count)| count).sum()
    }
}

/// How an instant ended, or where it stands.
///
/// ```
/// use scheduler_core::{RunResult, audit::End, occurrence::SkipReason};
/// assert_eq!(End::Ran(RunResult::TimedOut).word(), "timed_out");
/// assert_eq!(End::Skipped(SkipReason::Overlap).word(), "overlap");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum End {
    /// It ran.
    Ran(RunResult),
    /// It never did, for this reason.
    Skipped(SkipReason),
    /// It is queued, or runs.
    Open,
    /// It is due, and nobody has settled it yet.
    Waiting,
}

impl End {
    /// The end in one word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ran(result) => result.word(),
            Self::Skipped(reason) => reason.word(),
            Self::Open => "open",
            Self::Waiting => "waiting",
        }
    }
}

/// Instants of which nothing is on record.
///
/// ```
/// use jiff::Timestamp;
/// use scheduler_core::audit::Missing;
/// let one = Missing { from: Timestamp::UNIX_EPOCH, to: Timestamp::UNIX_EPOCH, count: 1 };
/// assert_eq!(one.from, one.to);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing {
    /// The first.
    pub from: Timestamp,
    /// The last.
    pub to: Timestamp,
    /// How many there are.
    pub count: u64,
}

/// An outage, and what became of the instants that came meanwhile.
///
/// ```
/// use jiff::Timestamp;
/// use scheduler_core::audit::{Outage, OutageCause, OutageCost};
/// let outage = Outage::new(OutageCause::Stopped, Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
/// let cost = OutageCost::new(outage);
/// assert_eq!((cost.skipped, cost.late, cost.waiting), (0, 0, 0));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutageCost {
    /// The outage.
    pub outage: Outage,
    /// How many instants were coalesced or skipped.
    pub skipped: u64,
    /// How many ran late.
    pub late: u64,
    /// How many nobody has settled yet.
    pub waiting: u64,
}

impl OutageCost {
    /// One that has cost nothing so far.
    pub fn new(outage: Outage) -> Self {
        Self { outage, skipped: 0, late: 0, waiting: 0 }
    }
}

/// What a store has on record.
pub(crate) trait Testimony {
    /// What was owed when.
    fn lives(&self) -> &Lives;

    /// What stands now.
    fn book(&self) -> &Book;

    /// From when on the history is whole.
    fn kept_since(&self) -> Option<Timestamp>;

    /// Hands the entries that were written at `since` or later to `take`, oldest first; of `only` alone, if that is given. Those
    /// of others may be among them, and a few older ones.
    ///
    /// # Errors
    /// Why the history can't be read.
    fn entries(
        &self,
        since: Timestamp,
        only: Option<&JobId>,
        progress: &dyn Fn(u64, u64),
        take: &mut dyn FnMut(Told<'_>) -> ControlFlow<()>,
    ) -> Result<()>;
}

/// An entry as a store has it.
pub(crate) enum Told<'a> {
    /// In a file.
    Line(&'a [u8]),
    /// In memory.
    Entry(&'a LedgerEntry),
}

#[cfg(test)]
mod tests;
