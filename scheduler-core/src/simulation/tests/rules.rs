//! Overlap, limits, downtime, timeouts and a clock that is set: what comes of them.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{a_day_of, down, entry, lasting, play, scenario, step, tally};
use crate::{occurrence::SkipReason, store::Paused};

#[test]
fn a_run_that_is_open_when_the_next_is_due() {
    // The policy, what a run takes, and: fires, skipped for overlap, replaced, most open at once.
    let check = |more: Value, seconds: u64, expected: (u64, u64, u64, u32)| {
        let tally = tally(lasting(a_day_of("* * * * *", more.clone()), seconds));
        let seen = (tally.fires, tally.skipped(SkipReason::Overlap), tally.replaced, tally.max_open);
        assert_eq!(seen, expected, "{more}, {seconds} s");
        assert_eq!(tally.instants(), 1440, "{tally:?}");
    };
    check(json!({"overlap": "forbid"}), 59, (1440, 0, 0, 1));
    check(json!({"overlap": "forbid"}), 60, (720, 720, 0, 1));
    check(json!({"overlap": "forbid"}), 90, (720, 720, 0, 1));
    check(json!({"overlap": "forbid"}), 150, (480, 960, 0, 1));
    check(json!({"overlap": "allow"}), 90, (1440, 0, 0, 2));
    check(json!({"overlap": "allow"}), 150, (1440, 0, 0, 3));
    check(json!({"overlap": "allow", "max_parallel": 2}), 90, (1440, 0, 0, 2));
    check(json!({"overlap": "replace"}), 90, (1440, 0, 1439, 1));
    // One runs and one waits: a run every 90 s, and the instants that come while one waits are skipped.
    check(json!({"overlap": "queue"}), 90, (960, 479, 0, 1));
}

#[test]
fn what_waits_says_how_long() {
    let queue = tally(lasting(a_day_of("* * * * *", json!({"overlap": "queue"})), 90));
    assert_eq!((queue.longest_wait, queue.waiting, queue.open), (SignedDuration::from_mins(1), 1, 1));

    let jobs = (0..6).map(|n| entry(&format!("job-{n}"), "@hourly", Value::Null)).collect();
    let mut narrow = scenario(jobs, "2026-03-02T00:00:00Z", "2026-03-02T00:30:00Z");
    assert_eq!(play(narrow.clone()).0.full_at, None);
    narrow.limits.max_parallel = 2;
    let (report, fires) = play(lasting(narrow, 10));
    assert_eq!(report.full_at, Some(super::at("2026-03-02T00:00:00Z")));
    let waits: Vec<i64> = fires.iter().map(|fire| fire.waited.as_secs()).collect();
    assert_eq!(waits, [0, 0, 10, 10, 20, 20]);
    assert_eq!(report.jobs.iter().map(|tally| tally.waited).sum::<u64>(), 4);
    assert_eq!(report.load.minutes()[0].open, 2);
}

#[test]
fn a_week_of_downtime_is_one_gap_and_one_late_run() {
    let week = |policy: Value| {
        let job = entry("job", "* * * * *", json!({"misfire": policy}));
        let whole = scenario(vec![job], "2026-03-01T00:00:00Z", "2026-03-11T00:00:00Z");
        tally(down(whole, "2026-03-02T00:00:00Z", "2026-03-09T00:00:30Z"))
    };
    let missed = 7 * 1440 + 1;
    let latest = week(json!({"policy": "latest"}));
    assert_eq!((latest.gaps, latest.late, latest.skipped(SkipReason::Coalesced)), (1, 1, missed - 1));
    assert_eq!((latest.fires, latest.instants(), latest.killed), (3 * 1440, 14400, 0));
    let all = week(json!({"policy": "all", "max": 4}));
    assert_eq!(all.skipped(SkipReason::Misfire) + all.late, missed);
    let skip = week(json!({"policy": "skip"}));
    assert_eq!((skip.late, skip.skipped(SkipReason::Misfire)), (0, missed));
}

#[test]
fn a_daemon_that_dies_takes_its_runs_along() {
    let day = |more: Value| {
        tally(lasting(down(a_day_of("@hourly", more), "2026-03-02T10:00:05Z", "2026-03-02T10:10:00Z"), 60))
    };
    let once = day(Value::Null);
    assert_eq!((once.fires, once.killed, once.retries, once.open), (24, 1, 0, 0));
    let again = day(json!({"delivery": "at_least_once"}));
    assert_eq!((again.fires, again.killed, again.retries, again.instants()), (25, 1, 1, 24));
}

