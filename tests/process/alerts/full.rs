//! On a disk that takes no files, somebody is told once, though each watchdog is a process of its own; and of the end as well.

use std::{fs, process::Command};

use serde_json::{Value, json};

use crate::process::{
    bench::Place,
    disk::{Mounted, fill},
};

/// A home on a disk of its own, whose job has no script; nobody fires it either. What the sink is told it keeps elsewhere.
fn place() -> Option<(Place, Mounted)> {
    let place = Place::empty();
    let disk = Mounted::new(&place, &["-t", "tmpfs", "-o", "size=1m", "tmpfs"])?;
    let command = format!("cat >> {}", place.path("told").display());
    let sink = json!({"name": "file", "type": "command", "command": ["sh", "-c", command]});
    place.write("config.yaml", json!({"notify": [sink]}).to_string());
    place.write_jobs(&[json!({"id": "job", "schedule": "@daily", "command": ["sh", place.path("gone.sh")]})]);
    place.ok(&["list"]);
    Some((place, disk))
}

/// Has another watchdog look; answers what the sink was told by all of them so far of the scheduler and of the script.
#[track_caller]
fn told(place: &Place) -> Vec<String> {
    let ran = place.run(&["watchdog"]);
    assert_eq!(ran.code, Some(4), "{ran:?}");
    let text = fs::read_to_string(place.path("told")).unwrap_or_default();
    let values = serde_json::Deserializer::from_str(&text).into_iter::<Value>().map(|value| value.expect("JSON"));
    let line = |value: Value| Some(format!("{} {}", value["event"].as_str()?, value["key"].as_str()?));
    let mut lines: Vec<String> = values.filter_map(line).collect();
    lines.retain(|line| line.ends_with(" daemon") || line.ends_with(" start-job"));
    lines.sort();
    lines
}

/// What is kept in the memory of the machine of alerts about this home's script.
fn spared(place: &Place) -> Vec<String> {
    let script = place.path("gone.sh").display().to_string();
    let folders = fs::read_dir("/dev/shm").into_iter().flatten().filter_map(Result::ok);
    let ours = folders.filter(|folder| folder.file_name().to_string_lossy().starts_with("sched-"));
    let files = ours.flat_map(|folder| fs::read_dir(folder.path()).into_iter().flatten()).filter_map(Result::ok);
    files.filter_map(|file| fs::read_to_string(file.path()).ok()).filter(|text| text.contains(&script)).collect()
}

const OPENED: [&str; 2] = ["opened daemon", "opened start-job"];
const ONE_CLOSED: [&str; 3] = ["closed start-job", "opened daemon", "opened start-job"];

#[test]
fn somebody_is_told_once_though_something_lies_in_place_of_the_folder() {
    let place = Place::empty();
    let command = format!("cat >> {}", place.path("told").display());
    let sink = json!({"name": "file", "type": "command", "command": ["sh", "-c", command]});
    place.write("config.yaml", json!({"notify": [sink]}).to_string());
    place.write_jobs(&[json!({"id": "job", "schedule": "@daily", "command": ["sh", place.path("gone.sh")]})]);
    place.write("alerts", "in the way");
    for _ in 0..2 {
        assert_eq!(told(&place), OPENED);
    }
    // It is known to whoever looks, with the right way out.
    let listed = place.run(&["alerts"]);
    assert_eq!(listed.code, Some(3), "{listed:?}");
    assert!(listed.out.contains("start-job") && listed.err.contains("a folder belongs there"), "{listed:?}");
    let status = place.status().1;
    let problem = status["problems"].as_array().into_iter().flatten().find(|problem| problem["key"] == "alerts");
    let hint = problem.and_then(|problem| problem["hint"].as_str()).unwrap_or_default();
    assert!(hint.contains("move away"), "{status:#}");
    fs::remove_file(place.home().join("alerts")).expect("it is moved away");
    assert_eq!(told(&place), OPENED);
    assert!(place.home().join("alerts/start-job.alert").exists() && spared(&place).is_empty());
}

#[test]
fn a_full_disk_is_no_reason_to_be_told_the_same_by_every_watchdog() {
    let Some((place, _disk)) = place() else { return };
    fill(&place);
    for _ in 0..3 {
        assert_eq!(told(&place), OPENED);
    }
    let file = place.home().join("alerts/start-job.alert");
    assert!(!file.exists() && spared(&place).len() == 1, "{:?}", spared(&place));
    // Whoever looks sees it as well, with who was told, and may take note of it.
    let listed = place.run(&["alerts"]);
    assert!(listed.code == Some(3) && listed.out.contains("start-job"), "{listed:?}");
    place.ok(&["alerts", "ack", "start-job", "--by", "ann"]);
    assert_eq!(told(&place), OPENED);
    assert!(place.run(&["alerts"]).out.contains("acknowledged by ann"));

    fs::remove_file(place.home().join("ballast")).expect("space again");
    assert_eq!(told(&place), OPENED);
    assert!(file.exists() && spared(&place).is_empty(), "where it belongs, and nowhere else: {:?}", spared(&place));
    assert!(place.run(&["alerts"]).out.contains("acknowledged by ann"), "and nothing of it is lost");
}

#[test]
fn the_end_is_told_once_too_while_the_disk_is_full_or_read_only() {
    let Some((place, _disk)) = place() else { return };
    let mended = place.path("gone.sh");
    fill(&place);
    assert_eq!(told(&place), OPENED);
    fs::write(&mended, "true\n").expect("a script");
    for _ in 0..2 {
        assert_eq!(told(&place), ONE_CLOSED);
    }
    assert_eq!(spared(&place), [""; 0]);

    fs::remove_file(place.home().join("ballast")).expect("space again");
    fs::remove_file(place.path("told")).expect("what was told");
    fs::remove_file(&mended).expect("the script is gone again");
    assert_eq!(told(&place), ["opened start-job"], "of the scheduler it is known by now");
    let file = place.home().join("alerts/start-job.alert");
    let remount = |how: &str| {
        let mut mount = Command::new("mount");
        assert!(mount.args(["-o", how]).arg(place.home()).status().expect("mount runs").success());
    };
    remount("remount,ro");
    fs::write(&mended, "true\n").expect("a script");
    for _ in 0..2 {
        assert_eq!(told(&place), ["closed start-job", "opened start-job"]);
    }
    assert!(file.exists(), "the disk keeps what it has");
    remount("remount,rw");
    fs::remove_file(&mended).expect("the script is gone again");
    assert_eq!(told(&place), ["closed start-job", "opened start-job", "opened start-job"], "this is another one");
    fs::write(&mended, "true\n").expect("a script");
    assert_eq!(told(&place).len(), 4);
    assert!(!file.exists() && spared(&place).is_empty());
}
