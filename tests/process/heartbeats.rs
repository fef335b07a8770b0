//! What `status` makes of daemons and ticks that hang, and of heartbeats that lie.

use std::{fs, path::PathBuf, thread, time::Duration};

use rustix::process::Signal;
use scheduler_core::liveness::Heartbeat;
use serde_json::Value;

use super::bench::{Daemon, Place, eventually};

#[test]
fn ticks_from_a_shell_loop_are_a_live_scheduler_and_stalled_once_the_loop_is_gone() {
    let place = Place::beating();
    place.write_jobs(&[place.job("job", "* * * * * *", "")]);
    let go = place.path("go");
    fs::write(&go, "").expect("a file");
    let mut shell = place.start_script(&format!("while [ -e {} ]; do sched tick; sleep 0.3; done", go.display()));
    place.until_started("job", 3);
    let status = place.until_verdict("live", 0);
    assert!(status["summary"].as_str().is_some_and(|text| text.contains("`sched tick` comes regularly")), "{status:#}");
    for _ in 0..30 {
        let (code, status) = place.status();
        assert_eq!(code, 0, "also while a tick has only begun: {status:#}");
    }
    fs::remove_file(&go).expect("the loop ends");
    shell.wait();
    // As it will be after half an hour, without the wait: the beat is moved into the past.
    rewrite(&place.home().join("heartbeats/tick.json"), |beat| {
        let by = Duration::from_mins(30);
        beat.monotonic_ns = beat.monotonic_ns.saturating_sub(by.as_nanos() as u64);
        beat.boottime_ns = beat.boottime_ns.saturating_sub(by.as_nanos() as u64);
        beat.at -= by;
        beat.previous_at = beat.previous_at.map(|at| at - by);
        beat.previous_boottime_ns = beat.previous_boottime_ns.map(|at| at.saturating_sub(by.as_nanos() as u64));
    });
    let (code, status) = place.status();
    assert_eq!((code, &status["verdict"]), (4, &Value::from("stalled")), "{status:#}");
    let problem = &status["problems"][0];
    assert!(problem["what"].as_str().is_some_and(|what| what.contains("the last `sched tick` came 30m")), "{problem}");
    assert!(problem["hint"].as_str().is_some_and(|hint| hint.contains("cron still calls `sched tick`")), "{problem}");
}

#[test]
fn a_frozen_daemon_is_stalled_at_once_and_live_again_when_it_goes_on() {
    let place = Place::beating();
    place.write_jobs(&[place.job("job", "* * * * * *", "")]);
    let daemon = place.daemon();
    place.until_verdict("live", 0);
    daemon.signal(Signal::STOP);
    let status = place.until_verdict("stalled", 4);
    let hint = format!("kill -CONT {}", daemon.pid());
    assert!(status["problems"][0]["hint"].as_str().is_some_and(|text| text.contains(&hint)), "{status:#}");
    daemon.signal(Signal::CONT);
    place.until_verdict("live", 0);
    place.until_started("job", place.effects("job").len() + 1);
}

/// Spoils the beat in a file.
type Spoil = fn(&PathBuf);

/// Each way to spoil a beat, and what `status` then says of a daemon that runs, one that was stopped and one that was killed.
const SPOILED: [(&str, Spoil, [&str; 3]); 7] = [
    ("missing", |file| fs::remove_file(file).expect("it was there"), ["starting", "stopped", "stopped"]),
    ("empty", |file| fs::write(file, "").expect("written"), ["starting", "unknown", "unknown"]),
    ("garbage", |file| fs::write(file, [0xff; 4096]).expect("written"), ["unknown", "unknown", "unknown"]),
    ("half a beat", |file| half(file), ["unknown", "unknown", "unknown"]),
    (
        "of another boot",
        |file| rewrite(file, |beat| beat.boot_id = "another".into()),
        ["starting", "stopped", "crashed"],
    ),
    (
        "of another machine",
        |file| rewrite(file, |beat| beat.machine_id = Some("another".into())),
        ["unknown", "stopped", "unknown"],
    ),
    ("dated 2099", |file| rewrite(file, in_2099), ["unknown", "stopped", "unknown"]),
];