#[test]
fn it_may_begin_and_end_without_a_daemon() {
    let day = || a_day_of("@hourly", Value::Null);
    let begins = tally(down(day(), "2026-03-01T00:00:00Z", "2026-03-02T12:30:00Z"));
    assert_eq!((begins.fires, begins.late, begins.skipped(SkipReason::Coalesced)), (12, 1, 12));
    let ends = tally(down(
        down(day(), "2026-03-02T12:00:00Z", "2026-03-04T00:00:00Z"),
        "2026-03-02T11:30:00Z",
        "2026-03-02T13:00:00Z",
    ));
    assert_eq!((ends.fires, ends.instants()), (12, 12));
    assert_eq!(tally(down(day(), "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z")).fires, 0);
}

#[test]
fn a_clock_that_is_set_back_doubles_nothing() {
    let hour = SignedDuration::from_hours(1);
    let back = tally(step(a_day_of("* * * * *", Value::Null), "2026-03-02T10:00:30Z", -hour));
    assert_eq!((back.fires, back.late, back.instants()), (1380, 0, 1380));
    let (_, fires) = play(step(a_day_of("* * * * *", Value::Null), "2026-03-02T10:00:30Z", -hour));
    let mut owed: Vec<Timestamp> = fires.iter().map(|fire| fire.owed_at).collect();
    owed.dedup();
    assert_eq!(owed.len(), 1380);

    // By more than a clock may be wrong, what it has seen is still not repeated.
    let far = play(step(a_day_of("0 10 * * *", Value::Null), "2026-03-02T12:00:00Z", -hour * 6)).1;
    assert_eq!(far.len(), 1, "{far:?}");
}

#[test]
fn a_clock_that_is_set_forwards_is_caught_up_with() {
    let day = step(a_day_of("* * * * *", Value::Null), "2026-03-02T10:00:30Z", SignedDuration::from_hours(1));
    let forwards = tally(day);
    assert_eq!((forwards.late, forwards.gaps, forwards.skipped(SkipReason::Coalesced)), (1, 1, 59));
    assert_eq!(forwards.instants(), 1500, "its last hour is the first of the next day");
    // Two are few enough to run both.
    let little = step(a_day_of("@hourly", Value::Null), "2026-03-02T10:40:00Z", SignedDuration::from_mins(45));
    let little = tally(little);
    assert_eq!((little.late, little.gaps), (1, 0));
}

#[test]
fn a_run_ends_with_its_timeout_and_is_tried_again_if_the_job_says_so() {
    let day = |more: Value| tally(lasting(a_day_of("@hourly", more), 600));
    let once = day(json!({"timeout": "5m"}));
    assert_eq!((once.fires, once.timed_out, once.retries), (24, 24, 0));
    let again = day(json!({"timeout": "5m", "retries": {"max": 2, "backoff": "1m"}}));
    assert_eq!((again.fires, again.timed_out, again.retries, again.instants()), (72, 72, 48, 24));
    assert_eq!((again.late, again.waited), (0, 0), "to be put off is not to wait");
}

#[test]
fn a_pause_ends_when_it_says() {
    let mut day = a_day_of("@hourly", Value::Null);
    let paused = Paused {
        job: "job".parse().unwrap(),
        at: day.from,
        until: Some(super::at("2026-03-02T06:30:00Z")),
        reason: None,
    };
    day.jobs[0].paused = Some(paused.clone());
    let some = tally(day.clone());
    assert_eq!((some.fires, some.skipped(SkipReason::Paused)), (17, 7));
    day.jobs[0].paused = Some(Paused { until: None, ..paused });
    assert_eq!(tally(day).fires, 0);
}

#[test]
fn a_job_that_has_run_before_has_fewer_left() {
    let mut day = a_day_of("@hourly", json!({"max_runs": 5}));
    day.jobs[0].started = 3;
    assert_eq!(tally(day.clone()).fires, 2);
    day.jobs[0].started = 5;
    assert_eq!(tally(day).fires, 0);
}
