//! All of it for programs.

use scheduler_core::{
    occurrence::SkipReason,
    simulation::{Minute, Report, Tally},
    store::JobView,
};
use serde_json::{Map, Value, json};

use super::{advice::Advice, chart, plot::Plot};
use crate::when;

/// The most buckets.
const BUCKETS: u32 = 60;

pub(super) fn of(plot: &Plot, report: &Report, advice: &[Advice]) -> Value {
    let stamp = |at| when::exact(at, &plot.zone);
    let scenario = &plot.scenario;
    let (width, buckets) = chart::buckets(plot, report, BUCKETS);
    let load = |at, load: Minute| json!({"from": stamp(at), "starts": load.starts, "open": load.open});
    let jobs = scenario.jobs.iter().map(|view| {
        let tally = report.jobs.iter().find(|tally| tally.job == view.id);
        tally.map_or_else(|| json!({"id": view.id, "problem": view.job.as_ref().err()}), |tally| job(view, tally, plot))
    });
    json!({
        "home": plot.home,
        "from": stamp(scenario.from),
        "to": stamp(scenario.to),
        "timezone": plot.zone.iana_name(),
        "max_parallel": scenario.limits.max_parallel,
        "downtime": scenario.downtime.iter()
            .map(|(begin, end)| json!({"from": stamp(*begin), "to": stamp(*end)})).collect::<Vec<_>>(),
        "clock_steps": scenario.clock_steps.iter()
            .map(|(at, by)| json!({"at": stamp(*at), "by_ms": by.as_millis() as i64})).collect::<Vec<_>>(),
        "jobs": jobs.collect::<Vec<_>>(),
        "bucket_seconds": width.as_secs(),
        "buckets": buckets.iter().map(|bucket| load(bucket.begin, bucket.load)).collect::<Vec<_>>(),
        "busiest_minute": report.load.busiest().map(|(at, minute)| load(at, minute)),
        "full_at": report.full_at.map(stamp),
        "warnings": advice.iter().map(|one| json!({"what": one.what, "hint": one.hint})).collect::<Vec<_>>(),
    })
}

fn job(view: &JobView, tally: &Tally, plot: &Plot) -> Value {
    let known = plot.known.get(&view.id);
    let skips = tally.skips.iter().filter(|(reason, _)| *reason != SkipReason::Coalesced);
    let skipped: Map<String, Value> = skips
        .filter_map(|(reason, count)| Some((serde_json::to_value(reason).ok()?.as_str()?.to_owned(), json!(count))))
        .collect();
    json!({
        "id": view.id,
        "instants": tally.instants(),
        "fires": tally.fires,
        "late": tally.late,
        "retries": tally.retries,
        "coalesced": tally.skipped(SkipReason::Coalesced),
        "skipped": skipped,
        "replaced": tally.replaced,
        "timed_out": tally.timed_out,
        "killed": tally.killed,
        "waited": tally.waited,
        "longest_wait_ms": tally.longest_wait.as_millis() as i64,
        "max_open": tally.max_open,
        "open_at_the_end": tally.open,
        "waiting_at_the_end": tally.waiting,
        "takes_ms": plot.scenario.duration(&view.id).as_millis() as u64,
        "takes_from": known.map_or("assumed", |known| known.source()),
        "takes_of_runs": known.and_then(|known| known.runs),
    })
}
