//! A home to try commands in, and what a command did there.

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use scheduler_core::{
    Clock, Home, JobId, JobStore as _, OccurrenceKind, Outcome, RunId,
    store::{Ask, Asked, JsonStore, JsonStoreOptions, Limits, Settled, Start},
};
use serde_json::Value;
use tempfile::TempDir;

/// A home in a folder that goes away with it. The machine's zone is Berlin there.
pub(crate) struct Sandbox {
    folder: TempDir,
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Sandbox {
    /// A folder in which no home has been made.
    pub(crate) fn new() -> Self {
        // Whatever the umask is: plugins must be nobody else's to write, with the folders above them.
        let ours = fs::Permissions::from_mode(0o700);
        Self { folder: tempfile::Builder::new().permissions(ours).tempdir().unwrap() }
    }

    /// A home with these entries in its jobs.json.
    pub(crate) fn with_jobs(entries: &str) -> Self {
        let sandbox = Self::new();
        sandbox.ok(&["init"]);
        sandbox.write_jobs(entries);
        sandbox
    }

    pub(crate) fn write_jobs(&self, entries: &str) {
        fs::write(self.home().jobs_json(), format!("{{\"format\": 1, \"jobs\": [\n{entries}\n]}}\n")).unwrap();
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    pub(crate) fn home(&self) -> Home {
        Home::new(self.path())
    }

    /// The program with its home here and nothing else of this process's environment.
    pub(crate) fn command(&self, line: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sched"));
        command.args(line).env_clear().env("SCHED_HOME", self.path()).env("HOME", self.folder.path());
        command.env("PATH", "/usr/bin:/bin").env("TZ", "Europe/Berlin").current_dir(self.folder.path());
        command
    }

    pub(crate) fn run(&self, line: &[&str]) -> Ran {
        run(self.command(line), "")
    }

    /// Runs a command that must succeed, and answers what it printed.
    #[track_caller]
    pub(crate) fn ok(&self, line: &[&str]) -> String {
        let ran = self.run(line);
        assert_eq!(ran.code, Some(0), "{line:?}: {ran:?}");
        ran.out
    }

    /// Runs a command with `--json` that must succeed, and answers its object.
    #[track_caller]
    pub(crate) fn json(&self, line: &[&str]) -> Value {
        let out = self.ok(&[&["--json"], line].concat());
        let value: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(value["schema"], 1, "{line:?}: {out}");
        value
    }

    /// Runs a command that must fail with `code` and say all of `parts` on stderr, and nothing on stdout.
    #[track_caller]
    pub(crate) fn fails(&self, line: &[&str], code: i32, parts: &[&str]) {
        let ran = self.run(line);
        assert_eq!((ran.code, ran.out.as_str()), (Some(code), ""), "{line:?}: {ran:?}");
        for part in parts {
            assert!(ran.err.contains(part), "{line:?} doesn't say `{part}`:\n{}", ran.err);
        }
    }

    /// The store of this home as somebody has it for whom it is `now`.
    pub(crate) fn store_at(&self, now: &str) -> JsonStore {
        let clock = Arc::new(Stopped(now.parse().unwrap()));
        JsonStore::open(&JsonStoreOptions::new(self.home(), clock)).unwrap()
    }

    /// Runs `job` by hand at `now`, with this outcome.
    pub(crate) fn ran_at(&self, now: &str, job: &str, outcome: Outcome) -> RunId {
        block_on(async {
            let store = self.store_at(now);
            let run = ask(&store, job, now).await;
            let claim = store.claim(vec![run.clone()], Limits::default()).await.unwrap().remove(0).unwrap();
            assert!(matches!(store.start(&claim, Limits::default()).await.unwrap(), Start::Go(_)));
            assert_ne!(store.finish(&claim, outcome).await.unwrap(), Settled::Lost);
            store.close().await.unwrap();
            run
        })
    }

    pub(crate) fn write_log(&self, job: &str, run: &RunId, content: &str) {
        let path = self.home().run_log(&job.parse().unwrap(), run);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

/// Queues a run of `job` by hand.
pub(crate) async fn ask(store: &JsonStore, job: &str, key: &str) -> RunId {
    let job: JobId = job.parse().unwrap();
    let ask = Ask { job, kind: OccurrenceKind::Manual, key: key.into(), force: false };
    match store.ask(ask).await.unwrap() {
        Asked::Queued(run) => run,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Runs `command` to its end with `input` on its stdin.
pub(crate) fn run(mut command: Command, input: &str) -> Ran {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program runs");
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // Beside reading: a long answer must not wait for a long question.
    let writer = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// Runs `command` on a terminal, and types each answer when its question is there. What it says on stderr is in `out` too.
pub(crate) fn on_terminal(command: Command, typed: &[(&str, &str)]) -> Ran {
    on_terminal_with(command, typed, &|| {})
}

/// The same; `meanwhile` happens between each question and its answer.
pub(crate) fn on_terminal_with(mut command: Command, typed: &[(&str, &str)], meanwhile: &dyn Fn()) -> Ran {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let theirs = || Stdio::from(File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap());
    let mut child = command.stdin(theirs()).stdout(theirs()).stderr(theirs()).spawn().expect("the program runs");
    // It holds ends of the terminal too: while they are open there is no end to read.
    drop(command);
    let mut terminal = File::from(ours);
    let (mut shown, mut answered) = (String::new(), 0);
    let mut typed = typed.iter();
    let mut next = typed.next();
    let mut buffer = [0; 4096];
    // A terminal whose other end is closed answers an error.
    while let Ok(read @ 1..) = terminal.read(&mut buffer) {
        shown.push_str(&String::from_utf8_lossy(&buffer[..read]));
        while let Some((question, answer)) = next.filter(|(question, _)| shown[answered..].contains(question)) {
            answered += shown[answered..].find(question).unwrap() + question.len();
            meanwhile();
            terminal.write_all(answer.as_bytes()).unwrap();
            next = typed.next();
        }
    }
    assert!(next.is_none(), "it never asked {next:?}, but:\n{shown}");
    Ran { code: child.wait().unwrap().code(), out: shown.replace("\r\n", "\n"), err: String::new() }
}

/// A clock that stands still.
#[derive(Debug)]
struct Stopped(Timestamp);

#[async_trait]
impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        self.0
    }

    fn boottime(&self) -> Duration {
        Duration::ZERO
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    async fn sleep_until(&self, _until: Timestamp) {}
}
