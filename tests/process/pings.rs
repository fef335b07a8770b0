//! Push monitors: what they hear, in which order, and that no job waits for one.

use std::{collections::BTreeSet, fs, time::Instant};

use serde_json::{Value, json};

use super::{
    bench::{Place, eventually},
    push_monitor::{Heard, PushMonitor},
    wedge::DeadMount,
};

/// A home with jobs that have something to tell `monitor`; each is a command and what more its entry says.
fn place(monitor: &PushMonitor, jobs: &[(&str, &str, Value)]) -> Place {
    let place = Place::beating();
    let entry = |(id, command, more): &(&str, &str, Value)| {
        let url = monitor.url(&format!("s3cret/{id}?create=1"));
        let mut entry = json!({"id": id, "schedule": "@yearly", "command": command, "ping_url": url});
        entry.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        entry
    };
    place.write_jobs(&jobs.iter().map(entry).collect::<Vec<_>>());
    place
}

fn paths(heard: &[Heard]) -> Vec<&str> {
    heard.iter().map(Heard::path).collect()
}

#[test]
fn a_run_tells_its_start_and_how_it_ended_with_one_id_and_the_end_of_its_output() {
    let monitor = PushMonitor::new();
    let none = json!({});
    let place = place(
        &monitor,
        &[
            ("good", "echo done; echo and more >&2", none.clone()),
            ("bad", "echo no route; exit 3", none.clone()),
            ("killed", "kill -9 $$", none.clone()),
            ("late", "echo waiting; sleep 600", json!({"timeout": "1s"})),
            ("gone", "true", json!({"command": ["/nowhere/program"]})),
            ("long", "seq 20000 | sed 's/$/ ä/'", none),
        ],
    );
    let check = |job: &str, code: i32, expected: &[&str], said: &dyn Fn(&str) -> bool| {
        let before = monitor.heard().len();
        assert_eq!(place.run(&["fire", job, "--wait"]).code, Some(code), "{job}");
        let heard = monitor.heard().split_off(before);
        let expected: Vec<String> = expected.iter().map(|end| format!("/s3cret/{job}{end}")).collect();
        assert_eq!(paths(&heard), expected, "{heard:?}");
        let ids: BTreeSet<Option<&str>> = heard.iter().map(Heard::rid).collect();
        assert_eq!(ids.len(), 1, "one run, one id: {heard:?}");
        assert!(heard.iter().all(|one| one.method == "POST" && one.what.contains("create=1")), "{heard:?}");
        let last = heard.last().expect("an end");
        assert!(said(&last.text()), "{:?}", last.text());
        assert!(last.body.len() <= 10_000);
    };
    check("good", 0, &["/start", ""], &|body| body == "done\nand more\n");
    check("bad", 1, &["/start", "/3"], &|body| body == "no route\n");
    check("killed", 1, &["/start", "/fail"], &|body| body.starts_with("sched: killed by SIGKILL"));
    check("late", 1, &["/start", "/fail"], &|body| body.starts_with("waiting\nsched: "));
    check("gone", 1, &["/fail"], &|body| body.contains("program not found"));
    check("long", 0, &["/start", ""], &|body| body.ends_with("20000 ä\n") && body.len() > 9_990);
    let ids: BTreeSet<String> = monitor.heard().iter().filter_map(|heard| heard.rid().map(str::to_owned)).collect();
    assert_eq!(ids.len(), 6, "each run has its own");

    place.write("config.yaml", "monitor: {ping_body: 0}\n");
    check("good", 0, &["/start", ""], &|body| body.is_empty());
    let json = place.ok(&["--json", "show", "good"]);
    let shown = place.ok(&["show", "good"]);
    let edited = place.ok(&["edit", "good", "--ping-url", &monitor.url("0ther-s3cret")]);
    for text in [&json, &shown, &edited] {
        assert!(!text.contains("s3cret") && text.contains("ping_url"), "{text}");
    }
    assert!(shown.contains("http://127.0.0.1:"), "{shown}");
    // Nor is one that can't be taken.
    let wrong = place.run(&["edit", "good", "--ping-url", "ftp://s3cret"]);
    wrong.says(1, &["ping_url: it begins with neither `https://` nor `http://`"]);
    assert!(!wrong.err.contains("s3cret"), "{}", wrong.err);
}

