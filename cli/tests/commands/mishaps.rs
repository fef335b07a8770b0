//! What goes wrong around a command: no home, a reader that leaves, a full disk, a file in the way.

use std::{fs, fs::File};

use crate::support::{Sandbox, run};

#[test]
fn without_any_home_it_says_how_to_name_one() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(&["list"]);
    command.env_remove("HOME").env_remove("SCHED_HOME");
    let ran = run(command, "");
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("HOME is not set") && ran.err.contains("hint: give --home DIR"), "{}", ran.err);
}

#[test]
fn the_option_comes_before_the_variable_and_that_before_the_users_home() {
    let sandbox = Sandbox::new();
    sandbox.ok(&["init", "--home", "by-option"]);
    let mut command = sandbox.command(&["init"]);
    command.env_remove("SCHED_HOME");
    assert_eq!(run(command, "").code, Some(0));
    let folder = sandbox.path().parent().unwrap().to_owned();
    assert!(folder.join("by-option/jobs.json").exists() && folder.join(".sched/jobs.json").exists());
    assert!(!sandbox.path().exists());
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let sandbox = Sandbox::with_jobs(r#"{"id": "a", "schedule": "@daily", "command": "true"}"#);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = sandbox.command(&["list"]).stdout(writer).output().unwrap();
    assert_eq!((status.status.code(), status.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn an_answer_that_cannot_be_written_is_an_error() {
    let sandbox = Sandbox::new();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = sandbox.command(&["next", "--expr", "@daily"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write to stdout: no space left"));
}

#[test]
fn a_file_in_the_place_of_the_home_is_named() {
    let sandbox = Sandbox::new();
    fs::write(sandbox.path(), "").unwrap();
    for line in [&["list"][..], &["init"], &["add", "@daily", "--", "true"]] {
        sandbox.fails(line, 1, &["is a file, not a folder", "hint: "]);
    }
}

#[test]
fn errors_are_json_where_json_is_asked_for() {
    let sandbox = Sandbox::new();
    let check = |line: &[&str], code: i32, kind: &str, message: &str| {
        let ran = sandbox.run(line);
        assert_eq!((ran.code, ran.out.as_str()), (Some(code), ""), "{ran:?}");
        let error: serde_json::Value = serde_json::from_str(&ran.err).unwrap();
        assert_eq!((error["schema"].as_u64(), error["error"]["kind"].as_str()), (Some(1), Some(kind)), "{error}");
        assert!(error["error"]["message"].as_str().unwrap().contains(message), "{error}");
    };
    check(&["--json", "remove", "a"], 1, "not_found", "there is no home");
    check(&["lsit", "--json"], 2, "usage", "unrecognized subcommand");
    check(&["run", "a", "--json"], 2, "usage", "takes no job");
    check(&["next", "--json", "--expr", "61 * * * *"], 1, "invalid", "minute");
}

#[test]
fn colours_are_shown_when_they_are_wanted() {
    let sandbox = Sandbox::with_jobs(r#"{"id": "a", "schedule": "@daily", "command": "true"}"#);
    let colored = |line: &[&str], variable: &str| {
        let mut command = sandbox.command(line);
        command.env(variable, "1");
        run(command, "").out.contains('\u{1b}')
    };
    assert!(!colored(&["list"], "X"), "not a terminal");
    assert!(colored(&["list", "--color", "always"], "NO_COLOR"), "the option wins");
    assert!(!colored(&["list", "--color", "never"], "CLICOLOR_FORCE"));
    assert!(!colored(&["list"], "NO_COLOR"));
}

#[test]
fn help_and_version_are_answers() {
    let sandbox = Sandbox::new();
    assert!(sandbox.ok(&["--help"]).contains("Are the files right?"));
    assert!(sandbox.ok(&["add", "--help"]).contains("Examples:"));
    assert!(sandbox.ok(&["-V"]).starts_with("sched "));
}

#[test]
fn a_home_whose_name_is_not_utf8_works() {
    use std::os::unix::ffi::OsStringExt as _;
    let sandbox = Sandbox::new();
    let home = std::ffi::OsString::from_vec(b"h\xff".to_vec());
    for line in
        [&["init", "--json"][..], &["add", "--json", "@daily", "--", "true"], &["list", "--json"], &["validate"]]
    {
        let mut command = sandbox.command(line);
        command.env("SCHED_HOME", &home);
        let ran = run(command, "");
        assert_eq!(ran.code, Some(0), "{line:?}: {ran:?}");
    }
}

#[test]
fn a_home_of_another_machine_is_not_touched_by_accident() {
    let sandbox = Sandbox::with_jobs(r#"{"id": "a", "schedule": "@daily", "command": "true"}"#);
    let manifest = sandbox.home().manifest();
    let mut text: serde_json::Value = serde_json::from_slice(&fs::read(&manifest).unwrap()).unwrap();
    text["machine_id"] = "elsewhere".into();
    // Its checksum is left out, as older builds did.
    text.as_object_mut().unwrap().remove("crc32");
    fs::write(&manifest, text.to_string()).unwrap();
    sandbox.ok(&["list"]);
    if fs::read_to_string("/etc/machine-id").is_ok_and(|id| !id.trim().is_empty()) {
        sandbox.fails(&["pause", "a"], 1, &["belongs to another machine", "SCHED_ADOPT=1"]);
    }
    let mut command = sandbox.command(&["pause", "a"]);
    command.env("SCHED_ADOPT", "1");
    assert_eq!(run(command, "").code, Some(0));
    sandbox.ok(&["resume", "a"]);
}
