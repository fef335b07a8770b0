//! From the engine to whoever is told: what becomes of jobs, under a clock set by hand, as a sink hears of it.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use sched_monitor::Desk;
use scheduler_core::{
    Engine, Job, JobRunner, JobStore as _, Outcome, Result, RunContext, RunResult,
    config::{
        Secret,
        sinks::{Event, Preset, Sink, Via},
    },
    store::{Edit, JsonStore, JsonStoreOptions},
    testing::RecordingRunner,
};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{
    bench::{Bench, PATIENCE},
    post::PostBox,
};

/// Runs end as the test says, and those that are held end when they are released.
struct Ends {
    held: RecordingRunner,
    next: watch::Sender<RunResult>,
}

#[async_trait]
impl JobRunner for Ends {
    fn validate(&self, _: &Job) -> Result<()> {
        Ok(())
    }

    async fn run(&self, run: RunContext) -> Outcome {
        let outcome = self.held.run(run).await;
        if outcome.result == RunResult::Succeeded { Outcome::new(*self.next.borrow()) } else { outcome }
    }
}

/// An engine, from ten o'clock on, whose desk tells `all` of everything, and `usual` of what it is told that doesn't say.
struct Scheduler {
    bench: Bench,
    all: PostBox,
    usual: PostBox,
    runner: Arc<Ends>,
    store: Arc<JsonStore>,
    engine: Engine,
}

impl Scheduler {
    /// With a job named `job`.
    async fn new(schedule: &str, more: Value) -> Self {
        let (all, usual) = (PostBox::start().await, PostBox::start().await);
        let sink = |name: &str, post: &PostBox| {
            let url = Secret::new(post.url("/"));
            Sink::new(name, Via::Webhook { url, preset: Preset::Json, token: None, chat: None })
        };
        let mut everything = sink("all", &all);
        everything.on.insert(Event::Skipped);
        let bench = Bench::new(vec![everything, sink("usual", &usual)]);
        let runner = Ends { held: RecordingRunner::default(), next: watch::Sender::new(RunResult::Succeeded) };
        let runner = Arc::new(runner);
        let (store, engine) = open(&bench, &runner);
        let mut entry = json!({"id": "job", "schedule": schedule, "command": ["true"]});
        entry.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        store.define(Edit::Add(vec![entry])).await.expect("a valid job");
        Self { bench, all, usual, runner, store, engine }
    }

    /// Lets time pass, and what is due by then run to its end, as this.
    async fn ends(&self, after: i64, result: RunResult) {
        self.runner.next.send_replace(result);
        self.bench.later(after);
        self.engine.run_once().await.expect("a pass");
        self.told().await;
    }

    async fn told(&self) {
        self.bench.desk.settle(PATIENCE).await;
    }
}

fn open(bench: &Bench, runner: &Arc<Ends>) -> (Arc<JsonStore>, Engine) {
    let options = JsonStoreOptions::new(bench.home.clone(), Arc::clone(&bench.clock) as _);
    let store = Arc::new(JsonStore::open(&options).expect("a store"));
    let engine = Engine::builder(Arc::clone(&store) as _, Arc::clone(runner) as _).clock(Arc::clone(&bench.clock) as _);
    let desk: Desk = bench.desk.clone();
    (store, engine.notifier(Arc::new(desk)).build())
}

/// The kind and the title of every message.
fn kinds(post: &PostBox) -> Vec<String> {
    let word = |body: &Value, key: &str| body[key].as_str().unwrap_or_default().to_owned();
    let line = |body: &Value| format!("{} {}: {}", word(body, "event"), word(body, "kind"), word(body, "title"));
    post.got().iter().map(|posted| line(&posted.body)).collect()
}

#[tokio::test]
async fn each_bad_end_is_told_as_what_it_is_and_the_first_good_one_ends_it() {
    for (result, opened) in [
        (RunResult::Failed, "opened failure: job `job` failed"),
        (RunResult::TimedOut, "opened timeout: job `job` timed out"),
        (RunResult::Unknown, "opened unknown: job `job` ended unseen"),
    ] {
        let it = Scheduler::new("*/30 * * * *", json!({})).await;
        it.ends(30, RunResult::Succeeded).await;
        it.ends(30, RunResult::Cancelled).await;
        assert_eq!(kinds(&it.all), [""; 0], "nothing is wrong");
        it.ends(30, result).await;
        assert_eq!(kinds(&it.all), [opened]);
        it.ends(30, RunResult::Cancelled).await;
        assert_eq!(it.all.got().len(), 1, "who cancelled it knows, and it is no success");
        it.ends(30, RunResult::Succeeded).await;
        it.ends(30, RunResult::Succeeded).await;
        let word = opened.split([' ', ':']).nth(1).expect("a kind");
        assert_eq!(kinds(&it.all)[1..], [format!("closed {word}: job `job` succeeded again")]);
        assert_eq!((&it.all.got()[1].body["lasted_s"], kinds(&it.usual)), (&json!(3600), kinds(&it.all)));
    }
}

