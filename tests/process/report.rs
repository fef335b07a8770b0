//! The morning report goes out by itself: on its schedule, once, whoever looks after the home.

use std::fs;

use jiff::{SignedDuration, Timestamp, Unit};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::bench::{Place, eventually};

/// A config.yaml whose report goes by `schedule` to a command that keeps every one it gets, a line each.
fn config(place: &Place, schedule: &str) -> String {
    let command = format!("cat >> {}", place.path("reports").display());
    let sink = json!({"name": "out", "type": "command", "command": ["/bin/sh", "-c", command]});
    let broken =
        json!({"name": "broken", "type": "command", "command": ["/bin/sh", "-c", "echo no paper >&2; exit 1"]});
    let report = json!({"schedule": schedule, "timezone": "UTC", "notify": ["out", "broken"]});
    json!({"ticker": {"interval": "1s"}, "timezone": "UTC", "notify": [sink, broken], "report": report}).to_string()
}

fn reports(place: &Place) -> Vec<Value> {
    let text = fs::read_to_string(place.path("reports")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect("a report is a line of JSON")).collect()
}

/// The second that begins so long from now.
fn in_seconds(seconds: i64) -> Timestamp {
    (Timestamp::now() + SignedDuration::from_secs(seconds)).round(Unit::Second).expect("a second")
}

fn until_reported(place: &Place) -> Value {
    eventually("a report", || reports(place).pop().ok_or_else(|| "none yet".into()))
}

#[test]
fn a_report_that_is_asked_for_on_sighup_comes_at_its_instant_and_once() {
    let place = Place::beating();
    place.write_jobs(&[place.job("job", "* * * * * *", "")]);
    let daemon = place.daemon();
    place.until_started("job", 1);
    let due = in_seconds(15);
    place.write("config.yaml", config(&place, &due.to_string()));
    daemon.signal(Signal::HUP);
    let report = until_reported(&place);
    assert_eq!((&report["schema"], &report["event"]), (&json!(1), &json!("report")), "{report:#}");
    let until: Timestamp = report["until"].as_str().and_then(|text| text.parse().ok()).expect("an instant");
    assert!(until >= due, "not before its instant: {until}");
    assert_eq!(report["jobs"][0]["job"], "job");
    // Others that look after the home find it settled.
    for _ in 0..3 {
        place.ok(&["tick"]);
    }
    assert_eq!(reports(&place).len(), 1);
    // What did not arrive is told by those who are asked how it is.
    place.until_status("the sink that failed", |status| {
        let problems = status["problems"].as_array().into_iter().flatten();
        let what = problems.filter(|problem| problem["key"] == "report-broken").filter_map(|one| one["what"].as_str());
        what.into_iter().any(|what| what.contains("no paper"))
    });
    place.no_instant_twice("job");
}

#[test]
fn of_two_ticks_that_come_late_one_sends_the_report_that_was_missed() {
    let place = Place::empty();
    let missed = in_seconds(-3600);
    place.write("config.yaml", config(&place, &missed.to_string()));
    place.ok(&["tick"]);
    assert_eq!(reports(&place).len(), 0, "nothing is owed for the time before it was asked for");
    let file = place.home().join("state/report.json");
    let mut record: Value = serde_json::from_slice(&fs::read(&file).expect("it is settled")).expect("JSON");
    record["through"] = json!(missed - SignedDuration::from_secs(60));
    fs::write(&file, record.to_string()).expect("as if nobody had ticked since");
    let ticks = [place.start(&["tick"]), place.start(&["tick"])];
    for tick in ticks {
        let ran = tick.ran();
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
    assert_eq!(reports(&place).len(), 1);
    place.ok(&["tick"]);
    assert_eq!(reports(&place).len(), 1);
}

#[test]
fn a_report_is_sent_to_sinks_by_name_and_its_exit_code_says_whether_something_blocks() {
    let place = Place::empty();
    place.write("config.yaml", config(&place, "0 7 * * *"));
    place.write_jobs(&[place.job("job", "@manually", "exit 3")]);
    place.fails(&["report", "--to", "outt"], 1, &["there is no sink `outt`", "did you mean `out`?"]);
    assert_eq!(reports(&place).len(), 0);
    let sent = place.run(&["report", "--to", "out"]);
    assert_eq!(sent.code, Some(3), "no daemon runs: {sent:?}");
    assert_eq!(until_reported(&place)["clean"], json!(false));
    let refused = place.run(&["report", "--to", "out", "--to", "broken"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.out.contains("no paper"), "{refused:?}");
    let page = place.run(&["report", "--format", "html"]);
    assert!(page.code == Some(3) && page.out.starts_with("<!DOCTYPE html>"), "{page:?}");
}
