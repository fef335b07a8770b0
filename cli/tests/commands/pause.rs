use serde_json::json;

use crate::support::Sandbox;

const JOBS: &str = r#"
{"id": "a", "schedule": "@daily", "command": "true"},
{"id": "b", "schedule": "@daily", "command": "true"}"#;

#[test]
fn a_pause_ends_by_itself_or_by_hand() {
    let sandbox = Sandbox::with_jobs(JOBS);
    let said = sandbox.ok(&["pause", "a", "--for", "2h", "--reason", "disk swap"]);
    assert!(said.contains("job `a` paused until ") && said.contains("(in 2 h)"), "{said}");
    assert!(sandbox.ok(&["pause", "b"]).contains("until `sched resume b`"));
    let jobs = &sandbox.json(&["list"])["jobs"];
    assert_eq!(jobs[0]["paused"]["reason"], "disk swap");
    assert!(jobs[0]["paused"]["until"].is_string() && jobs[1]["paused"]["until"].is_null(), "{jobs}");
    assert!(sandbox.ok(&["next", "a"]).contains("it is paused (disk swap): it will not fire until"));

    assert!(sandbox.ok(&["resume", "a"]).contains("job `a` resumed, next at "));
    assert!(sandbox.ok(&["resume", "a"]).contains("was not paused"));
    assert_eq!(sandbox.json(&["resume", "--all"])["resumed"], json!(["b"]));
    assert!(sandbox.ok(&["resume", "--all"]).contains("no job was paused"));
}

#[test]
fn all_jobs_are_paused_at_once() {
    let sandbox = Sandbox::with_jobs(JOBS);
    assert_eq!(sandbox.json(&["pause", "--all"])["paused"], json!(["a", "b"]));
    let again = sandbox.json(&["pause", "--all"]);
    assert_eq!((&again["paused"], &again["unchanged"]), (&json!([]), &json!(["a", "b"])));
    sandbox.fails(&["pause", "c"], 1, &["no job `c`"]);
    sandbox.fails(&["pause", "a", "--for", "ten"], 2, &["is not a duration"]);
}
