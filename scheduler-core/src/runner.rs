//! What firing means: the [`JobRunner`] axis. The command runner of the crate `sched-runner` is one; an embedder's own is
//! another. A runner knows nothing of schedules, claims or stores.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{Job, OccurrenceId, Result, RunId};

/// Runs jobs.
///
/// # Behavior
/// - The engine calls [`run`](Self::run) at most once for a run id, after the start is durable.
/// - A runner may be called for many runs at once, and never from two processes for the same run.
///
/// ```
/// use async_trait::async_trait;
/// use scheduler_core::{Error, ErrorKind, Job, JobRunner, Outcome, Result, RunContext, RunResult};
///
/// /// Asks a model what the payload says.
/// struct Prompts;
///
/// #[async_trait]
/// impl JobRunner for Prompts {
///     fn validate(&self, job: &Job) -> Result<()> {
///         let prompt = job.payload().and_then(|payload| payload["prompt"].as_str());
///         prompt.map(drop).ok_or_else(|| Error::new(ErrorKind::Invalid, "its payload has no `prompt`"))
///     }
///
///     async fn run(&self, run: RunContext) -> Outcome {
///         tokio::select! {
///             () = ask(&run) => Outcome::new(RunResult::Succeeded),
///             () = run.cancelled() => Outcome::new(RunResult::Cancelled),
///             () = run.expired() => Outcome::new(RunResult::TimedOut),
///         }
///     }
/// }
///
/// async fn ask(_: &RunContext) {}
/// # use scheduler_core::{OccurrenceId, RunId, Orphan, schedule::{ParseOptions, Schedule}};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// # let schedule = Schedule::parse("@daily", &ParseOptions::default()).expect("a schedule");
/// # let job = std::sync::Arc::new(Job::new("ask".parse()?, schedule, serde_json::json!({"prompt": "hi"})));
/// # let (at, run) = (jiff::Timestamp::UNIX_EPOCH, RunId::new("1"));
/// # let context = RunContext::new(job.clone(), run.clone(), OccurrenceId::scheduled(job.id.clone(), 1, at), at, 1);
/// Prompts.validate(&job)?;
/// let outcome = Prompts.run(context.clone()).await;
/// assert_eq!(outcome.result, RunResult::Succeeded);
/// // It has nobody else to tell when that is on record.
/// Prompts.settled(&job, &run, &outcome, false);
/// // What runs in this process dies with it: there is nothing to find, and nothing to watch over.
/// let orphan = Orphan::new(run, job, None);
/// assert_eq!(Prompts.find_orphan(&orphan), None);
/// assert_eq!(Prompts.adopt(orphan, context).await.result, RunResult::Unknown);
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait JobRunner: Send + Sync {
    /// Whether this runner can run `job` here.
    ///
    /// # Behavior
    /// - Touches nothing and runs nothing: it may be called for a job that is only being looked at.
    /// - Asked by [`Engine::refused`](crate::Engine::refused) and by commands that check. A job that is refused fires all the
    ///   same: [`run`](Self::run) has to answer for it, with a failure.
    ///
    /// # Errors
    /// Why it can't be run, as a lower-case fragment with a hint.
    fn validate(&self, job: &Job) -> Result<()>;

    /// Does the work of one run and says how it ended.
    ///
    /// # Behavior
    /// - Honours [`RunContext::cancelled`] and [`RunContext::deadline`]: returns, with everything it started gone.
    /// - Calls [`RunContext::spawned`] as soon as there is a process that outlives this one.
    /// - Never panics on purpose; a panic is recorded as a failed run.
    async fn run(&self, run: RunContext) -> Outcome;

    /// The process that still does the work of a run whose owner died, if there is one.
    ///
    /// # Behavior
    /// - `None` only on evidence that nothing of it is alive. The default is for runners whose work dies with their process.
    fn find_orphan(&self, orphan: &Orphan) -> Option<ProcessRef> {
        let _ = orphan;
        None
    }

    /// Watches over such a run until nothing of it is left, and enforces its deadline, cancellation and output bound.
    ///
    /// # Behavior
    /// - Its exit status can't be known: the answer is [`RunResult::Unknown`], or what was enforced.
    async fn adopt(&self, orphan: Orphan, run: RunContext) -> Outcome {
        let _ = (orphan, run);
        Outcome::new(RunResult::Unknown)
    }

    /// What has become of a run is on record: for runners that tell somebody else. Most have told by what they answered.
    ///
    /// # Behavior
    /// - Called after [`run`](Self::run) or [`adopt`](Self::adopt) has answered, or where nobody saw the end. It returns at once.
    /// - `followed` if another attempt is to be made, so that this end is not the last word. Should that never be made, since a
    ///   newer run takes its place, this is called once more for the same run, without it.
    /// - The default does nothing.
    fn settled(&self, job: &Job, run: &RunId, outcome: &Outcome, followed: bool) {
        let _ = (job, run, outcome, followed);
    }
}

