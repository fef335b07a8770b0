//! What is told to stop, stops whole: runs with all their processes, the daemon with all its runs.

use std::{fs, time::Duration};

use rustix::process::Signal;
use serde_json::json;

use super::bench::{Gate, Place, eventually, processes_with, sched, within};

/// A shell command with children in the background and in sessions of their own, one of them deaf to SIGTERM.
const FAMILY: &str =
    "setsid sleep 1000 & setsid setsid sleep 1000 & sh -c 'trap \"\" TERM; sleep 1000 & sleep 1000' & sleep 1000";

/// Waits until `run` has all of its processes.
fn until_family(run: &str) {
    let mark = format!("SCHED_RUN_ID={run}");
    eventually("the whole family", || match processes_with(&mark).len() {
        // The shell, the four that sleep, the deaf shell and its second one.
        6.. => Ok(()),
        other => Err(format!("{other} processes")),
    });
}

fn open_run(place: &Place, job: &str) -> String {
    let status = place.until_status("a process", |status| {
        status["jobs"]["open"].as_array().expect("a list").iter().any(|run| run["job"] == job && run["pid"].is_u64())
    });
    let open = status["jobs"]["open"].as_array().expect("a list").clone();
    open.iter().find(|run| run["job"] == job).and_then(|run| run["run"].as_str()).expect("a run").to_owned()
}

#[test]
fn a_timed_out_or_cancelled_run_leaves_no_process_behind_in_whatever_session() {
    let place = Place::beating();
    place.write_jobs(&[
        json!({"id": "late", "schedule": "@yearly", "command": FAMILY, "timeout": "3s"}),
        json!({"id": "unwanted", "schedule": "@yearly", "command": FAMILY}),
    ]);
    let mut daemon = place.daemon();
    let mut waiting: Vec<_> = ["late", "unwanted"].map(|job| place.start(&["fire", job, "--wait"])).into();
    let runs = ["late", "unwanted"].map(|job| open_run(&place, job));
    for run in &runs {
        until_family(run);
    }
    let said = place.ok(&["cancel", "unwanted"]);
    assert!(said.contains(&format!("run {} is told to stop", runs[1])), "{said}");
    for waiting in &mut waiting {
        assert_eq!(waiting.wait().code(), Some(1), "it did not succeed: {}", waiting.said());
    }
    for run in &runs {
        let left = processes_with(&format!("SCHED_RUN_ID={run}"));
        assert_eq!(left, Vec::<u32>::new(), "{}", daemon.log());
    }
    assert_eq!((place.ends("late"), place.ends("unwanted")), (vec!["timed_out".into()], vec!["cancelled".into()]));
    let why = place.history("late")[0]["message"].as_str().expect("why").to_owned();
    assert!(why.contains("timed out after 3s; still running 10s after SIGTERM, so killed"), "{why}");
    daemon.stop();
}

#[test]
fn a_gigabyte_of_output_is_a_bounded_file_with_its_head_and_its_tail() {
    let place = Place::beating();
    let command =
        "echo the head; yes 0123456789012345678901234567890123456789 | head -c 1000000000; echo; echo the tail";
    place.write_jobs(&[json!({"id": "big", "schedule": "@yearly", "command": command})]);
    let mut daemon = place.daemon();
    assert_eq!(place.run(&["fire", "big", "--wait"]).code, Some(0));
    let log = place.ok(&["logs", "big"]);
    assert!(log.len() < (1 << 20) + 4096, "{} bytes", log.len());
    assert!(log.starts_with("the head\n0123"), "{:?}", &log[..60]);
    assert!(log.ends_with("the tail\n"), "{:?}", &log[log.len() - 60..]);
    daemon.stop();
}

