//! The row of each job.

use std::time::Duration;

use scheduler_core::{
    occurrence::SkipReason,
    simulation::{Report, Tally},
    store::JobView,
};

use super::{durations::shown, plot::Plot};
use crate::table::{Cell, Tone};

pub(super) const HEADERS: [&str; 9] =
    ["JOB", "FIRES", "LATE", "COALESCED", "SKIPPED", "LONGEST WAIT", "MOST OPEN", "A RUN TAKES", "NOTES"];

pub(super) fn rows(plot: &Plot, report: &Report) -> Vec<Vec<Cell>> {
    let tally_of = |view: &JobView| report.jobs.iter().find(|tally| tally.job == view.id);
    plot.scenario.jobs.iter().map(|view| row(view, tally_of(view), plot)).collect()
}

fn row(view: &JobView, tally: Option<&Tally>, plot: &Plot) -> Vec<Cell> {
    let id = Cell::from(view.id.to_string());
    let Some(tally) = tally else {
        let blank = || Cell::new("-", Tone::Faint);
        let note = Cell::new("invalid: `sched validate` says where", Tone::Bad);
        return [id].into_iter().chain((1..8).map(|_| blank())).chain([note]).collect();
    };
    let waited = Duration::try_from(tally.longest_wait).ok().filter(|waited| !waited.is_zero());
    vec![
        id,
        tally.fires.to_string().into(),
        count(tally.late),
        count(tally.skipped(SkipReason::Coalesced)),
        skipped(tally),
        waited.map_or_else(|| Cell::new("-", Tone::Faint), |waited| Cell::new(shown(waited), Tone::Attention)),
        tally.max_open.to_string().into(),
        takes(view, plot).into(),
        notes(view, tally).into(),
    ]
}

fn count(count: u64) -> Cell {
    Cell::new(count.to_string(), if count == 0 { Tone::Faint } else { Tone::Attention })
}

fn skipped(tally: &Tally) -> Cell {
    let reasons = tally.skips.iter().filter(|(reason, _)| *reason != SkipReason::Coalesced);
    let reasons: Vec<String> = reasons.map(|(reason, count)| format!("{count} {}", word(*reason))).collect();
    if reasons.is_empty() { Cell::new("0", Tone::Faint) } else { Cell::new(reasons.join(", "), Tone::Attention) }
}

/// The reason in a word, as the history has it.
pub(super) fn word(reason: SkipReason) -> String {
    let value = serde_json::to_value(reason).unwrap_or_default();
    value.as_str().unwrap_or_default().replace('_', " ")
}

fn takes(view: &JobView, plot: &Plot) -> String {
    match plot.known.get(&view.id) {
        None => format!("{} (assumed)", shown(plot.scenario.duration(&view.id))),
        Some(known) => match known.runs {
            None => format!("{} (given)", shown(known.takes)),
            Some(1) => format!("{} (1 run)", shown(known.takes)),
            Some(runs) => format!("{} ({runs} runs)", shown(known.takes)),
        },
    }
}

/// What else there is to say.
fn notes(view: &JobView, tally: &Tally) -> String {
    let counts = [
        (tally.retries, "retries"),
        (tally.timed_out, "timed out"),
        (tally.replaced, "replaced"),
        (tally.killed, "killed with the daemon"),
        (tally.waiting, "waiting at the end"),
        (u64::from(tally.open), "open at the end"),
    ];
    let disabled = view.job.as_ref().is_ok_and(|job| !job.enabled).then(|| "disabled".to_owned());
    let foreign = view.job.as_ref().is_ok_and(|job| job.payload().is_some());
    let foreign = foreign.then(|| "a payload, which `sched` doesn't run".to_owned());
    let paused = view.paused.as_ref().map(|_| "paused".to_owned());
    let counts = counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    disabled.into_iter().chain(foreign).chain(paused).chain(counts).collect::<Vec<_>>().join(", ")
}
