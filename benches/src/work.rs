//! One pass and one fire, as the engine does them, without an engine: only the store's part of the work.

use jiff::Timestamp;
use scheduler_core::{
    JobId, JobStore, OccurrenceKind, Outcome, RunResult,
    plan::plan,
    store::{Admission, Ask, Asked, Claim, DueJob, Groups, Limits, Settled, Start},
};

/// Limits that stop nothing.
pub const WIDE: Limits = Limits { max_parallel: 1_000_000, catch_up: 1_000_000, groups: Groups::NONE };

/// Looks at what is due at `now`, and plans it.
///
/// # Panics
/// If the store can't be read.
pub async fn plans(store: &dyn JobStore, now: Timestamp) -> Vec<Admission> {
    let admission = |due: DueJob| {
        let DueJob { job, incarnation, revision, cursor } = due;
        let plan = plan(&job, &cursor, now)?;
        Some(Admission { job: job.id.clone(), incarnation, revision, expected: cursor.next_at, plan })
    };
    let open = store.open(now, WIDE).await.expect("the store can be read");
    open.due.into_iter().filter_map(admission).collect()
}

/// Starts claims and ends them, with no process in between.
///
/// # Panics
/// If a claim is lost, or nothing can be written.
pub async fn carry_out(store: &dyn JobStore, claims: &[Claim]) {
    for claim in claims {
        let start = store.start(claim, WIDE).await.expect("the start can be written");
        assert!(matches!(start, Start::Go(_)), "the claim was lost: {start:?}");
        let settled = store.finish(claim, Outcome::new(RunResult::Succeeded)).await.expect("the end can be written");
        assert_ne!(settled, Settled::Lost, "the claim was lost before its end");
    }
}

/// Fires one job by hand: asks, claims, starts, finishes.
///
/// # Panics
/// If any of it is refused.
pub async fn fire(store: &dyn JobStore, job: &JobId, key: String) {
    let ask = Ask { job: job.clone(), kind: OccurrenceKind::Manual, key, force: false };
    let asked = store.ask(ask).await.expect("the job can be asked for");
    let Asked::Queued(run) = asked else { panic!("a new event is queued, not {asked:?}") };
    let claim = store.claim(vec![run], WIDE).await.expect("it can be claimed").pop().flatten();
    carry_out(store, &[claim.expect("nobody else claims it")]).await;
}
