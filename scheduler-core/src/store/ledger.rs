//! The history: one entry for each attempt that is over, or for a range of instants without one.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    JobId, OccurrenceId, Outcome, RunId,
    occurrence::{Cause, Closing, Occurrence, State},
    plan::Gap,
};

/// What became of one occurrence, or of a range of instants.
///
/// ```
/// use std::sync::Arc;
/// use scheduler_core::{Engine, JobStore, OccurrenceKind, store::{Ask, Edit, LedgerQuery, MemoryStore}};
/// # use scheduler_core::{Job, JobRunner, Outcome, Result, RunContext, RunResult};
/// # struct MyRunner;
/// # #[async_trait::async_trait]
/// # impl JobRunner for MyRunner {
/// #     fn validate(&self, _: &Job) -> Result<()> { Ok(()) }
/// #     async fn run(&self, _: RunContext) -> Outcome { Outcome::new(RunResult::Succeeded) }
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let store = Arc::new(MemoryStore::default());
/// store.define(Edit::Add(vec![serde_json::json!({"id": "a", "schedule": "@manually", "payload": 1})])).await?;
/// store.ask(Ask { job: "a".parse()?, kind: OccurrenceKind::Manual, key: "1".into(), force: false }).await?;
/// Engine::builder(store.clone(), Arc::new(MyRunner)).build().run_once().await?;
/// let entry = store.ledger(LedgerQuery::default()).await?.remove(0);
/// assert!(entry.run().is_some() && entry.started_at().is_some() && entry.took().is_some() && entry.retry_at().is_none());
/// assert!(entry.outcome().is_some_and(|outcome| outcome.result == RunResult::Succeeded));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// Which job.
    pub job: JobId,
    /// When it was written down.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub what: LedgerWhat,
}

/// What a [`LedgerEntry`] tells.
///
/// ```
/// use jiff::Timestamp;
/// use scheduler_core::{occurrence::SkipReason, plan::Gap, store::LedgerWhat};
/// let gap = Gap { reason: SkipReason::Paused, from: Timestamp::UNIX_EPOCH, to: Timestamp::UNIX_EPOCH };
/// assert!(matches!(LedgerWhat::Gap(gap), LedgerWhat::Gap(gap) if gap.reason == SkipReason::Paused));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "nearly all entries are of the large one")]
pub enum LedgerWhat {
    /// One attempt at an occurrence and its end. The one without `retry_at` is the end of the occurrence.
    Occurrence {
        /// Which one.
        id: OccurrenceId,
        /// The attempt.
        run: RunId,
        /// When it was owed.
        owed_at: Timestamp,
        /// Why it existed.
        cause: Cause,
        /// Which attempt this was.
        attempt: u32,
        /// When it was started, if it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        started_at: Option<Timestamp>,
        /// Its end.
        end: Closing,
        /// Set if this was not its last attempt: the next one starts then, or later.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_at: Option<Timestamp>,
    },
    /// A range of instants.
    Gap(Gap),
}

/// Which part of the history.
///
/// ```
/// use scheduler_core::store::LedgerQuery;
/// let last_ten = LedgerQuery { job: Some("backup".parse()?), last: Some(10), ..LedgerQuery::default() };
/// assert_eq!(last_ten.since, None);
/// # Ok::<(), scheduler_core::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct LedgerQuery {
    /// Only this job's.
    pub job: Option<JobId>,
    /// Only what was written at or after this.
    pub since: Option<Timestamp>,
    /// Only what became of this attempt.
    pub run: Option<RunId>,
    /// Only what ended with one of these [words](LedgerEntry::word); none is all.
    pub ends: Vec<&'static str>,
    /// Only the newest so many; `None` is all.
    pub last: Option<usize>,
}

impl LedgerEntry {
    pub(crate) fn gap(job: JobId, at: Timestamp, gap: Gap) -> Self {
        Self { job, at, what: LedgerWhat::Gap(gap) }
    }

