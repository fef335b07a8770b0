//! `sched fire JOB`: a run by hand. The daemon runs it; without one, this process does.

use std::sync::Arc;

use scheduler_core::{
    ErrorKind, Home, JobId, JobStore, OccurrenceKind, RunId, RunResult, Token,
    liveness::{Phase, heartbeat},
    occurrence::SkipReason,
    provider::FireRequest,
    store::{Ask, Asked, JsonStore, LedgerEntry, LedgerQuery, LedgerWhat, Which},
    vfs::RealFs,
};
use serde_json::json;

use crate::{
    alerts,
    args::FireArgs,
    context::{self, Context},
    daemon::{
        lock,
        machinery::{self, Machinery},
        signals,
    },
    exit,
    failure::Failure,
    output::Output,
    past, runtime, selection,
};

pub(crate) fn run(args: &FireArgs, context: &Context, out: &mut Output) -> Result<u8, Failure> {
    runtime::block_on(fire(args, context, out))
}

async fn fire(args: &FireArgs, context: &Context, out: &mut Output) -> Result<u8, Failure> {
    let home = context.home()?;
    let store = Arc::new(context.change_existing()?);
    let views = context::jobs(&*store).await?;
    let job = selection::one(&views, &args.job)?.id.clone();
    if args.due {
        return fire_due(context, out, store, &job).await;
    }
    let key = Token::random().to_string();
    let ask = Ask { job: job.clone(), kind: OccurrenceKind::Manual, key, force: args.force };
    let run = match store.ask(ask).await? {
        Asked::Queued(run) | Asked::Known(run) => run,
        Asked::Skipped(_, reason) => return Err(refused(&job, reason)),
    };
    let daemon = lock::look(&home);
    if daemon.held {
        let pid = daemon.holder.map_or_else(String::new, |holder| format!(" (pid {})", holder.pid));
        if !args.wait {
            let line = if is_stopping(&home) {
                format!("queued as {run}; the daemon{pid} is stopping, so it is left to the next one")
            } else {
                format!("queued as {run}; the daemon{pid} runs it: sched logs {job}")
            };
            return said(out, &job, &run, "queued", &line);
        }
        tracing::info!("queued as {run}; the daemon{pid} runs it");
    } else if !run_here(context, &home, &store, &run).await? {
        return said(out, &job, &run, "queued", &format!("queued as {run}: there is no place for it now"));
    }
    let entry = end_of(&store, &job, &run, daemon.held.then_some(&home)).await?;
    store.close().await?;
    let succeeded = entry.outcome().is_some_and(|outcome| outcome.result == RunResult::Succeeded);
    let words = past::last_cell(&entry, context.now()).text;
    let words = if entry.retry_at().is_some() { format!("{words}; its next attempt waits") } else { words };
    said(out, &job, &run, entry.word(), &format!("run {run} of job `{job}`: {words}"))?;
    Ok(if succeeded { exit::OK } else { exit::ERROR })
}

/// Claims what the job owes now, as a trigger from outside would.
async fn fire_due(context: &Context, out: &mut Output, store: Arc<JsonStore>, job: &JobId) -> Result<u8, Failure> {
    let machinery = machinery_here(context, &context.home()?, &store)?;
    let outcome = machinery.engine.fire_once(&FireRequest::due(job.clone())).await?;
    machinery.desk.settle(alerts::PATIENCE).await;
    store.close().await?;
    if out.wants_json() {
        out.json(json!({"job": job, "outcome": outcome.to_string()}))?;
    } else {
        out.line(format_args!("job `{job}`: {outcome}"))?;
    }
    // For a caller from outside every one of these is an answer: what is owed is fired, here or elsewhere.
    Ok(exit::OK)
}

/// Runs it in this process, and tells who is to be told.
async fn run_here(context: &Context, home: &Home, store: &Arc<JsonStore>, run: &RunId) -> Result<bool, Failure> {
    let machinery = machinery_here(context, home, store)?;
    let was_run = machinery.engine.run_one(run).await?;
    machinery.desk.settle(alerts::PATIENCE).await;
    Ok(was_run)
}

