//! A heartbeat: what a loop says of itself, as proof that it turned. `file` has how it lies on the disk.

mod file;

use std::{fmt, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use file::{FILE_LEN, read};

/// The format this build writes. Fields may be added to it; a reader passes over those it doesn't know.
///
/// ```
/// use std::time::Duration;
/// use scheduler_core::liveness::heartbeat::{FORMAT, Heartbeat};
/// assert_eq!(Heartbeat::new("node", jiff::Timestamp::UNIX_EPOCH, Duration::from_secs(60)).format, FORMAT);
/// ```
pub const FORMAT: u32 = 1;

/// What a loop says of itself.
///
/// ```
/// use std::time::Duration;
/// use scheduler_core::liveness::{Heartbeat, Phase};
/// let beat = Heartbeat::new("node", jiff::Timestamp::UNIX_EPOCH, Duration::from_secs(60));
/// assert_eq!(beat.phase, Phase::Starting);
/// assert!(!beat.has_ticked());
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Heartbeat {
    /// [`FORMAT`].
    pub format: u32,
    /// Which running process, by a name of its own.
    pub node: String,
    /// The name the operator gave it.
    pub agent: String,
    /// The machine (`/etc/machine-id`), where it has such a name.
    #[serde(default)]
    pub machine_id: Option<String>,
    /// The boot it belongs to (`/proc/sys/kernel/random/boot_id`); empty if that can't be known.
    pub boot_id: String,
    /// Process id, as the process itself sees it.
    pub pid: u32,
    /// The namespace that process id is from (the inode of `/proc/self/ns/pid`).
    #[serde(default)]
    pub pid_ns: Option<u64>,
    /// When the process started, in clock ticks (100 a second) since boot.
    pub proc_start: u64,
    /// The trigger provider in force.
    pub provider: String,
    /// Why that isn't the one the operator asked for.
    #[serde(default)]
    pub fallback_reason: Option<String>,
    /// When the loop began.
    pub started_at: Timestamp,
    /// How often it beats, in seconds.
    pub interval_s: f64,
    /// How many ticks it has begun.
    pub cycle: u64,
    /// What it is doing.
    pub phase: Phase,
    /// When this was said.
    pub at: Timestamp,
    /// The same, in whole seconds since the epoch: what a shell can subtract.
    pub at_unix: i64,
    /// The same, in nanoseconds since boot, suspend included.
    pub boottime_ns: u64,
    /// The same, in nanoseconds since boot, suspend excluded.
    pub monotonic_ns: u64,
    /// When the engine last got on with its work, on the clock of `monotonic_ns`.
    #[serde(default)]
    pub progress_monotonic_ns: u64,
    /// Whether the provider turns by itself, so that its own progress counts.
    #[serde(default)]
    pub provider_ticks: bool,
    /// When the provider last got on with its work, on the clock of `monotonic_ns`.
    #[serde(default)]
    pub provider_monotonic_ns: Option<u64>,
    /// When the tick before this one was, in a file that outlives its writer (`tick.json`): the two give the period.
    #[serde(default)]
    pub previous_at: Option<Timestamp>,
    /// The same on the clock of `boottime_ns`, if that was in the same boot: a wall clock that was set between the two makes them no
    /// further apart.
    #[serde(default)]
    pub previous_boottime_ns: Option<u64>,
    /// When a tick last succeeded.
    #[serde(default)]
    pub last_success_at: Option<Timestamp>,
    /// What it last did, in words.
    #[serde(default)]
    pub last_action: Option<String>,
    /// How the last finished tick ended.
    pub status: Status,
    /// Why it failed, while it does.
    #[serde(default)]
    pub error: Option<Failure>,
    /// When the next thing happens by the clock.
    #[serde(default)]
    pub next_wakeup: Option<Timestamp>,
    /// Occurrences that wait for a place.
    #[serde(default)]
    pub queue: u64,
    /// Runs that are open.
    #[serde(default)]
    pub running: u64,
}

/// What a loop is doing.
///
/// ```
/// use scheduler_core::liveness::Phase;
/// assert_eq!(Phase::Draining.word(), "draining");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Phase {
    /// It gets ready; nothing fires yet.
    Starting,
    /// It waits for the next instant.
    Idle,
    /// It is in the middle of a tick.
    Ticking,
    /// It was told to stop, and waits for its runs.
    Draining,
    /// It has stopped as it should.
    Stopped,
}

impl Phase {
    /// The phase in one word, as the file has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Idle => "idle",
            Self::Ticking => "ticking",
            Self::Draining => "draining",
            Self::Stopped => "stopped",
        }
    }
}

/// How the last finished tick ended.
///
/// ```
/// use scheduler_core::liveness::Status;
/// assert_eq!(serde_json::to_string(&Status::Ok)?, r#""ok""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Well, or none has finished yet.
    Ok,
    /// With an error.
    Error,
}

/// A tick that fails, and has failed before with the same words.
///
/// ```
/// use jiff::Timestamp;
/// use scheduler_core::liveness::Failure;
/// let failure = Failure { message: "no space left".into(), since: Timestamp::UNIX_EPOCH, count: 1 };
/// assert_eq!(failure.clone(), failure);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The error.
    pub message: String,
    /// When it was first met.
    pub since: Timestamp,
    /// How often it was met since then.
    pub count: u64,
}

impl Heartbeat {
    /// The beat of a loop that begins: nothing done, nothing known of its machine.
    pub fn new(node: impl Into<String>, started_at: Timestamp, interval: Duration) -> Self {
        Self {
            format: FORMAT,
            node: node.into(),
            agent: String::new(),
            machine_id: None,
            boot_id: String::new(),
            pid: std::process::id(),
            pid_ns: None,
            proc_start: 0,
            provider: "builtin".into(),
            fallback_reason: None,
            started_at,
            interval_s: interval.as_secs_f64(),
            cycle: 0,
            phase: Phase::Starting,
            at: started_at,
            at_unix: started_at.as_second(),
            boottime_ns: 0,
            monotonic_ns: 0,
            progress_monotonic_ns: 0,
            provider_ticks: false,
            provider_monotonic_ns: None,
            previous_at: None,
            previous_boottime_ns: None,
            last_success_at: None,
            last_action: None,
            status: Status::Ok,
            error: None,
            next_wakeup: None,
            queue: 0,
            running: 0,
        }
    }

    /// Whether a tick has come to its end, well or not.
    pub fn has_ticked(&self) -> bool {
        self.last_success_at.is_some() || self.status == Status::Error
    }
}

/// Why there is no beat to judge.
///
/// ```
/// use scheduler_core::liveness::{Heartbeat, Unreadable};
/// assert_eq!(Heartbeat::decode(b""), Err(Unreadable::Empty));
/// assert!(matches!(Heartbeat::decode(b"{}"), Err(Unreadable::Garbage(_))));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// There is no such file.
    Missing,
    /// There is a file with nothing in it.
    Empty,
    /// It holds something else, or a torn beat; with what is wrong.
    Garbage(String),
    /// It could not be read; with the system's words.
    Failed(String),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no heartbeat"),
            Self::Empty => f.write_str("the heartbeat's file is empty"),
            Self::Garbage(why) => write!(f, "the heartbeat's file holds no beat: {why}"),
            Self::Failed(why) => write!(f, "the heartbeat {why}"),
        }
    }
}
