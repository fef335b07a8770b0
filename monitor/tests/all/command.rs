//! Programs as sinks.

use std::{fs, time::Duration};

use scheduler_core::config::sinks::{Sink, Via};
use serde_json::Value;

use crate::bench::Bench;

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
