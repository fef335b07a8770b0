//! A heartbeat: the proof that a loop turned, as one JSON object in a file of 4 KiB.
//!
//! The file is written in place, because a rename for every tick costs a millisecond and fails on a full disk. A reader can
//! so meet half of the old beat and half of the new one; the checksum at the end of the object tells, and it looks again.

use std::{io, path::Path, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::vfs::{Open, Vfs};

/// The size of a heartbeat's file, in bytes: always the same, so that a beat never needs new space on the disk.
pub const FILE_LEN: usize = 4096;

/// The format this build writes. Fields may be added to it; a reader passes over those it doesn't know.
pub const FORMAT: u32 = 1;

/// How often a file is looked at again that holds half of two beats.
const LOOKS: usize = 16;

/// What a loop says of itself.
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
    /// The same, in seconds since the epoch.
    pub at_unix: f64,
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
    /// When the beat before this one was, in a file that outlives its writer (`tick.json`): the two give the period.
    #[serde(default)]
    pub previous_at: Option<Timestamp>,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Well, or none has finished yet.
    Ok,
    /// With an error.
    Error,
}

/// A tick that fails, and has failed before with the same words.
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
            at_unix: unix(started_at),
            boottime_ns: 0,
            monotonic_ns: 0,
            progress_monotonic_ns: 0,
            provider_ticks: false,
            provider_monotonic_ns: None,
            previous_at: None,
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

    /// The content of the file: the object, its checksum as the last member, spaces, a newline; [`FILE_LEN`] bytes. Texts
    /// that are too long for that are cut.
    ///
    /// ```
    /// use std::time::Duration;
    /// use scheduler_core::liveness::{Heartbeat, heartbeat};
    /// let beat = Heartbeat::new("node", jiff::Timestamp::UNIX_EPOCH, Duration::from_secs(60));
    /// assert_eq!(beat.encode().len(), heartbeat::FILE_LEN);
    /// assert_eq!(Heartbeat::decode(&beat.encode()), Ok(beat));
    /// ```
    pub fn encode(&self) -> Vec<u8> {
        let mut file = serde_json::to_vec(&self.cut_to_fit()).unwrap_or_default();
        // The checksum becomes the last member of the object that it is of.
        file.pop();
        let crc = crc32fast::hash(&file);
        file.extend_from_slice(format!("{CRC}{crc:08x}\"}}").as_bytes());
        file.resize(FILE_LEN - 1, b' ');
        file.push(b'\n');
        file
    }

    /// The beat in the content of a file.
    ///
    /// # Errors
    /// [`Unreadable::Empty`], or [`Unreadable::Garbage`] with what is wrong.
    pub fn decode(file: &[u8]) -> Result<Self, Unreadable> {
        let garbage = |why: &str| Unreadable::Garbage(why.to_owned());
        if file.iter().all(|byte| matches!(byte, b' ' | b'\n' | 0)) {
            return Err(Unreadable::Empty);
        }
        let end = file.windows(CRC.len()).rposition(|window| window == CRC.as_bytes());
        let (sealed, seal) = file.split_at(end.ok_or_else(|| garbage("it has no checksum"))?);
        let seal =
            seal[CRC.len()..].trim_ascii_end().strip_suffix(b"\"}").and_then(|crc| std::str::from_utf8(crc).ok());
        let crc = seal.filter(|crc| crc.len() == 8).and_then(|crc| u32::from_str_radix(crc, 16).ok());
        if crc != Some(crc32fast::hash(sealed)) {
            return Err(garbage("its checksum is wrong"));
        }
        let object = [sealed, b"}"].concat();
        let beat: Self = serde_json::from_slice(&object).map_err(|error| Unreadable::Garbage(error.to_string()))?;
        match beat.format {
            FORMAT => Ok(beat),
            other => Err(Unreadable::Garbage(format!("it is of format {other}, and this build reads {FORMAT}"))),
        }
    }

    /// The same with texts no longer than the file has room for, counted as JSON writes them.
    fn cut_to_fit(&self) -> Self {
        let mut beat = self.clone();
        let cut_option = |text: &mut Option<String>, most| text.iter_mut().for_each(|text| cut(text, most));
        cut(&mut beat.node, 128);
        cut(&mut beat.agent, 128);
        cut_option(&mut beat.machine_id, 64);
        cut(&mut beat.boot_id, 64);
        cut(&mut beat.provider, 128);
        cut_option(&mut beat.fallback_reason, 512);
        cut_option(&mut beat.last_action, 256);
        beat.error.iter_mut().for_each(|error| cut(&mut error.message, 1024));
        beat
    }
}

/// Why there is no beat to judge.
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

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no heartbeat"),
            Self::Empty => f.write_str("the heartbeat's file is empty"),
            Self::Garbage(why) => write!(f, "the heartbeat's file holds no beat: {why}"),
            Self::Failed(why) => write!(f, "the heartbeat {why}"),
        }
    }
}

/// Reads the beat at `path`. A file that holds no whole beat is looked at again at once, a few times, since its writer may
/// have been in the middle of it.
///
/// # Errors
/// Why there is none.
pub fn read(fs: &dyn Vfs, path: &Path) -> Result<Heartbeat, Unreadable> {
    let mut last = look(fs, path);
    for _ in 1..LOOKS {
        match last {
            Err(Unreadable::Empty | Unreadable::Garbage(_)) => last = look(fs, path),
            _ => break,
        }
    }
    last
}

fn look(fs: &dyn Vfs, path: &Path) -> Result<Heartbeat, Unreadable> {
    const KIND: u32 = 0o170_000;
    const PIPE: u32 = 0o010_000;
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Unreadable::Missing,
        _ => Unreadable::Failed(crate::Error::io("cannot be read", error).to_string()),
    };
    // To open a pipe is to wait for its writer: `status` must answer even if somebody put one there.
    if fs.stat(path).map_err(failed)?.mode & KIND == PIPE {
        return Err(Unreadable::Garbage("it is a pipe".into()));
    }
    let file = fs.open(path, Open::Read).map_err(failed)?;
    let mut content = vec![0; FILE_LEN];
    let mut len = 0;
    while len < FILE_LEN {
        match file.read_at(&mut content[len..], len as u64).map_err(failed)? {
            0 => break,
            read => len += read,
        }
    }
    Heartbeat::decode(&content[..len])
}

/// What stands between the members of a beat and the checksum of the bytes before it.
const CRC: &str = ",\"crc32\":\"";

/// Seconds since the epoch.
pub(super) fn unix(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1000.0
}

/// Cuts `text` so that JSON needs no more than `most` bytes for it.
fn cut(text: &mut String, most: usize) {
    const DOTS: &str = "...";
    let written = |c: char| match c {
        '"' | '\\' => 2,
        c if c.is_ascii_control() => 6,
        c => c.len_utf8(),
    };
    if text.chars().map(written).sum::<usize>() <= most {
        return;
    }
    let mut used = DOTS.len();
    let end = text.char_indices().find(|(_, c)| {
        used += written(*c);
        used > most
    });
    text.truncate(end.map_or(text.len(), |(at, _)| at));
    text.push_str(DOTS);
}
