//! Builds an animal, puts it into a home of its own, and looks at what becomes of the home.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::Value;

use super::cases::Case;
use crate::process::bench::{Daemon, Place, sched, within};

/// What it is made of.
#[derive(Clone, Copy)]
pub(super) enum Made {
    /// `bad.c` with these switches.
    C(&'static [&'static str]),
    /// The same with one of them.
    COne(&'static str),
    /// `bad.c`, linked as a program.
    Executable,
    /// `bad.c`, where only root can spoil it.
    OfRoot,
    /// The example `panics` of the SDK, which does it there.
    Rust(&'static str),
    /// `bad.sh` with this argument.
    Sh(&'static str),
    /// The same, started by its own name.
    Program,
}

/// What becomes of it.
#[derive(Clone, Copy)]
pub(super) enum Want {
    /// `sched plugin check` finds it, with this sentence and this hint, and the daemon does not use it.
    Refused(&'static str, &'static str),
    /// The same of `bad.sh`, whose argument ends the hint.
    RefusedProgram(&'static str, &'static str),
    /// It shows at work, with this sentence.
    Fails(&'static str),
    /// It does its work, and can do no harm; and this is so as well.
    Works(fn(&Place, &Daemon)),
}

/// From the start of the daemon, or from the failure, to the first job that fires.
const TO_FIRE: Duration = Duration::from_secs(10);
/// A plugin that tells a lot must not fill the disk.
const LONGEST_LOG: usize = 4 << 20;

#[expect(clippy::print_stdout, reason = "a test that proves nothing here says so")]
pub(super) fn keep(case: &Case) {
    if matches!(case.made, Made::OfRoot) && !rustix::process::geteuid().is_root() {
        println!("only root can try: {}", case.name);
        return;
    }
    let place = Place::empty();
    place.write("config.yaml", "provider: zoo\n");
    place.write_jobs(&[place.job("job", "* * * * * *", "")]);
    let folder = cage(&place, case.made);
    let sum = sum_of(&folder);
    (case.spoilt)(&folder);
    let folder = folder.canonicalize().expect("a folder");
    let words = |text: &str| {
        let outside = folder.with_file_name("outside.so");
        text.replace("%.outside", &outside.display().to_string())
            .replace('%', &folder.display().to_string())
            .replace("SUM", &sum)
    };
    let refused = match (case.want, case.made) {
        (Want::RefusedProgram(why, hint), Made::Sh(word)) => Some((words(why), words(&format!("{hint}{word}`")))),
        (Want::Refused(why, hint), _) => Some((words(why), words(hint))),
        _ => None,
    };
    if let Some(expected) = &refused {
        assert_eq!(&checked(&place), expected);
    }

    let began = Instant::now();
    let mut daemon = place.start(&["run"]);
    within(TO_FIRE, "a job that fires", || if place.effects("job").is_empty() { Err(daemon.log()) } else { Ok(()) });
    assert!(daemon.is_running(), "{}", daemon.log());
    let why = match case.want {
        Want::Works(is_so) => {
            place.until_status("the plugin fires", |status| {
                status["heartbeat"]["provider"] == "zoo" && status["verdict"] == "live"
            });
            is_so(&place, &daemon);
            None
        }
        Want::Fails(why) => Some(format!("provider `zoo` failed: {}", words(why))),
        Want::Refused(..) | Want::RefusedProgram(..) => {
            refused.map(|(why, _)| format!("provider `zoo` could not be made: {why}"))
        }
    };
    if let Some(why) = why {
        let status = place.until_status("the built-in fires", |status| status["verdict"] == "degraded");
        assert_eq!(status["exit_code"], 3, "{status:#}");
        let told = status["problems"][0]["what"].as_str().unwrap_or_default();
        assert_eq!(
            told,
            format!("the provider `builtin` fires instead of the one that was asked for: {why}"),
            "after {:?}",
            began.elapsed()
        );
        let fired = place.effects("job").len();
        within(TO_FIRE, "two more", || if place.effects("job").len() < fired + 2 { Err(daemon.log()) } else { Ok(()) });
    }
    daemon.signal(Signal::TERM);
    let ended = daemon.wait();
    assert_eq!(ended.code(), Some(0), "{}", daemon.log());
    place.no_instant_twice("job");
    assert!(daemon.log().len() < LONGEST_LOG, "{} bytes of log", daemon.log().len());
}

/// The sentence and the hint of `sched plugin check`.
fn checked(place: &Place) -> (String, String) {
    let ran = place.run(&["--json", "plugin", "check", "zoo"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    let value: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    let gates = value["gates"].as_array().expect("a list");
    let bad: Vec<&Value> = gates.iter().filter(|gate| gate["passed"] == false).collect();
    assert_eq!(bad.len(), 1, "one sentence: {value:#}");
    let text = |key: &str| bad[0][key].as_str().unwrap_or_default().to_owned();
    (text("what"), text("hint"))
}

/// Puts a plugin called `zoo` into the home, made of `bad.c` with this switch.
pub(in crate::process) fn in_c(place: &Place, switch: &str) {
    let folder = empty(place);
    compile(&folder.join("libzoo.so"), &[switch], &["-shared", "-fPIC"]);
    close(place, &folder, "kind: dylib\nlibrary: libzoo.so\nabi: 1\n");
}

fn empty(place: &Place) -> PathBuf {
    let folder = place.home().join("plugins/zoo");
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// The folder of a plugin called `zoo`, and whose modes are what they should be.
fn cage(place: &Place, made: Made) -> PathBuf {
    let folder = empty(place);
    let library = folder.join("libzoo.so");
    let mut config = "{}".to_owned();
    match made {
        Made::C(switches) => compile(&library, switches, &["-shared", "-fPIC"]),
        Made::COne(switch) => compile(&library, &[switch], &["-shared", "-fPIC"]),
        Made::OfRoot => compile(&library, &[], &["-shared", "-fPIC"]),
        Made::Executable => compile(&library, &[], &["-fPIE", "-pie", "-rdynamic"]),
        Made::Rust(place) => {
            let built = sched().with_file_name("examples").join("libpanics.so");
            assert!(built.is_file(), "{} is missing: run `cargo build --workspace --examples`", built.display());
            fs::copy(built, &library).expect("a copy");
            config = format!("{{in: '{place}'}}");
        }
        Made::Sh(_) | Made::Program => {
            fs::copy(sources().join("bad.sh"), folder.join("bad.sh")).expect("a copy");
        }
    }
    let kind = match made {
        Made::Sh(word) => format!("kind: exec\ncommand: [sh, bad.sh, {word}]\nprotocol: 1\n"),
        Made::Program => "kind: exec\ncommand: [./bad.sh]\nprotocol: 1\n".into(),
        _ => format!("kind: dylib\nlibrary: libzoo.so\nabi: 1\nconfig: {config}\n"),
    };
    close(place, &folder, &kind);
    folder
}

/// What is in the folder is a plugin of this `kind` then.
fn close(place: &Place, folder: &Path, kind: &str) {
    fs::write(folder.join("plugin.yaml"), format!("name: zoo\nversion: '1'\n{kind}")).expect("a plugin.yaml");
    for path in [&place.home(), &place.home().join("plugins"), folder] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a mode");
    }
    for file in fs::read_dir(folder).expect("a folder") {
        fs::set_permissions(file.expect("a file").path(), fs::Permissions::from_mode(0o644)).expect("a mode");
    }
}

fn compile(library: &Path, switches: &[&str], options: &[&str]) {
    let header = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins/sched-plugin-abi/include");
    let mut cc = Command::new("cc");
    cc.args(options).args(["-I", header, "-o"]).arg(library).args(switches.iter().map(|switch| format!("-D{switch}")));
    let done = cc.arg(sources().join("bad.c")).output().expect("a C compiler");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("process/zoo")
}

/// As the system's own tool counts it; nothing where there is no library.
fn sum_of(folder: &Path) -> String {
    let said = Command::new("sha256sum").arg(folder.join("libzoo.so")).output().expect("sha256sum");
    String::from_utf8_lossy(&said.stdout).split_whitespace().next().unwrap_or_default().to_owned()
}
