//! The course of a run, from the engine's call to its outcome. Here the parts meet; what they do is theirs.
//!
//! A run is over when its main process is. What that leaves in the background is left alone, as cron does; only a run
//! that is stopped is stopped whole.

use std::{
    convert::Infallible, env, ffi::OsString, io, os::fd::AsFd, path, pin::pin, sync::Arc, thread, time::Duration,
};

use async_trait::async_trait;
use rustix::process::{Signal, kill_process_group};
use scheduler_core::{Error, Job, JobRunner, Orphan, Outcome, ProcessRef, Result, RunContext, RunResult, blocking};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    task::spawn_blocking,
    time::timeout,
};

use crate::{
    RunnerConfig,
    bound::keep_bounded,
    child::{Exit, ended, gone, reap, to_pid},
    diagnose,
    environment::Environment,
    executable::{self, Executable},
    orphan,
    outcome::{Stop, exited, without_status},
    output::{Log, Logs},
    prepare::Prepared,
    proc,
    prune::Pruner,
    scan::{Leader, Scanner},
    spawn::Spawn,
    terminate::{Stopped, Target},
};

/// Runs commands: the [`JobRunner`] of `sched`.
///
/// Its futures need a tokio runtime with time and I/O. To drop the future of a run is to let go of the run: its process
/// goes on, and [`find_orphan`](JobRunner::find_orphan) finds it.
pub struct CommandRunner {
    parts: Arc<Parts>,
}

/// What runs share.
struct Parts {
    config: RunnerConfig,
    environment: Environment,
    logs: Arc<Logs>,
    pruner: Pruner,
    scanner: Scanner,
    starting: Turns,
    finishing: Turns,
}

/// Bounds the threads of a burst: more of them than processors only get in each other's way, and in the runtime's.
#[derive(Clone)]
struct Turns(Arc<Semaphore>);

/// How long a turn is waited for. Past this those before it hang (a dead mount), and it is taken all the same.
const TURN: Duration = Duration::from_secs(1);
/// How long a process that SIGKILL could not end is waited for before the run is given up.
const LAST_LOOK: Duration = Duration::from_secs(1);

/// A child that was started.
struct Child {
    pid: u32,
    log: Arc<Log>,
}

impl CommandRunner {
    /// A runner as `config` says. Takes a copy of this process's environment; nothing is made or started yet.
    pub fn new(config: RunnerConfig) -> Self {
        Self::inheriting(config, env::vars_os())
    }

    /// The same in the environment of another process, `inherited`: to ask what that one could run.
    pub fn inheriting(config: RunnerConfig, inherited: impl Iterator<Item = (OsString, OsString)>) -> Self {
        // A relative folder would mean another one after a change of directory, and in a child.
        let dir = path::absolute(&config.runs_dir).unwrap_or_else(|_| config.runs_dir.clone());
        let logs = Arc::new(Logs::new(dir));
        let parts = Parts {
            environment: Environment::new(&config, inherited),
            pruner: Pruner::new(Arc::clone(&logs), config.keep_logs_per_job, config.logs_max_bytes),
            logs,
            scanner: Scanner::default(),
            starting: Turns::new(),
            finishing: Turns::new(),
            config,
        };
        Self { parts: Arc::new(parts) }
    }

    /// What `job` would execute; nothing is started.
    ///
    /// # Errors
    /// Why it could not be.
    pub fn executable(&self, job: &Job) -> Result<Executable> {
        executable::executable(job, &self.parts.config, &self.parts.environment)
    }

    /// A runner as `config` says for the runs to come, beside this one, which sees its own to their end. They share what they
    /// must not do against each other: neither prunes a file that the other has a run for. The folder of runs stays.
    #[must_use]
    pub fn reconfigured(&self, mut config: RunnerConfig) -> Self {
        let logs = Arc::clone(&self.parts.logs);
        config.runs_dir.clone_from(&self.parts.config.runs_dir);
        let parts = Parts {
            environment: Environment::new(&config, env::vars_os()),
            pruner: Pruner::new(Arc::clone(&logs), config.keep_logs_per_job, config.logs_max_bytes),
            logs,
            scanner: Scanner::default(),
            starting: self.parts.starting.clone(),
            finishing: self.parts.finishing.clone(),
            config,
        };
        Self { parts: Arc::new(parts) }
    }
}

