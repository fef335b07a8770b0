//! Open, update, close: what a sink hears of it, and what the files say.

use std::time::Duration;

use sched_monitor::State;
use scheduler_core::{
    Alert, JobId, Notifier as _,
    config::{
        Secret,
        sinks::{Event, Preset, Sink, Via},
    },
    notify::{AlertKind, Severity},
};

use crate::{
    bench::{Bench, PATIENCE, failed, minute, settings},
    post::PostBox,
};

fn sink(name: &str, post: &PostBox) -> Sink {
    let url = Secret::new(post.url("/hook"));
    Sink::new(name, Via::Webhook { url, preset: Preset::Json, token: None, chat: None })
}

async fn bench() -> (Bench, PostBox) {
    let post = PostBox::start().await;
    (Bench::new(vec![sink("ops", &post)]), post)
}

#[tokio::test]
async fn a_problem_opens_once_is_counted_told_again_rarely_and_closes() {
    let (bench, post) = bench().await;
    bench.fails("backup").await;
    assert_eq!(post.heard(), ["opened: job `backup` failed"]);
    assert_eq!(bench.files(), ["job-backup.alert"]);
    bench.later(20);
    bench.fails("backup").await;
    bench.later(20);
    bench.fails("backup").await;
    assert_eq!(post.got().len(), 1, "within the hour");
    assert_eq!(bench.alerts()[0].headline(), "job `backup` failed 3 times in a row");
    bench.later(20);
    bench.desk.settle(PATIENCE).await;
    assert_eq!(post.heard()[1..], ["updated: job `backup` failed 3 times in a row"]);
    bench.later(5);
    bench.recovers("backup").await;
    assert_eq!(post.heard()[2..], ["closed: job `backup` succeeded again"]);
    let end = &post.got()[2].body;
    assert_eq!((&end["lasted_s"], &end["count"]), (&(65 * 60).into(), &3.into()), "{end:#}");
    assert!(
        end["text"].as_str().is_some_and(|text| text.contains("after 1h 5m") && text.contains("3 times")),
        "{end:#}"
    );
    assert_eq!(bench.files(), [""; 0]);
    bench.later(5);
    bench.recovers("backup").await;
    assert_eq!(post.got().len(), 3, "what isn't open doesn't close");
}

#[tokio::test]
async fn a_sink_that_is_down_is_told_later_and_by_the_next_process() {
    let (bench, post) = bench().await;
    post.refuse(Some(503));
    bench.fails("backup").await;
    let told = &bench.alerts()[0].sinks["ops"];
    assert_eq!((told.opened, told.tries > 0), (None, true));
    let error = told.error.clone().expect("an error");
    assert!(error.contains("answered 503") && !error.contains("/hook?"), "{error}");
    post.refuse(None);
    let next = bench.another(vec![sink("ops", &post)]);
    next.desk.settle(PATIENCE).await;
    assert_eq!(post.heard(), [""; 0], "it failed a moment ago");
    next.later(20);
    next.desk.settle(PATIENCE).await;
    bench.desk.settle(PATIENCE).await;
    assert_eq!(post.heard(), ["opened: job `backup` failed"], "once, though two could have");
    assert_eq!(bench.alerts()[0].sinks["ops"].error, None);
}

#[tokio::test]
async fn a_sink_that_never_heard_of_it_hears_nothing_of_its_end() {
    let (bench, post) = bench().await;
    post.refuse(Some(500));
    bench.fails("backup").await;
    bench.recovers("backup").await;
    assert_eq!(bench.files(), [""; 0]);
    post.refuse(None);
    bench.later(60);
    bench.desk.settle(PATIENCE).await;
    assert_eq!(post.heard(), [""; 0]);
}

