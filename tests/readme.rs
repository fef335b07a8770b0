//! What README.md and `docs/` show is what happens: every `console` block is typed in, and what comes back is compared.
//!
//! `$ ` begins a command, a trailing `# exits 4` says how it ends (0 otherwise), and the lines after it are what it prints.
//! `> ` goes on with a command, and a line of `...` stands for any lines. Numbers, ids, instants and spans may differ, words may not.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader, Read},
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_mins(1);

/// A command and what it has to do.
#[derive(Debug, PartialEq)]
struct Step {
    line: String,
    exit: i32,
    prints: Vec<String>,
}

#[test]
fn every_command_of_the_readme_does_what_it_says() {
    follow("README.md", 10);
}

#[test]
fn every_command_of_the_schedules_page_does_what_it_says() {
    follow("docs/schedules.md", 2);
}

#[test]
fn every_command_of_the_tour_does_what_it_says() {
    follow("docs/tour.md", 25);
}

#[test]
fn every_command_of_the_migrating_page_does_what_it_says() {
    follow("docs/migrating.md", 4);
}

#[test]
fn every_command_of_the_jobs_page_does_what_it_says() {
    follow("docs/jobs.md", 10);
}

#[test]
fn every_command_of_the_alerts_page_does_what_it_says() {
    follow("docs/alerts.md", 6);
}

#[test]
fn every_command_of_the_simulation_page_does_what_it_says() {
    follow("docs/simulate.md", 6);
}

#[test]
fn every_command_of_the_audit_page_does_what_it_says() {
    follow("docs/audit.md", 7);
}

#[test]
fn every_command_of_the_heartbeats_page_does_what_it_says() {
    follow("docs/heartbeats.md", 7);
}

/// Types in what the page shows, which must be at least so many commands.
#[track_caller]
fn follow(page: &str, at_least: usize) {
    let steps = steps(&fs::read_to_string(root().join(page)).expect(page));
    assert!(steps.len() >= at_least, "only {} commands found in {page}", steps.len());
    let mut terminal = Terminal::new();
    for step in &steps {
        terminal.take(step);
    }
}

#[test]
fn the_readme_is_read_as_it_says() {
    let text = "```console\n$ sched status  # exits 4\nSTOPPED  none\n$ true\n```\n```sh\n$ rm -rf /\n```\n";
    let step = |line: &str, exit, prints: &[&str]| Step {
        line: line.into(),
        exit,
        prints: prints.iter().map(|line| (*line).to_owned()).collect(),
    };
    assert_eq!(steps(text), [step("sched status", 4, &["STOPPED  none"]), step("true", 0, &[])]);
    let text = "```console\n$ cat <<END\n> a\n> END\na\n```\n";
    assert_eq!(steps(text), [step("cat <<END\na\nEND", 0, &["a"])]);
}

#[test]
fn words_must_agree_and_numbers_need_not() {
    let same = |one: &str, other: &str| normal(one) == normal(other);
    assert!(same(
        "run 1m80n4457pp0yjz of job `a`: succeeded now",
        "run 1m80n445x4wcmsb of job `a`:  succeeded 2 s ago"
    ));
    assert!(same("last beat at 2026-11-22T03:34:44Z (now)", "last beat at 2027-01-01T00:00:00Z (1m 2s ago)"));
    assert!(same("  2026-11-23T02:30:00+01:00  in 22 h", "  2026-11-23T02:30:00+02:00  in 3 days"));
    assert!(same("a  2 ms  asked for", "a  1.2 s  asked for"));
    assert!(!same("succeeded now", "failed now"));
    assert!(!same("2 jobs, 1 enabled", "2 jobs, 1 disabled"));
    let lines = |text: &[&str]| text.iter().map(|line| normal(line)).collect::<Vec<_>>();
    assert!(agrees(&lines(&["a", "...", "d"]), &lines(&["a", "b", "c", "d"])));
    assert!(!agrees(&lines(&["a", "..."]), &lines(&["b"])));
    assert!(!agrees(&lines(&["a"]), &lines(&["a", "b"])));
}

