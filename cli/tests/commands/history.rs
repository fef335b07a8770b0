//! `history` and `logs`.

use std::fs;

use scheduler_core::{
    JobStore as _, Outcome, Output, RunResult,
    plan::plan,
    store::{Admission, Limits},
};

use crate::support::{Sandbox, ask, block_on};

const JOBS: &str = r#"
{"id": "a", "schedule": "@hourly", "timezone": "UTC", "command": "true"},
{"id": "b", "schedule": "@daily", "command": "true"}"#;

/// A home in which things have happened to `a`: it succeeded, failed, and missed five hours, of which one was made up for.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_jobs(JOBS);
    sandbox.ran_at("2026-11-21T08:00:00Z", "a", Outcome::new(RunResult::Succeeded));
    let mut outcome = Outcome::failed("no space");
    outcome.exit_code = Some(3);
    sandbox.ran_at("2026-11-21T08:30:00Z", "a", outcome);
    block_on(async {
        let now = "2026-11-21T13:30:00Z";
        let store = sandbox.store_at(now);
        let due = store.open(now.parse().unwrap(), Limits::default()).await.unwrap().due.remove(0);
        let admission = Admission {
            job: due.job.id.clone(),
            incarnation: due.incarnation,
            revision: due.revision,
            expected: due.cursor.next_at,
            plan: plan(&due.job, &due.cursor, now.parse().unwrap()).unwrap(),
        };
        store.admit(vec![admission], Limits::default()).await.unwrap().remove(0).unwrap();
        ask(&store, "b", "one").await;
        store.close().await.unwrap();
    });
    sandbox
}

#[test]
fn everything_that_was_owed_is_in_it() {
    let sandbox = sandbox();
    let said = sandbox.ok(&["history"]);
    for part in ["succeeded", "failed (exit 3)", "no space", "asked for", "coalesced", "several instants", "queued"] {
        assert!(said.contains(part), "`{part}`: {said}");
    }
    let gap = said.lines().find(|line| line.contains("coalesced")).unwrap();
    assert!(gap.contains("2026-11-21T09:00:00+00:00 to 2026-11-21T12:00:00+00:00"), "{gap}");
}

#[test]
fn attempts_are_told_apart() {
    let retries = r#"{"id": "a", "schedule": "@yearly", "command": "true", "retries": {"max": 1, "backoff": "1h"}}"#;
    let sandbox = Sandbox::with_jobs(retries);
    let mut outcome = Outcome::failed("no space");
    outcome.exit_code = Some(3);
    let now = jiff::Timestamp::now().to_string();
    sandbox.ran_at(&now, "a", outcome);
    for command in [&["history"][..], &["show", "a"]] {
        let said = sandbox.ok(command);
        let line =
            |word: &str| said.lines().find(|line| line.contains(word)).unwrap_or_else(|| panic!("{said}")).to_owned();
        assert!(line("failed (exit 3)").contains("attempt 1, no space"), "{said}");
        assert!(line("queued").contains("attempt 2, starts in "), "{said}");
    }
    let said = sandbox.json(&["history"]);
    assert!(said["entries"][0]["retry_at"].is_string(), "{said:#}");
    assert_eq!((&said["open"][0]["attempt"], said["open"][0]["not_before"].is_string()), (&2.into(), true), "{said:#}");
    sandbox.ok(&["edit", "a", "--disabled"]);
    let said = sandbox.ok(&["history"]);
    assert!(said.lines().any(|line| line.contains("attempt 2 was not made, disabled")), "{said}");
    assert_eq!(sandbox.json(&["history"])["entries"][1]["verdict"], "failed");
}

#[test]
fn a_part_of_it_can_be_asked_for() {
    let sandbox = sandbox();
    let check = |line: &[&str], expected: &[&str]| {
        let said = sandbox.json(&[&["history"], line].concat());
        let entries = said["entries"].as_array().unwrap().iter();
        let verdicts: Vec<&str> = entries.map(|entry| entry["verdict"].as_str().unwrap()).collect();
        assert_eq!(verdicts, expected, "{line:?}: {said}");
    };
    check(&[], &["succeeded", "failed", "coalesced"]);
    check(&["a", "--last", "1"], &["coalesced"]);
    check(&["--failed"], &["failed"]);
    check(&["--failed", "--last", "0"], &[]);
    check(&["--since", "2026-11-21T08:30:00Z"], &["failed", "coalesced"]);
    check(&["b"], &[]);
    assert_eq!(sandbox.json(&["history", "b"])["open"][0]["state"], "queued");
    assert!(sandbox.ok(&["history", "b", "--failed"]).contains("no failed runs of job `b`"));
    sandbox.fails(&["history", "c"], 1, &["no job `c`"]);
}

#[test]
fn a_removed_job_keeps_its_history() {
    let sandbox = sandbox();
    sandbox.ok(&["remove", "a"]);
    assert!(sandbox.ok(&["history", "a"]).contains("failed (exit 3)"));
}

#[test]
fn output_comes_out_as_it_went_in() {
    let sandbox = Sandbox::with_jobs(JOBS);
    sandbox.fails(&["logs", "a"], 1, &["job `a` has not run yet"]);
    let first = sandbox.ran_at("2026-11-21T08:00:00Z", "a", Outcome::new(RunResult::Succeeded));
    let second = sandbox.ran_at("2026-11-21T09:00:00Z", "a", Outcome::new(RunResult::Succeeded));
    sandbox.write_log("a", &first, "one\n\u{1b}[31mtwo\u{1b}[0m\nthree");
    sandbox.write_log("a", &second, "newest\n");
    assert_eq!(sandbox.ok(&["logs", "a"]), "newest\n");
    assert_eq!(sandbox.ok(&["logs", "a", "--run", first.as_str()]), "one\n\u{1b}[31mtwo\u{1b}[0m\nthree");
    assert_eq!(sandbox.ok(&["logs", "a", "--run", &first.as_str()[..9], "--tail", "1"]), "three");
    assert_eq!(sandbox.json(&["logs", "a"])["output"], "newest\n");
    sandbox.fails(&["logs", "a", "--run", "zz"], 1, &["job `a` has no run `zz`", "sched history a"]);
    sandbox.fails(&["logs", "a", "--run", &first.as_str()[..1]], 1, &["2 runs of job `a` begin with"]);
}

#[test]
fn why_there_is_no_output_is_told() {
    let sandbox = Sandbox::with_jobs(JOBS);
    sandbox.ran_at("2026-11-21T08:00:00Z", "a", Outcome::new(RunResult::Succeeded));
    let ran = sandbox.run(&["logs", "a"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""));
    assert!(ran.err.contains("it printed nothing"), "{}", ran.err);

    let mut outcome = Outcome::new(RunResult::Succeeded);
    outcome.output = Some(Output { path: "gone".into(), written: 2048, kept: 2048 });
    let run = sandbox.ran_at("2026-11-21T09:00:00Z", "a", outcome);
    assert!(sandbox.run(&["logs", "a"]).err.contains("it printed 2 KiB, which were deleted since"));

    let folder = sandbox.home().run_log(&"a".parse().unwrap(), &run);
    fs::create_dir_all(&folder).unwrap();
    sandbox.fails(&["logs", "a"], 1, &["cannot read", "it is a folder, not a file"]);
}
