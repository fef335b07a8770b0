//! What the rules come to over days, as tables.

mod rules;
mod schedules;
mod shape;

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Fire, Report, Scenario, Simulation, Tally};
use crate::{
    JobStore as _,
    job::JobDefaults,
    store::{Edit, MemoryStore},
    testing::ManualClock,
};

/// A scenario of these jobs, which were all added a year before it begins.
fn scenario(entries: Vec<Value>, from: &str, to: &str) -> Scenario {
    let clock = Arc::new(ManualClock::at("2025-01-01T00:00:00Z"));
    let store = MemoryStore::new(clock, JobDefaults::default());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let jobs = runtime.block_on(async {
        store.define(Edit::Add(entries)).await.unwrap();
        store.jobs().await.unwrap()
    });
    Scenario::new(jobs, at(from), at(to))
}

/// One job named `job`, and what more it says, over the 2nd of March 2026 in UTC.
fn a_day_of(schedule: &str, more: Value) -> Scenario {
    scenario(vec![entry("job", schedule, more)], "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z")
}

fn entry(id: &str, schedule: &str, more: Value) -> Value {
    let mut entry = json!({"id": id, "schedule": schedule, "timezone": "UTC", "command": "true"});
    let Value::Object(more) = more else { return entry };
    entry.as_object_mut().unwrap().extend(more);
    entry
}

fn play(scenario: Scenario) -> (Report, Vec<Fire>) {
    let mut simulation = Simulation::new(scenario);
    let mut fires = Vec::new();
    while let Some(step) = simulation.step() {
        assert!(step.fires.iter().all(|fire| fire.at == step.at));
        fires.extend_from_slice(step.fires);
    }
    (simulation.report(), fires)
}

/// What became of the only job.
fn tally(scenario: Scenario) -> Tally {
    play(scenario).0.jobs.remove(0)
}

fn lasting(mut scenario: Scenario, seconds: u64) -> Scenario {
    for view in &scenario.jobs {
        scenario.durations.insert(view.id.clone(), Duration::from_secs(seconds));
    }
    scenario
}

fn down(mut scenario: Scenario, from: &str, to: &str) -> Scenario {
    scenario.downtime.push((at(from), at(to)));
    scenario
}

fn step(mut scenario: Scenario, when: &str, by: SignedDuration) -> Scenario {
    scenario.clock_steps.push((at(when), by));
    scenario
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}
