//! `sched heartbeat check`: how each heartbeat is doing, told where an operator looks: the exit code, the log, the alerts.

use jiff::tz::TimeZone;
use scheduler_core::{
    config::Loaded,
    duration,
    liveness::{
        Unreadable,
        beats::{self as core_beats, BeatName, BeatVerdict, Expectations, Judged, judge},
    },
    schedule::zone,
    store::Problem,
    vfs::RealFs,
};
use serde_json::{Value, json};

use super::jobs::{self, JobBeat};
use crate::{
    alerts,
    args::HeartbeatCheckArgs,
    beats,
    commands::Done,
    context::{Context, no_home},
    exit,
    failure::Failure,
    output::Output,
    syslog::{self, Severity},
    table::{Cell, Tone},
    when,
};

/// What is looked at.
struct Checked {
    beats: Vec<Judged>,
    jobs: Vec<JobBeat>,
    /// What keeps others from being known.
    hidden: Vec<Problem>,
}

pub(super) async fn run(args: &HeartbeatCheckArgs, context: &Context, out: &mut Output) -> Done {
    let home = context.home()?;
    let folder = beats::folder(context)?;
    // A name with a typo, a disk that isn't mounted: of a home that isn't there nothing good can be said. Without one there
    // may be a folder outside of it, if somebody named that.
    if !home.path().is_dir() && (folder == home.beats() || !folder.is_dir()) {
        return Err(no_home(&home));
    }
    core_beats::tidy(&RealFs, &folder, context.now());
    let loaded = context.config();
    if let Err(error) = Expectations::note(&RealFs, &home, loaded, context.now()) {
        tracing::warn!("since when config.yaml expects its heartbeats can't be noted: {error}");
    }
    let checked = look(args, context).await?;
    let of_beats: Vec<Problem> = checked.beats.iter().filter_map(Judged::problem).collect();
    let problems: Vec<Problem> = checked.hidden.iter().cloned().chain(of_beats).collect();
    if out.wants_json() {
        let beats = checked.beats.iter().map(beat_json).chain(checked.jobs.iter().map(|job| job_json(job, context)));
        let beats: Vec<Value> = beats.collect();
        out.json(json!({ "folder": folder.display().to_string(), "heartbeats": beats, "problems": checked.hidden }))?;
    } else {
        print(&checked, context, out)?;
    }
    out.flush()?;
    for problem in &problems {
        tracing::error!("P1 {}; {}", problem.what, problem.hint);
    }
    let names: Vec<String> = checked.beats.iter().map(Judged::key).collect();
    // While it can't be known what is expected, what seems to be well may only be forgotten.
    let is_known = loaded.knows_heartbeats();
    let looked_at = |key: &str| is_known && (args.names.is_empty() || names.iter().any(|name| name == key));
    // Of a name that nobody knows there is nothing that could be well again.
    let unknown = |judged: &&Judged| judged.verdict == BeatVerdict::Missing && judged.expected.is_none();
    let unknown: Vec<String> = checked.beats.iter().filter(unknown).map(Judged::key).collect();
    let lasting: Vec<Problem> = problems.iter().filter(|problem| !unknown.contains(&problem.key)).cloned().collect();
    let news = alerts::settle_heartbeats(&home, context.now(), &lasting, looked_at);
    for problem in problems.iter().filter(|problem| news.contains(&problem.key)) {
        syslog::tell(Severity::Alert, &format!("P1 {}", problem.what));
    }
    let well = problems.is_empty() && checked.jobs.iter().all(|job| job.problem.is_none());
    Ok(if well { exit::OK } else { exit::ATTENTION })
}

/// All there is, or what was asked for; what isn't there is missing.
async fn look(args: &HeartbeatCheckArgs, context: &Context) -> Result<Checked, Failure> {
    let home = context.home()?;
    let mut survey = beats::survey(context, &home, args.factor);
    survey.beats.extend(beats::of_watchdog(context, &home, &survey.beats, args.factor));
    let (jobs, unread) = jobs::all(context).await?;
    let mut hidden = survey.hidden;
    hidden.extend(unread);
    hidden.extend(of_config(context.config()));
    let mut checked = Checked { beats: survey.beats, jobs, hidden };
    if !args.names.is_empty() {
        let asked = |is_it: &dyn Fn(&str) -> bool| args.names.iter().any(|name| is_it(name));
        checked.beats.retain(|judged| asked(&|name| judged.name.is_called(name)));
        checked.jobs.retain(|job| asked(&|name| job.id.as_str() == name));
        for name in &args.names {
            let of_beat = checked.beats.iter().any(|judged| judged.name.is_called(name));
            if !of_beat && checked.jobs.iter().all(|job| job.id.as_str() != name) {
                let none = judge(&BeatName::new(name), Err(Unreadable::Missing), None, context.now(), args.factor);
                checked.beats.push(none);
            }
        }
    }
    Ok(checked)
}

