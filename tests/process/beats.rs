//! Heartbeats of jobs, by the built program: written whatever happens, and missed when they don't come.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, SystemTime},
};

use jiff::Timestamp;
use rustix::process::Signal;
use scheduler_core::{
    Home, JobStore as _,
    liveness::beats::{self, Beat, BeatName},
    store::{Edit, JsonStore, JsonStoreOptions},
    testing::ManualClock,
    vfs::RealFs,
};
use serde_json::Value;

use super::{
    bench::{Place, Ran, eventually, processes_with, signal},
    disk::{Mounted, fill},
};

fn folder(place: &Place) -> PathBuf {
    place.home().join("heartbeats/jobs")
}

/// Writes a heartbeat, which must not fail, and say nothing on stdout.
#[track_caller]
fn beat(place: &Place, line: &[&str]) -> Ran {
    let ran = place.run(&[&["heartbeat", "write"], line].concat());
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""), "{line:?}: {ran:?}");
    ran
}

/// A heartbeat that came so long ago.
fn old(place: &Place, name: &str, ago: Duration) {
    let mut written = Beat::new(now() - ago, Duration::from_mins(15));
    written.cycle = Some(7);
    beats::write(&RealFs, &folder(place), &BeatName::new(name), &written).expect("written");
}

#[expect(clippy::disallowed_methods, reason = "the program under test goes by the same clock")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// Exit code and answer of `heartbeat check --json`, and the verdict of each.
#[track_caller]
fn check(place: &Place, names: &[&str]) -> (Option<i32>, Vec<(String, String)>, Ran) {
    let ran = place.run(&[&["--json", "heartbeat", "check"], names].concat());
    let answer: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    let word = |one: &Value, key: &str| one[key].as_str().map(str::to_owned).unwrap_or_default();
    let all = answer["heartbeats"].as_array().expect("a list");
    let verdicts = all.iter().map(|one| (word(one, "name"), word(one, "verdict"))).collect();
    (ran.code, verdicts, ran)
}

#[track_caller]
fn verdict_is(place: &Place, name: &str, verdict: &str) {
    let (code, verdicts, ran) = check(place, &[name]);
    assert_eq!(verdicts, [(name.to_owned(), verdict.to_owned())], "{ran:?}");
    let well = ["fresh", "waiting", "paused"].contains(&verdict);
    assert_eq!(code, Some(if well { 0 } else { 3 }), "{ran:?}");
}

fn alert(place: &Place, name: &str) -> PathBuf {
    place.home().join(format!("alerts/heartbeat-{name}.alert"))
}

#[test]
fn a_heartbeat_needs_no_home_and_any_name_will_do() {
    let place = Place::empty();
    fs::remove_dir(place.home()).expect("no home");
    let long = "x".repeat(10_000);
    let names = ["agent", "../../etc/passwd", "/etc/passwd", "", ".", "..", "a\nb", "it's", "%2e", "-x", &long];
    for name in names {
        assert_eq!(beat(&place, &["--interval", "15m", "--", name]).err, "", "{name}");
    }
    assert_eq!(fs::read_dir(folder(&place)).expect("a folder").count(), names.len());
    assert!(!place.path("etc").exists());
    let (code, verdicts, ran) = check(&place, &[]);
    assert_eq!((code, verdicts.len()), (Some(0), names.len()), "{ran:?}");
    for name in names {
        let (code, verdicts, ran) = check(&place, &["--", name]);
        assert_eq!((code, verdicts.len()), (Some(0), 1), "{name}: {ran:?}");
    }
    // It is the store's home all the same when it is made.
    place.ok(&["init"]);
    place.ok(&["add", "@daily", "--name", "job", "--", "true"]);
}