fn half(file: &PathBuf) {
    let bytes = fs::read(file).expect("a beat");
    fs::write(file, &bytes[..bytes.len() / 8]).expect("written");
}

pub(super) fn in_2099(beat: &mut Heartbeat) {
    beat.at = "2099-01-01T00:00:00Z".parse().expect("an instant");
    beat.boottime_ns *= 1000;
    beat.monotonic_ns *= 1000;
    beat.progress_monotonic_ns *= 1000;
}

#[test]
fn no_spoiled_heartbeat_is_ever_healthy() {
    // It fires nothing and turns once a minute, so that it doesn't write over what is spoiled before anybody looks.
    let place = Place::empty();
    place.write_jobs(&[place.job("yearly", "@yearly", "")]);
    let file = place.home().join("heartbeats/ticker.json");
    for state in 0..3 {
        let mut daemon = place.daemon();
        let good = settled(&place, &file);
        let good = match state {
            0 => good,
            1 => {
                daemon.stop();
                fs::read(&file).expect("a last beat")
            }
            _ => {
                daemon.kill();
                good
            }
        };
        for (how, spoil, expected) in &SPOILED {
            check(&place, &file, &good, *spoil, (how, state, expected[state]));
        }
        if state == 0 {
            mends_it(&place, &mut daemon);
        }
    }
}

/// A look counts only if what was spoiled still was so after it.
fn check(place: &Place, file: &PathBuf, good: &[u8], spoil: Spoil, what: (&str, usize, &str)) {
    let (how, state, expected) = what;
    let status = eventually("a look at what is spoiled", || {
        fs::write(file, good).expect("written");
        spoil(file);
        let spoiled = fs::read(file).ok();
        let (_, status) = place.status();
        if fs::read(file).ok() == spoiled { Ok(status) } else { Err("it was mended meanwhile".into()) }
    });
    let state = ["running", "stopped", "killed"][state];
    assert_ne!(status["exit_code"], 0, "{how}, {state}: {status:#}");
    assert_eq!(status["verdict"], expected, "{how}, {state}: {status:#}");
    assert!(
        !status["problems"].as_array().is_none_or(Vec::is_empty) || expected == "starting",
        "{how}, {state}: {status:#}"
    );
}

/// The beat, once its writer has nothing new to write.
fn settled(place: &Place, file: &PathBuf) -> Vec<u8> {
    place.until_verdict("live", 0);
    // A beat follows the last turn within a second.
    let mut before = Vec::new();
    eventually("a beat that stays", || {
        let now = fs::read(file).map_err(|error| error.to_string())?;
        if now == before {
            return Ok(now);
        }
        before = now;
        thread::sleep(Duration::from_millis(1200));
        Err(String::new())
    })
}

/// Whatever stands in the file, the next beat puts it right.
fn mends_it(place: &Place, daemon: &mut Daemon) {
    for (_, spoil, _) in &SPOILED {
        let file = place.home().join("heartbeats/ticker.json");
        place.write_jobs(&[place.job("yearly", "@yearly", ""), place.job("often", "* * * * * *", "")]);
        place.until_verdict("live", 0);
        spoil(&file);
        place.until_verdict("live", 0);
    }
    assert!(daemon.is_running(), "{}", daemon.log());
    daemon.stop();
    place.until_verdict("stopped", 4);
    place.write_jobs(&[place.job("yearly", "@yearly", "")]);
}

/// The beat in `file`, changed, and sealed again as its writer would.
pub(super) fn rewrite(file: &PathBuf, change: impl FnOnce(&mut Heartbeat)) {
    let mut beat = Heartbeat::decode(&fs::read(file).expect("a beat")).expect("a whole beat");
    change(&mut beat);
    fs::write(file, beat.encode()).expect("written");
}