#[test]
fn a_tick_tells_of_its_runs_and_once_an_interval_that_the_home_fires() {
    let monitor = PushMonitor::new();
    let place = place(&monitor, &[("job", "echo hi", json!({"schedule": "* * * * * *"}))]);
    place.ok(&["tick"]);
    assert!(monitor.heard().iter().all(|heard| heard.path().starts_with("/s3cret/job")), "nothing more was asked for");
    let config = format!("monitor: {{ping_url: '{}', ping_interval: 1h}}\n", monitor.url("home?a=b"));
    place.write("config.yaml", &config);
    monitor.answer(&[500; 20]);
    place.ok(&["tick"]);
    place.ok(&["tick"]);
    monitor.answer(&[]);
    eventually("a tick whose sign of life is heard", || {
        place.ok(&["tick"]);
        let heard = monitor.until_heard("/home", 1);
        if heard.iter().any(|heard| heard.answer == 200) { Ok(()) } else { Err(format!("{heard:?}")) }
    });
    let heard = monitor.until_heard("/home", 2);
    place.ok(&["tick"]);
    assert_eq!(monitor.until_heard("/home", 1).len(), heard.len(), "one an interval");
    assert!(heard.iter().all(|heard| heard.method == "GET" && heard.what == "/home?a=b"), "{heard:?}");
    let kept = fs::read_to_string(place.home().join("heartbeats/ping.json")).expect("when it was");
    assert!(kept.contains("heard_at"), "{kept}");
    eventually("a tick that found something due", || {
        place.ok(&["tick"]);
        let heard = monitor.heard();
        if heard.iter().any(|heard| heard.path() == "/s3cret/job/start") { Ok(()) } else { Err(format!("{heard:?}")) }
    });
}

#[test]
fn what_is_not_taken_is_tried_again_in_order_and_told_once() {
    let monitor = PushMonitor::new();
    let place = place(&monitor, &[("job", "echo hi", json!({}))]);
    let mut daemon = place.daemon();
    monitor.answer(&[500, 503]);
    place.ok(&["fire", "job", "--wait"]);
    let heard = monitor.until_heard("/s3cret/job", 4);
    let expected = ["/s3cret/job/start", "/s3cret/job/start", "/s3cret/job/start", "/s3cret/job"];
    assert_eq!(paths(&heard), expected, "the end waits for the start: {heard:?}");
    daemon.until_logged("its pings are taken again");
    let log = daemon.log();
    assert_eq!(log.matches("its ping was not taken").count(), 1, "{log}");
    assert!(log.contains("/***: answered 500") && !log.contains("s3cret"), "{log}");

    // What is refused for good isn't tried again: the end goes out at once.
    monitor.answer(&[404]);
    place.ok(&["fire", "job", "--wait"]);
    let heard = monitor.until_heard("/s3cret/job", 6);
    assert_eq!(paths(&heard[4..]), ["/s3cret/job/start", "/s3cret/job"]);
    daemon.until_logged("it is not tried again");
    daemon.stop();
}

#[test]
fn an_attempt_that_is_followed_by_another_is_no_alarm() {
    let monitor = PushMonitor::new();
    let retried = |max: u32| json!({"retries": {"max": max, "backoff": "1s"}});
    let again = "echo attempt $SCHED_ATTEMPT; test $SCHED_ATTEMPT = 3 || exit 7";
    let mut overtaken = json!({"retries": {"max": 1, "backoff": "10m"}});
    overtaken["schedule"] = json!("*/2 * * * * *");
    let place = place(
        &monitor,
        &[("mended", again, retried(3)), ("broken", again, retried(1)), ("overtaken", "exit 5", overtaken)],
    );
    let mut daemon = place.daemon();
    let check = |job: &str, code: i32, expected: &[&str], bodies: &[&str]| {
        assert_eq!(place.run(&["fire", job, "--wait"]).code, Some(code), "{job}");
        let heard = monitor.until_heard(&format!("/s3cret/{job}"), expected.len());
        let expected: Vec<String> = expected.iter().map(|end| format!("/s3cret/{job}{end}")).collect();
        assert_eq!(paths(&heard), expected, "{heard:?}");
        // A start and its end are one run, and each attempt is a run.
        for pair in heard.chunks(2) {
            assert_eq!(pair[0].rid(), pair[1].rid(), "{heard:?}");
        }
        let runs: BTreeSet<Option<&str>> = heard.iter().map(Heard::rid).collect();
        assert_eq!(runs.len(), heard.len() / 2, "{heard:?}");
        let said: Vec<String> = heard.iter().skip(1).step_by(2).map(Heard::text).collect();
        assert_eq!(said, bodies);
    };
    let [one, two, three] = [1, 2, 3].map(|attempt| format!("attempt {attempt}\n"));
    check("mended", 0, &["/start", "/log", "/start", "/log", "/start", ""], &[&one, &two, &three]);
    check("broken", 1, &["/start", "/log", "/start", "/7"], &[&one, &two]);

    // Its next instant comes before its second attempt, which is never made: then the first was the last word.
    let ends = monitor.until_heard("/s3cret/overtaken/5", 2);
    let heard = monitor.heard();
    for end in ends {
        let logged = heard.iter().position(|one| one.path() == "/s3cret/overtaken/log" && one.rid() == end.rid());
        let told = heard.iter().position(|one| one.path() == "/s3cret/overtaken/5" && one.rid() == end.rid());
        assert!(logged.is_some() && logged < told, "{heard:?}");
    }
    daemon.stop();
}

