//! `show`.

use scheduler_core::Outcome;

use crate::support::{Sandbox, ask, block_on};

const JOBS: &str = r#"
{"id": "backup", "name": "Nightly dump", "description": "the books", "schedule": "30 2 * * *",
 "timezone": "America/New_York", "command": ["pg_dump", "-f", "/b/my db.sql"], "env": {"PGPASSWORD": "hunter2"},
 "workdir": "/", "timeout": "1h", "misfire": {"policy": "skip", "grace": "5m"}, "max_parallel": 2,
 "retries": {"max": 2}, "output_limit": "2MiB", "tags": ["db", "books"]},
{"id": "plain", "schedule": "@daily", "command": "echo one\necho two"}"#;

#[test]
fn everything_about_a_job_is_told_but_the_values_of_its_environment() {
    let sandbox = Sandbox::with_jobs(JOBS);
    let mut outcome = Outcome::failed("no space");
    outcome.exit_code = Some(3);
    let run = sandbox.ran_at("2026-11-21T08:00:00Z", "backup", outcome);
    let said = sandbox.ok(&["show", "Nightly dump"]);
    for part in [
        "job `backup` (Nightly dump)\n",
        "description   the books\n",
        "schedule      30 2 * * *\n",
        "means         At 02:30, every day, America/New_York\n",
        "zone          America/New_York\n",
        "state         ok\n",
        "command       pg_dump -f '/b/my db.sql'\n",
        "environment   PGPASSWORD (values are not shown)\n",
        "workdir       /\n",
        "timeout       1h\n",
        "misfire       skip, grace 5m\n",
        "retries       up to 2, after 1m to 1h\n",
        "max_parallel  2\n",
        "output_limit  2 MiB\n",
        "tags          db, books\n",
        "jobs.json: line 3, column 1\n",
        "runs/backup/\n",
        "failed (exit 3)",
        "no space",
        run.as_str(),
    ] {
        assert!(said.contains(part), "`{part}`: {said}");
    }
    assert_eq!(said.matches("T02:30:00-0").count(), 5, "{said}");
    assert!(!said.contains("hunter2") && !said.contains("overlap"), "{said}");
    assert!(!sandbox.ok(&["show", "backup", "--json"]).contains("hunter2"));
}

#[test]
fn programs_get_all_settings() {
    let sandbox = Sandbox::with_jobs(JOBS);
    block_on(async { ask(&sandbox.store_at("2026-11-21T08:00:00Z"), "plain", "one").await });
    let said = sandbox.json(&["show", "backup"]);
    assert_eq!((&said["job"]["id"], &said["incarnation"]), (&"backup".into(), &1.into()), "{said}");
    assert!(said["revision"].as_u64().is_some_and(|revision| revision > 0), "{said}");
    let settings = &said["settings"];
    assert_eq!(settings["command"], serde_json::json!(["pg_dump", "-f", "/b/my db.sql"]));
    assert_eq!(settings["env"], serde_json::json!(["PGPASSWORD"]));
    assert_eq!(settings["timeout_s"], 3600.0);
    assert_eq!(settings["misfire"], serde_json::json!({"policy": "skip", "grace_s": 300.0, "max": 10}));
    assert_eq!(said["next"].as_array().map(Vec::len), Some(5));
    assert_eq!(said["entry"]["place"], "line 3, column 1");
    let plain = sandbox.json(&["show", "plain"]);
    assert_eq!(plain["settings"]["command"], "echo one\necho two");
    assert_eq!(plain["open"][0]["state"], "queued");
}

#[test]
fn what_is_like_everybodys_is_left_out_and_a_pause_says_why() {
    let sandbox = Sandbox::with_jobs(JOBS);
    let said = sandbox.ok(&["show", "plain"]);
    assert!(said.contains("shell line    echo one\n                echo two\n"), "{said}");
    assert!(said.contains("it has not run yet"), "{said}");
    for absent in ["timeout", "misfire", "overlap", "environment", "paused", "tags", "problem"] {
        assert!(!said.contains(&format!("  {absent}")), "`{absent}`: {said}");
    }
    sandbox.ok(&["pause", "plain", "--reason", "moving"]);
    let said = sandbox.ok(&["show", "plain"]);
    assert!(said.contains("state         paused (moving)") && said.contains("paused since"), "{said}");
    assert!(said.contains("it is paused (moving): it will not fire until `sched resume plain`"), "{said}");
}

#[test]
fn a_job_with_a_bad_entry_is_explained() {
    let sandbox = Sandbox::with_jobs(JOBS);
    // Takes the entries in; looking alone changes nothing.
    sandbox.ok(&["pause", "plain"]);
    sandbox.write_jobs(
        r#"{"id": "backup", "schedule": "61 * * * *", "command": "true"}, {"id": "new", "schedule": "@daily"}"#,
    );
    let said = sandbox.ok(&["show", "backup"]);
    assert!(said.contains("schedule      30 2 * * *\n") && said.contains("problem "), "{said}");
    assert!(said.contains("61 is outside 0-59") && said.contains("jobs.json: not in it now"), "{said}");
    sandbox.fails(&["show", "new"], 1, &["job `new` is invalid and it does not fire", "command: missing", "hint: "]);
    sandbox.fails(&["show", "backpu"], 1, &["no job `backpu`", "did you mean `backup`?"]);
    sandbox.fails(&["show"], 2, &["<JOB>"]);
}
