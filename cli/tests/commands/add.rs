use std::fs;

use serde_json::{Value, json};

use crate::support::Sandbox;

/// The entry in jobs.json after adding with `line`.
#[track_caller]
fn added(line: &[&str]) -> Value {
    let sandbox = Sandbox::new();
    sandbox.ok(&[&["add"], line].concat());
    let file: Value = serde_json::from_slice(&fs::read(sandbox.home().jobs_json()).unwrap()).unwrap();
    file["jobs"][0].clone()
}

#[test]
fn an_entry_holds_what_was_given_and_nothing_else() {
    assert_eq!(
        added(&["@daily", "--", "echo", "-n", "a b"]),
        json!({"id": "echo", "schedule": "@daily", "command": ["echo", "-n", "a b"]})
    );
    assert_eq!(
        added(&["@daily", "--name", "Say Hi", "--shell", "echo hi > /dev/null"]),
        json!({"id": "say-hi", "name": "Say Hi", "schedule": "@daily", "command": "echo hi > /dev/null"})
    );
    assert_eq!(
        added(&[
            "30 2 * * *",
            "--id",
            "b",
            "--name",
            "b",
            "--description",
            "d",
            "--tz",
            "Asia/Kolkata",
            "--env",
            "A=1=2",
            "--workdir",
            "/",
            "--timeout",
            "1h",
            "--max-runs",
            "3",
            "--start-at",
            "2099-01-01 00:00",
            "--end-at",
            "2099-02-01T00:00:00Z",
            "--retries",
            "2",
            "--backoff",
            "30s",
            "--max-backoff",
            "5m",
            "--overlap",
            "allow",
            "--misfire",
            "all",
            "--grace",
            "10m",
            "--jitter",
            "10m",
            "--max-parallel",
            "2",
            "--group",
            "g",
            "--tag",
            "x",
            "--tag",
            "y",
            "--output-limit",
            "1MiB",
            "--disabled",
            "--",
            "true",
        ]),
        json!({
            "id": "b", "description": "d", "schedule": "30 2 * * *", "timezone": "Asia/Kolkata", "command": ["true"],
            "env": {"A": "1=2"}, "workdir": "/", "timeout": "1h", "overlap": "allow",
            "max_runs": 3, "start_at": "2099-01-01 00:00", "end_at": "2099-02-01T00:00:00Z",
            "retries": {"max": 2, "backoff": "30s", "max_backoff": "5m"},
            "misfire": {"policy": "all", "grace": "10m"}, "jitter": "10m", "max_parallel": 2, "group": "g",
            "tags": ["x", "y"],
            "output_limit": "1MiB", "enabled": false,
        })
    );
}

#[test]
fn a_new_job_is_explained() {
    let sandbox = Sandbox::new();
    let said = sandbox.ok(&["add", "30 2 * * 1-5", "--name", "backup", "--", "true"]);
    for part in ["made a home at", "`backup`", "At 02:30, Monday to Friday, Europe/Berlin", "T02:30:00+01:00", "  in "]
    {
        assert!(said.contains(part), "`{part}`: {said}");
    }
    let said = sandbox.json(&["add", "every 5m", "--", "false"]);
    assert_eq!(said["next"].as_array().unwrap().len(), 3);
    assert_eq!(said["job"]["means"], "Every 5m, by elapsed time");
}

#[test]
fn relative_one_shots_become_instants() {
    let entry = added(&["in 30m", "--", "true"]);
    let at: jiff::Timestamp = entry["schedule"].as_str().unwrap().parse().unwrap();
    let away = at.duration_since(jiff::Timestamp::now()).as_secs();
    assert!((1700..=1801).contains(&away), "{entry}");
}

#[test]
fn a_job_can_be_born_paused() {
    let sandbox = Sandbox::new();
    let said = sandbox.json(&["add", "every 1s", "--paused", "--", "true"]);
    assert!(said["job"]["paused"].is_object() && said["job"]["next"].is_null(), "{said}");
}

#[test]
fn a_program_that_is_missing_is_a_warning() {
    let sandbox = Sandbox::new();
    let ran = sandbox.run(&["add", "@daily", "--", "no-such-program"]);
    assert_eq!(ran.code, Some(0));
    assert!(ran.err.contains("warning: program `no-such-program` is in no folder of PATH"), "{}", ran.err);
    assert_eq!(sandbox.run(&["add", "-q", "@daily", "--id", "b", "--", "no-such-program"]).err, "");
}

#[test]
fn nothing_is_made_for_what_cannot_be_taken() {
    let sandbox = Sandbox::new();
    let check = |line: &[&str], code, parts: &[&str]| {
        sandbox.fails(&[&["add"], line].concat(), code, parts);
        assert!(!sandbox.path().exists(), "{line:?}");
    };
    check(&["0 9-3 * * *", "--", "ls"], 1, &["error: invalid schedule: hour:", "    ^^^\n", "hint: write `9-23,0-3`"]);
    check(&["0 0 31 2 *", "--", "ls"], 1, &["never fires", "February has no day 31"]);
    check(&["0 0 9 1 1 * 2020", "--", "ls"], 1, &["never fires again", "hint: "]);
    check(&["2020-01-01T00:00:00Z", "--", "ls"], 1, &["has passed", "hint: write"]);
    check(&["2027-03-28 02:30", "--", "ls"], 1, &["no clock in Europe/Berlin shows", "hint: write"]);
    check(&["@daily", "--tz", "Berlin", "--", "ls"], 1, &["`Berlin` is not a time zone", "Europe/Berlin"]);
    check(&["@daily"], 2, &["no command", "hint: put it after `--`"]);
    check(&["0", "9", "*", "*", "*", "--", "ls"], 2, &["quote the schedule"]);
    check(&["@daily", "--env", "A=\u{1}", "--name", " ", "--", "ls"], 2, &["the name is empty"]);
}

#[test]
fn an_id_is_taken_once() {
    let sandbox = Sandbox::new();
    sandbox.ok(&["add", "@daily", "--name", "Backup", "--", "true"]);
    sandbox.fails(
        &["add", "@hourly", "--name", "backup", "--", "true"],
        1,
        &["job `backup` is there already", "hint: "],
    );
}

#[test]
fn a_slot_of_its_own_is_told_and_kept() {
    let sandbox = Sandbox::new();
    let said = sandbox.ok(&["add", "H 3 * * *", "--name", "backup", "--", "true"]);
    assert!(said.contains("At 03:28, every day, Europe/Berlin"), "{said}");
    assert!(sandbox.ok(&["next", "backup"]).contains("At 03:28, every day, Europe/Berlin"));
    let listed = sandbox.json(&["list"]);
    assert_eq!(
        (&listed["jobs"][0]["schedule"], &listed["jobs"][0]["timezone"]),
        (&"H 3 * * *".into(), &"Europe/Berlin".into())
    );
    let said = sandbox.ok(&["next", "--expr", "H 3 * * *"]);
    assert!(said.contains("as there is no job, they are made of this text here"), "{said}");
    assert_eq!(sandbox.json(&["next", "--expr", "H 3 * * *"])["spread"], true);
    assert_eq!(sandbox.json(&["next", "--expr", "0 3 * * *"])["spread"], false);
    sandbox.fails(
        &["add", "H(9-3) * * * *", "--", "true"],
        1,
        &["minute: range `9-3` runs backwards", "    ^^^\n", "H(3-9)"],
    );
}
