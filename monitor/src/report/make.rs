//! From what is known of a home to its report. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, tz::TimeZone};
use scheduler_core::{
    JobId, RunResult,
    audit::{Audit, JobAudit, OutageCost},
    liveness::{Facts, Troubled, Verdict, beats::Judged},
    notify::job_key,
    store::{JobView, LedgerEntry, Problem},
};
use serde_json::Value;

use super::{
    AlertLine, BeatLine, Blocker, JobLine, LastRun, Longest, Next, OutageLine, PausedLine, Report, Totals,
    tally::{self, Tally},
    words::{plural, stamp, zoned},
};
use crate::{OpenAlert, State};

/// What a report is made of.
#[derive(Debug, Clone, Copy)]
pub struct Material<'a> {
    /// The name of the node.
    pub agent: &'a str,
    /// Its home.
    pub home: &'a str,
    /// The zone that times are shown in.
    pub zone: &'a TimeZone,
    /// From when on. The report ends at the `now` of the facts.
    pub since: Timestamp,
    /// What is known of the home.
    pub facts: &'a Facts,
    /// What follows from that.
    pub verdict: &'a Verdict,
    /// Its jobs.
    pub jobs: &'a [JobView],
    /// The history since then.
    pub history: &'a [LedgerEntry],
    /// What the schedules owed since then, if that could be found out.
    pub audit: Option<&'a Audit>,
    /// The alerts.
    pub alerts: &'a [OpenAlert],
    /// The heartbeats of jobs.
    pub beats: &'a [Judged],
    /// What could not be found out, and why.
    pub gaps: &'a [String],
}

impl Report {
    /// The report on all that.
    pub fn of(material: &Material<'_>) -> Self {
        let Material { agent, home, zone, facts, verdict, .. } = *material;
        let tallies = tally::of(material.history, material.audit);
        let (blockers, remarks) = problems(material);
        let totals = totals(material, &tallies);
        let mut jobs = jobs(material, &tallies, &blockers);
        jobs.sort_by(|one, other| (one.well, &one.job).cmp(&(other.well, &other.job)));
        let mut heartbeats: Vec<BeatLine> = material.beats.iter().map(|it| beat(it, zone)).collect();
        heartbeats.sort_by(|one, other| (one.well, &one.name).cmp(&(other.well, &other.name)));
        Self {
            summary: summary(&blockers, &totals),
            clean: blockers.is_empty(),
            agent: agent.to_owned(),
            home: home.to_owned(),
            since: stamp(material.since, zone),
            until: stamp(facts.now, zone),
            verdict: verdict.kind,
            verdict_summary: zoned(&verdict.summary, zone),
            blockers,
            remarks,
            totals,
            jobs,
            heartbeats,
            paused: paused(material),
            alerts: material.alerts.iter().filter(|alert| alert.is_open()).map(|it| alert(it, zone)).collect(),
            outages: outages(material),
            gaps: material.gaps.to_vec(),
        }
    }
}

fn summary(blockers: &[Blocker], totals: &Totals) -> String {
    let counts = &totals.counts;
    match blockers {
        [] => {
            let bad = counts.failed + counts.timed_out + counts.unknown;
            let (jobs, runs) = (plural(totals.jobs as u64, "job"), plural(counts.runs, "run"));
            format!("all well: {jobs}, {runs}, {bad} failed")
        }
        [only] => format!("1 blocker: {}", only.what),
        [first, rest @ ..] => format!("{} blockers: {}; and {} more", rest.len() + 1, first.what, rest.len()),
    }
}

