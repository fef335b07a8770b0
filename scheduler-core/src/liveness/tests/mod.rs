//! The verdict as a table, its property, the file of a beat, and the thread that writes it.
#![expect(clippy::disallowed_methods, reason = "tests make the files that the code under test finds")]

mod file;
mod healthy;
mod pulse;
mod rows;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::ProcessRef;

const HOUR: Duration = Duration::from_hours(1);
const START: u64 = 50_000;

fn now() -> Timestamp {
    "2026-11-22T03:00:00Z".parse().unwrap()
}

fn ago(seconds: i64) -> Timestamp {
    now() - SignedDuration::from_secs(seconds)
}

fn holder() -> ProcessRef {
    ProcessRef { pid: 4711, start_time: START, boot_id: "boot".into() }
}

/// Facts of a machine up for ten hours, two of them asleep, with a daemon that has run well for hours. LIVE.
fn live() -> Facts {
    let mut facts = Facts {
        now: now(),
        boottime: 10 * HOUR,
        monotonic: 8 * HOUR,
        boot_id: Some("boot".into()),
        machine_id: Some("machine".into()),
        pid_ns: Some(1),
        home_exists: true,
        holder_state: Some('S'),
        ..Facts::default()
    };
    facts.lock = LockFacts { held: true, holder: Some(holder()), unreadable: None };
    facts.jobs = JobFacts { total: 3, enabled: 2, next: Some(ago(-60)), ..JobFacts::default() };
    facts.beat = Ok(beat(&facts, 10));
    facts.account.every = Some(Account::EVERY);
    facts.account.last = Ok(looked(&facts, 600));
    facts
}

/// The beat of that daemon, `seconds` old.
fn beat(facts: &Facts, seconds: u64) -> Heartbeat {
    let age = Duration::from_secs(seconds);
    let ns = |time: Duration| time.checked_sub(age).unwrap().as_nanos() as u64;
    Heartbeat {
        machine_id: Some("machine".into()),
        boot_id: "boot".into(),
        pid: 4711,
        pid_ns: Some(1),
        proc_start: START,
        cycle: 500,
        phase: Phase::Idle,
        at: ago(seconds as i64),
        boottime_ns: ns(facts.boottime),
        monotonic_ns: ns(facts.monotonic),
        progress_monotonic_ns: ns(facts.monotonic),
        provider_ticks: true,
        provider_monotonic_ns: Some(ns(facts.monotonic)),
        last_success_at: Some(ago(seconds as i64)),
        ..Heartbeat::new("node", ago(30_000), Duration::from_mins(1))
    }
}

/// A look at the history `seconds` ago that missed nothing.
fn looked(facts: &Facts, seconds: u64) -> Account {
    let (at, awake) = (ago(seconds as i64), facts.monotonic.checked_sub(Duration::from_secs(seconds)).unwrap());
    let text = format!(r#"{{"format": 1, "at": "{at}", "since": "{}"}}"#, at - 24 * SignedDuration::from_hours(1));
    let account: Account = serde_json::from_str(&text).unwrap();
    account.in_boot(Some("boot".into()), awake)
}

/// The same home without a daemon, driven by a `sched tick` every five minutes, the last one 30 s ago. LIVE.
fn ticked() -> Facts {
    let mut facts = live();
    facts.lock = LockFacts::default();
    facts.holder_state = None;
    facts.beat = Err(Unreadable::Missing);
    facts.tick = Ok(Heartbeat { previous_at: Some(ago(330)), provider_ticks: false, ..beat(&facts, 30) });
    facts
}
