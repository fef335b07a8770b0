//! `sched list`: every job, what its schedule means, when it is due and how it is doing.
//!
//! Entries of `jobs.json` that can't be taken in are listed too: a job that somebody wrote down and that doesn't fire must not
//! be invisible.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use scheduler_core::{
    JobId, JobStore as _,
    store::{JobView, Problem},
};
use serde_json::{Value, json};

use super::Done;
use crate::{
    args::ListArgs,
    context::{self, Context},
    exit, foreign,
    output::Output,
    past, selection, standing,
    table::{Cell, Tone},
    when,
};

pub(crate) async fn run(args: &ListArgs, context: &Context, out: &mut Output) -> Done {
    let now = context.now();
    let store = context.look()?;
    let views = context::jobs(&store).await?;
    let mut problems = store.problems().await?;
    let in_files = problems.clone();
    let entry_problems = by_job(&in_files);
    problems.extend(foreign::problems(&views));
    let wanted: BTreeSet<JobId> = selection::several(&views, &args.jobs, args.jobs.is_empty())?.into_iter().collect();
    let shown: Vec<&JobView> = views.iter().filter(|view| wanted.contains(&view.id) && has_tags(view, args)).collect();
    let everything = args.jobs.is_empty() && args.tags.is_empty();
    let never_in_force: Vec<&Problem> = problems
        .iter()
        .filter(|problem| {
            everything && !problem.remark && !views.iter().any(|view| problem.job.as_ref() == Some(&view.id))
        })
        .collect();

    let home = context.home()?;
    let home = home.path().display();
    if out.wants_json() {
        let jobs = shown.iter().map(|view| standing::to_json(view, entry_problems.get(&view.id).copied()));
        let jobs: Vec<Value> = jobs.collect();
        out.json(json!({ "home": home.to_string(), "jobs": jobs, "problems": problems }))?;
        return Ok(exit::OK);
    }
    let mut rows: Vec<Vec<Cell>> =
        shown.iter().map(|view| row(view, entry_problems.get(&view.id).copied(), now)).collect();
    rows.extend(never_in_force.iter().filter_map(|problem| invalid_row(problem)));
    if rows.is_empty() {
        let which = if everything { "no jobs" } else { "no such jobs" };
        out.line(format_args!("{which} in {home}"))?;
        if everything {
            out.line("add one: sched add \"30 2 * * *\" --name backup -- /path/to/backup")?;
        }
    } else {
        out.table(&["ID", "SCHEDULE", "MEANS", "NEXT", "LAST", "STATE"], rows)?;
    }
    let mentioned = |problem: &Problem| shown.iter().any(|view| problem.job.as_ref() == Some(&view.id));
    for problem in problems.iter().filter(|problem| everything || mentioned(problem)) {
        out.warn(&problem.what, Some(&problem.hint));
    }
    Ok(exit::OK)
}

fn row(view: &JobView, problem: Option<&Problem>, now: Timestamp) -> Vec<Cell> {
    let next = standing::next(view).map(|next| when::both(next, &standing::zone_of(view), now));
    let last = view.last.as_ref().map(|entry| past::last_cell(entry, now));
    vec![
        view.id.to_string().into(),
        standing::schedule_text(view).into(),
        standing::meaning(view).into(),
        next.map_or_else(|| Cell::new("-", Tone::Faint), Cell::from),
        last.unwrap_or_else(|| Cell::new("never ran", Tone::Faint)),
        standing::state(view, problem, now),
    ]
}

/// The row of an entry that never was in force; where its text is wrong is told below the table.
fn invalid_row(problem: &Problem) -> Option<Vec<Cell>> {
    let id = problem.job.as_ref()?.to_string();
    let blank = || Cell::new("-", Tone::Faint);
    Some(vec![id.into(), blank(), blank(), blank(), blank(), Cell::new("invalid, see below", Tone::Bad)])
}

fn by_job(problems: &[Problem]) -> BTreeMap<JobId, &Problem> {
    // A problem proper says more about a job than a remark about the same job.
    let mut sorted: Vec<&Problem> = problems.iter().collect();
    sorted.sort_by_key(|problem| (!problem.remark, !standing::is_further(problem)));
    sorted.into_iter().filter_map(|problem| Some((problem.job.clone()?, problem))).collect()
}

fn has_tags(view: &JobView, args: &ListArgs) -> bool {
    let tags = view.job.as_ref().map(|job| job.tags.as_slice()).unwrap_or_default();
    args.tags.iter().all(|tag| tags.contains(tag))
}
