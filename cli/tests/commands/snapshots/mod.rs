//! The whole command line as it looks: a file of `tests/snapshots` is a session, commands and what they print.
//!
//! `$ ` begins a command line for `sh`, and `# exits 3` at its end says how it ends (0 otherwise). What follows is what
//! it prints on stdout, and after that, behind `! `, on stderr. Every command has a session that is named after it, and
//! one in `help/` that is made of the grammar. Sessions begin in a home with a few jobs, or, if their first line is
//! `# without a home`, in an empty folder.
//!
//! `scripts/snapshots` takes what is printed now for right, and begins a session for a command that has none. Look at
//! the difference before you commit it.

mod filters;
mod session;

use std::{collections::BTreeSet, fs, path::PathBuf};

use self::session::{Session, Stage, Start};

#[test]
fn every_command_looks_as_its_snapshot_says() {
    let stage = Stage::new();
    let folder = folder();
    for name in commands() {
        let path = folder.join(format!("{name}.txt"));
        if !path.exists() && session::overwrites() {
            let words = name.replace('-', " ");
            stage.compare(&path, &Session::of(&[format!("sched {words}"), format!("sched {words} --json")]));
        }
        let text = fs::read_to_string(&path).unwrap_or_default();
        let typed = Session::read(&text).lines.iter().any(|line| names(line, &name));
        assert!(typed, "{} has no line with `sched {name}`: write one, then run scripts/snapshots", path.display());
    }
    for path in session::files(&folder) {
        stage.compare(&path, &Session::read(&fs::read_to_string(&path).unwrap()));
    }
    stage.finish();
}

#[test]
fn every_help_and_refusal_looks_as_its_snapshot_says() {
    let stage = Stage::new();
    let folder = folder().join("help");
    let mut known = BTreeSet::new();
    for name in commands().into_iter().chain([String::new()]) {
        let words = format!("sched {}", name.replace('-', " "));
        let words = words.trim_end();
        let path = folder.join(format!("{}.txt", words.replace(' ', "-")));
        let lines = [format!("{words} --help"), format!("{words} --no-such-option")];
        stage.compare(&path, &Session { start: Start::Nothing, ..Session::of(&lines) });
        known.insert(path);
    }
    stage.finish();
    let stray: Vec<PathBuf> = session::files(&folder).into_iter().filter(|path| !known.contains(path)).collect();
    assert!(stray.is_empty(), "of commands that are no more, remove them: {stray:?}");
}

/// The commands, with a dash between the words of those that stand below another.
fn commands() -> Vec<String> {
    fn below(command: &clap::Command, path: &str, all: &mut Vec<String>) {
        for child in command.get_subcommands().filter(|child| child.get_name() != "help") {
            let name = format!("{path}{}", child.get_name());
            if child.has_subcommands() {
                below(child, &format!("{name}-"), all);
            } else {
                all.push(name);
            }
        }
    }
    let mut all = Vec::new();
    below(&sched_cli::grammar(), "", &mut all);
    all
}

/// Whether a line calls the command of this name.
fn names(line: &str, name: &str) -> bool {
    let options = |word: &&str| !word.starts_with("--");
    let words: Vec<&str> = line.split_whitespace().filter(options).collect();
    let wanted: Vec<&str> = name.split('-').collect();
    words.windows(wanted.len() + 1).any(|window| window[0] == "sched" && window[1..] == wanted[..])
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots")
}
