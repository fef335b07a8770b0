//! Claims made a moment before their instant: durable before it, started at it, and undone by whatever comes between.

use std::{fs, sync::Arc, time::Duration};

use scheduler_core::{
    Clock, JobStore, RunResult,
    occurrence::State,
    store::{JobView, JsonStore, JsonStoreOptions, Which},
};
use serde_json::json;

use crate::harness::{Bench, eventually};

/// A moment before the hour, with a job that is due at it and has been claimed.
async fn claimed_a_moment_before() -> Bench {
    let bench = Bench::at("2026-03-02T09:59:59Z");
    bench.add("hourly", "0 * * * *", json!({})).await;
    bench.clock.advance(Duration::from_millis(800));
    bench.engine.context().tick().await.expect("a tick");
    bench
}

async fn the_job(bench: &Bench) -> JobView {
    let which = Which::Job("hourly".parse().expect("an id"));
    bench.store.select(which).await.expect("jobs").jobs.pop().expect("the job")
}

async fn until_nothing_is_open(bench: &Bench) {
    eventually("the engine has no open run", || (bench.engine.open_runs() == 0).then_some(())).await;
}

const HOUR: [&str; 1] = ["2026-03-02T10:00:00Z"];
const REST: Duration = Duration::from_millis(200);

#[tokio::test]
async fn a_claim_is_durable_before_its_instant_and_starts_at_it() {
    let bench = claimed_a_moment_before().await;
    let clock: Arc<dyn Clock> = Arc::clone(&bench.clock) as _;
    let other = JsonStore::open(&JsonStoreOptions::new(bench.home.clone(), clock).to_look()).expect("a reader");
    let seen = other.jobs().await.expect("jobs");
    assert!(matches!(seen[0].open[0].state, State::Claimed(_)), "others read it in the journal: {:?}", seen[0].open);
    assert!(bench.ran("hourly").is_empty(), "it is not yet time");
    bench.clock.advance(REST);
    until_nothing_is_open(&bench).await;
    assert_eq!(bench.ran("hourly"), HOUR);
    let last = the_job(&bench).await.last.expect("it ran");
    assert_eq!(last.outcome().map(|outcome| outcome.result), Some(RunResult::Succeeded));
    bench.pass().await;
    assert_eq!(bench.ran("hourly"), HOUR, "and not again");
}

#[tokio::test]
async fn what_is_further_off_is_left_alone() {
    let bench = Bench::at("2026-03-02T09:59:59.7Z");
    bench.add("hourly", "0 * * * *", json!({})).await;
    bench.engine.context().tick().await.expect("a tick");
    assert!(the_job(&bench).await.open.is_empty());
}

#[tokio::test]
async fn while_a_run_is_open_nothing_is_decided_early() {
    let bench = Bench::at("2026-03-02T08:59:59Z");
    bench.add("hourly", "0 * * * *", json!({})).await;
    bench.runner.hold("hourly");
    bench.clock.advance(Duration::from_secs(1));
    bench.engine.context().tick().await.expect("a tick");
    eventually("the run has begun", || (bench.ran("hourly").len() == 1).then_some(())).await;
    bench.clock.set("2026-03-02T09:59:59.8Z");
    bench.engine.context().tick().await.expect("a tick");
    assert_eq!(the_job(&bench).await.open.len(), 1, "it may be over at ten");
    bench.runner.release("hourly");
    until_nothing_is_open(&bench).await;
    bench.clock.advance(REST);
    bench.pass().await;
    assert_eq!(bench.ran("hourly").last().map(String::as_str), Some(HOUR[0]), "and it was");
}

#[tokio::test]
async fn a_pause_in_between_counts() {
    let bench = claimed_a_moment_before().await;
    bench.store.pause(vec!["hourly".parse().expect("an id")], None, None).await.expect("paused");
    bench.clock.advance(REST);
    until_nothing_is_open(&bench).await;
    assert!(bench.ran("hourly").is_empty());
    assert_eq!(bench.ledger().await, ["skipped 2026-03-02T10:00:00Z"]);
}

#[tokio::test]
async fn a_cancellation_in_between_counts() {
    let bench = claimed_a_moment_before().await;
    let run = the_job(&bench).await.open[0].run.clone();
    bench.store.cancel(run).await.expect("cancelled");
    bench.clock.advance(REST);
    until_nothing_is_open(&bench).await;
    assert!(bench.ran("hourly").is_empty());
}

#[tokio::test]
async fn an_edit_in_between_neither_drops_nor_doubles() {
    let bench = claimed_a_moment_before().await;
    let edited = json!({"format": 1, "jobs": [{"id": "hourly", "schedule": "*/30 * * * *", "command": ["true"]}]});
    fs::write(bench.home.jobs_json(), edited.to_string()).expect("an edit by hand");
    bench.engine.context().tick().await.expect("a tick");
    bench.clock.advance(REST);
    until_nothing_is_open(&bench).await;
    bench.pass().await;
    assert_eq!(bench.ran("hourly"), HOUR);
    bench.clock.set("2026-03-02T10:30:00Z");
    bench.pass().await;
    assert_eq!(bench.ran("hourly"), [HOUR[0], "2026-03-02T10:30:00Z"], "and from then on the new schedule");
}

#[tokio::test]
async fn a_stop_in_between_leaves_it_to_the_next_process() {
    let mut bench = claimed_a_moment_before().await;
    bench.engine.stop();
    until_nothing_is_open(&bench).await;
    assert_eq!(the_job(&bench).await.open[0].state, State::Queued);
    bench.restart().await;
    bench.clock.advance(Duration::from_secs(2));
    bench.pass().await;
    assert_eq!(bench.ran("hourly"), HOUR);
}

#[tokio::test]
async fn a_clock_set_back_in_between_waits_for_the_instant() {
    let bench = claimed_a_moment_before().await;
    bench.clock.step(jiff::SignedDuration::from_secs(-60));
    bench.clock.advance(Duration::from_secs(59));
    bench.engine.context().tick().await.expect("a tick");
    assert!(bench.ran("hourly").is_empty(), "it is 09:59:58 and a bit again");
    bench.clock.advance(Duration::from_secs(2));
    until_nothing_is_open(&bench).await;
    assert_eq!(bench.ran("hourly"), HOUR);
}
