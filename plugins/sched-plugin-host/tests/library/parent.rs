//! The daemon's part, played line by line.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

/// More than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A plugin's process, and what it has said.
pub(crate) struct Plugin {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<Value>,
    log: Receiver<String>,
    last: u64,
}

impl Plugin {
    /// The child of a library.
    pub(crate) fn of_library(library: &Path) -> Self {
        Self::of(Command::new(host_program()).arg(sched_plugin_host::library::ARGUMENT).arg(library))
    }

    pub(crate) fn of(command: &mut Command) -> Self {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().expect("the plugin's process");
        let stdin = child.stdin.take();
        let (stdout, stderr) = (child.stdout.take().expect("stdout"), child.stderr.take().expect("stderr"));
        let (said, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not the protocol: {line}"));
                let _ = said.send(line);
            }
        });
        let (said, log) = mpsc::channel();
        thread::spawn(move || {
            let mut text = String::new();
            let _ = BufReader::new(stderr).read_to_string(&mut text);
            let _ = said.send(text);
        });
        Self { child, stdin, lines, log, last: 0 }
    }

    /// Says hello with that configuration, and answers what came back.
    pub(crate) fn hello(&mut self, config: &Value) -> Result<Value, Value> {
        let hello = json!({"protocol": 1, "sched": "0.1.0", "nonce": "5f3a", "config": config, "interval_ms": 60});
        self.ask("hello", hello)
    }

    /// Asks, and answers the answer; what else comes meanwhile is dropped.
    pub(crate) fn ask(&mut self, call: &str, arguments: Value) -> Result<Value, Value> {
        let id = self.call(call, arguments);
        let answer = self.until(|line| line["id"] == id && line["call"].is_null());
        answer.get("ok").cloned().ok_or_else(|| answer["error"].clone())
    }

    /// Asks, and answers the call's id.
    pub(crate) fn call(&mut self, call: &str, mut arguments: Value) -> u64 {
        self.last += 1;
        arguments["id"] = self.last.into();
        arguments["call"] = call.into();
        self.say(&arguments);
        self.last
    }

    pub(crate) fn say(&mut self, line: &Value) {
        let stdin = self.stdin.as_mut().expect("an open pipe");
        writeln!(stdin, "{line}").expect("a child that reads");
    }

    /// The next line.
    #[track_caller]
    pub(crate) fn line(&mut self) -> Value {
        self.lines.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("it said nothing more; its log:\n{}", self.kill()))
    }

    /// The next line for which that holds.
    #[track_caller]
    pub(crate) fn until(&mut self, holds: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = self.line();
            if holds(&line) {
                return line;
            }
        }
    }

    /// The next call of that name.
    #[track_caller]
    pub(crate) fn next_call(&mut self, name: &str) -> Value {
        self.until(|line| line["call"] == name)
    }

    /// The text of the next line for the log.
    #[track_caller]
    pub(crate) fn next_log(&mut self) -> String {
        self.next_call("log")["message"].as_str().expect("a message").to_owned()
    }

    /// Answers a call of the plugin's.
    pub(crate) fn answer(&mut self, call: &Value, ok: &Value) {
        let answer = json!({"id": call["id"], "ok": ok});
        self.say(&answer);
    }

    pub(crate) fn refuse(&mut self, call: &Value, code: &str, message: &str) {
        let answer = json!({"id": call["id"], "error": {"code": code, "message": message}});
        self.say(&answer);
    }

    /// The daemon's end of the pipe is closed.
    pub(crate) fn hang_up(&mut self) {
        self.stdin = None;
    }

    /// Waits for its end; answers that, and what it wrote to standard error.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        while self.lines.recv_timeout(PATIENCE).is_ok() {}
        let log = self.log.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("it does not end:\n{}", self.kill()));
        (self.child.wait().expect("its end"), log)
    }

    fn kill(&mut self) -> String {
        let _ = self.child.kill();
        self.log.recv().unwrap_or_default()
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A library made of `probe.c`, in a folder of its own.
pub(crate) fn probe(defines: &[&str]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let library = folder.path().join("libprobe.so");
    let sources = Path::new(env!("CARGO_MANIFEST_DIR"));
    let compiled = Command::new("cc")
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-fvisibility=hidden", "-pthread", "-I"])
        .arg(sources.join("../sched-plugin-abi/include"))
        .args(defines)
        .arg(sources.join("tests/library/probe.c"))
        .arg("-o")
        .arg(&library)
        .output()
        .expect("a C compiler");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    (folder, library)
}

/// A probe that has said that it is ready.
pub(crate) fn ready(does: &str) -> (tempfile::TempDir, Plugin) {
    let (folder, library) = probe(&[]);
    let mut plugin = Plugin::of_library(&library);
    plugin.hello(&json!({"does": does})).expect("ready");
    (folder, plugin)
}

/// `examples/plugin_host.rs`, as new as the library whose part it is.
pub(crate) fn host_program() -> PathBuf {
    let test = std::env::current_exe().expect("this program");
    let folder = test.parent().and_then(Path::parent).expect("the folder of the profile");
    let program = folder.join("examples/plugin_host");
    let changed = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified());
    let sources = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/library")).expect("the sources");
    let newest = sources.map(|entry| changed(&entry.expect("a source").path()).expect("its time")).max();
    let is_new = changed(&program).is_ok_and(|built| Some(built) >= newest);
    assert!(is_new, "{} isn't there, or old: run `cargo build --workspace --examples` first", program.display());
    program
}