/// The commands of all `console` blocks, in order.
fn steps(readme: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for line in readme.lines() {
        if line.starts_with("```") {
            inside = !inside && line == "```console";
        } else if let Some(typed) = line.strip_prefix("$ ").filter(|_| inside) {
            let (line, exit) = match typed.rsplit_once("# exits ") {
                Some((line, code)) => (line.trim_end(), code.parse().expect("an exit code")),
                None => (typed, 0),
            };
            steps.push(Step { line: line.to_owned(), exit, prints: Vec::new() });
        } else if let Some(more) = line.strip_prefix("> ").filter(|_| inside) {
            let step = steps.last_mut().filter(|step| step.prints.is_empty());
            step.expect("a command that goes on").line.push_str(&format!("\n{more}"));
        } else if inside {
            steps.last_mut().expect("a command before its output").prints.push(line.to_owned());
        }
    }
    steps
}

/// Somebody who follows a page: a home of their own, `sched` on the path, perhaps a daemon in the background.
struct Terminal {
    folder: TempDir,
    program: PathBuf,
    variables: BTreeMap<String, String>,
    /// What is printed here, and what the page has in its place.
    names: Vec<(String, String)>,
    background: Option<Daemon>,
}

impl Terminal {
    fn new() -> Self {
        let program = built_program();
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("bin")).expect("a folder");
        symlink(&program, folder.path().join("bin/sched")).expect("a link");
        let names = vec![
            (program.display().to_string(), "target/release/sched".into()),
            (folder.path().display().to_string(), "/home/ann".into()),
        ];
        Self { folder, program, variables: BTreeMap::new(), names, background: None }
    }

    fn take(&mut self, step: &Step) {
        let line = step.line.replace("cargo run --release -- ", "sched ");
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            // It is what runs this test.
            ["scripts/test"] => {
                let mode = fs::metadata(root().join("scripts/test")).expect("scripts/test").permissions().mode();
                assert!(mode & 0o111 != 0, "scripts/test can't be run");
            }
            ["export", assignment] => self.export(assignment),
            ["sched", "run", .., "&"] => {
                assert!(self.background.is_none(), "one daemon is in the background already");
                let daemon = Daemon::start(self.command("sched", &words[1..2]));
                daemon.wait_for_line(|line| line.contains("firing"));
                self.wait_until_it_fires();
                self.background = Some(daemon);
            }
            ["kill", signal @ .., "%1"] => {
                let daemon = self.background.take().expect("a daemon in the background");
                daemon.end(signal.first().copied().unwrap_or("-TERM"));
            }
            ["sched", "run", ..] => {
                let daemon = Daemon::start(self.command("sched", &words[1..]));
                let mut printed = Vec::new();
                let expected: Vec<String> = step.prints.iter().map(|line| self.shown(line)).collect();
                daemon.wait_for_line(|line| {
                    printed.push(self.shown(line));
                    agrees(&expected, &printed)
                });
                assert_eq!(daemon.end("-INT"), Some(step.exit), "{line}");
            }
            _ => {
                // In one stream, as a terminal shows them.
                let ran = self.command("bash", &["-c", &format!("exec 2>&1; {line}")]).output().expect("bash");
                let printed = String::from_utf8_lossy(&ran.stdout).into_owned();
                assert_eq!(ran.status.code(), Some(step.exit), "`{line}` printed:\n{printed}");
                let expected: Vec<String> = step.prints.iter().map(|line| self.shown(line)).collect();
                let shown: Vec<String> = printed.lines().map(|line| self.shown(line)).collect();
                assert!(
                    agrees(&expected, &shown),
                    "`{line}` is shown to print\n{}\nand printed\n{printed}",
                    step.prints.join("\n")
                );
            }
        }
    }

    /// `NAME=/folder`: the folder is one of this test's, and known by its name on the page.
    fn export(&mut self, assignment: &str) {
        let (name, folder) = assignment.split_once('=').expect("NAME=value");
        let here = self.folder.path().join(folder.trim_start_matches('/')).display().to_string();
        self.names.insert(0, (here.clone(), folder.to_owned()));
        self.variables.insert(name.to_owned(), here);
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let program = if program == "sched" { self.program.clone() } else { program.into() };
        let mut command = Command::new(program);
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", self.folder.path().join("bin").display());
        command.args(arguments).env_clear().env("HOME", self.folder.path()).env("PATH", path);
        command
            .env("TZ", "Europe/Berlin")
            .env("TMPDIR", self.folder.path())
            .envs(&self.variables)
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// The first beat comes a moment after the first line.
    fn wait_until_it_fires(&self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let ran = self.command("sched", &["status"]).output().expect("sched status");
            if ran.status.code() != Some(4) {
                return;
            }
            let said = String::from_utf8_lossy(&ran.stdout).into_owned();
            assert!(Instant::now() < deadline, "the daemon never fired: {said}");
        }
    }

    fn shown(&self, line: &str) -> String {
        normal(&self.names.iter().fold(line.to_owned(), |line, (here, there)| line.replace(here, there)))
    }
}

