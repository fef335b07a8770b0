//! The rows of jobs.json, and its schema against the real loader.

use std::fs;

use jiff::Timestamp;
use proptest::{prelude::*, sample::select};
use serde_json::json;

use super::*;
use crate::{
    Job,
    job::{EntryError, JobDefaults, ROWS, parse_definition},
};

fn load(entry: &Value) -> Result<Job, EntryError> {
    parse_definition(entry, &JobDefaults::default(), "UTC", Timestamp::UNIX_EPOCH)
}

fn fits(entry: &Value) -> bool {
    JOBS.is_valid(&json!({ "format": 1, "jobs": [entry] }))
}

fn with(field: &str, value: Value) -> Value {
    let mut entry = json!({ "id": "job", "schedule": "@daily", "command": ["true"] });
    if field == "payload" {
        entry["command"] = Value::Null;
    }
    entry[field] = value;
    entry
}

/// All of a job, to compare.
fn all(entry: &Value) -> String {
    format!("{:?}", load(entry).unwrap_or_else(|error| panic!("{entry}: {error}")))
}

#[test]
fn every_default_is_the_real_one_and_every_example_does_something() {
    let without = all(&with("id", "job".into()));
    for row in &ROWS {
        match row.absent {
            Absent::Value(default) => assert_eq!(all(&with(row.name, parsed(default))), without, "{}", row.name),
            Absent::Config(path) => assert!(find(&config::KEYS, path).is_some(), "{}: {path}", row.name),
            Absent::Refused => {
                let mut entry = with(row.name, Value::Null);
                assert_eq!(load(&entry).unwrap_err().field.as_deref(), Some(row.name));
                assert!(entry.as_object_mut().unwrap().remove(row.name).is_some() && !fits(&entry), "{entry}");
            }
            Absent::Words(words) => assert!(!words.is_empty()),
        }
        let examples: Vec<Value> = row.examples.iter().map(|text| with(row.name, parsed(text))).collect();
        assert!(examples.iter().any(|entry| all(entry) != without), "{}: no example does anything", row.name);
        assert!(examples.iter().all(fits), "{}", row.name);
        for inner in row.inside() {
            let values: Vec<Value> = inner.examples.iter().map(|text| json!({ inner.name: parsed(text) })).collect();
            let entries: Vec<Value> = values.into_iter().map(|value| with(row.name, value)).collect();
            assert!(entries.iter().any(|entry| all(entry) != without), "{}.{}", row.name, inner.name);
            assert!(entries.iter().all(fits), "{}.{}", row.name, inner.name);
        }
    }
}

#[test]
fn every_row_is_read() {
    for row in ROWS.iter().filter(|row| !matches!(row.shape, Shape::Anything)) {
        let error = load(&with(row.name, json!([[]]))).expect_err(row.name);
        assert_eq!(error.field.as_deref(), Some(row.name), "{error}");
        for inner in row.inside() {
            let error = load(&with(row.name, json!({ inner.name: [[]] }))).expect_err(inner.name);
            assert_eq!(error.field, Some(format!("{}.{}", row.name, inner.name)), "{error}");
        }
    }
}

