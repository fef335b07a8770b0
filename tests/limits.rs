//! When a job may start after its instant has come: its jitter, and the places of its group. Under the engine, with a clock
//! set by hand and the real store.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use scheduler_core::{
    Clock, JobId, JobStore,
    engine::Settings,
    occurrence::State,
    provider::{CronScheduler, FireOutcome, FireRequest, Ticker},
    store::{JobView, LedgerQuery, LedgerWhat, Limits, Which},
};
use serde_json::json;

use crate::{
    harness::{Bench, eventually},
    policies::Outside,
};

const MILLI: SignedDuration = SignedDuration::from_millis(1);
const FIRST: &str = "2026-03-02T10:00:00Z";

fn id() -> JobId {
    "job".parse().expect("an id")
}

async fn the_job(bench: &Bench) -> JobView {
    bench.store.select(Which::Job(id())).await.expect("jobs").jobs.pop().expect("the job")
}

/// An hourly job with half an hour of jitter, some time before ten; and when it is to start.
async fn hourly() -> (Bench, Timestamp) {
    let bench = Bench::at("2026-03-02T09:59:00Z");
    bench.add("job", "0 * * * *", json!({"jitter": "30m"})).await;
    let job = the_job(&bench).await;
    let (next_at, due_at) = (job.next_at.expect("an instant"), job.due_at.expect("a start"));
    assert_eq!(next_at.to_string(), FIRST);
    assert!(due_at > next_at + SignedDuration::from_secs(1) && due_at < next_at + SignedDuration::from_mins(30));
    (bench, due_at)
}

fn set(bench: &Bench, wall: Timestamp) {
    bench.clock.set(&wall.to_string());
}

/// When the runs of the history started.
async fn starts(bench: &Bench) -> Vec<Timestamp> {
    let entries = bench.store.ledger(LedgerQuery::default()).await.expect("ledger");
    let started = entries.into_iter().filter_map(|entry| match entry.what {
        LedgerWhat::Occurrence { started_at, .. } => started_at,
        LedgerWhat::Gap(_) => None,
    });
    started.collect()
}

#[tokio::test]
async fn nothing_starts_before_its_jitter_is_over_whoever_asks() {
    let (bench, due_at) = hourly().await;
    let cx = bench.engine.context();
    let fire = async |request: FireRequest| cx.fire(&request).await.expect("an answer");
    let instant: Timestamp = FIRST.parse().expect("an instant");
    for wall in [instant, due_at - SignedDuration::from_millis(251), due_at - MILLI] {
        set(&bench, wall);
        bench.pass().await;
        cx.tick().await.expect("a tick");
        assert_eq!(fire(FireRequest::due(id())).await, FireOutcome::NotDue);
        assert!(bench.ran("job").is_empty(), "at {wall}");
    }
    // The tick a millisecond before has claimed it, and waits.
    let open = the_job(&bench).await.open.remove(0);
    assert!(matches!(open.state, State::Claimed(_)) && open.not_before == Some(due_at), "{open:?}");
    set(&bench, due_at);
    eventually("it has run", || (bench.ran("job") == [FIRST] && bench.engine.open_runs() == 0).then_some(())).await;
    assert_eq!(starts(&bench).await, [due_at]);
    bench.pass().await;
    assert_eq!(fire(FireRequest::at(id(), instant)).await, FireOutcome::LostClaim);
    assert_eq!(bench.ran("job"), [FIRST], "and once");
}

#[tokio::test]
async fn who_fires_at_the_instant_queues_it_for_its_start() {
    for provider in [Arc::new(Ticker) as Arc<dyn CronScheduler>, Arc::new(Outside)] {
        let (bench, due_at) = hourly().await;
        let name = provider.name().to_owned();
        let engine = bench.engine.clone();
        let running = tokio::spawn(async move { engine.run(provider).await });
        eventually("it is at work", || (!bench.pulse.current().provider.is_empty()).then_some(())).await;
        bench.clock.set(FIRST);
        let at = FireRequest::at(id(), FIRST.parse().expect("an instant"));
        let fired = bench.engine.context().fire(&at).await.expect("an answer");
        assert!(matches!(fired, FireOutcome::Queued(_)), "under `{name}`: {fired}");
        let again = bench.engine.context().fire(&at).await.expect("an answer");
        assert_eq!(again, fired, "under `{name}`: it waits already");
        eventually("it is seen", || (bench.pulse.current().queue == 1).then_some(())).await;
        set(&bench, due_at - MILLI);
        bench.engine.context().tick().await.expect("a tick");
        assert!(bench.ran("job").is_empty(), "under `{name}`");
        set(&bench, due_at);
        bench.runner.until(|ran| ran.len() == 1).await;
        bench.engine.stop();
        running.await.expect("no panic").expect("a clean end");
        assert_eq!((bench.ran("job"), starts(&bench).await), (vec![FIRST.to_owned()], vec![due_at]), "under `{name}`");
    }
}