#[test]
fn of_a_home_that_is_not_there_nothing_good_is_said() {
    let place = Place::empty();
    place.write("config.yaml", "heartbeats: [{name: agent, every: 1s}]\n");
    fs::rename(place.home(), place.path("away")).expect("the disk is gone");
    for line in [&["heartbeat", "check"][..], &["heartbeat", "check", "agent"], &["watchdog"]] {
        place.fails(line, 1, &["there is no home at", "hint: "]);
    }
    assert!(!place.home().exists());
    // Whoever named a folder needs no home for what is in it.
    let shared = place.path("shared");
    let of_shared = |line: &[&str]| {
        let mut command = place.command(line);
        place.start_command(command.env("SCHED_HEARTBEAT_DIR", &shared)).ran()
    };
    of_shared(&["heartbeat", "check"]).says(1, &["there is no home at"]);
    of_shared(&["heartbeat", "write", "agent", "--interval", "15m"]).says(0, &[]);
    let ran = of_shared(&["heartbeat", "check"]);
    assert_eq!((ran.code, ran.out.contains("fresh")), (Some(0), true), "{ran:?}");
}

#[test]
fn what_makes_no_sense_is_said_and_breaks_no_job() {
    let place = Place::empty();
    for (line, says) in [
        (&["agent"][..], "--interval"),
        (&["agent", "--interval", "15"], "15m"),
        (&["agent", "--interval", "0s"], "zero"),
        (&["--interval", "15m"], "NAME"),
        (&["agent", "--interval", "15m", "--no-such-option"], "--no-such-option"),
        (&["agent", "--interval", "15m", "--status", "great"], "ok, error"),
        (&["agent", "--interval", "15m", "--set", "x"], "NAME=value"),
        (&["agent", "--interval", "15m", "--cycle", "many"], "many"),
    ] {
        let ran = beat(&place, line);
        assert!(ran.err.contains(says), "{line:?}: {ran:?}");
    }
    assert!(!folder(&place).exists());
    // The same mistakes elsewhere are what they always are.
    place.fails(&["heartbeat", "check", "--factor", "0"], 2, &["at least 1"]);
    place.fails(&["--home", "heartbeat", "write", "x"], 2, &["unrecognized subcommand"]);
    place.fails(&["heartbeat"], 2, &["write"]);
}

#[test]
fn a_home_that_cannot_be_written_breaks_no_job() {
    let place = Place::empty();
    place.write("heartbeats", "a file where a folder should be");
    let ran = beat(&place, &["agent", "--interval", "15m"]);
    ran.says(0, &["heartbeat `agent` was not written: cannot make", "it is a file, not a folder"]);
    fs::remove_dir_all(place.home()).expect("no home");
    fs::write(place.home(), "nor a home").expect("a file");
    beat(&place, &["agent", "--interval", "15m"]).says(0, &["heartbeat `agent` was not written"]);
    // Nor does it matter who listens, or that config.yaml is none.
    fs::remove_file(place.home()).expect("no file");
    fs::create_dir(place.home()).expect("a home");
    place.write("config.yaml", "[");
    let mut shell = place.start_script("sched heartbeat write a --interval 1m --json >/dev/full 2>&1");
    assert_eq!(shell.wait().code(), Some(0), "{}", shell.log());
    let mut shell = place.start_script("sched heartbeat write b --interval 1m >&- 2>&-");
    assert_eq!(shell.wait().code(), Some(0), "{}", shell.log());
    assert_eq!(fs::read_dir(folder(&place)).expect("a folder").count(), 2);
    // A limit on the size of files is an error, no end: neither in the heartbeat's nor in that of its stderr.
    for line in ["c --interval 1m", "c --interval 1", "c --interval 1m --json"] {
        let mut shell = place.start_script(&format!("ulimit -f 0; sched heartbeat write {line}"));
        assert_eq!(shell.wait().code(), Some(0), "{line}");
    }
    assert_eq!(fs::read_dir(folder(&place)).expect("a folder").count(), 2);
}

#[test]
fn a_full_disk_and_a_read_only_one_break_no_job() {
    let place = Place::empty();
    let Some(disk) = Mounted::new(&place, &["-t", "tmpfs", "-o", "size=256k", "tmpfs"]) else { return };
    beat(&place, &["agent", "--interval", "15m", "--cycle", "1"]);
    fill(&place);
    beat(&place, &["agent", "--interval", "15m", "--cycle", "2"]).says(0, &["no space left on device", "hint: "]);
    let left = beats::read(&RealFs, &folder(&place).join("agent.last")).expect("the one before is whole");
    assert_eq!(left.cycle, Some(1));
    assert_eq!(fs::read_dir(folder(&place)).expect("a folder").count(), 1, "nothing half written is left");
    verdict_is(&place, "agent", "fresh");
    let home = place.home().display().to_string();
    let read_only = Command::new("mount").args(["-o", "remount,ro", &home]).status().expect("mount runs");
    assert!(read_only.success());
    beat(&place, &["agent", "--interval", "15m"]).says(0, &["read-only file system"]);
    // Looking needs no right to write, but the alert can't be kept.
    place.run(&["heartbeat", "check", "agent", "--factor", "1"]).says(0, &[]);
    drop(disk);
}

