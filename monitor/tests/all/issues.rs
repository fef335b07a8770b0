//! Issues: opened once, found again among many, commented, closed; and what a tracker can do wrong.

use std::time::Duration;

use scheduler_core::{
    Alert,
    config::{
        Secret,
        sinks::{Forge, Sink, Tracker as Wanted, Via},
    },
};

use crate::{
    bench::{Bench, PATIENCE, settings},
    tracker::{Fault, Issue, TOKEN, Tracker},
};

fn sink(tracker: &Tracker, forge: Forge, change: impl FnOnce(&mut Wanted)) -> Sink {
    let mut wanted = Wanted::new(forge, tracker.url(), "ops/cron", Secret::new("${TOKEN}"));
    change(&mut wanted);
    Sink::new("tracker", Via::Tracker(wanted))
}

async fn bench(forge: Forge, change: impl FnOnce(&mut Wanted)) -> (Bench, Tracker) {
    let tracker = Tracker::start().await;
    (Bench::new(vec![sink(&tracker, forge, change)]), tracker)
}

async fn lives_and_dies(forge: Forge) {
    let (bench, tracker) = bench(forge, |wanted| wanted.assignees = vec!["ann".into()]).await;
    // Others' issues, with our label as well, on more pages than one; and labels before ours.
    {
        let mut books = tracker.books();
        books.labels = (0..30).map(|number| format!("label {number}")).collect();
        let theirs = |number: usize| {
            let body = format!("<!-- sched-alert node=other key=job%2dbackup --> {number}");
            let labels = vec!["sched-watchdog".into()];
            Issue { body, labels, is_pull: number.is_multiple_of(7), ..Issue::default() }
        };
        books.issues = (0..75).map(theirs).collect();
    }
    bench.fails("backup").await;
    {
        let books = tracker.books();
        assert_eq!((books.issues.len(), books.labels.len()), (76, 31), "{:?}", bench.alerts());
        let ours = &books.issues[75];
        assert_eq!(ours.title, "[db-1] job `backup` failed");
        assert_eq!((&ours.labels, &ours.assignees), (&vec!["sched-watchdog".to_owned()], &vec!["ann".to_owned()]));
        assert!(
            ours.body.contains("exit code 3")
                && ours.body.contains("<!-- sched-alert node=home%2d1 key=job%2dbackup -->")
        );
    }
    assert_eq!(bench.alerts()[0].sinks["tracker"].thread.as_deref(), Some("76"));
    for _ in 0..5 {
        bench.later(20);
        bench.fails("backup").await;
    }
    assert_eq!(tracker.books().issues[75].comments.len(), 1, "at most one within the hour");
    bench.later(1);
    bench.recovers("backup").await;
    let books = tracker.books();
    assert!(books.issues[75].closed && books.issues[..75].iter().all(|issue| !issue.closed));
    let last = books.issues[75].comments.last().expect("a comment");
    assert!(last.contains("job `backup` succeeded again after 1h 41m"), "{last}");
    assert_eq!(bench.files(), [""; 0]);
}

#[tokio::test]
async fn on_gitea() {
    lives_and_dies(Forge::Gitea).await;
}

#[tokio::test]
async fn on_forgejo() {
    lives_and_dies(Forge::Forgejo).await;
}

#[tokio::test]
async fn on_github() {
    lives_and_dies(Forge::GitHub).await;
}

#[tokio::test]
async fn an_issue_whose_number_was_lost_is_found_among_many() {
    let (bench, tracker) = bench(Forge::Gitea, |_| {}).await;
    bench.fails("backup").await;
    tracker.books().issues.extend((0..65).map(|_| Issue { labels: vec!["sched-watchdog".into()], ..Issue::default() }));
    std::fs::remove_file(bench.home.alerts().join("job-backup.alert")).expect("a file");
    bench.fails("backup").await;
    let books = tracker.books();
    assert_eq!((books.issues.len(), books.issues[0].comments.len()), (66, 1), "a comment, and no second issue");
}