/// The machinery of `home`, for a run in this process that signals can end.
fn machinery_here(context: &Context, home: &Home, store: &Arc<JsonStore>) -> Result<Machinery, Failure> {
    let config = &context.config().config;
    let runner = Arc::new(machinery::runner(home, config));
    let machinery = machinery::build(home, config, Arc::clone(store), runner, context.clock(), "fire");
    signals::install(machinery.engine.clone(), None)?;
    Ok(machinery)
}

/// Whether two entries are of attempts at one occurrence.
fn is_same(one: &LedgerEntry, other: &LedgerEntry) -> bool {
    let id = |entry: &LedgerEntry| match &entry.what {
        LedgerWhat::Occurrence { id, .. } => Some(id.clone()),
        LedgerWhat::Gap(_) => None,
    };
    id(one).is_some() && id(one) == id(other)
}

fn said(out: &mut Output, job: &JobId, run: &RunId, state: &str, line: &str) -> Result<u8, Failure> {
    if out.wants_json() {
        out.json(json!({"job": job, "run": run, "state": state}))?;
    } else {
        out.line(line)?;
    }
    Ok(exit::OK)
}

fn refused(job: &JobId, reason: SkipReason) -> Failure {
    let failure = Failure::new(ErrorKind::Invalid, format!("job `{job}` was not fired: {}", reason.words()));
    match reason {
        SkipReason::Paused => failure.hint(format!("`sched resume {job}` first, or `sched fire {job} --force`")),
        SkipReason::Overlap => failure.hint(format!("`sched fire {job} --force` starts a second run beside it")),
        _ => failure.hint(format!("`sched fire {job} --force` runs it all the same")),
    }
}

/// Whether the daemon of `home` says that it takes nothing new.
fn is_stopping(home: &Home) -> bool {
    heartbeat::read(&RealFs, &home.ticker_json())
        .is_ok_and(|beat| matches!(beat.phase, Phase::Draining | Phase::Stopped))
}

/// Waits until the run is over, and the attempts that follow it; not for ever, if it is a daemon's (`by_daemon`) and that one is gone.
async fn end_of(store: &JsonStore, job: &JobId, run: &RunId, by_daemon: Option<&Home>) -> Result<LedgerEntry, Failure> {
    let mut changes = store.subscribe();
    loop {
        changes.mark_unchanged();
        // Before the run is looked at: a daemon that ends after the run has done its work.
        let forsaken = by_daemon.is_some_and(|home| !lock::look(home).held);
        let its = store.select(Which::Job(job.clone())).await?.jobs;
        let open = its.iter().flat_map(|view| &view.open).any(|occurrence| occurrence.run == *run);
        if !open {
            let query = LedgerQuery { job: Some(job.clone()), ..LedgerQuery::default() };
            let of_run = LedgerQuery { run: Some(run.clone()), last: Some(1), ..query.clone() };
            if let Some(of_run) = store.ledger(of_run).await?.pop() {
                if of_run.retry_at().is_none() {
                    return Ok(of_run);
                }
                let entries = store.ledger(query).await?;
                let is_end = |entry: &&LedgerEntry| entry.retry_at().is_none() && is_same(entry, &of_run);
                if let Some(end) = entries.iter().rev().find(is_end) {
                    return Ok(end.clone());
                }
                // Without a daemon the engine here has made all attempts that it could.
                if by_daemon.is_none() || forsaken {
                    return Ok(of_run);
                }
            }
        } else if forsaken {
            let what = format!("the daemon ended before run {run} of job `{job}` did");
            return Err(Failure::new(ErrorKind::NotFound, what)
                .hint("the next `sched run` or `sched tick` takes care of it; see `sched status`"));
        }
        // A lost notice must not hang a script; looking twice a second costs nothing.
        let _ = tokio::time::timeout(std::time::Duration::from_millis(500), changes.changed()).await;
    }
}
