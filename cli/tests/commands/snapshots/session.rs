//! A session: its commands, where they are typed, and what comes of them.

use std::{
    cell::RefCell,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use snapbox::{Assert, Data, assert::Action};

use super::filters::Filters;
use crate::support::{Sandbox, run};

/// What is typed.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) start: Start,
    pub(super) lines: Vec<String>,
}

/// What is there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    Home,
    Nothing,
}

const WITHOUT: &str = "# without a home";

impl Session {
    /// These lines, in a home with jobs.
    pub(super) fn of(lines: &[String]) -> Self {
        Self { start: Start::Home, lines: lines.to_vec() }
    }

    /// The lines of a file.
    pub(super) fn read(text: &str) -> Self {
        let start = if text.starts_with(WITHOUT) { Start::Nothing } else { Start::Home };
        let typed = text.lines().filter_map(|line| line.strip_prefix("$ "));
        let lines = typed.map(|line| line.split("  # exits ").next().unwrap_or(line).to_owned()).collect();
        Self { start, lines }
    }

    /// Types everything in, and answers the text of the file as it should be. Help is printed as it stands.
    fn play(&self, filters: &Filters) -> String {
        let sandbox = Sandbox::new();
        let folder = sandbox.path().parent().unwrap().to_owned();
        let mut text = String::new();
        match self.start {
            Start::Home => copy(&HOME, &folder),
            Start::Nothing => text.push_str(&format!("{WITHOUT}\n")),
        }
        fs::create_dir(folder.join("bin")).unwrap();
        symlink(env!("CARGO_BIN_EXE_sched"), folder.join("bin/sched")).unwrap();
        for line in &self.lines {
            // Everything as a session's file says it, but for the program, which is found by its name.
            let mut command = Command::new("/bin/sh");
            let typed = sandbox.command(&[]);
            command.env_clear().envs(typed.get_envs().filter_map(|(name, value)| Some((name, value?))));
            command.env("PATH", format!("{}:/usr/bin:/bin", folder.join("bin").display()));
            command.args(["-c", line]).current_dir(&folder);
            let ran = run(command, "");
            let code = ran.code.expect("an exit code");
            let exits = if code == 0 { String::new() } else { format!("  # exits {code}") };
            let is_help = line.ends_with("--help");
            // The first home is named in what was recorded there.
            let shown = |text: &str| match (is_help, self.start) {
                (true, _) => text.to_owned(),
                (_, Start::Nothing) => filters.apply(text, &[&folder]),
                (_, Start::Home) => filters.apply(text, &[&folder, HOME.path().parent().unwrap()]),
            };
            text.push_str(&format!("$ {line}{exits}\n"));
            text.extend(shown(&ran.out).lines().map(|line| format!("{}\n", line.trim_end())));
            text.extend(shown(&ran.err).lines().map(|line| format!("{}\n", format!("! {line}").trim_end())));
        }
        text
    }
}

/// Where sessions are played, and what didn't look as it should.
pub(super) struct Stage {
    filters: Filters,
    assert: Assert,
    differences: RefCell<Vec<String>>,
}

impl Stage {
    pub(super) fn new() -> Self {
        Self { filters: Filters::new(), assert: assert(), differences: RefCell::default() }
    }

    /// Plays a session and compares it with the file, which is written anew if that is asked for.
    pub(super) fn compare(&self, path: &Path, session: &Session) {
        let expected = Data::read_from(path, None).raw();
        let actual = Data::text(session.play(&self.filters)).raw();
        let difference = self.assert.try_eq(Some(&path.display()), actual, expected).err();
        self.differences.borrow_mut().extend(difference.map(|error| error.to_string()));
    }

    /// Fails with all differences at once.
    pub(super) fn finish(self) {
        let differences = self.differences.into_inner();
        assert!(differences.is_empty(), "{}\nif all of it is meant so, run scripts/snapshots", differences.join("\n"));
    }
}

/// Whether what is printed now is to be taken for right.
pub(super) fn overwrites() -> bool {
    matches!(assert().selected_action(), Action::Overwrite)
}

fn assert() -> Assert {
    Assert::new().action_env("SNAPSHOTS")
}

/// The sessions in a folder.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.is_file()).collect();
    files.sort();
    files
}

/// The home that sessions begin in, made once: one job that ran, one that failed, one that is paused, one disabled.
static HOME: LazyLock<Sandbox> = LazyLock::new(|| {
    let sandbox = Sandbox::with_jobs(
        r#"{"id": "backup", "name": "Nightly dump", "description": "the books", "schedule": "30 2 1 1 *",
 "timezone": "America/New_York", "command": ["echo", "dumped"], "env": {"PGPASSWORD": "hunter2"}, "workdir": "/",
 "timeout": "1h", "tags": ["db"]},
{"id": "sync", "schedule": "0 4 1 7 *", "timezone": "UTC", "command": "echo no route to host >&2; exit 3"},
{"id": "sweep", "schedule": "@manually", "command": ["true"]},
{"id": "old", "schedule": "@yearly", "timezone": "UTC", "command": ["true"], "enabled": false}"#,
    );
    sandbox.ok(&["fire", "backup", "--wait"]);
    assert_eq!(sandbox.run(&["fire", "sync", "--wait"]).code, Some(1));
    sandbox.ok(&["pause", "sweep", "--reason", "the attic is locked"]);
    sandbox
});

/// Copies the home of `from` into `folder`, modes and all.
fn copy(from: &Sandbox, folder: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from.path()).arg(folder).status().unwrap();
    assert!(copied.success());
}
