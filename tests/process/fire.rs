//! Runs by hand, and the examples: what a person does first.

use std::process::Command;

use rustix::process::Signal;
use serde_json::json;

use super::bench::{Daemon, Gate, Place, Ran, eventually};

#[test]
fn fire_runs_it_here_or_in_the_daemon_and_wait_tells_how_it_ended() {
    let place = Place::beating();
    place.write_jobs(&[
        json!({"id": "good", "schedule": "@yearly", "command": "echo fine"}),
        json!({"id": "bad", "schedule": "@yearly", "command": "exit 7"}),
    ]);
    let check = |place: &Place| {
        let good = place.run(&["fire", "good", "--wait"]);
        assert_eq!((good.code, good.out.contains("of job `good`: succeeded")), (Some(0), true), "{good:?}");
        let bad = place.run(&["fire", "bad", "--wait"]);
        assert_eq!((bad.code, bad.out.contains("of job `bad`: failed (exit 7)")), (Some(1), true), "{bad:?}");
    };
    check(&place);
    // Without a daemon nobody else would run it, so it waits unasked.
    assert_eq!(place.run(&["fire", "bad"]).code, Some(1));
    let mut daemon = place.daemon();
    check(&place);
    let said = place.ok(&["fire", "good"]);
    assert!(said.contains(&format!("the daemon (pid {}) runs it: sched logs good", daemon.pid())), "{said}");
    eventually("three good ones", || match place.ends("good") {
        ends if ends.len() == 3 => Ok(()),
        ends => Err(format!("{ends:?}")),
    });
    daemon.stop();
}

#[test]
fn fire_is_refused_while_paused_or_running_and_force_passes_both() {
    let place = Place::beating();
    let mut gate = Gate::new(&place, "gate");
    place.write_jobs(&[place.job("job", "@yearly", &gate.wait())]);
    let mut daemon = place.daemon();
    place.ok(&["pause", "job", "--reason", "moving"]);
    place.fails(&["fire", "job"], 1, &["job `job` was not fired: paused", "hint: `sched resume job` first", "--force"]);
    place.ok(&["fire", "job", "--force"]);
    place.until_started("job", 1);
    place.ok(&["resume", "job"]);
    place.fails(&["fire", "job"], 1, &["the previous run was still open", "hint: `sched fire job --force`"]);
    place.ok(&["fire", "job", "--force"]);
    place.until_started("job", 2);
    gate.open_for_good();
    daemon.stop();
}

#[test]
fn fire_due_claims_what_is_owed_and_nothing_else() {
    let place = Place::empty();
    place.write("config.yaml", "provider: none\n");
    place.write_jobs(&[place.job("job", "* * * * * *", ""), place.job("never", "@yearly", "")]);
    place.ok(&["list"]);
    assert!(place.ok(&["fire", "--due", "never"]).contains("nothing is due"));
    eventually("something is due", || {
        let said = place.ok(&["fire", "--due", "job"]);
        if place.effects("job").is_empty() { Err(said) } else { Ok(()) }
    });
    // Many at once, as redelivered webhooks come: an instant is one start.
    let mut crowd: Vec<Daemon> = (0..6).map(|_| place.start(&["fire", "--due", "job"])).collect();
    for one in &mut crowd {
        assert_eq!(one.wait().code(), Some(0), "{}", one.log());
    }
    place.no_instant_twice("job");
    assert_eq!(place.effects("never").len(), 0);
}

#[test]
fn who_waits_for_a_run_of_a_daemon_that_dies_is_told() {
    let place = Place::beating();
    let gate = Gate::new(&place, "gate");
    place.write_jobs(&[place.job("job", "@yearly", &gate.wait())]);
    let mut daemon = place.daemon();
    let waiting = place.start(&["fire", "job", "--wait"]);
    place.until_started("job", 1);
    daemon.kill();
    waiting.ran().says(1, &["the daemon ended before run", "of job `job` did", "hint: ", "sched status"]);
}

#[test]
fn the_example_shows_in_fifteen_seconds_what_it_is_and_ends_on_ctrl_c() {
    let place = Place::empty();
    // As somebody has it who has never used it: no home but that of the user.
    let command = |line: &[&str]| -> Command {
        let mut command = place.command(line);
        command.env_remove("SCHED_HOME");
        command
    };
    let mut example = place.start_command(&mut command(&["run", "--example"]));
    let fires = |said: &str, job: &str, word: &str| {
        said.lines().filter(|line| line.contains(&format!("  {job}  ")) && line.contains(word)).count()
    };
    let said = super::bench::within(std::time::Duration::from_secs(15), "three fires", || {
        let said = example.said();
        let (hello, disk) = (fires(&said, "hello", "| hello from sched"), fires(&said, "disk", "succeeded"));
        if hello >= 2 && disk >= 1 { Ok(said) } else { Err(format!("{said}\n{}", example.log())) }
    });
    let home = place.path(".sched");
    let second = format!("in a second terminal: {} --home {} status", super::bench::sched().display(), home.display());
    for part in ["the cron that cannot die silently", &format!("home: {}", home.display()), &second, "Ctrl-C stops it"]
    {
        assert!(said.contains(part), "no `{part}` in:\n{said}");
    }
    for job in ["hello", "disk"] {
        assert!(said.lines().any(|line| line.trim_start().starts_with(job) && line.contains("Every")), "{said}");
    }
    let typed = second.split_once(": ").expect("a command").1;
    let status: Ran = place.start_script(typed).ran();
    assert_eq!((status.code, status.out.starts_with("LIVE  ")), (Some(0), true), "{status:?}");
    example.signal(Signal::INT);
    assert_eq!(example.wait().code(), Some(0), "{}", example.log());
    let status = place.start_command(&mut command(&["status"])).ran();
    assert_eq!((status.code, status.out.starts_with("STOPPED  ")), (Some(4), true), "{status:?}");
}
