//! What a sink gets to deliver: a part of an alert's life, in words and as JSON. Pure.

use std::time::Duration;

use jiff::{Timestamp, Unit};
use scheduler_core::{duration, notify::Severity};
use serde_json::{Value, json};

use crate::{
    alert::{OpenAlert, State},
    rules::Moment,
};

/// The most of a detail that is sent: of a whole log, the first lines say what it is.
const MOST_DETAIL: usize = 2000;

/// Who speaks: a person with ten machines asks that first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sender {
    /// The name of the node.
    pub(crate) agent: String,
    /// What tells this home from all others.
    pub(crate) node: String,
    /// Its home.
    pub(crate) home: String,
}

/// One message about one alert.
#[derive(Debug, Clone)]
pub(crate) struct Notice {
    pub(crate) moment: Moment,
    pub(crate) alert: OpenAlert,
    pub(crate) sender: Sender,
    /// What the sink has called the thread of this alert, if it was told before.
    pub(crate) thread: Option<String>,
}

impl Notice {
    /// One line without who says so.
    pub(crate) fn headline(&self) -> String {
        match (self.moment, &self.alert.closed) {
            (Moment::Closed, Some(closed)) => format!("{} after {}", closed.title, self.lasted()),
            (Moment::Updated, _) if self.alert.count < 2 => format!("still: {}", self.alert.headline()),
            _ => self.alert.headline(),
        }
    }

    /// What it is called everywhere, the same for every message about one opening of the alert.
    pub(crate) fn id(&self) -> String {
        format!("{}@{}", self.alert.key, self.alert.since().as_second())
    }

    /// One line.
    pub(crate) fn subject(&self) -> String {
        format!("[{}] {}", self.sender.agent, self.headline())
    }

    /// All of it, in lines.
    pub(crate) fn text(&self) -> String {
        format!("{}\n\n{}", self.subject(), self.body())
    }

    /// All of it but the first line.
    pub(crate) fn body(&self) -> String {
        let alert = &self.alert;
        let mut lines = Vec::new();
        let since = seconds(alert.since());
        match (self.moment, alert.state) {
            (Moment::Test, _) => {}
            (Moment::Closed, _) => {
                let times = if alert.count > 1 { format!(", {} times", alert.count) } else { String::new() };
                lines.push(format!("it was: {}{times}, from {since} on", alert.title));
            }
            (_, State::Passing) | (Moment::Opened, _) if alert.count < 2 => lines.push(format!("at {since}")),
            _ => lines.push(format!("since {since}, last seen at {}", seconds(alert.last_seen))),
        }
        if self.moment != Moment::Closed && !alert.detail.is_empty() {
            lines.push(detail(&alert.detail));
        }
        lines.push(String::new());
        lines.push(format!("{} on {}, home {}", alert.key, self.sender.agent, self.sender.home));
        lines.join("\n")
    }

    /// All of it, for programs.
    pub(crate) fn json(&self) -> Value {
        let alert = &self.alert;
        let closed = alert.closed.as_ref().filter(|_| self.moment == Moment::Closed);
        json!({
            "schema": 1,
            "event": self.moment.word(),
            "id": self.id(),
            "key": alert.key,
            "kind": alert.kind.word(),
            "severity": alert.severity.word(),
            "job": alert.job,
            "title": closed.map_or_else(|| alert.headline(), |closed| closed.title.clone()),
            "detail": alert.detail,
            "count": alert.count,
            "opened_at": alert.since(),
            "last_seen": alert.last_seen,
            "closed_at": closed.map(|closed| closed.at),
            "lasted_s": closed.map(|closed| closed.at.duration_since(alert.since()).as_secs().max(0)),
            "agent": self.sender.agent,
            "home": self.sender.home,
            "text": self.text(),
        })
    }

    /// How bad it is; good news are none of that.
    pub(crate) fn severity(&self) -> Severity {
        if matches!(self.moment, Moment::Closed | Moment::Test) { Severity::Info } else { self.alert.severity }
    }

    /// How long the alert was open.
    pub(crate) fn lasted(&self) -> String {
        let end = self.alert.closed.as_ref().map_or(self.alert.last_seen, |closed| closed.at);
        let seconds = u64::try_from(end.duration_since(self.alert.since()).as_secs()).unwrap_or(0);
        duration::format(Duration::from_secs(seconds))
    }
}

fn detail(text: &str) -> String {
    if text.len() <= MOST_DETAIL {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(MOST_DETAIL);
    format!("{}\n(and {} bytes more)", &text[..end], text.len() - end)
}

/// To the second, in UTC.
pub(crate) fn seconds(at: Timestamp) -> String {
    at.round(Unit::Second).unwrap_or(at).to_string()
}
