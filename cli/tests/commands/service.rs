//! `sched service`, into folders of its own: whether systemd takes the units is for `systemd-analyze` to say.

use std::{fs, process::Command};

use crate::support::{Sandbox, run};

const UNITS: [&str; 5] =
    ["sched.service", "sched-watchdog.service", "sched-watchdog.timer", "sched-check.service", "sched-check.timer"];

#[test]
fn units_are_written_once_kept_if_changed_and_taken_away() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path().with_file_name("units");
    let dir = folder.to_str().unwrap();
    let said = sandbox.ok(&["service", "install", "--unit-dir", dir]);
    assert!(said.contains("systemctl daemon-reload && systemctl enable --now sched.service"), "{said}");
    let texts = || UNITS.map(|unit| fs::read_to_string(folder.join(unit)).unwrap());
    let first = texts();
    assert!(sandbox.ok(&["service", "install", "--unit-dir", dir]).contains("sched.service: is as it should be"));
    assert_eq!(texts(), first);

    let own = folder.join("sched.service");
    fs::write(&own, first[0].replace("RestartSec=5", "RestartSec=1")).unwrap();
    sandbox.fails(&["service", "install", "--unit-dir", dir], 1, &["sched.service is not what this build would write"]);
    sandbox.ok(&["service", "install", "--unit-dir", dir, "--force"]);
    assert_eq!(texts(), first);

    fs::write(&own, "[Unit]\nDescription=mine\n").unwrap();
    sandbox.fails(&["service", "uninstall", "--unit-dir", dir], 1, &["sched.service was not written by sched"]);
    sandbox.ok(&["service", "uninstall", "--unit-dir", dir, "--force"]);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    sandbox.fails(&["service", "uninstall", "--unit-dir", dir], 1, &["no units of a service `sched`"]);
}

#[test]
fn systemd_has_nothing_against_the_units() {
    let sandbox = Sandbox::new();
    for (name, more) in [("sched", vec![]), ("night-jobs", vec!["--run-as", "root"]), ("own", vec!["--user"])] {
        let folder = sandbox.path().with_file_name(format!("units of {name}"));
        let mut line = vec!["service", "install", "--name", name, "--unit-dir", folder.to_str().unwrap()];
        line.extend(more);
        sandbox.ok(&line);
        let mut analyze = Command::new("systemd-analyze");
        analyze.args(["verify", "--man=no"]);
        analyze.args(fs::read_dir(&folder).unwrap().map(|unit| unit.unwrap().path()));
        let Ok(output) = analyze.output() else {
            println!("skipped, nothing is proved: there is no systemd-analyze here");
            return;
        };
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        assert_eq!(said.lines().filter(|line| line.contains(name)).count(), 0, "{said}");
    }
}

#[test]
fn the_units_that_are_there_say_for_which_home_and_whom_they_are() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path().with_file_name("units");
    let dir = folder.to_str().unwrap();
    let home = sandbox.path().with_file_name("my home");
    let home = home.to_str().unwrap();
    let install = ["--home", home, "service", "install", "--unit-dir", dir, "--run-as"];
    sandbox.fails(&[&install[..], &["nosuchuser"]].concat(), 1, &["there is no user `nosuchuser`", "hint: "]);
    assert!(!folder.exists());
    sandbox.ok(&[&install[..], &["root"]].concat());
    let status = |line: &[&str]| {
        let mut command = sandbox.command(&[line, &["service", "status", "--unit-dir", dir]].concat());
        command.env_remove("SCHED_HOME");
        run(command, "")
    };
    let ran = status(&[]);
    assert!(ran.out.contains(&format!("home: {home}\n")) && !ran.out.contains("differs"), "{ran:?}");
    let ran = status(&["--home", "/srv/other"]);
    assert!(ran.out.contains(&format!("they are for the home {home}, not /srv/other\n")), "{ran:?}");
    assert!(ran.out.contains("differs"), "{ran:?}");
}
