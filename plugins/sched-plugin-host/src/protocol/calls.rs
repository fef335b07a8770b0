//! What each side may ask of the other, and what it gets. Shapes only.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::message::Call;

/// What the host asks of a plugin.
///
/// ```
/// use sched_plugin_host::protocol::{HostCall, Message};
/// let line = r#"{"id": 4, "call": "fire_due", "job": "backup", "at": 1767225600000}"#;
/// let call = HostCall::FireDue { job: "backup".into(), at: Some(1_767_225_600_000) };
/// assert_eq!(Message::read(line), Ok(Message::Call { id: Some(4), call }));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "snake_case")]
pub enum HostCall {
    /// Who are you? Answered with a [`Welcome`].
    Hello(Hello),
    /// Make jobs fire.
    Start,
    /// End, and take down what is armed outside.
    Stop,
    /// Jobs changed ([`Hook::JobsChanged`]).
    JobsChanged {
        /// Which, removed ones included.
        ids: Vec<String>,
        /// Whether nothing but their next instants did.
        #[serde(default)]
        only_next_at: bool,
    },
    /// Bring what is armed outside in line with the jobs ([`Hook::Reconcile`]).
    Reconcile,
    /// Somebody outside says that a job is due ([`Hook::FireDue`]). Answered with a [`Fired`].
    FireDue {
        /// Which job.
        job: String,
        /// Its instant; without one, whatever it owes now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<i64>,
    },
}

impl Call for HostCall {
    const NAMES: &'static [&'static str] = &["hello", "start", "stop", "jobs_changed", "reconcile", "fire_due"];
}

/// The first thing a plugin hears.
///
/// ```
/// use sched_plugin_host::protocol::Hello;
/// let hello: Hello = serde_json::from_str(r#"{"protocol": 1, "sched": "0.1.0", "nonce": "5f3a", "later": true}"#)?;
/// assert_eq!((hello.protocol, hello.config.is_null()), (1, true));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// [`VERSION`](super::VERSION).
    pub protocol: u32,
    /// The version of sched.
    pub sched: String,
    /// To be returned in `ready`: what answers is what was started, and read this far.
    pub nonce: String,
    /// `config` of plugin.yaml.
    #[serde(default)]
    pub config: Value,
    /// The longest that a plugin which ticks may be silent, in milliseconds.
    #[serde(default = "minute")]
    pub interval_ms: u64,
}

const fn minute() -> u64 {
    60_000
}

/// The answer to [`Hello`].
///
/// ```
/// use sched_plugin_host::protocol::Welcome;
/// let welcome: Welcome = serde_json::from_str(r#"{"unavailable": {"reason": "no bus"}, "later": 1}"#)?;
/// assert_eq!(welcome, Welcome::Unavailable { reason: "no bus".into() });
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", try_from = "WelcomeMembers")]
pub enum Welcome {
    /// It can work.
    Ready(Ready),
    /// It can't.
    Unavailable {
        /// Why.
        reason: String,
    },
}

/// As an object, so that members of a later version are let through.
#[derive(Deserialize)]
struct WelcomeMembers {
    ready: Option<Ready>,
    unavailable: Option<Unavailable>,
}

#[derive(Deserialize)]
struct Unavailable {
    reason: String,
}

impl TryFrom<WelcomeMembers> for Welcome {
    type Error = &'static str;

    fn try_from(members: WelcomeMembers) -> Result<Self, Self::Error> {
        match members {
            WelcomeMembers { unavailable: Some(Unavailable { reason }), .. } => Ok(Self::Unavailable { reason }),
            WelcomeMembers { ready: Some(ready), .. } => Ok(Self::Ready(ready)),
            _ => Err("it has neither member"),
        }
    }
}

/// What a plugin says about itself.
///
/// ```
/// use sched_plugin_host::protocol::{Hook, Ready};
/// let text = r#"{"name": "bells", "version": "1.2.0", "nonce": "5f3a", "liveness": "ticks", "hooks": ["fire_due", "sing"]}"#;
/// let ready: Ready = serde_json::from_str(text)?;
/// assert!(ready.has(Hook::FireDue) && !ready.has(Hook::Reconcile));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// Its name, as in plugin.yaml.
    pub name: String,
    /// Its version.
    pub version: String,
    /// That of `hello`.
    pub nonce: String,
    /// How its life shows.
    pub liveness: WireLiveness,
    /// The [`Hook`]s it has, by name; without them it has none. Names that nobody knows yet are ignored.
    #[serde(default)]
    pub hooks: Vec<String>,
}

impl Ready {
    /// Whether it has `hook`.
    pub fn has(&self, hook: Hook) -> bool {
        self.hooks.iter().any(|name| name == hook.name())
    }
}

/// How a plugin's life shows.
///
/// ```
/// use sched_plugin_host::protocol::WireLiveness;
/// assert_eq!(serde_json::to_string(&WireLiveness::Ticks)?, r#""ticks""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WireLiveness {
    /// It turns a loop: `tick` or `beat` comes at least once every interval.
    Ticks,
    /// Something outside will call; silence is no sign of death.
    External,
}

/// A call that a plugin may do without.
///
/// ```
/// use sched_plugin_host::protocol::Hook;
/// assert_eq!(Hook::ALL.map(Hook::name), ["jobs_changed", "reconcile", "fire_due"]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hook {
    /// [`HostCall::JobsChanged`].
    JobsChanged,
    /// [`HostCall::Reconcile`].
    Reconcile,
    /// [`HostCall::FireDue`].
    FireDue,
}

