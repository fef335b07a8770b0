//! A report as sinks deliver it: in every form, so that each takes its own.

use serde_json::{Value, json};

use super::{Report, words::flat};

/// A report, on its way.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    /// One line, with who says so.
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) markdown: String,
    pub(crate) html: String,
    pub(crate) clean: bool,
    /// The report itself.
    pub(crate) report: Value,
}

impl Letter {
    pub(crate) fn of(report: &Report) -> Self {
        Self {
            subject: format!("[{}] {}", flat(&report.agent), flat(&report.summary)),
            text: report.text(),
            markdown: report.markdown(),
            html: report.html(),
            clean: report.clean,
            report: report.json(),
        }
    }

    /// The report for a program that is told of alerts too: `event` says which it is.
    pub(crate) fn for_programs(&self) -> Value {
        let mut json = json!({ "schema": 1, "event": "report", "subject": self.subject });
        if let (Some(json), Some(report)) = (json.as_object_mut(), self.report.as_object()) {
            json.extend(report.clone());
        }
        json
    }

    /// The Markdown with its subject, for whoever takes JSON.
    pub(crate) fn for_webhooks(&self) -> Value {
        let Self { subject, markdown, clean, .. } = self;
        json!({ "schema": 1, "event": "report", "subject": subject, "clean": clean, "markdown": markdown })
    }
}
