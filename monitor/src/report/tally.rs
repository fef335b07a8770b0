//! Runs and what didn't run, counted: from the history and the audit to numbers.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use scheduler_core::{
    JobId, RunResult,
    audit::{Audit, End, JobAudit},
    occurrence::{Closing, SkipReason},
    store::{LedgerEntry, LedgerWhat},
};

use super::Counts;

/// What one job went through.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) counts: Counts,
    /// Its longest run: when it started, and for how many milliseconds.
    pub(super) longest: Option<(Timestamp, u64)>,
}

/// Job by job. Runs are those of the history; what never ran is the audit's, which counts every instant of a stretch. Without
/// an audit a stretch counts as one.
pub(super) fn of(entries: &[LedgerEntry], audit: Option<&Audit>) -> BTreeMap<JobId, Tally> {
    let mut jobs: BTreeMap<JobId, Tally> = BTreeMap::new();
    for entry in entries {
        let tally = jobs.entry(entry.job.clone()).or_default();
        match &entry.what {
            LedgerWhat::Occurrence { started_at, end, retry_at, .. } => match end {
                Closing::Ran(outcome) => {
                    if let (Some(started), Some(took)) = (started_at, entry.took()) {
                        tally.took(*started, took);
                    }
                    if retry_at.is_some() {
                        tally.counts.retried += 1;
                    } else {
                        tally.ended(outcome.result);
                    }
                }
                // Its last attempt is an entry of its own, counted as one that was to be followed by another.
                Closing::GaveUp { last, .. } => {
                    tally.counts.retried = tally.counts.retried.saturating_sub(1);
                    tally.ended(last.outcome.result);
                }
                Closing::Skipped(reason) if audit.is_none() => tally.skipped(*reason),
                Closing::Cancelled | Closing::Skipped(_) => {}
            },
            LedgerWhat::Gap(gap) if audit.is_none() => tally.skipped(gap.reason),
            LedgerWhat::Gap(_) => {}
        }
    }
    for judged in audit.iter().flat_map(|audit| &audit.jobs) {
        let counts = &mut jobs.entry(judged.job.clone()).or_default().counts;
        counts.coalesced = judged.count(|end| end == End::Skipped(SkipReason::Coalesced));
        counts.skipped = judged.count(|end| matches!(end, End::Skipped(reason) if reason != SkipReason::Coalesced));
        counts.missing = missing(judged);
    }
    jobs
}

/// How many of its instants nothing is on record of.
pub(super) fn missing(job: &JobAudit) -> u64 {
    job.missing.iter().map(|missing| missing.count).sum()
}

/// All jobs together.
pub(super) fn sum<'t>(all: impl Iterator<Item = &'t Tally>) -> Counts {
    all.fold(Counts::default(), |sum, tally| {
        // Taken apart without `..`, so that none can be forgotten.
        let Counts { runs, succeeded, failed, timed_out, cancelled, unknown, retried, skipped, coalesced, missing } =
            tally.counts;
        Counts {
            runs: sum.runs + runs,
            succeeded: sum.succeeded + succeeded,
            failed: sum.failed + failed,
            timed_out: sum.timed_out + timed_out,
            cancelled: sum.cancelled + cancelled,
            unknown: sum.unknown + unknown,
            retried: sum.retried + retried,
            skipped: sum.skipped + skipped,
            coalesced: sum.coalesced + coalesced,
            missing: sum.missing + missing,
        }
    })
}

/// Which part of the runs went well.
pub(super) fn success_rate(counts: &Counts) -> Option<f64> {
    let judged = counts.runs - counts.cancelled;
    (judged > 0).then(|| counts.succeeded as f64 / judged as f64)
}

impl Tally {
    fn ended(&mut self, result: RunResult) {
        let counts = &mut self.counts;
        counts.runs += 1;
        *match result {
            RunResult::Succeeded => &mut counts.succeeded,
            RunResult::Failed => &mut counts.failed,
            RunResult::TimedOut => &mut counts.timed_out,
            RunResult::Cancelled => &mut counts.cancelled,
            RunResult::Unknown => &mut counts.unknown,
        } += 1;
    }

    fn skipped(&mut self, reason: SkipReason) {
        match reason {
            SkipReason::Coalesced => self.counts.coalesced += 1,
            _ => self.counts.skipped += 1,
        }
    }

    fn took(&mut self, started: Timestamp, took: SignedDuration) {
        let took = u64::try_from(took.as_millis()).unwrap_or(0);
        if self.longest.is_none_or(|(_, longest)| took > longest) {
            self.longest = Some((started, took));
        }
    }
}
