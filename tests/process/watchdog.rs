//! The watchdog: what it finds, whom it tells, and what it starts.

use std::{
    collections::BTreeMap,
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::process::Signal;
use scheduler_core::liveness::Phase;
use serde_json::{Value, json};

use super::{
    bench::{Place, Ran, eventually, sched, signal, within},
    heartbeats::rewrite,
    supervisor::ended_itself,
    wedge::DeadMount,
};

/// A home that turns every second, whose watchdog tells a file beside it.
fn watched(more: &str) -> Place {
    let place = Place::empty();
    let tell = format!("cat >> {}", place.path("told").display());
    let sink = json!([{"name": "file", "type": "command", "command": ["sh", "-c", tell]}]);
    place.write("config.yaml", format!("ticker: {{interval: 1s}}\nnotify: {sink}\n{more}"));
    place
}

/// What the sink was told: events and keys.
fn told(place: &Place) -> Vec<(String, String)> {
    let text = fs::read_to_string(place.path("told")).unwrap_or_default();
    let values = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
    let word = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    values.map(|value| value.expect("JSON")).map(|value| (word(&value, "event"), word(&value, "key"))).collect()
}

/// How often `event` of `key` was told.
fn count(place: &Place, event: &str, key: &str) -> usize {
    told(place).iter().filter(|(told, of)| told == event && of == key).count()
}

/// Runs it once: the exit code, and each check's verdict and detail by its key.
fn look(place: &Place, options: &[&str]) -> (Option<i32>, BTreeMap<String, (String, String)>, Ran) {
    let ran = place.run(&[&["watchdog", "--json"], options].concat());
    let answer: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let checks = answer["checks"].as_array().expect("checks");
    let rows = checks.iter().map(|row| (text(&row["key"]), (text(&row["verdict"]), text(&row["detail"]))));
    (ran.code, rows.collect(), ran)
}

#[track_caller]
fn is(rows: &BTreeMap<String, (String, String)>, key: &str, verdict: &str, says: &str) {
    let (found, detail) = rows.get(key).unwrap_or_else(|| panic!("no {key} in {rows:#?}"));
    assert!(found == verdict && detail.contains(says), "{key}: {found}: {detail}");
}

/// The pid of the daemon that holds the lock.
fn daemon(place: &Place) -> Option<u32> {
    let (_, status) = place.status();
    let held = status["daemon"]["lock_held"] == true;
    held.then(|| u32::try_from(status["daemon"]["process"]["pid"].as_u64()?).ok()).flatten()
}

/// Every file under the home, with its content.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")) {
        let path = entry.path();
        if path.is_dir() {
            all.extend(files(&path));
            all.insert(path, Vec::new());
        } else {
            all.insert(path.clone(), fs::read(path).expect("a file"));
        }
    }
    all
}

#[test]
fn a_daemon_that_was_killed_is_told_started_again_and_told_to_be_well() {
    let place = watched("");
    place.write_jobs(&[place.job("job", "* * * * * *", "")]);
    let mut first = place.daemon();
    place.until_started("job", 1);
    first.kill();
    let (code, rows, ran) = look(&place, &["--restart"]);
    assert_eq!(code, Some(4), "{ran:?}");
    is(&rows, "daemon", "bad", "CRASHED");
    assert!(ran.out.contains("started the daemon (pid "), "{ran:?}");
    assert_eq!(count(&place, "opened", "daemon"), 1, "{:?}", told(&place));
    let before = place.effects("job").len();
    place.until_started("job", before + 2);
    place.until_status("it is LIVE", |status| status["verdict"] == "live");
    let pid = daemon(&place).expect("a daemon");
    // Of another session: no terminal and no cron takes it along.
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    let session = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_ascii_whitespace().nth(3)).map(str::to_owned);
    assert_eq!(session, Some(pid.to_string()), "{stat}");
    let (code, rows, ran) = look(&place, &["--restart"]);
    assert_eq!(code, Some(0), "{ran:?}");
    is(&rows, "daemon", "ok", "LIVE");
    assert_eq!(count(&place, "closed", "daemon"), 1, "{:?}", told(&place));
    assert_eq!(daemon(&place), Some(pid), "one that runs is left alone");
    assert!(!place.home().join("state/restarts.json").exists(), "what was tried is forgotten");
    signal(pid, Signal::TERM);
    place.until_status("it stopped", |status| status["verdict"] == "stopped");
    let (code, _, ran) = look(&place, &["--restart"]);
    assert_eq!(code, Some(4), "{ran:?}");
    assert!(
        !ran.out.contains("started the daemon") && daemon(&place).is_none(),
        "one that was stopped stays so: {ran:?}"
    );
    place.no_instant_twice("job");
}

