//! What becomes of jobs, as sinks hear of it that asked for one kind of it each: with a real daemon, real jobs, and programs
//! as sinks.

use std::fs;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::process::bench::{Gate, Place, eventually, processes_with, signal};

/// What the sink with this name was told: event, kind and key.
fn told(place: &Place, sink: &str) -> Vec<[String; 3]> {
    let text = fs::read_to_string(place.path(sink)).unwrap_or_default();
    let word = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let values = serde_json::Deserializer::from_str(&text).into_iter::<Value>().map_while(Result::ok);
    values.map(|value| ["event", "kind", "key"].map(|key| word(&value, key))).collect()
}

#[track_caller]
fn until_told(place: &Place, sink: &str, expected: &[[&str; 3]]) {
    eventually(&format!("`{sink}` is told"), || {
        let told = told(place, sink);
        if told == expected { Ok(()) } else { Err(format!("{told:?}")) }
    });
}

#[test]
fn each_kind_arrives_where_it_was_asked_for_and_nowhere_else() {
    let place = Place::empty();
    let sinks = [
        ("failures", &["failure"][..]),
        ("ends", &["failure", "recovery"]),
        ("timeouts", &["timeout"]),
        ("unknown", &["unknown"]),
        ("skipped", &["skipped"]),
        ("watchdog", &["watchdog"]),
    ];
    let sink = |(name, on): &(&str, &[&str])| {
        let command = format!("cat >> {}", place.path(name).display());
        json!({"name": name, "type": "command", "command": ["sh", "-c", command], "on": on})
    };
    let config = json!({"ticker": {"interval": "1s"}, "notify": sinks.iter().map(sink).collect::<Vec<_>>()});
    place.write("config.yaml", config.to_string());
    let (mended, gate) = (place.path("mended"), Gate::new(&place, "gate"));
    place.write_jobs(&[
        json!({"id": "fails", "schedule": "@yearly", "command": format!("test -e {}", mended.display())}),
        json!({"id": "late", "schedule": "@yearly", "command": "sleep 600", "timeout": "1s"}),
        place.job("cut", "@yearly", &gate.wait()),
        // Due every second while its first run waits.
        place.job("busy", "* * * * * *", &gate.wait()),
    ]);
    let mut first = place.daemon();
    assert_eq!(place.run(&["fire", "fails", "--wait"]).code, Some(1));
    until_told(&place, "ends", &[["opened", "failure", "job-fails"]]);
    fs::write(&mended, "").expect("mended");
    assert_eq!(place.run(&["fire", "fails", "--wait"]).code, Some(0));
    assert_eq!(place.run(&["fire", "late", "--wait"]).code, Some(1));
    until_told(&place, "timeouts", &[["opened", "timeout", "job-late"]]);
    until_told(&place, "ends", &[["opened", "failure", "job-fails"], ["closed", "failure", "job-fails"]]);
    until_told(&place, "skipped", &[["opened", "skipped", "skipped-busy"]]);

    place.ok(&["fire", "cut"]);
    place.until_started("cut", 1);
    first.kill();
    for pid in processes_with("SCHED_JOB_ID=cut") {
        signal(pid, Signal::KILL);
    }
    eventually("nothing is left of it", || {
        let left = processes_with("SCHED_JOB_ID=cut");
        if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
    });
    let mut second = place.daemon();
    until_told(&place, "unknown", &[["opened", "unknown", "job-cut"]]);
    second.stop();
    assert_eq!(told(&place, "failures"), [["opened", "failure", "job-fails"]], "nor the end, which it didn't ask for");
    // Everything was told by then: a daemon that stops waits for its sinks.
    assert_eq!(told(&place, "skipped"), [["opened", "skipped", "skipped-busy"]], "one, however many there were");
    assert_eq!((told(&place, "timeouts").len(), told(&place, "ends").len()), (1, 2));
    assert_eq!(told(&place, "watchdog"), [[""; 3]; 0]);
}
