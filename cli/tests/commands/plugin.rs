//! `plugin new`, `install` and `remove`: what they leave behind, above all when something is in the way.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
};

use crate::support::Sandbox;

/// A home, and beside it the folder of a program that gets ready and waits for its end.
struct Bench {
    sandbox: Sandbox,
    folder: PathBuf,
    bells: PathBuf,
}

const READY: &str = r#"IFS= read -r hello; nonce=${hello#*\"nonce\":\"}
printf '{"id":1,"ok":{"ready":{"name":"bells","version":"1","nonce":"%s","liveness":"ticks"}}}\n' "${nonce%%\"*}"
touch trace; read -r end
"#;

impl Bench {
    fn new() -> Self {
        let sandbox = Sandbox::with_jobs("");
        let folder = sandbox.path().parent().unwrap().to_owned();
        let bells = folder.join("bells");
        fs::create_dir(&bells).unwrap();
        let bench = Self { sandbox, folder, bells };
        bench.write("plugin.yaml", "name: bells\nversion: 1.0.0\nkind: exec\ncommand: [sh, ring]\nprotocol: 1\n");
        bench.write("ring", READY);
        bench
    }

    /// Writes a file of the plugin, as an umask of 002 does.
    fn write(&self, name: &str, text: &str) {
        let path = self.bells.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        set_mode(&path, 0o664);
        set_mode(path.parent().unwrap(), 0o775);
    }

    fn plugins(&self) -> PathBuf {
        self.sandbox.path().join("plugins")
    }

    fn installed(&self, name: &str) -> String {
        fs::read_to_string(self.plugins().join("bells").join(name)).unwrap_or_default()
    }

    /// What is in the folder of plugins, hidden or not: what its owner may do with it, and who else may write it.
    fn all(&self) -> BTreeMap<String, u32> {
        let mut all = BTreeMap::new();
        walk(&self.plugins(), &self.plugins(), &mut all);
        all
    }