#[test]
fn a_daemon_that_ended_itself_is_told_and_started_again() {
    let place = watched("");
    let config = fs::read_to_string(place.home().join("config.yaml")).expect("config.yaml");
    place.write("config.yaml", config.replace("{interval: 1s}", "{interval: 1s, abort_after: 1s}"));
    place.write_jobs(&[place.job("job", "* * * * * *", "")]);
    let mut first = place.daemon();
    place.until_started("job", 1);
    let Some(dead) = DeadMount::over_jobs(&place) else { return };
    ended_itself(&mut first);
    drop(dead);
    let (code, rows, ran) = look(&place, &[]);
    assert_eq!(code, Some(4), "{ran:?}");
    is(&rows, "daemon", "bad", "CRASHED");
    assert!(daemon(&place).is_none() && count(&place, "opened", "daemon") == 1, "{ran:?} {:?}", told(&place));
    // Whoever is told has to know that it was no accident of the machine.
    let text = fs::read_to_string(place.path("told")).expect("what was told");
    assert!(text.contains("exit code 70"), "{text}");
    is_started_again(&place);
}

#[test]
fn after_a_reboot_a_daemon_that_is_not_there_is_started() {
    let place = watched("");
    place.write_jobs(&[place.job("job", "* * * * * *", "")]);
    let mut first = place.daemon();
    place.until_started("job", 1);
    // A machine that goes down kills it, or tells it to stop and doesn't wait; its last beat is of that boot.
    first.kill();
    let file = place.home().join("heartbeats/ticker.json");
    rewrite(&file, |beat| (beat.boot_id, beat.phase) = ("the one before".into(), Phase::Draining));
    let (_, rows, _) = look(&place, &[]);
    is(&rows, "daemon", "bad", "CRASHED");
    is_started_again(&place);
}

/// The next watchdog starts the daemon, the one after finds it well, and it is the same alert.
#[track_caller]
fn is_started_again(place: &Place) {
    let (_, _, ran) = look(place, &["--restart"]);
    assert!(ran.out.contains("started the daemon (pid "), "{ran:?}");
    let before = place.effects("job").len();
    place.until_started("job", before + 2);
    place.until_status("the daemon is at work", |status| {
        status["daemon"]["lock_held"] == true && status["exit_code"].as_u64() < Some(4)
    });
    let (_, rows, ran) = look(place, &["--restart"]);
    is(&rows, "daemon", "ok", "");
    assert!(!ran.out.contains("started the daemon"), "{ran:?}");
    let events = ["opened", "closed"].map(|event| count(place, event, "daemon"));
    assert_eq!(events, [1, 1], "{:?}", told(place));
    signal(daemon(place).expect("a daemon"), Signal::TERM);
    place.until_status("it stopped", |status| status["verdict"] == "stopped");
    place.no_instant_twice("job");
}

