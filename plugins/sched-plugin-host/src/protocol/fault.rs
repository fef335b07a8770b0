//! Why a call failed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The error in an answer.
///
/// ```
/// use sched_plugin_host::protocol::{Code, Fault};
/// let fault: Fault = serde_json::from_str(r#"{"code": "invalid", "message": "no job id"}"#)?;
/// assert_eq!((fault.code, fault.to_string()), (Code::Invalid, "no job id".to_owned()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// In a word.
    #[serde(default)]
    pub code: Code,
    /// In a lower-case fragment.
    #[serde(default)]
    pub message: String,
}

impl Fault {
    /// A fault of `code`.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message.as_str() {
            "" => f.write_str(self.code.name()),
            message => f.write_str(message),
        }
    }
}

/// Why a call failed, in a word. One that somebody doesn't know is read as [`Code::Generic`].
///
/// ```
/// use sched_plugin_host::protocol::Code;
/// assert_eq!(serde_json::from_str::<Code>(r#""not_found""#)?, Code::NotFound);
/// assert_eq!(serde_json::from_str::<Code>(r#""of_a_later_version""#)?, Code::Generic);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "String", into = "&'static str")]
pub enum Code {
    /// Nothing more is known.
    #[default]
    Generic,
    /// The plugin's code panicked.
    Panic,
    /// It can't work here, or not now.
    Unavailable,
    /// What was given can't be taken.
    Invalid,
    /// No such job.
    NotFound,
    /// The daemon is stopping.
    Stopping,
    /// The plugin has been replaced.
    Revoked,
    /// No such call.
    Unknown,
}

impl Code {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Generic,
        Self::Panic,
        Self::Unavailable,
        Self::Invalid,
        Self::NotFound,
        Self::Stopping,
        Self::Revoked,
        Self::Unknown,
    ];

    /// How it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::Panic => "panic",
            Self::Unavailable => "unavailable",
            Self::Invalid => "invalid",
            Self::NotFound => "not_found",
            Self::Stopping => "stopping",
            Self::Revoked => "revoked",
            Self::Unknown => "unknown",
        }
    }
}

impl From<String> for Code {
    fn from(name: String) -> Self {
        Self::ALL.into_iter().find(|code| code.name() == name).unwrap_or_default()
    }
}

impl From<Code> for &'static str {
    fn from(code: Code) -> Self {
        code.name()
    }
}
