//! Timeout and cancel: all of a run goes, wherever its processes went, and nothing else.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use scheduler_core::{RunContext, RunResult};
use tokio_util::sync::CancellationToken;

use crate::support::{Bench, PATIENCE, Started, edit, processes_of, text, until};

/// A sleep that a test could never wait for.
const FOREVER: &str = "sleep 1000";

async fn cancelled(started: Started, cancel: &CancellationToken) -> scheduler_core::Outcome {
    cancel.cancel();
    let outcome = started.outcome().await;
    assert_eq!(outcome.result, RunResult::Cancelled, "{outcome:?}");
    outcome
}

fn cancellable(run: RunContext) -> (RunContext, CancellationToken) {
    let cancel = CancellationToken::new();
    (run.with_cancel(cancel.clone()), cancel)
}

#[tokio::test]
async fn a_timeout_is_one_even_if_the_job_then_exits_well() {
    let bench = Bench::new();
    let run = edit(bench.shell("trap 'echo bye; exit 0' TERM; echo hello; while :; do sleep 0.02; done"), |job| {
        job.timeout = Some(Duration::from_millis(300));
    });
    let timeout = run.job.timeout;
    let outcome = bench.run(run.with_timeout(timeout)).await;
    assert_eq!((outcome.result, outcome.exit_code), (RunResult::TimedOut, Some(0)));
    assert_eq!(outcome.message.as_deref(), Some("timed out after 300ms"));
    let shown = text(&outcome.output.unwrap().path);
    assert!(shown.starts_with("hello\n") && shown.ends_with("bye\n"), "{shown}");
}

#[tokio::test]
async fn one_that_ends_in_time_is_not_timed_out() {
    let bench = Bench::new();
    let outcome = bench.run(bench.shell("exit 4").with_timeout(Some(PATIENCE))).await;
    assert_eq!((outcome.result, outcome.exit_code), (RunResult::Failed, Some(4)));
}

/// The tree of a job that does all it can to get away, but for dropping its environment.
#[tokio::test]
async fn nothing_of_a_stopped_run_is_left_in_any_session() {
    let bench = Bench::new();
    let line = format!(
        "{FOREVER} & (setsid {FOREVER} &) ; setsid sh -c 'setsid {FOREVER} & nohup {FOREVER} >/dev/null & wait' & \
         env -i {FOREVER} & sh -m -c '{FOREVER} & wait' & touch $DIR/ready; wait"
    );
    let (run, cancel) = cancellable(bench.shell(&line));
    let started = bench.start(run.clone(), "ready").await;
    let session = started.process.pid.to_string();
    let in_session = || {
        let listed = std::process::Command::new("ps").args(["-o", "pid=,stat=", "-s", &session]).output().unwrap();
        String::from_utf8(listed.stdout).unwrap().lines().filter(|line| !line.contains('Z')).count()
    };
    // With the run's id five sleeps and three shells; in the session two shells and three sleeps, one without the id.
    until("all of it runs", || processes_of(&run).len() == 8 && in_session() == 5).await;
    let outcome = cancelled(started, &cancel).await;
    assert_eq!(outcome.message.as_deref(), Some("cancelled"));
    assert_eq!((processes_of(&run), in_session()), (vec![], 0));
}

#[tokio::test]
async fn one_that_ignores_sigterm_is_killed_after_the_grace() {
    let grace = Duration::from_millis(300);
    let bench = Bench::with(|config| config.kill_after = grace);
    let line = "trap '' TERM; setsid sh -c 'touch $DIR/ready; sleep 1000' & sleep 1000";
    let (run, cancel) = cancellable(bench.shell(line));
    let started = bench.start(run.clone(), "ready").await;
    let begun = Instant::now();
    let outcome = cancelled(started, &cancel).await;
    assert!(begun.elapsed() >= grace, "{:?}", begun.elapsed());
    assert_eq!(outcome.signal, Some(9));
    assert_eq!(outcome.message.as_deref(), Some("cancelled; still running 300ms after SIGTERM, so killed"));
    assert_eq!(processes_of(&run), [0_u32; 0]);
}

/// Those who obey have the whole grace for it, and the helpers they start meanwhile are not disturbed.
#[tokio::test]
async fn cleaning_up_is_not_cut_short() {
    let bench = Bench::new();
    let line = "trap 'sh -c \"read x <$DIR/go; echo cleaned\"; exit 0' TERM; mkfifo $DIR/go; touch $DIR/ready; \
                while :; do sleep 0.02; done";
    let (run, cancel) = cancellable(bench.shell(line));
    let started = bench.start(run.clone(), "ready").await;
    cancel.cancel();
    let helper = format!("read x <{}; echo cleaned", bench.path("go").display());
    until("the helper runs", || {
        processes_of(&run)
            .iter()
            .any(|pid| std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default().contains(&helper))
    })
    .await;
    assert!(!started.outcome.is_finished());
    std::fs::write(bench.path("go"), "go\n").unwrap();
    let outcome = started.outcome().await;
    assert_eq!((outcome.result, outcome.exit_code), (RunResult::Cancelled, Some(0)));
    assert!(text(&outcome.output.unwrap().path).ends_with("cleaned\n"));
}

