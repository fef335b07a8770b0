use std::fs;

use scheduler_core::{Outcome, RunResult};

use crate::support::Sandbox;

const JOBS: &str = r#"
{"id": "a", "name": "Alpha", "schedule": "30 2 * * *", "timezone": "Asia/Kolkata", "command": "true", "tags": ["db", "x"]},
{"id": "b", "schedule": "every 5m", "command": "true", "enabled": false, "tags": ["db"]},
{"id": "c", "schedule": "@reboot", "command": "true"}"#;

#[test]
fn every_job_is_listed_with_its_state() {
    let sandbox = Sandbox::with_jobs(JOBS);
    sandbox.ok(&["pause", "c", "--reason", "why not"]);
    let said = sandbox.ok(&["list"]);
    for part in
        ["At 02:30, every day, Asia/Kolkata", "T02:30:00+05:30 (in ", "disabled", "paused (why not)", "never ran"]
    {
        assert!(said.contains(part), "`{part}`: {said}");
    }
    let states =
        sandbox.json(&["ls"])["jobs"].as_array().unwrap().iter().map(|job| job["state"].clone()).collect::<Vec<_>>();
    assert_eq!(states, ["ok", "disabled", "paused"]);
    assert_eq!(said.lines().count(), 4, "each row is one line where there is no terminal: {said}");
}

#[test]
fn a_list_can_be_narrowed() {
    let sandbox = Sandbox::with_jobs(JOBS);
    let check = |line: &[&str], expected: &[&str]| {
        let said = sandbox.json(&[&["list"], line].concat());
        let ids: Vec<&str> = said["jobs"].as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap()).collect();
        assert_eq!(ids, expected, "{line:?}");
    };
    check(&[], &["a", "b", "c"]);
    check(&["--tag", "db"], &["a", "b"]);
    check(&["--tag", "db", "--tag", "x"], &["a"]);
    check(&["Alpha", "c"], &["a", "c"]);
    assert!(sandbox.ok(&["list", "--tag", "none"]).contains("no such jobs"));
}

#[test]
fn how_the_last_run_ended_is_shown() {
    let sandbox = Sandbox::with_jobs(JOBS);
    let mut outcome = Outcome::failed("no space");
    outcome.exit_code = Some(3);
    sandbox.ran_at("2026-11-22T08:00:00Z", "a", Outcome::new(RunResult::Succeeded));
    sandbox.ran_at("2026-11-22T09:00:00Z", "a", outcome);
    assert!(sandbox.ok(&["list", "a"]).contains("failed (exit 3) "));
    let last = &sandbox.json(&["list", "a"])["jobs"][0]["last"];
    assert_eq!((last["verdict"].as_str(), last["exit_code"].as_i64()), (Some("failed"), Some(3)), "{last}");
}

#[test]
fn entries_that_cannot_be_taken_in_are_not_invisible() {
    let sandbox = Sandbox::with_jobs(JOBS);
    sandbox.ok(&["list"]);
    sandbox.ok(&["pause", "c"]);
    sandbox.write_jobs(
        r#"{"id": "a", "schedule": "90 2 * * *", "command": "true"},
           {"id": "b", "schedule": "@daily", "command": "true"},
           {"id": "new", "schedule": "@dialy", "command": "true"}"#,
    );
    let ran = sandbox.run(&["list"]);
    let row =
        |id: &str| ran.out.lines().find(|line| line.starts_with(id)).unwrap_or_else(|| panic!("{ran:?}")).to_owned();
    assert!(row("a ").contains("30 2 * * *") && row("a ").contains("its entry in jobs.json is invalid"), "{ran:?}");
    assert!(row("new ").contains("invalid"), "{ran:?}");
    assert!(ran.err.contains("line 2,") && ran.err.contains("line 4,") && ran.err.contains("@daily"), "{ran:?}");
    assert!(!ran.out.contains("c  "), "what was taken out of the file is gone: {ran:?}");
}

#[test]
fn an_empty_home_says_what_to_do() {
    let sandbox = Sandbox::new();
    assert!(sandbox.ok(&["list"]).contains("sched add"));
    assert!(!sandbox.path().exists(), "looking makes nothing");
    fs::create_dir(sandbox.path()).unwrap();
    assert!(sandbox.ok(&["list"]).contains("no jobs in"));
}