impl Hook {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::JobsChanged, Self::Reconcile, Self::FireDue];

    /// Its name in `ready`, which is that of the call.
    pub const fn name(self) -> &'static str {
        match self {
            Self::JobsChanged => "jobs_changed",
            Self::Reconcile => "reconcile",
            Self::FireDue => "fire_due",
        }
    }
}

/// What a plugin asks of the host.
///
/// ```
/// use sched_plugin_host::protocol::{LogLevel, Message, PluginCall};
/// let line = r#"{"call": "log", "level": "warn", "message": "no bus"}"#;
/// let call = PluginCall::Log { level: LogLevel::Warn, message: "no bus".into() };
/// assert_eq!(Message::read(line), Ok(Message::Call { id: None, call }));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "snake_case")]
pub enum PluginCall {
    /// Fire one job. Answered with a [`Fired`].
    Fire(Fire),
    /// Fire all that is due now. Counts as beating. Answered with `{}`.
    Tick,
    /// Which jobs are there? Answered with a list of [`JobItem`]s, or with a [`JobPage`] if it says after which.
    Jobs {
        /// Only those whose ids come after this one, which need not be there: the empty text for the first page.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// When is something due next? Answered with an instant or `null`.
    NextWakeup,
    /// I am alive, and had nothing to do.
    Beat,
    /// A line for the log.
    Log {
        /// How loud.
        level: LogLevel,
        /// What.
        message: String,
    },
    /// I have ended; nothing else will come.
    Stopped,
}

impl Call for PluginCall {
    const NAMES: &'static [&'static str] = &["fire", "tick", "jobs", "next_wakeup", "beat", "log", "stopped"];
}

/// Which occurrence of which job to fire.
///
/// ```
/// use sched_plugin_host::protocol::{Fire, FireKind};
/// let fire: Fire = serde_json::from_str(r#"{"kind": "event", "job": "deploy", "key": "build-17"}"#)?;
/// assert_eq!((fire.kind, fire.key.as_deref()), (FireKind::Event, Some("build-17")));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fire {
    /// What `at` and `key` are for.
    pub kind: FireKind,
    /// Which job.
    pub job: String,
    /// With [`FireKind::At`]: the instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
    /// With [`FireKind::Event`]: what names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// What kind of occurrence is meant.
///
/// ```
/// use sched_plugin_host::protocol::FireKind;
/// assert_eq!(serde_json::to_string(&FireKind::Due)?, r#""due""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FireKind {
    /// The one that is due now.
    Due,
    /// The one at `at`, an instant of the job's schedule.
    At,
    /// A new one, outside the schedule; the same `key` again is the same one.
    Event,
}

/// What came of a fire. A job that isn't there is the error `not_found`, and a plugin that has been replaced gets `revoked`.
///
/// ```
/// use sched_plugin_host::protocol::{Fired, Outcome};
/// let fired: Fired = serde_json::from_str(r#"{"outcome": "not_due"}"#)?;
/// assert_eq!(fired, Fired { outcome: Outcome::NotDue, run: None, reason: None });
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fired {
    /// In a word.
    pub outcome: Outcome,
    /// Which run, of one that started or waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Why it was skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What came of a fire, in a word.
///
/// ```
/// use sched_plugin_host::protocol::Outcome;
/// assert_eq!(serde_json::to_string(&Outcome::Lost)?, r#""lost""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Claimed, and on its way.
    Started,
    /// It waits for a place.
    Queued,
    /// Nothing is owed.
    NotDue,
    /// Somebody else has it, or had it.
    Lost,
    /// The job is paused.
    Paused,
    /// Closed at once.
    Skipped,
    /// The daemon is stopping; it stays due.
    Draining,
}

/// A job, as a plugin sees it.
///
/// ```
/// use sched_plugin_host::protocol::JobItem;
/// let job: JobItem = serde_json::from_str(r#"{"id": "backup", "next_at": null, "due_at": null, "paused": true}"#)?;
/// assert!(job.paused && job.next_at.is_none());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobItem {
    /// Its id.
    pub id: String,
    /// Its next instant; `null` while it owes none.
    pub next_at: Option<i64>,
    /// When that is to start: then, or later by its part of its jitter. What to arm.
    pub due_at: Option<i64>,
    /// Whether it is paused.
    pub paused: bool,
}

/// Some of the jobs, by id.
///
/// ```
/// use sched_plugin_host::protocol::JobPage;
/// let page: JobPage = serde_json::from_str(r#"{"jobs": [], "more": false}"#)?;
/// assert!(page.jobs.is_empty() && !page.more);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobPage {
    /// At most [`LONGEST_PAGE`] of them.
    pub jobs: Vec<JobItem>,
    /// Whether there are more after the last one here.
    pub more: bool,
}

/// So many jobs are at most in a [`JobPage`]; with the longest ids they fit into a line.
///
/// ```
/// use sched_plugin_host::protocol::{JobItem, JobPage, LONGEST_PAGE, MAX_LINE};
/// let longest = JobItem { id: "x".repeat(63), next_at: Some(-377_705_023_201_000), due_at: Some(253_402_207_200_999), paused: false };
/// let page = JobPage { jobs: vec![longest; LONGEST_PAGE], more: false };
/// assert!(serde_json::to_string(&page)?.len() + 100 < MAX_LINE);
/// # Ok::<(), serde_json::Error>(())
/// ```
pub const LONGEST_PAGE: usize = 5000;

/// How loud a line of the log is.
///
/// ```
/// use sched_plugin_host::protocol::LogLevel;
/// assert!(LogLevel::Error < LogLevel::Trace);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Somebody has to do something.
    Error,
    /// Somebody may have to.
    Warn,
    /// What happens.
    Info,
    /// What happens inside.
    Debug,
    /// All of it.
    Trace,
}
