//! `sched show`: everything about one job. The values of its environment are not told, here or in JSON: they may be secrets.

use std::path::Path;

use jiff::Timestamp;
use scheduler_core::{
    ErrorKind, Home, Job, JobId, JobStore as _, duration,
    job::{Command, Delivery, Misfire, MisfirePolicy, Overlap, Retries, Work},
    size,
    store::{Groups, JobView, LedgerEntry, LedgerQuery, Problem, json::examine},
    vfs::{RealFs, Vfs as _},
};
use serde_json::{Value, json};

use super::Done;
use crate::{
    args::ShowArgs,
    context::{self, Context},
    exit,
    failure::Failure,
    foreign, groups, next_fires,
    output::{Output, Printed},
    past, selection, standing,
    table::Cell,
    when,
    words::{flat, quoted},
};

/// How many fires are shown.
const FIRES: u32 = 5;

/// How many records of the history are shown.
const RECORDS: usize = 5;

pub(crate) async fn run(args: &ShowArgs, context: &Context, out: &mut Output) -> Done {
    let home = context.home()?;
    let store = context.look()?;
    let views = context::jobs(&store).await?;
    let problems = store.problems().await?;
    let view = selection::one(&views, &args.job).map_err(|failure| never_in_force(failure, &args.job, &problems))?;
    let query = LedgerQuery { job: Some(view.id.clone()), last: Some(RECORDS), ..LedgerQuery::default() };
    let shown = Shown {
        place: place(context, &home, &view.id),
        problem: problems.iter().filter(|problem| problem.job.as_ref() == Some(&view.id)).min_by_key(|p| p.remark),
        foreign: view.job.as_ref().ok().and_then(|job| foreign::problem(job)),
        entries: store.ledger(query).await?,
        now: context.now(),
        groups: &context.config().config.groups,
        home,
        view,
    };
    if out.wants_json() {
        out.json(shown.to_json())?;
    } else {
        shown.print(out)?;
    }
    Ok(exit::OK)
}

/// An entry that never could be taken in is not "no such job" for somebody who has just written it.
fn never_in_force(failure: Failure, wanted: &str, problems: &[Problem]) -> Failure {
    let its = |problem: &&Problem| !problem.remark && problem.job.as_ref().is_some_and(|job| job.as_str() == wanted);
    match problems.iter().find(its) {
        Some(problem) => Failure::new(ErrorKind::Invalid, &problem.what).hint(&problem.hint),
        None => failure,
    }
}

/// Where the entry of the job stands in `jobs.json`, in words, if it can be found there.
fn place(context: &Context, home: &Home, job: &JobId) -> Option<String> {
    let bytes = RealFs.read(&home.jobs_json()).ok()?;
    let examined = examine("jobs.json", &bytes, &context.job_defaults());
    let entry = examined.jobs.iter().find(|entry| entry.job.id == *job)?;
    // The entry itself has no field of this name.
    Some(entry.place_of("").to_string())
}

struct Shown<'v> {
    home: Home,
    view: &'v JobView,
    problem: Option<&'v Problem>,
    foreign: Option<Problem>,
    place: Option<String>,
    entries: Vec<LedgerEntry>,
    now: Timestamp,
    groups: &'v Groups,
}

