use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    process::Stdio,
};

use serde_json::{Value, json};

use crate::support::{Sandbox, run};

#[test]
fn a_schedule_can_be_tried_out() {
    let sandbox = Sandbox::new();
    let after = "2026-11-22T10:00:00Z";
    let said = sandbox.ok(&["next", "--expr", "0 9 * * 1-5", "--tz", "Asia/Kolkata", "--after", after, "--count", "2"]);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "At 09:00, Monday to Friday, Asia/Kolkata");
    assert!(lines[1].starts_with("  2026-11-23T09:00:00+05:30  ") && lines.len() == 3, "{said}");

    let said = sandbox.json(&["next", "--expr", "2026-12-24 18:00", "--after", after]);
    assert_eq!(said["next"], json!(["2026-12-24T18:00:00+01:00"]), "the machine's zone counts: {said}");
    assert!(sandbox.ok(&["next", "--expr", "2026-12-24 18:00", "--after", "2027-01-01 00:00"]).contains("never after"));
    sandbox.fails(&["next", "--expr", "* * * *"], 1, &["found 4 fields", "^^^^^^^"]);
    sandbox.fails(&["next", "--expr", "@daily", "--count", "0"], 2, &["0 is not in 1..=100000"]);
    sandbox.fails(&["next", "--expr", "@daily", "--after", "soon"], 2, &["`soon` is not an instant"]);
    assert!(!sandbox.path().exists());
}

#[test]
fn a_job_says_what_keeps_it_from_firing() {
    let sandbox = Sandbox::with_jobs(
        r#"{"id": "off", "schedule": "@daily", "command": "true", "enabled": false},
           {"id": "past", "schedule": "2020-01-01T00:00:00Z", "command": "true"},
           {"id": "fine", "schedule": "0 9 * * *", "timezone": "UTC", "command": "true"}"#,
    );
    assert!(sandbox.ok(&["next", "off"]).contains("it is disabled"));
    assert!(sandbox.ok(&["next", "past"]).contains("it will never fire again"));
    let said = sandbox.json(&["next", "fine", "--after", "2026-11-22T10:00:00Z", "--count", "1"]);
    assert_eq!((&said["next"], &said["silent"]), (&json!(["2026-11-23T09:00:00+00:00"]), &Value::Null));
    sandbox.fails(&["next", "fien"], 1, &["did you mean `fine`?"]);
}

#[test]
fn a_job_with_jitter_says_when_it_starts() {
    let sandbox = Sandbox::with_jobs(
        r#"{"id": "late", "schedule": "0 9 * * *", "timezone": "UTC", "command": "true", "jitter": "1h"}"#,
    );
    let said = sandbox.json(&["show", "late"]);
    let jitter = &said["settings"]["jitter"];
    assert_eq!(jitter["most_s"], 3600.0, "{said:#}");
    let own = jiff::SignedDuration::from_secs_f64(jitter["own_s"].as_f64().unwrap());
    let nine: jiff::Timestamp = "2099-11-23T09:00:00Z".parse().unwrap();
    let next = |after: jiff::Timestamp| {
        let said = sandbox.json(&["next", "late", "--after", &after.to_string(), "--count", "1"]);
        said["next"][0].as_str().unwrap().parse::<jiff::Timestamp>().unwrap()
    };
    assert_eq!(next("2099-11-23T00:00:00Z".parse().unwrap()), nine + own);
    let tomorrow = nine + jiff::SignedDuration::from_hours(24) + own;
    assert_eq!((next(nine), next(nine + own)), (nine + own, tomorrow), "from its start on it is over");
    let said = sandbox.ok(&["next", "late"]);
    assert!(said.contains("\njitter: up to 1h; it starts ") && said.contains(" after each instant\n"), "{said}");
    // One that came before the job was there is not owed, however long it would be put off.
    let second = r#"{"id": "new", "schedule": "* * * * *", "command": "true", "jitter": "59s"}"#;
    let sandbox = Sandbox::with_jobs(second);
    let listed = sandbox.json(&["list"])["jobs"][0]["next"].clone();
    let shown = sandbox.json(&["next", "new"]);
    assert_eq!((&shown["next"][0], &shown["job"]["next"]), (&listed, &listed), "{shown:#}");
}

#[test]
fn the_whole_corpus_is_answered_in_one_batch() {
    let corpus = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/cron_cases.jsonl")).unwrap();
    let ran = run(Sandbox::new().command(&["next", "--batch"]), &corpus);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    assert_eq!(ran.out.lines().count(), 838);
    for (question, answer) in corpus.lines().zip(ran.out.lines()) {
        let (question, answer): (Value, Value) =
            (serde_json::from_str(question).unwrap(), serde_json::from_str(answer).unwrap());
        match question.get("expect") {
            Some(expected) => assert_eq!(answer, json!({ "next": expected }), "{question}"),
            None => assert!(answer["error"].is_string(), "{question}: {answer}"),
        }
    }
}

#[test]
fn a_batch_is_a_conversation() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(&["next", "--batch"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut check = |question: &str, expected: &str| {
        writeln!(stdin, "{question}").unwrap();
        assert_eq!(answers.next().unwrap().unwrap(), expected, "{question}");
    };
    let after = r#""after": "2026-11-22T09:59:30+01:00""#;
    check(&format!(r#"{{"expr": "@hourly", {after}, "count": 1}}"#), r#"{"next":["2026-11-22T09:00:00Z"]}"#);
    check("[]", r#"{"error":"expected an object such as {\"expr\": \"0 9 * * *\"}"}"#);
    check(&format!(r#"{{"expr": "every 5m", {after}, "count": 1}}"#), r#"{"next":["2026-11-22T09:04:30Z"]}"#);
    drop(stdin);
    assert!(child.wait().unwrap().success());
}
