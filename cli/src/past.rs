//! What became of occurrences: ledger entries and open runs as rows and as JSON.

use jiff::{Timestamp, tz::TimeZone};
use scheduler_core::{
    RunResult,
    occurrence::{Cause, Closing, Occurrence, SkipReason},
    store::{LedgerEntry, LedgerWhat},
};
use serde_json::{Value, json};

use crate::{
    table::{Cell, Tone},
    when,
};

/// The headers of the rows.
pub(crate) const HEADERS: [&str; 7] = ["OWED AT", "JOB", "RESULT", "STARTED", "TOOK", "WHY", "RUN"];

/// An entry as a row.
pub(crate) fn entry_row(entry: &LedgerEntry, zone: &TimeZone, now: Timestamp) -> Vec<Cell> {
    let job = entry.job.to_string();
    match &entry.what {
        LedgerWhat::Gap(gap) => vec![
            format!("{} to {}", when::stamp(gap.from, zone), when::stamp(gap.to, zone)).into(),
            job.into(),
            Cell::new(Closing::Skipped(gap.reason).word(), Tone::Faint),
            Cell::from(""),
            Cell::from(""),
            format!("several instants: {}", gap.reason.words()).into(),
            Cell::from(""),
        ],
        LedgerWhat::Occurrence { run, owed_at, cause, attempt, started_at, end, retry_at, .. } => vec![
            when::both(*owed_at, zone, now).into(),
            job.into(),
            result_cell(end),
            started_at.map(|at| when::stamp(at, zone)).unwrap_or_default().into(),
            entry.took().map(when::length).unwrap_or_default().into(),
            why(end, *cause, *attempt, retry_at.is_some()).into(),
            run.to_string().into(),
        ],
    }
}

/// A run that is not over, as a row.
pub(crate) fn open_row(open: &Occurrence, zone: &TimeZone, now: Timestamp) -> Vec<Cell> {
    let cancelling = open.cancel_requested.then_some("to be cancelled");
    let attempt = (open.attempt > 1).then(|| format!("attempt {}", open.attempt));
    let later = open.not_before.filter(|at| *at > now && !open.is_active());
    let later = later.map(|at| format!("starts {}", when::relative(at, now)));
    let words = cause_words(open.cause).into_iter().chain(cancelling).map(str::to_owned);
    let notes: Vec<String> = words.chain(attempt).chain(later).collect();
    vec![
        when::both(open.at, zone, now).into(),
        open.id.job.to_string().into(),
        Cell::new(open.word(), Tone::Attention),
        open.started_at.map(|at| when::stamp(at, zone)).unwrap_or_default().into(),
        open.started_at.map(|at| format!("{} so far", when::length(now.duration_since(at)))).unwrap_or_default().into(),
        notes.join(", ").into(),
        open.run.to_string().into(),
    ]
}

/// An entry for programs.
pub(crate) fn entry_json(entry: &LedgerEntry, zone: &TimeZone) -> Value {
    let stamp = |at: Timestamp| when::exact(at, zone);
    match &entry.what {
        LedgerWhat::Gap(gap) => json!({
            "job": entry.job,
            "verdict": Closing::Skipped(gap.reason).word(),
            "reason": gap.reason.word(),
            "from": stamp(gap.from),
            "to": stamp(gap.to),
            "at": stamp(entry.at),
        }),
        LedgerWhat::Occurrence { id, run, owed_at, cause, attempt, started_at, end, retry_at } => {
            let outcome = entry.outcome();
            json!({
                "job": entry.job,
                "run": run,
                "kind": id.kind,
                "cause": cause,
                "attempt": attempt,
                "verdict": end.word(),
                "reason": skipped(end).map(SkipReason::word),
                "owed_at": stamp(*owed_at),
                "started_at": started_at.map(stamp),
                "retry_at": retry_at.map(stamp),
                "at": stamp(entry.at),
                "took_ms": entry.took().map(|took| took.as_millis() as u64),
                "exit_code": outcome.and_then(|outcome| outcome.exit_code),
                "signal": outcome.and_then(|outcome| outcome.signal),
                "message": outcome.and_then(|outcome| outcome.message.as_deref()),
                "usage": outcome.and_then(|outcome| outcome.usage),
                "output": outcome.and_then(|outcome| outcome.output.as_ref()),
            })
        }
    }
}

/// A run that is not over, for programs.
pub(crate) fn open_json(open: &Occurrence, zone: &TimeZone) -> Value {
    json!({
        "job": open.id.job,
        "run": open.run,
        "kind": open.id.kind,
        "cause": open.cause,
        "attempt": open.attempt,
        "state": open.word(),
        "cancel_requested": open.cancel_requested,
        "owed_at": when::exact(open.at, zone),
        "not_before": open.not_before.map(|at| when::exact(at, zone)),
        "started_at": open.started_at.map(|at| when::exact(at, zone)),
    })
}

/// How the last run ended, in a few words.
pub(crate) fn last_cell(entry: &LedgerEntry, now: Timestamp) -> Cell {
    match &entry.what {
        LedgerWhat::Gap(_) => Cell::from(""),
        LedgerWhat::Occurrence { end, .. } => {
            let Cell { text, tone } = result_cell(end);
            Cell::new(format!("{text} {}", when::relative(entry.at, now)), tone)
        }
    }
}

fn result_cell(end: &Closing) -> Cell {
    let outcome = match end {
        Closing::Ran(outcome) => Some(outcome),
        Closing::GaveUp { last, .. } => Some(&last.outcome),
        Closing::Skipped(_) | Closing::Cancelled => None,
    };
    let tone = match (outcome.map(|outcome| outcome.result), end) {
        (None, Closing::Skipped(_)) => Tone::Faint,
        (None | Some(RunResult::Cancelled), _) => Tone::Attention,
        (Some(RunResult::Succeeded), _) => Tone::Good,
        (Some(RunResult::Failed | RunResult::TimedOut | RunResult::Unknown), _) => Tone::Bad,
    };
    let word = end.word().replace('_', " ");
    let code = outcome.and_then(|outcome| outcome.exit_code).filter(|code| *code != 0);
    Cell::new(code.map_or_else(|| word.clone(), |code| format!("{word} (exit {code})")), tone)
}

/// What there is to say beside the result.
fn why(end: &Closing, cause: Cause, attempt: u32, goes_on: bool) -> String {
    let reason = skipped(end).filter(|reason| *reason != SkipReason::Coalesced).map(|reason| reason.words().to_owned());
    let message = match end {
        Closing::Ran(outcome) => outcome.message.clone(),
        _ => None,
    };
    let again = match end {
        Closing::GaveUp { .. } => Some(format!("attempt {attempt} was not made")),
        _ => (attempt > 1 || goes_on).then(|| format!("attempt {attempt}")),
    };
    let cause = cause_words(cause).map(str::to_owned);
    [cause, again, reason, message].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn skipped(end: &Closing) -> Option<SkipReason> {
    match end {
        Closing::Skipped(reason) | Closing::GaveUp { reason, .. } => Some(*reason),
        _ => None,
    }
}

fn cause_words(cause: Cause) -> Option<&'static str> {
    match cause {
        Cause::Late => Some("late"),
        Cause::Asked => Some("asked for"),
        Cause::Forced => Some("forced"),
        _ => None,
    }
}
