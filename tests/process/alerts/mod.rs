//! Who is told, with the built program: an issue tracker, a mail server and programs as sinks, and secrets that are nowhere.

mod events;
mod full;
pub(super) mod mail;
mod slow;
#[path = "../../../monitor/tests/all/tracker.rs"]
#[expect(dead_code, reason = "the tests of the crate `monitor` use the rest")]
mod tracker;
mod trouble;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use rustix::process::Signal;
use serde_json::json;
use tokio::runtime::Runtime;

use super::bench::{Place, eventually};
use tracker::{TOKEN, Tracker};

/// A command with the secrets in its environment.
fn with_secrets(place: &Place, line: &[&str]) -> Command {
    let mut command = place.command(line);
    command.env("TRACKER_TOKEN", TOKEN).env("UNNAMED", "not secret");
    command
}

fn tracker(runtime: &Runtime) -> Tracker {
    runtime.block_on(Tracker::start())
}

fn config_of(tracker: &Tracker) -> String {
    let url = tracker.url();
    format!(
        "notify:\n  - {{name: tracker, type: gitea, url: \"{url}\", repo: ops/cron, token: \"${{TRACKER_TOKEN}}\"}}\n"
    )
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

#[test]
fn an_issue_opens_and_closes_with_the_problem_and_the_token_is_nowhere() {
    let runtime = Runtime::new().expect("a runtime");
    let tracker = tracker(&runtime);
    let place = Place::beating();
    let mended = place.path("mended");
    place.write("config.yaml", config_of(&tracker));
    place.write_jobs(&[place.job("nightly", "* * * * * *", &format!("env; test -e {}", mended.display()))]);
    // A tracker that fails at first, and repeats the token in its answer.
    tracker.books().faults = [tracker::Fault::Status(500)].into();
    let mut daemon = place.start_command(&mut with_secrets(&place, &["-vv", "run"]));
    eventually("an issue", || if tracker.open_issues() == [1] { Ok(()) } else { Err(daemon.log()) });
    let mut said = vec![];
    for line in [
        &["alerts"][..],
        &["alerts", "--json"],
        &["alerts", "test", "-vv"],
        &["alerts", "test", "--dry-run"],
        &["status", "--json"],
        &["validate"],
        &["doctor"],
        &["logs", "nightly"],
    ] {
        let ran = place.start_command(&mut with_secrets(&place, line)).ran();
        said.push(format!("{line:?}: {} {}", ran.out, ran.err));
    }
    fs::write(&mended, "").expect("mended");
    eventually("it is closed", || if tracker.open_issues().is_empty() { Ok(()) } else { Err(daemon.log()) });
    daemon.stop();
    assert_eq!(tracker.books().issues.len(), 1);
    assert!(said.iter().any(|text| text.contains("UNNAMED=not secret")), "the job's output is among them");
    said.extend([daemon.log(), daemon.said()]);
    for path in files_below(&place.home()) {
        said.push(format!("{}: {}", path.display(), String::from_utf8_lossy(&fs::read(&path).expect("a file"))));
    }
    assert!(said.iter().any(|text| text.contains("answered 500")), "the failure is told");
    for text in said {
        assert!(!text.contains(TOKEN), "{text}");
    }
}

#[test]
fn two_processes_at_once_leave_one_issue() {
    let runtime = Runtime::new().expect("a runtime");
    let tracker = tracker(&runtime);
    let place = Place::beating();
    place.write_jobs(&[json!({"id": "bad", "schedule": "@yearly", "command": "exit 3"})]);
    assert_eq!(place.run(&["fire", "bad", "--wait"]).code, Some(1));
    assert!(place.home().join("alerts/job-bad.alert").exists());
    // What nobody was there to hear is told by whoever comes with a sink.
    place.write("config.yaml", config_of(&tracker));
    let both = [0, 1].map(|_| place.start_command(&mut with_secrets(&place, &["tick"])));
    for one in both {
        let ran = one.ran();
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
    let opened = tracker.books().issues.len();
    assert_eq!((opened, tracker.open_issues()), (1, vec![1]));
}

#[test]
fn without_a_sink_status_and_log_say_so_and_a_reload_brings_one_into_force() {
    let place = Place::beating();
    let told = place.path("told");
    place.write_jobs(&[json!({"id": "bad", "schedule": "* * * * * *", "command": "exit 3"})]);
    let mut daemon = place.daemon();
    daemon.until_logged("no sink is configured: when a job fails, nobody is told");
    daemon.until_logged("an alert, and no sink is configured: nobody is told");
    let status = place.until_verdict("degraded", 3);
    let remark = status["problems"].as_array().expect("problems").iter().find(|problem| problem["key"] == "no-sink");
    assert_eq!(remark.map(|problem| &problem["remark"]), Some(&json!(true)), "{status:#}");
    let command = format!("cat >>{}", told.display());
    place.write(
        "config.yaml",
        format!("notify:\n  - {{name: pager, type: command, command: [sh, -c, \"{command}\"]}}\n"),
    );
    daemon.signal(Signal::HUP);
    let text = eventually("somebody is told", || {
        fs::read_to_string(&told).ok().filter(|text| text.ends_with('\n')).ok_or_else(|| daemon.log())
    });
    assert!(text.contains(r#""event":"opened""#) && text.contains("job `bad` failed"), "{text}");
    let status = place.status().1;
    assert_eq!(status["sinks"], json!([{"name": "pager", "type": "command"}]));
    daemon.stop();
}

#[test]
fn what_is_acknowledged_is_not_degraded_until_it_fails_anew() {
    let place = Place::beating();
    place.write_jobs(&[json!({"id": "bad", "schedule": "@yearly", "command": "exit 3"})]);
    let mut daemon = place.daemon();
    assert_eq!(place.run(&["fire", "bad", "--wait"]).code, Some(1));
    place.until_verdict("degraded", 3);
    place.fails(&["alerts", "ack", "baad"], 1, &["no open alert `baad`"]);
    // The alert is written beside the run, and may be a moment behind it.
    let said = place.ok(&["alerts", "ack", "bad", "--by", "ann"]);
    assert!(said.contains("acknowledged job-bad: job `bad` failed"), "{said}");
    let status = place.until_verdict("live", 0);
    let problem = &status["problems"][0];
    assert!(problem["what"].as_str().is_some_and(|what| what.ends_with("(acknowledged)")), "{status:#}");
    assert_eq!(place.run(&["fire", "bad", "--wait"]).code, Some(1));
    place.until_verdict("degraded", 3);
    daemon.stop();
}

#[test]
fn a_job_tells_those_whom_it_names() {
    let place = Place::beating();
    let sink = |name: &str| {
        format!("  - {{name: {name}, type: command, command: [cp, /dev/stdin, {}]}}\n", place.path(name).display())
    };
    place.write("config.yaml", format!("notify:\n{}{}", sink("ops"), sink("dev")));
    let job =
        |id: &str, notify: &[&str]| json!({"id": id, "schedule": "@yearly", "command": "exit 3", "notify": notify});
    place.write_jobs(&[job("named", &["ops"]), job("lost", &["opss"])]);
    assert_eq!(place.run(&["fire", "named", "--wait"]).code, Some(1));
    assert!(place.path("ops").exists() && !place.path("dev").exists());
    let ran = place.run(&["validate"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.out.contains("there is no sink `opss`") && ran.out.contains("did you mean `ops`?"), "{ran:?}");
}
