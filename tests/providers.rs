//! Whatever a provider does, cron has a trigger.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use scheduler_core::{
    Error, ErrorKind, Result,
    engine::Settings,
    provider::{CronScheduler, FireOutcome, FireRequest, Liveness, Resolved, SchedulerContext, resolve},
    store::Limits,
};
use serde_json::json;

use crate::harness::{Bench, eventually};

/// A provider with nothing but its two methods, and a way to misbehave.
struct TwoMethods(fn() -> Result<()>);

#[async_trait]
impl CronScheduler for TwoMethods {
    fn name(&self) -> &'static str {
        "two-methods"
    }

    async fn start(&self, _: SchedulerContext) -> Result<()> {
        (self.0)()
    }
}

async fn is_replaced(misbehave: fn() -> Result<()>, reason: &str) {
    let bench = Bench::at("2026-03-02T10:00:00Z");
    bench.add("job", "* * * * *", json!({})).await;
    let engine = bench.engine.clone();
    let running = tokio::spawn(async move { engine.run(TwoMethods(misbehave)).await });
    let beat = eventually("the built-in takes over", || {
        Some(bench.pulse.current()).filter(|beat| beat.fallback_reason.is_some() && beat.provider == "builtin")
    })
    .await;
    let why = beat.fallback_reason.unwrap_or_default();
    assert!(why.contains(reason), "{why}");
    bench.clock.advance(Duration::from_mins(1));
    bench.runner.until(|ran| ran.len() == 1).await;
    bench.engine.stop();
    running.await.expect("no panic").expect("a clean end");
}

#[tokio::test]
async fn a_provider_whose_start_errs_is_replaced() {
    is_replaced(|| Err(Error::new(ErrorKind::Foreign, "no portal")), "provider `two-methods` failed: no portal").await;
}

#[tokio::test]
async fn a_provider_whose_start_panics_is_replaced() {
    is_replaced(|| panic!("boom"), "provider `two-methods` panicked: boom").await;
}

#[tokio::test]
async fn a_provider_whose_start_returns_early_is_replaced() {
    is_replaced(|| Ok(()), "provider `two-methods` returned though nobody told it to stop").await;
}

/// Fires on a word from outside, and answers what it was told.
struct Outside;

#[async_trait]
impl CronScheduler for Outside {
    fn name(&self) -> &'static str {
        "outside"
    }

    async fn start(&self, _: SchedulerContext) -> Result<()> {
        Ok(())
    }

    fn liveness(&self) -> Liveness {
        Liveness::External
    }
}

#[tokio::test]
async fn the_three_paths_of_fire_due_claim_and_run_lost_claim_no_such_job() {
    let bench = Bench::at("2026-03-02T10:00:00Z");
    bench.add("job", "* * * * *", json!({})).await;
    let cx = bench.engine.context();
    let fire = |request: FireRequest| {
        let cx = cx.clone();
        async move { Arc::new(Outside).fire_due(&cx, &request).await.expect("an answer") }
    };
    let id = || "job".parse().expect("an id");
    let at = |text: &str| text.parse().expect("a timestamp");
    assert_eq!(fire(FireRequest::due(id())).await, FireOutcome::NotDue);
    assert_eq!(fire(FireRequest::due("nobody".parse().expect("an id"))).await, FireOutcome::NotFound);
    bench.clock.advance(Duration::from_mins(1));
    assert!(matches!(fire(FireRequest::at(id(), at("2026-03-02T10:01:00Z"))).await, FireOutcome::Started(_)));
    bench.runner.until(|ran| ran.len() == 1).await;
    assert_eq!(fire(FireRequest::at(id(), at("2026-03-02T10:01:00Z"))).await, FireOutcome::LostClaim, "redelivered");
    assert_eq!(
        fire(FireRequest::at(id(), at("2026-03-02T10:01:30Z"))).await,
        FireOutcome::NotDue,
        "not an instant of it"
    );
    assert_eq!(fire(FireRequest::at(id(), at("2026-03-02T10:05:00Z"))).await, FireOutcome::NotDue, "too far ahead");
    eventually("the run is over", || (bench.engine.open_runs() == 0).then_some(())).await;
    assert!(matches!(fire(FireRequest::event(id(), "e1")).await, FireOutcome::Started(_)));
    assert_eq!(fire(FireRequest::event(id(), "e1")).await, FireOutcome::LostClaim, "the same event is the same one");
    bench.runner.until(|ran| ran.len() == 2).await;
}

