//! `sched audit`: every occurrence that was owed, accounted for.

use std::{fmt::Display, sync::Arc};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use parking_lot::Mutex;
use scheduler_core::{
    JobStore as _, RunResult,
    audit::{Audit, AuditQuery, End, JobAudit, OutageCost},
    occurrence::SkipReason,
    schedule::zone,
};
use serde_json::{Map, Value, json};

use super::Done;
use crate::{
    args::AuditArgs,
    context::Context,
    exit, outages,
    output::{Output, Printed},
    selection,
    table::{Cell, Tone},
    when,
};

/// How many jobs, outages and faults are shown; JSON has all.
const SHOWN: usize = 50;

pub(crate) async fn run(args: &AuditArgs, context: &Context, out: &mut Output) -> Done {
    let now = context.now();
    let home = context.home()?;
    let store = context.look_existing()?;
    let job = match &args.job {
        Some(job) => Some(selection::find_or_former(&store, job).await?),
        None => None,
    };
    let progress = Arc::new(Mutex::new(out.progress(0)));
    let query = AuditQuery {
        job,
        since: Some(args.since.instant(now)),
        outages: outages::ongoing(&home, &**context.clock()),
        progress: Some({
            let progress = Arc::clone(&progress);
            Arc::new(move |done, all| progress.lock().reached_of(done, all))
        }),
    };
    let audit = store.audit(query).await?;
    drop(progress);
    let zone = zone::parse(&context.job_defaults().zone).unwrap_or(TimeZone::UTC);
    if out.wants_json() {
        out.json(to_json(&audit, &zone))?;
    } else {
        print(&audit, &zone, out)?;
    }
    Ok(if audit.is_complete() { exit::OK } else { exit::ATTENTION })
}

fn print(audit: &Audit, zone: &TimeZone, out: &mut Output) -> Printed {
    let (since, until) = (when::stamp(audit.since, zone), when::stamp(audit.until, zone));
    out.line(format_args!("{} from {since} to {until}", jobs(audit.jobs.len())))?;
    if let Some(pruned) = audit.pruned_before {
        let pruned = when::stamp(pruned, zone);
        out.line(format_args!("the history before {pruned} has been pruned: see `history` in config.yaml"))?;
    }
    let owed: u64 = audit.jobs.iter().map(|job| job.owed).sum();
    let word = if audit.is_complete() { Cell::new("complete", Tone::Good) } else { Cell::new("incomplete", Tone::Bad) };
    let sentence = match (audit.is_complete(), owed) {
        (true, 0) => "nothing was owed".to_owned(),
        (true, owed) => format!("{} owed, and every one is accounted for", occurrences(owed)),
        (false, owed) => format!("{} owed; {}", occurrences(owed), faults_in_short(audit)),
    };
    out.toned(&word, sentence)?;
    faults(audit, zone, out)?;
    let outages: Vec<&OutageCost> = audit.outages.iter().rev().take(SHOWN).collect();
    if !outages.is_empty() {
        out.line("outages, the latest first:")?;
        out.table(
            &["FROM", "TO", "LASTED", "CAUSE", "COST"],
            outages.iter().map(|cost| outage_row(cost, zone)).collect(),
        )?;
        more(audit.outages.len(), "outages", out)?;
    }
    if audit.jobs.is_empty() {
        return Ok(());
    }
    // Those that need a look come first.
    let mut listed: Vec<&JobAudit> = audit.jobs.iter().collect();
    listed.sort_by_key(|job| job.is_complete());
    let shown = listed.len().min(SHOWN);
    out.table(
        &["JOB", "OWED", "RAN", "DID NOT RUN", "MISSING", "BESIDES"],
        listed[..shown].iter().map(|job| job_row(job)).collect(),
    )?;
    more(listed.len(), "jobs", out)
}

fn more(all: usize, what: &str, out: &mut Output) -> Printed {
    if all > SHOWN { out.line(format_args!("and {} more {what}: --json has all", all - SHOWN)) } else { Ok(()) }
}

fn jobs(count: usize) -> String {
    if count == 1 { "one job".into() } else { format!("{count} jobs") }
}

fn occurrences(count: u64) -> String {
    if count == 1 { "one occurrence was".into() } else { format!("{count} occurrences were") }
}

fn faults_in_short(audit: &Audit) -> String {
    let sum = |count: fn(&JobAudit) -> u64| audit.jobs.iter().map(count).sum::<u64>();
    let parts = [
        (sum(missing), "without a record"),
        (sum(|job| job.twice.len() as u64), "on record twice"),
        (sum(|job| job.stray.len() as u64), "on record that no schedule had"),
        (audit.unreadable, "entries of the history can't be read"),
        (sum(|job| u64::from(job.unjudged.is_some())), "jobs with a definition that can't be read"),
    ];
    listed(&parts).unwrap_or_default()
}

fn missing(job: &JobAudit) -> u64 {
    job.missing.iter().map(|missing| missing.count).sum()
}

