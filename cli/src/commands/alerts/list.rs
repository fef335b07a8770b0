//! `sched alerts`: the open ones, and which sinks know of them.

use jiff::{Timestamp, tz::TimeZone};
use sched_monitor::{OpenAlert, State};
use scheduler_core::{config::sinks::Sink, notify::Severity, schedule::zone};
use serde_json::{Value, json};

use crate::{
    alerts,
    commands::Done,
    context::{Context, no_home},
    exit,
    output::Output,
    table::{Cell, Tone},
    when,
};

pub(super) fn run(context: &Context, out: &mut Output) -> Done {
    let home = context.home()?;
    if !home.path().exists() {
        return Err(no_home(&home));
    }
    let config = &context.config().config;
    let shelved = alerts::shelf(&home).read()?;
    let open: Vec<&OpenAlert> = shelved.open().collect();
    let pressing = |alert: &&OpenAlert| alert.acknowledged.is_none() && alert.state == State::Open;
    let pressing = open.iter().copied().filter(|alert| pressing(alert)).count() + shelved.problems.len();
    let code = if pressing > 0 { exit::ATTENTION } else { exit::OK };
    if out.wants_json() {
        let sinks: Vec<Value> =
            config.notify.iter().map(|sink| json!({ "name": sink.name, "type": sink.type_word() })).collect();
        let closing: Vec<&OpenAlert> = shelved.alerts.iter().filter(|alert| !alert.is_open()).collect();
        out.json(json!({ "alerts": open, "closing": closing, "problems": shelved.problems, "sinks": sinks }))?;
        return Ok(code);
    }
    let zone = zone::parse(&context.job_defaults().zone).unwrap_or(TimeZone::UTC);
    let now = context.now();
    if open.is_empty() {
        out.line("no alert is open")?;
    } else {
        let rows = open.iter().map(|alert| row(alert, &config.notify, &zone, now)).collect();
        out.table(&["KEY", "SINCE", "TIMES", "STATE", "TOLD", "WHAT"], rows)?;
    }
    for alert in &shelved.alerts {
        for (sink, told) in &alert.sinks {
            if let Some(until) = told.claimed_until.filter(|until| *until > now) {
                out.warn(
                    format!("sink `{sink}` is being told of {}, or was by a process that died", alert.key),
                    Some(&format!("if nothing comes of it, it is tried again {}", when::relative(until, now))),
                );
                continue;
            }
            if let Some(error) = &told.error {
                let again = told
                    .not_before
                    .map_or_else(String::new, |at| format!("it is tried again {}", when::relative(at, now)));
                let hint = told.hint.iter().cloned().chain(Some(again).filter(|words| !words.is_empty()));
                let hint = hint.collect::<Vec<_>>().join("; ");
                out.warn(
                    format!("sink `{sink}` was not told of {}: {error}", alert.key),
                    Some(hint.as_str()).filter(|words| !words.is_empty()),
                );
            }
        }
    }
    for problem in &shelved.problems {
        out.warn(&problem.what, Some(&problem.hint));
    }
    if let Some(nobody) = alerts::nobody(config, 1) {
        out.warn(nobody.what, Some(&nobody.hint));
    }
    Ok(code)
}

fn row(alert: &OpenAlert, sinks: &[Sink], zone: &TimeZone, now: Timestamp) -> Vec<Cell> {
    let state = match (&alert.acknowledged, alert.state) {
        (Some(known), _) => {
            let by = known.by.as_ref().map_or_else(String::new, |by| format!(" by {by}"));
            Cell::new(format!("acknowledged{by} ({})", when::relative(known.at, now)), Tone::Faint)
        }
        (None, State::Passing) => Cell::new("passing", Tone::Plain),
        (None, _) => Cell::new(
            alert.severity.word(),
            if alert.severity > Severity::Warning { Tone::Bad } else { Tone::Attention },
        ),
    };
    let told: Vec<&str> = sinks
        .iter()
        .map(|sink| sink.name.as_str())
        .filter(|name| alert.sinks.get(*name).is_some_and(|told| told.opened.is_some()))
        .collect();
    let told = if told.is_empty() { "nobody".to_owned() } else { told.join(", ") };
    vec![
        alert.key.clone().into(),
        when::both(alert.since(), zone, now).into(),
        alert.count.to_string().into(),
        state,
        told.into(),
        alert.title.clone().into(),
    ]
}
