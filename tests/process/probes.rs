//! Probes: commands whose exit code the daemon watches, and who hears of it.

use std::{fs, path::PathBuf};

use rustix::process::Signal;
use serde_json::{Value, json};

use super::bench::{Gate, Place, eventually};

fn alert(place: &Place, name: &str) -> PathBuf {
    place.home().join(format!("alerts/probe-{name}.alert"))
}

fn until(what: &str, fact: impl Fn() -> bool) {
    eventually(what, || if fact() { Ok(()) } else { Err(what.to_owned()) });
}

fn state_of(status: &Value, name: &str) -> Value {
    let probes = status["probes"].as_array().expect("a list");
    probes.iter().find(|probe| probe["name"] == name).map_or(Value::Null, |probe| probe["state"].clone())
}

#[test]
fn what_a_probe_finds_opens_an_alert_once_and_closes_it_and_others_go_on() {
    let place = Place::empty();
    let (flag, told) = (place.path("well"), place.path("told"));
    let sink = format!("{{name: pager, type: command, command: [sh, -c, 'cat >> {}']}}", told.display());
    let config = format!(
        "ticker: {{interval: 1s}}\nnotify: [{sink}]\nprobes:\n- name: flag\n  command: 'echo looking; test -e {}'\n  \
         every: 1s\n- {{name: missing, command: [/nowhere/program], every: 1s, notify: []}}\n\
         - {{name: slow, command: 'sleep 600 & wait', every: 1h, timeout: 1s, notify: []}}\n\
         - {{name: fine, command: 'true', every: 1s}}\n",
        flag.display()
    );
    place.write("config.yaml", config);
    let mut daemon = place.daemon();
    let status = place.until_status("all have looked", |status| {
        let bad = ["flag", "missing", "slow"];
        // What the probes found is looked at twice for an answer: for its problems, and for its list.
        let is_told = |name: &&str| status["problems"].to_string().contains(&format!("probe `{name}`"));
        bad.iter().all(|name| state_of(status, name) == "bad" && is_told(name)) && state_of(status, "fine") == "well"
    });
    assert_eq!(status["verdict"], "degraded", "{status:#}");
    let problems = status["problems"].to_string();
    assert!(problems.contains("probe `flag` finds something wrong since "), "{problems}");
    assert!(problems.contains("exit code 1: looking"), "{problems}");
    assert!(problems.contains("it took longer than 1s and was ended"), "{problems}");
    assert!(problems.contains("it can't be run: "), "{problems}");
    until("its alert", || alert(&place, "flag").exists());
    until("the sink was told", || fs::read_to_string(&told).is_ok_and(|told| told.contains("probe-flag")));
    let looked = |status: &Value| status["probes"][0]["at"].as_str().map(str::to_owned);
    let before = looked(&place.status().1);
    let later = place.until_status("it looks again", |status| looked(status) > before);
    assert_eq!(later["probes"][0]["since"], status["probes"][0]["since"], "it has not changed");

    fs::write(&flag, "").expect("it is well");
    place.until_status("it is well", |status| state_of(status, "flag") == "well");
    until("its alert is closed", || !alert(&place, "flag").exists());
    assert!(alert(&place, "missing").exists());
    let log = daemon.log();
    assert_eq!(log.matches("exit code 1: looking").count(), 1, "told on the change alone: {log}");

    // Whoever takes a probe away is rid of what it found.
    place.write("config.yaml", "ticker: {interval: 1s}\n");
    daemon.signal(Signal::HUP);
    until("the alerts of probes that are gone", || {
        !alert(&place, "missing").exists() && !alert(&place, "slow").exists()
    });
    place.until_verdict("live", 0);
    daemon.stop();
}

#[test]
fn a_probe_waits_for_a_time_when_the_job_does_not_run_and_a_new_one_begins_with_sighup() {
    let place = Place::beating();
    let mut gate = Gate::new(&place, "gate");
    let ran = place.path("ran");
    place.write_jobs(&[json!({"id": "backup", "schedule": "@yearly", "command": gate.wait()})]);
    let mut daemon = place.daemon();
    place.ok(&["fire", "backup"]);
    place.until_status("it runs", |status| status["jobs"]["open"].to_string().contains("running"));
    let config = format!(
        "ticker: {{interval: 1s}}\nprobes: [{{name: load, command: 'echo >> {}', every: 1s, not_during: [backup, bakcup]}}]\n",
        ran.display()
    );
    place.write("config.yaml", config);
    daemon.signal(Signal::HUP);
    let status = place.until_status("it is put off", |status| {
        status["probes"][0]["put_off_for"].as_str().is_some_and(|why| why.contains("job `backup` runs"))
    });
    assert!(!ran.exists() && state_of(&status, "load") == "unknown", "{status:#}");
    assert!(status["problems"].to_string().contains("did you mean `backup`?"), "{status:#}");
    gate.open_for_good();
    until("its next time", || ran.exists());
    place.until_status("it is well", |status| state_of(status, "load") == "well");
    daemon.stop();
}
