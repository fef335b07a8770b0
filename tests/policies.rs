//! The policies of a job, under the engine: a clock set by hand, the real store, and whoever is told.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use scheduler_core::{
    Alert, AlertState, Clock, Engine, JobStore, Notifier, Result,
    occurrence::State,
    provider::{CronScheduler, Liveness, SchedulerContext, Ticker},
    store::{LedgerQuery, LedgerWhat, Which},
};
use serde_json::{Value, json};

use crate::harness::{Bench, eventually};

/// Takes notes of what it is told.
#[derive(Default)]
struct Told(Mutex<Vec<String>>);

#[async_trait]
impl Notifier for Told {
    async fn notify(&self, alert: &Alert) -> Result<()> {
        let word = if alert.state == AlertState::Open { "open" } else { "closed" };
        self.0.lock().expect("no panic").push(format!("{word}: {}", alert.title));
        Ok(())
    }
}

impl Told {
    fn all(&self) -> Vec<String> {
        self.0.lock().expect("no panic").clone()
    }
}

/// A bench at ten, with a job named `job`, and what is told of it.
async fn bench(schedule: &str, more: Value) -> (Bench, Arc<Told>) {
    let mut bench = Bench::at("2026-03-02T10:00:00Z");
    let told = Arc::new(Told::default());
    let clock: Arc<dyn Clock> = Arc::clone(&bench.clock) as _;
    let builder = Engine::builder(Arc::clone(&bench.store) as _, Arc::clone(&bench.runner) as _);
    bench.engine = builder.clock(clock).pulse(bench.pulse.clone()).notifier(Arc::clone(&told) as _).build();
    bench.add("job", schedule, more).await;
    (bench, told)
}

/// The attempts of the history in short: `1 failed`, `2 succeeded`.
async fn attempts(bench: &Bench) -> Vec<String> {
    let entries = bench.store.ledger(LedgerQuery::default()).await.expect("ledger");
    let short = entries.into_iter().filter_map(|entry| match entry.what {
        LedgerWhat::Occurrence { attempt, end, .. } => Some(format!("{attempt} {}", end.word())),
        LedgerWhat::Gap(_) => None,
    });
    short.collect()
}

/// Armed something that will never come, and never ticks.
pub(crate) struct Outside;

