//! What a job owes, as tables: schedule, policy, how far the cursor is, what time it is, and the plan in short.

use serde_json::{Value, json};

use super::*;
use crate::job::{JobDefaults, parse_definition};

fn job(schedule: &str, more: Value) -> Job {
    let mut entry = json!({"id": "job", "schedule": schedule, "command": "true"});
    if let (Value::Object(entry), Value::Object(more)) = (&mut entry, more) {
        entry.extend(more);
    }
    parse_definition(&entry, &JobDefaults::default(), "UTC", Timestamp::UNIX_EPOCH).unwrap()
}

fn at(time: &str) -> Timestamp {
    format!("2026-03-02T{time}Z").parse().unwrap()
}

/// `10:00:00`: the time of an instant of that day, with its day if it is another one.
fn short(at: Timestamp) -> String {
    at.to_string().replace("2026-03-02T", "").replace('Z', "")
}

fn in_short(plan: Option<Plan>) -> String {
    let Some(plan) = plan else { return "nothing".into() };
    let mut words = Vec::new();
    for gap in plan.gaps {
        words.push(format!("gap {:?} {}..{}", gap.reason, short(gap.from), short(gap.to)));
    }
    words.extend(plan.close.into_iter().map(|(run, reason)| format!("close {run} {reason:?}")));
    for (at, planned) in plan.admit {
        words.push(match planned {
            Planned::Run(Cause::Late) => format!("late {}", short(at)),
            Planned::Run(_) => format!("run {}", short(at)),
            Planned::Skip(reason) => format!("skip {reason:?} {}", short(at)),
        });
    }
    words.push(format!("then {}", plan.next_at.map_or_else(|| "never".into(), short)));
    words.join(", ")
}

fn check(job: &Job, cursor: &Cursor, now: &str, expected: &str) {
    assert_eq!(in_short(plan(job, cursor, at(now))), expected, "{} at {now}", job.schedule);
}

fn from(next_at: &str) -> Cursor {
    Cursor { next_at: Some(at(next_at)), ..Cursor::default() }
}

#[test]
fn on_time_late_and_missed() {
    let minutely = job("* * * * *", json!({}));
    check(&minutely, &from("10:00:00"), "09:59:59", "nothing");
    check(&minutely, &from("10:00:00"), "10:00:00", "run 10:00:00, then 10:01:00");
    check(&minutely, &from("10:00:00"), "10:00:06", "late 10:00:00, then 10:01:00");
    check(&minutely, &from("10:00:00"), "10:01:00", "late 10:00:00, run 10:01:00, then 10:02:00");
    // Three are more than the two that may run side by side with the past.
    check(&minutely, &from("10:00:00"), "10:02:00", "gap Coalesced 10:00:00..10:01:00, run 10:02:00, then 10:03:00");
    // Two, but the older one is beyond the grace of 120 s.
    let quarterly = job("*/15 * * * *", json!({"misfire": {"grace": "2m"}}));
    check(&quarterly, &from("10:00:00"), "10:15:01", "skip Coalesced 10:00:00, run 10:15:00, then 10:30:00");
    let hourly = job("0 * * * *", json!({}));
    check(&hourly, &from("10:00:00"), "10:30:00", "late 10:00:00, then 11:00:00");
    check(&hourly, &from("10:00:00"), "10:31:00", "late 10:00:00, then 11:00:00");
}

#[test]
fn nothing_is_owed_by_a_job_without_a_cursor() {
    check(&job("@manually", json!({})), &Cursor::default(), "10:00:00", "nothing");
}

/// The job of a delay: its jitter is such that its own part of it is `delay`, to the millisecond.
fn delayed(schedule: &str, delay: Duration, more: Value) -> Job {
    let mut job = job(schedule, more);
    let least = delay.as_millis() as u64;
    let mut jitters = (least..least * 1000).map(Duration::from_millis);
    job.jitter = jitters.find(|jitter| crate::schedule::share("job", *jitter) == delay);
    assert_eq!(job.delay(), delay);
    job
}

#[test]
fn a_job_with_jitter_lives_by_a_clock_that_is_late() {
    let hourly = delayed("0 * * * *", Duration::from_secs(90), json!({}));
    check(&hourly, &from("10:00:00"), "10:01:29.999", "nothing");
    check(&hourly, &from("10:00:00"), "10:01:30", "run 10:00:00, then 11:00:00");
    check(&hourly, &from("10:00:00"), "10:01:35", "run 10:00:00, then 11:00:00");
    check(&hourly, &from("10:00:00"), "10:01:35.001", "late 10:00:00, then 11:00:00");
    // Two of them, of which the second is not due yet.
    check(&hourly, &from("10:00:00"), "11:01:29", "late 10:00:00, then 11:00:00");
    check(&hourly, &from("10:00:00"), "11:01:30", "skip Coalesced 10:00:00, run 11:00:00, then 12:00:00");
    let skip = |grace: &str| json!({"misfire": {"policy": "skip", "grace": grace}});
    let strict = delayed("0 * * * *", Duration::from_secs(90), skip("10s"));
    check(&strict, &from("10:00:00"), "10:01:40", "late 10:00:00, then 11:00:00");
    check(&strict, &from("10:00:00"), "10:01:41", "skip Misfire 10:00:00, then 11:00:00");
    let busy = Cursor { busy: true, ..from("10:00:00") };
    check(&hourly, &busy, "10:01:00", "nothing");
    check(&hourly, &busy, "10:01:30", "skip Overlap 10:00:00, then 11:00:00");
}

