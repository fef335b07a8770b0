//! `sched alerts ack`: somebody knows.

use sched_monitor::{OpenAlert, Shelf};
use scheduler_core::{Alert, ErrorKind, Home, JobId, RunResult, liveness::Account, notify::job_key};
use serde_json::json;

use crate::{
    alerts,
    args::AlertsAckArgs,
    commands::Done,
    context::{self, Context},
    daemon::account,
    env, exit,
    failure::Failure,
    output::Output,
    selection,
};

pub(super) async fn run(args: &AlertsAckArgs, context: &Context, out: &mut Output) -> Done {
    let home = context.home()?;
    if !home.path().exists() {
        return Err(context::no_home(&home));
    }
    let shelf = alerts::shelf(&home);
    let by = args.by.clone().or_else(env::user);
    let alert = match shelf.acknowledge(&args.target, context.now(), by.clone()) {
        Err(error) if error.kind() == ErrorKind::NotFound && args.target == Account::KEY => {
            if !tell_of_what_is_missing(&home, context, &shelf)? {
                return Err(error.into());
            }
            shelf.acknowledge(&args.target, context.now(), by)?
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let Some(job) = troubled(args, context, &shelf).await? else { return Err(error.into()) };
            shelf.acknowledge(&job_key(&job), context.now(), by)?
        }
        answer => answer?,
    };
    if out.wants_json() {
        out.json(json!({ "acknowledged": alert }))?;
    } else {
        out.line(said(&alert))?;
    }
    Ok(exit::OK)
}

/// Opens an alert that something is on no record, if something is: whoever found it may have had no place to write to.
fn tell_of_what_is_missing(home: &Home, context: &Context, shelf: &Shelf) -> Result<bool, Failure> {
    let known = account::facts(home, &shelf.read()?);
    let Some(alert) = known.last.ok().and_then(|last| account::alert(&last, context.now())) else { return Ok(false) };
    shelf.take(&alert)?;
    Ok(true)
}

/// The job that is meant, if its last run was bad and no alert tells of that: a disk may have been full. One is opened.
async fn troubled(args: &AlertsAckArgs, context: &Context, shelf: &Shelf) -> Result<Option<JobId>, Failure> {
    let views = context::jobs(&context.look()?).await?;
    let Ok(view) = selection::one(&views, &args.target) else { return Ok(None) };
    let key = job_key(&view.id);
    if shelf.read()?.open().any(|alert| alert.key == key) {
        return Ok(Some(view.id.clone()));
    }
    let Some(last) = &view.last else { return Ok(None) };
    let Some(outcome) = last.outcome().filter(|outcome| outcome.result.is_trouble()) else { return Ok(None) };
    let how = match outcome.result {
        RunResult::TimedOut => "timed out",
        RunResult::Unknown => "unknown",
        _ => "failed",
    };
    let alert = Alert::open(key, format!("job `{}` {how}", view.id), last.at).about(view.id.clone());
    shelf.take(&alert.detail(outcome.reason().unwrap_or_default()))?;
    Ok(Some(view.id.clone()))
}

fn said(alert: &OpenAlert) -> String {
    format!("acknowledged {}: {}; until it happens anew nobody is told again", alert.key, alert.headline())
}
