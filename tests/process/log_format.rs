//! What the daemon writes for programs that read logs.

use serde_json::{Value, json};

use super::bench::{Place, Ran};

/// Every line of the log as JSON.
#[track_caller]
fn lines(ran: &Ran) -> Vec<Value> {
    ran.err.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

#[test]
fn every_line_of_a_json_log_is_an_object() {
    let place = Place::beating();
    place.write_jobs(&[place.job("job", "@yearly", ""), json!({"id": "bad", "schedule": "61 * * * *"})]);
    let daemon = place.start(&["run", "--log-format", "json"]);
    daemon.until_logged("the daemon runs");
    place.ok(&["fire", "job", "--wait"]);
    // The lock is held: the second one ends with a reason, which is an object too.
    let second = place.run(&["run", "--log-format", "json"]);
    assert_eq!((second.code, second.out.as_str()), (Some(75), ""));
    assert_eq!(lines(&second).last().expect("a reason")["error"]["kind"], "busy", "{second:?}");
    daemon.signal(rustix::process::Signal::TERM);
    let ran = daemon.ran();
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""), "{ran:?}");
    let lines = lines(&ran);
    for line in &lines {
        assert!(line["timestamp"].is_string() && line["level"].is_string() && line["message"].is_string(), "{line}");
    }
    let says = |part: &str| lines.iter().any(|line| line["message"].as_str().is_some_and(|text| text.contains(part)));
    assert!(says("the daemon runs") && says("job `bad` is invalid") && says("stopped; nothing fires"), "{lines:#?}");
    assert!(lines.iter().any(|line| line["home"] == place.home().display().to_string()), "{lines:#?}");
}