impl Shown<'_> {
    fn print(&self, out: &mut Output) -> Printed {
        let Shown { view, now, .. } = self;
        let zone = standing::zone_of(view);
        let name = selection::name(view);
        let also = if name == view.id.as_str() { String::new() } else { format!(" ({})", flat(name)) };
        out.line(format_args!("job `{}`{also}", view.id))?;
        for (label, text) in self.facts() {
            let mut lines = text.lines();
            out.line(format_args!("  {label:<13} {}", flat(lines.next().unwrap_or_default())))?;
            lines.try_for_each(|line| out.line(format_args!("  {:<13} {}", "", flat(line))))?;
        }
        out.line("next:")?;
        if let Some(silence) = next_fires::silence(view, *now) {
            out.line(format_args!("  {}", flat(&silence)))?;
        }
        next_fires::print(view, *now, FIRES, out)?;
        let records = self.entries.iter().map(|entry| past::entry_row(entry, &zone, *now));
        let rows: Vec<Vec<Cell>> =
            records.chain(view.open.iter().map(|open| past::open_row(open, &zone, *now))).collect();
        if rows.is_empty() {
            return out.line("it has not run yet");
        }
        out.line(format_args!("history (the last {RECORDS} records, and what is open):"))?;
        out.table(&past::HEADERS, rows)
    }

    /// What there is to say, a label and a text each; settings that are as everybody's are not.
    fn facts(&self) -> Vec<(&'static str, String)> {
        let Shown { view, now, home, .. } = self;
        let zone = standing::zone_of(view);
        let mut facts = Vec::new();
        let mut say = |label, text: Option<String>| facts.extend(text.map(|text| (label, text)));
        let job = view.job.as_ref().ok();
        say("description", job.and_then(|job| job.description.clone()));
        say("schedule", Some(standing::schedule_text(view)));
        say("means", job.map(|_| standing::meaning(view)));
        say("zone", Some(view.zone.clone()));
        say("state", Some(standing::state(view, self.problem, *now).text));
        say("paused since", view.paused.as_ref().map(|paused| when::both(paused.at, &zone, *now)));
        say(
            "problem",
            self.problem.or(self.foreign.as_ref()).map(|problem| format!("{}\nhint: {}", problem.what, problem.hint)),
        );
        if let Some(job) = job {
            match &job.work {
                Work::Command(Command::Argv(argv)) => {
                    say("command", Some(argv.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")));
                }
                Work::Command(Command::Shell(line)) => say("shell line", Some(line.to_string())),
                Work::Payload(payload) => say("payload", Some(payload.to_string())),
            }
            let names: Vec<&str> = job.env.keys().map(String::as_str).collect();
            say("environment", (!names.is_empty()).then(|| format!("{} (values are not shown)", names.join(", "))));
            say("workdir", job.workdir.as_ref().map(|path| path.display().to_string()));
            say("timeout", job.timeout.map(duration::format));
            say("overlap", (job.overlap != Overlap::default()).then(|| overlap(job.overlap)));
            say("misfire", (job.misfire != Misfire::default()).then(|| misfire(job.misfire)));
            say("retries", (job.retries.max > 0).then(|| retries(job.retries)));
            say("delivery", (job.delivery == Delivery::AtLeastOnce).then(|| "at_least_once".into()));
            say("max_runs", job.max_runs.map(|most| format!("{most}, of which {} have started", view.started)));
            say("start_at", job.start_at.map(|at| when::both(at, &zone, *now)));
            say("end_at", job.end_at.map(|at| when::both(at, &zone, *now)));
            say("jitter", next_fires::jitter(job));
            say("max_parallel", job.max_parallel.map(|count| count.to_string()));
            say("group", job.group.as_ref().map(|group| groups::words(group, self.groups)));
            say("output_limit", job.output_limit.map(size::format));
            say("ping_url", job.ping_url.as_ref().map(ToString::to_string));
            say("tags", (!job.tags.is_empty()).then(|| job.tags.join(", ")));
        }
        let place = self.place.as_ref().map_or_else(|| "not in it now".to_owned(), Clone::clone);
        say("entry", Some(format!("{}: {place}", home.jobs_json().display())));
        say("output", Some(format!("{}/", self.folder().display())));
        facts
    }

    fn to_json(&self) -> Value {
        let Shown { view, now, home, .. } = self;
        let zone = standing::zone_of(view);
        let open: Vec<Value> = view.open.iter().map(|open| past::open_json(open, &zone)).collect();
        let entries: Vec<Value> = self.entries.iter().map(|entry| past::entry_json(entry, &zone)).collect();
        json!({
            "home": home.path().display().to_string(),
            "job": standing::to_json(view, self.problem),
            "incarnation": view.incarnation,
            "revision": view.revision,
            "started": view.started,
            "defined_at": when::exact(view.defined_at, &zone),
            "settings": view.job.as_ref().ok().map(|job| settings(job)),
            "silent": next_fires::silence(view, *now),
            "next": next_fires::to_json(view, *now, FIRES),
            "open": open,
            "entries": entries,
            "entry": {"path": home.jobs_json().display().to_string(), "place": self.place},
            "output": self.folder().display().to_string(),
        })
    }

    fn folder(&self) -> Box<Path> {
        self.home.runs().join(self.view.id.as_str()).into()
    }
}

/// All settings in force, for programs; `null` is the default of the daemon or no limit.
fn settings(job: &Job) -> Value {
    let command = job.command().map(|command| match command {
        Command::Argv(argv) => json!(argv.as_ref()),
        Command::Shell(line) => json!(line.as_ref()),
    });
    let Misfire { grace, policy, max } = job.misfire;
    json!({
        "command": command,
        "payload": job.payload(),
        "env": job.env.keys().collect::<Vec<_>>(),
        "workdir": job.workdir.as_ref().map(|path| path.display().to_string()),
        "timeout_s": job.timeout.map(|timeout| timeout.as_secs_f64()),
        "overlap": job.overlap,
        "misfire": {"policy": policy, "grace_s": grace.map(|grace| grace.as_secs_f64()), "max": max},
        "retries": {"max": job.retries.max, "backoff_s": job.retries.backoff.as_secs_f64(),
            "max_backoff_s": job.retries.max_backoff.as_secs_f64()},
        "delivery": job.delivery,
        "max_runs": job.max_runs,
        "start_at": job.start_at.map(|at| when::exact(at, &job.time_zone)),
        "end_at": job.end_at.map(|at| when::exact(at, &job.time_zone)),
        "jitter": job.jitter.map(|jitter| json!({"most_s": jitter.as_secs_f64(), "own_s": job.delay().as_secs_f64()})),
        "max_parallel": job.max_parallel,
        "group": job.group,
        "output_limit": job.output_limit,
        "ping_url": job.ping_url.as_ref().map(ToString::to_string),
    })
}

fn overlap(overlap: Overlap) -> String {
    serde_json::to_value(overlap).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

fn retries(Retries { max, backoff, max_backoff }: Retries) -> String {
    format!("up to {max}, after {} to {}", duration::format(backoff), duration::format(max_backoff.max(backoff)))
}

fn misfire(misfire: Misfire) -> String {
    let policy = match misfire.policy {
        MisfirePolicy::Latest => "latest".to_owned(),
        MisfirePolicy::All => format!("all, at most {}", misfire.max),
        MisfirePolicy::Skip => "skip".to_owned(),
    };
    let grace = misfire.grace.map(|grace| format!(", grace {}", duration::format(grace)));
    policy + &grace.unwrap_or_default()
}
