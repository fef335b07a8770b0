//! [`Failure`]: why a command ended without doing what it was asked, and what to do about it.

use std::io;

use scheduler_core::{
    Error, ErrorKind,
    schedule::{ScheduleError, zone::ZoneError},
};

use crate::exit;

/// The one error of this crate. The message is a lower-case fragment; hints are apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// A word that programs can compare.
    pub(crate) kind: &'static str,
    /// What failed, on what, why.
    pub(crate) message: String,
    /// Lines that show the place: a caret under a schedule.
    pub(crate) shown: Option<String>,
    /// What to do, most useful first.
    pub(crate) hints: Vec<String>,
    /// What the program exits with.
    pub(crate) exit: u8,
}

impl Failure {
    /// A failure of `kind`.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let (message, exit) = (message.into(), exit::code_of(kind));
        Self { kind: word(kind), message, shown: None, hints: Vec::new(), exit }
    }

    /// A command line that makes no sense.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { kind: "usage", exit: exit::USAGE, ..Self::new(ErrorKind::Invalid, message) }
    }

    /// What was to be printed could not be.
    pub(crate) fn printing(cause: io::Error) -> Self {
        if cause.kind() == io::ErrorKind::BrokenPipe {
            // Whoever read it has seen enough (`sched list | head -1`): that is no failure, and nobody is there to be told.
            return Self { kind: "", exit: exit::OK, ..Self::new(ErrorKind::Io, "") };
        }
        Error::io("cannot write to stdout", cause).into()
    }

    /// Whether there is nobody to be told.
    pub(crate) fn is_silent(&self) -> bool {
        self.message.is_empty()
    }

    /// The same with one more hint.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let failure = Self::new(error.kind(), error.to_string());
        error.hint_text().into_iter().fold(failure, Self::hint)
    }
}

impl From<ScheduleError> for Failure {
    fn from(error: ScheduleError) -> Self {
        let field = error.field().map_or_else(String::new, |field| format!("{field}: "));
        let message = format!("invalid schedule: {field}{}", error.message());
        let shown = Some(error.caret()).filter(|caret| !caret.trim_matches(['^', '\n', ' ']).is_empty());
        let failure = Self { shown, ..Self::new(ErrorKind::Invalid, message) };
        error.hint().into_iter().fold(failure, Self::hint)
    }
}

impl From<ZoneError> for Failure {
    fn from(error: ZoneError) -> Self {
        Self::new(ErrorKind::Invalid, error.message()).hint(error.hint())
    }
}

fn word(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound => "not_found",
        ErrorKind::Ambiguous => "ambiguous",
        ErrorKind::Invalid => "invalid",
        ErrorKind::Exists => "exists",
        ErrorKind::Changed => "changed",
        ErrorKind::Busy => "busy",
        ErrorKind::Unanswered => "unanswered",
        ErrorKind::Corrupt => "corrupt",
        ErrorKind::TooNew => "too_new",
        ErrorKind::NoSpace => "no_space",
        ErrorKind::ReadOnly => "read_only",
        ErrorKind::Io => "io",
        ErrorKind::Revoked => "revoked",
        ErrorKind::Stopping => "stopping",
        ErrorKind::Foreign => "foreign",
        _ => "error",
    }
}
