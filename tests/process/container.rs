//! Where the daemon is the first process of a pid namespace, as in a container without an init of its own.

use std::{fs, process::Command};

use rustix::process::Signal;
use sched_runner::proc;
use serde_json::json;

use super::bench::{Place, eventually, signal};

/// A job whose helper outlives it, to be inherited by the first process, and ends soon after.
const LEAVES_AN_ORPHAN: &str = "sh -c 'sleep 0.2' & echo $SCHED_SCHEDULED_AT >> started";

/// The children of `parent`, with their states.
fn children(parent: u32) -> Vec<(u32, char)> {
    let path = format!("/proc/{parent}/task/{parent}/children");
    let listed = fs::read_to_string(path).unwrap_or_default();
    let pids = listed.split_whitespace().filter_map(|pid| pid.parse().ok());
    pids.filter_map(|pid| proc::state(pid).map(|state| (pid, state))).collect()
}

#[test]
fn as_the_first_process_of_a_container_it_reaps_what_jobs_leave_and_passes_signals_on() {
    let unshare = ["--fork", "--pid", "--mount-proc", "--kill-child"];
    let may = Command::new("unshare").args(unshare).arg("true").output();
    if !may.is_ok_and(|tried| tried.status.success()) {
        println!("skipped, nothing is proved: a pid namespace needs root and unshare(1)");
        return;
    }
    let place = Place::beating();
    let workdir = place.path("");
    place.write_jobs(&[
        json!({"id": "job", "schedule": "* * * * * *", "command": LEAVES_AN_ORPHAN, "workdir": workdir}),
    ]);
    let mut container = place.start_script(&format!("exec unshare {} sched run", unshare.join(" ")));
    let init = eventually("the first process", || {
        children(container.pid()).first().map(|(pid, _)| *pid).ok_or_else(|| container.log())
    });
    let runs = || fs::read_to_string(place.path("started")).unwrap_or_default().lines().count();
    eventually("three runs", || if runs() >= 3 { Ok(()) } else { Err(container.log()) });
    // Every one has left an orphan by now. None of them stays: in the end the daemon is the only child.
    eventually("a first process without zombies", || match children(init).as_slice() {
        [(_, state)] if *state != 'Z' => Ok(()),
        others => Err(format!("{others:?}")),
    });
    signal(init, Signal::TERM);
    assert_eq!(container.wait().code(), Some(0), "{}", container.log());
    assert!(container.said().contains("stopped; nothing fires until the next `sched run`"), "{}", container.said());
}
