//! `status --nagios`, where nothing runs; a living daemon's is with the processes.

use std::fs;

use crate::support::{Sandbox, run};

#[test]
fn a_monitor_gets_one_line_and_its_own_exit_codes() {
    let sandbox = Sandbox::with_jobs(r#"{"id": "a", "schedule": "@daily", "command": "true"}"#);
    let check = |code: i32, begins: &str, ends: &str| {
        let ran = sandbox.run(&["status", "--nagios"]);
        assert_eq!((ran.code, ran.out.lines().count(), ran.err.as_str()), (Some(code), 1, ""), "{ran:?}");
        assert!(ran.out.starts_with(begins) && ran.out.ends_with(ends), "{ran:?}");
    };
    // The second one shows that they come regularly.
    sandbox.ok(&["tick"]);
    sandbox.ok(&["tick"]);
    check(0, "SCHED OK - ", "s;;;0\n");
    let tick = sandbox.home().tick_json();
    fs::write(&tick, "{}").unwrap();
    check(3, "SCHED UNKNOWN - UNKNOWN: ", " | jobs=1;;;0 open_runs=0;;;0 heartbeat_age=U\n");
    fs::remove_file(&tick).unwrap();
    check(2, "SCHED CRITICAL - STOPPED: ", " | jobs=1;;;0 open_runs=0;;;0 heartbeat_age=U\n");
}

#[test]
fn a_monitor_is_told_too_that_there_is_no_saying_where_the_home_is() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(&["status", "--nagios"]);
    command.env_remove("HOME").env_remove("SCHED_HOME");
    let ran = run(command, "");
    assert_eq!(ran.code, Some(3));
    assert_eq!(ran.out, "SCHED UNKNOWN - UNKNOWN: there is no saying where the home is: HOME is not set\n");
    sandbox.fails(&["status", "--nagios", "--json"], 2, &["cannot be used with"]);
}

#[test]
fn a_home_that_is_a_file_is_one_problem() {
    let sandbox = Sandbox::new();
    fs::write(sandbox.path(), "").unwrap();
    let ran = sandbox.run(&["--json", "status"]);
    let status: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let problems = status["problems"].as_array().unwrap();
    assert_eq!((ran.code, problems.len()), (Some(5), 1), "{status:#}");
    assert!(problems[0]["what"].as_str().unwrap().ends_with("home is a file, not a folder"), "{status:#}");
    assert!(problems[0]["hint"].as_str().unwrap().contains("name the folder that jobs.json is in"), "{status:#}");
}