#[async_trait]
impl CronScheduler for Outside {
    fn name(&self) -> &'static str {
        "outside"
    }

    fn liveness(&self) -> Liveness {
        Liveness::External
    }

    async fn start(&self, _: SchedulerContext) -> Result<()> {
        Ok(())
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn only_the_last_attempt_is_told_of() {
    let (bench, told) = bench("0 * * * *", json!({"retries": {"max": 2, "backoff": "10s"}})).await;
    bench.runner.fail("job", true);
    bench.clock.advance(Duration::from_hours(1));
    bench.pass().await;
    bench.live(10, SECOND).await;
    assert_eq!((attempts(&bench).await, told.all().len()), (vec!["1 failed".into(), "2 failed".into()], 0));
    bench.live(20, SECOND).await;
    assert_eq!(attempts(&bench).await, ["1 failed", "2 failed", "3 failed"]);
    assert_eq!(told.all(), ["open: job `job` failed"]);
    bench.clock.set("2026-03-02T12:00:00Z");
    bench.pass().await;
    bench.runner.fail("job", false);
    bench.live(10, SECOND).await;
    assert_eq!(attempts(&bench).await[3..], ["1 failed", "2 succeeded"]);
    assert_eq!(told.all()[1..], ["closed: job `job` succeeded again"]);
    assert_eq!(bench.runner.ran().len(), 5);
}

#[tokio::test]
async fn a_job_whose_every_retry_is_overtaken_does_not_fail_in_silence() {
    let (bench, told) = bench("* * * * *", json!({"retries": {"max": 5, "backoff": "5m"}})).await;
    bench.runner.fail("job", true);
    bench.live(3, Duration::from_mins(1)).await;
    assert_eq!(attempts(&bench).await, ["1 failed", "2 failed", "1 failed", "2 failed", "1 failed"]);
    assert_eq!(bench.runner.ran().len(), 3, "the second attempts were never made");
    assert_eq!(told.all(), ["open: job `job` failed", "open: job `job` failed"]);
}

#[tokio::test]
async fn a_retry_outlives_the_process_that_made_it() {
    let (mut bench, _) = bench("0 * * * *", json!({"retries": {"max": 1, "backoff": "10s"}})).await;
    bench.runner.fail("job", true);
    bench.clock.advance(Duration::from_hours(1));
    bench.pass().await;
    bench.restart().await;
    bench.runner.fail("job", false);
    bench.live(11, SECOND).await;
    assert_eq!(attempts(&bench).await, ["1 failed", "2 succeeded"]);
}

#[tokio::test]
async fn a_retry_starts_at_its_time_whoever_ticks() {
    for provider in [Arc::new(Ticker) as Arc<dyn CronScheduler>, Arc::new(Outside)] {
        let name = provider.name().to_owned();
        let (bench, _) = bench("0 * * * *", json!({"retries": {"max": 1, "backoff": "10s"}})).await;
        bench.runner.fail("job", true);
        bench.clock.advance(Duration::from_hours(1));
        bench.pass().await;
        bench.runner.fail("job", false);
        let engine = bench.engine.clone();
        let running = tokio::spawn(async move { engine.run(provider).await });
        eventually("it is at work", || (!bench.pulse.current().provider.is_empty()).then_some(())).await;
        bench.clock.advance(SECOND * 9);
        assert_eq!(bench.runner.ran().len(), 1, "under `{name}`: not before its time");
        bench.clock.advance(SECOND);
        bench.runner.until(|ran| ran.len() == 2).await;
        bench.engine.stop();
        running.await.expect("no panic").expect("a clean end");
        assert_eq!(attempts(&bench).await, ["1 failed", "2 succeeded"], "under `{name}`");
    }
}

#[tokio::test]
async fn nothing_is_superseded_before_the_instant_that_does_it() {
    let (bench, _) = bench("* * * * *", json!({"retries": {"max": 1, "backoff": "10m"}})).await;
    bench.runner.fail("job", true);
    bench.live(1, Duration::from_mins(1)).await;
    bench.clock.set("2026-03-02T10:01:59.9Z");
    bench.engine.context().tick().await.expect("a tick");
    let which = Which::Job("job".parse().expect("an id"));
    let job = bench.store.select(which).await.expect("jobs").jobs.remove(0);
    assert!(matches!(&job.open[..], [one] if one.attempt == 2 && one.state == State::Queued), "{:?}", job.open);
}

#[tokio::test]
async fn a_newer_run_replaces_the_open_one_and_a_queued_one_waits_for_it() {
    for (overlap, ends) in [("replace", ["cancelled", "succeeded"]), ("queue", ["succeeded", "succeeded"])] {
        let (bench, told) = bench("* * * * *", json!({"overlap": overlap})).await;
        bench.runner.hold("job");
        let engine = bench.engine.clone();
        let running = tokio::spawn(async move { engine.run(Ticker).await });
        eventually("it is at work", || (bench.pulse.current().provider == "builtin").then_some(())).await;
        bench.clock.set("2026-03-02T10:01:00Z");
        bench.runner.until(|ran| ran.len() == 1).await;
        bench.clock.set("2026-03-02T10:02:00Z");
        if overlap == "queue" {
            eventually("it waits", || (bench.pulse.current().queue == 1).then_some(())).await;
            assert_eq!(bench.runner.ran().len(), 1);
            bench.runner.release("job");
        }
        bench.runner.until(|ran| ran.len() == 2).await;
        bench.runner.release("job");
        eventually("both are over", || (bench.engine.open_runs() == 0).then_some(())).await;
        bench.engine.stop();
        running.await.expect("no panic").expect("a clean end");
        assert_eq!(bench.ran("job"), ["2026-03-02T10:01:00Z", "2026-03-02T10:02:00Z"], "{overlap}");
        let attempts = attempts(&bench).await;
        assert_eq!(attempts, ends.map(|end| format!("1 {end}")), "{overlap}");
        assert_eq!(told.all().len(), 0, "{overlap}");
    }
}
