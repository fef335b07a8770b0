//! Why a plugin's time is over, in one sentence in which the plugin is `it`.

/// The end of a plugin that nobody asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    /// What it did.
    pub(super) what: String,
    /// Whether that counts against its code: it died, hung or broke the protocol. One that says in due form that it can't
    /// go on has done nothing wrong.
    pub(super) is_crash: bool,
}

impl Failure {
    pub(super) fn crash(what: impl Into<String>) -> Self {
        Self { what: what.into(), is_crash: true }
    }

    pub(super) fn breach(what: impl std::fmt::Display) -> Self {
        Self::crash(format!("it broke the protocol: {what}"))
    }

    pub(super) fn orderly(what: impl Into<String>) -> Self {
        Self { what: what.into(), is_crash: false }
    }
}
