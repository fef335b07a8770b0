//! Jobs that fail, can't be started, or want more than there is room for.

use std::fs;

use serde_json::{Value, json};

use super::bench::{Gate, Place, eventually};

#[test]
fn a_failing_job_is_named_with_its_run_and_a_hint_and_alerts_until_it_succeeds() {
    let place = Place::beating();
    let (mend, alert) = (place.path("mended"), place.home().join("alerts/job-nightly.alert"));
    place.write_jobs(&[place.job("nightly", "* * * * * *", &format!("echo on it; test -e {}", mend.display()))]);
    let mut daemon = place.daemon();
    let status = place.until_verdict("degraded", 3);
    let troubled = &status["jobs"]["troubled"][0];
    let run = troubled["run"].as_str().expect("a run");
    assert_eq!((&troubled["job"], &troubled["result"]), (&json!("nightly"), &json!("failed")), "{status:#}");
    let problem = &status["problems"][0];
    assert!(
        problem["what"].as_str().is_some_and(|what| what.contains("`nightly` failed") && what.contains("exit code 1"))
    );
    let hint = format!("sched logs nightly --run {run}");
    assert!(problem["hint"].as_str().is_some_and(|text| text.contains(&hint)), "{problem:#}");
    assert_eq!(place.ok(&["logs", "nightly", "--run", run]).trim(), "on it", "and the hint works");
    let text = eventually("an alert", || fs::read_to_string(&alert).map_err(|error| error.to_string()));
    let told: Value = serde_json::from_str(&text).expect("an alert is JSON");
    assert_eq!((&told["state"], &told["job"]), (&json!("open"), &json!("nightly")), "{text}");
    fs::write(&mend, "").expect("mended");
    place.until_verdict("live", 0);
    eventually("the alert is gone", || if alert.exists() { Err(text.clone()) } else { Ok(()) });
    daemon.stop();
}

#[test]
fn an_alert_goes_with_its_job_however_that_is_removed() {
    let place = Place::beating();
    let bad = |id: &str| json!({"id": id, "schedule": "@yearly", "command": "exit 3"});
    let alert = |id: &str| place.home().join(format!("alerts/job-{id}.alert"));
    let gone = |id: &str| {
        eventually("the alert is gone", || if alert(id).exists() { Err(id.to_owned()) } else { Ok(()) });
    };
    place.write_jobs(&[bad("by-hand"), bad("by-command"), bad("unwatched"), bad("kept")]);
    let mut daemon = place.daemon();
    for id in ["by-hand", "by-command", "unwatched", "kept"] {
        assert_eq!(place.run(&["fire", id, "--wait"]).code, Some(1));
        eventually("an alert", || if alert(id).exists() { Ok(()) } else { Err(id.to_owned()) });
    }
    place.write_jobs(&[bad("by-command"), bad("unwatched"), bad("kept")]);
    gone("by-hand");
    place.ok(&["remove", "by-command"]);
    assert!(!alert("by-command").exists(), "at once, with or without a daemon");
    daemon.stop();
    place.write_jobs(&[bad("kept")]);
    assert!(alert("unwatched").exists());
    let mut daemon = place.daemon();
    gone("unwatched");
    assert!(alert("kept").exists(), "it still has not succeeded");
    daemon.stop();
}

#[test]
fn a_run_that_fails_after_its_job_was_removed_leaves_no_alert() {
    let place = Place::beating();
    let mut gate = Gate::new(&place, "gate");
    place.write_jobs(&[place.job("job", "@yearly", &format!("{}; exit 3", gate.wait()))]);
    let mut daemon = place.daemon();
    place.ok(&["fire", "job"]);
    place.until_started("job", 1);
    place.ok(&["remove", "job"]);
    gate.open();
    eventually("its end", || if place.ends("job").is_empty() { Err(daemon.log()) } else { Ok(()) });
    daemon.stop();
    assert!(!place.home().join("alerts/job-job.alert").exists());
}

#[test]
fn a_missing_program_is_a_failed_run_that_says_which_and_where() {
    let place = Place::beating();
    place.write_jobs(&[json!({"id": "gone", "schedule": "@yearly", "command": ["no-such-program"], "workdir": "/"})]);
    let _daemon = place.daemon();
    assert_eq!(place.run(&["fire", "gone", "--wait"]).code, Some(1));
    let entry = place.history("gone").remove(0);
    assert_eq!(entry["verdict"], "failed", "{entry:#}");
    let message = entry["message"].as_str().expect("why");
    assert!(message.contains("program not found: `no-such-program`"), "{message}");
    let (code, status) = place.status();
    assert_eq!(code, 3, "{status:#}");
}

#[test]
fn max_parallel_holds_across_the_daemon_and_ticks() {
    let place = Place::empty();
    let mut gate = Gate::new(&place, "gate");
    place.write("config.yaml", "ticker: {interval: 1s}\nmax_parallel: 3\n");
    let jobs: Vec<_> = (0..6).map(|n| place.job(&format!("job{n}"), "* * * * * *", &gate.wait())).collect();
    place.write_jobs(&jobs);
    let mut daemon = place.daemon();
    let script = format!("while [ -e {} ]; do sched tick & sleep 0.2; done; wait", place.path("go").display());
    fs::write(place.path("go"), "").expect("a file");
    let mut ticks = place.start_script(&script);
    let states = |status: &Value, state: &str| {
        let open = status["jobs"]["open"].as_array().expect("a list");
        open.iter().filter(|run| run["state"] == state).count()
    };
    // Everything is due, and three places are taken: the rest waits, whoever looks.
    place.until_status("three run and three wait", |status| {
        states(status, "running") == 3 && states(status, "queued") == 3
    });
    let started = |count: usize| {
        eventually(&format!("{count} starts"), || match place.effect_log().lines().count() {
            lines if lines == count => Ok(()),
            lines => Err(format!("{lines} started")),
        });
    };
    started(3);
    gate.open();
    started(4);
    place.until_status("its place was taken", |status| states(status, "running") == 3);
    started(4);
    fs::remove_file(place.path("go")).expect("the loop ends");
    gate.open_for_good();
    ticks.wait();
    daemon.stop();
}

#[test]
fn a_reboot_job_fires_once_per_start_of_the_machine() {
    let place = Place::beating();
    place.write_jobs(&[place.job("boot", "@reboot", ""), place.job("beat", "* * * * * *", "")]);
    for start in 1..=3 {
        let before = place.effects("beat").len();
        let mut daemon = place.daemon();
        place.until_started("beat", before + 2);
        daemon.stop();
        assert_eq!(place.effects("boot").len(), 1, "start {start} of the daemon, the same one of the machine");
    }
}
