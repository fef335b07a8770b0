//! With an injected clock: steps back and forth, years that never were, downtime. The store and its syncs are real.

use std::time::Duration;

use jiff::SignedDuration;
use scheduler_core::{
    JobStore,
    store::{LedgerEntry, LedgerQuery},
};
use serde_json::json;

use crate::harness::Bench;

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

#[tokio::test]
async fn stepped_back_an_hour_nothing_fires_twice() {
    let mut bench = Bench::at("2026-03-02T10:00:00Z");
    bench.add("minutely", "* * * * *", json!({})).await;
    bench.live(30, MINUTE).await;
    assert_eq!(bench.ran("minutely").len(), 30);
    bench.clock.step(-HOUR);
    bench.live(30, MINUTE).await;
    bench.restart().await;
    bench.live(30, MINUTE).await;
    assert_eq!(bench.ran("minutely").len(), 30, "silent until the clock is past what has fired");
    bench.live(5, MINUTE).await;
    let ran = bench.ran("minutely");
    assert_eq!(ran.len(), 35);
    let mut once = ran.clone();
    once.dedup();
    assert_eq!(ran, once, "and no instant twice");
    assert_eq!(ran.last().map(String::as_str), Some("2026-03-02T10:35:00Z"));
}

#[tokio::test]
async fn stepped_forward_an_hour_is_caught_up_on_by_policy_and_recorded() {
    let bench = Bench::at("2026-03-02T10:00:00Z");
    bench.add("latest", "* * * * *", json!({})).await;
    bench.add("all", "* * * * *", json!({"misfire": {"policy": "all", "max": 3}})).await;
    bench.add("skip", "* * * * *", json!({"misfire": {"policy": "skip"}})).await;
    bench.live(1, MINUTE).await;
    bench.clock.step(HOUR);
    bench.clock.advance(Duration::from_secs(30));
    bench.pass().await;
    assert_eq!(bench.ran("latest"), ["2026-03-02T10:01:00Z", "2026-03-02T11:01:00Z"]);
    let all = ["2026-03-02T10:01:00Z", "2026-03-02T10:59:00Z", "2026-03-02T11:00:00Z", "2026-03-02T11:01:00Z"];
    assert_eq!(bench.ran("all"), all);
    assert_eq!(bench.ran("skip"), ["2026-03-02T10:01:00Z"]);
    let ledger = bench.ledger().await;
    for record in [
        "gap coalesced into a later run 2026-03-02T10:02:00Z..2026-03-02T11:00:00Z",
        "gap missed 2026-03-02T10:02:00Z..2026-03-02T10:58:00Z",
        "gap missed 2026-03-02T10:02:00Z..2026-03-02T11:01:00Z",
    ] {
        assert!(ledger.contains(&record.to_owned()), "{record} is missing: {ledger:#?}");
    }
}

#[tokio::test]
async fn how_long_a_run_took_is_not_what_a_clock_says_that_was_set_meanwhile() {
    for step in [HOUR, -HOUR, SignedDuration::ZERO] {
        let bench = Bench::at("2026-03-02T10:00:00Z");
        bench.add("job", "* * * * *", json!({})).await;
        bench.clock.advance(MINUTE);
        bench.runner.hold("job");
        let engine = bench.engine.clone();
        let pass = tokio::spawn(async move { engine.run_once().await });
        bench.runner.until(|ran| ran.len() == 1).await;
        bench.clock.step(step);
        bench.clock.advance(Duration::from_secs(20));
        bench.runner.release("job");
        pass.await.expect("no panic").expect("a pass");
        let ledger = bench.store.ledger(LedgerQuery::default()).await.expect("a ledger");
        assert_eq!(ledger.iter().find_map(LedgerEntry::took), Some(SignedDuration::from_secs(20)), "{step}");
        let written = ledger[0].outcome().expect("a run").took_ms;
        assert_eq!(written.is_some(), !step.is_zero(), "written down where it says something");
    }
}

#[tokio::test]
async fn a_clock_that_stood_in_2099_neither_silences_nor_doubles() {
    for restart in [false, true] {
        let mut bench = Bench::at("2026-03-02T10:00:00Z");
        bench.add("minutely", "* * * * *", json!({})).await;
        bench.add("daily", "30 10 * * *", json!({})).await;
        bench.live(5, MINUTE).await;
        bench.clock.set("2099-07-01T00:00:00Z");
        bench.live(10, MINUTE).await;
        if restart {
            bench.restart().await;
        }
        bench.clock.set("2026-03-02T10:04:30Z");
        bench.pass().await;
        let honest = |ran: Vec<String>| ran.into_iter().filter(|at| at.starts_with("2026-03-02")).collect::<Vec<_>>();
        assert_eq!(honest(bench.ran("minutely")).len(), 5, "10:04 and 10:05 have fired");
        bench.clock.advance(Duration::from_secs(30));
        bench.pass().await;
        bench.live(30, MINUTE).await;
        let ran = honest(bench.ran("minutely"));
        assert_eq!(ran.len(), 35, "every minute to 10:35: {ran:?}");
        assert_eq!(honest(bench.ran("daily")), ["2026-03-02T10:30:00Z"], "and the daily one");
        assert!(bench.store_problems().await.iter().any(|what| what.contains("clock was wrong")));
    }
}