#[tokio::test]
async fn a_restart_neither_moves_a_start_nor_hastens_it() {
    let (mut bench, due_at) = hourly().await;
    set(&bench, due_at - SignedDuration::from_millis(100));
    bench.engine.context().tick().await.expect("a tick");
    bench.engine.stop();
    eventually("it is given back", || (bench.engine.open_runs() == 0).then_some(())).await;
    bench.restart().await;
    bench.pass().await;
    assert!(bench.ran("job").is_empty(), "it waits for the next process");
    set(&bench, due_at);
    bench.pass().await;
    assert_eq!(bench.ran("job"), [FIRST]);
    let hour = SignedDuration::from_hours(1);
    for n in 1..=2 {
        bench.restart().await;
        assert_eq!(the_job(&bench).await.due_at, Some(due_at + hour * n), "the same for ever");
        set(&bench, due_at + hour * n - MILLI);
        bench.pass().await;
        assert_eq!(bench.ran("job").len(), usize::try_from(n).expect("small"));
        set(&bench, due_at + hour * n);
        bench.pass().await;
    }
    assert_eq!(bench.ran("job").len(), 3);
    assert_eq!(bench.ledger().await.len(), 3, "nothing was late or coalesced");
}

#[tokio::test]
async fn the_past_is_measured_from_the_start() {
    let (bench, due_at) = hourly().await;
    set(&bench, due_at + SignedDuration::from_mins(30));
    bench.pass().await;
    assert_eq!(bench.ran("job"), [FIRST], "half the period late, so itself");
    let hours = SignedDuration::from_hours(5);
    set(&bench, due_at + hours - MILLI);
    bench.pass().await;
    assert_eq!(bench.ran("job")[1..], ["2026-03-02T14:00:00Z"], "that of 15:00 is yet to come");
    set(&bench, due_at + hours);
    bench.pass().await;
    assert_eq!(bench.ran("job")[2..], ["2026-03-02T15:00:00Z"]);
}

#[tokio::test]
async fn a_group_shares_its_places_and_a_reload_gives_it_more() {
    let bench = Bench::at("2026-03-02T09:59:00Z");
    let settings = |most: usize| {
        let limits = Limits { groups: [("g".to_owned(), most)].into_iter().collect(), ..Limits::default() };
        Settings { limits, interval: Duration::from_mins(1), drain: Duration::from_mins(1) }
    };
    let jobs = ["a", "b", "c", "d", "e"];
    for job in jobs {
        bench.add(job, "0 * * * *", json!({"group": "g"})).await;
        bench.runner.hold(job);
    }
    bench.add("other", "0 * * * *", json!({})).await;
    bench.engine.reload(settings(1), None);
    let engine = bench.engine.clone();
    let running = tokio::spawn(async move { engine.run(Ticker).await });
    eventually("it is at work", || (bench.pulse.current().provider == "builtin").then_some(())).await;
    bench.clock.set(FIRST);
    let of_group = || -> Vec<String> {
        let ran = bench.runner.ran().into_iter().map(|ran| ran.job.to_string());
        ran.filter(|job| job != "other").collect()
    };
    let waiting = async |count: usize| {
        let deadline = std::time::Instant::now() + Duration::from_mins(1);
        // Asked of the store: what the beat says is as of the last look, and looks overtake each other.
        while bench.store.open(bench.clock.now(), Limits::default()).await.expect("open").queued != count {
            assert!(std::time::Instant::now() < deadline, "never are {count} left that wait");
            tokio::task::yield_now().await;
        }
    };
    bench.runner.until(|ran| ran.len() == 2).await;
    waiting(4).await;
    assert_eq!(of_group().len(), 1);
    bench.engine.reload(settings(3), None);
    bench.runner.until(|ran| ran.len() == 4).await;
    waiting(2).await;
    assert_eq!(of_group().len(), 3, "two more places");
    // A place that gets free is taken at once, without a tick.
    for (ended, left) in [(0, 1), (1, 0)] {
        bench.runner.release(&of_group()[ended]);
        waiting(left).await;
    }
    bench.runner.until(|ran| ran.len() == 6).await;
    for job in jobs {
        bench.runner.release(job);
    }
    eventually("all are over", || (bench.engine.open_runs() == 0).then_some(())).await;
    bench.engine.stop();
    running.await.expect("no panic").expect("a clean end");
    assert!(bench.ledger().await.iter().all(|entry| entry == &format!("succeeded {FIRST}")));
    assert!(bench.clock.now().to_string() == FIRST, "no time has passed");
}
