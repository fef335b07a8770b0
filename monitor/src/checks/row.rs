//! What a check answers.

use std::time::Duration;

use serde::Serialize;

/// A check and how it came out.
///
/// ```
/// use std::time::Duration;
/// use sched_monitor::checks::{Found, Row};
/// let row = Row { name: "api".into(), kind: "tcp", found: Found::ok("it answers"), took: Duration::ZERO };
/// assert_eq!(row.key(), "tcp-api");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What the operator calls it.
    pub name: String,
    /// What kind of check it is, in a word.
    pub kind: &'static str,
    /// What was found.
    pub found: Found,
    /// How long the look took.
    pub took: Duration,
}

impl Row {
    /// Names the problem for as long as it is the same one.
    pub fn key(&self) -> String {
        format!("{}-{}", self.kind, self.name)
    }
}

/// What a look found.
///
/// ```
/// use sched_monitor::checks::{Found, Verdict};
/// assert_eq!(Found::bad("it is gone", "start it").verdict, Verdict::Bad);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Good, bad or neither.
    pub verdict: Verdict,
    /// What was seen, in words.
    pub detail: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// How a check came out.
///
/// ```
/// use sched_monitor::checks::Verdict;
/// assert!(Verdict::Unknown.is_problem() && !Verdict::Ok.is_problem());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It is as it should be.
    Ok,
    /// It can't be known. Nothing is well for want of evidence.
    Unknown,
    /// It isn't.
    Bad,
}

impl Verdict {
    /// The word for it: `ok`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Bad => "bad",
        }
    }

    /// Whether somebody should see to it.
    pub fn is_problem(self) -> bool {
        self != Self::Ok
    }
}

impl Found {
    /// As it should be.
    pub fn ok(detail: impl Into<String>) -> Self {
        Self { verdict: Verdict::Ok, detail: detail.into(), hint: None }
    }

    /// Not as it should be, and the fix.
    pub fn bad(detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { verdict: Verdict::Bad, hint: Some(hint.into()), ..Self::ok(detail) }
    }

    /// Why it can't be known, and the fix.
    pub fn unknown(why: impl Into<String>, hint: impl Into<String>) -> Self {
        let detail = format!("can't know: {}", why.into());
        Self { verdict: Verdict::Unknown, hint: Some(hint.into()), ..Self::ok(detail) }
    }
}

/// A row in short, for tests.
#[cfg(test)]
pub(super) fn shown(found: &Found) -> String {
    let hint = found.hint.as_ref().map_or_else(String::new, |hint| format!(" [{hint}]"));
    format!("{} {}{hint}", found.verdict.word(), found.detail)
}
