//! `sched plugin check`: a plugin is held against the suite for providers in its process, and the operator's home isn't touched.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::bench::Place;

/// What a plugin that fires by the schedules leaves unseen.
const UNSEEN: [&str; 1] = ["arms what the jobs say"];

/// A folder of plugins that are in no home.
struct Shelf(TempDir);

impl Shelf {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    /// An example as it is, with another config.
    fn example(&self, name: &str, config: &str) -> PathBuf {
        let manifest = fs::read_to_string(examples().join(name).join("plugin.yaml")).expect("its plugin.yaml");
        let head = manifest.split("config:").next().expect("what comes before it");
        self.plugin(name, &format!("{head}config: {config}\n"))
    }

    fn plugin(&self, name: &str, manifest: &str) -> PathBuf {
        let folder = self.0.path().join(name);
        fs::create_dir_all(&folder).expect("a folder");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("a mode");
        put(&folder.join("plugin.yaml"), manifest.as_bytes());
        folder
    }

    /// A program that speaks the protocol.
    fn script(&self, script: &str) -> PathBuf {
        let manifest = "name: bells\nversion: '1'\nkind: exec\ncommand: [python3, code]\nprotocol: 1\n\
                        timeouts: {ready: 5s, call: 1s, stop: 1s}\n";
        let folder = self.plugin("bells", manifest);
        put(&folder.join("code"), format!("{PROLOGUE}{script}").as_bytes());
        folder
    }
}

fn put(file: &Path, bytes: &[u8]) {
    fs::write(file, bytes).expect("a file");
    fs::set_permissions(file, fs::Permissions::from_mode(0o644)).expect("a mode");
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").join("plugins/examples")
}

/// What was said about the plugin in `folder`, and the exit code. Nothing is left of it in the home.
fn check(folder: &Path) -> (Value, Option<i32>) {
    let place = Place::empty();
    let before = listed(&place.home());
    let answer = place.run(&["plugin", "check", folder.to_str().expect("a path"), "--json"]);
    assert_eq!(listed(&place.home()), before);
    assert_eq!(answer.err, "", "what it provokes is nobody's alarm");
    (serde_json::from_str(&answer.out).expect("JSON"), answer.code)
}

fn listed(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut entries: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    entries
}

/// The checks whose `passed` is this.
fn marked<'a>(answer: &'a Value, passed: &Value) -> Vec<&'a str> {
    let checks = answer["checks"].as_array().expect("checks").iter();
    checks.filter(|row| row["passed"] == *passed).map(|row| row["check"].as_str().expect("its name")).collect()
}

#[track_caller]
fn assert_passes(folder: &Path, unseen: &[&str]) {
    let (answer, code) = check(folder);
    assert_eq!((code, &answer["schema"], &answer["passed"]), (Some(0), &json!(1), &json!(true)), "{answer:#}");
    assert_eq!(answer["checks"].as_array().map(Vec::len), Some(18), "{answer:#}");
    assert_eq!(marked(&answer, &Value::Null), unseen, "{answer:#}");
    let took: u64 = answer["checks"].as_array().into_iter().flatten().filter_map(|row| row["took_ms"].as_u64()).sum();
    assert!(took > 0, "{answer:#}");
}

#[test]
fn the_example_in_rust_passes() {
    let shelf = Shelf::new();
    let watched = shelf.0.path().join("watched");
    fs::create_dir(&watched).expect("a folder");
    let folder = shelf.example("on-folder-change", &format!("{{folder: {watched:?}, job: import}}"));
    // What Cargo has built as a dependency of this test.
    let library = std::env::current_exe().expect("this program").with_file_name("libon_folder_change.so");
    put(&folder.join("libon_folder_change.so"), &fs::read(library).expect("the library"));
    assert_passes(&folder, &UNSEEN);
}