#[test]
fn sigterm_lets_open_runs_end_starts_nothing_new_and_ends_with_zero() {
    let place = Place::beating();
    let mut gate = Gate::new(&place, "gate");
    place.write_jobs(&[
        place.job("slow", "* * * * * *", &gate.wait()),
        place.job("brief", "* * * * * *", ""),
        place.job("asked", "@yearly", ""),
    ]);
    let mut daemon = place.daemon();
    place.until_started("slow", 1);
    place.until_started("brief", 1);
    daemon.signal(Signal::TERM);
    daemon.until_logged("SIGTERM: stopping once");
    let status = place.until_verdict("draining", 4);
    assert!(status["summary"].as_str().is_some_and(|summary| summary.contains("nothing new fires")), "{status:#}");
    let started = place.effects("brief").len();
    let said = place.ok(&["fire", "asked"]);
    assert!(said.contains("is stopping, so it is left to the next one"), "{said}");
    // A whole second passes, and with it an instant of each job.
    let before = status["at"].as_str().and_then(|at| at.parse::<jiff::Timestamp>().ok()).expect("an instant");
    eventually("an instant goes by", || {
        let gone = jiff::Timestamp::now().duration_since(before);
        if gone.as_millis() > 1500 { Ok(()) } else { Err(String::new()) }
    });
    assert_eq!((place.effects("brief").len(), place.effects("asked").len()), (started, 0));
    assert!(daemon.is_running(), "it waits: {}", daemon.log());
    gate.open();
    assert_eq!(daemon.wait().code(), Some(0), "{}", daemon.log());
    assert!(daemon.said().ends_with("stopped; nothing fires until the next `sched run`\n"), "{}", daemon.said());
    assert_eq!(place.ends("slow")[0], "succeeded");
    let status = place.until_verdict("stopped", 4);
    assert!(
        status["summary"].as_str().is_some_and(|summary| summary.contains("3 enabled jobs don't fire")),
        "{status:#}"
    );
    let mut daemon = place.daemon();
    place.until_started("asked", 1);
    gate.open_for_good();
    daemon.stop();
}

#[test]
fn a_stop_waits_no_longer_than_the_last_run_takes() {
    // Turns once a minute, and drains for one: whoever misses the end of the run waits for either.
    let place = Place::empty();
    let mut gate = Gate::new(&place, "gate");
    place.write_jobs(&[place.job("slow", "@yearly", &gate.wait())]);
    for round in 1..=8 {
        let mut daemon = place.daemon();
        place.ok(&["fire", "slow"]);
        place.until_started("slow", round);
        daemon.signal(Signal::TERM);
        daemon.until_logged("SIGTERM: stopping once");
        gate.open();
        let ended = within(Duration::from_secs(20), &format!("the end in round {round}"), || {
            if daemon.is_running() { Err(daemon.log()) } else { Ok(daemon.wait()) }
        });
        assert_eq!(ended.code(), Some(0), "{}", daemon.log());
    }
}

#[test]
fn a_second_signal_cancels_the_open_runs() {
    let place = Place::beating();
    let gate = Gate::new(&place, "gate");
    place.write_jobs(&[place.job("slow", "* * * * * *", &gate.wait())]);
    let mut daemon = place.daemon();
    place.until_started("slow", 1);
    daemon.signal(Signal::TERM);
    daemon.until_logged("SIGTERM: stopping once the open runs (1) have ended");
    daemon.signal(Signal::INT);
    assert_eq!(daemon.wait().code(), Some(0), "{}", daemon.log());
    assert!(daemon.log().contains("SIGINT again: the open runs are stopped"), "{}", daemon.log());
    assert_eq!(place.ends("slow"), ["cancelled"]);
}

#[test]
fn a_second_daemon_on_the_same_home_is_refused_with_the_pid_of_the_first() {
    let place = Place::beating();
    place.write_jobs(&[place.job("job", "* * * * * *", "")]);
    let daemon = place.daemon();
    place.fails(&["run"], 75, &["a daemon already runs", &format!("pid {}", daemon.pid()), "hint: "]);
    place.until_verdict("live", 0);
}

#[test]
fn a_copied_home_is_refused_until_it_is_adopted() {
    let place = Place::beating();
    place.write_jobs(&[place.job("job", "* * * * * *", "")]);
    place.ok(&["tick"]);
    let manifest = place.home().join("state/MANIFEST");
    let mut text: serde_json::Value = serde_json::from_slice(&fs::read(&manifest).expect("MANIFEST")).expect("JSON");
    if text["machine_id"].is_null() {
        println!("{} has no /etc/machine-id, so there is nothing to compare: skipped", sched().display());
        return;
    }
    text["machine_id"] = json!("another");
    // Its checksum is left out, as older builds did.
    text.as_object_mut().and_then(|members| members.remove("crc32")).expect("a checksum");
    fs::write(&manifest, text.to_string()).expect("written");
    for command in ["run", "tick"] {
        place.fails(&[command], 1, &["belongs to another machine (another)", "hint: ", "--adopt"]);
    }
    assert_eq!(place.effects("job").len(), 0);
    let daemon = place.start(&["run", "--adopt"]);
    place.until_started("job", 2);
    daemon.until_logged("adopted from another machine from=\"another\"");
    place.until_verdict("live", 0);
    drop(daemon);
    let mut daemon = place.daemon();
    place.until_verdict("live", 0);
    daemon.stop();
}