/// That config.yaml has problems, as one: who is expected, and who is told, stands in it.
fn of_config(loaded: &Loaded) -> Option<Problem> {
    let mut problems = loaded.problems.iter().filter(|problem| !problem.remark && problem.key.starts_with("config"));
    let first = problems.next()?;
    let more = match problems.count() {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let what = format!("not all that config.yaml asks for holds: {}{more}", first.what);
    Some(Problem::new("heartbeats-config", what, &first.hint))
}

fn print(checked: &Checked, context: &Context, out: &mut Output) -> Result<(), Failure> {
    if checked.beats.is_empty() && checked.jobs.is_empty() {
        let none = "there are no heartbeats, and none is expected";
        let hidden = "there are no heartbeats that can be known here";
        return out.line(if checked.hidden.is_empty() { none } else { hidden });
    }
    let now = context.now();
    let zone = zone::parse(&context.job_defaults().zone).unwrap_or(TimeZone::UTC);
    let last = |at: Option<_>| at.map_or_else(|| "never".into(), |at| when::both(at, &zone, now));
    let of_beats = checked.beats.iter().map(|judged| {
        let limit = judged.limit.map_or_else(|| "-".into(), duration::coarse);
        let at = judged.beat.as_ref().map(|beat| beat.at);
        let unread = matches!(judged.verdict, BeatVerdict::Corrupt | BeatVerdict::Unreadable);
        let last = if unread { "?".into() } else { last(at) };
        let tone = tone(judged.verdict.is_problem());
        vec![judged.name.to_string().into(), last.into(), limit.into(), Cell::new(judged.verdict.word(), tone)]
    });
    let of_jobs = checked.jobs.iter().map(|job| {
        let verdict = Cell::new(job.verdict, tone(job.problem.is_some()));
        vec![job.id.as_str().into(), last(job.last_success).into(), "its schedule".into(), verdict]
    });
    out.table(&["NAME", "LAST", "LIMIT", "VERDICT"], of_beats.chain(of_jobs).collect())?;
    for problem in checked.jobs.iter().filter_map(|job| job.problem.as_ref()) {
        out.line(format_args!("{}", problem.what))?;
        out.line(format_args!("  hint: {}", problem.hint))?;
    }
    Ok(())
}

fn tone(problem: bool) -> Tone {
    if problem { Tone::Bad } else { Tone::Good }
}

fn beat_json(judged: &Judged) -> Value {
    let problem = judged.problem();
    let beat = judged.beat.as_ref();
    json!({
        "name": judged.name,
        "source": "file",
        "verdict": judged.verdict,
        "problem": problem.as_ref().map(|problem| &problem.what),
        "hint": problem.as_ref().map(|problem| &problem.hint),
        "at": beat.map(|beat| beat.at),
        "age_s": judged.age.map(|age| age.as_secs()),
        "limit_s": judged.limit.map(|limit| limit.as_secs()),
        "expected_by": judged.expected,
        "status": beat.map(|beat| beat.status),
        "action": beat.and_then(|beat| beat.action.as_ref()),
        "cycle": beat.and_then(|beat| beat.cycle),
        "set": beat.map(|beat| &beat.set),
    })
}

fn job_json(job: &JobBeat, context: &Context) -> Value {
    let age = job.last_success.map(|at| context.now().duration_since(at).as_secs().max(0));
    json!({
        "name": job.id,
        "source": "ledger",
        "verdict": job.verdict,
        "problem": job.problem.as_ref().map(|problem| &problem.what),
        "hint": job.problem.as_ref().map(|problem| &problem.hint),
        "at": job.last_success,
        "age_s": age,
        "limit_s": null,
    })
}
