use std::fs;

use crate::support::Sandbox;

#[test]
fn a_clean_home_is_valid() {
    let sandbox = Sandbox::with_jobs(r#"{"id": "a", "schedule": "@daily", "command": ["true"]}"#);
    assert_eq!(sandbox.ok(&["validate"]), "1 valid job, 0 problems, 0 warnings\n");
}

#[test]
fn every_problem_is_told_with_its_place_and_fix() {
    let sandbox = Sandbox::with_jobs(
        r#"{"id": "a", "schedule": "90 2 * * *", "command": "true"},
{"id": "b", "schedule": "@daily",
 "comand": "true", "command": "true"},
{"id": "b", "schedule": "@daily", "command": "true"},
{"schedule": "@daily", "command": "true"},
{"id": "c", "schedule": "@daily", "command": ["no-such-program"], "workdir": "/no/such/folder"}"#,
    );
    let ran = sandbox.run(&["validate"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    for part in [
        "line 2, column 13: job `a` is invalid",
        "hint: ",
        "line 4, column 2: job `b`: no such field: `comand`",
        "did you mean `command`?",
        "line 5, column 1: job `b` is there already, at line 3",
        "line 6, column 1: it has neither `id` nor `name`",
        "warning: ",
        "workdir /no/such/folder does not exist",
        "program `no-such-program` is in no folder of PATH",
        "2 valid jobs, 4 problems, 2 warnings",
    ] {
        assert!(ran.out.contains(part), "`{part}`:\n{}", ran.out);
    }
}

#[test]
fn a_file_is_judged_without_its_home() {
    let sandbox = Sandbox::new();
    let file = sandbox.path().with_file_name("new.json");
    let name = file.to_str().unwrap();
    let check = |content: &str, code: i32, expected: &str| {
        fs::write(&file, content).unwrap();
        let ran = sandbox.run(&["validate", name]);
        assert_eq!(ran.code, Some(code), "{content}: {ran:?}");
        assert!(ran.out.contains(expected), "{content}: {ran:?}");
    };
    check(r#"{"format": 1, "jobs": [{"id": "a", "schedule": "@daily", "command": "true"}]}"#, 0, "1 valid job");
    check("{\"format\": 1,\n \"jobs\": [}", 1, "new.json: line 2, column 11: expected value");
    check(r#"{"format": 9, "jobs": []}"#, 1, "its format is 9");
    check("", 1, "it is empty");
    sandbox.fails(&["validate", "/no/such.json"], 1, &["cannot read /no/such.json: no such file"]);
    assert!(!sandbox.path().exists());
}

#[test]
fn a_broken_home_keeps_its_jobs_and_says_so() {
    let sandbox = Sandbox::with_jobs(r#"{"id": "a", "schedule": "@daily", "command": "true"}"#);
    sandbox.ok(&["pause", "a"]);
    fs::write(sandbox.home().jobs_json(), "{ broken").unwrap();
    let ran = sandbox.run(&["validate", "--json"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.contains("the one known job stays in force"), "{ran:?}");
    assert!(sandbox.ok(&["list"]).contains("@daily"));
    Sandbox::new().fails(&["validate"], 1, &["there is no home at"]);
}

#[test]
fn config_yaml_is_judged_key_by_key_and_a_provider_must_be_there() {
    let sandbox = Sandbox::with_jobs(r#"{"id": "a", "schedule": "@daily", "command": "true"}"#);
    let check = |content: &str, code: i32, expected: &str| {
        fs::write(sandbox.home().config_yaml(), content).unwrap();
        let ran = sandbox.run(&["validate"]);
        assert_eq!(ran.code, Some(code), "{content}: {ran:?}");
        assert!(ran.out.contains(expected), "{content}: {ran:?}");
    };
    check("provider: none\n", 0, "0 problems");
    check("provider: nine\n", 1, "config.yaml: provider: no provider is called `nine`; did you mean `none`?");
    check("provider: [none]\n", 1, "line 1, column 11: provider: expected a name, found a list");
    check("ticker:\n  intervall: 5s\n", 1, "line 2, column 3: no such key: `ticker.intervall`");
    check("gateway: {listen: null}\nticker: {interval: 5}\n", 1, "ticker.interval");
    check("provider: \"x\n", 1, "config.yaml: line 2, column 1");
}

#[test]
fn a_group_that_config_yaml_does_not_have_is_told_wherever_somebody_looks() {
    let sandbox = Sandbox::with_jobs(
        r#"{"id": "a", "schedule": "@daily", "command": "true", "group": "backups"},
{"id": "b", "schedule": "@daily", "command": "true", "group": "backup"}"#,
    );
    fs::write(sandbox.home().config_yaml(), "groups: {backups: {max_parallel: 2}}\n").unwrap();
    let why = "group `backup` is not in config.yaml, so its jobs run without a limit: `b`";
    let near = "hint: did you mean `backups`?";
    let check = |line: &[&str], code: i32, parts: &[&str]| {
        let ran = sandbox.run(line);
        let said = format!("{}{}", ran.out, ran.err);
        assert_eq!(ran.code, Some(code), "{line:?}: {said}");
        for part in parts {
            assert!(said.contains(part), "{line:?} should say `{part}`:\n{said}");
        }
    };
    check(&["validate"], 0, &[&format!("warning: {why}"), near, "2 valid jobs, 0 problems, 1 warning"]);
    check(&["validate", sandbox.home().jobs_json().to_str().unwrap()], 0, &[why, near]);
    check(&["status"], 4, &[&format!("- {why}"), near]);
    check(&["show", "a"], 0, &["group         backups, at most 2 at once\n"]);
    check(&["show", "b"], 0, &["group         backup, which config.yaml gives no limit\n"]);
    check(&["edit", "a", "--group", "beckups"], 0, &["warning: group `beckups` is not in config.yaml"]);
    check(&["edit", "a", "--clear", "group"], 0, &["group: beckups -> (not set)"]);
    check(&["edit", "b", "--group", "backups"], 0, &["group: backup -> backups"]);
    check(&["validate"], 0, &["2 valid jobs, 0 problems, 0 warnings"]);
    check(&["add", "@daily", "--group", "No such", "--", "true"], 1, &["group: `No such` is no name of a group"]);
}

#[test]
fn a_payload_is_for_another_program_and_every_command_says_so() {
    let sandbox = Sandbox::with_jobs(
        r#"{"id": "ask", "schedule": "@daily", "payload": {"prompt": "hi"}},
{"id": "a", "schedule": "@daily", "command": "true"},
{"id": "both", "schedule": "@daily", "command": "true", "payload": 1}"#,
    );
    let why = "job `ask` can't be run by `sched`: it has a `payload`, and this runner runs commands";
    let check = |line: &[&str], code: i32, parts: &[&str]| {
        let ran = sandbox.run(line);
        let said = format!("{}{}", ran.out, ran.err);
        assert_eq!(ran.code, Some(code), "{line:?}: {said}");
        for part in parts {
            assert!(said.contains(part), "{line:?} should say `{part}`:\n{said}");
        }
    };
    let both = "payload: it has a `command` as well, and a job runs one thing";
    check(&["validate"], 1, &["line 2, column", why, "hint: give it a `command`", both, "1 valid job, 2 problems"]);
    let file = sandbox.home().jobs_json();
    check(&["validate", file.to_str().unwrap()], 1, &["line 2, column", why, both, "1 valid job, 2 problems"]);
    check(&["list"], 0, &["it has a payload, which `sched` doesn't run", why]);
    check(&["show", "ask"], 0, &["problem", why, r#"payload       {"prompt":"hi"}"#]);
    check(&["status"], 4, &[why]);
    check(
        &["fire", "ask", "--wait"],
        1,
        &["job `ask`: failed now", "it has a `payload`, and this runner runs commands"],
    );
    let json = sandbox.json(&["list"]);
    assert_eq!(json["jobs"][1]["state"], "invalid", "{json}");
    assert_eq!(json["jobs"][1]["problem"], why);
}

#[test]
fn a_job_that_is_there_many_times_is_told_in_a_few_lines() {
    let entry = r#"{"id": "a", "schedule": "@daily", "command": "true"}"#;
    let sandbox = Sandbox::with_jobs(&vec![entry; 1000].join(",\n"));
    let ran = sandbox.run(&["validate"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(ran.out.matches("job `a` is there already, at line 2").count(), 3, "{}", ran.out);
    assert!(ran.out.contains("job `a` is there 996 more times\n"), "{}", ran.out);
    assert!(ran.out.ends_with("1 valid job, 4 problems, 0 warnings\n"), "{}", ran.out);
    let ran = sandbox.run(&["list"]);
    assert!(ran.out.contains("further entries with its id in jobs.json are ignored"), "{ran:?}");
    assert!(!ran.out.contains("invalid") && ran.err.lines().count() <= 8, "{ran:?}");
}
