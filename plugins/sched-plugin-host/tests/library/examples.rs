//! The example plugins, as they are.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use sched_plugin_host::{Grounds, preflight};
use serde_json::{Value, json};

use crate::parent::Plugin;

#[test]
fn the_one_in_rust_fires_when_its_folder_changes() {
    let library = library_in_rust();
    let watched = tempfile::tempdir().expect("a folder");
    let mut plugin = Plugin::of_library(&library);
    let config = json!({"folder": watched.path(), "job": "import", "every_seconds": 0});
    let welcome = plugin.hello(&config).expect("ready");
    assert_eq!(welcome["ready"]["name"], "on-folder-change");
    assert_eq!(welcome["ready"]["hooks"], json!(["jobs_changed"]), "which ends a wait, and is the child's own");

    plugin.call("start", json!({}));
    // It has looked at the folder before its first tick.
    let tick = plugin.next_call("tick");
    write(&watched.path().join("a"), "1");
    plugin.answer(&tick, &json!({}));
    let fire = answer_ticks_until_fire(&mut plugin);
    assert_eq!((&fire["kind"], &fire["job"]), (&json!("event"), &json!("import")));
    plugin.answer(&fire, &json!({"outcome": "started"}));
    let log = plugin.next_call("log");
    assert_eq!(log["level"], "info");
    assert!(log["message"].as_str().is_some_and(|text| text.ends_with("has changed; job `import`: Started")), "{log}");

    let first = fire["key"].clone();
    write(&watched.path().join("a"), "22");
    let fire = answer_ticks_until_fire(&mut plugin);
    assert_ne!(fire["key"], first, "another change is another event");
    plugin.call("stop", json!({}));
    plugin.refuse(&fire, "stopping", "the daemon is stopping");
    plugin.next_call("stopped");
    assert!(plugin.end().0.success());

    let mut plugin = Plugin::of_library(&library);
    let refused = plugin.hello(&json!({"jobs": "import"})).expect_err("a mistyped key");
    assert!(
        refused["message"].as_str().is_some_and(|why| why.starts_with("config: unknown field `jobs`")),
        "{refused}"
    );
}

#[test]
fn the_one_in_c_ticks_at_its_interval() {
    if !is_there("make") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let library = build_fixed_interval(folder.path());
    let mut plugin = Plugin::of_library(&library);
    let welcome = plugin.hello(&json!({"every_seconds": 1})).expect("ready");
    assert_eq!((&welcome["ready"]["name"], &welcome["ready"]["liveness"]), (&json!("fixed-interval"), &json!("ticks")));
    plugin.call("start", json!({}));
    for _ in 0..2 {
        let tick = plugin.next_call("tick");
        plugin.answer(&tick, &json!({}));
    }
    let tick = plugin.next_call("tick");
    plugin.refuse(&tick, "generic", "the disk is full");
    let log = plugin.next_call("log");
    assert_eq!((&log["level"], &log["message"]), (&json!("warn"), &json!("the disk is full")));
    // It is no reason to end, and the next look comes.
    plugin.next_call("tick");

    let refused = Plugin::of_library(&library).hello(&json!({"every_seconds": "often"})).expect_err("refused");
    assert_eq!(refused["message"], "config: `every_seconds` is not a number from 1 to 86400");
}

#[test]
fn the_one_in_python_fires_at_times_of_its_own() {
    if !is_there("python3") {
        return;
    }
    let program = examples().join("own-instants/own_instants.py");
    let lines = fs::read_to_string(&program).expect("the program").lines().count();
    assert!(lines < 40, "it has {lines} lines");
    // Every second of the day is one of its times.
    let times: Vec<String> =
        (0..86_400).map(|second| format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)).collect();
    let mut plugin = Plugin::of(&mut Command::new(&program));
    let welcome = plugin.hello(&json!({"job": "backup", "times": times})).expect("ready");
    assert_eq!((&welcome["ready"]["name"], &welcome["ready"]["nonce"]), (&json!("own-instants"), &json!("5f3a")));
    let start = plugin.call("start", json!({}));
    let first = plugin.next_call("fire");
    plugin.answer(&first, &json!({"outcome": "started"}));
    let second = plugin.next_call("fire");
    assert_eq!((&first["kind"], &first["job"]), (&json!("event"), &json!("backup")));
    assert_ne!(first["key"], second["key"]);
    plugin.next_call("tick");
    plugin.call("stop", json!({}));
    assert_eq!(plugin.until(|line| line["id"] == start && line["call"].is_null())["ok"], json!({}));
    plugin.next_call("stopped");
    assert!(plugin.end().0.success());
}

#[test]
fn each_passes_the_gate_before_anything_of_it_runs() {
    if !is_there("make") {
        return;
    }
    let home = tempfile::tempdir().expect("a folder");
    let grounds = Grounds {
        cache: home.path().join("cache"),
        loader: vec!["sched".into(), sched_plugin_host::library::ARGUMENT.into()],
        environment: std::env::vars_os().collect(),
    };
    let rust = library_in_rust();
    let c = build_fixed_interval(home.path());
    let python = examples().join("own-instants/own_instants.py");
    for (name, code) in [("on-folder-change", rust), ("fixed-interval", c), ("own-instants", python)] {
        let folder = home.path().join("plugins").join(name);
        install(&examples().join(name).join("plugin.yaml"), &folder);
        install(&code, &folder);
        let cleared = preflight(name, &folder, &grounds).unwrap_or_else(|error| panic!("{name}: {error}"));
        let started: Option<&OsString> = cleared.argv.first();
        assert!(started.is_some() && cleared.manifest.name == name, "{cleared:?}");
    }
}

/// Ticks find nothing; answers the next fire.
fn answer_ticks_until_fire(plugin: &mut Plugin) -> Value {
    loop {
        let call = plugin.until(|line| line["call"] == "tick" || line["call"] == "fire");
        if call["call"] == "fire" {
            return call;
        }
        plugin.answer(&call, &json!({}));
    }
}

/// Whether this machine has what an example needs. `scripts/test` says it in the open when it has not.
#[expect(clippy::print_stdout, reason = "a test that proves nothing here says so")]
pub(crate) fn is_there(program: &str) -> bool {
    let is_there = Command::new(program).arg("--version").output().is_ok();
    if !is_there {
        println!("no {program} here: an example is not tried");
    }
    is_there
}

/// What Cargo has built as a dependency of this test.
pub(crate) fn library_in_rust() -> PathBuf {
    std::env::current_exe().expect("this program").with_file_name("libon_folder_change.so")
}

pub(crate) fn build_fixed_interval(folder: &Path) -> PathBuf {
    let made = Command::new("make")
        .arg("-C")
        .arg(examples().join("fixed-interval"))
        .arg(format!("OUT={}", folder.display()))
        .output()
        .expect("make");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    folder.join("libfixed_interval.so")
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the folder of plugins").join("examples")
}

#[expect(clippy::disallowed_methods, reason = "a plugin's folder that is thrown away")]
fn install(file: &Path, folder: &Path) {
    fs::create_dir_all(folder).expect("a folder");
    fs::copy(file, folder.join(file.file_name().expect("a name"))).expect("a copy");
}

#[expect(clippy::disallowed_methods, reason = "a file in the watched folder")]
fn write(file: &Path, text: &str) {
    fs::write(file, text).expect("a file");
}