#[test]
fn what_a_definition_owes_when_it_ends_is_what_came_under_it() {
    let hourly = delayed("0 * * * *", Duration::from_secs(90), json!({}));
    let check = |now: &str, expected: &str| {
        assert_eq!(in_short(settle(&hourly, &from("10:00:00"), at(now))), expected, "at {now}");
    };
    check("09:59:59", "nothing");
    check("10:00:00", "run 10:00:00, then 11:00:00");
    check("10:01:00", "run 10:00:00, then 11:00:00");
    check("10:02:00", "late 10:00:00, then 11:00:00");
    check("11:00:00", "skip Coalesced 10:00:00, run 11:00:00, then 12:00:00");
}

#[test]
fn policies() {
    let policy = |policy: &str, max: u32| job("* * * * *", json!({"misfire": {"policy": policy, "max": max}}));
    let hour = from("09:00:00");
    check(&policy("latest", 9), &hour, "10:00:30", "gap Coalesced 09:00:00..09:59:00, late 10:00:00, then 10:01:00");
    check(
        &policy("all", 2),
        &hour,
        "10:00:30",
        "gap Misfire 09:00:00..09:58:00, late 09:59:00, late 10:00:00, then 10:01:00",
    );
    check(&policy("skip", 9), &hour, "10:00:30", "gap Misfire 09:00:00..10:00:00, then 10:01:00");
    // One that is on time was never missed.
    check(&policy("skip", 9), &hour, "10:00:03", "gap Misfire 09:00:00..09:59:00, run 10:00:00, then 10:01:00");
}

#[test]
fn overlap_is_recorded_by_instant_or_by_range() {
    let minutely = job("* * * * *", json!({}));
    let busy = |next_at: &str| Cursor { busy: true, ..from(next_at) };
    check(&minutely, &busy("10:00:00"), "10:00:00", "skip Overlap 10:00:00, then 10:01:00");
    check(&minutely, &busy("09:00:00"), "10:00:00", "gap Overlap 09:00:00..10:00:00, then 10:01:00");
    let allow = job("* * * * *", json!({"overlap": "allow"}));
    check(&allow, &busy("10:00:00"), "10:00:00", "run 10:00:00, then 10:01:00");
}

#[test]
fn nothing_is_owed_outside_of_its_time() {
    let bounded = job("* * * * *", json!({"start_at": "2026-03-02 10:00", "end_at": "2026-03-02T10:02:30Z"}));
    assert_eq!(bounded.next_after(at("08:00:00")), Some(at("10:00:00")), "the bounds are part of it");
    check(&bounded, &from("10:00:00"), "10:00:00", "run 10:00:00, then 10:01:00");
    check(&bounded, &from("10:02:00"), "10:02:00", "run 10:02:00, then never");
    check(&bounded, &from("10:00:00"), "11:00:00", "gap Coalesced 10:00:00..10:01:00, late 10:02:00, then never");
    let all = job("* * * * *", json!({"end_at": "2026-03-02 10:02", "misfire": {"policy": "all", "max": 2}}));
    check(
        &all,
        &from("09:00:00"),
        "11:00:00",
        "gap Misfire 09:00:00..10:00:00, late 10:01:00, late 10:02:00, then never",
    );
}

#[test]
fn behind_an_open_run_there_is_one_place() {
    let cursor = |next_at: &str, waiting: &[&str]| {
        let outstanding = waiting.iter().map(|time| (RunId::new("w"), at(time))).collect();
        Cursor { busy: true, outstanding, ..from(next_at) }
    };
    let queue = job("* * * * *", json!({"overlap": "queue"}));
    check(&queue, &cursor("10:00:00", &[]), "10:00:00", "run 10:00:00, then 10:01:00");
    check(&queue, &cursor("10:00:00", &["09:59:00"]), "10:00:00", "skip Overlap 10:00:00, then 10:01:00");
    let several = "gap Coalesced 09:58:00..09:59:00, run 10:00:00, then 10:01:00";
    check(&queue, &cursor("09:58:00", &[]), "10:00:00", several);
    let replace = job("* * * * *", json!({"overlap": "replace"}));
    check(&replace, &cursor("10:00:00", &[]), "10:00:00", "run 10:00:00, then 10:01:00");
    check(&replace, &cursor("10:00:00", &["09:59:00"]), "10:00:00", "close w Coalesced, run 10:00:00, then 10:01:00");
    check(&replace, &cursor("09:58:00", &[]), "10:00:00", several);
    for overlap in ["queue", "replace"] {
        let skip = job("0 * * * *", json!({"overlap": overlap, "misfire": {"policy": "skip", "grace": "1m"}}));
        check(&skip, &cursor("10:00:00", &[]), "10:30:00", "skip Misfire 10:00:00, then 11:00:00");
        check(&skip, &cursor("10:00:00", &[]), "10:00:30", "late 10:00:00, then 11:00:00");
    }
}

