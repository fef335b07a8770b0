//! The examples of `scheduler-core`, each as a process of its own: they print what they say, and stop by themselves.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const PATIENCE: Duration = Duration::from_mins(1);

#[test]
fn a_program_embeds_a_scheduler_in_less_than_forty_lines() {
    let said = run("embed");
    let instants: Vec<&str> = said.iter().filter_map(|line| line.strip_prefix("hello world at ")).collect();
    assert!(instants.len() >= 3 && instants.len() == said.len(), "{said:?}");
    assert!(instants.is_sorted_by(|one, next| one < next), "an instant fires once: {said:?}");
    let lines = fs::read_to_string(source("embed")).expect("the example").lines().count();
    assert!(lines < 40, "it has {lines} lines");
}

#[test]
fn the_guide_shows_the_example_as_it_is() {
    let example = fs::read_to_string(source("embed")).expect("the example");
    let guide = fs::read_to_string(root().join("docs/embedding.md")).expect("the guide");
    assert!(guide.contains(&format!("```rust\n{example}```\n")), "docs/embedding.md shows another embed.rs");
}

#[test]
fn a_provider_of_two_methods_fires_each_event_once() {
    let mut said = run("provider");
    said.sort();
    let expected = [
        "ring 1, front-door: somebody else fired it",
        "ring 1, front-door: started",
        "ring 2, back-door: started",
        "somebody is at the back-door",
        "somebody is at the front-door",
    ];
    assert_eq!(said, expected);
}

#[test]
fn a_notifier_hears_of_a_failure_and_of_its_end() {
    let expected = ["PAGE job-probe: job `probe` failed", "over job-probe: job `probe` succeeded again"];
    assert_eq!(run("notifier"), expected);
}

/// What the example prints, which must end well and in time.
#[track_caller]
fn run(name: &str) -> Vec<String> {
    let program = built(name);
    let mut child = Command::new(&program).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect(name);
    let mut stdout = child.stdout.take().expect("stdout");
    let (sender, said) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        let read = stdout.read_to_string(&mut text);
        let _ = sender.send(read.map(|_| text));
    });
    let begun = Instant::now();
    let Ok(said) = said.recv_timeout(PATIENCE) else {
        let _ = child.kill();
        let _ = child.wait();
        panic!("`{name}` did not stop by itself within {:?}", begun.elapsed());
    };
    assert!(child.wait().expect("its end").success(), "`{name}` failed");
    said.expect("text").lines().map(str::to_owned).collect()
}

/// The example in the target folder that this test is in, as new as its source.
#[track_caller]
fn built(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("this program");
    let program = test.parent().and_then(Path::parent).expect("the folder of the profile").join("examples").join(name);
    let changed = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified());
    let source = changed(&source(name)).expect("the example");
    let is_new = changed(&program).is_ok_and(|built| built >= source);
    assert!(is_new, "{} isn't there, or old: run `cargo build --workspace --examples` first", program.display());
    program
}

fn source(name: &str) -> PathBuf {
    root().join("scheduler-core/examples").join(name).with_extension("rs")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace")
}
