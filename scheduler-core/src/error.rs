//! The one error of this crate: what kind, on what, why, and what to do about it.

use std::{error::Error as StdError, fmt, io};

use crate::vfs;

/// What went wrong, in kinds a caller can act on.
///
/// ```
/// use scheduler_core::{Error, ErrorKind};
/// let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
/// assert_eq!(Error::io("cannot write jobs.json", full).kind(), ErrorKind::NoSpace);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No such job, run or file.
    NotFound,
    /// A name fits more than one thing.
    Ambiguous,
    /// Input that cannot be taken as it is.
    Invalid,
    /// It is there already.
    Exists,
    /// It is no longer what the caller saw when they decided.
    Changed,
    /// Somebody else holds the lock; try again later.
    Busy,
    /// The disk, or whoever holds it, has not answered in time; what was asked for was not done.
    Unanswered,
    /// A file of ours does not hold what it must; nothing is guessed.
    Corrupt,
    /// Written by a newer version of this program.
    TooNew,
    /// No space left.
    NoSpace,
    /// The file system or the permissions forbid it.
    ReadOnly,
    /// Any other failed call to the system.
    Io,
    /// A replaced provider that goes on asking.
    Revoked,
    /// The engine is stopping.
    Stopping,
    /// A provider or runner failed in its own code.
    Foreign,
}

/// An error with its kind, a lower-case message, an optional hint and an optional cause.
///
/// ```
/// use scheduler_core::{Error, ErrorKind};
/// let error = Error::new(ErrorKind::NotFound, "no job `backup`").hint("run `sched list`");
/// assert_eq!(error.to_string(), "no job `backup`");
/// assert_eq!(error.hint_text(), Some("run `sched list`"));
/// ```
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// `Result` with this crate's [`Error`].
///
/// ```
/// use scheduler_core::{ErrorKind, JobId, Result};
/// fn id(text: &str) -> Result<JobId> {
///     text.parse()
/// }
/// assert_eq!(id("A").map_err(|error| error.kind()), Err(ErrorKind::Invalid));
/// ```
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of `kind`; the message is a lower-case fragment that names what failed, on what, and why.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), hint: None, source: None }))
    }

    /// An error for a failed system call on `what`, its kind read from the cause.
    ///
    /// ```
    /// use std::io;
    /// use scheduler_core::Error;
    /// let gone = io::Error::from_raw_os_error(2);
    /// let error = Error::io("cannot read jobs.json", gone).context("home /srv/sched");
    /// assert_eq!(error.to_string(), "home /srv/sched: cannot read jobs.json: no such file or directory");
    /// assert!(!error.is_retryable());
    /// ```
    pub fn io(what: impl fmt::Display, cause: io::Error) -> Self {
        let kind = match cause.kind() {
            io::ErrorKind::NotFound => ErrorKind::NotFound,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => ErrorKind::ReadOnly,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::NoSpace,
            io::ErrorKind::WouldBlock => ErrorKind::Busy,
            _ => ErrorKind::Io,
        };
        let mut error = Self::new(kind, format!("{what}: {}", plain(&cause)));
        error.0.hint = match kind {
            ErrorKind::ReadOnly => {
                Some("check who owns the home and that its file system is mounted read-write".into())
            }
            ErrorKind::NoSpace => Some("free some space on that file system; nothing was lost".into()),
            _ if vfs::is_in_the_way(&cause) => Some("it isn't what sched put there: move it away".into()),
            _ => None,
        };
        error.0.source = Some(Box::new(cause));
        error
    }

    /// The same error with the fix spelled out.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// The same error with `context` before its message.
    #[must_use]
    pub fn context(mut self, context: impl fmt::Display) -> Self {
        self.0.message = format!("{context}: {}", self.0.message);
        self
    }

    /// The same error for one more of those who wait for the same thing; the cause stays with the first.
    pub(crate) fn copy(&self) -> Self {
        let Inner { kind, message, hint, .. } = &*self.0;
        Self(Box::new(Inner { kind: *kind, message: message.clone(), hint: hint.clone(), source: None }))
    }

    /// What a caller can act on.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The fix, where one is known.
    pub fn hint_text(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Whether the same call may succeed later without anybody changing its input.
    pub fn is_retryable(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Busy | ErrorKind::Unanswered | ErrorKind::NoSpace | ErrorKind::Io)
    }
}

/// The system's words without Rust's "(os error 28)" tail, in lower case.
fn plain(cause: &io::Error) -> String {
    let text = cause.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
