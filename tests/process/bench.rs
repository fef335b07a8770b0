//! A home with real processes in it: the built `sched`, its jobs, and what they leave behind.

use std::{
    fs,
    io::Write as _,
    os::unix::{fs::PermissionsExt as _, process::ExitStatusExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Nothing here takes that long; it only bounds a test that fails.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A home. Whatever was started in it is gone when it is.
pub(crate) struct Place {
    folder: TempDir,
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    /// A home without files.
    pub(crate) fn empty() -> Self {
        // Whatever the umask is: plugins must be nobody else's to write, with the folders above them.
        let ours = fs::Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().permissions(ours).tempdir().expect("a temporary folder");
        let place = Self { folder };
        fs::create_dir(place.home()).expect("a home");
        place
    }

    /// A home without jobs, whose scheduler turns every second: often enough to wait for.
    pub(crate) fn beating() -> Self {
        let place = Self::empty();
        place.write("config.yaml", "ticker: {interval: 1s}\n");
        place
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// A file beside the home.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file of the home.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.home().join(name), content).expect("a file of the home");
    }

    pub(crate) fn write_jobs(&self, jobs: &[Value]) {
        self.write("jobs.json", jobs_json(jobs));
    }

    /// A job that notes every start in the effect log. `then` is what else it does, in shell.
    pub(crate) fn job(&self, id: &str, schedule: &str, then: &str) -> Value {
        let log = self.path("effects");
        let command = format!("echo $SCHED_JOB_ID $SCHED_SCHEDULED_AT >> {}; {then}", log.display());
        json!({"id": id, "schedule": schedule, "command": command})
    }

    /// What jobs noted, in the order of their starts: the instants of one job.
    pub(crate) fn effects(&self, job: &str) -> Vec<String> {
        let log = self.effect_log();
        log.lines().filter_map(|line| line.strip_prefix(job)?.strip_prefix(' ')).map(str::to_owned).collect()
    }

    pub(crate) fn effect_log(&self) -> String {
        fs::read_to_string(self.path("effects")).unwrap_or_default()
    }

    /// Nothing counts for more: an instant is at most one start.
    #[track_caller]
    pub(crate) fn no_instant_twice(&self, job: &str) {
        let mut effects = self.effects(job);
        let all = effects.len();
        effects.sort();
        effects.dedup();
        assert_eq!(effects.len(), all, "{}", self.effect_log());
    }

    /// Waits until `job` has been started `count` times in all.
    pub(crate) fn until_started(&self, job: &str, count: usize) {
        eventually(&format!("{count} starts of `{job}`"), || {
            let effects = self.effects(job);
            if effects.len() >= count { Ok(()) } else { Err(format!("{effects:?}")) }
        });
    }

    /// The program with its home here and nothing else of this process's environment.
    pub(crate) fn command(&self, line: &[&str]) -> Command {
        let mut command = Command::new(sched());
        command.args(line).env_clear().envs(self.environment()).current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        vec![
            ("SCHED_HOME", self.home()),
            ("HOME", self.folder.path().to_owned()),
            ("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin".into()),
            ("TZ", "UTC".into()),
            (MARK, self.folder.path().to_owned()),
        ]
    }

    /// Runs a command to its end.
    #[track_caller]
    pub(crate) fn run(&self, line: &[&str]) -> Ran {
        self.start(line).ran()
    }

    /// Runs a command that must succeed, and answers what it printed.
    #[track_caller]
    pub(crate) fn ok(&self, line: &[&str]) -> String {
        let ran = self.run(line);
        assert_eq!(ran.code, Some(0), "{line:?}: {ran:?}");
        ran.out
    }

    /// Runs a command that must fail with `code` and say all of `parts` on stderr.
    #[track_caller]
    pub(crate) fn fails(&self, line: &[&str], code: i32, parts: &[&str]) {
        let ran = self.run(line);
        ran.says(code, parts);
    }

    /// Exit code and answer of `sched --json status`.
    #[track_caller]
    pub(crate) fn status(&self) -> (i32, Value) {
        let ran = self.run(&["--json", "status"]);
        let value: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
        let code = ran.code.expect("an exit code");
        assert_eq!(value["exit_code"], code, "{value:#}");
        (code, value)
    }

    /// Waits until the verdict is `word`, with `code`; answers the status.
    #[track_caller]
    pub(crate) fn until_verdict(&self, word: &str, code: i32) -> Value {
        let value = self.until_status(word, |status| status["verdict"] == word);
        assert_eq!(value["exit_code"], code, "{value:#}");
        value
    }

    /// Waits until `fact` is true of the status; answers that.
    #[track_caller]
    pub(crate) fn until_status(&self, what: &str, fact: impl Fn(&Value) -> bool) -> Value {
        eventually(what, || {
            let (_, status) = self.status();
            if fact(&status) { Ok(status) } else { Err(format!("{status:#}")) }
        })
    }

    /// Starts the daemon and waits until it fires.
    #[track_caller]
    pub(crate) fn daemon(&self) -> Daemon {
        let daemon = self.start(&["run"]);
        self.until_status("the daemon fires", |status| {
            let pid = u64::from(daemon.pid());
            status["heartbeat"]["pid"] == pid && !matches!(status["verdict"].as_str(), Some("starting") | None)
        });
        daemon
    }

    /// Starts a command that stays.
    pub(crate) fn start(&self, line: &[&str]) -> Daemon {
        self.start_command(&mut self.command(line))
    }

    pub(crate) fn start_command(&self, command: &mut Command) -> Daemon {
        Daemon::start(command, self.folder.path())
    }

    /// Starts a shell script that stays; `sched` is on its PATH.
    pub(crate) fn start_script(&self, script: &str) -> Daemon {
        let mut command = Command::new("sh");
        let folder = sched().parent().map(Path::to_owned).expect("the program is in a folder");
        let path = format!("{}:/usr/bin:/bin", folder.display());
        command.args(["-c", script]).env_clear().envs(self.environment()).env("PATH", path);
        Daemon::start(command.current_dir(self.folder.path()).stdin(Stdio::null()), self.folder.path())
    }

    /// The history of one job, oldest first.
    #[track_caller]
    pub(crate) fn history(&self, job: &str) -> Vec<Value> {
        let out = self.ok(&["--json", "history", job]);
        let value: Value = serde_json::from_str(&out).expect("JSON");
        let mut entries = value["entries"].as_array().unwrap_or_else(|| panic!("{value:#}")).clone();
        entries.sort_by_key(|entry| entry["at"].as_str().map(str::to_owned));
        entries
    }

    /// Its verdicts in one word each.
    #[track_caller]
    pub(crate) fn ends(&self, job: &str) -> Vec<String> {
        self.history(job).iter().filter_map(|entry| entry["verdict"].as_str().map(str::to_owned)).collect()
    }
}

impl Drop for Place {
    /// A test that fails must not leave processes behind, in whatever session they are.
    fn drop(&mut self) {
        let mark = format!("{MARK}={}", self.folder.path().display());
        for _ in 0..100 {
            let left = processes_with(&mark);
            if left.is_empty() {
                break;
            }
            for pid in left {
                signal(pid, Signal::KILL);
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// In the environment of everything that is started in a [`Place`].
const MARK: &str = "SCHED_TEST_PLACE";

impl Ran {
    #[track_caller]
    pub(crate) fn says(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        for part in parts {
            assert!(self.err.contains(part), "it doesn't say `{part}`:\n{}", self.err);
        }
    }
}

/// A process that stays until it is told otherwise, or dropped.
pub(crate) struct Daemon {
    child: Child,
    out: PathBuf,
    err: PathBuf,
}

impl Daemon {
    fn start(command: &mut Command, folder: &Path) -> Self {
        let file = |kind: &str| {
            let (file, path) =
                tempfile::Builder::new().prefix(kind).tempfile_in(folder).expect("a file").keep().expect("kept");
            (Stdio::from(file), path)
        };
        let ((out_file, out), (err_file, err)) = (file("out"), file("err"));
        let child = command.stdout(out_file).stderr(err_file).spawn().expect("the program runs");
        Self { child, out, err }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, what: Signal) {
        signal(self.pid(), what);
    }

    /// As the kernel's killer does it: no word, no chance.
    pub(crate) fn kill(&mut self) {
        self.signal(Signal::KILL);
        let ended = self.wait();
        assert_eq!(ended.signal(), Some(9), "{}", self.log());
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let (child, err) = (&mut self.child, &self.err);
        eventually("the end of the process", || match child.try_wait().expect("a child") {
            Some(status) => Ok(status),
            None => Err(fs::read_to_string(err).unwrap_or_default()),
        })
    }

    /// Waits for its end, and answers what it did.
    #[track_caller]
    pub(crate) fn ran(mut self) -> Ran {
        let code = self.wait().code();
        Ran { code, out: self.said(), err: self.log() }
    }

    /// Tells it to stop, and waits until it has, with exit code 0.
    #[track_caller]
    pub(crate) fn stop(&mut self) {
        self.signal(Signal::TERM);
        let ended = self.wait();
        assert_eq!(ended.code(), Some(0), "{}", self.log());
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_none()
    }

    /// What it said on stderr so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.err).expect("its stderr")
    }

    /// What it said on stdout so far.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.out).expect("its stdout")
    }

    /// Waits until it has logged `part`.
    #[track_caller]
    pub(crate) fn until_logged(&self, part: &str) {
        eventually(&format!("`{part}` in the log"), || {
            let log = self.log();
            if log.contains(part) { Ok(()) } else { Err(log) }
        });
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What jobs wait at, in the shell: `read x < PATH`.
pub(crate) struct Gate {
    path: PathBuf,
    /// Open to read too, so that nobody waits in `open`, here or there.
    pipe: fs::File,
}

impl Gate {
    pub(crate) fn new(place: &Place, name: &str) -> Self {
        let path = place.path(name);
        let made = Command::new("mkfifo").arg(&path).status().expect("mkfifo runs");
        assert!(made.success());
        let pipe = fs::File::options().read(true).write(true).open(&path).expect("a pipe");
        Self { path, pipe }
    }

    /// What a job does to wait here.
    pub(crate) fn wait(&self) -> String {
        format!("read x < {}", self.path.display())
    }

    /// Lets one through.
    pub(crate) fn open(&mut self) {
        self.pipe.write_all(b"go\n").expect("a pipe takes it");
    }

    /// Lets everybody through from here on.
    pub(crate) fn open_for_good(&mut self) {
        (0..1000).for_each(|_| self.open());
    }
}

/// The program under test.
pub(crate) fn sched() -> PathBuf {
    let here = std::env::current_exe().expect("this program");
    let profile = here.ancestors().nth(2).expect("target/<profile>/deps/");
    let program = profile.join("sched");
    assert!(program.is_file(), "{} is missing: run `cargo build -p sched` first", program.display());
    program
}

pub(crate) fn jobs_json(jobs: &[Value]) -> String {
    format!("{:#}\n", json!({"format": 1, "jobs": jobs}))
}

pub(crate) fn signal(pid: u32, what: Signal) {
    if let Some(pid) = Pid::from_raw(pid.cast_signed()) {
        let _ = kill_process(pid, what);
    }
}

/// Processes, zombies excepted, that have this `NAME=value` in their environment.
pub(crate) fn processes_with(variable: &str) -> Vec<u32> {
    let listed = fs::read_dir("/proc").expect("/proc").filter_map(Result::ok);
    let pids = listed.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid: &u32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|one| one == variable.as_bytes())
    })
    .collect()
}

/// Looks until `fact` is true; panics with what it saw last when that takes too long.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, fact: impl FnMut() -> Result<T, String>) -> T {
    within(PATIENCE, what, fact)
}

#[track_caller]
pub(crate) fn within<T>(bound: Duration, what: &str, mut fact: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + bound;
    loop {
        match fact() {
            Ok(value) => return value,
            Err(seen) => assert!(Instant::now() < deadline, "not within {bound:?}: {what}; last seen:\n{seen}"),
        }
        thread::sleep(Duration::from_millis(5));
    }
}
