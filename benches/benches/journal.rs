//! The journal: a frame with its sync and without, and reading it all again, as a start does.
#![forbid(unsafe_code)]

use std::{cell::Cell, sync::Arc};

use divan::Bencher;
use sched_benches::{BenchHome, Unsynced, daily, fire, manual};
use scheduler_core::{
    JobId, JobStore as _, OccurrenceKind, SystemClock,
    store::{Ask, Asked, JsonStore},
};
use tokio::runtime::Runtime;

fn main() {
    divan::main();
}

/// One change, durable: an occurrence is asked for.
#[divan::bench(sample_count = 200, sample_size = 1)]
fn append_synced(bencher: Bencher<'_, '_>) {
    let home = BenchHome::new(None, Arc::new(SystemClock), &manual(1));
    appends(bencher, &home.store());
}

/// The same without the sync.
#[divan::bench(sample_count = 200, sample_size = 1)]
fn append_unsynced(bencher: Bencher<'_, '_>) {
    let home = BenchHome::new(None, Arc::new(SystemClock), &manual(1)).with_fs(Arc::new(Unsynced));
    appends(bencher, &home.store());
}

/// The four steps of a run by hand, one after the other: three syncs, and an end that is synced with what comes next.
#[divan::bench(sample_count = 100, sample_size = 1)]
fn fire_synced(bencher: Bencher<'_, '_>) {
    let home = BenchHome::new(None, Arc::new(SystemClock), &manual(1));
    let (runtime, store, job) = (runtime(), home.store(), job());
    runtime.block_on(store.jobs()).expect("jobs.json is taken in");
    let count = Cell::new(0);
    bencher.bench_local(|| runtime.block_on(fire(&store, &job, next(&count))));
}

/// A start on a home that has been in use: the journal is read and every job checked.
#[divan::bench(args = [100, 10_000, 100_000], sample_count = 10, sample_size = 1)]
fn replay(bencher: Bencher<'_, '_>, jobs: usize) {
    let home = BenchHome::new(None, Arc::new(SystemClock), &daily(jobs));
    let runtime = runtime();
    runtime.block_on(home.store().jobs()).expect("jobs.json is taken in");
    bencher.bench_local(|| {
        let store = home.store();
        runtime.block_on(store.jobs()).expect("jobs").len()
    });
}

/// Every ask is an event of its own. The job is paused, so that each is over when it is written and none piles up.
fn appends(bencher: Bencher<'_, '_>, store: &JsonStore) {
    let (runtime, job, count) = (runtime(), job(), Cell::new(0));
    runtime.block_on(store.jobs()).expect("jobs.json is taken in");
    runtime.block_on(store.pause(vec![job.clone()], None, None)).expect("the job can be paused");
    let ask = || Ask { job: job.clone(), kind: OccurrenceKind::Manual, key: next(&count), force: false };
    bencher.with_inputs(ask).bench_local_values(|ask| {
        let asked = runtime.block_on(store.ask(ask)).expect("ask");
        assert!(matches!(asked, Asked::Skipped(..)), "{asked:?}");
    });
}

fn next(count: &Cell<u64>) -> String {
    count.set(count.get() + 1);
    count.get().to_string()
}

fn job() -> JobId {
    "job-0".parse().expect("an id")
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}
