//! Something that was owed is on no record: whoever asks how the scheduler does is told, until it is there again or somebody knows.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustix::process::Signal;
use scheduler_core::{
    Home, SystemClock,
    store::{JsonStore, JsonStoreOptions},
};
use serde_json::{Value, json};

use super::bench::{Daemon, Place, eventually};

/// A home that turns every second and tells a file beside it; its one job is due every second.
fn busy() -> Place {
    let place = Place::empty();
    let tell = format!("cat >> {}", place.path("told").display());
    let sink = json!([{"name": "file", "type": "command", "command": ["sh", "-c", tell]}]);
    place.write("config.yaml", format!("ticker: {{interval: 1s}}\nnotify: {sink}"));
    place.write_jobs(&[place.job("often", "* * * * * *", "")]);
    place
}

/// How often the sink was told `event` of what is missing.
fn told(place: &Place, event: &str) -> usize {
    let text = fs::read_to_string(place.path("told")).unwrap_or_default();
    let news = serde_json::Deserializer::from_str(&text).into_iter::<Value>().map(|news| news.expect("JSON"));
    news.filter(|news| news["key"] == "unrecorded" && news["event"] == event).count()
}

/// A command ends with `code` and shows all of `parts`.
#[track_caller]
fn shows(place: &Place, line: &[&str], code: i32, parts: &[&str]) {
    let ran = place.run(line);
    assert!(ran.code == Some(code) && parts.iter().all(|part| ran.out.contains(part)), "{parts:?}: {ran:?}");
}

/// Moves what is over out of the journal, and answers the file of the day that has most of it.
fn file_the_past(place: &Place) -> PathBuf {
    let options = JsonStoreOptions::new(Home::new(place.home()), Arc::new(SystemClock));
    let store = JsonStore::open(&options).expect("a store");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(store.compact()).expect("a compaction");
    let names =
        fs::read_dir(place.home().join("state/ledger")).expect("a folder").map(|entry| entry.expect("a name").path());
    let days = names.filter(|path| !path.to_string_lossy().contains("definitions"));
    days.max_by_key(|path| fs::metadata(path).expect("a file").len()).expect("a day")
}

/// Takes the `n`th entry out of `day`; answers it as `sched why` takes it.
fn lose(day: &Path, n: usize) -> String {
    let text = fs::read_to_string(day).expect("a day");
    let lost = text.lines().nth(n).expect("an entry").to_owned();
    fs::write(day, text.replace(&format!("{lost}\n"), "")).expect("a day without an entry");
    let entry: Value = serde_json::from_str(&lost).expect("JSON");
    format!("often@{}", entry["occurrence"]["id"]["key"].as_str().expect("an instant"))
}

/// The problem with this key, if `status` has it.
fn problem(status: &Value, key: &str) -> Option<Value> {
    status["problems"].as_array()?.iter().find(|problem| problem["key"] == key).cloned()
}

fn until_missed(place: &Place, instants: &str) -> Value {
    let status = place.until_status("what is missing", |status| {
        problem(status, "unrecorded")
            .is_some_and(|it| it["what"].to_string().contains(instants) && it["remark"] == false)
    });
    assert_eq!((&status["verdict"], &status["exit_code"]), (&json!("degraded"), &json!(3)), "{status:#}");
    problem(&status, "unrecorded").expect("a problem")
}

fn until_looked_anew(place: &Place, daemon: &Daemon) {
    let looked = |place: &Place| place.status().1["account"]["at"].clone();
    let before = looked(place);
    daemon.signal(Signal::HUP);
    eventually("a look", || if looked(place) == before { Err(before.to_string()) } else { Ok(()) });
}

