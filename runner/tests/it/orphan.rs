//! Runs whose owner died: found again by what was noted or by their environment, and seen to their end.

use std::{
    fs,
    sync::{Arc, Mutex},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use scheduler_core::{JobRunner, Orphan, ProcessRef, RunContext, RunResult};
use tokio_util::sync::CancellationToken;

use crate::support::{Bench, PATIENCE, processes_of, text, until};

/// A run without an owner: it is let go of as a daemon does that dies, but for that its child is now a zombie after its
/// end instead of being inherited by init.
async fn orphan(bench: &Bench, run: &RunContext) -> ProcessRef {
    let started = bench.start(run.clone(), "ready").await;
    started.outcome.abort();
    let _ = started.outcome.await;
    started.process
}

fn noted(run: &RunContext, process: Option<&ProcessRef>) -> Orphan {
    Orphan::new(run.run.clone(), run.job.clone(), process.cloned())
}

fn go(bench: &Bench) {
    fs::write(bench.path("go"), "x\n").unwrap();
}

const WAITS: &str = "mkfifo $DIR/go; echo begun; touch $DIR/ready; read x <$DIR/go; echo done";

#[tokio::test]
async fn a_living_one_is_found_with_and_without_a_note() {
    let bench = Bench::new();
    let run = bench.shell(WAITS);
    let process = orphan(&bench, &run).await;
    assert_eq!(bench.runner.find_orphan(&noted(&run, Some(&process))), Some(process.clone()));
    assert_eq!(bench.runner.find_orphan(&noted(&run, None)), Some(process.clone()));
    let other = bench.shell("true");
    assert_eq!(bench.runner.find_orphan(&noted(&other, None)), None);
    // One of another boot can't be alive, whatever looks like it.
    let earlier = ProcessRef { boot_id: "another boot".into(), ..process.clone() };
    assert_eq!(bench.runner.find_orphan(&noted(&run, Some(&earlier))), None);
    go(&bench);
    until("it is gone", || !sched_runner::proc::is_alive(&process)).await;
    assert_eq!(bench.runner.find_orphan(&noted(&run, Some(&process))), None);
    assert_eq!(bench.runner.find_orphan(&noted(&run, None)), None);
}

#[tokio::test]
async fn a_pid_of_another_process_or_boot_is_not_it() {
    let bench = Bench::new();
    let run = bench.shell("true");
    let me = sched_runner::proc::myself();
    assert_eq!(bench.runner.find_orphan(&noted(&run, Some(&ProcessRef { start_time: 1, ..me.clone() }))), None);
    assert_eq!(bench.runner.find_orphan(&noted(&run, Some(&ProcessRef { boot_id: "old".into(), ..me }))), None);
}

#[tokio::test]
async fn adoption_waits_for_the_end() {
    let bench = Bench::new();
    let run = bench.shell(WAITS);
    let process = orphan(&bench, &run).await;
    let adopted = tokio::spawn({
        let (runner, orphan, run) = (bench.runner.clone(), noted(&run, Some(&process)), run.clone());
        async move { runner.adopt(orphan, run).await }
    });
    // Not before it has ended, which it can't before it is told to.
    assert!(sched_runner::proc::is_alive(&process));
    assert!(!adopted.is_finished());
    go(&bench);
    let outcome = tokio::time::timeout(PATIENCE, adopted).await.unwrap().unwrap();
    assert!(!sched_runner::proc::is_alive(&process));
    assert_eq!(outcome.result, RunResult::Unknown);
    assert_eq!(outcome.message.as_deref(), Some("its owner died; exit status not known"));
    assert_eq!(text(&outcome.output.unwrap().path), "begun\ndone\n");
}

#[tokio::test]
async fn one_that_is_gone_is_unknown_at_once() {
    let bench = Bench::new();
    let run = bench.shell("echo hello");
    let outcome = bench.runner.adopt(noted(&run, None), run).await;
    assert_eq!((outcome.result, outcome.output), (RunResult::Unknown, None));
}

/// The owner died before it could note the process; then what left its session must not hold the run up either.
#[tokio::test]
async fn one_without_a_note_is_noted_by_who_adopts_it() {
    let bench = Bench::new();
    let run = bench.shell("mkfifo $DIR/go; setsid sleep 1000 & touch $DIR/ready; read x <$DIR/go");
    let process = orphan(&bench, &run).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let context = run.clone().on_spawned({
        let seen = Arc::clone(&seen);
        move |process| seen.lock().unwrap().push(process)
    });
    let adopted = tokio::spawn({
        let (runner, orphan) = (bench.runner.clone(), noted(&run, None));
        async move { runner.adopt(orphan, context).await }
    });
    until("it is noted", || *seen.lock().unwrap() == [process.clone()]).await;
    go(&bench);
    let outcome = tokio::time::timeout(PATIENCE, adopted).await.unwrap().unwrap();
    assert_eq!(outcome.result, RunResult::Unknown);
    assert_eq!(processes_of(&run).len(), 1);
}

/// The main process is gone, but what it started in its session still works for it.
#[tokio::test]
async fn who_is_left_in_the_session_counts_and_who_left_it_does_not() {
    let bench = Bench::new();
    let line = "mkfifo $DIR/go $DIR/away; setsid sh -c 'echo >$DIR/away; exec sleep 1000' & read x <$DIR/away; \
                (echo begun; touch $DIR/ready; read x <$DIR/go; echo done) & wait $!; exit";
    let run = bench.shell(line);
    let process = orphan(&bench, &run).await;
    kill_process(Pid::from_raw(process.pid.cast_signed()).unwrap(), Signal::KILL).unwrap();
    until("the main process is gone", || !sched_runner::proc::is_alive(&process)).await;
    let left = bench.runner.find_orphan(&noted(&run, Some(&process))).unwrap();
    assert_ne!(left.pid, process.pid);
    assert!(sched_runner::proc::is_alive(&left));
    go(&bench);
    until("the one in the session is gone", || !sched_runner::proc::is_alive(&left)).await;
    assert_eq!(bench.runner.find_orphan(&noted(&run, Some(&process))), None);
    // The one that left the session goes on, as it would after a run with a living owner.
    let rest = processes_of(&run);
    assert_eq!(rest.len(), 1, "{rest:?}");
}

#[tokio::test]
async fn deadline_and_cancel_hold_for_adopted_ones() {
    let bench = Bench::with(|config| config.kill_after = Duration::from_millis(200));
    let line = "trap '' TERM; setsid sh -c 'touch $DIR/ready; sleep 1000' & sleep 1000";
    let check = async |with_note: bool, cancel: bool, expected: RunResult| {
        let run = bench.shell(line);
        let process = orphan(&bench, &run).await;
        let token = CancellationToken::new();
        let context = if cancel {
            token.cancel();
            run.clone().with_cancel(token)
        } else {
            run.clone().with_timeout(Some(Duration::from_millis(100)))
        };
        let outcome = bench.runner.adopt(noted(&run, with_note.then_some(&process)), context).await;
        assert_eq!(outcome.result, expected, "{outcome:?}");
        assert!(outcome.message.unwrap().ends_with("; still running 200ms after SIGTERM, so killed"));
        assert_eq!(processes_of(&run), [0_u32; 0]);
        fs::remove_file(bench.path("ready")).unwrap();
    };
    check(true, true, RunResult::Cancelled).await;
    check(true, false, RunResult::TimedOut).await;
    check(false, true, RunResult::Cancelled).await;
}

#[tokio::test]
async fn an_adopted_one_stays_within_its_output() {
    let bench = Bench::with(|config| config.output_limit = 4096);
    let line = "mkfifo $DIR/go; touch $DIR/ready; read x <$DIR/go; head -c 10000000 /dev/zero; touch $DIR/written; \
                read x <$DIR/go; echo done";
    let run = bench.shell(line);
    let process = orphan(&bench, &run).await;
    let adopted = tokio::spawn({
        let (runner, orphan, run) = (bench.runner.clone(), noted(&run, Some(&process)), run.clone());
        async move { runner.adopt(orphan, run).await }
    });
    go(&bench);
    until("it has written", || bench.path("written").exists()).await;
    let on_disk = || std::os::unix::fs::MetadataExt::blocks(&fs::metadata(bench.log(&run)).unwrap()) * 512;
    until("it is punched", || on_disk() < 100_000).await;
    go(&bench);
    let output = tokio::time::timeout(PATIENCE, adopted).await.unwrap().unwrap().output.unwrap();
    assert_eq!((output.written, output.kept), (10_000_005, 4096));
    assert!(text(&output.path).ends_with("\0done\n"));
}
