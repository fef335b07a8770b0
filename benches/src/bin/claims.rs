//! How many occurrences a store in a home folder can hand out in a second, one at a time and many at once, every one durable.
//!
//! `claims FOLDER SECONDS JOBS` measures each way for about so many seconds, on a home below FOLDER with so many jobs, and
//! prints one JSON object. There are no processes in between: what is measured is the store.
#![forbid(unsafe_code)]

use std::{
    io::{self, Write as _},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use sched_benches::{BenchHome, NOON, WIDE, due_each_minute, fire, plans};
use scheduler_core::{
    Clock as _, JobStore, Outcome, RunResult,
    store::{Claim, JsonStore, Settled, Start},
    testing::ManualClock,
};
use serde_json::json;
use tokio::task::JoinSet;

/// How many jobs are due at once, where there are so many.
const AT_ONCE: usize = 1000;

fn main() {
    let mut words = std::env::args().skip(1);
    let mut word = |what| words.next().unwrap_or_else(|| panic!("{what} is missing: claims FOLDER SECONDS JOBS"));
    let folder = PathBuf::from(word("FOLDER"));
    let patience = Duration::from_secs_f64(word("SECONDS").parse().expect("SECONDS is a number"));
    let jobs: usize = word("JOBS").parse().expect("JOBS is a number");

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let answer = runtime.block_on(measure(&folder, patience, jobs));
    writeln!(io::stdout(), "{answer}").expect("stdout can be written");
}

async fn measure(folder: &std::path::Path, patience: Duration, jobs: usize) -> serde_json::Value {
    let clock = Arc::new(ManualClock::at(NOON));
    let due = jobs.min(AT_ONCE);
    let home = BenchHome::new(Some(folder), Arc::clone(&clock) as _, &due_each_minute(due, jobs - due));
    let begun = Instant::now();
    let store = Arc::new(home.store());
    store.jobs().await.expect("jobs.json is taken in");
    let first_open = begun.elapsed();
    let single = one_at_a_time(&store, patience).await;
    let batch = many_at_once(&store, &clock, patience, due).await;
    store.close().await.expect("everything is durable");
    json!({
        "jobs": jobs,
        "first_open_s": first_open.as_secs_f64(),
        "single_per_s": single,
        "at_once": due,
        "batch_claimed_per_s": batch.claimed,
        "batch_finished_per_s": batch.finished,
    })
}

/// Asked for, claimed, started, finished, and only then the next: each step waits for its own sync.
async fn one_at_a_time(store: &JsonStore, patience: Duration) -> f64 {
    let job = "job-0".parse().expect("an id");
    let begun = Instant::now();
    let mut count = 0;
    while begun.elapsed() < patience || count < 10 {
        count += 1;
        fire(store, &job, count.to_string()).await;
    }
    f64::from(count) / begun.elapsed().as_secs_f64()
}

/// Per second.
struct Rates {
    /// Planned, admitted and claimed: one frame and one sync for all of them.
    claimed: f64,
    /// The same with starts and ends, each asked for by a task of its own, as the engine does.
    finished: f64,
}

async fn many_at_once(store: &Arc<JsonStore>, clock: &ManualClock, patience: Duration, due: usize) -> Rates {
    let begun = Instant::now();
    let (mut rounds, mut claiming, mut all) = (0, Duration::ZERO, Duration::ZERO);
    while begun.elapsed() < patience || rounds < 3 {
        rounds += 1;
        clock.advance(Duration::from_mins(1));
        let round = Instant::now();
        let plans = plans(store.as_ref(), clock.now()).await;
        let won = store.admit(plans, WIDE).await.expect("admit");
        let claims: Vec<Claim> = won.into_iter().flatten().flatten().collect();
        claiming += round.elapsed();
        assert_eq!(claims.len(), due, "every job that is due is claimed");
        run_all(store, claims).await;
        all += round.elapsed();
    }
    let claims = (rounds * due) as f64;
    Rates { claimed: claims / claiming.as_secs_f64(), finished: claims / all.as_secs_f64() }
}

async fn run_all(store: &Arc<JsonStore>, claims: Vec<Claim>) {
    let mut runs: JoinSet<()> = JoinSet::new();
    for claim in claims {
        let store = Arc::clone(store);
        runs.spawn(async move {
            let start = store.start(&claim, WIDE).await.expect("the start can be written");
            assert!(matches!(start, Start::Go(_)), "the claim was lost: {start:?}");
            let settled =
                store.finish(&claim, Outcome::new(RunResult::Succeeded)).await.expect("the end can be written");
            assert_ne!(settled, Settled::Lost, "the claim was lost before its end");
        });
    }
    while let Some(run) = runs.join_next().await {
        run.expect("no panic");
    }
}