#[tokio::test]
async fn an_end_that_could_not_be_told_is_told_later_unless_it_begins_anew() {
    let (bench, post) = bench().await;
    bench.fails("backup").await;
    post.refuse(Some(500));
    bench.recovers("backup").await;
    assert_eq!(bench.files(), ["job-backup.closed"], "nothing is open, and somebody is yet to hear");
    post.refuse(None);
    bench.later(30);
    bench.desk.settle(PATIENCE).await;
    assert_eq!((post.heard().len(), bench.files()), (2, Vec::new()));

    bench.fails("backup").await;
    post.refuse(Some(500));
    bench.recovers("backup").await;
    bench.fails("backup").await;
    post.refuse(None);
    bench.later(90);
    bench.desk.settle(PATIENCE).await;
    assert_eq!(bench.files(), ["job-backup.alert"]);
    assert_eq!(post.heard()[2..], ["opened: job `backup` failed", "updated: job `backup` failed"]);
}

#[tokio::test]
async fn what_a_sink_does_not_want_it_does_not_get() {
    let post = PostBox::start().await;
    let mut only_timeouts = sink("ops", &post);
    only_timeouts.on = [Event::Timeout].into();
    let bench = Bench::new(vec![only_timeouts]);
    bench.fails("a").await;
    bench.tell(&failed("b", bench.now()).kind(AlertKind::Timeout)).await;
    bench.recovers("b").await;
    assert_eq!(post.heard(), ["opened: job `b` failed"], "nor the end, since it is not for recoveries");
    assert_eq!(bench.files(), ["job-a.alert"], "and nothing waits for it");
    bench.tell(&failed("c", bench.now()).kind(AlertKind::Timeout).to(Some(vec!["others".into()]))).await;
    assert_eq!(post.got().len(), 1, "c is for others");
}

#[tokio::test]
async fn what_passes_goes_by_itself() {
    let post = PostBox::start().await;
    let mut all = sink("all", &post);
    all.on.insert(Event::Skipped);
    let bench = Bench::new(vec![all, sink("usual", &post)]);
    let skipped = |at| Alert::passing("skipped-a", "job `a` was skipped", at).kind(AlertKind::Skipped);
    for _ in 0..3 {
        bench.tell(&skipped(bench.now())).await;
        bench.later(1);
    }
    assert_eq!(post.heard(), ["opened: job `a` was skipped"], "by the one sink that asked for it, and once");
    assert_eq!((bench.alerts()[0].state, bench.alerts()[0].count), (State::Passing, 3));
    bench.later(70);
    // A look at the queue comes after the look at what has passed.
    bench.desk.settle(PATIENCE).await;
    bench.desk.settle(PATIENCE).await;
    assert!(bench.alerts().iter().all(|alert| !alert.is_open()), "{:?}", bench.alerts());
    assert!(post.heard().iter().all(|line| !line.starts_with("closed")), "{:?}", post.heard());
}

#[tokio::test]
async fn a_check_opens_updates_and_closes_all_of_its_scope_at_once() {
    let (bench, post) = bench().await;
    let problem = |key: &str| Alert::open(key, format!("{key} is wrong"), bench.now()).severity(Severity::Critical);
    bench.fails("backup").await;
    let changes = bench.desk.reconcile("watchdog", vec![problem("daemon"), problem("disk")]).await.expect("files");
    assert_eq!((changes.opened, changes.closed), (vec!["daemon".into(), "disk".into()], Vec::<String>::new()));
    bench.desk.settle(PATIENCE).await;
    bench.later(1);
    let changes = bench.desk.reconcile("watchdog", vec![problem("disk")]).await.expect("files");
    assert_eq!((changes.updated, changes.closed), (vec!["disk".to_owned()], vec!["daemon".to_owned()]));
    let changes = bench.desk.reconcile("heartbeats", Vec::new()).await.expect("files");
    assert_eq!(changes.closed, [""; 0], "another scope's");
    bench.desk.settle(PATIENCE).await;
    let mut heard = post.heard();
    heard.sort();
    assert_eq!(heard[0], "closed: over: daemon is wrong");
    assert_eq!(bench.alerts().len(), 2, "backup and disk");
    assert_eq!(
        bench.alerts().iter().find(|alert| alert.key == "disk").map(|alert| alert.count),
        Some(1),
        "seen, not happened"
    );
}

