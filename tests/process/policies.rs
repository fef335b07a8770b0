//! Policies that are about processes: another attempt, and who is gone before it begins.

use rustix::process::Signal;
use serde_json::json;

use super::bench::{Gate, Place, processes_with, signal};

#[test]
fn attempts_know_their_number_and_whoever_waits_gets_the_last_ones_end() {
    let place = Place::beating();
    let log = place.path("effects");
    let command = format!("echo job $SCHED_ATTEMPT $SCHED_OCCURRENCE >> {}; test $SCHED_ATTEMPT = 3", log.display());
    place.write_jobs(&[json!({
        "id": "job", "schedule": "@yearly", "command": command, "retries": {"max": 4, "backoff": "100ms"},
    })]);
    let check = |times: usize| {
        let ran = place.run(&["fire", "job", "--wait"]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let effects = place.effects("job");
        let last = &effects[3 * (times - 1)..];
        let (_, occurrence) = last[0].split_once(' ').expect("two words");
        assert_eq!(last, ["1", "2", "3"].map(|attempt| format!("{attempt} {occurrence}")));
        assert_eq!(place.ends("job")[3 * (times - 1)..], ["failed", "failed", "succeeded"]);
    };
    // Without a daemon, the command makes all attempts itself.
    check(1);
    let mut daemon = place.daemon();
    check(2);
    assert!(!place.home().join("alerts/job-job.alert").exists());
    daemon.stop();
}

#[test]
fn a_newer_run_starts_when_nothing_of_the_one_it_replaces_is_left() {
    let place = Place::beating();
    // A folder is there once: whoever finds it was started too early. The old run takes its time to go.
    let then = format!(
        "mkdir {0} || echo early >> {1}; trap 'sleep 0.5; rmdir {0}; exit' TERM; setsid sleep 1000 & sleep 1000 & wait",
        place.path("taken").display(),
        place.path("effects").display(),
    );
    let mut job = place.job("job", "@yearly", &then);
    job["overlap"] = json!("replace");
    place.write_jobs(&[job]);
    let mut daemon = place.daemon();
    for start in 1..=3 {
        place.ok(&["fire", "job"]);
        place.until_started("job", start);
        let gone = place.history("job");
        assert_eq!(gone.len(), start - 1, "the one before is over");
        for entry in gone {
            assert_eq!(
                (&entry["verdict"], entry["message"].as_str()),
                (&json!("cancelled"), Some("cancelled; a newer run took its place"))
            );
            let mark = format!("SCHED_RUN_ID={}", entry["run"].as_str().expect("a run"));
            assert_eq!(processes_with(&mark), Vec::<u32>::new(), "{}", daemon.log());
        }
    }
    assert!(!place.effect_log().contains("early"), "{}", place.effect_log());
    place.ok(&["cancel", "job"]);
    daemon.stop();
}

#[test]
fn what_must_be_done_is_done_again_when_nothing_of_it_is_left_and_not_for_ever() {
    let place = Place::beating();
    let gate = Gate::new(&place, "gate");
    let mut job = place.job("job", "@yearly", &gate.wait());
    job["delivery"] = json!("at_least_once");
    job["retries"] = json!({"backoff": "100ms"});
    place.write_jobs(&[job]);
    let mut daemon = place.daemon();
    place.ok(&["fire", "job"]);
    for attempt in 1..=2 {
        place.until_started("job", attempt);
        let its = |status: &serde_json::Value, state: &str| {
            let open = status["jobs"]["open"].as_array().expect("a list").clone();
            open.into_iter().find(|run| run["state"] == state && run["pid"].is_u64())
        };
        let status = place.until_status("its process is noted", |status| its(status, "running").is_some());
        let run = its(&status, "running").expect("a run")["run"].as_str().expect("an id").to_owned();
        daemon.kill();
        daemon = place.daemon();
        place.until_status("it is adopted", |status| its(status, "orphaned").is_some());
        assert_eq!(place.effects("job").len(), attempt, "while it lives no other one starts");
        for pid in processes_with(&format!("SCHED_RUN_ID={run}")) {
            signal(pid, Signal::KILL);
        }
    }
    place.until_status("that was all", |status| status["jobs"]["open"].as_array().is_some_and(Vec::is_empty));
    assert_eq!(place.ends("job"), ["unknown", "unknown"], "{}", daemon.log());
    assert_eq!(place.effects("job").len(), 2);
    place.until_verdict("degraded", 3);
    daemon.stop();
}