#[async_trait]
impl JobRunner for CommandRunner {
    fn validate(&self, job: &Job) -> Result<()> {
        Prepared::new(job, &self.parts.config.shell, &self.parts.environment.of_job(job))?.check()
    }

    async fn run(&self, run: RunContext) -> Outcome {
        let child = match self.start(&run).await {
            Ok(child) => child,
            Err(outcome) => return outcome,
        };
        let mut bounded = pin!(keep_bounded(Arc::clone(&child.log)));
        let stop = tokio::select! {
            biased;
            () = ended(child.pid) => None,
            stop = stop_asked(&run) => Some(stop),
            never = &mut bounded => match never {},
        };
        let mut outcome = match stop {
            None => exited(&reap(child.pid), run.job.command()),
            Some(stop) => {
                let stopped = self.stop(&run, &Leader::Ours(child.pid), bounded.as_mut()).await;
                let mut outcome = exited(&reap_at_last(child.pid).await, run.job.command());
                stop.settle(&mut outcome, &run, &stopped, self.parts.config.kill_after);
                outcome
            }
        };
        self.finish(child.log, &mut outcome).await;
        outcome
    }

    fn find_orphan(&self, orphan: &Orphan) -> Option<ProcessRef> {
        orphan::find(orphan)
    }

    async fn adopt(&self, orphan: Orphan, run: RunContext) -> Outcome {
        let limit = self.parts.limit(&orphan.job);
        let log = match self.parts.logs.existing(&orphan.job.id, &orphan.run, limit) {
            Ok(log) => Arc::new(log),
            Err(error) => return without_status(RunResult::Unknown, diagnose::in_a_line(&error)),
        };
        let mut orphan = orphan;
        let mut bounded = pin!(keep_bounded(Arc::clone(&log)));
        let mut outcome = without_status(RunResult::Unknown, "its owner died; exit status not known");
        while let Some(found) = find_off_thread(orphan.clone()).await {
            if orphan.process.is_none() {
                // The owner died before it could note it. From now on it is as good as noted.
                orphan.process = Some(found.clone());
                run.spawned(found.clone());
            }
            let stop = tokio::select! {
                biased;
                () = gone(&found) => continue,
                stop = stop_asked(&run) => stop,
                never = &mut bounded => match never {},
            };
            let stopped =
                self.stop(&run, &Leader::Noted(orphan.process.clone().unwrap_or(found)), bounded.as_mut()).await;
            stop.settle(&mut outcome, &run, &stopped, self.parts.config.kill_after);
            break;
        }
        self.finish(log, &mut outcome).await;
        outcome
    }
}

impl CommandRunner {
    /// Starts the child on a thread that may block: the folder, the program and the file may be on a slow disk, or on a
    /// mount that answers nothing at all.
    async fn start(&self, run: &RunContext) -> Result<Child, Outcome> {
        if run.is_cancelled() {
            return Err(without_status(RunResult::Cancelled, "cancelled before it was started"));
        }
        let turn = self.parts.starting.next().await;
        let (answer, mut started) = oneshot::channel();
        let parts = Arc::clone(&self.parts);
        let context = run.clone();
        blocking::run(move || {
            let _turn = turn;
            if answer.is_closed() {
                return;
            }
            if let Err(Ok(child)) = answer.send(parts.start(&context)) {
                abandon(&child);
            }
        });
        let result = tokio::select! {
            biased;
            result = &mut started => result.ok(),
            stop = stop_asked(run) => {
                started.close();
                match started.try_recv() {
                    Ok(result) => Some(result),
                    Err(_) => {
                        return Err(without_status(
                            stop.result(),
                            "stopped while it was still being started; is its program or workdir on a dead mount?",
                        ));
                    }
                }
            }
        };
        match result {
            Some(Ok(child)) => Ok(child),
            Some(Err(error)) => Err(Outcome::failed(diagnose::in_a_line(&error))),
            None => Err(Outcome::failed("the runner failed in its own code while starting it")),
        }
    }