#[tokio::test]
async fn a_clock_that_stood_in_2000_neither_silences_nor_doubles() {
    for restart in [false, true] {
        let mut bench = Bench::at("2026-03-02T10:00:00Z");
        bench.add("minutely", "* * * * *", json!({})).await;
        bench.add("sixly", "every 10m", json!({})).await;
        bench.live(5, MINUTE).await;
        bench.clock.set("2000-01-01T00:00:00Z");
        bench.pass().await;
        bench.live(5, MINUTE).await;
        assert_eq!(bench.ran("minutely").len(), 10, "it fires in 2000 too");
        if restart {
            bench.restart().await;
        }
        bench.clock.set("2026-03-02T10:05:01Z");
        bench.pass().await;
        bench.clock.advance(Duration::from_secs(59));
        bench.pass().await;
        bench.live(9, MINUTE).await;
        let ran: Vec<_> = bench.ran("minutely").into_iter().filter(|at| at.starts_with("2026")).collect();
        let mut once = ran.clone();
        once.sort();
        once.dedup();
        assert_eq!(ran, once, "no instant twice");
        assert_eq!(ran.len(), 15, "every minute to 10:15: {ran:?}");
        let interval: Vec<_> = bench.ran("sixly").into_iter().filter(|at| at.starts_with("2026")).collect();
        assert_eq!(interval, ["2026-03-02T10:10:00Z"]);
    }
}

#[tokio::test]
async fn a_job_made_while_the_clock_stood_in_2099_fires_when_it_is_right_again() {
    let bench = Bench::at("2099-07-01T00:00:00Z");
    bench.add("minutely", "* * * * *", json!({})).await;
    bench.add("interval", "every 1m", json!({})).await;
    bench.clock.set("2026-03-02T10:00:30Z");
    bench.pass().await;
    bench.clock.advance(Duration::from_secs(30));
    bench.pass().await;
    assert_eq!(bench.ran("minutely"), ["2026-03-02T10:01:00Z"]);
    assert_eq!(bench.ran("interval"), ["2026-03-02T10:01:00Z"]);
}

/// How long this process has been at work.
fn cpu_time() -> Duration {
    rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime).try_into().expect("a positive time")
}

#[tokio::test]
async fn after_a_week_of_downtime_with_a_thousand_one_second_jobs_the_first_tick_takes_under_a_second() {
    let mut bench = Bench::at("2026-03-02T10:00:00Z");
    let entries =
        (0..1000).map(|n| json!({"id": format!("job{n:04}"), "schedule": "* * * * * *", "command": ["true"]}));
    let entries = entries.collect();
    JobStore::define(&*bench.store, scheduler_core::store::Edit::Add(entries)).await.expect("jobs");
    bench.pass().await;
    bench.clock.advance(Duration::from_hours(168));
    bench.restart().await;
    let began = cpu_time();
    bench.engine.context().tick().await.expect("a tick");
    let took = cpu_time().saturating_sub(began);
    // 0.07 s of CPU in a debug build on two cores; the bound is the promise. Work is counted and not waiting, because other tests
    // keep the machine busy.
    assert!(took < Duration::from_secs(1), "the first tick took {took:?}");
    bench.pass().await;
    assert_eq!(bench.runner.ran().len(), 1000, "one catch-up run each");
    assert_eq!(bench.ledger().await.iter().filter(|line| line.starts_with("gap coalesced")).count(), 1000);
}

#[tokio::test]
async fn two_instants_within_the_grace_both_run_and_a_third_coalesces() {
    let bench = Bench::at("2026-03-02T10:00:00Z");
    bench.add("job", "*/10 * * * *", json!({})).await;
    bench.clock.advance(Duration::from_mins(21));
    bench.pass().await;
    assert_eq!(bench.ran("job"), ["2026-03-02T10:20:00Z"], "10:10 is beyond the grace of half a period");
    let bench = Bench::at("2026-03-02T10:00:00Z");
    bench.add("job", "* * * * *", json!({})).await;
    bench.clock.advance(Duration::from_secs(119));
    bench.pass().await;
    assert_eq!(bench.ran("job"), ["2026-03-02T10:01:00Z"]);
    bench.clock.advance(Duration::from_mins(2));
    bench.pass().await;
    assert_eq!(bench.ran("job")[1..], ["2026-03-02T10:02:00Z", "2026-03-02T10:03:00Z"], "both, one after the other");
}

#[tokio::test]
async fn a_one_shot_that_was_missed_is_caught_up_on_once() {
    let mut bench = Bench::at("2026-03-02T10:00:00Z");
    bench.add("once", "2026-03-02T10:30:00Z", json!({})).await;
    bench.clock.advance(Duration::from_hours(3));
    bench.restart().await;
    bench.pass().await;
    bench.live(3, MINUTE).await;
    bench.restart().await;
    bench.live(3, MINUTE).await;
    assert_eq!(bench.ran("once"), ["2026-03-02T10:30:00Z"]);
}
