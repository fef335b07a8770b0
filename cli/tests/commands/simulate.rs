use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::support::Sandbox;

const JOBS: &str = r#"{"id": "sync", "schedule": "* * * * *", "timezone": "UTC", "command": "true"},
{"id": "report", "schedule": "@hourly", "timezone": "UTC", "command": "true", "timeout": "10m"},
{"id": "hand", "schedule": "@manually", "command": "true"}"#;

const DAY: [&str; 4] = ["--from", "2026-03-02T00:00:00Z", "--to", "24h"];

/// What the answer has of a job.
#[track_caller]
fn job(said: &Value, id: &str, fields: &[&str]) -> Vec<Value> {
    let job = said["jobs"].as_array().unwrap().iter().find(|job| job["id"] == id).unwrap();
    fields.iter().map(|field| job[*field].clone()).collect()
}

#[test]
fn a_day_is_played_through_and_nothing_is_changed() {
    let sandbox = Sandbox::with_jobs(JOBS);
    sandbox.ok(&["list"]);
    let before = everything(&sandbox.path());
    let said = sandbox.json(&[&["simulate"], &DAY[..]].concat());
    let fields = ["fires", "late", "instants", "max_open", "takes_from"];
    assert_eq!(json!(job(&said, "sync", &fields)), json!([1440, 0, 1440, 1, "assumed"]));
    assert_eq!(json!(job(&said, "report", &fields)), json!([24, 0, 24, 1, "assumed"]));
    assert_eq!(json!(job(&said, "hand", &["fires"])), json!([0]));
    let starts: u64 = said["buckets"].as_array().unwrap().iter().map(|bucket| bucket["starts"].as_u64().unwrap()).sum();
    assert_eq!((starts, &said["warnings"]), (1464, &json!([])));
    assert_eq!(everything(&sandbox.path()), before);
}

#[test]
fn what_ifs_are_answered() {
    let sandbox = Sandbox::with_jobs(JOBS);
    let what_if = |more: &[&str]| sandbox.json(&[&["simulate"], &DAY[..], more].concat());
    let said = what_if(&["--duration", "sync=90s", "--duration", "report=20m"]);
    assert_eq!(json!(job(&said, "sync", &["fires", "skipped", "takes_ms"])), json!([720, {"overlap": 720}, 90_000]));
    assert_eq!(json!(job(&said, "report", &["fires", "timed_out"])), json!([24, 24]));
    let warnings: Vec<&str> =
        said["warnings"].as_array().unwrap().iter().map(|one| one["what"].as_str().unwrap()).collect();
    assert_eq!(
        warnings,
        [
            "job `report` takes 20m, its timeout is 10m: 24 runs were ended by it",
            "job `sync` takes 1m 30s and is due every 1m: 720 of 1440 instants were skipped"
        ]
    );
    let said = what_if(&["--downtime", "2026-03-02T10:00:30Z..2026-03-02T12:00:30Z", "--clock-step", "20h=+1h"]);
    assert_eq!(json!(job(&said, "sync", &["late", "coalesced", "skipped"])), json!([1, 119 + 60, {}]));
}

#[test]
fn the_limits_are_those_of_the_daemon() {
    let sandbox = Sandbox::with_jobs(JOBS);
    fs::write(sandbox.home().config_yaml(), "max_parallel: 1\n").unwrap();
    let said = sandbox.json(&["simulate", "--from", "2026-03-02T00:00:00Z", "--to", "2h"]);
    assert_eq!((&said["max_parallel"], &said["full_at"]), (&json!(1), &json!("2026-03-02T01:00:00+01:00")));
    let waits = json!([job(&said, "report", &["waited"])[0].as_u64(), job(&said, "sync", &["waited"])[0].as_u64()]);
    assert_eq!(waits, json!([0, 2]));
}

#[test]
fn runs_take_as_long_as_they_did() {
    let sandbox = Sandbox::with_jobs(JOBS);
    for _ in 0..3 {
        sandbox.ok(&["fire", "sync", "--wait"]);
    }
    let fields = ["takes_from", "takes_of_runs"];
    for line in [&["simulate"][..], &["simulate", "sync"]] {
        let said = sandbox.json(line);
        assert_eq!(json!(job(&said, "sync", &fields)), json!(["history", 3]));
    }
    let said = sandbox.json(&["simulate", "--duration", "sync=2h"]);
    assert_eq!(json!(job(&said, "sync", &fields)), json!(["given", null]));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let sandbox = Sandbox::with_jobs(JOBS);
    sandbox.fails(&["simulate", "snyc"], 1, &["did you mean `sync`?"]);
    sandbox.fails(
        &["simulate", "--to", "2026-01-01T00:00:00Z", "--from", "2026-01-02T00:00:00Z"],
        2,
        &["is not after"],
    );
    sandbox.fails(&["simulate", "--to", "400d"], 2, &["more than 366 days"]);
    sandbox.fails(&["simulate", "--clock-step", "3h=+soon"], 2, &["--clock-step: ", "write `2026-11-22 03:00=+1h`"]);
    sandbox.fails(&["simulate", "report", "--duration", "sync=3m"], 2, &["job `sync` is not simulated"]);
    sandbox.fails(&["simulate", "--speed=-1"], 2, &["0 is as fast as it goes"]);
    sandbox.fails(&["simulate", "--svg", "no/such/folder/load.svg"], 1, &["cannot write no/such/folder/load.svg"]);
}

#[test]
fn the_picture_is_well_formed_whatever_the_home_is_called() {
    let sandbox = Sandbox::new();
    let home = sandbox.path().parent().unwrap().join("a&b <c> \"d\"");
    let home = home.to_str().unwrap();
    sandbox.ok(&["--home", home, "add", "@hourly", "--name", "tick", "--timezone", "UTC", "--", "true"]);
    let line = [
        &["--home", home, "simulate", "--svg", "load.svg"],
        &DAY[..],
        &["--downtime", "2h..4h", "--clock-step", "9h=+1h"],
    ];
    assert!(sandbox.ok(&line.concat()).contains("drawn in load.svg"));
    let text = fs::read_to_string(sandbox.path().parent().unwrap().join("load.svg")).unwrap();
    let picture = roxmltree::Document::parse(&text).unwrap();
    let of_class = |class: &str| picture.descendants().filter(|node| node.attribute("class") == Some(class)).count();
    // Two of 24 are down, and of the two that come when the clock is set there is one bar.
    assert_eq!((of_class("starts"), of_class("down"), of_class("step"), of_class("open")), (22, 1, 1, 1));
    assert!(
        picture
            .descendants()
            .any(|node| node.text().is_some_and(|text| text.contains("home ") && text.contains("a&b <c> \"d\"")))
    );
}

#[test]
fn fires_can_be_watched_until_ctrl_c() {
    let sandbox = Sandbox::with_jobs(r#"{"id": "beat", "schedule": "every 1s", "command": "true"}"#);
    let said = sandbox.ok(&["simulate", "--to", "30s", "--speed", "1000"]);
    assert_eq!(said.lines().filter(|line| line.ends_with("  beat")).count(), 30, "{said}");

    let mut command = sandbox.command(&["simulate", "--speed", "1"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().ends_with("  beat"));
    let interrupt = format!("kill -INT {}", child.id());
    assert!(Command::new("sh").args(["-c", &interrupt]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!(err, "stopped; nothing was run or changed\n");
}

/// Every file below `folder`, with what is in it.
fn everything(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(everything(&path));
        } else {
            found.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}
