//! A pass over many jobs: look, plan, admit. Once a minute, however many jobs there are.
#![forbid(unsafe_code)]

use std::{cell::RefCell, sync::Arc, time::Duration};

use divan::Bencher;
use sched_benches::{BenchHome, NOON, Unsynced, WIDE, carry_out, daily, plans};
use scheduler_core::{
    Clock as _, JobStore,
    job::JobDefaults,
    store::{Claim, Edit, MemoryStore},
    testing::ManualClock,
};
use tokio::runtime::Runtime;

const SIZES: [usize; 3] = [1000, 10_000, 100_000];

fn main() {
    divan::main();
}

/// Nothing is due: what a pass costs for having jobs at all.
#[divan::bench(args = SIZES)]
fn idle_in_memory(bencher: Bencher<'_, '_>, jobs: usize) {
    let runtime = runtime();
    let clock = Arc::new(ManualClock::at(NOON));
    let store = MemoryStore::new(Arc::clone(&clock) as _, JobDefaults::default());
    runtime.block_on(store.define(Edit::Add(daily(jobs)))).expect("the jobs are valid");
    bencher.bench_local(|| runtime.block_on(plans(&store, clock.now())).len());
}

/// The jobs of one minute out of a day's: 1,440th of them.
#[divan::bench(args = SIZES)]
fn a_minute_in_memory(bencher: Bencher<'_, '_>, jobs: usize) {
    let runtime = runtime();
    let clock = Arc::new(ManualClock::at(NOON));
    let store = MemoryStore::new(Arc::clone(&clock) as _, JobDefaults::default());
    runtime.block_on(store.define(Edit::Add(daily(jobs)))).expect("the jobs are valid");
    minutes(bencher, &runtime, &store, &clock);
}

/// The same in a home folder: the admissions are one frame and one sync.
#[divan::bench(args = SIZES, sample_count = 30)]
fn a_minute_on_disk(bencher: Bencher<'_, '_>, jobs: usize) {
    let runtime = runtime();
    let clock = Arc::new(ManualClock::at(NOON));
    let home = BenchHome::new(None, Arc::clone(&clock) as _, &daily(jobs));
    minutes(bencher, &runtime, &home.store(), &clock);
}

/// The same again without the sync.
#[divan::bench(args = SIZES, sample_count = 30)]
fn a_minute_unsynced(bencher: Bencher<'_, '_>, jobs: usize) {
    let runtime = runtime();
    let clock = Arc::new(ManualClock::at(NOON));
    let home = BenchHome::new(None, Arc::clone(&clock) as _, &daily(jobs)).with_fs(Arc::new(Unsynced));
    minutes(bencher, &runtime, &home.store(), &clock);
}

/// Lets a minute pass, and measures the pass that follows it. What it claimed is run and over before the next minute.
fn minutes(bencher: Bencher<'_, '_>, runtime: &Runtime, store: &dyn JobStore, clock: &ManualClock) {
    let claims: RefCell<Vec<Claim>> = RefCell::default();
    runtime.block_on(plans(store, clock.now()));
    bencher
        .with_inputs(|| {
            runtime.block_on(carry_out(store, &claims.take()));
            clock.advance(Duration::from_mins(1));
        })
        .bench_local_values(|()| {
            let won = runtime.block_on(async {
                let plans = plans(store, clock.now()).await;
                store.admit(plans, WIDE).await.expect("admit")
            });
            claims.borrow_mut().extend(won.into_iter().flatten().flatten());
        });
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}