#[tokio::test]
async fn a_streak_is_one_alert_that_says_how_often_and_since_when() {
    let it = Scheduler::new("*/20 * * * *", json!({})).await;
    it.ends(20, RunResult::Failed).await;
    it.ends(20, RunResult::Failed).await;
    it.ends(20, RunResult::Failed).await;
    assert_eq!(kinds(&it.usual), ["opened failure: job `job` failed"], "the rest came within the hour");
    // What has come since is told when the hour is over, whether or not there is more.
    it.bench.later(20);
    it.told().await;
    let update = it.usual.got().pop().expect("an update").body;
    assert_eq!((&update["event"], &update["count"]), (&json!("updated"), &json!(3)), "{update:#}");
    let text = update["text"].as_str().expect("a text");
    assert!(text.contains("job `job` failed 3 times in a row"), "{text}");
    assert!(text.contains("since 2026-03-02T10:20:00Z, last seen at 2026-03-02T11:00:00Z"), "{text}");
    it.ends(0, RunResult::Succeeded).await;
    let end = it.usual.got().pop().expect("an end").body;
    assert_eq!((&end["event"], &end["count"], it.usual.got().len()), (&json!("closed"), &json!(3), 3), "{end:#}");
    // The next one is another, and begins to count anew.
    it.ends(20, RunResult::Failed).await;
    let next = it.usual.got().pop().expect("an alert").body;
    assert_eq!((&next["event"], &next["count"]), (&json!("opened"), &json!(1)), "{next:#}");
    assert_ne!(next["id"], end["id"]);
}

#[tokio::test]
async fn what_is_due_while_it_runs_is_one_passing_alert_for_those_who_ask() {
    let it = Scheduler::new("*/10 * * * *", json!({})).await;
    it.runner.held.hold("job");
    it.bench.later(10);
    it.engine.context().tick().await.expect("a tick");
    it.runner.held.until(|ran| ran.len() == 1).await;
    for _ in 0..3 {
        it.bench.later(10);
        it.engine.context().tick().await.expect("a tick");
    }
    it.runner.held.release("job");
    // Waits for everything that is under way, the telling included.
    it.engine.run_once().await.expect("a pass");
    it.told().await;
    assert_eq!(kinds(&it.all), ["opened skipped: job `job` was skipped: the previous run was still open"]);
    let alert = it.bench.alerts().pop().expect("an alert");
    assert_eq!((alert.count, alert.headline().ends_with("(3 times)")), (3, true), "{alert:?}");
    assert_eq!(it.all.got()[0].body["severity"], "info");
    assert_eq!(kinds(&it.usual), [""; 0]);
}

#[tokio::test]
async fn what_was_missed_is_told_if_nothing_runs_in_its_place() {
    let skip = json!({"misfire": {"policy": "skip"}});
    let missed = ["opened skipped: job `job` was skipped: missed"];
    // Nobody was there for a day and a bit.
    for (policy, expected) in [(skip.clone(), &missed[..]), (json!({}), &[])] {
        let it = Scheduler::new("0 * * * *", policy).await;
        it.ends(25 * 60 + 30, RunResult::Succeeded).await;
        assert_eq!(kinds(&it.all), expected);
    }
    // It was claimed a moment before its instant, and then the machine slept.
    let it = Scheduler::new("0 * * * *", skip).await;
    it.bench.clock.advance(Duration::from_millis(3_599_900));
    it.engine.context().tick().await.expect("a tick");
    it.ends(90, RunResult::Succeeded).await;
    assert_eq!(kinds(&it.all), missed);
    assert_eq!(it.runner.held.instants("job"), ["2026-03-02T12:00:00Z"], "which is late, and in time");
}

#[tokio::test]
async fn what_somebody_has_paused_is_not_told() {
    let it = Scheduler::new("0 * * * *", json!({"misfire": {"policy": "skip"}})).await;
    it.store.pause(vec!["job".parse().expect("an id")], None, None).await.expect("paused");
    it.ends(300, RunResult::Failed).await;
    assert_eq!((kinds(&it.all), it.runner.held.ran().len()), (Vec::new(), 0));
}

#[tokio::test]
async fn a_run_whose_process_died_is_told_by_the_next_one() {
    let mut it = Scheduler::new("0 * * * *", json!({})).await;
    it.runner.held.hold("job");
    it.bench.later(60);
    it.engine.context().tick().await.expect("a tick");
    it.runner.held.until(|ran| ran.len() == 1).await;
    it.store.close().await.expect("as if it had been killed");
    (it.store, it.engine) = open(&it.bench, &it.runner);
    it.engine.run_once().await.expect("a pass");
    it.told().await;
    assert_eq!(kinds(&it.usual), ["opened unknown: job `job` ended unseen"]);
    it.runner.held.release("job");
    it.ends(60, RunResult::Succeeded).await;
    assert_eq!(kinds(&it.usual)[1..], ["closed unknown: job `job` succeeded again"]);
}

#[tokio::test]
async fn a_job_names_who_hears_of_it() {
    let it = Scheduler::new("*/30 * * * *", json!({"notify": ["usual"]})).await;
    it.ends(30, RunResult::TimedOut).await;
    it.ends(30, RunResult::Succeeded).await;
    assert_eq!((it.usual.got().len(), it.all.got().len()), (2, 0));
}
