//! Sinks that take longer than anybody waits at a terminal: who waits for them, and what is noted if nobody does.

use std::fs;

use serde_json::{Value, json};

use crate::process::bench::{Place, eventually};

/// A home without a daemon whose sink does `then` after it has said which alert it begins with.
fn place(then: &str) -> Place {
    let place = Place::empty();
    let (begun, done) = (place.path("begun"), place.path("done"));
    let command = format!("cat >> {}; {then}; echo >> {}", begun.display(), done.display());
    let sink = json!({"name": "pager", "type": "command", "command": ["sh", "-c", command], "timeout": "50s"});
    place.write("config.yaml", json!({"notify": [sink]}).to_string());
    place.write_jobs(&[json!({"id": "bad", "schedule": "@yearly", "command": "exit 3"})]);
    place
}

/// How often it has begun with the alert of this key.
fn begun(place: &Place, key: &str) -> usize {
    let text = fs::read_to_string(place.path("begun")).unwrap_or_default();
    text.lines().filter(|line| line.contains(&format!("\"key\":\"{key}\""))).count()
}

fn told(place: &Place, key: &str) -> Value {
    let text = fs::read_to_string(place.home().join(format!("alerts/{key}.alert"))).expect("an alert");
    serde_json::from_str::<Value>(&text).expect("JSON")["sinks"]["pager"].clone()
}

#[test]
fn a_watchdog_waits_as_long_as_its_sink_and_another_one_tells_nothing_twice() {
    let place = place("sleep 12");
    let first = place.start(&["watchdog"]);
    eventually("the sink begins", || (begun(&place, "daemon") == 1).then_some(()).ok_or_else(|| first.log()));
    // What it found, and that it came, waits for no sink.
    eventually("what it found", || {
        let said = first.said();
        if said.contains("opened alert daemon") { Ok(()) } else { Err(said) }
    });
    assert!(place.home().join("heartbeats/watchdog.json").exists());
    let second = place.run(&["watchdog"]);
    assert_eq!((second.code, begun(&place, "daemon")), (Some(4), 1), "{second:?}");
    let listed = place.run(&["alerts"]);
    assert!(listed.err.contains("sink `pager` is being told of daemon"), "{listed:?}");
    let ran = first.ran();
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert_eq!(fs::read_to_string(place.path("done")).expect("it came to its end"), "\n");
    assert!(told(&place, "daemon")["opened"].is_string(), "{}", told(&place, "daemon"));
}

#[test]
fn who_fires_by_hand_waits_for_seconds_and_a_sink_that_was_cut_off_is_no_secret() {
    let place = place("sleep 1000");
    assert_eq!(place.run(&["fire", "bad", "--wait"]).code, Some(1));
    let told = told(&place, "job-bad");
    assert!(told["error"].as_str().is_some_and(|error| error.starts_with("cut off after 10 s")), "{told}");
    assert!(told["not_before"].is_string() && told["claimed_until"].is_null(), "{told}");
    let listed = place.run(&["alerts"]);
    assert!(
        listed.err.contains("was not told of job-bad: cut off") && listed.err.contains("tried again"),
        "{listed:?}"
    );
}
