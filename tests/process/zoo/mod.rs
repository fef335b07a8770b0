//! The zoo: every way in which a plugin is known to be bad, each in a home of its own with a daemon that is to use it. Whatever
//! it does, jobs fire in time, none twice, and one sentence says what is wrong with which file.
//!
//! `cases` has the animals and their sentences, `keeper` looks after one of them. `bad.c` and `bad.sh` are what they are made of,
//! and the example `panics` of the SDK. A new animal is a row in `cases`; with `ZOO=hangs` only those are looked at whose names have
//! that in them.

mod cases;
mod keeper;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use cases::Case;
pub(super) use keeper::in_c;

/// Most of the time most of them wait.
const AT_ONCE: usize = 8;

#[test]
fn whatever_a_plugin_does_jobs_fire_and_one_sentence_says_what_it_was() {
    let wanted = std::env::var("ZOO").unwrap_or_default();
    let cases: Vec<Case> = cases::all().into_iter().filter(|case| case.name.contains(&wanted)).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut failed = Vec::new();
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            if catch_unwind(AssertUnwindSafe(|| keeper::keep(case))).is_err() {
                eprintln!("that was: {}", case.name);
                failed.push(case.name);
            }
        }
        failed
    };
    let failed: Vec<&str> = thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker catches")).collect()
    });
    assert!(!cases.is_empty() && failed.is_empty(), "above is why: {failed:#?}");
}
