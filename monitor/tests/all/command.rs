//! Programs as sinks.

use std::{fs, time::Duration};

use scheduler_core::{
    Notifier as _,
    config::sinks::{Sink, Via},
};
use serde_json::Value;

use crate::bench::{Bench, failed};

/// A sink that runs `script`, with `$1` as a path of its own.
fn shell(script: &str, path: &std::path::Path, timeout: Duration) -> Sink {
    let command = ["/bin/sh", "-c", script, "sh", &path.display().to_string()].map(str::to_owned).to_vec();
    Sink::new("pager", Via::Command { command, timeout })
}

#[tokio::test]
async fn a_program_gets_the_alert_on_its_standard_input() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("got");
    let bench = Bench::new(vec![shell("cat > $1", &path, Duration::from_secs(30))]);
    bench.fails("backup").await;
    let got: Value = serde_json::from_slice(&fs::read(&path).expect("it has run")).expect("JSON");
    assert_eq!((got["event"].as_str(), got["job"].as_str()), (Some("opened"), Some("backup")));
}

#[tokio::test]
async fn a_program_that_says_no_is_asked_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mended");
    // More is said than a pipe holds, and nothing is read.
    let script = "yes noise | head -c 198000 >&2; echo 'no modem' >&2; test -e $1 || exit 7";
    let bench = Bench::new(vec![shell(script, &path, Duration::from_secs(30))]);
    bench.fails("backup").await;
    let error = bench.alerts()[0].sinks["pager"].error.clone().expect("an error");
    assert_eq!(error, "`/bin/sh` failed with exit code 7: no modem");
    fs::write(&path, "").expect("mended");
    bench.later(20);
    bench.desk.settle(Duration::from_mins(1)).await;
    assert!(bench.alerts()[0].sinks["pager"].opened.is_some());
}

#[tokio::test]
async fn a_program_that_hangs_is_ended_with_all_it_started() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("pid");
    let script = "sleep 1000 & echo $! > $1; wait";
    let bench = Bench::new(vec![shell(script, &path, Duration::from_millis(700))]);
    bench.fails("backup").await;
    let error = bench.alerts()[0].sinks["pager"].error.clone().expect("an error");
    assert_eq!(error, "`/bin/sh` took longer than 700ms and was ended");
    let pid = fs::read_to_string(&path).expect("it has run");
    let gone = || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).ok();
        // Ended and not yet waited for by whoever has inherited it.
        stat.is_none_or(|stat| stat.contains(") Z "))
    };
    let patience = std::time::Instant::now() + Duration::from_secs(20);
    while !gone() {
        assert!(std::time::Instant::now() < patience, "its child lives");
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let command = vec!["/nonexistent/page".to_owned()];
    let bench = Bench::new(vec![Sink::new("pager", Via::Command { command, timeout: Duration::from_secs(1) })]);
    bench.fails("backup").await;
    let error = bench.alerts()[0].sinks["pager"].error.clone().expect("an error");
    assert_eq!(error, "cannot start `/nonexistent/page`: no such file or directory");
}

#[tokio::test]
async fn a_delivery_that_is_cut_off_is_noted_as_failed_and_tried_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mended");
    let bench = Bench::new(vec![shell("test -e $1 || sleep 1000", &path, Duration::from_mins(5))]);
    bench.desk.notify(&failed("backup", bench.now())).await.expect("a place in the queue");
    bench.desk.settle(Duration::from_secs(1)).await;
    let told = bench.alerts()[0].sinks["pager"].clone();
    assert_eq!((told.opened, told.tries, told.claimed_until), (None, 1, None), "{told:?}");
    assert!(told.not_before.is_some_and(|at| at > bench.now()), "{told:?}");
    let error = told.error.expect("an error");
    assert!(error.starts_with("cut off after ") && error.ends_with("has ended"), "{error}");
    // Another process, and this one as well, goes on from there.
    fs::write(&path, "").expect("mended");
    bench.later(1);
    bench.desk.settle(Duration::from_mins(1)).await;
    assert!(bench.alerts()[0].sinks["pager"].opened.is_some());
}

#[tokio::test]
async fn who_has_patience_begins_nothing_after_a_while_and_waits_for_what_has_begun() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("begun");
    // It takes longer than deliveries are begun, and not as long as it may.
    let bench = Bench::new(vec![shell("echo >> $1; sleep 6", &path, Duration::from_mins(5))]);
    for job in ["a", "b"] {
        bench.desk.notify(&failed(job, bench.now())).await.expect("a place in the queue");
    }
    bench.desk.settle_patiently(Duration::from_secs(4), std::future::pending()).await;
    let told: Vec<bool> = bench.alerts().iter().map(|alert| alert.sinks.contains_key("pager")).collect();
    assert_eq!(told, [true, false]);
    assert!(bench.alerts()[0].sinks["pager"].opened.is_some(), "{:?}", bench.alerts());
    assert_eq!(fs::read_to_string(&path).expect("it has run"), "\n", "the other one is left to the next process");
}

#[tokio::test]
async fn who_loses_patience_waits_no_longer() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("begun");
    let bench = Bench::new(vec![shell("echo > $1; sleep 1000", &path, Duration::from_mins(5))]);
    bench.desk.notify(&failed("backup", bench.now())).await.expect("a place in the queue");
    let begun = async {
        while !path.exists() {
            tokio::task::yield_now().await;
        }
    };
    bench.desk.settle_patiently(Duration::from_mins(5), begun).await;
    let error = bench.alerts()[0].sinks["pager"].error.clone().expect("an error");
    assert!(error.starts_with("cut off after "), "{error}");
}
