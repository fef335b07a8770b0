//! What blocks and what doesn't, what is counted, and the line that comes first.

use scheduler_core::store::Problem;

use super::fixture::Home;
use crate::Report;

fn keys(report: &Report) -> Vec<&str> {
    report.blockers.iter().map(|blocker| blocker.key.as_str()).collect()
}

#[tokio::test]
async fn what_blocks_is_told_once_with_a_hint_and_makes_its_job_a_minus() {
    let report = Home::in_every_state().await.report();
    let mut blocked = keys(&report);
    blocked.sort_unstable();
    blocked.retain(|key| !key.starts_with("heartbeat-"));
    let expected =
        ["disk", "job-db-dump", "job-hostile", "job-report", "job-sync", "overdue-billing", "unaccounted-gone"];
    assert_eq!(blocked, expected);
    assert_eq!(keys(&report).iter().filter(|key| key.starts_with("heartbeat-")).count(), 2);
    assert!(report.blockers.iter().all(|blocker| !blocker.hint.is_empty()));
    assert!(report.summary.starts_with("9 blockers: "), "{}", report.summary);
    let minus: Vec<(&str, &str)> =
        report.jobs.iter().filter(|job| !job.well).map(|job| (job.job.as_str(), job.state)).collect();
    let expected = [
        ("billing", "overdue"),
        ("broken", "invalid"),
        ("db-dump", "timed out"),
        ("gone", "attention"),
        ("hostile", "failed"),
        ("report", "failed"),
        ("sync", "unknown"),
    ];
    assert_eq!(minus, expected);
    let state = |id: &str| report.jobs.iter().find(|job| job.job.as_str() == id).map(|job| job.state);
    assert_eq!(
        [state("certs"), state("import"), state("old-job")],
        [Some("acknowledged"), Some("paused"), Some("disabled")]
    );
}

#[tokio::test]
async fn runs_are_counted_by_their_end_and_an_attempt_that_was_repeated_is_no_failure() {
    let report = Home::in_every_state().await.report();
    let counts = report.totals.counts;
    let ended = [counts.succeeded, counts.failed, counts.timed_out, counts.cancelled, counts.unknown];
    assert_eq!((counts.runs, ended), (15, [9, 3, 1, 1, 1]));
    assert_eq!((counts.retried, counts.skipped, counts.coalesced, counts.missing), (1, 2, 7, 2));
    assert_eq!(report.totals.success_rate, Some(9.0 / 14.0), "one was cancelled, which is nobody's failure");
    let longest = report.totals.longest.as_ref().map(|longest| (longest.job.as_str(), longest.took_ms));
    assert_eq!(longest, Some(("backup", 4_000_000)));
    assert_eq!(report.totals.next.as_ref().map(|next| next.at.as_str()), Some("2026-11-23T02:30:00+01:00"));
}

async fn check_blocked(change: fn(&mut Home), key: &str) {
    let mut home = Home::with(["backup".to_owned()]).await;
    change(&mut home);
    let report = home.report();
    assert!(keys(&report).contains(&key), "{key}: {:?}", keys(&report));
    assert!(report.text().starts_with(report.summary.as_str()) && !report.clean, "{key}");
}

#[tokio::test]
async fn a_scheduler_that_does_not_fire_blocks_whatever_else_is_well() {
    check_blocked(|home| home.facts.lock.held = false, "crashed").await;
    check_blocked(|home| home.facts.holder_state = Some('T'), "stalled").await;
    check_blocked(|home| home.facts.store_error = Some("it is gone".into()), "store").await;
    check_blocked(
        |home| home.facts.problems.push(Problem::new("config", "config.yaml is broken", "correct it")),
        "config",
    )
    .await;
    check_blocked(
        |home| {
            home.facts.lock.held = false;
            home.facts.beat = Err(scheduler_core::liveness::Unreadable::Missing);
        },
        "stopped",
    )
    .await;
    let mut remark = Home::with(["backup".to_owned()]).await;
    remark.facts.problems.push(Problem::remark("no-sink", "nobody is told", "name one"));
    let report = remark.report();
    assert!(report.clean && report.remarks.len() == 1, "a remark blocks nothing");
}

#[tokio::test]
async fn times_are_those_of_the_zone_with_its_offset() {
    let mut home = Home::in_every_state().await;
    assert_eq!(home.report().until, "2026-11-22T07:00:00+01:00");
    home.zone = scheduler_core::schedule::zone::parse("Asia/Kolkata").expect("a zone");
    assert_eq!(home.report().until, "2026-11-22T11:30:00+05:30");
    let overdue = home.report().blockers.into_iter().find(|one| one.key == "overdue-billing").expect("it blocks");
    assert_eq!(overdue.what, "job `billing` was due at 2026-11-22T09:30:00+05:30 and has not fired");
    let texts = [home.report().text(), home.report().markdown()];
    assert!(texts.iter().all(|text| !text.contains(":00Z")), "none is told in UTC");
}
