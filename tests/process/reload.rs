//! SIGHUP: what can change without a restart does, and a broken file changes nothing.

use std::fs;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::bench::{Daemon, Gate, Place, eventually};

/// Brings `config` into force in `daemon`, and waits until it says so.
fn reload(place: &Place, daemon: &Daemon, config: &str, said: &str) {
    let before = daemon.log().matches("SIGHUP:").count();
    place.write("config.yaml", config);
    daemon.signal(Signal::HUP);
    eventually(&format!("`{said}` in the log"), || {
        let log = daemon.log();
        let lines: Vec<&str> = log.lines().filter(|line| line.contains("SIGHUP:")).skip(before).collect();
        if lines.iter().any(|line| line.contains(said)) { Ok(()) } else { Err(log) }
    });
}

#[test]
fn limits_interval_and_agent_change_without_a_restart_and_open_runs_go_on() {
    let place = Place::empty();
    let mut gate = Gate::new(&place, "gate");
    place.write("config.yaml", "max_parallel: 1\n");
    place.write_jobs(&[place.job("one", "@yearly", &gate.wait()), place.job("two", "@yearly", &gate.wait())]);
    let mut daemon = place.daemon();
    place.ok(&["fire", "one"]);
    place.until_started("one", 1);
    place.ok(&["fire", "two"]);
    place.until_status("the second waits for a place", |status| status["jobs"]["open"].to_string().contains("queued"));
    reload(
        &place,
        &daemon,
        "max_parallel: 2\nticker: {interval: 1s}\nagent: somebody\n",
        "config.yaml was read again; agent: the name of the machine -> somebody, ticker.interval: 1m -> 1s, \
         max_parallel: 1 -> 2",
    );
    place.until_started("two", 1);
    let before = place.status().1["heartbeat"]["cycle"].as_u64();
    let status = place.until_status("it turns every second", |status| {
        status["heartbeat"]["cycle"].as_u64() > before.map(|cycle| cycle + 2)
    });
    assert_eq!(
        (&status["heartbeat"]["interval_s"], &status["heartbeat"]["agent"]),
        (&json!(1.0), &json!("somebody")),
        "{status:#}"
    );
    reload(&place, &daemon, "max_parallel: 2\nticker: {interval: 1s}\nagent: somebody\n", "nothing in it has changed");
    gate.open_for_good();
    daemon.stop();
    assert_eq!((place.ends("one"), place.ends("two")), (vec!["succeeded".into()], vec!["succeeded".into()]));
}

#[test]
fn a_new_provider_takes_over_from_the_old_one_and_back() {
    let place = Place::empty();
    place.write("config.yaml", "ticker: {interval: 1s}\nprovider: none\n");
    place.write_jobs(&[place.job("job", "* * * * * *", "")]);
    let mut daemon = place.daemon();
    place.until_verdict("standby", 0);
    assert_eq!(place.effects("job").len(), 0);
    reload(&place, &daemon, "ticker: {interval: 1s}\n", "provider: none -> builtin");
    place.until_started("job", 2);
    place.until_verdict("live", 0);
    reload(&place, &daemon, "ticker: {interval: 1s}\nprovider: none\n", "provider: builtin -> none");
    let before = place.until_verdict("standby", 0);
    let fired = place.effects("job").len();
    place.until_status("two more turns", |status| {
        status["heartbeat"]["cycle"].as_u64() > before["heartbeat"]["cycle"].as_u64().map(|cycle| cycle + 2)
    });
    assert!(place.effects("job").len() <= fired + 1, "one may have been on its way: {}", place.effect_log());
    reload(&place, &daemon, "ticker: {interval: 1s}\nprovider: buitlin\n", "provider: none -> buitlin");
    let status = place.until_verdict("degraded", 3);
    assert!(status["problems"].to_string().contains("did you mean `builtin`?"), "{status:#}");
    place.until_started("job", fired + 3);
    reload(&place, &daemon, "ticker: {interval: 1s}\n", "provider: buitlin -> builtin");
    place.until_verdict("live", 0);
    place.no_instant_twice("job");
    daemon.stop();
}

#[test]
fn what_holds_for_jobs_that_dont_say_changes_for_the_runs_to_come() {
    let place = Place::beating();
    let out = place.path("out");
    let print = format!("echo $GREETING >> {}; sleep 60", out.display());
    place.write_jobs(&[
        json!({"id": "late", "schedule": "@yearly", "command": print}),
        json!({"id": "noon", "schedule": "0 12 * * *", "command": "true"}),
        json!({"id": "fixed", "schedule": "0 12 * * *", "timezone": "UTC", "command": "true"}),
    ]);
    let mut daemon = place.daemon();
    let zone = |job: &str| {
        let shown: Value = serde_json::from_str(&place.ok(&["--json", "show", job])).expect("JSON");
        shown["job"]["next"].as_str().expect("an instant").to_owned()
    };
    assert!(zone("noon").contains("T12:00:00+00:00"), "{}", zone("noon"));
    reload(
        &place,
        &daemon,
        "ticker: {interval: 1s}\ntimezone: Asia/Kolkata\ndefaults: {timeout: 1s, env: {GREETING: hi}}\n",
        "timezone: system -> Asia/Kolkata, defaults.timeout: 0s -> 1s, defaults.env: none -> GREETING",
    );
    eventually("its next instant has moved", || {
        let journal = fs::read_to_string(place.home().join("state/journal.1")).expect("the journal");
        let moved = journal.lines().any(|line| line.contains("\"cursor\"") && line.contains("\"noon\""));
        if moved { Ok(()) } else { Err(journal) }
    });
    assert!(zone("noon").contains("T12:00:00+05:30") && zone("fixed").contains("T12:00:00+00:00"));
    assert_eq!(place.run(&["fire", "late", "--wait"]).code, Some(1));
    assert_eq!(place.ends("late"), ["timed_out"]);
    assert_eq!(fs::read_to_string(out).expect("what it printed"), "hi\n");
    daemon.stop();
}

#[test]
fn a_broken_file_changes_nothing_and_is_told_with_its_place() {
    let place = Place::empty();
    place.write("config.yaml", "ticker: {interval: 1s}\nprovider: none\n");
    place.write_jobs(&[place.job("job", "* * * * * *", "")]);
    let mut daemon = place.daemon();
    place.until_verdict("standby", 0);
    reload(
        &place,
        &daemon,
        "provider: \"builtin\n",
        "config.yaml: line 2, column 1: found unexpected end of stream, while scanning a quoted scalar at line 1 column 11; \
         the configuration in force stays",
    );
    assert!(daemon.log().contains(" ERROR "), "{}", daemon.log());
    let status = place.until_verdict("degraded", 3);
    let problems = status["problems"].as_array().expect("a list");
    let problems: Vec<&Value> = problems.iter().filter(|problem| problem["remark"] == false).collect();
    assert_eq!(problems.len(), 1, "{status:#}");
    assert!(
        problems[0]["what"].as_str().is_some_and(|what| what.contains("config.yaml: line 2, column 1")),
        "{status:#}"
    );
    assert_eq!(status["heartbeat"]["provider"], "none");
    reload(
        &place,
        &daemon,
        "ticker: {interval: 1s}\nprovider: none\nmax_parallel: many\n",
        "nothing in it has changed",
    );
    daemon.until_logged("line 3, column 15: max_parallel: expected a whole number");
    place.until_verdict("degraded", 3);
    reload(&place, &daemon, "ticker: {interval: 1s}\n", "provider: none -> builtin");
    place.until_started("job", 1);
    daemon.stop();
}
