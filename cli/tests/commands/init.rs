use std::{fs, os::unix::fs::PermissionsExt as _};

use crate::support::Sandbox;

#[test]
fn a_home_is_made_once() {
    let sandbox = Sandbox::new();
    let said = sandbox.ok(&["init"]);
    assert!(said.contains("config.yaml") && said.contains("sched add"), "{said}");
    let home = sandbox.home();
    assert_eq!(fs::metadata(home.path()).unwrap().permissions().mode() & 0o777, 0o700);
    let config = fs::read_to_string(home.config_yaml()).unwrap();
    assert!(config.lines().all(|line| line.is_empty() || line.starts_with('#')), "{config}");

    fs::write(home.config_yaml(), "max_parallel: 3\n").unwrap();
    assert!(sandbox.ok(&["init"]).contains("nothing was changed"));
    assert_eq!(fs::read_to_string(home.config_yaml()).unwrap(), "max_parallel: 3\n");
}

#[test]
fn examples_go_into_an_empty_home_only() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.json(&["init", "--example"])["added"], serde_json::json!(["hello", "disk"]));
    assert_eq!(sandbox.json(&["list"])["jobs"].as_array().unwrap().len(), 2);
    assert!(sandbox.ok(&["init", "--example"]).contains("it has jobs already, so no examples were added"));

    let sandbox = Sandbox::with_jobs(r#"{"id": "mine", "schedule": "@daily", "command": "true"}"#);
    assert!(sandbox.ok(&["init", "--example"]).contains("no examples were added"));
    assert_eq!(sandbox.json(&["list"])["jobs"][0]["id"], "mine");
}