#[test]
fn a_stale_one_is_a_line_an_alert_and_a_problem_until_it_comes_again() {
    let place = Place::beating();
    place.write_jobs(&[place.job("job", "* * * * * *", "")]);
    let mut daemon = place.daemon();
    place.until_verdict("live", 0);
    old(&place, "agent", Duration::from_mins(29));
    verdict_is(&place, "agent", "fresh");
    assert!(!alert(&place, "agent").exists());
    old(&place, "agent", Duration::from_mins(31));
    place.run(&["heartbeat", "check", "agent"]).says(3, &["error: P1 heartbeat `agent` is stale", "it may be 30m old"]);
    verdict_is(&place, "agent", "stale");
    assert!(fs::read_to_string(alert(&place, "agent")).expect("an alert").contains("is stale"));
    place.run(&["heartbeat", "check", "agent", "--factor", "3"]).says(0, &[]);
    assert!(!alert(&place, "agent").exists(), "by that it is well");
    place.run(&["heartbeat", "check"]).says(3, &["P1 heartbeat `agent` is stale"]);
    let status = place.until_verdict("degraded", 3);
    let problem = &status["problems"][0];
    assert_eq!(problem["key"], "heartbeat-agent", "{status:#}");
    assert!(problem["hint"].as_str().is_some_and(|hint| hint.contains("sched heartbeat forget agent")), "{status:#}");
    beat(&place, &["agent", "--interval", "15m"]);
    place.ok(&["heartbeat", "check"]);
    assert!(!alert(&place, "agent").exists());
    place.until_verdict("live", 0);
    daemon.stop();
}

#[test]
fn one_that_is_expected_is_missed_and_one_that_is_forgotten_is_not() {
    let place = Place::empty();
    place.ok(&["heartbeat", "expect", "agent", "--every", "15m"]);
    verdict_is(&place, "agent", "waiting");
    let kept = place.home().join("state/heartbeats/agent.json");
    let text = fs::read_to_string(&kept).expect("what is expected");
    let since = text.split("\"since\":\"").nth(1).and_then(|rest| rest.split('"').next()).expect("since when");
    fs::write(&kept, text.replace(since, "2026-01-01T00:00:00Z")).expect("as if said long ago");
    verdict_is(&place, "agent", "missing");
    assert!(alert(&place, "agent").exists());
    place.ok(&["heartbeat", "expect", "agent", "--every", "20m"]);
    verdict_is(&place, "agent", "missing");
    let (_, status) = place.status();
    assert!(format!("{status}").contains("heartbeat `agent` is missing"), "{status:#}");
    // It goes where the rest of the home goes.
    let copy = place.path("copy").display().to_string();
    place.ok(&["backup", &copy]);
    assert!(Path::new(&copy).join("state/heartbeats/agent.json").exists());

    place.ok(&["heartbeat", "forget", "agent"]);
    assert!(!alert(&place, "agent").exists() && !kept.exists());
    place.ok(&["heartbeat", "check"]);
    place.fails(&["heartbeat", "forget", "agent"], 1, &["there is no heartbeat `agent`", "hint: "]);

    place.write("config.yaml", "heartbeats: [{name: agent, every: 1h}, {name: b c, every: 1s, max_age: 2h}]\n");
    verdict_is(&place, "agent", "waiting");
    place.fails(&["heartbeat", "forget", "agent"], 1, &["expected by config.yaml", "take its entry out"]);
    place.fails(&["heartbeat", "expect", "b c", "--every", "1h"], 1, &["expected by config.yaml"]);
    old(&place, "agent", Duration::from_mins(31));
    verdict_is(&place, "agent", "fresh");
    old(&place, "b c", Duration::from_mins(121));
    verdict_is(&place, "b c", "stale");
}