    #[track_caller]
    fn refused(&self, parts: &[&str]) {
        let before = self.all();
        self.sandbox.fails(&["plugin", "install", "bells", "--force"], 1, parts);
        assert_eq!(self.all(), before, "it left something behind");
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn walk(root: &Path, folder: &Path, all: &mut BTreeMap<String, u32>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let stat = fs::symlink_metadata(&path).unwrap();
        all.insert(path.strip_prefix(root).unwrap().display().to_string(), stat.permissions().mode() & 0o722);
        if stat.is_dir() {
            walk(root, &path, all);
        }
    }
}

#[test]
fn what_is_installed_is_what_is_needed_and_its_owners_alone_to_write() {
    let bench = Bench::new();
    for leftover in [".git/HEAD", "__pycache__/ring.pyc", "build/CACHEDIR.TAG", "build/ring.o"] {
        bench.write(leftover, "x");
    }
    bench.write("lib/chime", "#!/bin/sh\n");
    set_mode(&bench.bells.join("lib/chime"), 0o775);
    symlink("lib/chime", bench.bells.join("gong")).unwrap();
    bench.sandbox.ok(&["plugin", "install", "bells"]);
    let expected = [
        ("bells", 0o700),
        ("bells/gong", 0o700),
        ("bells/lib", 0o700),
        ("bells/lib/chime", 0o700),
        ("bells/plugin.yaml", 0o600),
        // And not `trace`, which it makes when it is tried.
        ("bells/ring", 0o600),
    ];
    assert_eq!(bench.all(), expected.map(|(path, mode)| (path.to_owned(), mode)).into());
    let list = bench.sandbox.json(&["plugin", "list"]);
    assert_eq!(list["plugins"][0]["usable"], true, "{list:#}");
    assert!(bench.installed("plugin.yaml").contains(list["plugins"][0]["sha256"].as_str().unwrap()));

    // From now on that code, and no other.
    fs::write(bench.plugins().join("bells/ring"), "exit 0\n").unwrap();
    let list = bench.sandbox.ok(&["plugin", "list"]);
    assert!(list.contains("has the sha256") && !list.contains("usable"), "{list}");
}

#[test]
fn no_name_gets_in_the_way_of_what_install_does() {
    for name in ["new", "old", "tried", "7", "plugin.yaml"] {
        let bench = Bench::new();
        for file in ["ring", "plugin.yaml"] {
            let text = fs::read_to_string(bench.bells.join(file)).unwrap();
            bench.write(file, &text.replace("name: bells", &format!("name: '{name}'")).replace("bells", name));
        }
        for line in [&["plugin", "install", "bells"][..], &["plugin", "install", "bells", "--force"]] {
            bench.sandbox.ok(line);
            let expected = ["", "/plugin.yaml", "/ring"].map(|file| format!("{name}{file}"));
            assert_eq!(bench.all().into_keys().collect::<Vec<_>>(), expected);
        }
        bench.sandbox.ok(&["plugin", "remove", name]);
        assert!(bench.all().is_empty(), "{name}");
    }
}

#[test]
fn what_is_started_is_needed_even_in_a_cache_and_what_lies_elsewhere_has_no_sum() {
    let bench = Bench::new();
    bench.write("target/CACHEDIR.TAG", "x");
    bench.write("target/ring", READY);
    bench.write("plugin.yaml", "name: bells\nversion: 1.0.0\nkind: exec\ncommand: [sh, ./target/ring]\nprotocol: 1\n");
    fs::remove_file(bench.bells.join("ring")).unwrap();
    bench.sandbox.ok(&["plugin", "install", "bells"]);
    assert_eq!(bench.installed("target/ring"), READY);
    assert!(!bench.all().contains_key("bells/target/CACHEDIR.TAG"));
    assert!(bench.installed("plugin.yaml").contains("sha256"));

    let command = serde_json::json!(["sh", "-c", READY]);
    bench.write("plugin.yaml", &format!("name: bells\nversion: 1.0.0\nkind: exec\ncommand: {command}\nprotocol: 1\n"));
    let json = bench.sandbox.json(&["plugin", "install", "bells", "--force"]);
    assert!(json["sha256"].is_null() && !bench.installed("plugin.yaml").contains("sha256"), "{json:#}");
    assert!(bench.sandbox.ok(&["plugin", "list"]).contains("usable"));
}

#[test]
fn a_refusal_leaves_the_old_one_as_it_was() {
    let bench = Bench::new();
    bench.sandbox.ok(&["plugin", "install", "bells"]);
    let check = |name: &str, text: &str, parts: &[&str]| {
        let old = fs::read_to_string(bench.bells.join(name)).unwrap_or_default();
        bench.write(name, text);
        bench.refused(parts);
        bench.write(name, &old);
    };
    check(
        "ring",
        "exit 0",
        &["plugin `bells` was not installed: bells/ring exited with status 0", "`sched plugin check bells`"],
    );
    check("plugin.yaml", "name: bells\n", &["bells/plugin.yaml: there is no `kind`"]);
    let braces = "{name: bells, version: 1.0.0, kind: exec, command: [sh, ring], protocol: 1}\n";
    check("plugin.yaml", braces, &["the sha256 of the plugin's code can't be noted", "without braces"]);
    let nothing = "name: bells\nversion: 1.0.0\nkind: exec\ncommand: [./rong]\nprotocol: 1\n";
    // Named as it was typed, and not where a copy of it was tried.
    check("plugin.yaml", nothing, &["bells/rong is not there"]);
    let pinned = format!(
        "sha256: {}\nname: bells\nversion: 1.0.0\nkind: exec\ncommand: [sh, ring]\nprotocol: 1\n",
        "a".repeat(64)
    );
    check("plugin.yaml", &pinned, &[" bells/ring has the sha256 ", "not aaaa"]);

    set_mode(&bench.bells.join("ring"), 0o666);
    bench.refused(&["bells/ring can be written by everybody (mode 0666)", "chmod o-w bells/ring"]);
    set_mode(&bench.bells.join("ring"), 0o644);
    symlink("/etc/passwd", bench.bells.join("passwd")).unwrap();
    bench.refused(&["bells/passwd leads out of the plugin's folder, to /etc/passwd"]);
    assert_eq!(bench.installed("ring"), READY);
}

#[test]
fn what_somebody_has_set_there_is_not_lost() {
    let bench = Bench::new();
    bench.sandbox.ok(&["plugin", "install", "bells"]);
    let path = bench.plugins().join("bells/plugin.yaml");
    fs::write(&path, bench.installed("plugin.yaml") + "config: {hours: [8, 12]}\n").unwrap();
    let again = || bench.sandbox.ok(&["plugin", "install", "bells", "--force"]);
    assert!(again().contains("the old plugin.yaml is kept beside it as plugin.yaml.old"));
    assert!(bench.installed("plugin.yaml.old").contains("hours: [8, 12]"));
    // Not even by the next one.
    assert!(!again().contains("plugin.yaml.old"));
    assert!(bench.installed("plugin.yaml.old").contains("hours: [8, 12]"));
}

#[test]
fn a_link_and_a_copy_take_each_others_place() {
    let bench = Bench::new();
    let target = bench.plugins().join("bells");
    bench.sandbox.ok(&["plugin", "install", "bells"]);
    bench.sandbox.fails(&["plugin", "install", "bells", "--force", "--link"], 1, &["can be written by its group"]);
    assert!(!target.is_symlink());
    for entry in ["", "ring", "plugin.yaml"] {
        let path = bench.bells.join(entry);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        set_mode(&path, mode & !0o022);
    }
    bench.sandbox.ok(&["plugin", "install", "bells", "--force", "--link"]);
    assert_eq!(fs::read_link(&target).unwrap(), bench.bells.canonicalize().unwrap());
    bench.sandbox.fails(&["plugin", "install", "bells"], 1, &["1.0.0 is installed already"]);
    bench.sandbox.ok(&["plugin", "install", "bells", "--force"]);
    assert!(!target.is_symlink() && bench.bells.join("ring").exists());
    let itself = target.to_str().unwrap();
    bench.sandbox.fails(&["plugin", "install", itself, "--force"], 1, &["is what is installed already"]);
    bench.sandbox.fails(&["plugin", "install", itself, "--force", "--link"], 1, &["is what is installed already"]);
    assert!(!target.is_symlink());
}

#[test]
fn crashes_are_told_of_and_forgotten_with_their_plugin() {
    let bench = Bench::new();
    let sum = bench.sandbox.json(&["plugin", "install", "bells"])["sha256"].clone();
    let crash = serde_json::json!({"at": "2026-01-01T00:00:00Z", "why": "it exited with status 1"});
    let record = serde_json::json!({ sum.as_str().unwrap(): {"plugin": "bells", "crashes": [crash, crash]} });
    let path = bench.sandbox.path().join("state/plugin-crashes.json");
    fs::write(&path, record.to_string()).unwrap();
    let ran = bench.sandbox.run(&["plugin", "install", "bells", "--force"]);
    assert_eq!(ran.code, Some(0));
    assert!(
        ran.err.contains("it is in quarantine after 2 crashes") && ran.err.contains("sched plugin allow bells"),
        "{ran:?}"
    );
    assert!(bench.sandbox.ok(&["plugin", "remove", "bells"]).contains("its crashes are forgotten"));
    assert_eq!(fs::read_to_string(&path).unwrap(), "{}");
    assert!(bench.all().is_empty());
    assert!(bench.bells.join("ring").exists());
}

#[test]
fn a_folder_with_something_in_it_is_left_alone() {
    let bench = Bench::new();
    let (sandbox, folder) = (&bench.sandbox, &bench.folder);
    fs::create_dir(folder.join("gongs")).unwrap();
    fs::write(folder.join("gongs/.mine"), "mine").unwrap();
    sandbox.fails(&["plugin", "new", "gongs"], 1, &["gongs is not empty; nothing was written"]);
    assert_eq!(fs::read_dir(folder.join("gongs")).unwrap().count(), 1);
    fs::write(folder.join("horns"), "mine").unwrap();
    sandbox.fails(&["plugin", "new", "horns"], 1, &["horns: not a directory"]);
    fs::remove_file(folder.join("gongs/.mine")).unwrap();
    sandbox.ok(&["plugin", "new", "gongs", "--dir", "gongs/."]);
    assert!(folder.join("gongs/Cargo.toml").exists());
}

#[test]
fn the_crate_is_taken_from_where_it_is_asked_for() {
    let bench = Bench::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().canonicalize().unwrap();
    let crate_folder = root.join("plugins/sched-plugin");
    for (name, sdk) in [("a", &root), ("b", &crate_folder)] {
        bench.sandbox.ok(&["plugin", "new", name, "--sdk", sdk.to_str().unwrap()]);
        let manifest = fs::read_to_string(bench.folder.join(name).join("Cargo.toml")).unwrap();
        let expected = format!("sched-plugin = {{ path = {:?} }}", crate_folder.display().to_string());
        assert!(manifest.contains(&expected), "{manifest}");
        assert!(!bench.folder.join(name).join("vendor").exists());
    }
}
