//! "Id or unique name" to a job: never a guess.

use scheduler_core::{
    ErrorKind, JobId, JobStore, nearest,
    store::{JobView, LedgerQuery, Which},
};

use crate::{context, failure::Failure};

/// The job that `wanted` names, by its id or else by its name.
///
/// # Errors
/// There is none (with the nearest ones), or the name is not unique (with those that have it).
pub(crate) fn one<'v>(views: &'v [JobView], wanted: &str) -> Result<&'v JobView, Failure> {
    if let Some(view) = views.iter().find(|view| view.id.as_str() == wanted) {
        return Ok(view);
    }
    let named: Vec<&JobView> = views.iter().filter(|view| name(view) == wanted).collect();
    match named.as_slice() {
        [view] => Ok(view),
        [] => Err(unknown(wanted, views)),
        several => {
            let ids: Vec<String> = several.iter().map(|view| format!("`{}`", view.id)).collect();
            let what = format!("{} jobs are called `{wanted}`: {}", several.len(), ids.join(", "));
            Err(Failure::new(ErrorKind::Ambiguous, what).hint("say which by its id"))
        }
    }
}

/// The same from a store, which looks at one job alone if `wanted` is its id.
///
/// # Errors
/// As [`one`], or why the jobs can't be read.
pub(crate) async fn find(store: &impl JobStore, wanted: &str) -> Result<JobView, Failure> {
    if let Ok(id) = wanted.parse::<JobId>()
        && let Some(view) = store.select(Which::Job(id)).await?.jobs.pop()
    {
        return Ok(view);
    }
    Ok(one(&context::jobs(store).await?, wanted)?.clone())
}

/// The ids of the jobs that `wanted` names, each once; all of them if `all`.
///
/// # Errors
/// As [`one`], for the first that can't be found: nothing is to be done then.
pub(crate) fn several(views: &[JobView], wanted: &[String], all: bool) -> Result<Vec<JobId>, Failure> {
    let mut ids: Vec<JobId> = Vec::new();
    if all {
        ids.extend(views.iter().map(|view| view.id.clone()));
    }
    for wanted in wanted {
        let id = &one(views, wanted)?.id;
        if !ids.contains(id) {
            ids.push(id.clone());
        }
    }
    Ok(ids)
}

/// What people call the job.
pub(crate) fn name(view: &JobView) -> &str {
    view.job.as_ref().map_or(view.id.as_str(), |job| job.name.as_str())
}

/// The refusal of a name that nothing has, with the ids of the jobs that it may have been meant for.
fn unknown(wanted: &str, views: &[JobView]) -> Failure {
    let failure = Failure::new(ErrorKind::NotFound, format!("no job `{wanted}`"));
    let known = views.iter().flat_map(|view| [view.id.as_str(), name(view)]);
    let near = nearest(wanted, known);
    let meant = |view: &&JobView| near.contains(&view.id.as_str()) || near.contains(&name(view));
    let meant: Vec<String> = views.iter().filter(meant).map(|view| format!("`{}`", view.id)).collect();
    match meant.as_slice() {
        [] => failure.hint("`sched list` shows all jobs"),
        meant => failure.hint(format!("did you mean {}?", meant.join(" or "))),
    }
}

/// As [`find`], but also the id of a job that has been removed, as long as the history knows it.
///
/// # Errors
/// As [`find`], or why the history can't be read.
pub(crate) async fn find_or_former(store: &impl JobStore, wanted: &str) -> Result<JobId, Failure> {
    let failure = match find(store, wanted).await {
        Ok(view) => return Ok(view.id),
        Err(failure) => failure,
    };
    let Ok(id) = wanted.parse::<JobId>() else { return Err(failure) };
    let query = LedgerQuery { job: Some(id.clone()), last: Some(1), ..LedgerQuery::default() };
    if store.ledger(query).await?.is_empty() { Err(failure) } else { Ok(id) }
}
