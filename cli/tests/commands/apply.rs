use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use crate::support::{Sandbox, on_terminal, on_terminal_with, run};

const JOBS: &str = r#"
{"id": "a", "$why": "mine", "schedule": "@daily", "command": ["true"], "timeout": "10m"},
{"id": "b",   "schedule": "@daily", "command": "true" },
{"id": "old", "schedule": "@daily", "command": "true"}"#;

const WANTED: &str = r#"{"format": 1, "jobs": [
  {"id": "b", "schedule": "@daily", "command": "true"},
  {"id": "a", "schedule": "@hourly", "command": ["true"]},
  {"id": "new", "schedule": "@weekly", "command": "true"}
]}"#;

impl Sandbox {
    fn file(&self, name: &str, content: &str) -> String {
        let path: PathBuf = self.path().with_file_name(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn jobs(&self) -> Value {
        let file: Value = serde_json::from_slice(&fs::read(self.home().jobs_json()).unwrap()).unwrap();
        file["jobs"].clone()
    }
}

#[test]
fn the_difference_is_shown_and_then_made_in_one_step() {
    let sandbox = Sandbox::with_jobs(JOBS);
    let file = sandbox.file("wanted.json", WANTED);
    let before = fs::read(sandbox.home().jobs_json()).unwrap();
    let shown = "add `new`: @weekly\nchange `a`\n  schedule: @daily -> @hourly\n  timeout: 10m -> (not set)\n\
        1 to add, 1 to change, 0 to remove, 1 as they are; 1 not in the file, left alone (`--prune` removes them)";
    let ran = sandbox.run(&["apply", &file, "--dry-run"]);
    assert_eq!((ran.code, ran.out), (Some(3), format!("{shown}; nothing was changed\n")));
    assert_eq!(fs::read(sandbox.home().jobs_json()).unwrap(), before);
    assert_eq!(sandbox.ok(&["apply", &file]), format!("{shown}\ndone\n"));
    assert_eq!(
        sandbox.jobs(),
        json!([
            {"id": "a", "schedule": "@hourly", "command": ["true"], "$why": "mine"},
            {"id": "b", "schedule": "@daily", "command": "true"},
            {"id": "old", "schedule": "@daily", "command": "true"},
            {"id": "new", "schedule": "@weekly", "command": "true"},
        ])
    );
    let text = fs::read_to_string(sandbox.home().jobs_json()).unwrap();
    assert!(text.contains(r#"{"id": "b",   "schedule": "@daily", "command": "true" }"#), "{text}");
    assert!(fs::metadata(sandbox.home().path().join("jobs.json.bak.2")).is_err(), "one rewrite");
    let again =
        "0 to add, 0 to change, 0 to remove, 3 as they are; 1 not in the file, left alone (`--prune` removes them)";
    assert_eq!(sandbox.ok(&["apply", &file]), format!("{again}\n"));
    assert_eq!(sandbox.run(&["apply", &file, "--dry-run"]).code, Some(0));
}

#[test]
fn on_a_terminal_it_asks_first() {
    let sandbox = Sandbox::with_jobs(JOBS);
    let file = sandbox.file("wanted.json", WANTED);
    let before = sandbox.jobs();
    for no in ["n\n", "\n"] {
        let ran = on_terminal(sandbox.command(&["apply", &file]), &[("do this? [y/N] ", no)]);
        assert!(ran.code == Some(1) && ran.out.contains("nothing was changed"), "{ran:?}");
        assert!(ran.out.find("change `a`") < ran.out.find("do this?"), "shown first: {}", ran.out);
        assert_eq!(sandbox.jobs(), before);
    }
    let ran = on_terminal(sandbox.command(&["apply", &file]), &[("do this? [y/N] ", "y\n")]);
    assert!(ran.code == Some(0) && ran.out.contains("done"), "{ran:?}");
    assert_eq!(sandbox.jobs().as_array().unwrap().len(), 4);
    let ran = on_terminal(sandbox.command(&["apply", &file, "--prune", "--yes"]), &[]);
    assert!(ran.code == Some(0) && !ran.out.contains("do this?"), "{ran:?}");
    assert_eq!(sandbox.jobs().as_array().unwrap().len(), 3);
}

#[test]
fn what_is_changed_while_it_asks_is_not_lost() {
    let sandbox = Sandbox::with_jobs(JOBS);
    let file = sandbox.file("wanted.json", WANTED);
    let meanwhile = || drop(sandbox.ok(&["edit", "a", "--timeout", "15m"]));
    let ran = on_terminal_with(sandbox.command(&["apply", &file]), &[("do this? [y/N] ", "y\n")], &meanwhile);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.out.contains("job `a` has been changed by somebody else meanwhile"), "{}", ran.out);
    assert_eq!((&sandbox.jobs()[0]["timeout"], sandbox.jobs().as_array().unwrap().len()), (&json!("15m"), 3));
}

#[test]
fn what_is_not_in_the_file_is_removed_only_with_prune() {
    let sandbox = Sandbox::with_jobs(JOBS);
    let file = sandbox.file("wanted.json", WANTED);
    let said = sandbox.ok(&["apply", &file, "--prune", "--yes"]);
    assert!(said.contains("remove `old`\n1 to add, 1 to change, 1 to remove, 1 as they are\n"), "{said}");
    let listed = sandbox.json(&["list"]);
    let ids: Vec<&str> = listed["jobs"].as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["a", "b", "new"]);
}

#[test]
fn yaml_and_stdin_say_the_same_and_a_home_is_made_when_there_is_something_to_put_into_it() {
    let sandbox = Sandbox::new();
    let yaml = "jobs:\n- {id: a, schedule: '@daily', command: [echo, hi], env: {N: '1.10'}}\n- id: b\n  schedule: 0 3 * * *\n  command: |\n    echo hi\n";
    let file = sandbox.file("jobs.yaml", yaml);
    assert_eq!(sandbox.run(&["apply", &file, "--dry-run"]).code, Some(3));
    assert!(!sandbox.path().exists());
    sandbox.ok(&["apply", &file]);
    assert_eq!(
        sandbox.jobs()[0],
        json!({"id": "a", "schedule": "@daily", "command": ["echo", "hi"], "env": {"N": "1.10"}})
    );
    assert_eq!(sandbox.jobs()[1]["command"], "echo hi\n");
    let ran = run(
        sandbox.command(&["apply", "-", "--json"]),
        r#"{"jobs": [{"id": "b", "schedule": "0 3 * * *", "command": "x"}]}"#,
    );
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        told,
        json!({"schema": 1, "dry_run": false, "applied": true, "added": [], "removed": [], "unchanged": 0, "left_alone": ["a"],
            "changed": [{"id": "b", "changes": [{"field": "command", "before": "echo hi\n", "after": "x"}]}]})
    );
    sandbox.fails(&["apply", "/no/such.json"], 1, &["cannot read /no/such.json: no such file"]);
    let ran = run(sandbox.command(&["apply", "-", "--dry-run"]), yaml);
    assert_eq!(ran.code, Some(3), "YAML on stdin: {ran:?}");
    assert!(ran.out.contains("change `b`"), "{ran:?}");
}

#[test]
fn one_bad_entry_and_nothing_is_applied_and_every_bad_one_is_told() {
    let sandbox = Sandbox::with_jobs(JOBS);
    let before = fs::read(sandbox.home().jobs_json()).unwrap();
    let bad = r#"{"jobs": [
  {"id": "new", "schedule": "@daily", "command": "true"},
  {"id": "x", "schedule": "90 2 * * *", "command": "true"},
  {"id": "new", "schedule": "@hourly", "command": "true"},
  {"schedule": "@daily", "command": "true"},
  {"id": "y", "schedule": "in 30m", "command": "true"}
]}"#;
    let file = sandbox.file("bad.json", bad);
    let check = |line: &[&str], parts: &[&str]| {
        let ran = sandbox.run(line);
        assert_eq!((ran.code, ran.out.as_str()), (Some(1), "nothing was changed\n"), "{ran:?}");
        for part in parts {
            assert!(ran.err.contains(part), "`{part}`:\n{}", ran.err);
        }
        assert_eq!(fs::read(sandbox.home().jobs_json()).unwrap(), before);
    };
    check(
        &["apply", &file, "--prune", "--yes"],
        &[
            "bad.json: line 3, column 15: job `x` is invalid: schedule: minute:",
            "bad.json: line 4, column 3: job `new` is there already, at line 2\n",
            "bad.json: line 5, column 3: it has neither `id` nor `name`",
            "bad.json: line 6, column 15: job `y` is invalid: schedule: `in 30m` counts from now",
            "hint: correct the entry\n",
            "hint: remove one of them, or give it another id",
        ],
    );
    let yaml = sandbox
        .file("bad.yml", "jobs:\n- {id: a, schedule: '@daily', command: x}\n- {id: b, schedule: soon, command: x}\n");
    check(&["apply", &yaml], &["bad.yml: entry 2: job `b` is invalid: schedule:"]);
    let yaml = sandbox.file("worse.yml", "jobs: [\n");
    check(&["apply", &yaml], &["worse.yml: line 2, column 1:"]);
    let ran = sandbox.run(&["apply", &file, "--json"]);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.code, &told["applied"], told["problems"].as_array().unwrap().len()), (Some(1), &json!(false), 4));
}

#[test]
fn unknown_fields_and_missing_programs_are_warnings() {
    let sandbox = Sandbox::new();
    let file = sandbox.file(
        "w.json",
        r#"{"jobs": [{"id": "a", "schedule": "@daily", "command": ["no-such-program"], "timout": "1m"}]}"#,
    );
    let ran = sandbox.run(&["apply", &file]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for part in
        ["warning: ", "no such field: `timout`", "did you mean `timeout`?", "`no-such-program` is in no folder of PATH"]
    {
        assert!(ran.err.contains(part), "`{part}`: {}", ran.err);
    }
}