#[test]
fn what_is_on_no_record_is_degraded_and_told_until_it_is_back_or_somebody_knows() {
    let place = busy();
    let mut daemon = place.daemon();
    place.until_started("often", 8);
    daemon.stop();
    let day = file_the_past(&place);
    let whole = fs::read(&day).expect("a day");
    let daemon = place.daemon();
    let status = place.until_status("a look", |status| status["account"]["at"].is_string());
    assert_eq!(status["account"]["missing"], 0, "{status:#}");
    assert_eq!((place.until_verdict("live", 0)["problems"].clone(), told(&place, "opened")), (json!([]), 0));

    let lost = lose(&day, 2);
    until_looked_anew(&place, &daemon);
    let missed = until_missed(&place, &format!("nothing is on record of `{lost}`, which was owed"));
    assert!(missed["hint"].to_string().contains(&format!("`sched why {lost}` and `sched audit`")), "{missed:#}");
    shows(&place, &["status"], 3, &["DEGRADED", &lost, "hint: `sched why"]);
    shows(&place, &["status", "--nagios"], 1, &["SCHED WARNING - DEGRADED", &lost]);
    shows(&place, &["why", &lost], 3, &["missing"]);
    shows(&place, &["watchdog"], 3, &["unrecorded", &lost]);
    eventually("the sink is told, once", || if told(&place, "opened") == 1 { Ok(()) } else { Err("it is not".into()) });
    let report = place.run(&["report", "--json"]);
    let report: Value = serde_json::from_str(&report.out).expect("JSON");
    let blockers: Vec<&str> =
        report["blockers"].as_array().expect("a list").iter().filter_map(|it| it["key"].as_str()).collect();
    assert_eq!(blockers, ["unrecorded"], "once, whoever has found it: {report:#}");
    assert_eq!((&report["jobs"][0]["well"], &report["clean"]), (&json!(false), &json!(false)), "{report:#}");

    // Somebody puts the file back.
    fs::write(&day, &whole).expect("the day as it was");
    until_looked_anew(&place, &daemon);
    place.until_verdict("live", 0);
    eventually("the end is told", || if told(&place, "closed") == 1 { Ok(()) } else { Err("it is not".into()) });

    // It is lost again, and somebody takes note.
    lose(&day, 2);
    until_looked_anew(&place, &daemon);
    until_missed(&place, &lost);
    place.ok(&["alerts", "ack", "unrecorded", "--by", "ann"]);
    let known = place.until_verdict("live", 0);
    let remark = problem(&known, "unrecorded").expect("a remark");
    assert!(remark["remark"] == true && remark["what"].to_string().contains("(acknowledged)"), "{remark:#}");
    assert_eq!(place.run(&["watchdog"]).code, Some(0));
    until_looked_anew(&place, &daemon);
    place.until_verdict("live", 0);
    let alerts: Value = serde_json::from_str(&place.ok(&["alerts", "--json"])).expect("JSON");
    assert_eq!(alerts["alerts"][0]["acknowledged"]["by"], "ann", "{alerts:#}");
    shows(&place, &["report"], 0, &["(acknowledged)"]);

    // What is missed besides is news.
    lose(&day, 4);
    until_looked_anew(&place, &daemon);
    until_missed(&place, "2 instants that were owed");
    shows(&place, &["alerts"], 3, &["unrecorded"]);
}

#[test]
fn a_tick_looks_as_a_daemon_does_and_what_it_has_found_can_be_acknowledged_without_an_alert() {
    let place = busy();
    eventually("some runs", || {
        place.ok(&["tick"]);
        let runs = place.effects("often").len();
        if runs >= 6 { Ok(()) } else { Err(runs.to_string()) }
    });
    assert_eq!(place.status().1["account"]["missing"], 0);
    let lost = lose(&file_the_past(&place), 1);
    place.ok(&["tick"]);
    until_missed(&place, &lost);
    fs::remove_file(place.home().join("alerts/unrecorded.alert")).expect("the alert is lost");
    place.ok(&["alerts", "ack", "unrecorded"]);
    let (code, status) = place.status();
    assert_eq!((code, &status["account"]["acknowledged"]), (0, &json!(true)), "{status:#}");
}

#[test]
fn a_history_that_is_gone_altogether_is_no_reason_to_be_well() {
    let place = busy();
    let mut daemon = place.daemon();
    place.until_started("often", 3);
    daemon.stop();
    file_the_past(&place);
    fs::remove_dir_all(place.home().join("state/ledger")).expect("somebody needed the space");
    let daemon = place.daemon();
    let status = place.until_status("the job that can't be judged", |status| problem(status, "account").is_some());
    assert_eq!(status["verdict"], "degraded", "{status:#}");
    let what = problem(&status, "account").expect("a problem")["what"].to_string();
    assert!(what.contains("job `often` can't be judged"), "{what}");
    shows(&place, &["audit"], 3, &["job `often` can't be judged", "is gone from state/ledger"]);
    // From the next definition on it can.
    place.ok(&["edit", "often", "--schedule", "*/2 * * * * *"]);
    until_looked_anew(&place, &daemon);
    place.until_verdict("live", 0);
}
