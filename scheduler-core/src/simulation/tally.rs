//! What became of each job: [`Report`].

use std::{collections::HashMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};

use super::{Load, Scenario};
use crate::{
    Job, JobId, RunResult,
    occurrence::{Closing, SkipReason},
    plan::Gap,
    store::{LedgerEntry, LedgerWhat},
};

/// What a simulation has come to.
///
/// ```
/// use scheduler_core::{JobStore, simulation::{Scenario, Simulation}, store::{Edit, MemoryStore}};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MemoryStore::default();
/// store.define(Edit::Add(vec![serde_json::json!({"id": "a", "schedule": "@hourly", "payload": 1})])).await?;
/// let (from, to) = ("2026-11-22T00:00:00Z".parse()?, "2026-11-23T00:00:00Z".parse()?);
/// let mut simulation = Simulation::new(Scenario::new(store.jobs().await?, from, to));
/// while simulation.step().is_some() {}
/// let report = simulation.report();
/// assert_eq!((report.jobs[0].fires, report.jobs[0].max_open, report.full_at), (24, 1, None));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// One for each job that is valid, in the order of the scenario.
    pub jobs: Vec<Tally>,
    /// All of them together.
    pub load: Load,
    /// When first something had to wait because as many runs were open as may be at once.
    pub full_at: Option<Timestamp>,
}

/// What became of the instants of one job.
///
/// ```
/// use scheduler_core::{occurrence::SkipReason, simulation::Tally};
/// let tally = Tally::new("a".parse()?);
/// assert_eq!((tally.instants(), tally.skipped(SkipReason::Overlap)), (0, 0));
/// # Ok::<(), scheduler_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// Which job.
    pub job: JobId,
    /// Runs that started, retries too.
    pub fires: u64,
    /// Of these, those whose instant was late.
    pub late: u64,
    /// Of these, retries.
    pub retries: u64,
    /// Instants that did not run, by the reason.
    pub skips: Vec<(SkipReason, u64)>,
    /// Records of many instants at once.
    pub gaps: u64,
    /// Runs that were cancelled for a newer one.
    pub replaced: u64,
    /// Runs that took longer than they may.
    pub timed_out: u64,
    /// Runs that died with the daemon.
    pub killed: u64,
    /// Runs that had to wait for a place.
    pub waited: u64,
    /// The longest that one of them waited.
    pub longest_wait: SignedDuration,
    /// The most runs of it that were open at once.
    pub max_open: u32,
    /// Runs that were open at the end.
    pub open: u32,
    /// Occurrences that waited at the end.
    pub waiting: u64,
}

impl Tally {
    /// Of a job to which nothing has happened.
    pub fn new(job: JobId) -> Self {
        Self {
            job,
            fires: 0,
            late: 0,
            retries: 0,
            skips: Vec::new(),
            gaps: 0,
            replaced: 0,
            timed_out: 0,
            killed: 0,
            waited: 0,
            longest_wait: SignedDuration::ZERO,
            max_open: 0,
            open: 0,
            waiting: 0,
        }
    }

    /// How many instants did not run for this reason.
    pub fn skipped(&self, reason: SkipReason) -> u64 {
        self.skips.iter().find(|(known, _)| *known == reason).map_or(0, |(_, count)| *count)
    }

    /// How many instants it owed.
    pub fn instants(&self) -> u64 {
        self.fires - self.retries + self.skips.iter().map(|(_, count)| count).sum::<u64>() + self.waiting
    }

    fn skip(&mut self, reason: SkipReason, count: u64) {
        match self.skips.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, counted)) => *counted += count,
            None => self.skips.push((reason, count)),
        }
    }
}

/// The tallies while they are made.
#[derive(Debug)]
pub(super) struct Tallies {
    jobs: Vec<(Arc<Job>, Tally)>,
    index: HashMap<JobId, usize>,
}

impl Tallies {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let valid = scenario.jobs.iter().filter_map(|view| view.job.as_ref().ok());
        let jobs: Vec<(Arc<Job>, Tally)> = valid.map(|job| (Arc::clone(job), Tally::new(job.id.clone()))).collect();
        let index = jobs.iter().enumerate().map(|(index, (job, _))| (job.id.clone(), index)).collect();
        Self { jobs, index }
    }

    pub(super) fn of(&mut self, job: &JobId) -> Option<&mut Tally> {
        self.index.get(job).map(|index| &mut self.jobs[*index].1)
    }

    /// Counts what the history would keep.
    pub(super) fn enter(&mut self, entry: &LedgerEntry) {
        let Some((job, tally)) = self.index.get(&entry.job).map(|index| &mut self.jobs[*index]) else { return };
        match &entry.what {
            LedgerWhat::Gap(gap) => {
                tally.gaps += 1;
                tally.skip(gap.reason, instants(job, gap));
            }
            LedgerWhat::Occurrence { end: Closing::Skipped(reason), .. } => tally.skip(*reason, 1),
            LedgerWhat::Occurrence { end: Closing::Ran(outcome), .. } => match outcome.result {
                RunResult::TimedOut => tally.timed_out += 1,
                RunResult::Cancelled => tally.replaced += 1,
                // What was killed was counted when it was.
                RunResult::Succeeded | RunResult::Failed | RunResult::Unknown => {}
            },
            // Its last attempt has been counted.
            LedgerWhat::Occurrence { end: Closing::GaveUp { .. } | Closing::Cancelled, .. } => {}
        }
    }

    pub(super) fn into_all(self) -> Vec<Tally> {
        self.jobs.into_iter().map(|(_, tally)| tally).collect()
    }
}

/// How many instants of `job` a gap stands for.
fn instants(job: &Job, gap: &Gap) -> u64 {
    let after = job.next_after(gap.from).filter(|at| *at <= gap.to);
    1 + std::iter::successors(after, |at| job.next_after(*at).filter(|at| *at <= gap.to)).count() as u64
}