    /// The entry of an occurrence that is over.
    pub(crate) fn closed(occurrence: &Occurrence, at: Timestamp) -> Self {
        let end = match &occurrence.state {
            State::Closed(end) => end.clone(),
            _ => unreachable!("only a closed occurrence is entered"),
        };
        let what = LedgerWhat::Occurrence {
            id: occurrence.id.clone(),
            run: occurrence.run.clone(),
            owed_at: occurrence.at,
            cause: occurrence.cause,
            attempt: occurrence.attempt,
            started_at: occurrence.started_at,
            end,
            retry_at: None,
        };
        Self { job: occurrence.id.job.clone(), at, what }
    }

    /// The entry of an attempt that is over while its occurrence goes on with another.
    pub(crate) fn attempt(occurrence: &Occurrence, outcome: Outcome, at: Timestamp, retry_at: Timestamp) -> Self {
        let what = LedgerWhat::Occurrence {
            id: occurrence.id.clone(),
            run: occurrence.run.clone(),
            owed_at: occurrence.at,
            cause: occurrence.cause,
            attempt: occurrence.attempt,
            started_at: occurrence.started_at,
            end: Closing::Ran(outcome),
            retry_at: Some(retry_at),
        };
        Self { job: occurrence.id.job.clone(), at, what }
    }

    /// The outcome, if this was a run: of a retry that was never made, that of the attempt before.
    pub fn outcome(&self) -> Option<&Outcome> {
        match &self.what {
            LedgerWhat::Occurrence { end: Closing::Ran(outcome), .. } => Some(outcome),
            LedgerWhat::Occurrence { end: Closing::GaveUp { last, .. }, .. } => Some(&last.outcome),
            _ => None,
        }
    }

    /// When the next attempt at the same occurrence may start; `None` if there is none, and this is its end.
    pub fn retry_at(&self) -> Option<Timestamp> {
        match &self.what {
            LedgerWhat::Occurrence { retry_at, .. } => *retry_at,
            LedgerWhat::Gap(_) => None,
        }
    }

    /// When it was started, if it was.
    pub fn started_at(&self) -> Option<Timestamp> {
        match &self.what {
            LedgerWhat::Occurrence { started_at, .. } => *started_at,
            LedgerWhat::Gap(_) => None,
        }
    }

    /// How long it ran, if it did and was seen to end: by a clock that nobody sets, where the wall's was set meanwhile.
    pub fn took(&self) -> Option<SignedDuration> {
        let started = self.started_at()?;
        let by_itself = match &self.what {
            LedgerWhat::Occurrence { end: Closing::Ran(outcome), .. } => outcome.took_ms,
            _ => None,
        };
        let by_itself = by_itself.and_then(|took| i64::try_from(took).ok()).map(SignedDuration::from_millis);
        Some(by_itself.unwrap_or_else(|| self.at.duration_since(started)).max(SignedDuration::ZERO))
    }

    /// How it ended, in one word.
    ///
    /// ```
    /// use scheduler_core::{occurrence::SkipReason, plan::Gap, store::{LedgerEntry, LedgerWhat}};
    /// # let at = jiff::Timestamp::UNIX_EPOCH;
    /// let gap = Gap { reason: SkipReason::Coalesced, from: at, to: at };
    /// let entry = LedgerEntry { job: "a".parse()?, at, what: LedgerWhat::Gap(gap) };
    /// assert_eq!(entry.word(), "coalesced");
    /// # Ok::<(), scheduler_core::Error>(())
    /// ```
    pub fn word(&self) -> &'static str {
        match &self.what {
            LedgerWhat::Gap(gap) => Closing::Skipped(gap.reason).word(),
            LedgerWhat::Occurrence { end, .. } => end.word(),
        }
    }

    /// The run, if this was one occurrence.
    pub fn run(&self) -> Option<&RunId> {
        match &self.what {
            LedgerWhat::Occurrence { run, .. } => Some(run),
            LedgerWhat::Gap(_) => None,
        }
    }
}

impl LedgerQuery {
    /// Whether `entry` is asked for, its place among the newest apart.
    pub(crate) fn wants(&self, entry: &LedgerEntry) -> bool {
        self.job.as_ref().is_none_or(|job| *job == entry.job)
            && self.since.is_none_or(|since| entry.at >= since)
            && self.run.as_ref().is_none_or(|run| entry.run() == Some(run))
            && (self.ends.is_empty() || self.ends.contains(&entry.word()))
    }
}