#[test]
fn what_an_address_is_made_of_is_in_no_jobs_environment() {
    let monitor = PushMonitor::new();
    let place = place(&monitor, &[("plain", "env", json!({"ping_url": null}))]);
    let add = |id: &str, key: &str, more: &str| {
        let mut entry = json!({"id": id, "schedule": "@yearly", "command": format!("env; {more}")});
        entry["ping_url"] = json!(monitor.url(&format!("${{{key}}}/{id}")));
        entry
    };
    let plain = json!({"id": "plain", "schedule": "@yearly", "command": "env"});
    place.write_jobs(&[plain.clone(), add("one", "ONE_KEY", "")]);
    let keys = [("ONE_KEY", "s3cret-one"), ("OTHER_KEY", "s3cret-other"), ("PLAIN", "to be seen")];
    let command = |line: &[&str]| {
        let mut command = place.command(line);
        command.envs(keys);
        command
    };
    let printed = |job: &str| {
        let fired = place.start_command(&mut command(&["fire", job, "--wait"])).ran();
        assert_eq!(fired.code, Some(0), "{fired:?}");
        place.ok(&["logs", job])
    };
    let mut daemon = place.start_command(&mut command(&["run"]));
    place.until_verdict("live", 0);
    for job in ["one", "plain"] {
        let said = printed(job);
        assert!(said.contains("PLAIN=to be seen") && !said.contains("s3cret-one"), "{job}: {said}");
    }
    assert!(printed("plain").contains("OTHER_KEY"), "so far that is no secret");
    // The edit is seen without a restart, by the job itself and by the others.
    let mut written = add("other", "OTHER_KEY", "");
    written["env"] = json!({"ONE_KEY": "its own"});
    place.write_jobs(&[plain, add("one", "ONE_KEY", ""), written]);
    place.until_status("three jobs", |status| status["jobs"]["total"] == 3);
    let said = printed("other");
    assert!(said.contains("ONE_KEY=its own") && !said.contains("s3cret"), "what is written for a job is its: {said}");
    for job in ["one", "plain"] {
        assert!(!printed(job).contains("s3cret"), "{job}");
    }
    daemon.stop();
    // Without a daemon the command runs it, in the same way.
    assert!(!printed("plain").contains("s3cret"));
    let told: BTreeSet<String> = monitor.heard().iter().map(|heard| heard.path().to_owned()).collect();
    let expected = ["/s3cret-one/one", "/s3cret-one/one/start", "/s3cret-other/other", "/s3cret-other/other/start"];
    assert_eq!(told, expected.map(str::to_owned).into());
}

/// Every second of `job` between its first start and its last one has a start, and none came a second late.
fn never_late(place: &Place, job: &str) {
    place.no_instant_twice(job);
    let log = fs::read_to_string(place.path("starts")).expect("its starts");
    let starts: Vec<(i64, i64)> = log
        .lines()
        .map(|line| {
            let (owed, started) = line.split_once(' ').expect("two times");
            let owed: jiff::Timestamp = owed.parse().expect("an instant");
            (owed.as_second(), started.parse().expect("seconds"))
        })
        .collect();
    assert!(starts.iter().all(|(owed, started)| started - owed <= 1), "late: {log}");
    assert!(starts.windows(2).all(|pair| pair[1].0 == pair[0].0 + 1), "one is missing: {log}");
}

/// A job that is due every second and notes when it was started.
fn every_second(place: &Place, monitor: &PushMonitor) -> Value {
    let then = format!("echo $SCHED_SCHEDULED_AT $(date +%s) >> {}", place.path("starts").display());
    let mut job = place.job("job", "* * * * * *", &then);
    job["ping_url"] = json!(monitor.url("s3cret/job"));
    job
}

