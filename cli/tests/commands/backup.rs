//! `backup` and `restore`.

use std::fs;

use scheduler_core::{JobStore as _, Outcome, RunResult};

use crate::support::{Sandbox, block_on};

const JOBS: &str = r#"
{"id": "a", "schedule": "@hourly", "timezone": "UTC", "command": "true"},
{"id": "b", "schedule": "@daily", "command": "true"}"#;

/// The ids that `list` has.
fn ids(sandbox: &Sandbox) -> Vec<String> {
    let said = sandbox.json(&["list"]);
    said["jobs"].as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_backup_put_back_is_the_home_with_its_jobs_pauses_and_history() {
    let (sandbox, other) = (Sandbox::with_jobs(JOBS), Sandbox::new());
    sandbox.ran_at("2026-11-21T08:00:00Z", "a", Outcome::new(RunResult::Succeeded));
    block_on(async {
        let store = sandbox.store_at("2026-11-21T08:10:00Z");
        store.compact().await.unwrap();
        store.close().await.unwrap();
    });
    sandbox.ran_at("2026-11-21T08:30:00Z", "a", Outcome::failed("no space"));
    sandbox.ok(&["pause", "b"]);
    let backup = other.path().with_file_name("backup");
    let folder = backup.to_str().unwrap();
    sandbox.ok(&["backup", folder]);
    let said = other.ok(&["restore", "--from", folder]);
    assert!(said.contains("2 jobs"), "{said}");
    for line in [&["history"][..], &["show", "b"]] {
        let without_paths = |sandbox: &Sandbox| sandbox.ok(line).replace(sandbox.path().to_str().unwrap(), "HOME");
        assert_eq!(without_paths(&other), without_paths(&sandbox), "{line:?}");
    }
    let names = |sandbox: &Sandbox| fs::read_dir(sandbox.home().ledger()).unwrap().count();
    assert_eq!(names(&other), names(&sandbox));
    // Neither of them writes over anything.
    for (sandbox, line) in [(&sandbox, &["backup", folder][..]), (&other, &["restore", "--from", folder])] {
        sandbox.fails(line, 1, &["is there already", "hint: name a folder that is empty"]);
    }
}

#[test]
fn a_version_of_jobs_json_comes_back_word_for_word_and_so_does_what_it_displaces() {
    let sandbox = Sandbox::with_jobs(JOBS);
    let text = || fs::read_to_string(sandbox.home().jobs_json()).unwrap();
    let before = text();
    sandbox.ok(&["remove", "a"]);
    let after = text();
    let said = sandbox.run(&["restore", "--dry-run"]);
    assert_eq!((said.code, text()), (Some(3), after.clone()));
    assert!(said.out.contains("add `a`: @hourly") && said.out.contains("nothing was changed"), "{}", said.out);
    sandbox.ok(&["restore"]);
    assert_eq!((text(), ids(&sandbox)), (before.clone(), vec!["a".to_owned(), "b".to_owned()]));
    sandbox.ok(&["restore", "--yes"]);
    assert_eq!((text(), ids(&sandbox)), (after, vec!["b".to_owned()]));
    // A file that can't be read is what it is for; the jobs were in force all the time.
    fs::write(sandbox.home().jobs_json(), "{\"jobs\": [").unwrap();
    sandbox.ok(&["restore", "1"]);
    assert_eq!((text(), ids(&sandbox)), (before, vec!["a".to_owned(), "b".to_owned()]));
    fs::write(sandbox.path().join("jobs.json.bak.4"), "nonsense").unwrap();
    sandbox.fails(&["restore", "4"], 1, &["jobs.json.bak.4: line 1", "nothing was changed"]);
}