/// Everything a runner gets to know of one run.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use jiff::Timestamp;
/// use scheduler_core::{Job, OccurrenceId, ProcessRef, RunContext, RunId, schedule::{ParseOptions, Schedule}};
/// use tokio_util::sync::CancellationToken;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let schedule = Schedule::parse("@daily", &ParseOptions::default())?;
/// let job = Arc::new(Job::new("a".parse()?, schedule, serde_json::json!("a payload")));
/// let (at, cancel) = (Timestamp::UNIX_EPOCH, CancellationToken::new());
/// let occurrence = OccurrenceId::scheduled(job.id.clone(), 1, at);
/// // What the engine makes of a claim, and a test of a runner by hand.
/// let run = RunContext::new(job, RunId::random(at), occurrence, at, 1)
///     .with_timeout(Some(Duration::from_millis(1)))
///     .with_cancel(cancel.clone())
///     .with_secrets(Arc::new(["HC_KEY".to_owned()].into()))
///     .on_spawned(|process| println!("its pid is {}", process.pid));
/// run.spawned(ProcessRef { pid: 42, start_time: 0, boot_id: String::new() });
/// assert!(run.deadline().is_some() && !run.is_cancelled() && run.secrets().contains("HC_KEY"));
/// run.expired().await;
/// cancel.cancel();
/// run.cancelled().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct RunContext {
    /// The definition in force when the run was started.
    pub job: Arc<Job>,
    /// The run.
    pub run: RunId,
    /// The occurrence it is an attempt at.
    pub occurrence: OccurrenceId,
    /// The instant it was owed at; for manual and external ones, when they were asked for.
    pub scheduled_at: Timestamp,
    /// 1 for the first attempt.
    pub attempt: u32,
    deadline: Option<Instant>,
    cancel: CancellationToken,
    secrets: Arc<BTreeSet<String>>,
    on_spawned: Arc<dyn Fn(ProcessRef) + Send + Sync>,
}

impl RunContext {
    /// A context without deadline or cancellation, whose `spawned` goes nowhere.
    pub fn new(job: Arc<Job>, run: RunId, occurrence: OccurrenceId, scheduled_at: Timestamp, attempt: u32) -> Self {
        let on_spawned = Arc::new(|_| {});
        Self {
            job,
            run,
            occurrence,
            scheduled_at,
            attempt,
            deadline: None,
            cancel: CancellationToken::new(),
            secrets: Arc::default(),
            on_spawned,
        }
    }

    /// The same with `timeout` from now as its deadline.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        self
    }

    /// The same, cancelled by `cancel`.
    #[must_use]
    pub fn with_cancel(mut self, cancel: CancellationToken) -> Self {
        self.cancel = cancel;
        self
    }

    /// The same, with these variables of the environment as what no job may know.
    #[must_use]
    pub fn with_secrets(mut self, secrets: Arc<BTreeSet<String>>) -> Self {
        self.secrets = secrets;
        self
    }

    /// The same, with `on_spawned` called for the process that does the work.
    #[must_use]
    pub fn on_spawned(mut self, on_spawned: impl Fn(ProcessRef) + Send + Sync + 'static) -> Self {
        self.on_spawned = Arc::new(on_spawned);
        self
    }

    /// Completes when the run is to stop.
    pub async fn cancelled(&self) {
        self.cancel.cancelled().await;
    }

    /// Whether the run is to stop.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Completes when the run has taken too long; never, if it may take for ever.
    pub async fn expired(&self) {
        match self.deadline {
            Some(deadline) => tokio::time::sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    }

    /// When it must be over.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Variables of this process's environment that what is run must not inherit: addresses of push monitors are made of them.
    pub fn secrets(&self) -> &BTreeSet<String> {
        &self.secrets
    }

    /// Tells the engine which process does the work, so that a later one can find it.
    pub fn spawned(&self, process: ProcessRef) {
        (self.on_spawned)(process);
    }
}

