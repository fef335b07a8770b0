//! An explanation in words: the answer in one line, and what it rests on.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use scheduler_core::{
    Outcome, RunResult,
    audit::{Explanation, NotOwed, OutageCause, Why},
    occurrence::{Cause, Occurrence, SkipReason},
    plan::ON_TIME,
    store::{LedgerEntry, LedgerWhat},
};
use serde_json::Value;

use crate::{
    table::{Cell, Tone},
    when,
    words::flat,
};

/// The answer in one word, for programs.
pub(crate) fn word(why: &Why) -> &'static str {
    match why {
        Why::Ran => "ran",
        Why::Skipped(SkipReason::Coalesced) => "coalesced",
        Why::Skipped(_) => "skipped",
        Why::Cancelled => "cancelled",
        Why::Open => "open",
        Why::Waiting => "waiting",
        Why::ToCome => "to_come",
        Why::Paused => "paused",
        Why::NotOwed(_) => "not_owed",
        Why::Pruned => "pruned",
        _ => "missing",
    }
}

/// The reason in one word, for programs, where there is one.
pub(crate) fn reason(why: &Why) -> Value {
    match why {
        Why::Skipped(reason) => reason.word().into(),
        Why::NotOwed(not) => match not {
            NotOwed::NotYetDefined { .. } => "not_yet_defined",
            NotOwed::Removed { .. } => "removed",
            NotOwed::Disabled => "disabled",
            NotOwed::NotInSchedule => "not_in_schedule",
            NotOwed::Outside => "outside",
            NotOwed::Limit => "limit",
            _ => "unreadable",
        }
        .into(),
        _ => Value::Null,
    }
}

/// The answer in one line: a word, and what there is to say about it.
pub(crate) fn verdict(answer: &Explanation, zone: &TimeZone) -> (Cell, String) {
    let stamp = |at: Timestamp| when::stamp(at, zone);
    let (word, tone, text) = match &answer.why {
        Why::Ran => return ran(answer),
        Why::Skipped(SkipReason::Coalesced) => ("coalesced", Tone::Attention, "a later run stood for it".to_owned()),
        Why::Skipped(reason) => ("skipped", Tone::Attention, reason.words().to_owned()),
        Why::Cancelled => ("cancelled", Tone::Attention, "before it started".into()),
        Why::Open => (answer.open.as_ref().map_or("open", Occurrence::word), Tone::Attention, "it is not over".into()),
        Why::Waiting => ("waiting", Tone::Bad, "it is due, and nobody has settled it yet".into()),
        Why::ToCome => ("to come", Tone::Plain, "it is not time yet".into()),
        Why::Paused => ("paused", Tone::Attention, "it does not run".into()),
        Why::NotOwed(NotOwed::Unreadable(why)) => {
            ("not known", Tone::Attention, format!("the definition of that time can't be read: {}", flat(why)))
        }
        Why::NotOwed(not) => ("not owed", Tone::Plain, not_owed(not, stamp)),
        Why::Pruned => ("not known", Tone::Attention, "the history of that time has been pruned".into()),
        _ => ("missing", Tone::Bad, "it was owed, and nothing is on record".into()),
    };
    (Cell::new(word, tone), text)
}

fn not_owed(not: &NotOwed, stamp: impl Fn(Timestamp) -> String) -> String {
    match not {
        NotOwed::NotYetDefined { at } => format!("there was no such definition before {}", stamp(*at)),
        NotOwed::Removed { at } => format!("the job had been removed at {}", stamp(*at)),
        NotOwed::Disabled => "the job was disabled".into(),
        NotOwed::NotInSchedule => "the schedule does not have this instant".into(),
        NotOwed::Outside => "it is outside the job's start_at and end_at".into(),
        _ => "the job had run as often as it may".into(),
    }
}

fn ran(answer: &Explanation) -> (Cell, String) {
    let result = answer.attempts.last().and_then(LedgerEntry::outcome).map(|outcome| outcome.result);
    let (end, tone) = match result {
        Some(RunResult::Succeeded) => ("it succeeded", Tone::Good),
        Some(RunResult::Failed) => ("it failed", Tone::Bad),
        Some(RunResult::TimedOut) => ("it took too long and was stopped", Tone::Bad),
        Some(RunResult::Cancelled) => ("it was cancelled", Tone::Attention),
        Some(RunResult::Unknown) | None => ("nobody saw how it ended", Tone::Bad),
    };
    let first = answer.attempts.first().and_then(LedgerEntry::started_at);
    let late = first.map(|started| started.duration_since(start_of(answer))).filter(|late| *late > ON_TIME);
    let late = late.map(|late| format!("{} late, ", when::length(late))).unwrap_or_default();
    let attempts = answer.attempts.len();
    let attempts = if attempts > 1 { format!(" at attempt {attempts}") } else { String::new() };
    (Cell::new("ran", tone), format!("{late}{end}{attempts}"))
}

/// When the instant was to start: what jitter puts off is not late for that.
fn start_of(answer: &Explanation) -> Timestamp {
    let delay = answer.in_force.as_ref().and_then(|in_force| in_force.job.as_ref()).map(|job| job.delay());
    let delay = SignedDuration::try_from(delay.unwrap_or_default()).unwrap_or_default();
    answer.instant.saturating_add(delay).unwrap_or(answer.instant)
}

