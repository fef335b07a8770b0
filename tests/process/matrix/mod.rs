//! The fault matrix: each way in which a scheduler has died unnoticed, brought about in a home of its own with real processes.
//! From the time that stands in its row on, `status` is never healthy, somebody is told, and when it is over all is well again
//! and nothing has fired twice.
//!
//! `rows` has the faults, `scene` the home and what is looked at. A new fault is a row in `rows` and one in docs/liveness.md, which are compared. With `FAULT=beat` only those are brought about whose names have that
//! in them; `scripts/fault-matrix` does, and shows the table.

mod rows;
mod scene;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

pub(crate) use rows::{Row, all};
use scene::Seen;

/// Most of the time most of them wait.
const AT_ONCE: usize = 6;

/// Begins on a line of its own, whatever the test runner has written before it.
const HEADER: [&str; 5] = ["FAULT", "VERDICT", "AFTER", "TOLD", "OVER AFTER"];

#[test]
fn every_fault_is_told_in_time_and_never_called_healthy() {
    let wanted = std::env::var("FAULT").unwrap_or_default();
    let rows: Vec<Row> = all().into_iter().filter(|row| row.name.contains(&wanted)).collect();
    let (next, seen) = (AtomicUsize::new(0), Mutex::new(vec![None; rows.len()]));
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(row) = rows.get(at) else { break };
            let done = catch_unwind(AssertUnwindSafe(|| scene::play(row)));
            seen.lock().expect("nobody panics with it")[at] = Some(done.map_err(|_| row.name));
        }
    };
    thread::scope(|scope| (0..AT_ONCE).for_each(|_| drop(scope.spawn(work))));
    let seen = seen.into_inner().expect("nobody panicked with it");
    show(&rows, &seen);
    let failed: Vec<&str> = seen.iter().flatten().filter_map(|done| done.as_ref().err().copied()).collect();
    assert!(!rows.is_empty() && failed.is_empty(), "above is why: {failed:#?}");
}

/// The table: each fault, what it was called after how many seconds, and when somebody was told.
#[expect(clippy::print_stdout, reason = "whoever runs the tests must see how long each took, and what was not proved")]
fn show(rows: &[Row], seen: &[Option<Result<Option<Seen>, &'static str>>]) {
    let [fault, verdict, after, told, over] = HEADER;
    println!("\n{fault:<42} {verdict:<16} {after:>8} {told:>8} {over:>10}");
    for (row, seen) in rows.iter().zip(seen) {
        match seen {
            Some(Ok(Some(seen))) => println!(
                "{:<42} {:<16} {:>6.1} s {:>6.1} s {:>8.1} s",
                row.fault,
                row.verdict,
                seen.detected.as_secs_f64(),
                seen.told.as_secs_f64(),
                seen.over.as_secs_f64(),
            ),
            Some(Ok(None)) => println!("{:<42} not allowed here, nothing is proved", row.fault),
            Some(Err(_)) | None => println!("{:<42} failed", row.fault),
        }
    }
    println!("intervals of 1 s; told by a watchdog that looked at once: one of a crontab looks within 60 s");
}
