//! An alert as its file has it: what is open, since when, how often, and what each sink was told of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use scheduler_core::{
    Alert, AlertState, JobId,
    notify::{AlertKind, Severity},
};
use serde::{Deserialize, Serialize};

/// The version of the files.
const FORMAT: u32 = 2;

/// An alert with its history. One file of `alerts/` holds it.
///
/// ```
/// use jiff::Timestamp;
/// use scheduler_core::Alert;
/// use sched_monitor::{OpenAlert, State};
/// let alert = OpenAlert::new(&Alert::open("job-a", "job `a` failed", Timestamp::UNIX_EPOCH));
/// assert_eq!((alert.state, alert.count, alert.headline().as_str()), (State::Open, 1, "job `a` failed"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OpenAlert {
    /// The version of the file; those of version 1 had neither this nor much else.
    #[serde(default)]
    pub format: u32,
    /// Names the problem for as long as it is the same one.
    pub key: String,
    /// Open, closed or passing.
    pub state: State,
    /// What happened.
    #[serde(default)]
    pub kind: AlertKind,
    /// How bad it is.
    #[serde(default)]
    pub severity: Severity,
    /// The job it is about.
    #[serde(default)]
    pub job: Option<JobId>,
    /// Whose [`reconcile`](crate::Desk::reconcile) opens and closes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// One line: what is wrong.
    pub title: String,
    /// The evidence, in lines.
    #[serde(default)]
    pub detail: String,
    /// When it began.
    #[serde(default)]
    pub opened_at: Option<Timestamp>,
    /// When it was seen last.
    #[serde(rename = "at")]
    pub last_seen: Timestamp,
    /// How often it happened without a success in between.
    #[serde(default = "once")]
    pub count: u32,
    /// Who has taken note of it.
    #[serde(default)]
    pub acknowledged: Option<Acknowledged>,
    /// Who should hear of it, by the names of sinks; `None` is everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<Vec<String>>,
    /// How it ended, if it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Closed>,
    /// What each sink knows of it.
    #[serde(default)]
    pub sinks: BTreeMap<String, Told>,
}

/// Where an alert stands.
///
/// ```
/// use sched_monitor::State;
/// assert_eq!(serde_json::to_string(&State::Passing)?, r#""passing""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// The problem lasts.
    Open,
    /// It happened, and nothing lasts; it goes when it hasn't happened again for a while.
    Passing,
    /// It is over, and a sink that knew of it is yet to be told.
    Closed,
}

/// The end of an alert.
///
/// ```
/// use sched_monitor::Closed;
/// let closed: Closed = serde_json::from_str(r#"{"at": "2026-11-22T03:00:00Z", "title": "job `a` succeeded again"}"#)?;
/// assert!(!closed.passed);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// When.
    pub at: Timestamp,
    /// What is well again.
    pub title: String,
    /// It only went by: those who hold nothing open needn't hear of it.
    #[serde(default)]
    pub passed: bool,
}

/// Somebody knows of it: it is no news, until it happens anew.
///
/// ```
/// use sched_monitor::Acknowledged;
/// let known: Acknowledged = serde_json::from_str(r#"{"at": "2026-11-22T03:00:00Z", "by": "ann"}"#)?;
/// assert_eq!(known.by.as_deref(), Some("ann"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Acknowledged {
    /// When. What happened later isn't acknowledged.
    pub at: Timestamp,
    /// Who, if they said.
    #[serde(default)]
    pub by: Option<String>,
}

/// What one sink knows of an alert, and how that went.
///
/// ```
/// use sched_monitor::Told;
/// assert!(Told::default().opened.is_none(), "it knows nothing");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Told {
    /// When it was told that the alert is open. One that never was isn't told that it is over.
    pub opened: Option<Timestamp>,
    /// When it was last told anything.
    pub at: Option<Timestamp>,
    /// The `last_seen` that it was told of then.
    pub seen: Option<Timestamp>,
    /// Whether it knows that the alert is over.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub closed: bool,
    /// What the sink calls its thread: the number of an issue, the id of a mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
    /// Tries since the last success.
    #[serde(skip_serializing_if = "is_zero")]
    pub tries: u32,
    /// Why the last try failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What to do about that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// It failed, and is not tried before this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// A process is about to tell it, and has until then. One that died meanwhile may have told it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claimed_until: Option<Timestamp>,
}

impl Told {
    /// Whether the sink has heard of the alert, or may have, and not of its end.
    pub(crate) fn holds_it_open(&self) -> bool {
        !self.closed && (self.opened.is_some() || self.claimed_until.is_some())
    }
}

impl OpenAlert {
    /// The first sight of `alert`.
    pub fn new(alert: &Alert) -> Self {
        let state = if alert.state == AlertState::Passing { State::Passing } else { State::Open };
        Self {
            format: FORMAT,
            key: alert.key.clone(),
            state,
            kind: alert.kind,
            severity: alert.severity,
            job: alert.job.clone(),
            scope: None,
            title: alert.title.clone(),
            detail: alert.detail.clone(),
            opened_at: Some(alert.at),
            last_seen: alert.at,
            count: 1,
            acknowledged: None,
            notify: alert.notify.clone(),
            closed: None,
            sinks: BTreeMap::new(),
        }
    }

    /// When it began.
    pub fn since(&self) -> Timestamp {
        self.opened_at.unwrap_or(self.last_seen)
    }

    /// One line: what is wrong, and how often.
    pub fn headline(&self) -> String {
        match (self.count, self.state) {
            (0 | 1, _) => self.title.clone(),
            (count, State::Passing) => format!("{} ({count} times)", self.title),
            (count, _) => format!("{} {count} times in a row", self.title),
        }
    }

    /// Whether it is still to be looked at.
    pub fn is_open(&self) -> bool {
        self.state != State::Closed
    }

    /// What `alert` says of it now. `anew` if it has happened once more, and wasn't only seen again.
    pub(crate) fn see(&mut self, alert: &Alert, anew: bool) {
        self.format = FORMAT;
        self.kind = alert.kind;
        self.severity = alert.severity;
        self.title.clone_from(&alert.title);
        self.detail.clone_from(&alert.detail);
        self.notify.clone_from(&alert.notify);
        self.opened_at = Some(self.since());
        // Not the later of the two: that may be the time of a clock which has been set back since.
        self.last_seen = alert.at;
        if anew {
            self.count = self.count.saturating_add(1);
            self.acknowledged = None;
        }
    }

    /// Ends it.
    pub(crate) fn close(&mut self, title: &str, at: Timestamp, passed: bool) {
        self.format = FORMAT;
        self.state = State::Closed;
        self.closed = Some(Closed { at, title: title.to_owned(), passed });
    }
}

fn once() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}