#[test]
fn where_a_unit_of_systemd_has_the_home_its_crashed_daemon_is_left_to_it() {
    let place = watched("");
    place.write_jobs(&[place.job("job", "* * * * * *", "")]);
    let mut first = place.daemon();
    place.until_started("job", 1);
    first.kill();
    // On a machine that systemd runs, which to everybody is one with this folder.
    let look = || {
        let command = "mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system && exec \"$0\" watchdog --restart";
        let mut unshared = place.command(&[]);
        let environment: Vec<_> =
            unshared.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
        unshared = std::process::Command::new("unshare");
        unshared.args(["--mount", "sh", "-c", command]).arg(sched()).env_clear().envs(environment);
        place.start_command(&mut unshared).ran()
    };
    // `HOME` is the folder beside the home.
    let units = place.path(".config/systemd/user");
    let unit_dir = units.display().to_string();
    place.ok(&["service", "install", "--user", "--unit-dir", &unit_dir]);
    let ran = look();
    if ran.code == Some(1) || !ran.out.contains("VERDICT") {
        return println!("skipped, nothing is proved: {}", ran.err);
    }
    assert!(ran.out.contains("the daemon is not started: systemd does that, by sched.service"), "{ran:?}");
    assert!(daemon(&place).is_none(), "{ran:?}");
    assert_eq!(count(&place, "opened", "daemon"), 1, "it is told all the same: {:?}", told(&place));
    place.ok(&["service", "uninstall", "--user", "--unit-dir", &unit_dir]);
    let ran = look();
    assert!(ran.out.contains("started the daemon (pid "), "{ran:?}");
    place.until_status("it is LIVE", |status| status["verdict"] == "live");
    signal(daemon(&place).expect("a daemon"), Signal::TERM);
    place.until_status("it stopped", |status| status["verdict"] == "stopped");
}

#[test]
fn a_daemon_that_is_started_keeps_nothing_of_its_caller() {
    let place = watched("");
    place.write_jobs(&[place.job("job", "* * * * * *", "")]);
    let mut first = place.daemon();
    place.until_started("job", 1);
    first.kill();
    // As `flock` does around the line of a crontab, and a pipe that somebody reads to its end.
    let lock = place.path("wd.lock");
    let script = format!("exec 7>{}; sched watchdog --restart 8>&1 | cat", lock.display());
    let mut shell = place.start_script(&script);
    shell.wait();
    assert!(shell.said().contains("started the daemon"), "{} {}", shell.said(), shell.log());
    let pid = daemon(&place).expect("a daemon");
    let open = fs::read_dir(format!("/proc/{pid}/fd")).expect("it runs").map(|entry| entry.expect("an entry").path());
    let open: Vec<(String, PathBuf)> = open
        .filter_map(|entry| Some((entry.file_name()?.to_string_lossy().into_owned(), fs::read_link(&entry).ok()?)))
        .collect();
    let is = |fd: &str, path: &Path| open.iter().any(|(number, to)| number == fd && to == path);
    assert!(is("0", Path::new("/dev/null")), "{open:?}");
    let log = place.home().join("state/daemon.log");
    assert!(is("1", &log) && is("2", &log), "{open:?}");
    assert!(open.iter().all(|(_, to)| *to != lock && !to.to_string_lossy().starts_with("pipe:")), "{open:?}");
    signal(pid, Signal::TERM);
    place.until_status("it stopped", |status| status["verdict"] == "stopped");
}

#[test]
fn two_at_once_start_one_daemon_and_open_one_alert() {
    let place = watched("");
    place.write_jobs(&[place.job("job", "* * * * * *", "")]);
    let mut first = place.daemon();
    place.until_started("job", 1);
    first.kill();
    let both = [place.start(&["watchdog", "--restart"]), place.start(&["watchdog", "--restart"])];
    let ran = both.map(super::bench::Daemon::ran);
    let started = ran.iter().filter(|ran| ran.out.contains("started the daemon (pid ")).count();
    assert_eq!(started, 1, "{ran:?}");
    assert_eq!(count(&place, "opened", "daemon"), 1, "{:?}", told(&place));
    place.until_status("it is LIVE", |status| status["verdict"] == "live");
    signal(daemon(&place).expect("a daemon"), Signal::TERM);
    place.until_status("it stopped", |status| status["verdict"] == "stopped");
    place.no_instant_twice("job");
}

