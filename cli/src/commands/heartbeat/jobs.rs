//! Jobs that sched runs itself, beside the heartbeats of others. They need no file: the ledger knows when one last
//! succeeded, and its schedule whether it is overdue.

use jiff::Timestamp;
use scheduler_core::{
    JobId, JobStore as _, RunResult,
    liveness::{Facts, verdict},
    store::{JobView, LedgerEntry, LedgerQuery, Problem},
};

use crate::{
    context::Context,
    facts::{self, Known},
    failure::Failure,
    when,
};

/// A job, and how it is doing.
pub(super) struct JobBeat {
    pub(super) id: JobId,
    pub(super) verdict: &'static str,
    /// When it last succeeded, as far as the history goes back.
    pub(super) last_success: Option<Timestamp>,
    pub(super) problem: Option<Problem>,
}

/// Every job that is enabled, and why none can be known of, if that is so.
///
/// # Errors
/// The history can't be read.
pub(super) async fn all(context: &Context) -> Result<(Vec<JobBeat>, Option<Problem>), Failure> {
    let home = context.home()?;
    if !home.path().exists() {
        return Ok((Vec::new(), None));
    }
    let Known { facts, views, .. } = facts::collect(context, &home).await;
    if let Some(why) = &facts.store_error {
        let hint = facts.store_hint.as_deref().unwrap_or("run `sched validate` as the user that owns the home");
        let what = format!("the store can't be read here, so nothing is known of the jobs: {why}");
        return Ok((Vec::new(), Some(Problem::new("heartbeats-store", what, hint))));
    }
    let told = verdict(&facts).problems;
    let mut jobs = Vec::new();
    for view in views.iter().filter(|view| view.job.as_ref().is_ok_and(|job| job.enabled)) {
        jobs.push(job(context, view, &facts, &told).await?);
    }
    Ok((jobs, None))
}

async fn job(context: &Context, view: &JobView, facts: &Facts, told: &[Problem]) -> Result<JobBeat, Failure> {
    let id = view.id.clone();
    let last_success = last_success(context, view).await?;
    let overdue = facts.jobs.overdue.iter().find(|(job, _)| *job == id);
    let has_failed = facts.jobs.troubled.iter().any(|trouble| trouble.job == id);
    let verdict = match (overdue, has_failed) {
        (Some(_), _) => "overdue",
        (None, true) => "error",
        (None, false) if view.paused.is_some() => "paused",
        (None, false) if last_success.is_none() => "waiting",
        (None, false) => "fresh",
    };
    let problem = match overdue {
        // Whether anything fires at all, the verdict of `status` is about; that this one is late is known without.
        Some((_, at)) => {
            let what = format!(
                "job `{id}` was due at {} and has not fired",
                when::both(*at, &jiff::tz::TimeZone::UTC, facts.now)
            );
            Some(Problem::new(format!("overdue-{id}"), what, "`sched status` says whether anything fires").of_job(&id))
        }
        None => told.iter().find(|problem| problem.key == format!("job-{id}")).cloned(),
    };
    Ok(JobBeat { id, verdict, last_success, problem })
}

/// The job's last run if that succeeded, else the last one that did.
async fn last_success(context: &Context, view: &JobView) -> Result<Option<Timestamp>, Failure> {
    let Some(last) = &view.last else { return Ok(None) };
    let succeeded = |entry: &LedgerEntry| entry.outcome().is_some_and(|outcome| outcome.result == RunResult::Succeeded);
    if succeeded(last) {
        return Ok(Some(last.at));
    }
    let ends = vec!["succeeded"];
    let query = LedgerQuery { job: Some(view.id.clone()), ends, last: Some(1), ..LedgerQuery::default() };
    Ok(context.look()?.ledger(query).await?.first().map(|entry| entry.at))
}
