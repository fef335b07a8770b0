//! `sched history`: what became of everything that was owed, and the runs that are open.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, tz::TimeZone};
use scheduler_core::{
    JobId, JobStore as _,
    occurrence::Occurrence,
    schedule::zone,
    store::{JobView, LedgerEntry, LedgerQuery, Which},
};
use serde::Serialize;

use super::Done;
use crate::{
    args::HistoryArgs,
    context::Context,
    exit,
    output::{Each, Output},
    past, selection, standing, when,
};

pub(crate) async fn run(args: &HistoryArgs, context: &Context, out: &mut Output) -> Done {
    let now = context.now();
    let store = context.look()?;
    let job = match &args.job {
        Some(job) => Some(selection::find_or_former(&store, job).await?),
        None => None,
    };
    let since = args.since.map(|since| since.instant(now));
    let ends = args.ends();
    let all = ends.is_empty();
    let query = LedgerQuery { job: job.clone(), since, ends, last: Some(args.last), ..LedgerQuery::default() };
    let entries = store.ledger(query).await?;
    let mut views = if all { store.select(Which::Open).await?.jobs } else { Vec::new() };
    let open: Vec<Occurrence> = open_runs(&views, job.as_ref());
    // Of a hundred thousand jobs, those that are shown: making a view of each of the others would be nearly all the work.
    let shown: BTreeSet<&JobId> = entries.iter().map(|entry| &entry.job).collect();
    for id in shown {
        views.append(&mut store.select(Which::Job(id.clone())).await?.jobs);
    }
    let zones = Zones::of(&views, context);

    if out.wants_json() {
        let entries = Each(&entries, |entry| past::entry_json(entry, zones.get(&entry.job)));
        let open = Each(&open, |open| past::open_json(open, zones.get(&open.id.job)));
        out.json(Answer { entries, open })?;
        return Ok(exit::OK);
    }
    if entries.is_empty() && open.is_empty() {
        out.line(nothing(args, since, &zones))?;
        return Ok(exit::OK);
    }
    let past_row = |entry: &LedgerEntry| past::entry_row(entry, zones.get(&entry.job), now);
    let rows =
        entries.iter().map(past_row).chain(open.iter().map(|open| past::open_row(open, zones.get(&open.id.job), now)));
    out.table(&past::HEADERS, rows.collect())?;
    Ok(exit::OK)
}

/// The answer for programs.
#[derive(Serialize)]
struct Answer<E, O> {
    entries: E,
    open: O,
}

fn open_runs(views: &[JobView], job: Option<&JobId>) -> Vec<Occurrence> {
    let wanted = views.iter().filter(|view| job.is_none_or(|job| *job == view.id));
    let mut open: Vec<Occurrence> = wanted.flat_map(|view| &view.open).cloned().collect();
    open.sort_by(|a, b| (a.at, &a.run).cmp(&(b.at, &b.run)));
    open
}

fn nothing(args: &HistoryArgs, since: Option<Timestamp>, zones: &Zones) -> String {
    let of = args.job.as_ref().map(|job| format!(" of job `{job}`")).unwrap_or_default();
    let since = since.map(|since| format!(" since {}", when::stamp(since, &zones.default)));
    let what = match args.ends().as_slice() {
        _ if args.failed => "no failed runs".to_owned(),
        [] => "no runs".to_owned(),
        ends => format!("nothing that ended as {}", ends.join(" or ").replace('_', " ")),
    };
    format!("{what}{of}{} so far", since.unwrap_or_default())
}

/// The zone of each job, and one for those that are gone.
struct Zones {
    of: BTreeMap<JobId, TimeZone>,
    default: TimeZone,
}

impl Zones {
    fn of(views: &[JobView], context: &Context) -> Self {
        let of = views.iter().map(|view| (view.id.clone(), standing::zone_of(view))).collect();
        Self { of, default: zone::parse(&context.job_defaults().zone).unwrap_or(TimeZone::UTC) }
    }

    fn get(&self, job: &JobId) -> &TimeZone {
        self.of.get(job).unwrap_or(&self.default)
    }
}
