//! `doctor` and `schema`; how they look is in the snapshots.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::support::{Ran, Sandbox};

const JOBS: &str = r#"{"id": "a", "schedule": "@daily", "command": ["true"]}"#;

/// The row of a check: state, detail and fix.
#[track_caller]
fn row(ran: &Ran, check: &str) -> String {
    let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    let row = report["checks"].as_array().unwrap().iter().find(|row| row["check"] == check).unwrap().clone();
    let text = |field: &str| row[field].as_str().unwrap_or("none").to_owned();
    format!("{}: {} [{}]", text("state"), text("detail"), text("fix"))
}

/// Every file below a folder, with its content.
fn all(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            files.extend(all(&entry));
        } else {
            let content = fs::read(&entry).unwrap();
            files.insert(entry, content);
        }
    }
    files
}

#[test]
fn nothing_is_changed_by_looking() {
    let sandbox = Sandbox::with_jobs(JOBS);
    sandbox.ok(&["pause", "a"]);
    let before = all(&sandbox.path());
    sandbox.run(&["doctor"]);
    assert_eq!(all(&sandbox.path()), before);
    let nowhere = Sandbox::new();
    nowhere.fails(&["doctor"], 1, &["there is no home", "`sched init`"]);
    assert!(!nowhere.path().exists());
}

#[test]
fn a_disk_that_takes_nothing_is_bad() {
    let sandbox = Sandbox::with_jobs(JOBS);
    let state = sandbox.home().state();
    fs::rename(&state, sandbox.path().join("elsewhere")).unwrap();
    let said = row(&sandbox.run(&["doctor", "--json"]), "fsync");
    assert!(said.starts_with("unknown: can't know: there is no `state` folder"), "{said}");
    // Even root can't make a file there.
    std::os::unix::fs::symlink("/proc", &state).unwrap();
    let ran = sandbox.run(&["doctor", "--json"]);
    assert!(row(&ran, "fsync").starts_with("bad: cannot write "), "{ran:?}");
    assert_eq!(ran.code, Some(3));
}

#[test]
fn a_store_that_cannot_be_opened_is_bad_and_the_rest_is_still_told() {
    let sandbox = Sandbox::with_jobs(JOBS);
    sandbox.ok(&["pause", "a"]);
    fs::write(sandbox.home().manifest(), "{").unwrap();
    let ran = sandbox.run(&["doctor", "--json"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    let said = row(&ran, "files");
    assert!(said.starts_with("bad: ") && said.contains("MANIFEST is damaged") && said.contains("backup"), "{said}");
    // Nothing is well for want of knowledge.
    for check in ["programs", "journal"] {
        assert!(row(&ran, check).starts_with("unknown: can't know: "), "{ran:?}");
    }
}

#[test]
fn what_lies_about_in_a_home_is_told() {
    let sandbox = Sandbox::with_jobs(JOBS);
    let check = |name: &str, expected: &str| {
        let said = row(&sandbox.run(&["doctor", "--json"]), name);
        assert!(said.starts_with(expected), "{said}\nis not\n{expected}");
    };
    check("leftovers", "ok: none");
    sandbox.ok(&["add", "@manually", "--id", "b", "--", "true"]);
    check("leftovers", "info: jobs.json.bak.1: ");
    fs::write(sandbox.path().join("jobs.json.tmp"), "half").unwrap();
    check("leftovers", "info: jobs.json.bak.1: ");
    let long_ago = fs::FileTimes::new().set_modified(std::time::UNIX_EPOCH);
    fs::File::options().write(true).open(sandbox.path().join("jobs.json.tmp")).unwrap().set_times(long_ago).unwrap();
    check("leftovers", "warn: jobs.json.tmp: left by a command that died");
    fs::write(sandbox.home().journal(7), "").unwrap();
    check("leftovers", "warn: state/journal.7 of a generation before");
    check("journal", "ok: state/journal.1, ");
    fs::set_permissions(sandbox.path(), fs::Permissions::from_mode(0o755)).unwrap();
    check("permissions", "warn: mode 0755");
}

#[test]
fn a_file_points_at_its_schema_and_keeps_doing_so() {
    let sandbox = Sandbox::with_jobs(JOBS);
    let schema: Value = serde_json::from_str(&sandbox.ok(&["schema", "jobs"])).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    fs::write(sandbox.home().jobs_json(), format!("{{\"$schema\": \"./jobs.schema.json\", \"jobs\": [{JOBS}]}}"))
        .unwrap();
    fs::write(sandbox.home().config_yaml(), "# yaml-language-server: $schema=config.schema.json\nagent: a\n").unwrap();
    assert_eq!(sandbox.ok(&["validate"]), "1 valid job, 0 problems, 0 warnings\n");
    sandbox.ok(&["add", "@manually", "--id", "b", "--", "true"]);
    let text = fs::read_to_string(sandbox.home().jobs_json()).unwrap();
    assert!(text.contains("\"$schema\": \"./jobs.schema.json\""), "{text}");
    assert_eq!(sandbox.ok(&["validate"]), "2 valid jobs, 0 problems, 0 warnings\n");
}
