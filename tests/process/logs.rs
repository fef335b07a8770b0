//! `logs --follow`, of real runs that print while they are followed.

use serde_json::json;

use super::bench::{Daemon, Gate, Place, eventually};

/// Waits until the follower has printed `part` on stdout.
#[track_caller]
fn until_said(follower: &Daemon, part: &str) {
    eventually(&format!("`{part}` on stdout"), || {
        let said = follower.said();
        if said.contains(part) { Ok(()) } else { Err(format!("{said}\n{}", follower.log())) }
    });
}

#[test]
fn an_open_run_is_followed_to_its_end_and_then_the_runs_that_come() {
    let place = Place::beating();
    let mut gate = Gate::new(&place, "gate");
    let command = format!("echo one; {0}; echo two >&2; {0}; exit 3", gate.wait());
    place.write_jobs(&[json!({"id": "job", "schedule": "@yearly", "command": command})]);
    let mut daemon = place.daemon();
    let mut follower = place.start(&["logs", "job", "--follow"]);
    place.ok(&["fire", "job"]);
    until_said(&follower, "one\n");
    assert!(!follower.said().contains("two"));
    gate.open();
    until_said(&follower, "one\ntwo\n");
    let late = place.start(&["logs", "job", "--follow", "--tail", "1"]);
    until_said(&late, "two\n");
    let run = place.ok(&["--json", "list"]);
    assert!(run.contains("\"state\": \"running\""), "{run}");
    gate.open();
    follower.until_logged("of job `job`: failed (exit 3)");
    late.until_logged("of job `job`: failed (exit 3)");
    assert_eq!((follower.said(), late.said()), ("one\ntwo\n".into(), "two\n".into()));
    assert!(follower.is_running(), "it waits for the next run");
    gate.open_for_good();
    assert_eq!(place.run(&["fire", "job", "--wait"]).code, Some(1));
    until_said(&follower, "one\ntwo\none\ntwo\n");
    daemon.stop();
}

#[test]
fn with_a_run_it_ends_when_that_does() {
    let place = Place::beating();
    let mut gate = Gate::new(&place, "gate");
    place.write_jobs(&[json!({"id": "job", "schedule": "@yearly", "command": format!("echo hi; {}", gate.wait())})]);
    let mut daemon = place.daemon();
    place.ok(&["fire", "job"]);
    let run = eventually("the run is there", || {
        let list: serde_json::Value = serde_json::from_str(&place.ok(&["--json", "history", "job"])).expect("JSON");
        list["open"][0]["run"].as_str().map(str::to_owned).ok_or_else(|| list.to_string())
    });
    let follower = place.start(&["logs", "job", "-f", "--run", &run]);
    until_said(&follower, "hi\n");
    gate.open_for_good();
    let ran = follower.ran();
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "hi\n"), "{ran:?}");
    assert!(ran.err.contains(&format!("run {run} of job `job`: succeeded")), "{}", ran.err);
    // Of a run that is over, all is there at once.
    let again = place.run(&["logs", "job", "-f", "--run", &run]);
    assert_eq!((again.code, again.out), (Some(0), ran.out));
    place.fails(&["logs", "job", "-f", "--run", "zz"], 1, &["job `job` has no run `zz`"]);
    daemon.stop();
}

#[test]
fn a_file_that_is_replaced_because_it_was_too_long_is_neither_repeated_nor_lost() {
    let place = Place::beating();
    let mut gate = Gate::new(&place, "gate");
    let line = "x".repeat(99);
    let command = format!("echo start; {0}; yes {line} | head -n 2000; echo last; {0}; echo end", gate.wait());
    let job = json!({"id": "job", "schedule": "@yearly", "command": command, "output_limit": "8KiB"});
    place.write_jobs(&[job]);
    let mut daemon = place.daemon();
    let follower = place.start(&["logs", "job", "-f"]);
    place.ok(&["fire", "job"]);
    until_said(&follower, "start\n");
    gate.open();
    until_said(&follower, "last\n");
    gate.open();
    follower.until_logged("of job `job`: succeeded");
    let said = follower.said();
    assert!(said.starts_with("start\nxxx") && said.ends_with("last\nend\n"), "{}", said.len());
    assert_eq!((said.matches("start").count(), said.matches("last").count()), (1, 1));
    assert!(!said.contains('\0'), "holes are no output");
    let lines = said.matches(&line).count();
    assert!(lines == 2000 || follower.log().contains("left out here"), "{lines}: {}", follower.log());
    assert!(place.ok(&["logs", "job"]).contains("left out here; limit 8 KiB"));
    daemon.stop();
}

#[test]
fn it_ends_with_its_reader_or_its_job() {
    let place = Place::beating();
    place.write_jobs(&[place.job("job", "@yearly", ""), place.job("other", "@yearly", "echo hi")]);
    place.ok(&["fire", "other", "--wait"]);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut command = place.command(&["logs", "job", "-f"]);
    let ended = command.stdout(writer).status().expect("it runs");
    assert_eq!(ended.code(), Some(0));
    let follower = place.start(&["logs", "other", "-f"]);
    until_said(&follower, "hi\n");
    place.ok(&["remove", "other"]);
    let ran = follower.ran();
    assert_eq!(ran.code, Some(0));
    assert!(ran.err.contains("job `other` has been removed"), "{}", ran.err);
}