/// What has to be seen to, and what is only worth knowing. The same problem is told once, however many have found it.
fn problems(material: &Material<'_>) -> (Vec<Blocker>, Vec<Blocker>) {
    let Material { zone, facts, verdict, .. } = *material;
    let mut told: BTreeSet<String> = BTreeSet::new();
    let (mut blockers, mut remarks) = (Vec::new(), Vec::new());
    let of_verdict = verdict.problems.iter().map(|problem| (blocker(problem, facts, zone), problem.remark));
    // A verdict that nothing fires blocks, even where there is no more to say about it.
    let says_why = verdict.problems.iter().any(|problem| !problem.remark);
    if verdict.kind.exit_code() >= 4 && !says_why {
        let (key, what) = (verdict.kind.word().to_lowercase(), zoned(&verdict.summary, zone));
        let hint = "`sched status` says what it rests on".into();
        blockers.push(Blocker { key, what, hint, job: None });
    }
    for (problem, remark) in of_verdict.chain(unaccounted(material).map(|problem| (problem, false))) {
        if told.insert(problem.key.clone()) {
            if remark { remarks.push(problem) } else { blockers.push(problem) }
        }
    }
    for alert in material.alerts.iter().filter(|alert| alert.state == State::Open && alert.acknowledged.is_none()) {
        // What fails and was seen by somebody is told as that; a job that has succeeded since is no problem any more.
        let of_job = alert.job.as_ref().is_some_and(|job| alert.key == job_key(job));
        if !of_job && told.insert(alert.key.clone()) {
            let what = format!("{} (since {})", alert.headline(), stamp(alert.since(), zone));
            let hint = format!("`sched alerts` has the evidence; `sched alerts ack {}` takes note of it", alert.key);
            blockers.push(Blocker { key: alert.key.clone(), what, hint, job: alert.job.clone() });
        }
    }
    (blockers, remarks)
}

/// The problem with its times on the clock of the report.
fn blocker(problem: &Problem, facts: &Facts, zone: &TimeZone) -> Blocker {
    let troubled = facts.jobs.troubled.iter().find(|one| problem.key == job_key(&one.job));
    let overdue = facts.jobs.overdue.iter().find(|(job, _)| problem.key == format!("overdue-{job}"));
    let (what, job) = match (troubled, overdue) {
        (Some(one), _) => (last_run(one, zone), Some(one.job.clone())),
        (None, Some((job, at))) => {
            (format!("job `{job}` was due at {} and has not fired", stamp(*at, zone)), Some(job.clone()))
        }
        (None, None) => (zoned(&problem.what, zone), problem.job.clone()),
    };
    Blocker { key: problem.key.clone(), what, hint: problem.hint.clone(), job }
}

fn last_run(troubled: &Troubled, zone: &TimeZone) -> String {
    let ended = match troubled.result {
        RunResult::TimedOut => "took too long and was stopped",
        RunResult::Unknown => "was cut off, and nobody saw how it ended",
        RunResult::Cancelled => "was cancelled",
        RunResult::Failed | RunResult::Succeeded => "failed",
    };
    let why = troubled.message.as_ref().map_or_else(String::new, |why| format!(": {why}"));
    let known = if troubled.acknowledged { " (acknowledged)" } else { "" };
    format!("the last run of job `{}` {ended} at {}{why}{known}", troubled.job, stamp(troubled.at, zone))
}

/// Instants that came, and of which nothing is on record. What the last look at the history has found is a problem of the
/// verdict already, acknowledged or not.
fn unaccounted<'a>(material: &Material<'a>) -> impl Iterator<Item = Blocker> + use<'a> {
    let jobs = material.audit.into_iter().flat_map(|audit| &audit.jobs);
    let known = material.facts.account.last.as_ref().ok();
    let is_new = move |job: &&JobAudit| {
        job.missing.iter().any(|missing| !known.is_some_and(|known| known.knows(&job.job, missing)))
    };
    jobs.filter(is_new).map(|job| {
        let instants = plural(tally::missing(job), "instant");
        Blocker {
            key: format!("unaccounted-{}", job.job),
            what: format!("job `{}`: nothing is on record of {instants} that its schedule owed", job.job),
            hint: format!("`sched audit {}` says which", job.job),
            job: Some(job.job.clone()),
        }
    })
}

fn totals(material: &Material<'_>, tallies: &BTreeMap<JobId, Tally>) -> Totals {
    let zone = material.zone;
    let counts = tally::sum(tallies.values());
    let longest = tallies.iter().filter_map(|(job, tally)| Some((job, tally.longest?)));
    let longest = longest.max_by_key(|(_, (_, took))| *took);
    let next = material.jobs.iter().filter_map(|view| Some((next_of(view, material.facts.now)?, &view.id))).min();
    let is_enabled = |view: &&JobView| view.job.as_ref().is_ok_and(|job| job.enabled);
    Totals {
        jobs: material.jobs.len(),
        enabled: material.jobs.iter().filter(is_enabled).count(),
        counts,
        success_rate: tally::success_rate(&counts),
        longest: longest.map(|(job, (at, took_ms))| Longest { job: job.clone(), at: stamp(at, zone), took_ms }),
        next: next.map(|(at, job)| Next { job: job.clone(), at: stamp(at, zone) }),
    }
}