#[test]
fn whole_files_fit_or_not() {
    let check = |text: &str, fits: bool| assert_eq!(JOBS.is_valid(&parsed(text)), fits, "{text}");
    let page = |name: &str| fs::read_to_string(format!("{}/../{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    // The example of the README, which everybody copies.
    let readme = page("README.md");
    let example = readme.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    check(example, true);
    check(r#"{"jobs": []}"#, true);
    check(r#"{"$schema": "./jobs.schema.json", "format": 1, "jobs": [], "owner": "ops"}"#, true);
    check(r#"{"format": 1}"#, false);
    check(r#"{"format": 2, "jobs": []}"#, false);
    check(r#"{"jobs": {}}"#, false);
    check("[]", false);
}

#[test]
fn the_schema_refuses_what_it_can_tell() {
    let check = |entry: &Value| assert!(!fits(entry) && load(entry).is_err(), "{entry}");
    check(&json!("backup"));
    check(&json!({"schedule": "@daily", "command": "true"}));
    check(&json!({"name": " ", "schedule": "@daily", "command": "true"}));
    check(&json!({"id": "job", "schedule": "@daily"}));
    check(&json!({"id": "job", "schedule": "@daily", "command": "true", "payload": {}}));
    check(&json!({"id": "job", "schedule": "@daily", "command": null, "payload": null}));
    for (field, value) in [
        ("id", json!("Nightly Backup")),
        ("id", json!("a".repeat(64))),
        ("id", json!(7)),
        ("schedule", json!(["@daily"])),
        ("schedule", json!("")),
        ("timezone", json!("")),
        ("command", json!([])),
        ("command", json!([""])),
        ("command", json!(" ")),
        ("command", json!(["a", 1])),
        ("command", json!({"run": "x"})),
        ("env", json!(["A=1"])),
        ("env", json!({"A": []})),
        ("env", json!({"A=B": "x"})),
        ("env", json!({"": "x"})),
        ("workdir", json!("b")),
        ("timeout", json!("10")),
        ("timeout", json!(10)),
        ("timeout", json!("-5s")),
        ("overlap", json!("never")),
        ("misfire", json!("latest")),
        ("misfire", json!({"policy": "some"})),
        ("misfire", json!({"graze": "5m"})),
        ("max_parallel", json!(0)),
        ("max_parallel", json!(5_000_000_000_u64)),
        ("tags", json!("db")),
        ("ping_url", json!("")),
        ("ping_url", json!(["https://example.org"])),
        ("output_limit", json!("1 parsec")),
        ("enabled", json!("yes")),
        ("retries", json!(2)),
        ("retries", json!({"max": -1})),
        ("retries", json!({"often": 2})),
        ("umask", json!("022")),
        ("user", json!("root")),
    ] {
        check(&with(field, value));
    }
    // What means nothing is a remark of the loader, and an editor should underline it.
    assert!(!fits(&with("comand", json!("x"))));
    assert!(fits(&with("$note", json!({"by": "hand"}))) && fits(&with("_note", json!(1))));
    // What another build carries out may be there and ask for nothing.
    assert!(fits(&with("umask", Value::Null)));
}

#[test]
fn every_duration_that_is_read_fits() {
    for text in
        ["0", "0s", " 90s ", "1h30m", "1h 30m", "2 hours", "1 hour, 30 minutes", "1.5h", "+5m", "02:00:00", "100ms"]
    {
        let entry = with("timeout", json!(text));
        assert_eq!((fits(&entry), load(&entry).is_ok()), (true, true), "{text}");
    }
}

proptest! {
    /// No editor underlines what the loader takes.
    #[test]
    fn what_the_loader_takes_fits(fields in prop::collection::vec((select(fields()), select(values())), 0..4)) {
        let mut entry = with("id", "job".into());
        for (field, value) in fields {
            entry[field] = value;
        }
        if load(&entry).is_ok() && job::unknown_fields(&entry).is_empty() {
            prop_assert!(fits(&entry), "{entry}");
        }
    }
}

fn fields() -> Vec<&'static str> {
    job::FIELDS.into_iter().chain(["umask", "$note", "_x"]).collect()
}

/// Values of all kinds, good somewhere or nowhere.
fn values() -> Vec<Value> {
    let own = ROWS.iter().flat_map(|row| row.examples.iter().map(|text| parsed(text)));
    let others = [
        json!(null),
        json!(true),
        json!(0),
        json!(1),
        json!(-1),
        json!(1.5),
        json!(4_294_967_295_u64),
        json!(""),
        json!("a"),
        json!("0"),
        json!("10"),
        json!("5 min"),
        json!("1KB"),
        json!("7 gib"),
        json!("/"),
        json!([]),
        json!(["a"]),
        json!({}),
        json!({"A": 1, "B": true, "C": "x"}),
        json!({"grace": 0}),
        json!({"grace": "auto", "max": 1}),
        json!({"policy": null}),
        json!("every day at 9am"),
        json!("europe/berlin"),
    ];
    own.chain(others).collect()
}