#[test]
fn what_was_never_started_counts() {
    let minutely = job("* * * * *", json!({}));
    let waiting = |times: &[&str]| {
        let outstanding = times.iter().enumerate().map(|(n, time)| (RunId::new(format!("r{n}")), at(time))).collect();
        Cursor { outstanding, ..from("10:00:00") }
    };
    check(&minutely, &waiting(&["09:59:00"]), "10:00:00", "run 10:00:00, then 10:01:00");
    let two = "close r0 Coalesced, close r1 Coalesced, run 10:00:00, then 10:01:00";
    check(&minutely, &waiting(&["09:58:00", "09:59:00"]), "10:00:00", two);
    // One that waits beyond the grace gives way to the newest.
    check(&minutely, &waiting(&["09:00:00"]), "10:00:00", "close r0 Coalesced, run 10:00:00, then 10:01:00");
}

#[test]
fn what_is_due_anew_takes_the_place_of_a_retry() {
    let last = Attempt { run: RunId::new("r0"), outcome: crate::Outcome::failed("no space") };
    let retrying = |next_at: &str| Cursor { retries: vec![(RunId::new("r1"), last.clone())], ..from(next_at) };
    let minutely = job("* * * * *", json!({}));
    check(&minutely, &retrying("10:00:00"), "09:59:59", "nothing");
    check(&minutely, &retrying("10:00:00"), "10:00:00", "close r1 Superseded, run 10:00:00, then 10:01:00");
    let allow = job("* * * * *", json!({"overlap": "allow"}));
    check(&allow, &retrying("10:00:00"), "10:00:00", "run 10:00:00, then 10:01:00");
    // It is no instant that waits, so it doesn't count as one.
    check(
        &minutely,
        &retrying("10:00:00"),
        "10:01:00",
        "close r1 Superseded, late 10:00:00, run 10:01:00, then 10:02:00",
    );
    // Nothing takes its place where nothing runs.
    let skip = job("0 * * * *", json!({"misfire": {"policy": "skip", "grace": "10s"}}));
    check(&skip, &retrying("10:00:00"), "10:30:00", "skip Misfire 10:00:00, then 11:00:00");
}

#[test]
fn suspect_instants_fire_on_time_or_never_and_lived_ones_never() {
    let minutely = job("* * * * *", json!({}));
    let suspect = |next_at: &str, lived: &[(&str, &str)]| Cursor {
        suspect_through: Some(at("10:10:00")),
        lived: lived.iter().map(|(from, to)| (at(from), at(to))).collect(),
        ..from(next_at)
    };
    check(&minutely, &suspect("10:05:00", &[]), "10:05:03", "run 10:05:00, then 10:06:00");
    check(&minutely, &suspect("10:05:00", &[]), "10:05:30", "skip ClockRepaired 10:05:00, then 10:06:00");
    let passed = "gap ClockRepaired 10:05:00..10:06:00, run 10:07:00, then 10:08:00";
    check(&minutely, &suspect("10:05:00", &[]), "10:07:00", passed);
    let lived = [("09:00:00", "10:05:00")];
    check(&minutely, &suspect("10:05:00", &lived), "10:05:01", "skip ClockRepaired 10:05:00, then 10:06:00");
    // Beyond what the wrong clock had reached, everything is owed as usual.
    let beyond = "gap ClockRepaired 10:05:00..10:10:00, late 10:11:00, late 10:12:00, then 10:13:00";
    check(&minutely, &suspect("10:05:00", &lived), "10:12:30", beyond);
}

#[test]
fn the_grace_is_half_the_period_within_bounds() {
    let check = |schedule: &str, more: Value, seconds: i64| {
        assert_eq!(grace(&job(schedule, more), at("10:00:00")).as_secs(), seconds, "{schedule}");
    };
    check("* * * * * *", json!({}), 120);
    check("*/10 * * * *", json!({}), 300);
    check("@hourly", json!({}), 1800);
    check("@daily", json!({}), 7200);
    check("2026-03-02T11:00:00Z", json!({}), 120);
    check("@daily", json!({"misfire": {"grace": "10s"}}), 10);
}