/// SIGTERM to a process that was stopped waits until it goes on, which it would never do.
#[tokio::test]
async fn a_suspended_job_can_obey() {
    let bench = Bench::new();
    let (run, cancel) = cancellable(bench.shell("trap 'echo woken; exit 0' TERM; touch $DIR/ready; kill -STOP $$"));
    let started = bench.start(run, "ready").await;
    let pid = started.process.pid;
    until("it is stopped", || sched_runner::proc::state(pid) == Some('T')).await;
    let outcome = cancelled(started, &cancel).await;
    assert_eq!((outcome.exit_code, text(&outcome.output.unwrap().path).as_str()), (Some(0), "woken\n"));
}

/// A run that is stopped takes only its own with it.
#[tokio::test]
async fn another_run_of_the_same_job_goes_on() {
    let bench = Bench::new();
    let (one, cancel_one) = cancellable(bench.shell("touch $DIR/one; sleep 1000"));
    let (other, cancel_other) = cancellable(bench.shell("touch $DIR/other; sleep 1000"));
    let started = bench.start(one.clone(), "one").await;
    let bystander = bench.start(other.clone(), "other").await;
    cancelled(started, &cancel_one).await;
    assert_eq!(processes_of(&one), [0_u32; 0]);
    assert!(sched_runner::proc::is_alive(&bystander.process));
    cancelled(bystander, &cancel_other).await;
    assert_eq!(processes_of(&other), [0_u32; 0]);
}

/// New processes come faster than one look at all of them takes.
#[tokio::test]
async fn one_that_keeps_forking_is_stopped() {
    let bench = Bench::with(|config| config.kill_after = Duration::from_millis(100));
    let line = "trap '' TERM; setsid sh -c 'while :; do setsid sleep 0.3 & sleep 0.01; done' & touch $DIR/ready; wait";
    let (run, cancel) = cancellable(bench.shell(line));
    let started = bench.start(run.clone(), "ready").await;
    until("it has forked a few times", || processes_of(&run).len() > 8).await;
    cancelled(started, &cancel).await;
    assert_eq!(processes_of(&run), [0_u32; 0]);
}

/// A start can hang (a dead mount). The run is over in time, and what comes of the start after all is ended.
#[tokio::test]
async fn a_start_that_hangs_does_not_hold_the_run() {
    let bench = Bench::new();
    let (go_on, gate) = std::sync::mpsc::channel::<()>();
    let gate = Arc::new(Mutex::new(gate));
    let process = Arc::new(Mutex::new(None));
    let run = bench.shell("sleep 1000").with_timeout(Some(Duration::from_millis(100))).on_spawned({
        let process = Arc::clone(&process);
        // Called on the thread that starts the child: this is a start that doesn't come back.
        move |noted| {
            *process.lock().unwrap() = Some(noted);
            let _ = gate.lock().unwrap().recv();
        }
    });
    let outcome = bench.run(run.clone()).await;
    assert_eq!(outcome.result, RunResult::TimedOut);
    assert!(outcome.message.unwrap().starts_with("stopped while it was still being started"));
    let process = process.lock().unwrap().clone().unwrap();
    assert!(sched_runner::proc::is_alive(&process));
    go_on.send(()).unwrap();
    until("it is gone, and its file", || sched_runner::proc::state(process.pid).is_none() && !bench.log(&run).exists())
        .await;
}

/// As in a drain: they share their looks at the machine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_are_cancelled_at_once() {
    let bench = Bench::new();
    let cancel = CancellationToken::new();
    let mut all = Vec::new();
    for number in 0..50 {
        let run = bench.shell(&format!("setsid sleep 1000 & touch $DIR/{number}; wait")).with_cancel(cancel.clone());
        all.push((run.clone(), bench.start(run, &number.to_string()).await));
    }
    let begun = Instant::now();
    cancel.cancel();
    for (run, started) in all {
        assert_eq!(started.outcome().await.result, RunResult::Cancelled);
        assert_eq!(processes_of(&run), [0_u32; 0]);
    }
    println!("50 runs of 3 processes each cancelled in {:?}", begun.elapsed());
}
