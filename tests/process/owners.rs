//! A home that belongs to one user and is worked on by another. These tests change owners, so they need root; without it they
//! say so and prove nothing.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::json;

use super::bench::{Daemon, Place, sched};

const OWNER: u32 = 65534;
const COLLEAGUE: u32 = 65533;

/// A command as `user` of the owner's group.
fn start_as(user: u32, place: &Place, line: &[&str]) -> Daemon {
    let mut command = Command::new("setpriv");
    let (user, group) = (user.to_string(), OWNER.to_string());
    command.args(["--reuid", &user, "--regid", &group, "--clear-groups"]).arg(place.path("sched")).args(line);
    command.env_clear().env("SCHED_HOME", place.home()).env("PATH", "/usr/bin:/bin").current_dir(place.path("."));
    place.start_command(&mut command)
}

/// A home of the owner's, with a job, into which its group may write. `None`, with the reason printed, without root.
#[expect(clippy::print_stdout, reason = "who runs the tests must be able to see what was not proved")]
fn owned() -> Option<Place> {
    let place = Place::beating();
    // Nobody else may look into the folder of the build, but a link to the program is as good.
    let link = fs::hard_link(sched(), place.path("sched"));
    link.or_else(|_| fs::copy(sched(), place.path("sched")).map(drop)).expect("the program");
    place.write("jobs.json", super::bench::jobs_json(&[place.job("job", "* * * * * *", "")]));
    fs::set_permissions(place.path("."), fs::Permissions::from_mode(0o777)).expect("the folder is ours");
    if let Err(why) = give(&place.home(), 0o770) {
        println!("skipped, nothing is proved: {why}");
        return None;
    }
    let made = start_as(OWNER, &place, &["tick"]).ran();
    if made.err.contains("setpriv") {
        println!("skipped, nothing is proved: {}", made.err);
        return None;
    }
    assert_eq!(made.code, Some(0), "{made:?}");
    Some(place)
}

/// Gives a folder and all that is in it to the owner.
fn give(folder: &Path, mode: u32) -> std::io::Result<()> {
    chown(folder, Some(OWNER), Some(OWNER))?;
    fs::set_permissions(folder, fs::Permissions::from_mode(mode))?;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            give(&path, mode)?;
        } else {
            chown(&path, Some(OWNER), Some(OWNER))?;
            fs::set_permissions(&path, fs::Permissions::from_mode(mode & 0o666))?;
        }
    }
    Ok(())
}

#[test]
fn what_root_changes_stays_its_owners_and_locks_no_daemon_out() {
    let Some(place) = owned() else { return };
    let jobs = place.home().join("jobs.json");
    fs::set_permissions(&jobs, fs::Permissions::from_mode(0o640)).expect("root may");
    let mut daemon = start_as(OWNER, &place, &["run"]);
    place.until_started("job", 1);
    place.ok(&["edit", "job", "--description", "by root"]);
    place.ok(&[
        "add",
        "* * * * * *",
        "--name",
        "another",
        "--shell",
        &format!("echo another $SCHED_SCHEDULED_AT >> {}", place.path("effects").display()),
    ]);
    let stat = fs::metadata(&jobs).expect("jobs.json");
    assert_eq!((stat.uid(), stat.gid(), stat.mode() & 0o777), (OWNER, OWNER, 0o640));
    place.until_started("another", 2);
    place.until_started("job", place.effects("job").len() + 2);
    daemon.stop();
    // Root's hand in the state too: what a repair writes is the owner's.
    fs::remove_file(place.home().join("state/MANIFEST")).expect("it was there");
    place.ok(&["repair", "--yes"]);
    let count = place.effects("job").len();
    let mut daemon = start_as(OWNER, &place, &["run"]);
    place.until_started("job", count + 2);
    daemon.stop();
    place.no_instant_twice("job");
}

/// What in a folder isn't the owner's.
fn of_others(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for path in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        let stat = fs::symlink_metadata(&path).expect("it is there");
        if (stat.uid(), stat.gid()) != (OWNER, OWNER) {
            all.push(path.clone());
        }
        if stat.is_dir() {
            all.extend(of_others(&path));
        }
    }
    all
}

#[test]
fn whatever_root_makes_in_a_home_is_its_owners_who_can_go_on_with_it() {
    let Some(place) = owned() else { return };
    let tell = format!("cat >> {}", place.path("told").display());
    let sink = json!([{"name": "file", "type": "command", "command": ["sh", "-c", tell]}]);
    place.write("config.yaml", format!("ticker: {{interval: 1s}}\nnotify: {sink}\n"));
    place.write_jobs(&[place.job("job", "* * * * * *", ""), place.job("fails", "@yearly", "false")]);
    give(&place.home(), 0o770).expect("root may");
    fs::remove_dir_all(place.home().join("heartbeats")).expect("it was there");
    // The jobs and sinks of both write to these.
    for name in ["effects", "told"] {
        fs::write(place.path(name), "").expect("a file");
        fs::set_permissions(place.path(name), fs::Permissions::from_mode(0o666)).expect("the file is ours");
    }
    // By root, everything is made for the first time: folders, locks, alerts, beats, output.
    assert_eq!(place.run(&["fire", "fails", "--wait"]).code, Some(1));
    place.run(&["watchdog"]);
    place.ok(&["heartbeat", "write", "nightly", "--interval", "1d"]);
    place.ok(&["tick"]);
    let made =
        ["alerts/job-fails.alert", "heartbeats/jobs/nightly.last", "heartbeats/watchdog.json", "state/watchdog.lock"];
    for name in made {
        assert!(place.home().join(name).exists(), "{name}");
    }
    assert_eq!(of_others(&place.home()), Vec::<PathBuf>::new());

    let mut daemon = start_as(OWNER, &place, &["run"]);
    place.until_started("job", place.effects("job").len() + 2);
    let beat = start_as(OWNER, &place, &["heartbeat", "write", "nightly", "--interval", "1d"]).ran();
    assert_eq!((beat.code, beat.err.as_str()), (Some(0), ""), "{beat:?}");
    let watchdog = start_as(OWNER, &place, &["watchdog"]).ran();
    assert!(!watchdog.err.contains("permission denied") && !watchdog.out.contains("permission denied"), "{watchdog:?}");
    daemon.stop();
    assert!(!daemon.log().contains("permission denied"), "{}", daemon.log());
}

#[test]
fn a_rewrite_that_would_lock_the_owner_out_is_refused_and_changes_nothing() {
    let Some(place) = owned() else { return };
    give(&place.home(), 0o770).expect("root may");
    let (jobs, names) = (place.home().join("jobs.json"), || {
        let listed = fs::read_dir(place.home()).expect("the home").filter_map(Result::ok);
        let mut names: Vec<_> = listed.map(|entry| entry.file_name()).collect();
        names.sort();
        names
    });
    let (text, there) = (fs::read(&jobs).expect("jobs.json"), names());
    for command in [&["edit", "job", "--description", "mine"][..], &["add", "@daily", "--", "true"], &["remove", "job"]]
    {
        let ran = start_as(COLLEAGUE, &place, command).ran();
        ran.says(
            1,
            &["cannot replace ", "jobs.json; nothing was changed", "hint: run this as the user who owns the file"],
        );
        assert_eq!(fs::read(&jobs).expect("jobs.json"), text);
        assert_eq!(names(), there, "nothing is left over");
    }
    assert_eq!(fs::metadata(&jobs).expect("jobs.json").uid(), OWNER);
    let looked = start_as(COLLEAGUE, &place, &["list"]).ran();
    assert_eq!(looked.code, Some(0), "{looked:?}");
}
