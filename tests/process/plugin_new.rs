//! From nothing to a provider at work, by the commands that an author types: `new`, a build, `check`, `install`, a line of
//! config.yaml. And back: `remove`.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use rustix::process::Signal;
use serde_json::json;

use super::bench::Place;

/// A home with a job that is due every second.
fn home() -> Place {
    let place = Place::beating();
    place.write_jobs(&[place.job("job", "* * * * * *", "")]);
    fs::set_permissions(place.home(), fs::Permissions::from_mode(0o755)).expect("a mode");
    place
}

/// A new plugin in this language, which looks for due jobs every second.
#[track_caller]
fn scaffolded(place: &Place, lang: &str) -> PathBuf {
    place.ok(&["plugin", "new", "bells", "--lang", lang]);
    let folder = place.path("bells");
    let manifest = fs::read_to_string(folder.join("plugin.yaml")).expect("a plugin.yaml");
    assert!(manifest.contains("every_seconds: 5"), "{manifest}");
    fs::write(folder.join("plugin.yaml"), manifest.replace("every_seconds: 5", "every_seconds: 1")).expect("a file");
    folder
}

/// Everything behind the build: the plugin in `folder` fires, and goes again.
#[track_caller]
fn it_fires(place: &Place, folder: &Path) {
    let path = folder.to_str().expect("a path");
    let checked = place.ok(&["plugin", "check", path]);
    assert!(checked.contains("it answers as bells 0.1.0"), "{checked}");
    let mut daemon = place.daemon();
    let installed = place.ok(&["plugin", "install", path]);
    let told = format!("then: kill -HUP {}", daemon.pid());
    assert!(installed.contains("installed plugin `bells` 0.1.0") && installed.contains(&told), "{installed}");
    // What is installed needs nothing of where it was made.
    fs::remove_dir_all(folder).expect("a folder");

    place.write("config.yaml", "ticker: {interval: 1s}\nprovider: bells\n");
    daemon.signal(Signal::HUP);
    let by_the_plugin = |status: &serde_json::Value| status["heartbeat"]["provider"] == json!("bells");
    place.until_status("the plugin is at work", by_the_plugin);
    daemon.until_logged("looking for due jobs every 1 s");
    place.until_started("job", place.effects("job").len() + 2);
    let status = place.until_verdict("live", 0);
    assert!(by_the_plugin(&status), "{status:#}");
    place.no_instant_twice("job");

    place.fails(&["plugin", "remove", "bells"], 1, &["plugin `bells` decides when jobs fire"]);
    let removed = place.ok(&["plugin", "remove", "bells", "--force"]);
    let told = format!("until: kill -HUP {}; then the built-in ticker fires", daemon.pid());
    assert!(removed.contains(&told), "{removed}");
    daemon.signal(Signal::HUP);
    place.until_verdict("degraded", 3);
    place.until_started("job", place.effects("job").len() + 2);
    assert_eq!(fs::read_dir(place.home().join("plugins")).expect("a folder").count(), 0);
    daemon.stop();
}

/// Whether this machine has what the language needs. `scripts/test` says so where it hasn't.
fn has(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|ran| ran.status.success())
}

#[test]
fn a_new_plugin_in_rust_is_built_without_a_network_and_fires() {
    let place = home();
    let folder = scaffolded(&place, "rust");
    // The folder is another one each time, and what it needs in turn is not built each time.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("scaffold");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--release", "--offline", "--target-dir"]).arg(&target).current_dir(&folder);
    let built = cargo.output().expect("cargo runs");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    // A build for one's own eyes has no place for warnings either.
    assert!(!String::from_utf8_lossy(&built.stderr).contains("warning"), "{}", String::from_utf8_lossy(&built.stderr));
    place.fails(&["plugin", "install", "bells"], 1, &["libbells.so is not there", "--target-dir target"]);
    let release = folder.join("target/release");
    fs::create_dir_all(&release).expect("a folder");
    fs::copy(target.join("release/libbells.so"), release.join("libbells.so")).expect("a library");
    safe(&folder);
    it_fires(&place, &folder);
}

#[test]
fn a_new_plugin_in_c_is_built_and_fires() {
    if !has("make") {
        return;
    }
    let place = home();
    let folder = scaffolded(&place, "c");
    let built = Command::new("make").current_dir(&folder).output().expect("make runs");
    assert!(built.status.success() && built.stderr.is_empty(), "{}", String::from_utf8_lossy(&built.stderr));
    safe(&folder);
    it_fires(&place, &folder);
}

#[test]
fn a_new_plugin_in_python_fires() {
    if !has("python3") {
        return;
    }
    let place = home();
    let folder = scaffolded(&place, "python");
    safe(&folder);
    it_fires(&place, &folder);
}

#[test]
fn another_build_takes_the_place_of_one_at_work() {
    if !has("python3") {
        return;
    }
    let place = home();
    let folder = scaffolded(&place, "python");
    safe(&folder);
    place.ok(&["plugin", "install", "bells"]);
    place.write("config.yaml", "ticker: {interval: 1s}\nprovider: bells\n");
    let mut daemon = place.daemon();
    place.until_verdict("live", 0);

    for file in ["plugin.yaml", "provider.py"] {
        let text = fs::read_to_string(folder.join(file)).expect("a file");
        fs::write(folder.join(file), text.replace("0.1.0", "0.2.0").replace("looking for", "hunting for"))
            .expect("a file");
    }
    place.fails(&["plugin", "install", "bells"], 1, &["plugin `bells` 0.1.0 is installed already, and this is 0.2.0"]);
    let installed = place.ok(&["plugin", "install", "bells", "--force"]);
    assert!(installed.contains("`bells` 0.2.0 in place of 0.1.0"), "{installed}");
    // The one at work goes on until somebody says so, though its files are gone.
    place.until_started("job", place.effects("job").len() + 2);
    daemon.signal(Signal::HUP);
    daemon.until_logged("hunting for due jobs every 1 s");
    place.until_started("job", place.effects("job").len() + 2);
    let status = place.until_verdict("live", 0);
    assert_eq!(status["heartbeat"]["provider"], json!("bells"), "{status:#}");
    daemon.stop();
}

/// What a build made may be written by its group, where the umask says so; the gates would tell.
fn safe(folder: &Path) {
    assert!(Command::new("chmod").args(["-R", "go-w"]).arg(folder).status().expect("chmod runs").success());
}