/// Sets when a file was last changed.
fn touched(path: &Path, ago: Duration) {
    let file = fs::File::options().append(true).open(path).expect("a file");
    file.set_modified(SystemTime::from(now()) - ago).expect("a time");
}

#[test]
fn a_typo_and_a_touch_of_config_yaml_close_no_alert() {
    const AGENT: &str = "heartbeats: [{name: agent, every: 1m}]\n";
    let config = |place: &Place, text: &str, ago: Duration| {
        place.write("config.yaml", text);
        touched(&place.home().join("config.yaml"), ago);
    };
    let (long, now) = (Duration::from_hours(1), Duration::ZERO);
    for command in [&["heartbeat", "check"][..], &["watchdog"]] {
        let place = Place::empty();
        config(&place, AGENT, long);
        let ran = place.run(command);
        assert!(alert(&place, "agent").exists() && ran.code != Some(0), "{ran:?}");
        // It is expected since it was first seen, whenever its file was changed since.
        config(&place, AGENT, now);
        verdict_is(&place, "agent", "missing");
        for (text, says) in [
            ("heartbeats: [{name: agent, every: 1m}, {name: b, every: 1x}]\n", "`1x` is not a duration"),
            ("heartbeats: [{name: agent, every: 1x}]\n", "`1x` is not a duration"),
            ("heartbeats: [{", "config.yaml: line 2"),
        ] {
            config(&place, text, now);
            let ran = place.run(command);
            assert!(alert(&place, "agent").exists() && ran.code != Some(0), "{text}: {ran:?}");
            let ran = place.run(&["heartbeat", "check"]);
            assert!(!ran.out.contains("none is expected"), "{text}: {ran:?}");
            ran.says(3, &["error: P1 not all that config.yaml asks for holds: ", says]);
            assert!(place.home().join("alerts/heartbeats-config.alert").exists(), "{text}");
        }
        config(&place, AGENT, now);
        verdict_is(&place, "agent", "missing");
        place.run(command);
        assert!(alert(&place, "agent").exists());
        beat(&place, &["agent", "--interval", "15m"]);
        place.run(command);
        place.ok(&["heartbeat", "check"]);
        assert!(!alert(&place, "agent").exists());
        assert!(!place.home().join("alerts/heartbeats-config.alert").exists());
    }
}

#[test]
fn one_bad_file_is_a_problem_and_hides_no_other() {
    let place = Place::empty();
    beat(&place, &["good", "--interval", "15m"]);
    fs::write(folder(&place).join("broken.last"), "{\"format\":1").expect("written");
    fs::create_dir(folder(&place).join("dir.last")).expect("a folder");
    symlink("/nonexistent", folder(&place).join("gone.last")).expect("a link");
    let pipe = Command::new("mkfifo").arg(folder(&place).join("pipe.last")).status().expect("mkfifo runs");
    assert!(pipe.success());
    beats::write(
        &RealFs,
        &folder(&place),
        &BeatName::new("soon"),
        &Beat::new(now() + Duration::from_hours(1), Duration::from_mins(15)),
    )
    .expect("written");
    beat(&place, &["sick", "--interval", "15m", "--status", "error", "--action", "no route"]);
    let (code, verdicts, ran) = check(&place, &[]);
    let expected = [
        ("broken", "corrupt"),
        ("dir", "unreadable"),
        ("gone", "missing"),
        ("good", "fresh"),
        ("pipe", "unreadable"),
        ("sick", "error"),
        ("soon", "future"),
    ];
    assert_eq!((code, verdicts), (Some(3), expected.map(|(name, word)| (name.into(), word.into())).into()), "{ran:?}");
    assert_eq!(ran.err.lines().filter(|line| line.starts_with("error: P1 heartbeat ")).count(), 6, "{}", ran.err);
    assert_eq!(ran.err.matches("; take away what is in its place").count(), 2, "a folder and a pipe: {}", ran.err);
    assert!(alert(&place, "broken").exists() && !alert(&place, "good").exists());
    // The next beat mends it.
    beat(&place, &["broken", "--interval", "15m"]);
    place.run(&["heartbeat", "check"]).says(3, &[]);
    assert!(!alert(&place, "broken").exists());
    let (_, status) = place.status();
    assert_eq!(format!("{status:#}").matches("\"key\": \"heartbeat-").count(), 5, "{status:#}");
}

