//! What a heartbeat says: one JSON object on one line. A shell can write it with `printf`; `sched heartbeat snippet` does.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::heartbeat::{Status, Unreadable};

/// The format this build writes. Members may be added to it; a reader passes over those it doesn't know.
///
/// ```
/// use scheduler_core::liveness::beats::{self, Beat};
/// let beat = Beat::new(jiff::Timestamp::UNIX_EPOCH, std::time::Duration::from_mins(15));
/// assert_eq!(beat.format, beats::FORMAT);
/// ```
pub const FORMAT: u32 = 1;

/// The largest file that is read, in bytes; none that is written is larger.
///
/// ```
/// use scheduler_core::liveness::beats::{Beat, MAX_LEN};
/// let mut beat = Beat::new(jiff::Timestamp::UNIX_EPOCH, std::time::Duration::from_mins(15));
/// beat.set = (0..100).map(|n| (n.to_string(), "x".repeat(10_000))).collect();
/// assert!(beat.encode().len() <= MAX_LEN);
/// ```
pub const MAX_LEN: usize = 64 << 10;

/// The longest text in it, in bytes; of a longer one the end is left out.
const MAX_TEXT: usize = 4 << 10;

/// A heartbeat of a job.
///
/// ```
/// use std::time::Duration;
/// use scheduler_core::liveness::beats::Beat;
/// let beat = Beat::new("2026-11-22T10:00:00Z".parse()?, Duration::from_mins(15));
/// let line = r#"{"format":1,"at":"2026-11-22T10:00:00Z","interval_s":900,"status":"ok"}"#;
/// assert_eq!(String::from_utf8(beat.encode())?, format!("{line}\n"));
/// assert_eq!(Beat::decode(line.as_bytes()), Ok(beat.clone()));
/// assert_eq!((beat.interval().as_secs(), beat.max_age()), (900, None));
/// let beat = beat.with_max_age(Some(Duration::from_mins(20)));
/// assert_eq!(beat.max_age(), Some(Duration::from_secs(1200)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Beat {
    /// [`FORMAT`].
    pub format: u32,
    /// When it came, to the second.
    pub at: Timestamp,
    /// How often it comes, in seconds.
    pub interval_s: u64,
    /// The oldest it may get, in seconds, if its writer says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age_s: Option<u64>,
    /// How the job says that it is doing.
    pub status: Status,
    /// What it did last, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// How often it has done so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cycle: Option<u64>,
    /// Whatever else it has to say.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, String>,
}

impl Beat {
    /// The beat of a job that is well and beats every `interval`.
    pub fn new(at: Timestamp, interval: Duration) -> Self {
        Self {
            format: FORMAT,
            at: Timestamp::from_second(at.as_second()).unwrap_or(at),
            interval_s: seconds(interval),
            max_age_s: None,
            status: Status::Ok,
            action: None,
            cycle: None,
            set: BTreeMap::new(),
        }
    }

    /// The same that may get so old.
    #[must_use]
    pub fn with_max_age(self, max_age: Option<Duration>) -> Self {
        Self { max_age_s: max_age.map(seconds), ..self }
    }

    /// How often it comes.
    pub fn interval(&self) -> Duration {
        Duration::from_secs(self.interval_s)
    }

    /// The oldest it may get, if its writer says so.
    pub fn max_age(&self) -> Option<Duration> {
        self.max_age_s.map(Duration::from_secs)
    }

    /// The content of its file. Texts that are too long are cut, and of too many the last are left out: a part of what a
    /// beat has to say is worth more than no beat.
    pub fn encode(&self) -> Vec<u8> {
        let mut beat = self.clone();
        beat.action.iter_mut().chain(beat.set.values_mut()).for_each(cut);
        loop {
            let mut file = serde_json::to_vec(&beat).unwrap_or_default();
            file.push(b'\n');
            if file.len() <= MAX_LEN || beat.set.pop_last().is_none() {
                return file;
            }
        }
    }

    /// The beat in the content of a file.
    ///
    /// # Errors
    /// [`Unreadable::Empty`], or [`Unreadable::Garbage`] with what is wrong.
    pub fn decode(file: &[u8]) -> Result<Self, Unreadable> {
        if file.trim_ascii().is_empty() {
            return Err(Unreadable::Empty);
        }
        let beat: Self = serde_json::from_slice(file).map_err(|error| Unreadable::Garbage(error.to_string()))?;
        match beat.format {
            FORMAT => Ok(beat),
            other => Err(Unreadable::Garbage(format!("it is of format {other}, and this build reads {FORMAT}"))),
        }
    }
}

/// Whole seconds; a part of one counts as one.
fn seconds(span: Duration) -> u64 {
    span.as_secs().saturating_add(u64::from(span.subsec_nanos() > 0))
}

fn cut(text: &mut String) {
    if text.len() > MAX_TEXT {
        text.truncate(text.floor_char_boundary(MAX_TEXT));
        text.push_str("...");
    }
}