#[tokio::test]
async fn a_preview_sends_and_writes_nothing() {
    let (bench, post) = bench().await;
    let problem = Alert::open("daemon", "the daemon has crashed", bench.now());
    let texts = bench.desk.preview("watchdog", vec![problem]).await.expect("files");
    assert!(texts.len() == 1 && texts[0].contains("the daemon has crashed") && texts[0].contains("/***"), "{texts:?}");
    assert!(!texts[0].contains("/hook"), "{texts:?}");
    assert_eq!((post.got().len(), bench.files().len()), (0, 0));
}

#[tokio::test]
async fn who_has_acknowledged_hears_no_updates_until_it_happens_anew() {
    let (bench, post) = bench().await;
    bench.fails("backup").await;
    bench.later(10);
    bench.fails("backup").await;
    bench.shelf().acknowledge("backup", bench.now(), Some("ann".into())).expect("it is open");
    bench.later(120);
    bench.desk.settle(PATIENCE).await;
    assert_eq!(post.got().len(), 1);
    bench.fails("backup").await;
    assert_eq!(post.heard()[1..], ["updated: job `backup` failed 3 times in a row"]);
    assert_eq!(bench.alerts()[0].acknowledged, None);
    let error = bench.shelf().acknowledge("job-backupp", bench.now(), None).expect_err("no such alert");
    assert_eq!(error.hint_text(), Some("did you mean `job-backup`?"));
}

#[tokio::test]
async fn other_settings_come_into_force_and_what_failed_is_tried_by_them() {
    let (bench, post) = bench().await;
    let elsewhere = PostBox::start().await;
    post.refuse(Some(401));
    bench.fails("backup").await;
    bench.desk.change(&settings(vec![sink("ops", &elsewhere)]));
    bench.desk.settle(PATIENCE).await;
    assert_eq!(elsewhere.heard(), ["opened: job `backup` failed"]);
    bench.desk.change(&settings(Vec::new()));
    bench.recovers("backup").await;
    assert_eq!(elsewhere.got().len(), 1, "it isn't a sink any more");
}

#[tokio::test]
async fn a_disk_that_takes_nothing_is_no_reason_to_be_silent() {
    let (bench, post) = bench().await;
    // Where the folder should be.
    std::fs::write(bench.home.alerts(), "in the way").expect("a file");
    bench.fails("backup").await;
    assert_eq!(post.heard(), ["opened: job `backup` failed"]);
    bench.recovers("backup").await;
    assert_eq!(post.heard()[1..], ["closed: job `backup` succeeded again"]);
}

#[tokio::test]
async fn what_a_check_finds_is_told_though_the_alerts_before_it_can_not_be_read() {
    let (bench, post) = bench().await;
    std::fs::write(bench.home.alerts(), "in the way").expect("a file");
    let error = bench.shelf().read().expect_err("no folder");
    assert!(error.hint_text().is_some_and(|hint| hint.contains("move away")), "{error}");
    let problem = || Alert::open("daemon", "the daemon has crashed", bench.now());
    let changes = bench.desk.reconcile("watchdog", vec![problem()]).await.expect("it is kept in memory");
    assert_eq!(changes.opened, ["daemon"]);
    bench.desk.settle(PATIENCE).await;
    let changes = bench.desk.reconcile("watchdog", vec![problem()]).await.expect("it is known");
    assert_eq!((changes.opened, changes.updated), (Vec::new(), vec!["daemon".to_owned()]));
    bench.desk.settle(PATIENCE).await;
    assert_eq!(post.heard(), ["opened: the daemon has crashed"]);
}

#[tokio::test]
async fn the_files_of_the_version_before_are_understood() {
    let (bench, post) = bench().await;
    std::fs::create_dir_all(bench.home.alerts()).expect("a folder");
    let old = r#"{"key": "job-old", "state": "open", "job": "old", "title": "job `old` failed", "detail": "", "at": "2026-03-01T10:00:00Z"}"#;
    std::fs::write(bench.home.alerts().join("job-old.alert"), old).expect("a file");
    std::fs::write(bench.home.alerts().join("job-odd.alert"), "{").expect("a file");
    assert_eq!(bench.desk.open_about().await.expect("alerts"), ["old".parse::<JobId>().expect("an id")]);
    assert_eq!(bench.shelf().read().expect("alerts").problems.len(), 1, "the odd one is told, and hides no other");
    bench.fails("odd").await;
    bench.recovers("old").await;
    assert!(post.heard().contains(&"opened: job `odd` failed".to_owned()), "{:?}", post.heard());
    assert_eq!(bench.files(), ["job-odd.alert"]);
}

