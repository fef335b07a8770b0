//! A plugin whose panics would end its process doesn't compile.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const PLUGIN: &str = r#"
use sched_plugin::{BoxError, Config, Host, SchedulerPlugin, export_scheduler};
pub struct Once;
impl SchedulerPlugin for Once {
    fn from_config(_: Config) -> Result<Self, BoxError> { Ok(Self) }
    fn start(&self, host: &Host) -> Result<(), BoxError> { Ok(host.tick()?) }
}
export_scheduler!("once", Once);
"#;

#[test]
fn what_is_built_with_panic_abort_is_an_error_that_says_what_to_do() {
    let (compiles, said) = compiled("unwind");
    assert!(compiles, "{said}");
    let (compiles, said) = compiled("abort");
    assert!(!compiles && said.contains("a plugin of sched must be built with panic = \"unwind\""), "{said}");
}

#[expect(clippy::disallowed_methods, reason = "a source that is thrown away")]
fn compiled(panic: &str) -> (bool, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("once.rs");
    fs::write(&source, PLUGIN).expect("a file");
    let dependencies = dependencies();
    let mut rustc = Command::new("rustc");
    rustc
        .args(["--edition", "2024", "--crate-type", "cdylib", "--emit", "metadata", "-C"])
        .arg(format!("panic={panic}"));
    rustc.arg("--extern").arg(format!("sched_plugin={}", newest(&dependencies).display()));
    rustc.arg("-L").arg(format!("dependency={}", dependencies.display()));
    // What Cargo sets for every crate.
    rustc.env("CARGO_PKG_VERSION", "1.0.0").arg("--out-dir").arg(folder.path()).arg(&source);
    let done = rustc.output().expect("the compiler that built this");
    (done.status.success(), String::from_utf8_lossy(&done.stderr).into_owned())
}

/// Where Cargo has put what this test is linked with.
fn dependencies() -> PathBuf {
    std::env::current_exe().expect("this program").parent().expect("a folder").to_owned()
}

/// The SDK as it was built last.
fn newest(folder: &Path) -> PathBuf {
    let files = fs::read_dir(folder).expect("a folder").filter_map(Result::ok);
    let named = files.filter(|file| {
        let is_ours = file.file_name().to_string_lossy().starts_with("libsched_plugin-");
        is_ours && file.path().extension().is_some_and(|kind| kind == "rlib")
    });
    let built = |file: &fs::DirEntry| file.metadata().and_then(|stat| stat.modified()).ok();
    named.max_by_key(built).expect("the SDK, built").path()
}