#[test]
fn what_a_job_lacks_is_found_before_it_is_due() {
    let place = watched("");
    let file = |name: &str, text: &str| {
        fs::write(place.path(name), text).expect("a file");
        place.path(name).display().to_string()
    };
    let (sh, py) = (file("a.sh", "if true; then\n"), file("a.py", "import os\nprint(1\n"));
    let (good, gone) = (file("good.py", "import sys\nsys.exit(9)\n"), place.path("gone.sh").display().to_string());
    let job = |id: &str, command: Value| json!({"id": id, "schedule": "@yearly", "command": command});
    place.write_jobs(&[
        job("sh", json!(["sh", sh])),
        job("py", json!(["python3", py])),
        job("good", json!(["python3", good])),
        job("gone", json!(gone)),
        job("line", json!("if true")),
        json!({"id": "off", "schedule": "@yearly", "command": ["/no/such"], "enabled": false}),
    ]);
    let (_, rows, _) = look(&place, &[]);
    is(&rows, "start-sh", "bad", "a.sh has a syntax error");
    is(&rows, "start-py", "bad", "a.py has a syntax error: line 2");
    is(&rows, "start-gone", "bad", "gone.sh: no such file");
    is(&rows, "start-line", "bad", "syntax error");
    assert!(!rows.contains_key("start-good") && !rows.contains_key("start-off"), "{rows:#?}");
    assert!(!place.path("__pycache__").exists());
    fs::write(place.path("a.py"), "print(1)\n").expect("it is corrected");
    look(&place, &[]);
    assert_eq!(
        (count(&place, "opened", "start-py"), count(&place, "closed", "start-py")),
        (1, 1),
        "{:?}",
        told(&place)
    );
    assert_eq!(
        (count(&place, "opened", "start-sh"), count(&place, "closed", "start-sh")),
        (1, 0),
        "{:?}",
        told(&place)
    );
}

#[test]
fn what_config_yaml_names_is_looked_at() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let open = listener.local_addr().expect("its address");
    let closed = {
        let other = TcpListener::bind("127.0.0.1:0").expect("a port");
        other.local_addr().expect("its address")
    };
    let place = watched(&format!(
        "watchdog:
  checks:
    tcp: [{{name: open, address: '{open}'}}, {{name: closed, address: '{closed}'}}]
    process: [{{name: nobody, pattern: nobody_but_who_asks}}]
    heartbeat: [{{name: none, file: /no/such/beat}}]
    syntax: [{{name: none, file: /no/such/file.py}}]
"
    ));
    // Who starts it has the pattern in its own command line.
    let sched = sched();
    let script = format!("{} watchdog --json; true nobody_but_who_asks", sched.display());
    let ran = place.start_script(&script).ran();
    let answer: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    let verdict = |key: &str| {
        let row = answer["checks"].as_array().and_then(|rows| rows.iter().find(|row| row["key"] == key));
        row.unwrap_or_else(|| panic!("no {key}: {ran:?}"))["verdict"].clone()
    };
    assert_eq!(verdict("watchdog-tcp-open"), "ok");
    for key in ["tcp-closed", "process-nobody", "heartbeat-none", "syntax-none"] {
        assert_eq!(verdict(&format!("watchdog-{key}")), "bad", "{key}");
    }
    let ran = place.run(&["watchdog", "--retire"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(count(&place, "opened", "daemon"), 1);
    assert_eq!(count(&place, "closed", "daemon"), 1, "{:?}", told(&place));
}

#[test]
fn a_dry_run_leaves_every_byte_as_it_was_and_says_what_it_would_tell() {
    let place = watched("");
    place.write_jobs(&[place.job("job", "@daily", "")]);
    place.ok(&["list"]);
    let before = files(&place.home());
    let ran = place.run(&["watchdog", "--dry-run"]);
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.out.contains("would open alert daemon") && ran.out.contains("STOPPED"), "{ran:?}");
    assert_eq!(files(&place.home()), before);
    assert!(told(&place).is_empty());
    // And no more alerts than were asked for.
    let ran = place.run(&["watchdog", "--max-issues", "0"]);
    assert!(ran.err.contains("more problems opened no alert"), "{ran:?}");
    assert!(told(&place).is_empty(), "{:?}", told(&place));
}