#[test]
fn a_server_that_is_down_delays_no_fire_and_hears_what_still_matters_when_it_is_back() {
    let mut monitor = PushMonitor::new();
    let place = Place::beating();
    place.write_jobs(&[every_second(&place, &monitor)]);
    let mut daemon = place.daemon();
    monitor.until_heard("/s3cret/job/start", 2);
    monitor.down();
    daemon.until_logged("pings don't arrive");
    let started = place.effects("job").len();
    place.until_started("job", started + 12);
    monitor.up();
    let before = monitor.heard().len();
    daemon.until_logged("is reached again; what waits for it follows");
    monitor.until_heard("/s3cret/job", before + 16);
    let heard = monitor.heard().split_off(before);
    let ends = heard.iter().filter(|heard| heard.path() == "/s3cret/job");
    for end in ends {
        let start = heard.iter().position(|one| one.rid() == end.rid()).expect("itself at least");
        let place = heard.iter().position(|one| std::ptr::eq(one, end)).expect("it");
        assert!(start <= place, "a start comes before its end");
    }
    place.until_verdict("live", 0);
    let log = daemon.log();
    assert_eq!(log.matches("pings don't arrive").count(), 1, "{log}");
    assert!(!log.contains("s3cret"), "{log}");
    daemon.stop();
    never_late(&place, "job");
}

#[test]
fn a_server_that_hangs_delays_no_fire_and_no_stop() {
    let monitor = PushMonitor::new();
    monitor.hang(true);
    let place = Place::beating();
    place.write_jobs(&[every_second(&place, &monitor)]);
    let mut daemon = place.daemon();
    place.until_started("job", 12);
    daemon.until_logged("no answer within 10 s");
    let begun = Instant::now();
    daemon.stop();
    let took = begun.elapsed();
    assert!(took.as_secs() < 15, "it gave up on it after a few seconds: {took:?}");
    assert!(daemon.log().contains("pings of runs could not be delivered before the end"), "{}", daemon.log());
    never_late(&place, "job");
}

#[test]
fn a_daemon_vouches_for_itself_at_once_and_only_while_it_fires() {
    let mut monitor = PushMonitor::new();
    let place = Place::empty();
    let config = |interval: &str| {
        let url = monitor.url("s3cret-home");
        format!("ticker: {{interval: 1s}}\nmonitor: {{ping_url: '{url}', ping_interval: {interval}}}\n")
    };
    let (hourly, often) = (config("1h"), config("1s"));
    place.write("config.yaml", &hourly);
    place.write_jobs(&[place.job("job", "* * * * * *", "")]);
    let mut daemon = place.daemon();
    assert_eq!(monitor.until_heard("/s3cret-home", 1).len(), 1, "at once, and then in an hour");
    place.write("config.yaml", &often);
    daemon.signal(rustix::process::Signal::HUP);
    monitor.until_heard("/s3cret-home", 4);

    // A store that can't be used: the daemon lives, and nothing fires.
    let (manifest, aside) = (place.home().join("state/MANIFEST"), place.path("MANIFEST"));
    fs::rename(&manifest, &aside).expect("taken away");
    place.until_verdict("failing", 4);
    let before = monitor.heard().len();
    let cycle = |status: &Value| status["heartbeat"]["cycle"].as_u64().unwrap_or_default();
    let begun = cycle(&place.status().1);
    place.until_status("three more turns", |status| cycle(status) > begun + 3);
    assert!(monitor.heard().len() <= before + 1, "one may have been on its way: {:?}", monitor.heard());
    fs::rename(&aside, &manifest).expect("put back");
    place.until_verdict("live", 0);
    let before = monitor.heard().len();
    monitor.until_heard("/s3cret-home", before + 1);

    monitor.down();
    daemon.until_logged("the sign of life was not heard");
    monitor.up();
    daemon.until_logged("hears again that the daemon fires");
    assert!(!daemon.log().contains("s3cret"), "{}", daemon.log());
    daemon.stop();
}

#[test]
fn nobody_vouches_for_a_daemon_whose_engine_is_stuck_though_its_tasks_go_on() {
    let monitor = PushMonitor::new();
    let place = Place::empty();
    let url = monitor.url("home");
    let config =
        format!("ticker: {{interval: 1s, abort_after: 27s}}\nmonitor: {{ping_url: '{url}', ping_interval: 1s}}\n");
    place.write("config.yaml", config);
    place.write_jobs(&[place.job("job", "* * * * * *", "")]);
    let mut daemon = place.daemon();
    monitor.until_heard("/home", 2);
    let Some(_dead) = DeadMount::over_jobs(&place) else { return };
    daemon.until_logged("the daemon has not got on for 2");
    let before = monitor.heard().len();
    assert_eq!(daemon.wait().code(), Some(70), "{}", daemon.log());
    assert!(monitor.heard().len() <= before + 1, "one may have been on its way: {:?}", monitor.heard().len());
}
