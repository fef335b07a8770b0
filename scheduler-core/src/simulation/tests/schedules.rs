//! On an ordinary day everything fires when its schedule says, and nothing else does.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{a_day_of, entry, play, scenario, tally};

#[test]
fn a_minute_job_fires_1440_times_a_day() {
    let tally = tally(a_day_of("* * * * *", Value::Null));
    assert_eq!((tally.fires, tally.late, tally.instants(), tally.max_open), (1440, 0, 1440, 1));
    assert_eq!((tally.skips.len(), tally.gaps, tally.waiting, tally.open), (0, 0, 0, 0));
}

#[test]
fn the_fires_are_the_instants_of_the_schedule() {
    let days = [
        ("2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z"),
        ("2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z"),
        ("2026-07-01T00:00:00Z", "2026-07-03T00:00:00Z"),
    ];
    let schedules = [
        "* * * * *",
        "*/7 2-3 * * *",
        "30 2 * * *",
        "0,30 1-3 * * 0",
        "H/15 * * * *",
        "17~41 * * * *",
        "*/20 * * * * *",
        "@hourly",
        "@daily",
        "every 7m",
        "every 24h",
        "every weekday 18:00",
        "2026-07-01T09:30:00Z",
        "@reboot",
        "@manually",
    ];
    for (from, to) in days {
        for zone in ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"] {
            for schedule in schedules {
                let scenario = scenario(vec![entry("job", schedule, json!({"timezone": zone}))], from, to);
                let (begin, end) = (scenario.from, scenario.to);
                let job = scenario.jobs[0].job.clone().unwrap();
                let before = begin - SignedDuration::from_nanos(1);
                let first = job.schedule.next_after(before, &job.time_zone);
                let owed = std::iter::successors(first, |at| job.schedule.next_after(*at, &job.time_zone));
                let owed: Vec<Timestamp> = owed.take_while(|at| *at < end).collect();
                let (report, fires) = play(scenario);
                let fired: Vec<Timestamp> = fires.iter().map(|fire| fire.at).collect();
                assert_eq!(fired, owed, "{schedule} in {zone} from {from}");
                assert!(fires.iter().all(|fire| fire.at == fire.owed_at && fire.waited.is_zero()));
                assert_eq!(report.jobs[0].instants(), owed.len() as u64);
            }
        }
    }
}

#[test]
fn the_days_of_a_clock_change_are_as_long_as_they_are() {
    let check = |schedule: &str, from: &str, to: &str, expected: u64| {
        let job = entry("job", schedule, json!({"timezone": "Europe/Berlin"}));
        assert_eq!(tally(scenario(vec![job], from, to)).fires, expected, "{schedule} from {from}");
    };
    let spring = ("2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00");
    let autumn = ("2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00");
    check("@hourly", spring.0, spring.1, 23);
    check("@hourly", autumn.0, autumn.1, 25);
    check("30 2 * * *", spring.0, spring.1, 1);
    check("30 2 * * *", autumn.0, autumn.1, 1);
    check("0,30 2 * * *", spring.0, spring.1, 1);
    check("*/30 2 * * *", spring.0, spring.1, 0);
}

#[test]
fn what_a_job_says_about_itself_counts() {
    let check =
        |more: Value, expected: u64| assert_eq!(tally(a_day_of("@hourly", more.clone())).fires, expected, "{more}");
    check(json!({"enabled": false}), 0);
    check(json!({"max_runs": 5}), 5);
    check(json!({"start_at": "2026-03-02T20:30:00Z"}), 3);
    check(json!({"end_at": "2026-03-02T03:30:00Z"}), 4);
    check(json!({"retries": {"max": 3}}), 24);
}
