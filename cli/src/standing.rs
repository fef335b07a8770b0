//! How a job is doing: its state in words, and the job as JSON.

use jiff::{Timestamp, tz::TimeZone};
use scheduler_core::{
    occurrence::Occurrence,
    schedule::zone,
    store::{JobView, Problem},
};
use serde_json::{Value, json};

use crate::{
    foreign, past, selection,
    table::{Cell, Tone},
    when,
};

/// The state of a job in words, for the table.
pub(crate) fn state(view: &JobView, problem: Option<&Problem>, now: Timestamp) -> Cell {
    let mut words = Vec::new();
    let mut tone = Tone::Good;
    match &view.job {
        Err(why) => {
            words.push(format!("invalid: {why}"));
            tone = Tone::Bad;
        }
        Ok(job) if !job.enabled => {
            words.push("disabled".into());
            tone = Tone::Faint;
        }
        Ok(job) if job.payload().is_some() => {
            words.push("it has a payload, which `sched` doesn't run".into());
            tone = Tone::Bad;
        }
        Ok(_) => {}
    }
    if problem.is_some_and(|problem| !problem.remark) {
        // Of two entries with one id the first counts, and nothing is wrong with it.
        let ignored = "further entries with its id in jobs.json are ignored";
        let invalid = "its entry in jobs.json is invalid, the one before is in force";
        words.push(if problem.is_some_and(is_further) { ignored } else { invalid }.into());
        tone = Tone::Bad;
    }
    if let Some(paused) = &view.paused {
        let until = paused.until.map(|until| format!(", resumes {}", when::relative(until, now)));
        let reason = paused.reason.as_ref().map(|reason| format!(" ({reason})"));
        words.push(format!("paused{}{}", reason.unwrap_or_default(), until.unwrap_or_default()));
        tone = tone_of_pause(tone);
    }
    match running(view) {
        0 => {}
        count => words.push(format!("running {count}")),
    }
    if words.is_empty() {
        words.push("ok".into());
    }
    Cell::new(words.join(", "), tone)
}

/// Whether a problem is that there are further entries with the id of a job.
pub(crate) fn is_further(problem: &Problem) -> bool {
    let of = problem.job.as_ref().map(|job| format!("entry-{job}-"));
    let kind = of.and_then(|of| problem.key.strip_prefix(&of));
    !problem.remark && matches!(kind, Some("again" | "more"))
}

/// The job for programs. What it runs and its environment are not told: they may hold secrets.
pub(crate) fn to_json(view: &JobView, problem: Option<&Problem>) -> Value {
    let zone = zone_of(view);
    let job = view.job.as_ref().ok();
    let foreign = job.and_then(|job| foreign::problem(job));
    let problem = problem.or(foreign.as_ref()).map(|problem| &problem.what);
    json!({
        "id": view.id,
        "name": selection::name(view),
        "description": job.and_then(|job| job.description.as_deref()),
        "schedule": schedule_text(view),
        "means": meaning(view),
        "timezone": view.zone,
        "enabled": job.is_some_and(|job| job.enabled),
        "tags": job.map(|job| &job.tags),
        "state": state_word(view),
        "problem": view.job.as_ref().err().or(problem),
        "paused": view.paused.as_ref().map(|paused| json!({
            "at": when::exact(paused.at, &zone),
            "until": paused.until.map(|until| when::exact(until, &zone)),
            "reason": paused.reason,
        })),
        "running": running(view),
        "queued": view.open.iter().filter(|open| !open.is_running()).count(),
        "next": next(view).map(|next| when::exact(next, &zone)),
        "last": view.last.as_ref().map(|entry| past::entry_json(entry, &zone)),
    })
}

/// The state in one word, for programs.
fn state_word(view: &JobView) -> &'static str {
    match &view.job {
        Err(_) => "invalid",
        Ok(job) if !job.enabled => "disabled",
        Ok(job) if job.payload().is_some() => "invalid",
        Ok(_) if view.paused.is_some() => "paused",
        Ok(_) if running(view) > 0 => "running",
        Ok(_) => "ok",
    }
}

/// The schedule as it was written.
pub(crate) fn schedule_text(view: &JobView) -> String {
    let written = view.definition.get("schedule").and_then(Value::as_str).unwrap_or("?");
    view.job.as_ref().map_or(written, |job| job.schedule.text()).to_owned()
}

/// The schedule in plain English.
pub(crate) fn meaning(view: &JobView) -> String {
    view.job.as_ref().map(|job| job.schedule.describe(Some(&view.zone))).unwrap_or_default()
}

/// When it will start next by itself.
pub(crate) fn next(view: &JobView) -> Option<Timestamp> {
    view.due_at.filter(|_| view.paused.is_none())
}

/// The zone of the job.
pub(crate) fn zone_of(view: &JobView) -> TimeZone {
    match &view.job {
        Ok(job) => job.time_zone.clone(),
        Err(_) => zone::parse(&view.zone).unwrap_or(TimeZone::UTC),
    }
}

fn running(view: &JobView) -> usize {
    view.open.iter().filter(|open| Occurrence::is_running(open)).count()
}

fn tone_of_pause(before: Tone) -> Tone {
    if before == Tone::Bad { before } else { Tone::Attention }
}