fn jobs(material: &Material<'_>, tallies: &BTreeMap<JobId, Tally>, blockers: &[Blocker]) -> Vec<JobLine> {
    let blocked: BTreeSet<&JobId> = blockers.iter().filter_map(|blocker| blocker.job.as_ref()).collect();
    let is_known = material.facts.account.is_acknowledged();
    let nothing = Tally::default();
    let line = |view: &JobView| {
        let tally = tallies.get(&view.id).unwrap_or(&nothing);
        let written = view.definition.get("schedule").and_then(Value::as_str).unwrap_or("?");
        let last = view.last.as_ref().and_then(|entry| {
            let outcome = entry.outcome()?;
            let why = outcome.reason().filter(|_| outcome.result != RunResult::Succeeded);
            Some(LastRun { at: stamp(entry.at, material.zone), result: outcome.result.word(), why })
        });
        let is_whole = tally.counts.missing == 0 || is_known;
        let well = view.job.is_ok() && !blocked.contains(&view.id) && is_whole;
        let state = match state(view, material.facts) {
            "ok" | "running" if !well => "attention",
            state => state,
        };
        JobLine {
            job: view.id.clone(),
            name: view.definition.get("name").and_then(Value::as_str).map(str::to_owned),
            well,
            state,
            schedule: view.job.as_ref().map_or(written, |job| job.schedule.text()).to_owned(),
            counts: tally.counts,
            longest_ms: tally.longest.map(|(_, took)| took),
            last,
            next: next_of(view, material.facts.now).map(|at| stamp(at, material.zone)),
        }
    };
    material.jobs.iter().map(line).collect()
}

/// How a job is doing, the worst first.
fn state(view: &JobView, facts: &Facts) -> &'static str {
    let jobs = &facts.jobs;
    let Ok(job) = &view.job else { return "invalid" };
    if !job.enabled {
        return "disabled";
    }
    if jobs.overdue.iter().any(|(job, _)| *job == view.id) {
        return "overdue";
    }
    if let Some(troubled) = jobs.troubled.iter().find(|troubled| troubled.job == view.id) {
        return match (troubled.acknowledged, troubled.result) {
            (true, _) => "acknowledged",
            (false, RunResult::TimedOut) => "timed out",
            (false, result) => result.word(),
        };
    }
    if view.paused.is_some() {
        return "paused";
    }
    if view.open.iter().any(scheduler_core::occurrence::Occurrence::is_running) { "running" } else { "ok" }
}

/// When it will start next by itself. An instant that is past is overdue, and nothing to wait for.
fn next_of(view: &JobView, now: Timestamp) -> Option<Timestamp> {
    view.due_at.filter(|due_at| view.paused.is_none() && *due_at >= now)
}

fn beat(judged: &Judged, zone: &TimeZone) -> BeatLine {
    BeatLine {
        name: judged.name.to_string(),
        well: !judged.verdict.is_problem(),
        state: judged.verdict.word(),
        age_s: judged.age.map(|age| age.as_secs()),
        limit_s: judged.limit.map(|limit| limit.as_secs()),
        why: judged.why.as_ref().filter(|_| judged.verdict.is_problem()).map(|why| zoned(why, zone)),
    }
}

fn paused(material: &Material<'_>) -> Vec<PausedLine> {
    let line = |view: &JobView| {
        let paused = view.paused.as_ref()?;
        Some(PausedLine {
            job: view.id.clone(),
            since: stamp(paused.at, material.zone),
            until: paused.until.map(|until| stamp(until, material.zone)),
            reason: paused.reason.clone(),
        })
    };
    material.jobs.iter().filter_map(line).collect()
}

fn alert(alert: &OpenAlert, zone: &TimeZone) -> AlertLine {
    let known = alert.acknowledged.as_ref();
    AlertLine {
        key: alert.key.clone(),
        title: alert.headline(),
        since: stamp(alert.since(), zone),
        acknowledged: known.is_some(),
        by: known.and_then(|known| known.by.clone()),
    }
}

fn outages(material: &Material<'_>) -> Vec<OutageLine> {
    let line = |cost: &OutageCost| OutageLine {
        cause: cost.outage.cause.words(),
        from: stamp(cost.outage.from, material.zone),
        to: stamp(cost.outage.to, material.zone),
        detail: cost.outage.detail.clone(),
        skipped: cost.skipped,
        late: cost.late,
        waiting: cost.waiting,
    };
    material.audit.into_iter().flat_map(|audit| audit.outages.iter().rev()).map(line).collect()
}
