//! What is played through is what happens: an engine at work, minute by minute, beside a simulation of the same jobs.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use scheduler_core::{
    Clock as _, Engine, JobStore,
    job::JobDefaults,
    simulation::{Scenario, Simulation},
    store::{Edit, JobView, LedgerQuery, LedgerWhat, MemoryStore},
    testing::{ManualClock, RecordingRunner},
};
use serde_json::{Value, json};

/// What became of a job: the instants that ran, and how many records of several instants there are.
type Course = BTreeMap<String, (Vec<Timestamp>, u64)>;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const BEGIN: &str = "2026-03-28T20:00:00Z";
/// Over the night on which the clocks of Berlin change.
const MINUTES: i64 = 14 * 60;

fn entries() -> Vec<Value> {
    let entry = |id: &str, schedule: &str, more: Value| {
        let mut entry = json!({"id": id, "schedule": schedule, "timezone": "Europe/Berlin", "command": "true"});
        entry.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        entry
    };
    vec![
        entry("minutely", "* * * * *", Value::Null),
        entry("often", "*/7 * * * *", json!({"misfire": {"policy": "all", "max": 3}})),
        entry("hourly", "@hourly", Value::Null),
        entry("skips", "*/20 * * * *", json!({"misfire": {"policy": "skip"}})),
        entry("gap", "15,45 2 * * *", Value::Null),
        entry("night", "30 2 * * *", json!({"overlap": "queue"})),
        entry("interval", "every 11m", json!({"overlap": "allow"})),
        entry("few", "*/5 * * * *", json!({"max_runs": 20})),
        entry("late", "*/10 * * * *", json!({"start_at": "2026-03-29T01:12:00Z", "misfire": {"grace": 0}})),
        entry("once", "2026-03-29T00:30:00Z", Value::Null),
    ]
}

/// What happens in some minute after the beginning.
#[derive(Default, Clone)]
struct Night {
    down: Vec<(i64, i64)>,
    steps: Vec<(i64, SignedDuration)>,
}

#[tokio::test]
async fn a_simulation_comes_to_what_an_engine_does() {
    let (back, forwards) = (-MINUTE * 40, MINUTE * 70);
    let check = async |what: &str, down: &[(i64, i64)], steps: &[(i64, SignedDuration)]| {
        let night = Night { down: down.to_vec(), steps: steps.to_vec() };
        let (views, lived) = live(&night).await;
        assert!(lived.values().map(|(ran, _)| ran.len()).sum::<usize>() > 500, "{what}: hardly anything ran");
        let played = play(views, &night);
        for (job, course) in &lived {
            assert_eq!(played.get(job), Some(course), "{what}: {job}");
        }
    };
    check("an ordinary night", &[], &[]).await;
    check("a short downtime", &[(100, 108)], &[]).await;
    check("two long ones", &[(60, 200), (290, 480)], &[]).await;
    check("a clock set back", &[], &[(130, back)]).await;
    check("a clock set forwards", &[], &[(130, forwards)]).await;
    check("all of it", &[(60, 95), (400, 450)], &[(150, forwards), (300, back)]).await;
}

/// An engine that makes a pass every minute, but when it is down. Its runs take no time.
async fn live(night: &Night) -> (Vec<JobView>, Course) {
    let clock = Arc::new(ManualClock::at(BEGIN));
    clock.step(-MINUTE);
    let store = Arc::new(MemoryStore::new(Arc::clone(&clock) as _, JobDefaults::default()));
    store.define(Edit::Add(entries())).await.expect("valid jobs");
    let views = store.jobs().await.expect("the jobs");
    let runner = Arc::new(RecordingRunner::default());
    let new_engine = || {
        let engine = Engine::builder(Arc::clone(&store) as _, Arc::clone(&runner) as _);
        engine.clock(Arc::clone(&clock) as _).build()
    };
    let mut engine = new_engine();
    for minute in 0..MINUTES {
        clock.advance(Duration::from_mins(1));
        for (_, by) in night.steps.iter().filter(|(at, _)| *at == minute) {
            clock.step(*by);
        }
        if night.down.iter().any(|(_, end)| *end == minute) {
            engine = new_engine();
        }
        if !night.down.iter().any(|(begin, end)| (*begin..*end).contains(&minute)) {
            engine.run_once().await.expect("a pass");
        }
    }
    assert!(clock.now() > BEGIN.parse().expect("an instant"));
    let mut course = Course::new();
    for ran in runner.ran() {
        course.entry(ran.job.to_string()).or_default().0.push(ran.at);
    }
    for entry in store.ledger(LedgerQuery::default()).await.expect("the history") {
        if matches!(entry.what, LedgerWhat::Gap(_)) {
            course.entry(entry.job.to_string()).or_default().1 += 1;
        }
    }
    (views, sorted(course))
}

fn play(views: Vec<JobView>, night: &Night) -> Course {
    let begin: Timestamp = BEGIN.parse().expect("an instant");
    let after = |minutes: i64| begin + SignedDuration::from_mins(minutes);
    let jobs: Vec<_> = views.iter().map(|view| view.id.clone()).collect();
    let mut scenario = Scenario::new(views, begin, after(MINUTES));
    scenario.durations = jobs.into_iter().map(|job| (job, Duration::from_millis(1))).collect();
    scenario.downtime = night.down.iter().map(|(from, to)| (after(*from), after(*to))).collect();
    scenario.clock_steps = night.steps.iter().map(|(at, by)| (after(*at), *by)).collect();
    let mut simulation = Simulation::new(scenario);
    let mut course = Course::new();
    while let Some(step) = simulation.step() {
        for fire in step.fires {
            course.entry(fire.job.to_string()).or_default().0.push(fire.owed_at);
        }
    }
    for tally in simulation.report().jobs {
        course.entry(tally.job.to_string()).or_default().1 = tally.gaps;
    }
    sorted(course)
}

/// Of those that start in one pass, which comes first is chance.
fn sorted(mut course: Course) -> Course {
    for (ran, _) in course.values_mut() {
        ran.sort_unstable();
    }
    course
}