    /// Stops all of a run, while its output stays bounded.
    async fn stop(&self, run: &RunContext, leader: &Leader, bounded: impl Future<Output = Infallible>) -> Stopped {
        let target = Target { scanner: &self.parts.scanner, run: run.run.as_str(), leader };
        let stopped = tokio::select! {
            stopped = target.stop(self.parts.config.kill_after) => stopped,
            never = bounded => match never {},
        };
        if !stopped.survivors.is_empty() {
            tracing::warn!(run = %run.run, job = %run.job.id, survivors = ?stopped.survivors, "processes could not be stopped");
        }
        stopped
    }

    async fn finish(&self, log: Arc<Log>, outcome: &mut Outcome) {
        let turn = self.parts.finishing.next().await;
        let parts = Arc::clone(&self.parts);
        let finished = spawn_blocking(move || {
            let _turn = turn;
            let output = log.finish();
            // From here on it is a file as any other.
            log.close();
            if let Ok(Some(output)) = &output {
                parts.pruner.after(&output.path, output.kept);
            }
            output.map_err(|error| Error::io(format!("output file {}", log.path.display()), error))
        });
        match finished.await {
            Ok(Ok(output)) => outcome.output = output,
            Ok(Err(error)) => {
                tracing::warn!(%error, "output can't be finished");
                outcome.message.get_or_insert_with(|| error.to_string());
            }
            Err(error) => tracing::error!(%error, "the runner failed in its own code while finishing an output file"),
        }
    }
}

impl Turns {
    fn new() -> Self {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Semaphore::new(processors * 2)))
    }

    async fn next(&self) -> Option<OwnedSemaphorePermit> {
        timeout(TURN, Arc::clone(&self.0).acquire_owned()).await.ok()?.ok()
    }
}

impl Parts {
    fn limit(&self, job: &Job) -> u64 {
        job.output_limit.unwrap_or(self.config.output_limit)
    }

    /// Blocks.
    fn start(&self, run: &RunContext) -> Result<Child> {
        let prepared = Prepared::new(&run.job, &self.config.shell, &self.environment.of_run(run))?;
        let (log, output) = self.logs.create(&run.job.id, &run.run, self.limit(&run.job))?;
        let spawn = Spawn {
            program: &prepared.program,
            argv: &prepared.argv,
            environment: &prepared.environment,
            workdir: &prepared.workdir,
            output: output.as_fd(),
        };
        let pid = spawn.start().map_err(|error| {
            log.discard();
            diagnose::spawn_failed(error, &prepared.file, &prepared.folder)
        })?;
        // It can't be reaped yet, so this is it, dead or alive.
        let process = proc::identity(pid);
        run.spawned(process.unwrap_or(ProcessRef { pid, start_time: 0, boot_id: String::new() }));
        Ok(Child { pid, log: Arc::new(log) })
    }
}

/// Completes when `run` is to be stopped.
async fn stop_asked(run: &RunContext) -> Stop {
    tokio::select! {
        biased;
        () = run.cancelled() => Stop::Cancelled,
        () = run.expired() => Stop::TimedOut,
    }
}

/// Looking through `/proc` may block.
async fn find_off_thread(orphan: Orphan) -> Option<ProcessRef> {
    spawn_blocking(move || orphan::find(&orphan)).await.ok().flatten()
}

/// Ends a child nobody waits for any more: its start took longer than it was allowed to run.
fn abandon(child: &Child) {
    if let Ok(group) = to_pid(child.pid) {
        let _ = kill_process_group(group, Signal::KILL);
    }
    while let Ok(None) = reap(child.pid) {
        thread::sleep(Duration::from_millis(10));
    }
    child.log.discard();
}

/// Reaps a child that was sent SIGKILL if need be. One that even this could not end is reaped should the kernel ever let
/// go of it.
async fn reap_at_last(pid: u32) -> io::Result<Option<Exit>> {
    if timeout(LAST_LOOK, ended(pid)).await.is_ok() {
        return reap(pid);
    }
    tokio::spawn(async move {
        ended(pid).await;
        let _ = reap(pid);
    });
    Ok(None)
}
