//! What needs attention, with what to do about it.

use scheduler_core::{
    Job,
    job::Overlap,
    occurrence::SkipReason,
    simulation::{Report, Tally},
};

use super::{durations::shown, plot::Plot};
use crate::when;

/// Something to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Advice {
    pub(super) what: String,
    pub(super) hint: String,
}

pub(super) fn all(plot: &Plot, report: &Report) -> Vec<Advice> {
    let valid = plot.scenario.jobs.iter().filter_map(|view| view.job.as_ref().ok());
    let with_tally = valid.filter_map(|job| Some((job, report.jobs.iter().find(|tally| tally.job == job.id)?)));
    let of_jobs = with_tally.flat_map(|(job, tally)| of_job(job, tally, plot));
    of_jobs.chain(full(plot, report)).collect()
}

fn of_job(job: &Job, tally: &Tally, plot: &Plot) -> Vec<Advice> {
    let id = &job.id;
    let takes = shown(plot.scenario.duration(id));
    let assumed = if plot.known.contains_key(id) { "" } else { " (that is assumed: `--duration` says better)" };
    let period = job.schedule.period_hint(plot.scenario.from, &job.time_zone);
    let due = period.map(|period| format!(" and is due every {}", shown(period))).unwrap_or_default();
    let instants = tally.instants();
    let mut advice = Vec::new();
    let overlapping = tally.skipped(SkipReason::Overlap);
    if overlapping > 0 {
        let hint = match job.overlap {
            Overlap::Queue => "one run waits at a time, more would never be caught up with: a longer period".to_owned(),
            _ => format!("a longer period, or `sched edit {id} --overlap queue`, so that one waits"),
        };
        let what = format!("job `{id}` takes {takes}{due}: {overlapping} of {instants} instants were skipped{assumed}");
        advice.push(Advice { what, hint });
    }
    if tally.replaced > 0 {
        let what = format!(
            "job `{id}` takes {takes}{due}: {} of {} runs were cancelled for a newer one{assumed}",
            tally.replaced, tally.fires
        );
        advice.push(Advice { what, hint: "a longer period; `overlap: replace` lets no run get done".into() });
    }
    if tally.timed_out > 0 {
        let timeout = job.timeout.map(shown).unwrap_or_default();
        let what =
            format!("job `{id}` takes {takes}, its timeout is {timeout}: {} runs were ended by it", tally.timed_out);
        advice.push(Advice { what, hint: format!("a longer one: `sched edit {id} --timeout ...`") });
    }
    advice
}

fn full(plot: &Plot, report: &Report) -> Option<Advice> {
    let at = when::stamp(report.full_at?, &plot.zone);
    let waited: u64 = report.jobs.iter().map(|tally| tally.waited).sum();
    let most = plot.scenario.limits.max_parallel;
    let what =
        format!("at {at} the limit of {most} open runs was reached for the first time; {waited} runs waited in all");
    let hint = "spread them, as with `H` in place of a minute, or raise `max_parallel` in config.yaml".into();
    Some(Advice { what, hint })
}
