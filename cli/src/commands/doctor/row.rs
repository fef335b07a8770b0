//! What a check answers.

use crate::table::Tone;

/// One check and how it came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// What was checked, in a word or two; stable, for programs.
    pub(super) check: &'static str,
    pub(super) state: State,
    /// What was found.
    pub(super) detail: String,
    /// What to do about it.
    pub(super) fix: Option<String>,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Ok,
    /// Neither good nor bad, and good to know.
    Info,
    /// May be meant so.
    Warn,
    /// Jobs fail or get lost because of it, or will.
    Bad,
    /// It can't be known here.
    Unknown,
}

impl Row {
    pub(super) fn ok(check: &'static str, detail: impl Into<String>) -> Self {
        Self { check, state: State::Ok, detail: detail.into(), fix: None }
    }

    pub(super) fn info(check: &'static str, detail: impl Into<String>) -> Self {
        Self { state: State::Info, ..Self::ok(check, detail) }
    }

    pub(super) fn warn(check: &'static str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { state: State::Warn, fix: Some(fix.into()), ..Self::ok(check, detail) }
    }

    pub(super) fn bad(check: &'static str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { state: State::Bad, fix: Some(fix.into()), ..Self::ok(check, detail) }
    }

    /// `why` it can't be known.
    pub(super) fn unknown(check: &'static str, why: impl Into<String>) -> Self {
        Self { state: State::Unknown, detail: format!("can't know: {}", why.into()), ..Self::ok(check, "") }
    }

    /// The same with this fix, or none.
    pub(super) fn fix(self, fix: Option<String>) -> Self {
        Self { fix: fix.filter(|fix| !fix.is_empty()), ..self }
    }
}

impl State {
    /// The longest word.
    pub(super) const WIDTH: usize = 7;

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Unknown => "unknown",
        }
    }

    pub(super) fn tone(self) -> Tone {
        match self {
            Self::Ok => Tone::Good,
            Self::Info | Self::Unknown => Tone::Faint,
            Self::Warn => Tone::Attention,
            Self::Bad => Tone::Bad,
        }
    }
}

/// Shows a row as the tests of checks compare it: state, detail and fix.
#[cfg(test)]
pub(super) fn shown(row: &Row) -> String {
    let fix = row.fix.as_ref().map_or_else(String::new, |fix| format!(" [{fix}]"));
    format!("{} {}: {}{fix}", row.state.word(), row.check, row.detail)
}