#[test]
fn one_that_watches_goes_on_until_it_is_told_and_its_silence_is_degraded() {
    let place = watched("");
    place.write_jobs(&[place.job("job", "@daily", "")]);
    let mut run = place.daemon();
    place.until_verdict("live", 0);
    let mut watch = place.start(&["watchdog", "--watch", "--interval", "1s"]);
    let cycle = || {
        let text = fs::read_to_string(place.home().join("heartbeats/watchdog.json")).unwrap_or_default();
        serde_json::from_str::<Value>(&text).map_or(0, |beat| beat["cycle"].as_u64().unwrap_or(0))
    };
    eventually("it comes again", || if cycle() >= 3 { Ok(()) } else { Err(format!("{}", cycle())) });
    watch.signal(Signal::TERM);
    let status = within(Duration::from_secs(5), "it ends", || {
        if watch.is_running() { Err("it runs".into()) } else { Ok(watch.wait()) }
    });
    assert_eq!(status.code(), Some(0), "{}", watch.log());
    let status = place.until_verdict("degraded", 3);
    assert!(status["summary"].to_string().contains("the watchdog has been silent for"), "{status:#}");
    let check = place.run(&["heartbeat", "check", "watchdog", "--json"]);
    assert_eq!(check.code, Some(3), "{check:?}");
    assert!(check.out.contains("\"stale\""), "{check:?}");
    place.ok(&["watchdog", "--retire"]);
    place.until_verdict("live", 0);
    run.stop();
}

#[test]
fn a_home_that_never_answers_is_told_within_a_minute() {
    let place = watched("");
    place.write_jobs(&[place.job("job", "@yearly", "")]);
    place.ok(&["tick"]);
    fs::create_dir(place.home().join("alerts")).expect("a folder");
    // Of the folder of the alerts alone: who is to be told can be read.
    let Some(dead) = DeadMount::over(&place.home().join("alerts")) else { return };
    let (code, rows, ran) = look(&place, &[]);
    assert_eq!(code, Some(5), "{ran:?}");
    is(&rows, "daemon", "unknown", "can't know: the home has not answered for 30 s");
    assert_eq!(count(&place, "opened", "daemon"), 1, "{:?}\n{ran:?}", told(&place));
    assert!(place.home().join("heartbeats/watchdog.json").exists(), "it came, all the same: {ran:?}");
    drop(dead);
    // Of all of it: nothing can be known, and that is said.
    let Some(_dead) = DeadMount::over(&place.home()) else { return };
    let status = place.start(&["status"]);
    let (code, rows, ran) = look(&place, &[]);
    assert_eq!(code, Some(5), "{ran:?}");
    is(&rows, "daemon", "unknown", "can't know: the home has not answered for 30 s");
    status.ran().says(5, &["it has not answered for 30 s", "hint: see whether its disk is there"]);
    assert!(ran.out.contains("config.yaml, which says who is to be told, has not answered"), "{ran:?}");
}

#[test]
fn one_that_watches_looks_at_once_when_its_terminal_closes_and_goes_on() {
    let place = watched("");
    place.write_jobs(&[place.job("job", "@daily", "")]);
    let mut watch = place.start(&["watchdog", "--watch", "--interval", "1h"]);
    let beat = || fs::read(place.home().join("heartbeats/watchdog.json")).unwrap_or_default();
    eventually("it came", || if beat().is_empty() { Err(watch.log()) } else { Ok(()) });
    for _ in 0..2 {
        let before = beat();
        watch.signal(Signal::HUP);
        eventually("it looks again", || if beat() == before { Err(watch.log()) } else { Ok(()) });
    }
    watch.signal(Signal::TERM);
    assert_eq!(watch.wait().code(), Some(0), "{}", watch.log());
}