#[test]
fn the_example_in_c_passes_and_one_that_looks_seldom_is_not_said_to_fire() {
    let shelf = Shelf::new();
    let folder = shelf.example("fixed-interval", "{every_seconds: 1}");
    let mut make = Command::new("make");
    make.arg("-C").arg(examples().join("fixed-interval")).arg(format!("OUT={}", folder.display()));
    let Ok(made) = make.output() else { return };
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    fs::set_permissions(folder.join("libfixed_interval.so"), fs::Permissions::from_mode(0o644)).expect("a mode");
    assert_passes(&folder, &UNSEEN);

    shelf.example("fixed-interval", "{every_seconds: 3600}");
    assert_passes(&folder, &["fires a job again and again", "fires an instant once", "arms what the jobs say"]);
}

#[test]
fn the_example_in_python_passes() {
    let shelf = Shelf::new();
    let folder = shelf.example("own-instants", r#"{job: backup, times: ["12:30:00", "18:00:00"]}"#);
    let program = folder.join("own_instants.py");
    put(&program, &fs::read(examples().join("own-instants/own_instants.py")).expect("the program"));
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("a mode");
    assert_passes(&folder, &UNSEEN);
}

/// Beats ten times a second, and answers what it is asked, but for what follows.
const PROLOGUE: &str = r#"
import json, queue, sys, threading, time
inbox = queue.Queue()
def read():
    for line in sys.stdin:
        inbox.put(json.loads(line))
    inbox.put({"call": "stop"})
def say(**message):
    print(json.dumps(message), flush=True)
def ready(liveness, *hooks):
    threading.Thread(target=read, daemon=True).start()
    hello = inbox.get()
    say(id=1, ok={"ready": {"name": "bells", "version": "1", "nonce": hello["nonce"], "liveness": liveness, "hooks": hooks}})
    return inbox.get()["id"]
def messages():
    while True:
        try:
            yield inbox.get(timeout=0.1)
        except queue.Empty:
            yield {}
"#;

/// Exactly `wanted` fails, and says `why`; with the checks after it that can't be made any more.
#[track_caller]
fn assert_fails(script: &str, wanted: &str, why: &str) {
    let shelf = Shelf::new();
    let (answer, code) = check(&shelf.script(script));
    assert_eq!((code, &answer["passed"]), (Some(3), &json!(false)), "{answer:#}");
    assert_eq!(marked(&answer, &json!(false)), [wanted], "{answer:#}");
    let rows = answer["checks"].as_array().expect("checks");
    let row = rows.iter().find(|row| row["check"] == wanted).expect("its row");
    assert!(row["why"].as_str().is_some_and(|said| said.contains(why)), "{answer:#}");
    assert_eq!(answer["gates"][2]["what"], format!("1 of {} checks failed", rows.len()), "{answer:#}");
}

#[test]
fn one_that_dies_at_work_is_found_out() {
    assert_fails("ready('ticks')\nsys.exit(4)", "works until it is told to stop", "exited with status 4");
}

#[test]
fn one_that_does_not_stop_is_found_out() {
    let deaf = "ready('ticks')\nfor message in messages():\n    say(call='tick')";
    assert_fails(deaf, "stops when it is told to", "its `start` still runs 750ms after it was told to stop");
}

#[test]
fn one_that_reconciles_once_is_found_out() {
    let script = r"
start, times = ready('external', 'reconcile'), 0
say(id=start, ok={})
for message in messages():
    if message.get('call') == 'reconcile':
        times += 1
        say(id=message['id'], **({'ok': {}} if times == 1 else {'error': {'code': 'generic', 'message': 'armed already'}}))
    elif message.get('call') == 'stop':
        say(id=message['id'], ok={})
        say(call='stopped')
        break
";
    assert_fails(script, "reconciles from any state", "`reconcile` failed: armed already");
}

#[test]
fn one_that_is_not_ready_is_not_put_to_work() {
    let shelf = Shelf::new();
    let (answer, code) = check(&shelf.script("sys.exit(3)"));
    assert_eq!((code, &answer["checks"]), (Some(3), &json!([])), "{answer:#}");
    assert_eq!(answer["gates"].as_array().map(Vec::len), Some(2), "{answer:#}");
}
