//! What became of a call.

use std::{error::Error, fmt};

use sched_plugin_abi::{Status, status};

/// What became of a fire.
///
/// ```
/// use sched_plugin::{FireOutcome, testing::TestHost};
/// let host = TestHost::default();
/// assert_eq!(host.host().fire_due("backup")?, FireOutcome::Started);
/// # Ok::<(), sched_plugin::HostError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FireOutcome {
    /// It is claimed, and starts at once.
    Started,
    /// It waits for a place.
    Queued,
    /// Nothing is due.
    NotDue,
    /// Somebody else has fired it.
    Lost,
    /// The job is paused.
    Paused,
    /// The job's rules forbid it now.
    Skipped,
    /// The daemon starts nothing any more; what is due stays due.
    Draining,
    /// Something that this crate doesn't know yet.
    Other(i32),
}

impl FireOutcome {
    pub(crate) const fn of(status: Status) -> Self {
        match status {
            status::STARTED => Self::Started,
            status::QUEUED => Self::Queued,
            status::NOT_DUE => Self::NotDue,
            status::LOST => Self::Lost,
            status::PAUSED => Self::Paused,
            status::SKIPPED => Self::Skipped,
            status::DRAINING => Self::Draining,
            other => Self::Other(other),
        }
    }

    pub(crate) const fn status(self) -> Status {
        match self {
            Self::Started => status::STARTED,
            Self::Queued => status::QUEUED,
            Self::NotDue => status::NOT_DUE,
            Self::Lost => status::LOST,
            Self::Paused => status::PAUSED,
            Self::Skipped => status::SKIPPED,
            Self::Draining => status::DRAINING,
            Self::Other(other) => other,
        }
    }
}

/// Why the host did not do what it was asked.
///
/// ```
/// use sched_plugin::{ErrorKind, testing::TestHost};
/// let host = TestHost::default();
/// host.refuse("fire_due gone", -5, "no job `gone`");
/// let error = host.host().fire_due("gone").unwrap_err();
/// assert_eq!((error.kind(), error.to_string()), (ErrorKind::NotFound, "no job `gone`".to_owned()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostError {
    status: Status,
    message: String,
}

impl HostError {
    pub(crate) fn new(status: Status, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// What kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        match self.status {
            status::INVALID => ErrorKind::Invalid,
            status::NOT_FOUND => ErrorKind::NotFound,
            status::STOPPING => ErrorKind::Stopping,
            status::REVOKED => ErrorKind::Revoked,
            _ => ErrorKind::Other,
        }
    }

    pub(crate) fn status(&self) -> Status {
        self.status
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.message.is_empty() {
            write!(f, "the host answered with status {}", self.status)
        } else {
            f.write_str(&self.message)
        }
    }
}

impl Error for HostError {}

/// What kind of error a [`HostError`] is.
///
/// ```
/// use sched_plugin::{ErrorKind, testing::TestHost};
/// let host = TestHost::default();
/// host.refuse("tick", -6, "the daemon is stopping");
/// assert_eq!(host.host().tick().map_err(|error| error.kind()), Err(ErrorKind::Stopping));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An argument is not what it should be.
    Invalid,
    /// There is no such job.
    NotFound,
    /// The daemon is stopping. To return it from `start` is no failure.
    Stopping,
    /// Another provider has taken over.
    Revoked,
    /// Anything else.
    Other,
}

/// This machine lacks what the plugin needs.
///
/// ```
/// use sched_plugin::{BoxError, Unavailable};
/// let error: BoxError = Unavailable::new("there is no message bus").into();
/// assert_eq!(error.to_string(), "there is no message bus");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable(String);

impl Unavailable {
    /// With what is missing, as a lower-case fragment.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Unavailable {}