/// A process, named so that its pid can't be mistaken for a later one's.
///
/// ```
/// use scheduler_core::ProcessRef;
/// let one = ProcessRef { pid: 42, start_time: 100, boot_id: "b".into() };
/// assert_ne!(one, ProcessRef { start_time: 200, ..one.clone() }, "its pid was used again");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessRef {
    /// Process id.
    pub pid: u32,
    /// When it started, in clock ticks since boot (field 22 of `/proc/<pid>/stat`).
    pub start_time: u64,
    /// The boot it belongs to (`/proc/sys/kernel/random/boot_id`).
    pub boot_id: String,
}

/// A run whose owner died while it was running.
///
/// ```
/// use std::sync::Arc;
/// use scheduler_core::{Job, Orphan, RunId, schedule::{ParseOptions, Schedule}};
/// let schedule = Schedule::parse("@daily", &ParseOptions::default())?;
/// let job = Arc::new(Job::new("a".parse()?, schedule, serde_json::json!("a payload")));
/// assert_eq!(Orphan::new(RunId::new("1"), job, None).process, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Orphan {
    /// The run.
    pub run: RunId,
    /// Its job, as it was started.
    pub job: Arc<Job>,
    /// The process that was noted for it; `None` if the owner died before it could note one.
    pub process: Option<ProcessRef>,
}

impl Orphan {
    /// An orphan of `job` with the process that was noted for it.
    pub fn new(run: RunId, job: Arc<Job>, process: Option<ProcessRef>) -> Self {
        Self { run, job, process }
    }
}

/// How a run ended.
///
/// ```
/// use scheduler_core::RunResult;
/// assert!(RunResult::Unknown.is_trouble() && !RunResult::Cancelled.is_trouble());
/// assert_eq!(RunResult::TimedOut.word(), "timed_out");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunResult {
    /// It did what it should.
    Succeeded,
    /// It ran and said no, or could not be started.
    Failed,
    /// It took longer than its timeout and was stopped.
    TimedOut,
    /// It was stopped on request.
    Cancelled,
    /// Nobody was there to see its end.
    Unknown,
}

impl RunResult {
    /// Whether somebody has to look at it. Who cancelled a run knows of it.
    pub fn is_trouble(self) -> bool {
        matches!(self, Self::Failed | Self::TimedOut | Self::Unknown)
    }
}

/// How a run ended, with the evidence.
///
/// ```
/// use scheduler_core::{Outcome, RunResult};
/// assert_eq!(Outcome::new(RunResult::Succeeded).reason(), None);
/// assert_eq!(Outcome::failed("connection refused").reason().as_deref(), Some("connection refused"));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Outcome {
    /// The result.
    pub result: RunResult,
    /// Exit code, if it exited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// The signal that ended it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// Why, in words, where the codes don't say it: "program not found: pg_dump".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What it used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// What it wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Output>,
}

impl Outcome {
    /// An outcome with nothing but its result.
    pub fn new(result: RunResult) -> Self {
        Self { result, exit_code: None, signal: None, message: None, usage: None, output: None }
    }

    /// Why it ended as it did, in words: its message, else its exit code or signal.
    ///
    /// ```
    /// use scheduler_core::{Outcome, RunResult};
    /// let mut outcome = Outcome::new(RunResult::Failed);
    /// outcome.exit_code = Some(3);
    /// assert_eq!(outcome.reason().as_deref(), Some("exit code 3"));
    /// ```
    pub fn reason(&self) -> Option<String> {
        let code = || self.exit_code.map(|code| format!("exit code {code}"));
        let signal = || self.signal.map(|signal| format!("signal {signal}"));
        self.message.clone().or_else(code).or_else(signal)
    }

    /// A failure with its reason in words.
    pub fn failed(message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), ..Self::new(RunResult::Failed) }
    }
}

/// What a run used, as wait4 tells it.
///
/// ```
/// use scheduler_core::{Outcome, RunResult, Usage};
/// let mut outcome = Outcome::new(RunResult::Succeeded);
/// outcome.usage = Some(Usage { user_us: 1200, system_us: 300, max_rss_kib: 2048 });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// CPU time in user mode, in microseconds.
    pub user_us: u64,
    /// CPU time in the kernel, in microseconds.
    pub system_us: u64,
    /// Peak resident memory of its largest process, in KiB.
    pub max_rss_kib: u64,
}

/// Where a run's output is and how much of it was kept.
///
/// ```
/// use scheduler_core::{Outcome, Output, RunResult};
/// let mut outcome = Outcome::new(RunResult::Succeeded);
/// outcome.output = Some(Output { path: "/srv/sched/runs/a/1.log".into(), written: 2048, kept: 1024 });
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// The file.
    pub path: PathBuf,
    /// How much the run wrote, in bytes.
    pub written: u64,
    /// How much of it the file holds, in bytes.
    pub kept: u64,
}
