//! An evaluation, printed: problems first, as a table and what to do about them, or as one JSON object.

use sched_monitor::checks::Verdict;
use scheduler_core::Home;
use serde_json::{Value, json};

use super::{rows::Line, tell::Told};
use crate::{
    failure::Failure,
    output::Output,
    table::{Cell, Tone},
};

/// What there is to be told.
pub(super) struct Report<'a> {
    pub(super) home: &'a Home,
    pub(super) lines: &'a [Line],
    pub(super) code: u8,
    pub(super) told: &'a Told,
    /// What was done about the daemon.
    pub(super) done: Option<&'a str>,
}

impl Report<'_> {
    /// What a reader would call news if it were another.
    pub(super) fn summary(&self) -> Vec<String> {
        let line = |line: &Line| format!("{} {}", line.key, line.row.found.verdict.word());
        self.lines.iter().map(line).chain(self.done.map(str::to_owned)).collect()
    }
}

pub(super) fn print(report: &Report<'_>, dry: bool, out: &mut Output) -> Result<(), Failure> {
    let Report { home, lines, told, done, .. } = report;
    if out.wants_json() {
        return out.json(as_json(report, dry));
    }
    out.line(format_args!("home: {}", home.path().display()))?;
    let mut sorted: Vec<&Line> = lines.iter().collect();
    sorted.sort_by_key(|line| std::cmp::Reverse(line.row.found.verdict));
    let cells = sorted.iter().map(|line| {
        let row = &line.row;
        let tone = match row.found.verdict {
            Verdict::Ok => Tone::Good,
            Verdict::Unknown => Tone::Attention,
            Verdict::Bad => Tone::Bad,
        };
        let verdict = Cell::new(row.found.verdict.word(), tone);
        vec![verdict, row.kind.into(), row.name.clone().into(), row.found.detail.clone().into()]
    });
    out.table(&["VERDICT", "KIND", "NAME", "DETAIL"], cells.collect())?;
    for line in &sorted {
        if let Some(hint) = &line.row.found.hint {
            out.line(format_args!("hint ({}): {hint}", line.row.name))?;
        }
    }
    if let Some(done) = done {
        out.line(done)?;
    }
    if dry {
        out.line(match told.messages.as_slice() {
            [] => "nobody would be told anything now".to_owned(),
            messages => format!("would be told:\n{}", messages.join("\n")),
        })?;
    }
    for key in &told.opened {
        out.line(format_args!("{} alert {key}", if dry { "would open" } else { "opened" }))?;
    }
    for key in &told.closed {
        out.line(format_args!("closed alert {key}"))?;
    }
    if told.held_back > 0 {
        out.warn(format_args!("{} more problems opened no alert", told.held_back), Some("raise --max-issues"));
    }
    if let Some(error) = &told.error {
        out.warn(format_args!("nobody could be told: {error}"), None);
    }
    Ok(())
}

fn as_json(report: &Report<'_>, dry: bool) -> Value {
    let Report { home, lines, code, told, done } = report;
    let checks: Vec<Value> = lines
        .iter()
        .map(|line| {
            let row = &line.row;
            json!({
                "name": row.name, "kind": row.kind, "verdict": row.found.verdict, "detail": row.found.detail,
                "hint": row.found.hint, "took_s": row.took.as_secs_f64(), "key": line.key, "job": line.job,
            })
        })
        .collect();
    json!({
        "home": home.path().display().to_string(),
        "exit_code": code,
        "problems": lines.iter().filter(|line| line.row.found.verdict.is_problem()).count(),
        "checks": checks,
        "daemon": done,
        "dry_run": dry,
        "alerts": {
            "opened": told.opened, "closed": told.closed, "held_back": told.held_back,
            "messages": told.messages, "error": told.error,
        },
    })
}
