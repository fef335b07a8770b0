//! Names of things: jobs, runs, owners, and the identity of an occurrence.
//!
//! Everything here is a plain value. Random names are made by the edges that need them (engine, stores) and
//! handed to the pure parts, which never draw any.

use std::{fmt, str::FromStr, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind};

/// The id of a job: `[a-z0-9][a-z0-9._-]{0,62}`.
///
/// ```
/// use scheduler_core::JobId;
/// assert!("nightly-backup".parse::<JobId>().is_ok());
/// assert!("Nightly Backup".parse::<JobId>().unwrap_err().to_string().contains("capital"));
/// assert!("a".repeat(JobId::MAX_LEN + 1).parse::<JobId>().is_err());
/// assert_eq!(JobId::from_name("Nightly Backup!").as_str(), "nightly-backup");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JobId(Arc<str>);

impl JobId {
    /// The longest id, in bytes: with a suffix it still fits a file name and a unit name.
    pub const MAX_LEN: usize = 63;

    /// The same in memory that this thread allocated.
    pub(crate) fn copied_here(&self) -> Self {
        Self(Arc::from(&*self.0))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The nearest valid id to a free name: lower case, everything else a dash; `job` if nothing is left.
    pub fn from_name(name: &str) -> Self {
        let mut id = String::new();
        for c in name.to_lowercase().chars() {
            if c.is_ascii_alphanumeric() {
                id.push(c);
            } else if !id.is_empty() && !id.ends_with('-') {
                id.push(if matches!(c, '.' | '_') { c } else { '-' });
            }
            if id.len() == Self::MAX_LEN {
                break;
            }
        }
        let id = id.trim_end_matches(['-', '.', '_']);
        Self(if id.is_empty() { "job".into() } else { id.into() })
    }
}

/// Whether `name` could be an id, and so can stand in messages, files and commands without quotes.
pub(crate) fn is_plain(name: &str) -> bool {
    name.parse::<JobId>().is_ok()
}

impl FromStr for JobId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let invalid = |why: String| {
            let error = Error::new(ErrorKind::Invalid, format!("invalid job id `{text}`: {why}"));
            Err(error.hint(format!("an id is a-z, 0-9, `.`, `_` or `-`, at most 63 long: `{}`", Self::from_name(text))))
        };
        match text.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '.' | '_' | '-')) {
            None if text.is_empty() => invalid("it is empty".into()),
            None if text.len() > Self::MAX_LEN => invalid(format!("it is {} characters long", text.len())),
            None if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) => {
                invalid("it must start with a letter or a digit".into())
            }
            None => Ok(Self(text.into())),
            Some(c) if c.is_ascii_uppercase() => invalid(format!("`{c}` is a capital letter")),
            Some(c) => invalid(format!("`{}` is not allowed", c.escape_default())),
        }
    }
}

impl TryFrom<String> for JobId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<JobId> for String {
    fn from(id: JobId) -> Self {
        id.0.as_ref().into()
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes `text` as it is.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

text_id! {
    /// One attempt at an occurrence. Sorts by the time it was made; also names the output file.
    ///
    /// ```
    /// use jiff::Timestamp;
    /// use scheduler_core::RunId;
    /// let earlier = RunId::random("2026-11-22T02:30:00Z".parse()?);
    /// let later = RunId::random("2026-11-22T02:30:01Z".parse()?);
    /// assert!(earlier < later && later.as_str().len() == 15);
    /// assert_eq!(RunId::new(later.as_str()), later);
    /// # Ok::<(), jiff::Error>(())
    /// ```
    RunId
}
text_id! {
    /// A process that owns claims: alive exactly while it holds the lock on `state/owners/<id>`.
    ///
    /// ```
    /// use scheduler_core::{JobStore, OwnerId, store::MemoryStore};
    /// assert_ne!(MemoryStore::default().owner(), &OwnerId::new("somebody else"));
    /// ```
    OwnerId
}
text_id! {
    /// The secret that fences a claim: only its holder may start and finish it.
    ///
    /// ```
    /// use scheduler_core::Token;
    /// assert_ne!(Token::random(), Token::random());
    /// ```
    Token
}

/// Where an occurrence comes from; with its key it says which one it is.
///
/// ```
/// use scheduler_core::OccurrenceKind;
/// assert_eq!(OccurrenceKind::External.to_string(), "external");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum OccurrenceKind {
    /// An instant of the schedule; the key is that instant in UTC.
    Scheduled,
    /// Asked for by hand; the key is the request's id.
    Manual,
    /// Asked for from outside; the key is the event's id.
    External,
    /// The start of the machine; the key is the boot's id.
    Reboot,
}

impl fmt::Display for OccurrenceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Scheduled => "scheduled",
            Self::Manual => "manual",
            Self::External => "external",
            Self::Reboot => "reboot",
        })
    }
}

/// The identity of an occurrence: at most one exists for each value, for ever.
///
/// ```
/// use scheduler_core::OccurrenceId;
/// let at = "2026-11-22T02:30:00Z".parse()?;
/// let id = OccurrenceId::scheduled("backup".parse()?, 1, at);
/// assert_eq!(id.to_string(), "backup/scheduled/2026-11-22T02:30:00Z");
/// assert_eq!(id.instant(), Some(at));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OccurrenceId {
    /// The job that owes the run.
    pub job: JobId,
    /// Which life of that job id: a job removed and created anew owes afresh.
    pub incarnation: u32,
    /// Where it comes from.
    pub kind: OccurrenceKind,
    /// Which one of that kind.
    pub key: Arc<str>,
}

impl OccurrenceId {
    /// The occurrence of `job` at the instant `at` of its schedule.
    pub fn scheduled(job: JobId, incarnation: u32, at: Timestamp) -> Self {
        Self { job, incarnation, kind: OccurrenceKind::Scheduled, key: at.to_string().into() }
    }

    /// The instant of a scheduled occurrence.
    pub fn instant(&self) -> Option<Timestamp> {
        (self.kind == OccurrenceKind::Scheduled).then(|| self.key.parse().ok()).flatten()
    }
}

impl fmt::Display for OccurrenceId {
    /// `job/kind/key`: what a child process gets as `SCHED_OCCURRENCE`, an idempotency key for its side effects.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.job, self.kind, self.key)
    }
}

/// Random names. The alphabet is Crockford's base 32 in lower case: no letter is mistaken for another.
mod random {
    use super::{Arc, OwnerId, RunId, Timestamp, Token};

    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

    fn letters(count: usize) -> String {
        let mut bytes = vec![0u8; count];
        getrandom::fill(&mut bytes).expect("the system's random source always answers");
        bytes.iter().map(|b| char::from(ALPHABET[usize::from(b & 31)])).collect()
    }

    fn sortable(at: Timestamp, tail: usize) -> Arc<str> {
        let mut millis = at.as_millisecond().max(0) as u64;
        let mut head = [0u8; 9];
        for slot in head.iter_mut().rev() {
            *slot = ALPHABET[(millis & 31) as usize];
            millis >>= 5;
        }
        let head: String = head.iter().copied().map(char::from).collect();
        format!("{head}{}", letters(tail)).into()
    }

    impl RunId {
        /// A new run id: nine letters of time (to the millisecond), six of chance.
        pub fn random(at: Timestamp) -> Self {
            Self(sortable(at, 6))
        }
    }

    impl OwnerId {
        /// A new owner id.
        pub fn random(at: Timestamp) -> Self {
            Self(sortable(at, 6))
        }
    }

    impl Token {
        /// A new token with 60 bits of chance.
        pub fn random() -> Self {
            Self(letters(12).into())
        }
    }
}
