use crate::support::Sandbox;

const JOBS: &str = r#"
{"id": "a", "name": "Twin", "schedule": "@daily", "command": "true"},
{"id": "b", "name": "Twin", "schedule": "@daily", "command": "true"},
{"id": "backup", "name": "Backup Job", "schedule": "@daily", "command": "true"}"#;

#[test]
fn jobs_go_by_id_or_unique_name() {
    let sandbox = Sandbox::with_jobs(JOBS);
    assert_eq!(sandbox.ok(&["remove", "Backup Job", "a", "a"]), "removed job `backup`\nremoved job `a`\n");
    assert_eq!(sandbox.json(&["rm", "Twin"])["removed"], serde_json::json!(["b"]));
    assert_eq!(sandbox.json(&["list"])["jobs"], serde_json::json!([]));
}

#[test]
fn all_or_nothing() {
    let sandbox = Sandbox::with_jobs(JOBS);
    sandbox.fails(&["remove", "a", "backpu"], 1, &["error: no job `backpu`", "hint: did you mean `backup`?"]);
    sandbox.fails(&["remove", "Twin"], 1, &["2 jobs are called `Twin`: `a`, `b`", "hint: say which by its id"]);
    sandbox.fails(&["remove", "zzz"], 1, &["hint: `sched list` shows all jobs"]);
    assert_eq!(sandbox.json(&["list"])["jobs"].as_array().unwrap().len(), 3);
}

#[test]
fn no_home_is_made_to_find_nothing_in_it() {
    let sandbox = Sandbox::new();
    sandbox.fails(&["remove", "a"], 1, &["there is no home at", "sched init"]);
    sandbox.fails(&["resume", "--all"], 1, &["there is no home at"]);
    assert!(!sandbox.path().exists());
}