/// Ticks until it is told to end, and then says what it is answered.
struct Clinging(Arc<std::sync::Mutex<Option<Result<()>>>>);

#[async_trait]
impl CronScheduler for Clinging {
    fn name(&self) -> &'static str {
        "clinging"
    }

    async fn start(&self, cx: SchedulerContext) -> Result<()> {
        cx.stopping().cancelled().await;
        *self.0.lock().expect("no panic") = Some(cx.tick().await);
        Ok(())
    }
}

#[tokio::test]
async fn a_provider_that_is_replaced_is_revoked_and_the_next_one_starts() {
    let bench = Bench::at("2026-03-02T10:00:00Z");
    bench.add("job", "* * * * *", json!({})).await;
    let told = Arc::default();
    let mut first: Resolved = resolve("", &[]);
    first.provider = Arc::new(Clinging(Arc::clone(&told)));
    let engine = bench.engine.clone();
    let running = tokio::spawn(async move { engine.run(first).await });
    eventually("it is in force", || (bench.pulse.current().provider == "clinging").then_some(())).await;
    bench.clock.advance(Duration::from_mins(1));
    let limits = Limits { max_parallel: 7, ..Limits::default() };
    let settings = Settings { limits, interval: Duration::from_secs(5), drain: Duration::from_secs(5) };
    bench.engine.reload(settings.clone(), Some(resolve("", &[])));
    bench.runner.until(|ran| ran.len() == 1).await;
    let beat = bench.pulse.current();
    assert_eq!((beat.provider.as_str(), beat.fallback_reason, beat.interval_s), ("builtin", None, 5.0));
    let answered = told.lock().expect("no panic").take().expect("it asked");
    assert_eq!(answered.expect_err("it may ask no more").kind(), ErrorKind::Revoked);
    assert_eq!(bench.engine.context().interval(), Duration::from_secs(5));
    bench.engine.reload(settings, Some(resolve("buitlin", &[])));
    let why = eventually("the reason", || bench.pulse.current().fallback_reason).await;
    assert!(why.contains("did you mean `builtin`?"), "{why}");
    bench.engine.stop();
    running.await.expect("no panic").expect("a clean end");
}

#[tokio::test]
async fn one_that_armed_something_outside_is_replaced_too() {
    let bench = Bench::at("2026-03-02T10:00:00Z");
    let mut first: Resolved = resolve("", &[]);
    first.provider = Arc::new(Outside);
    let engine = bench.engine.clone();
    let running = tokio::spawn(async move { engine.run(first).await });
    eventually("it is in force", || (bench.pulse.current().provider == "outside").then_some(())).await;
    let settings = Settings { limits: Limits::default(), interval: Duration::from_secs(5), drain: Duration::ZERO };
    bench.engine.reload(settings, Some(resolve("", &[])));
    eventually("the built-in takes over", || (bench.pulse.current().provider == "builtin").then_some(())).await;
    bench.engine.stop();
    running.await.expect("no panic").expect("a clean end");
}

#[tokio::test]
async fn a_provider_with_two_methods_can_be_started_and_told_to_stop() {
    let bench = Bench::at("2026-03-02T10:00:00Z");
    let engine = bench.engine.clone();
    let running = tokio::spawn(async move { engine.run(Outside).await });
    eventually("it is in force", || (bench.pulse.current().provider == "outside").then_some(())).await;
    assert_eq!(bench.pulse.current().fallback_reason, None, "one that armed something outside may return");
    bench.engine.stop();
    running.await.expect("no panic").expect("a clean end");
}
