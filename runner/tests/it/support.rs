//! A runner in a folder of its own, jobs for it, and a way to wait for things that happen outside of this process.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use rustix::process::{Pid, Signal, kill_process};
use sched_runner::{CommandRunner, RunnerConfig};
use scheduler_core::{
    Job, JobRunner, OccurrenceId, Outcome, ProcessRef, RunContext, RunId,
    job::Command,
    schedule::{ParseOptions, Schedule},
};

/// Nothing here takes that long; it only bounds a test that fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Bench {
    pub(crate) runner: Arc<CommandRunner>,
    dir: tempfile::TempDir,
    started: Mutex<Vec<RunContext>>,
}

impl Drop for Bench {
    /// A test that fails must not leave processes behind.
    fn drop(&mut self) {
        for run in self.started.lock().unwrap().iter() {
            for pid in processes_of(run) {
                let pid = Pid::from_raw(pid.cast_signed()).unwrap();
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(configure: impl FnOnce(&mut RunnerConfig)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = RunnerConfig::new(dir.path().join("runs"));
        configure(&mut config);
        Self { runner: Arc::new(CommandRunner::new(config)), dir, started: Mutex::default() }
    }

    /// A path in the folder of this test.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn log(&self, run: &RunContext) -> PathBuf {
        self.path("runs").join(run.job.id.as_str()).join(format!("{}.log", run.run))
    }

    /// A run of `line` by the shell, whose `$DIR` is the folder of this test.
    pub(crate) fn shell(&self, line: &str) -> RunContext {
        context(self.job(Command::Shell(line.into())))
    }

    pub(crate) fn argv(&self, words: &[&str]) -> RunContext {
        context(self.job(Command::Argv(words.iter().map(|word| (*word).to_owned()).collect())))
    }

    pub(crate) fn job(&self, command: Command) -> Job {
        let schedule = Schedule::parse("@daily", &ParseOptions::default()).unwrap();
        let mut job = Job::new("backup".parse().unwrap(), schedule, command);
        job.env = BTreeMap::from([("DIR".into(), self.dir.path().to_str().unwrap().into())]);
        job
    }

    pub(crate) async fn run(&self, run: RunContext) -> Outcome {
        self.runner.run(run).await
    }

    /// Starts `run` and answers once its process is noted and `ready` holds.
    pub(crate) async fn start(&self, run: RunContext, ready: &str) -> Started {
        self.started.lock().unwrap().push(run.clone());
        let noted = Arc::new(Mutex::new(None));
        let run = run.on_spawned({
            let noted = Arc::clone(&noted);
            move |process| *noted.lock().unwrap() = Some(process)
        });
        let outcome = tokio::spawn({
            let (runner, run) = (Arc::clone(&self.runner), run);
            async move { runner.run(run).await }
        });
        let is_ready = || self.path(ready).exists() && noted.lock().unwrap().is_some();
        until(&format!("`{ready}` is there"), is_ready).await;
        let process = noted.lock().unwrap().clone().unwrap();
        Started { process, outcome }
    }
}

pub(crate) struct Started {
    pub(crate) process: ProcessRef,
    pub(crate) outcome: tokio::task::JoinHandle<Outcome>,
}

impl Started {
    pub(crate) async fn outcome(self) -> Outcome {
        tokio::time::timeout(PATIENCE, self.outcome).await.expect("the run ends").unwrap()
    }
}

pub(crate) fn context(job: Job) -> RunContext {
    let at = "2026-11-22T02:30:00Z".parse().unwrap();
    let occurrence = OccurrenceId::scheduled(job.id.clone(), 0, at);
    RunContext::new(Arc::new(job), RunId::random(Timestamp::now()), occurrence, at, 1)
}

/// The same run with its job changed.
pub(crate) fn edit(run: RunContext, change: impl FnOnce(&mut Job)) -> RunContext {
    let mut job = Arc::unwrap_or_clone(run.job);
    change(&mut job);
    context(job)
}

/// Waits for what no event tells.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The running processes that have the run's id in their environment: found here without the crate's own search.
pub(crate) fn processes_of(run: &RunContext) -> Vec<u32> {
    let variable = format!("SCHED_RUN_ID={}", run.run);
    let pids = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(|pid| {
        let variables = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        variables.split(|byte| *byte == 0).any(|found| found == variable.as_bytes())
    })
    .collect()
}

pub(crate) fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What `run` wrote, which must have succeeded.
pub(crate) fn output(outcome: &Outcome) -> String {
    text(&outcome.output.as_ref().unwrap_or_else(|| panic!("no output: {outcome:?}")).path)
}
