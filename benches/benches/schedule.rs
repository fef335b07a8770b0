//! Schedules: from text to a schedule, to its next instant, and to what a job owes.
#![forbid(unsafe_code)]

use divan::{Bencher, black_box};
use jiff::{SignedDuration, Timestamp};
use sched_benches::NOON;
use scheduler_core::{
    Job,
    job::Command,
    plan::{self, Cursor},
    schedule::{ParseOptions, Schedule, zone},
};

/// What people write.
const COMMON: [&str; 6] = ["0 2 * * *", "*/5 * * * *", "30 2 * * 1-5", "0 0 1 * *", "@hourly", "every 5m"];
const BERLIN: &str = "Europe/Berlin";

fn main() {
    divan::main();
}

fn parsed(text: &str) -> Schedule {
    Schedule::parse(text, &ParseOptions::default()).expect("a schedule")
}

fn noon() -> Timestamp {
    NOON.parse().expect("a timestamp")
}

#[divan::bench(args = COMMON)]
fn parse(text: &str) -> Schedule {
    parsed(black_box(text))
}

/// The first instant of a schedule that was just parsed: what a start pays for each job.
#[divan::bench(args = COMMON)]
fn first_fire_in_berlin(bencher: Bencher<'_, '_>, text: &str) {
    let (zone, noon) = (zone::parse(BERLIN).expect("a zone"), noon());
    bencher.with_inputs(|| parsed(text)).bench_refs(|schedule| schedule.next_after(black_box(noon), &zone));
}

#[divan::bench(args = COMMON)]
fn next_fire_in_utc(bencher: Bencher<'_, '_>, text: &str) {
    next_fires(bencher, text, "UTC");
}

#[divan::bench(args = COMMON)]
fn next_fire_in_berlin(bencher: Bencher<'_, '_>, text: &str) {
    next_fires(bencher, text, BERLIN);
}

/// The instants of a schedule one after the other; after a year from the beginning, days on which clocks are set included.
fn next_fires(bencher: Bencher<'_, '_>, text: &str, zone: &str) {
    let (schedule, zone) = (parsed(text), zone::parse(zone).expect("a zone"));
    let year = SignedDuration::from_hours(366 * 24);
    let mut at = noon();
    bencher.bench_local(|| {
        at = schedule.next_after(black_box(at), &zone).expect("it fires for ever");
        if at > noon() + year {
            at = noon();
        }
    });
}

/// What one job owes a moment after its instant.
#[divan::bench(args = COMMON)]
fn plan_of_one_job(bencher: Bencher<'_, '_>, text: &str) {
    let command = Command::Argv(["/bin/true".to_owned()].into());
    let mut job = Job::new("job".parse().expect("an id"), parsed(text), command);
    job.time_zone = zone::parse(BERLIN).expect("a zone");
    let next_at = job.schedule.next_after(noon(), &job.time_zone).expect("it fires");
    let cursor = Cursor { next_at: Some(next_at), ..Cursor::default() };
    let now = next_at + SignedDuration::from_millis(1);
    bencher.bench_local(|| plan::plan(black_box(&job), black_box(&cursor), now));
}
