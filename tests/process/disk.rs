//! Disks that are full, homes that can't be written, homes that can't be read. These tests mount, so they need root; without
//! it they say so and prove nothing.

use std::{collections::BTreeMap, fs, io, os::unix::fs::PermissionsExt as _, path::PathBuf, process::Command};

use super::bench::{Place, Ran, sched};

/// Something mounted on a home, for as long as this lives.
pub(super) struct Mounted(PathBuf);

impl Mounted {
    /// `None`, with the reason printed, where this isn't allowed.
    pub(super) fn new(place: &Place, arguments: &[&str]) -> Option<Self> {
        let home = place.home();
        let output = Command::new("mount").args(arguments).arg(&home).output();
        match output {
            Ok(output) if output.status.success() => Some(Self(home)),
            Ok(output) => skipped(&String::from_utf8_lossy(&output.stderr)),
            Err(error) => skipped(&error.to_string()),
        }
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Lazily: whoever is still in there is on the way out.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[expect(clippy::print_stdout, reason = "who runs the tests must be able to see what was not proved")]
pub(super) fn skipped<T>(why: &str) -> Option<T> {
    println!("skipped, nothing is proved: {}", why.trim());
    None
}

/// Fills the disk of the home to the last byte.
pub(super) fn fill(place: &Place) {
    let mut ballast = fs::File::create(place.home().join("ballast")).expect("a file");
    let full = io::copy(&mut io::repeat(0), &mut ballast).expect_err("it has an end");
    assert_eq!(full.kind(), io::ErrorKind::StorageFull);
}

#[test]
fn on_a_full_disk_the_daemon_stays_says_so_doubles_nothing_and_fires_on_when_there_is_space() {
    let place = Place::empty();
    let Some(_disk) = Mounted::new(&place, &["-t", "tmpfs", "-o", "size=1m", "tmpfs"]) else { return };
    place.write("config.yaml", "ticker: {interval: 1s}\n");
    place.write_jobs(&["job", "another", "third"].map(|id| place.job(id, "* * * * * *", "")));
    let mut daemon = place.daemon();
    place.until_started("job", 2);
    fill(&place);
    let status = place.until_verdict("failing", 4);
    let problem = &status["problems"][0];
    assert!(problem["what"].as_str().is_some_and(|what| what.contains("no space left on device")), "{status:#}");
    assert!(daemon.log().contains("no space left on device"), "{}", daemon.log());
    // It tries about once a second, and doesn't spin on what can't succeed.
    let cycle = |status: &serde_json::Value| status["heartbeat"]["cycle"].as_u64().expect("a number");
    let at = |status: &serde_json::Value| {
        status["heartbeat"]["at"].as_str().and_then(|at| at.parse::<jiff::Timestamp>().ok())
    };
    let later = place.until_status("four seconds of it", |now| {
        let gone = at(now).zip(at(&status)).map(|(now, then)| now.duration_since(then).as_millis());
        gone.is_some_and(|gone| gone > 4000)
    });
    assert!(cycle(&later) - cycle(&status) < 100, "{} and {} turns", cycle(&status), cycle(&later));
    let jobs = fs::read(place.home().join("jobs.json")).expect("jobs.json");
    place.fails(
        &["add", "@daily", "--", "true"],
        1,
        &["no space left on device", "nothing was changed", "hint: free some space"],
    );
    assert_eq!(fs::read(place.home().join("jobs.json")).expect("jobs.json"), jobs);
    assert_eq!(place.run(&["list"]).code, Some(0), "looking needs no space");
    assert!(daemon.is_running(), "{}", daemon.log());

    fs::remove_file(place.home().join("ballast")).expect("space again");
    let before = place.effects("job").len();
    place.until_started("job", before + 2);
    place.until_verdict("live", 0);
    place.ok(&["add", "@daily", "--", "true"]);
    daemon.stop();
    let lines = daemon.log().lines().filter(|line| line.contains("no space left")).count();
    // Each thing that can fail says so once when it begins, and what was put on record says so once when it is over.
    assert!(lines < 20, "the log must not fill the disk too: {}", daemon.log());
    for job in ["job", "another", "third"] {
        place.no_instant_twice(job);
        every_second_is_in_the_history_once(&place, job);
    }
    // What came while the disk was full is caught up on as missed, not skipped for runs whose end could not be recorded.
    let audit: serde_json::Value = serde_json::from_str(&place.ok(&["audit", "--json"])).expect("JSON");
    let outages = audit["outages"].as_array().expect("a list");
    let full = outages.iter().find(|outage| outage["cause"] == "failing").expect("the full disk is on record");
    assert!(full["detail"].as_str().is_some_and(|detail| detail.contains("no space left")), "{audit:#}");
    assert!(full["skipped"].as_u64() >= Some(9), "four seconds of three jobs, but for one each: {audit:#}");
}

/// From the first to the last instant in the history of a job that fires every second, each is there once: as a run, or in a
/// range of those that were missed.
fn every_second_is_in_the_history_once(place: &Place, job: &str) {
    let out = place.ok(&["--json", "history", job, "--last", "100000"]);
    let history: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    let entries = history["entries"].as_array().expect("a list");
    let second = |at: &serde_json::Value| {
        at.as_str().and_then(|at| at.parse::<jiff::Timestamp>().ok()).map(jiff::Timestamp::as_second)
    };
    let mut times: BTreeMap<i64, u32> = BTreeMap::new();
    for entry in entries {
        let (from, to) = match second(&entry["from"]).zip(second(&entry["to"])) {
            Some(range) => range,
            None => second(&entry["owed_at"]).map(|at| (at, at)).expect("an instant"),
        };
        (from..=to).for_each(|at| *times.entry(at).or_default() += 1);
    }
    let (Some((first, _)), Some((last, _))) = (times.first_key_value(), times.last_key_value()) else {
        panic!("`{job}` has no history");
    };
    let wrong: Vec<i64> = (*first..=*last).filter(|at| times.get(at) != Some(&1)).collect();
    assert!(wrong.is_empty(), "`{job}` has these seconds not once: {wrong:?}\n{history:#}");
}

#[test]
fn a_read_only_home_can_be_looked_at_and_every_change_says_why_not() {
    let place = Place::beating();
    place.write_jobs(&[place.job("job", "* * * * * *", "")]);
    place.ok(&["tick"]);
    let home = place.home().display().to_string();
    let Some(_bound) = Mounted::new(&place, &["--bind", &home]) else { return };
    let read_only = Command::new("mount").args(["-o", "remount,bind,ro", &home]).status().expect("mount runs");
    assert!(read_only.success());
    assert_eq!(place.status().0, 4, "nobody runs it");
    for command in [&["list"][..], &["next", "job"], &["history"]] {
        place.ok(command);
    }
    let before = place.effect_log();
    for command in [
        &["add", "@daily", "--", "true"][..],
        &["pause", "job"],
        &["fire", "job"],
        &["remove", "job"],
        &["run"],
        &["tick"],
    ] {
        place.fails(command, 1, &[&home, "read-only file system", "hint: "]);
    }
    assert_eq!(place.effect_log(), before);
}

/// A command as somebody who has no rights here.
fn as_nobody(place: &Place, line: &[&str]) -> Ran {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).arg(place.path("sched")).args(line);
    command.env_clear().env("SCHED_HOME", place.home()).env("PATH", "/usr/bin:/bin");
    place.start_command(&mut command).ran()
}

#[test]
fn a_home_that_may_not_be_read_is_unknown_and_every_command_says_why() {
    let place = Place::beating();
    place.write_jobs(&[place.job("job", "* * * * * *", "")]);
    place.ok(&["tick"]);
    // Nobody may look into the folder of the build either, but a link to the program is as good.
    let copied =
        fs::hard_link(sched(), place.path("sched")).or_else(|_| fs::copy(sched(), place.path("sched")).map(drop));
    copied.expect("the program");
    let open_to_all = fs::Permissions::from_mode(0o755);
    fs::set_permissions(place.path("."), open_to_all).expect("the folder is ours");
    fs::set_permissions(place.home(), fs::Permissions::from_mode(0o000)).expect("the home is ours");
    let status = as_nobody(&place, &["--json", "status"]);
    if status.err.contains("setpriv") {
        return skipped(&status.err).unwrap_or_default();
    }
    assert_eq!(status.code, Some(5), "{status:?}");
    assert!(status.out.contains("it can't be known whether a daemon runs: cannot look into"), "{status:?}");
    // One cause is one problem.
    let answer: serde_json::Value = serde_json::from_str(&status.out).expect("JSON");
    let problems = answer["problems"].as_array().expect("problems");
    assert_eq!((problems.len(), &problems[0]["hint"]), (1, &"ask as the user that owns the home, or as root".into()));
    for command in [&["list"][..], &["add", "@daily", "--", "true"], &["pause", "job"], &["run"], &["tick"]] {
        as_nobody(&place, command).says(1, &[&place.home().display().to_string(), "permission denied", "hint: "]);
    }
    fs::set_permissions(place.home(), fs::Permissions::from_mode(0o755)).expect("the home is ours");
    place.ok(&["list"]);
}