#[tokio::test]
async fn hostile_keys_stay_in_the_folder() {
    let (bench, _) = bench().await;
    let long = "x".repeat(5000);
    for key in ["../../etc/passwd", ".lock", "a/b", "", "ä\n\0", &long, &format!("{long}y")] {
        bench.tell(&Alert::open(key, "odd", bench.now())).await;
    }
    assert_eq!((bench.alerts().len(), bench.files().len()), (7, 7), "{:?}", bench.files());
    assert!(bench.files().iter().all(|name| name.is_ascii() && !name.starts_with('.')), "{:?}", bench.files());
}

#[tokio::test]
async fn a_full_queue_is_an_error_and_no_wait() {
    let bench = Bench::new(Vec::new());
    // Nothing else runs on this thread until the first await that waits.
    let mut refused = 0;
    for number in 0..400 {
        refused += usize::from(bench.desk.notify(&failed(&format!("job{number}"), minute(0))).await.is_err());
    }
    assert_eq!(refused, 400 - 256);
    bench.desk.settle(Duration::from_mins(5)).await;
    assert_eq!(bench.alerts().len(), 256);
}

#[tokio::test]
async fn a_file_that_is_not_where_its_key_belongs_is_a_problem_and_no_alert() {
    let (bench, post) = bench().await;
    bench.fails("backup").await;
    let (folder, outside) = (bench.home.alerts(), bench.home.path().join("evil.alert"));
    let text = std::fs::read_to_string(folder.join("job-backup.alert")).expect("the alert");
    // Of these no sink has been told.
    let untold = text.replace("\"ops\":", "\"other\":");
    assert_ne!(text, untold);
    let files = [
        ("job-backup.copy.alert", untold.clone()),
        ("job-backup.closed", untold.clone()),
        ("far.alert", untold.replace("\"job-backup\"", "\"../evil\"")),
    ];
    for (name, text) in &files {
        std::fs::write(folder.join(name), text).expect("a stray file");
    }
    bench.fails("report").await;
    assert_eq!(post.heard(), ["opened: job `backup` failed", "opened: job `report` failed"]);
    let shelved = bench.shelf().read().expect("alerts");
    let keys: Vec<&str> = shelved.alerts.iter().map(|alert| alert.key.as_str()).collect();
    assert_eq!(keys, ["job-backup", "job-report"]);
    let problems: Vec<&str> = shelved.problems.iter().map(|problem| problem.what.as_str()).collect();
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(
        problems[0].ends_with("isn't where it belongs: the file of the alert `../evil` is %2e.%2fevil.alert"),
        "{problems:?}"
    );
    assert!(shelved.problems.iter().all(|problem| problem.hint.starts_with("remove the file")), "{problems:?}");
    bench.recovers("backup").await;
    assert!(!outside.exists() && bench.shelf().read().expect("alerts").open().count() == 1);
    // Those of no key at all are left as they are.
    assert_eq!(bench.files(), ["far.alert", "job-backup.copy.alert", "job-report.alert"]);
}

#[tokio::test]
async fn sinks_hear_of_what_is_wrong_though_there_is_a_pipe_in_the_place_of_the_folder() {
    let (bench, post) = bench().await;
    rustix::fs::mkfifoat(rustix::fs::CWD, bench.home.alerts(), rustix::fs::Mode::RWXU).expect("a pipe");
    let crashed = Alert::open("daemon", "the daemon has crashed", bench.now());
    let changes = bench.desk.reconcile("watchdog", vec![crashed]).await.expect("it is told");
    assert_eq!(changes.opened, ["daemon"]);
    bench.desk.settle(PATIENCE).await;
    assert_eq!(post.heard(), ["opened: the daemon has crashed"]);
    let why = bench.shelf().read().expect_err("there are no files");
    assert!(why.to_string().ends_with("alerts: it is a named pipe, not a folder"), "{why}");
}