#[tokio::test]
async fn an_unknown_assignee_is_left_out_and_the_others_stay() {
    let (bench, tracker) = bench(Forge::Gitea, |wanted| wanted.assignees = vec!["bob".into(), "ann".into()]).await;
    bench.fails("backup").await;
    assert_eq!(tracker.books().issues[0].assignees, ["ann"]);
}

#[tokio::test]
async fn failures_and_silence_are_tried_again() {
    let (bench, tracker) = bench(Forge::Gitea, |_| {}).await;
    tracker.books().faults = [Fault::Status(500), Fault::Status(502)].into();
    bench.fails("backup").await;
    let error = bench.alerts()[0].sinks["tracker"].error.clone().expect("an error");
    assert!(error.contains("answered 500") && error.contains("you sent ***"), "{error}");
    for _ in 0..3 {
        bench.later(20);
        bench.desk.settle(PATIENCE).await;
    }
    assert_eq!(tracker.open_issues(), [1]);
    // One who says nothing is waited for, but not for ever.
    let sinks = || vec![sink(&tracker, Forge::Gitea, |_| {})];
    let mut impatient = settings(sinks());
    impatient.patience = Duration::from_millis(100);
    bench.desk.change(&impatient);
    tracker.books().faults = [Fault::Hang; 9].into();
    bench.later(120);
    bench.fails("backup").await;
    let error = bench.alerts()[0].sinks["tracker"].error.clone().expect("an error");
    assert!(error.contains("no answer within 0.1 s"), "{error}");
    assert_eq!(tracker.books().issues[0].comments.len(), 0);
    tracker.books().faults.clear();
    bench.desk.change(&settings(sinks()));
    bench.desk.settle(PATIENCE).await;
    assert_eq!(tracker.books().issues[0].comments.len(), 1);
}

#[tokio::test]
async fn whoever_is_not_let_in_says_so_without_the_token() {
    let (bench, tracker) = bench(Forge::Gitea, |wanted| wanted.token = Secret::new("wrong-and-secret")).await;
    bench.fails("backup").await;
    let error = bench.alerts()[0].sinks["tracker"].error.clone().expect("an error");
    assert!(error.contains("answered 401") && !error.contains("wrong-and-secret"), "{error}");
    assert_eq!(tracker.open_issues(), [0; 0]);
    let error = bench.desk.test("tracker").await.expect_err("not let in");
    assert!(error.hint_text().is_some_and(|hint| hint.contains("token")), "{error}");
}

#[tokio::test]
async fn no_more_issues_are_opened_than_allowed_and_the_rest_waits() {
    let (bench, tracker) = bench(Forge::GitHub, |wanted| wanted.max_issues = 2).await;
    for job in ["a", "b", "c", "d"] {
        bench.fails(job).await;
    }
    assert_eq!(tracker.open_issues(), [1, 2]);
    bench.later(61);
    bench.desk.settle(PATIENCE).await;
    assert_eq!(tracker.open_issues(), [1, 2, 3, 4]);
}

#[tokio::test]
async fn two_that_open_at_once_leave_one_the_older() {
    let tracker = Tracker::start().await;
    // Two homes that call themselves the same, so that no file keeps one from it.
    let (one, other) = (
        Bench::new(vec![sink(&tracker, Forge::Gitea, |_| {})]),
        Bench::new(vec![sink(&tracker, Forge::Gitea, |_| {})]),
    );
    tracker.books().labels = vec!["sched-watchdog".into()];
    tracker.open_together(2);
    tokio::join!(one.fails("backup"), other.fails("backup"));
    let opened = tracker.books().issues.len();
    assert_eq!((opened, tracker.open_issues()), (2, vec![1]));
    let threads = [&one, &other].map(|bench| bench.alerts()[0].sinks["tracker"].thread.clone());
    assert_eq!(threads, [Some("1".to_owned()), Some("1".to_owned())], "both know the one that stays");
}

