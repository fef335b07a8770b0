//! What `doctor` says of a home whose daemon runs.

use std::{fs, os::unix::fs::PermissionsExt as _};

use serde_json::{Value, json};

use super::bench::Place;

/// The row of a check: state and detail.
#[track_caller]
fn row(report: &Value, check: &str) -> (String, String) {
    let rows = report["checks"].as_array().unwrap_or_else(|| panic!("{report:#}"));
    let row = rows.iter().find(|row| row["check"] == check).unwrap_or_else(|| panic!("no `{check}`: {report:#}"));
    let text = |field: &str| row[field].as_str().unwrap_or_default().to_owned();
    (text("state"), text("detail"))
}

#[test]
fn jobs_are_judged_by_the_environment_of_the_daemon_and_not_by_ones_own() {
    let place = Place::beating();
    let tool = place.path("tools/only-the-daemon-finds-this");
    fs::create_dir(place.path("tools")).expect("a folder");
    fs::write(&tool, "#!/bin/sh\n").expect("a tool");
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).expect("a tool");
    place.write_jobs(&[json!({"id": "job", "schedule": "@manually", "command": ["only-the-daemon-finds-this"]})]);

    let report = || -> Value { serde_json::from_str(&place.run(&["doctor", "--json"]).out).expect("JSON") };
    place.ok(&["tick"]);
    let before = report();
    let (state, detail) = row(&before, "programs");
    assert!(state == "bad" && detail.contains("program not found: `only-the-daemon-finds-this`"), "{before:#}");

    let mut command = place.command(&["run"]);
    command.env("PATH", format!("{}:/usr/bin:/bin", place.path("tools").display()));
    let mut daemon = place.start_command(&mut command);
    place.until_verdict("live", 0);
    let pid = format!("the daemon (pid {})", daemon.pid());
    let with = report();
    let (state, detail) = row(&with, "programs");
    assert!(state == "ok" && detail.ends_with(&format!("in the environment of {pid}")), "{with:#}");
    let (_, detail) = row(&with, "open files");
    assert!(detail.contains(&pid), "{with:#}");
    let (state, detail) = row(&with, "daemon");
    assert!(state == "ok" && detail.starts_with("LIVE: "), "{with:#}");
    daemon.stop();
}

#[test]
fn a_daemon_that_crashed_is_bad() {
    let place = Place::beating();
    place.write_jobs(&[place.job("job", "@yearly", "")]);
    let mut daemon = place.daemon();
    daemon.kill();
    let ran = place.run(&["doctor"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.out.contains("CRASHED: ") && ran.out.contains("hint: start the daemon with `sched run`"), "{ran:?}");
}