/// What should not be, with where to look.
fn faults(audit: &Audit, zone: &TimeZone, out: &mut Output) -> Printed {
    let mut lines: Vec<(String, String)> = Vec::new();
    for job in &audit.jobs {
        let why = |at: Timestamp| format!("sched why {}@{}", job.job, when::stamp(at, zone));
        for missing in &job.missing {
            let (from, to) = (when::stamp(missing.from, zone), when::stamp(missing.to, zone));
            let which = if missing.count == 1 { from } else { format!("{from} to {to} ({} instants)", missing.count) };
            lines.push((format!("job `{}`: nothing is on record of {which}", job.job), why(missing.from)));
        }
        for at in &job.twice {
            let what = format!("job `{}`: {} is on record more than once", job.job, when::stamp(*at, zone));
            lines.push((what, why(*at)));
        }
        for at in &job.stray {
            let at = when::stamp(*at, zone);
            let what = format!("job `{}`: {at} is on record, and its schedule did not have it", job.job);
            lines.push((what, format!("sched history {}", job.job)));
        }
        if let Some(why) = &job.unjudged {
            let what = format!("job `{}` can't be judged: a definition of it can't be read: {why}", job.job);
            lines.push((what, "the sched that wrote it can: audit with that one".into()));
        }
    }
    if audit.unreadable > 0 {
        let what =
            format!("{} entries of the history can't be read, and may be the ones that are missing", audit.unreadable);
        lines.push((what, "the files in state/ledger are damaged: put them back from a backup".into()));
    }
    for (what, hint) in lines.iter().take(SHOWN) {
        out.line(format_args!("  {what}\n    hint: {hint}"))?;
    }
    more(lines.len(), "of these", out)
}

fn outage_row(cost: &OutageCost, zone: &TimeZone) -> Vec<Cell> {
    let outage = &cost.outage;
    let lasted = outage.lasted();
    let lasted = if lasted < SignedDuration::ZERO {
        format!("{} back", when::length(lasted.abs()))
    } else {
        when::length(lasted)
    };
    let detail = outage.detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default();
    let costs = [(cost.skipped, "coalesced or skipped"), (cost.late, "late"), (cost.waiting, "waiting")];
    vec![
        when::stamp(outage.from, zone).into(),
        when::stamp(outage.to, zone).into(),
        lasted.into(),
        format!("{}{detail}", outage.cause.word()).into(),
        listed(&costs).map_or_else(|| Cell::new("nothing", Tone::Faint), Cell::from),
    ]
}

fn job_row(job: &JobAudit) -> Vec<Cell> {
    let ran = job.count(|end| matches!(end, End::Ran(_)));
    let bad = |result| (job.count(|end| end == End::Ran(result)), RunResult::word(result).replace('_', " "));
    let mut how: Vec<(u64, String)> =
        [RunResult::Failed, RunResult::TimedOut, RunResult::Cancelled, RunResult::Unknown].map(bad).into();
    how.push((job.late, "late".into()));
    let skipped = job.ends.iter().filter(|(end, _)| !matches!(end, End::Ran(_)));
    let skipped: Vec<(u64, &str)> = skipped.map(|(end, count)| (*count, end_words(*end))).collect();
    let missing = missing(job);
    vec![
        job.job.to_string().into(),
        job.owed.to_string().into(),
        match listed(&how) {
            Some(how) => format!("{ran} ({how})").into(),
            None => ran.to_string().into(),
        },
        listed(&skipped).unwrap_or_default().into(),
        if missing == 0 { Cell::new("0", Tone::Good) } else { Cell::new(missing.to_string(), Tone::Bad) },
        listed(&[(job.asked, "asked for"), (job.retried, "retried")]).unwrap_or_default().into(),
    ]
}

/// `3 failed, 1 late`; none if all are zero.
fn listed(counts: &[(u64, impl Display)]) -> Option<String> {
    let counts: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    (!counts.is_empty()).then(|| counts.join(", "))
}

fn end_words(end: End) -> &'static str {
    match end {
        End::Skipped(SkipReason::Misfire) => "missed",
        End::Skipped(SkipReason::ClockRepaired) => "under a wrong clock",
        end => end.word(),
    }
}

fn to_json(audit: &Audit, zone: &TimeZone) -> Value {
    let stamp = |at: Timestamp| when::exact(at, zone);
    let stamps = |list: &[Timestamp]| list.iter().map(|at| stamp(*at)).collect::<Vec<_>>();
    let jobs = audit.jobs.iter().map(|job| {
        let ends: Map<String, Value> =
            job.ends.iter().map(|(end, count)| (end.word().to_owned(), json!(count))).collect();
        let missing = job
            .missing
            .iter()
            .map(|missing| json!({"from": stamp(missing.from), "to": stamp(missing.to), "count": missing.count}));
        json!({
            "job": job.job,
            "complete": job.is_complete(),
            "owed": job.owed,
            "ends": ends,
            "late": job.late,
            "retried": job.retried,
            "asked": job.asked,
            "waiting_since": job.waiting_since.map(stamp),
            "missing": missing.collect::<Vec<_>>(),
            "twice": stamps(&job.twice),
            "stray": stamps(&job.stray),
            "unjudged": job.unjudged,
        })
    });
    let outages = audit.outages.iter().map(|cost| {
        json!({
            "cause": cost.outage.cause,
            "from": stamp(cost.outage.from),
            "to": stamp(cost.outage.to),
            "detail": cost.outage.detail,
            "skipped": cost.skipped,
            "late": cost.late,
            "waiting": cost.waiting,
        })
    });
    json!({
        "complete": audit.is_complete(),
        "since": stamp(audit.since),
        "until": stamp(audit.until),
        "pruned_before": audit.pruned_before.map(stamp),
        "owed": audit.jobs.iter().map(|job| job.owed).sum::<u64>(),
        "missing": audit.jobs.iter().map(missing).sum::<u64>(),
        "jobs": jobs.collect::<Vec<_>>(),
        "outages": outages.collect::<Vec<_>>(),
        "unreadable": audit.unreadable,
        "unknown_jobs": audit.unknown_jobs,
    })
}
