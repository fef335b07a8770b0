//! `sched status`: the verdict, what it rests on, and what to do.

use std::time::Duration;

use scheduler_core::{
    ErrorKind, Home,
    config::Config,
    liveness::{AccountFacts, Facts, Unreadable, Verdict, VerdictKind, verdict},
    store::JobView,
};
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::Done;
use crate::{
    args::StatusArgs,
    context::Context,
    facts::{self, Known},
    failure::Failure,
    output::Output,
    probes, standing,
    table::{Cell, Tone},
    when,
};

/// How long the home may take to answer.
const HOME: Duration = Duration::from_secs(30);

/// How many next fires are shown.
const SHOWN: usize = 5;

pub(crate) async fn run(_: &StatusArgs, context: &Context, out: &mut Output) -> Done {
    let home = context.home()?;
    let (Known { facts, views, .. }, config) = in_time(&home).await?;
    let verdict = verdict(&facts);
    if out.wants_json() {
        out.json(as_json(&home, &config, &facts, &verdict, &views))?;
    } else {
        print(&home, &facts, &verdict, &views, out)?;
    }
    Ok(verdict.kind.exit_code())
}

/// The facts, and the configuration they were collected by. A disk that doesn't answer keeps nobody waiting for ever.
async fn in_time(home: &Home) -> Result<(Known, Config), Failure> {
    let (handle, of) = (Handle::current(), home.clone());
    let look = move || {
        let context = Context::new(Some(of.path().to_owned()));
        let known = handle.block_on(facts::collect(&context, &of));
        (known, context.config().config.clone())
    };
    let why = match tokio::time::timeout(HOME, tokio::task::spawn_blocking(look)).await {
        Ok(Ok(known)) => return Ok(known),
        Ok(Err(_)) => "the look at it broke off".to_owned(),
        Err(_) => format!("it has not answered for {} s", HOME.as_secs()),
    };
    let what = format!("can't know how {} is doing: {why}", home.path().display());
    let hint = "see whether its disk is there: a dead mount answers never";
    Err(Failure { exit: VerdictKind::Unknown.exit_code(), ..Failure::new(ErrorKind::Io, what).hint(hint) })
}

fn print(home: &Home, facts: &Facts, verdict: &Verdict, views: &[JobView], out: &mut Output) -> Result<(), Failure> {
    out.toned(&Cell::new(verdict.kind.word(), tone(verdict.kind)), &verdict.summary)?;
    out.line(format_args!("home: {}", home.path().display()))?;
    for line in &verdict.evidence {
        out.line(format_args!("  {line}"))?;
    }
    if !verdict.problems.is_empty() {
        out.line("problems:")?;
        for problem in &verdict.problems {
            out.line(format_args!("  {} {}", if problem.remark { "-" } else { "!" }, problem.what))?;
            out.line(format_args!("    hint: {}", problem.hint))?;
        }
    }
    let now = facts.now;
    let next = upcoming(verdict, views);
    if !next.is_empty() {
        // Nobody should wait for an instant at which nothing will happen.
        out.line(if verdict.kind.exit_code() < 4 { "next:" } else { "next, if something fired:" })?;
    }
    for view in next.iter().take(SHOWN) {
        if let Some(at) = standing::next(view) {
            let when = when::both(at, &standing::zone_of(view), now);
            out.line(format_args!("  {:<16} {when}", view.id.as_str()))?;
        }
    }
    Ok(())
}

/// Jobs by their next instant; none where nothing is meant to fire by itself.
fn upcoming<'a>(verdict: &Verdict, views: &'a [JobView]) -> Vec<&'a JobView> {
    let waits = |view: &&JobView| verdict.kind != VerdictKind::Standby && standing::next(view).is_some();
    let mut next: Vec<&JobView> = views.iter().filter(waits).collect();
    next.sort_by_key(|view| standing::next(view));
    next
}

fn tone(kind: VerdictKind) -> Tone {
    match kind.exit_code() {
        0 => Tone::Good,
        3 => Tone::Attention,
        _ => Tone::Bad,
    }
}

fn as_json(home: &Home, config: &Config, facts: &Facts, verdict: &Verdict, views: &[JobView]) -> Value {
    let sinks: Vec<Value> =
        config.notify.iter().map(|sink| json!({"name": sink.name, "type": sink.type_word()})).collect();
    let jobs = &facts.jobs;
    let open: Vec<Value> = jobs
        .open
        .iter()
        .map(|run| {
            json!({"job": run.job, "run": run.run, "state": run.state, "since": run.since, "pid": run.pid,
                "owner_is_dead": run.abandoned})
        })
        .collect();
    let troubled: Vec<Value> = jobs
        .troubled
        .iter()
        .map(|one| {
            json!({"job": one.job, "run": one.run, "result": one.result, "at": one.at, "message": one.message,
                "acknowledged": one.acknowledged})
        })
        .collect();
    let next: Vec<Value> = upcoming(verdict, views)
        .iter()
        .take(SHOWN)
        .map(|view| json!({"job": view.id, "at": standing::next(view)}))
        .collect();
    json!({
        "home": home.path(),
        "verdict": verdict.kind,
        "exit_code": verdict.kind.exit_code(),
        "summary": verdict.summary,
        "evidence": verdict.evidence,
        "problems": verdict.problems,
        "at": facts.now,
        "daemon": {"lock_held": facts.lock.held, "process": facts.lock.holder, "state": facts.holder_state},
        "heartbeat": beat_json(facts.beat.as_ref().map_err(ToString::to_string)),
        "tick": beat_json(facts.tick.as_ref().map_err(ToString::to_string)),
        "jobs": {
            "total": jobs.total, "enabled": jobs.enabled, "paused": jobs.paused, "open": open, "troubled": troubled,
            "overdue": jobs.overdue.iter().map(|(job, at)| json!({"job": job, "since": at})).collect::<Vec<_>>(),
        },
        "account": account_json(&facts.account),
        "next": next,
        "sinks": sinks,
        "probes": probes::to_json(home, config),
    })
}

/// What the last look at the history found.
fn account_json(account: &AccountFacts) -> Value {
    match &account.last {
        Ok(last) => json!({"at": last.at, "since": last.since, "missing": last.count(), "found_at": last.found_at,
            "acknowledged": account.is_acknowledged(), "stretches": last.unrecorded, "error": last.error}),
        Err(Unreadable::Missing) => Value::Null,
        Err(why) => json!({"unreadable": why.to_string()}),
    }
}

fn beat_json(beat: Result<&scheduler_core::liveness::Heartbeat, String>) -> Value {
    match beat {
        Ok(beat) => json!(beat),
        Err(why) => json!({"unreadable": why}),
    }
}