#[tokio::test]
async fn an_issue_that_can_not_be_closed_is_not_commented_at_each_try() {
    let (bench, tracker) = bench(Forge::Gitea, |_| {}).await;
    bench.fails("backup").await;
    tracker.books().keeps_open = true;
    bench.recovers("backup").await;
    for _ in 0..4 {
        bench.later(20);
        bench.desk.settle(PATIENCE).await;
    }
    assert!(bench.alerts()[0].sinks["tracker"].tries > 2, "{:?}", bench.alerts());
    assert_eq!((tracker.open_issues(), tracker.books().issues[0].comments.len()), (vec![1], 0));
    tracker.books().keeps_open = false;
    bench.later(20);
    bench.desk.settle(PATIENCE).await;
    let books = tracker.books();
    assert!(books.issues[0].closed && books.issues[0].comments.len() == 1, "{:?}", books.issues[0].comments);
    assert!(books.issues[0].comments[0].contains("succeeded again"), "{:?}", books.issues[0].comments);
}

#[tokio::test]
async fn a_younger_twin_that_can_not_be_closed_is_closed_later_with_one_comment() {
    let tracker = Tracker::start().await;
    let homes = [(); 2].map(|()| Bench::new(vec![sink(&tracker, Forge::Gitea, |_| {})]));
    tracker.books().labels = vec!["sched-watchdog".into()];
    tracker.books().keeps_open = true;
    tracker.open_together(2);
    tokio::join!(homes[0].fails("backup"), homes[1].fails("backup"));
    for _ in 0..3 {
        for home in &homes {
            home.later(20);
            home.desk.settle(PATIENCE).await;
        }
    }
    assert_eq!((tracker.open_issues(), tracker.books().issues[1].comments.len()), (vec![1, 2], 0));
    tracker.books().keeps_open = false;
    for home in &homes {
        home.later(20);
        home.desk.settle(PATIENCE).await;
    }
    assert_eq!(tracker.open_issues(), [1]);
    assert_eq!(tracker.books().issues[1].comments, ["The same as #1, which was opened earlier."]);
}

#[tokio::test]
async fn an_issue_that_somebody_closed_too_early_is_opened_anew_under_its_own_title() {
    let (bench, tracker) = bench(Forge::Gitea, |_| {}).await;
    let problem = || Alert::open("disk", "the disk is nearly full", bench.now());
    let look = async || {
        bench.desk.reconcile("watchdog", vec![problem()]).await.expect("files");
        bench.desk.settle(PATIENCE).await;
    };
    look().await;
    tracker.books().issues[0].closed = true;
    bench.later(61);
    look().await;
    assert_eq!(tracker.open_issues(), [2]);
    {
        let books = tracker.books();
        assert_eq!(books.issues[1].title, "[db-1] the disk is nearly full");
        let body = &books.issues[1].body;
        assert!(
            body.starts_with("**the disk is nearly full**") && body.contains("since 2026-03-02T10:00:00Z"),
            "{body}"
        );
    }
    // Who takes note of it with `sched alerts ack` is left alone.
    bench.shelf().acknowledge("disk", bench.now(), None).expect("it is open");
    tracker.books().issues[1].closed = true;
    bench.later(61);
    look().await;
    assert_eq!(tracker.open_issues(), [0; 0]);
}

#[tokio::test]
async fn an_issue_that_somebody_closed_is_closed() {
    let (bench, tracker) = bench(Forge::Gitea, |_| {}).await;
    bench.fails("backup").await;
    tracker.books().issues[0].closed = true;
    bench.recovers("backup").await;
    assert_eq!((tracker.books().issues[0].comments.len(), bench.files().len()), (0, 0));
}

#[tokio::test]
async fn a_test_opens_no_issue() {
    let (bench, tracker) = bench(Forge::Gitea, |_| {}).await;
    bench.desk.test("tracker").await.expect("let in");
    assert_eq!((tracker.open_issues().len(), tracker.books().labels.len()), (0, 1));
    let preview = bench.desk.preview_test("tracker").expect("a sink");
    assert!(!preview.contains(TOKEN), "{preview}");
    bench.desk.settle(Duration::from_secs(1)).await;
}