#[test]
fn jobs_that_sched_runs_need_no_file() {
    let place = Place::empty();
    place.write_jobs(&[
        place.job("good", "@manually", ""),
        place.job("bad", "@manually", "exit 3"),
        place.job("new", "@daily", ""),
    ]);
    place.ok(&["fire", "good", "--wait"]);
    assert_eq!(place.run(&["fire", "bad", "--wait"]).code, Some(1));
    verdict_is(&place, "good", "fresh");
    verdict_is(&place, "bad", "error");
    verdict_is(&place, "new", "waiting");
    // One that was added long ago and that nobody fires: its schedule tells.
    let place = Place::empty();
    let clock = Arc::new(ManualClock::at("2026-01-01T00:00:00Z"));
    let store = JsonStore::open(&JsonStoreOptions::new(Home::new(place.home()), clock)).expect("a store of that time");
    let added = async {
        store.define(Edit::Add(vec![place.job("late", "* * * * *", "")])).await?;
        store.close().await
    };
    tokio::runtime::Runtime::new().expect("a runtime").block_on(added).expect("a job of that time");
    verdict_is(&place, "late", "overdue");
}

#[test]
fn jobs_of_other_users_have_a_folder_of_their_own() {
    let place = Place::empty();
    let shared = place.path("shared");
    place.write("config.yaml", format!("heartbeats_dir: {}\n", shared.display()));
    beat(&place, &["agent", "--interval", "15m"]);
    assert!(shared.join("agent.last").exists() && !folder(&place).exists());
    let mode = fs::metadata(shared.join("agent.last")).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o644, "whoever checks it is another user");
    verdict_is(&place, "agent", "fresh");
    let other = place.path("other");
    let mut command = place.command(&["heartbeat", "write", "b", "--interval", "15m"]);
    let ran = place.start_command(command.env("SCHED_HEARTBEAT_DIR", &other)).ran();
    assert_eq!((ran.code, other.join("b.last").exists()), (Some(0), true), "{ran:?}");
}

#[test]
fn whoever_dies_in_the_middle_or_writes_at_once_leaves_a_whole_beat() {
    let place = Place::empty();
    beat(&place, &["agent", "--interval", "15m"]);
    let script = "while :; do sched heartbeat write agent --interval 15m --action \"$(printf %3000s)\"; done";
    let path = folder(&place).join("agent.last");
    for _ in 0..10 {
        let mut writers = [place.start_script(script), place.start_script(script)];
        let before = fs::metadata(&path).and_then(|file| file.modified()).expect("a time");
        eventually("a new beat", || {
            let read = beats::read(&RealFs, &path);
            assert!(read.is_ok(), "{read:?}");
            let now = fs::metadata(&path).and_then(|file| file.modified()).map_err(|error| error.to_string())?;
            if now > before { Ok(()) } else { Err("the old one".into()) }
        });
        let home = place.home();
        let mark = format!("SCHED_TEST_PLACE={}", home.parent().expect("the folder of the test").display());
        for pid in processes_with(&mark) {
            signal(pid, Signal::KILL);
        }
        for writer in &mut writers {
            writer.wait();
        }
        assert!(beats::read(&RealFs, &path).is_ok());
    }
    verdict_is(&place, "agent", "fresh");
}