/// What the answer rests on: a label and a text each.
pub(crate) fn evidence(answer: &Explanation, zone: &TimeZone) -> Vec<(&'static str, String)> {
    let stamp = |at: Timestamp| when::stamp(at, zone);
    let mut lines = Vec::new();
    let mut say = |label: &'static str, text: String| lines.push((label, text));
    if let Some(in_force) = &answer.in_force {
        let means = in_force.job.as_ref().map_or_else(
            || "a definition that this sched can't read".to_owned(),
            |job| format!("{} ({})", job.schedule.describe(job.time_zone.iana_name()), flat(job.schedule.text())),
        );
        let until = in_force.until.map(|until| format!(" until {}", stamp(until))).unwrap_or_default();
        say("schedule", means);
        if start_of(answer) > answer.instant {
            say(
                "jitter",
                format!("starts {} after its instant", when::length(start_of(answer).duration_since(answer.instant))),
            );
        }
        say("in force", format!("since {}{until}, as revision {}", stamp(in_force.since), in_force.revision));
    }
    if matches!(answer.why, Why::NotOwed(_)) {
        let near = |label: &str, at: Option<Timestamp>| at.map(|at| format!("{label} {}", stamp(at)));
        let near: Vec<String> =
            [near("before it", answer.before), near("after it", answer.after)].into_iter().flatten().collect();
        say("nearest", if near.is_empty() { "the job never owed anything".into() } else { near.join(", ") });
    }
    let is_owed = !matches!(answer.why, Why::NotOwed(_));
    if let Some(paused) = answer.paused.as_ref().filter(|_| is_owed) {
        let why = paused.reason.as_ref().map(|reason| format!(": {}", flat(reason))).unwrap_or_default();
        let until =
            answer.resumed_at.map_or_else(|| ", and is still".to_owned(), |at| format!(", resumed {}", stamp(at)));
        say("paused", format!("{}{until}{why}", stamp(paused.at)));
    }
    for entry in &answer.attempts {
        say(if answer.attempts.len() > 1 { "attempt" } else { "record" }, told(entry, answer.instant, zone));
    }
    if let Some(LedgerEntry { at, what: LedgerWhat::Gap(gap), .. }) = answer.gap.as_ref().filter(|_| is_owed) {
        let range = format!("{} to {}", stamp(gap.from), stamp(gap.to));
        say("record", format!("one of {range}, settled together at {}: {}", stamp(*at), gap.reason.words()));
    }
    if let Some(open) = &answer.open {
        let started = open.started_at.map(|at| format!(", started {}", stamp(at))).unwrap_or_default();
        say("record", format!("run {} is {}{started}", open.run, open.word()));
    }
    if let Some(entry) = &answer.in_its_place {
        say("instead", told(entry, owed_at(entry), zone));
    }
    if let Some(entry) = &answer.in_the_way {
        say("in the way", told(entry, owed_at(entry), zone));
    }
    if let Some(open) = &answer.still_in_the_way {
        let started = open.started_at.map(|at| format!(" since {}", stamp(at))).unwrap_or_default();
        say("in the way", format!("run {}, which is {}{started}", open.run, open.word()));
    }
    for outage in &answer.outages {
        let detail = outage.detail.as_ref().map(|detail| format!(": {}", flat(detail))).unwrap_or_default();
        let lasted = outage.lasted();
        let (from, to) = (stamp(outage.from), stamp(outage.to));
        let text = match outage.cause {
            OutageCause::ClockSet if lasted < SignedDuration::ZERO => {
                format!("the clock was set back by {}, from {from} to {to}", when::length(lasted.abs()))
            }
            OutageCause::ClockSet => {
                format!("the clock was set forwards by {}, from {from} to {to}", when::length(lasted))
            }
            cause => format!("{} from {from} to {to} ({}){detail}", cause.words(), when::length(lasted)),
        };
        say("cause", text);
    }
    if let Some(hint) = hint(answer) {
        say("hint", hint);
    }
    lines
}

fn hint(answer: &Explanation) -> Option<String> {
    Some(match &answer.why {
        Why::Waiting if !answer.outages.is_empty() => "nothing fires now: `sched run`, or `sched tick`".into(),
        Why::Waiting => "`sched status` says whether something fires now".into(),
        Why::Missing => "this should not be: please keep the home as it is, and report it".into(),
        Why::Pruned => "`history` in config.yaml says how much is kept".into(),
        Why::Skipped(SkipReason::Overlap) => {
            format!("`sched edit {} --overlap queue` makes it wait instead, `--timeout` bounds a run", answer.job)
        }
        Why::Paused => format!("`sched resume {}`", answer.job),
        Why::Ran if answer.attempts.last().is_some_and(|entry| entry.word() != "succeeded") => {
            let run = answer.attempts.last().and_then(LedgerEntry::run)?;
            format!("its output: `sched logs {} --run {run}`", answer.job)
        }
        _ => return None,
    })
}

/// An entry in a line.
fn told(entry: &LedgerEntry, owed_at: Timestamp, zone: &TimeZone) -> String {
    let stamp = |at: Timestamp| when::stamp(at, zone);
    let LedgerWhat::Occurrence { run, cause, started_at, .. } = &entry.what else { return String::new() };
    let message = entry.outcome().and_then(Outcome::reason);
    let message = message.map(|message| format!(" ({})", flat(&message))).unwrap_or_default();
    let end = entry.word().replace('_', " ");
    match started_at {
        Some(started) => {
            let after = when::length(started.duration_since(owed_at));
            let late = if *cause == Cause::Late { ", planned late" } else { "" };
            let started = format!("started {}, {after} after its instant{late}", stamp(*started));
            format!("run {run}: {started}; {end}{message} at {}", stamp(entry.at))
        }
        None => format!("run {run}: never started; {end}{message} at {}", stamp(entry.at)),
    }
}

fn owed_at(entry: &LedgerEntry) -> Timestamp {
    match &entry.what {
        LedgerWhat::Occurrence { owed_at, .. } => *owed_at,
        LedgerWhat::Gap(gap) => gap.from,
    }
}