/// A daemon, and what it prints.
struct Daemon {
    child: Child,
    lines: Receiver<String>,
}

impl Daemon {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("sched run");
        let (sender, lines) = channel();
        let streams: [Box<dyn Read + Send>; 2] =
            [Box::new(child.stdout.take().expect("stdout")), Box::new(child.stderr.take().expect("stderr"))];
        for stream in streams {
            let sender = sender.clone();
            // Reads to the end even when nobody listens any more: a full pipe would stop the daemon.
            thread::spawn(move || {
                BufReader::new(stream).lines().map_while(Result::ok).for_each(|line| drop(sender.send(line)));
            });
        }
        Self { child, lines }
    }

    fn wait_for_line(&self, mut is_it: impl FnMut(&str) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("the daemon never printed what was waited for, but:\n{}", seen.join("\n"))
            };
            if is_it(&line) {
                return;
            }
            seen.push(line);
        }
    }

    /// Its exit code; none if the signal killed it.
    fn end(mut self, signal: &str) -> Option<i32> {
        let kill = format!("kill {signal} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().expect("sh").success(), "{kill}");
        self.child.wait().expect("its end").code()
    }
}

impl Drop for Daemon {
    /// A failed test leaves no daemon behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether the lines that were printed are those that were expected.
fn agrees(expected: &[String], printed: &[String]) -> bool {
    match expected {
        [] => printed.is_empty(),
        [any, rest @ ..] if any == "..." => (0..=printed.len()).any(|skipped| agrees(rest, &printed[skipped..])),
        [first, rest @ ..] => printed.split_first().is_some_and(|(line, others)| line == first && agrees(rest, others)),
    }
}

/// A line without what differs from one time to the next.
fn normal(line: &str) -> String {
    let line = line.replace('(', " ( ").replace(')', " ) ");
    let words: Vec<String> = line.split_whitespace().map(normal_word).collect();
    let mut shown: Vec<&str> = Vec::new();
    for word in &words {
        let last = shown.last().copied();
        match word.as_str() {
            "now" => shown.push("WHEN"),
            "ago" if last == Some("SPAN") => *shown.last_mut().expect("a span") = "WHEN",
            "s" | "ms" | "min" | "h" | "days" if matches!(last, Some("SPAN" | "WHEN")) => {}
            word if is_span(word) && matches!(last, Some("SPAN" | "WHEN")) => {}
            word if is_span(word) && last == Some("in") => *shown.last_mut().expect("in") = "WHEN",
            word if is_span(word) => shown.push("SPAN"),
            word => shown.push(word),
        }
    }
    shown.join(" ")
}

/// `#` for each number, RUN for the id of a run, and one word for a daemon between two ticks or in one.
fn normal_word(word: &str) -> String {
    let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let is_id = bare.len() == 15
        && bare.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase())
        && bare.bytes().any(|byte| byte.is_ascii_digit());
    let word = if is_id { word.replace(bare, "RUN") } else { word.to_owned() };
    // A busy machine may show the beat of the middle of a tick.
    let word = word.replace("ticking,", "idle,");
    let mut shown = String::new();
    for letter in word.chars() {
        match letter {
            '0'..='9' if shown.ends_with('#') => {}
            '0'..='9' => shown.push('#'),
            other => shown.push(other),
        }
    }
    shown
}

/// `#`, `#.#`, `#s`: a number that may have a unit.
fn is_span(word: &str) -> bool {
    let unit = word.trim_start_matches(['#', '.']);
    word.starts_with('#') && ["", "s", "ms", "m", "h", "d"].contains(&unit)
}

/// The program in the target folder that this test is in.
fn built_program() -> PathBuf {
    let test = std::env::current_exe().expect("this program");
    let folder = test.parent().and_then(Path::parent).expect("the folder of the profile");
    let program = folder.join("sched");
    assert!(program.is_file(), "{} isn't there: run `cargo build --workspace` first", program.display());
    program
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}