#[test]
fn the_shells_function_writes_what_the_program_writes() {
    let place = Place::empty();
    let snippet = place.ok(&["heartbeat", "snippet"]);
    fs::write(place.path("snippet.sh"), snippet).expect("written");
    let names = ["agent", "../../x", "a\nb", "", ".", "fünf\"\\", "%", "~", "it's $HOME `x`", "-n", "*", "\u{1}\u{7f}"];
    for shell in ["dash", "bash"] {
        for name in names {
            let run = |line: &str, seconds: &str| {
                let mut command = Command::new(shell);
                let script = format!(". ./snippet.sh; {line}; echo \"then $?\"");
                // As strict as scripts are, and with what breaks careless ones.
                command.args(["-euC", "-c", &script, "job", name, seconds]).current_dir(place.path("."));
                command
                    .env_clear()
                    .env("SCHED_HOME", place.path(shell))
                    .env("PATH", "/usr/bin:/bin")
                    .env("LANG", "C.UTF-8");
                place.start_command(&mut command).ran()
            };
            let ran =
                run("IFS=0; umask 777; sched_heartbeat \"$1\" \"$2\"; sched_heartbeat \"$1\" \"$2\" error", "0900");
            assert_eq!((ran.out.as_str(), ran.err.as_str(), ran.code), ("then 0\n", "", Some(0)), "{shell} {name:?}");
            beat(&place, &["--interval", "15m", "--status", "error", "--", name]);
            let file = format!("{}.last", BeatName::new(name).stem());
            let path = place.path(shell).join("heartbeats/jobs").join(&file);
            let theirs = beats::read(&RealFs, &path).unwrap_or_else(|why| panic!("{shell} {name:?}: {why}"));
            let ours = beats::read(&RealFs, &folder(&place).join(&file)).expect("ours");
            let mut same = theirs.clone();
            same.at = ours.at;
            assert_eq!(same, ours, "{shell} {name:?}");
            assert!(theirs.at <= ours.at && now().duration_since(theirs.at).as_secs() < 60);
            assert_eq!(theirs.encode(), fs::read(&path).expect("a file"), "byte for byte");
            assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o644);
            let wrong = run("sched_heartbeat \"$1\"; sched_heartbeat \"$1\" 15m; sched_heartbeat \"$1\" 1 great", "");
            assert_eq!((wrong.out.as_str(), wrong.err.lines().count()), ("then 0\n", 3), "{wrong:?}");
        }
        // A number that is none leaves the beat before, and a folder in its place takes nothing.
        let good = place.path(shell).join("heartbeats/jobs/agent.last");
        let before = fs::read(&good).expect("a beat");
        let folder = place.path(shell).join("heartbeats/jobs/folder.last");
        fs::create_dir(&folder).expect("a folder");
        let mut command = Command::new(shell);
        let script =
            ". ./snippet.sh; sched_heartbeat agent 99999999999999999999; sched_heartbeat folder 60; echo then $?";
        command.args(["-euc", script]).current_dir(place.path(".")).env_clear().env("PATH", "/usr/bin:/bin");
        let ran = place.start_command(command.env("SCHED_HOME", place.path(shell))).ran();
        assert_eq!((ran.out.as_str(), ran.err.lines().count()), ("then 0\n", 2), "{ran:?}");
        assert!(ran.err.contains("how many seconds?") && ran.err.contains("folder.last: it is a folder"), "{ran:?}");
        assert_eq!(fs::read(&good).expect("a beat"), before);
        fs::remove_dir(&folder).expect("it is empty");
        // Nobody has said where they are.
        let mut command = Command::new(shell);
        command.args(["-euc", ". ./snippet.sh; sched_heartbeat a 60; echo then $?"]).current_dir(place.path("."));
        let ran = place.start_command(command.env_clear().env("PATH", "/usr/bin:/bin")).ran();
        assert_eq!((ran.out.as_str(), ran.err.contains("HOME is not set")), ("then 0\n", true), "{ran:?}");
        let written = fs::read_dir(place.path(shell).join("heartbeats/jobs")).expect("a folder").count();
        assert_eq!(written, names.len(), "and nothing half written");
        let mut checked = place.command(&["heartbeat", "check", "--json"]);
        let ran = place.start_command(checked.env("SCHED_HOME", place.path(shell))).ran();
        assert_eq!(ran.out.matches("\"verdict\": \"error\"").count(), names.len(), "{ran:?}");
        // Where nothing can be written, the job goes on.
        let mut command = Command::new(shell);
        command.args(["-euc", ". ./snippet.sh; sched_heartbeat a 60; echo then $?"]).current_dir(place.path("."));
        command.env_clear().env("SCHED_HEARTBEAT_DIR", "/proc/nowhere").env("PATH", "/usr/bin:/bin");
        let ran = place.start_command(&mut command).ran();
        assert_eq!((ran.out.as_str(), ran.code), ("then 0\n", Some(0)), "{ran:?}");
        assert!(ran.err.contains("sched_heartbeat: cannot write /proc/nowhere/a.last"), "{ran:?}");
    }
}
