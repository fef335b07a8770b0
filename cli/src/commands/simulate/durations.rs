//! How long runs take: as the newest that succeeded did.

use std::{collections::BTreeMap, time::Duration};

use scheduler_core::{
    JobId, JobStore, RunResult, duration,
    store::{JobView, LedgerEntry, LedgerQuery, LedgerWhat},
};

use crate::failure::Failure;

/// How long runs of a job take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) takes: Duration,
    /// The median of so many runs; `None` if somebody said so.
    pub(super) runs: Option<usize>,
}

impl Known {
    pub(super) fn given(takes: Duration) -> Self {
        Self { takes, runs: None }
    }

    /// Where that is from, in a word.
    pub(super) fn source(self) -> &'static str {
        if self.runs.is_some() { "history" } else { "given" }
    }
}

/// A span without what nobody wants to read of it.
pub(super) fn shown(span: Duration) -> String {
    let millis = span.as_millis() as u64;
    duration::format(Duration::from_millis(if millis >= 10_000 { millis / 1000 * 1000 } else { millis }))
}

/// Of a job so many runs count.
const COUNTED: usize = 20;

/// The most entries of the history that are looked at for all jobs together.
const LOOKED_AT: usize = 100_000;

/// What the history knows of `jobs`. One look serves all of them: each look reads the journal anew. Of a job whose runs have
/// been crowded out by those of others, the last one counts.
pub(super) async fn of(store: &impl JobStore, jobs: &[JobView]) -> Result<BTreeMap<JobId, Known>, Failure> {
    let job = if let [only] = jobs { Some(only.id.clone()) } else { None };
    let last = if job.is_some() { COUNTED } else { (COUNTED * 10 * jobs.len()).min(LOOKED_AT) };
    let query =
        LedgerQuery { job, ends: vec![RunResult::Succeeded.word()], last: Some(last), ..LedgerQuery::default() };
    let entries = if jobs.is_empty() { Vec::new() } else { store.ledger(query).await? };
    let mut took: BTreeMap<&JobId, Vec<Duration>> = BTreeMap::new();
    for entry in entries.iter().rev() {
        let known = took.entry(&entry.job).or_default();
        if known.len() < COUNTED {
            known.extend(length(entry));
        }
    }
    let mut known = BTreeMap::new();
    for view in jobs {
        let last = || view.last.as_deref().filter(|entry| entry.word() == RunResult::Succeeded.word()).and_then(length);
        let runs = took.remove(&view.id).filter(|runs| !runs.is_empty()).or_else(|| Some(vec![last()?]));
        known.extend(runs.map(|runs| (view.id.clone(), median(runs))));
    }
    Ok(known)
}

fn length(entry: &LedgerEntry) -> Option<Duration> {
    let LedgerWhat::Occurrence { started_at: Some(started), .. } = &entry.what else { return None };
    Duration::try_from(entry.at.duration_since(*started)).ok()
}

fn median(mut runs: Vec<Duration>) -> Known {
    runs.sort_unstable();
    Known { takes: runs[runs.len() / 2], runs: Some(runs.len()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_run_is_not_what_a_job_takes() {
        let runs = [3, 600, 2, 4, 3].map(Duration::from_secs).to_vec();
        assert_eq!(median(runs), Known { takes: Duration::from_secs(3), runs: Some(5) });
    }

    #[test]
    fn a_span_is_shown_as_exactly_as_it_matters() {
        let check = |millis, expected: &str| assert_eq!(shown(Duration::from_millis(millis)), expected);
        check(3, "3ms");
        check(1240, "1s 240ms");
        check(90_432, "1m 30s");
    }
}
