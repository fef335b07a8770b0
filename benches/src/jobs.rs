//! Entries of jobs.json by the thousand.

use serde_json::{Value, json};

/// When the clocks of the benchmarks stand: no job of [`daily`] is due before a minute has passed.
pub const NOON: &str = "2026-03-01T12:00:00Z";

const MINUTES_OF_A_DAY: usize = 24 * 60;

/// So many jobs that fire once a day, spread evenly over its minutes.
pub fn daily(count: usize) -> Vec<Value> {
    let entry = |n: usize| {
        let (hour, minute) = (n % MINUTES_OF_A_DAY / 60, n % 60);
        entry(n, &format!("{minute} {hour} * * *"))
    };
    (0..count).map(entry).collect()
}

/// So many jobs that fire only when they are asked to.
pub fn manual(count: usize) -> Vec<Value> {
    (0..count).map(|n| entry(n, "@manually")).collect()
}

/// So many jobs that fire every minute, and others that never do by the clock.
pub fn due_each_minute(due: usize, others: usize) -> Vec<Value> {
    let schedule = |n| if n < due { "* * * * *" } else { "@manually" };
    (0..due + others).map(|n| entry(n, schedule(n))).collect()
}

fn entry(n: usize, schedule: &str) -> Value {
    json!({"id": format!("job-{n}"), "schedule": schedule, "timezone": "UTC", "command": ["/bin/true"]})
}
