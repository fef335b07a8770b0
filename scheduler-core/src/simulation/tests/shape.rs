//! The load, and what is asked of it.

use jiff::SignedDuration;
use serde_json::Value;

use super::{at, entry, lasting, play, scenario};
use crate::simulation::{Minute, Simulation};

#[test]
fn the_load_is_told_minute_by_minute() {
    let jobs = vec![entry("a", "*/2 * * * *", Value::Null), entry("b", "*/4 * * * *", Value::Null)];
    let (report, _) = play(lasting(scenario(jobs, "2026-03-02T00:00:00Z", "2026-03-02T00:06:00Z"), 90));
    let seen: Vec<(u32, u32)> = report.load.minutes().iter().map(|minute| (minute.starts, minute.open)).collect();
    assert_eq!(seen, [(2, 2), (0, 2), (1, 1), (0, 1), (2, 2), (0, 2)]);
    assert_eq!(report.load.busiest(), Some((at("2026-03-02T00:00:00Z"), Minute { starts: 2, open: 2 })));

    let buckets = |begins: &[&str]| {
        let begins: Vec<_> = begins.iter().map(|begin| at(begin)).collect();
        report.load.buckets(&begins).iter().map(|minute| (minute.starts, minute.open)).collect::<Vec<_>>()
    };
    assert_eq!(buckets(&["2026-03-02T00:00:00Z", "2026-03-02T00:04:00Z"]), [(3, 2), (2, 2)]);
    assert_eq!(
        buckets(&["2026-03-01T23:57:00Z", "2026-03-02T00:01:00Z", "2026-03-02T00:09:00Z"]),
        [(2, 2), (3, 2), (0, 0)]
    );
    assert_eq!(buckets(&["2026-03-02T00:03:30Z"]), [(2, 2)]);
}

#[test]
fn a_short_run_is_open_in_its_own_minute_only() {
    let jobs = vec![entry("a", "*/3 * * * *", Value::Null)];
    let (report, _) = play(scenario(jobs, "2026-03-02T00:00:00Z", "2026-03-02T00:06:00Z"));
    let open: Vec<u32> = report.load.minutes().iter().map(|minute| minute.open).collect();
    assert_eq!(open, [1, 0, 0, 1, 0, 0]);
}

#[test]
fn what_was_killed_is_open_no_more() {
    let jobs = vec![entry("a", "@hourly", Value::Null)];
    let mut hour = lasting(scenario(jobs, "2026-03-02T00:00:00Z", "2026-03-02T01:00:00Z"), 3600);
    hour.downtime.push((at("2026-03-02T00:10:30Z"), at("2026-03-02T00:20:00Z")));
    let (report, _) = play(hour);
    let open: Vec<u32> = report.load.minutes().iter().map(|minute| minute.open).collect();
    assert_eq!((open.len(), &open[..11], &open[11..]), (60, &[1; 11][..], &[0; 49][..]));
}

#[test]
fn the_same_scenario_comes_to_the_same() {
    let jobs = || (0..20).map(|n| entry(&format!("job-{n:02}"), "*/3 * * * *", Value::Null)).collect();
    let day = || {
        let mut day = lasting(scenario(jobs(), "2026-03-02T00:00:00Z", "2026-03-02T06:00:00Z"), 100);
        day.limits.max_parallel = 7;
        day.downtime.push((at("2026-03-02T02:00:00Z"), at("2026-03-02T03:00:00Z")));
        day.clock_steps.push((at("2026-03-02T04:00:00Z"), SignedDuration::from_mins(90)));
        day
    };
    assert_eq!(play(day()).0, play(day()).0);
}

#[test]
fn time_runs_forwards_and_stops_at_the_end() {
    let jobs = vec![entry("a", "* * * * * *", Value::Null)];
    let mut simulation = Simulation::new(scenario(jobs, "2026-03-02T00:00:00.5Z", "2026-03-02T00:00:10Z"));
    let mut last = at("2026-03-02T00:00:00Z");
    while let Some(step) = simulation.step() {
        assert!(step.at >= last && step.at < at("2026-03-02T00:00:10Z"));
        last = step.at;
    }
    assert!(simulation.step().is_none());
}
