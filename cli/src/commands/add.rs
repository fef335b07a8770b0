//! `sched add`: a job from the command line into `jobs.json`.
//!
//! The schedule is checked before anything else and anything at all is made: it is what people get wrong.

use std::path::Path;

use jiff::{Timestamp, tz::TimeZone};
use scheduler_core::{
    Error, ErrorKind, JobId, JobStore as _,
    job::parse_definition,
    schedule::{Schedule, zone},
    store::Edit,
};
use serde_json::{Map, Value, json};

use super::Done;
use crate::{
    args::{AddArgs, Pair},
    context::{self, Context},
    exit,
    failure::Failure,
    home_setup, next_fires,
    output::Output,
    programs, selection, standing, upcoming,
};

pub(crate) async fn run(args: &AddArgs, context: &Context, out: &mut Output) -> Done {
    let now = context.now();
    let defaults = context.job_defaults();
    let zone_name = args.time_zone.as_ref().unwrap_or(&defaults.zone);
    let schedule = storable_schedule(&args.schedule, &zone::parse(zone_name)?, now)?;
    let entry = entry(args, &schedule)?;
    // Nothing is made for an entry that can't be taken.
    let job = parse_definition(&entry, &defaults, zone_name, now)
        .map_err(|error| Failure::new(ErrorKind::Invalid, error.to_string()))?;

    let made = home_setup::make(context, false)?;
    made.store.define(Edit::Add(vec![entry])).await?;
    if args.paused {
        made.store.pause(vec![job.id.clone()], None, None).await?;
    }
    let views = context::jobs(&made.store).await?;
    made.store.close().await?;

    // Not the path itself: one that isn't UTF-8 has no JSON.
    let home = made.home.path().display();
    let view = selection::one(&views, job.id.as_str())?;
    let warnings: Vec<String> = programs::obstacles(&job).into_iter().map(|(_, what)| what).collect();
    if out.wants_json() {
        let next = next_fires::to_json(view, now, SHOWN);
        let job = standing::to_json(view, None);
        out.json(json!({ "home": home.to_string(), "job": job, "next": next, "warnings": warnings }))?;
        return Ok(exit::OK);
    }
    if made.is_new() {
        out.line(format_args!("made a home at {home}"))?;
    }
    out.line(format_args!("added job `{}`", view.id))?;
    out.line(format_args!("  {}", standing::meaning(view)))?;
    next_fires::print(view, now, SHOWN, out)?;
    if let Some(why) = next_fires::silence(view, now) {
        out.line(format_args!("  {why}"))?;
    }
    out.line(format_args!("  home: {home}"))?;
    for warning in warnings {
        out.warn(warning, Some("the job was added all the same; put that right before it is due"));
    }
    Ok(exit::OK)
}

/// How many fires are shown.
const SHOWN: u32 = 3;

/// The schedule as it is to be stored.
fn storable_schedule(text: &str, zone: &TimeZone, now: Timestamp) -> Result<String, Failure> {
    let text = Schedule::to_absolute(text, now, zone)?;
    let schedule = upcoming::schedule(&text, zone, now)?;
    if upcoming::is_by_the_clock(&schedule) && schedule.next_after(now, zone).is_none() {
        let what = format!("invalid schedule: `{text}` never fires again: all its instants have passed");
        return Err(Failure::new(ErrorKind::Invalid, what).hint("give it a year to come, or none"));
    }
    Ok(text)
}

/// The entry for `jobs.json`: what was given, and nothing else.
fn entry(args: &AddArgs, schedule: &str) -> Result<Value, Failure> {
    let name = args.name.clone().unwrap_or_else(|| default_name(args));
    if name.trim().is_empty() {
        return Err(Failure::usage("the name is empty").hint("give --name NAME"));
    }
    let id = args.id.clone().unwrap_or_else(|| JobId::from_name(&name));
    let mut entry = Map::new();
    let mut put = |field: &str, value: Option<Value>| {
        if let Some(value) = value {
            entry.insert(field.into(), value);
        }
    };
    put("id", Some(json!(id)));
    put("name", args.name.as_ref().filter(|name| *name != id.as_str()).map(|name| json!(name)));
    put("description", args.description.as_ref().map(|text| json!(text)));
    put("schedule", Some(json!(schedule)));
    put("timezone", args.time_zone.as_ref().map(|zone| json!(zone.trim())));
    put("command", Some(args.shell.as_ref().map_or_else(|| json!(args.command), |line| json!(line))));
    let env = args.env.iter().map(|Pair { name, value }| (name.clone(), json!(value)));
    put("env", (!args.env.is_empty()).then(|| Value::Object(env.collect())));
    put("workdir", args.workdir.as_deref().map(absolute).transpose()?);
    put("timeout", args.timeout.as_ref().map(|text| json!(text)));
    put("overlap", args.overlap.map(|overlap| json!(overlap.word())));
    put("misfire", misfire(args));
    put("max_parallel", args.max_parallel.map(|count| json!(count)));
    put("tags", (!args.tags.is_empty()).then(|| json!(args.tags)));
    put("output_limit", args.output_limit.as_ref().map(|text| json!(text)));
    put("enabled", args.disabled.then(|| json!(false)));
    Ok(Value::Object(entry))
}

/// The name of the program that it runs.
fn default_name(args: &AddArgs) -> String {
    let line = args.shell.as_deref().unwrap_or_default();
    let program =
        args.command.first().map_or_else(|| line.split_whitespace().next().unwrap_or_default(), String::as_str);
    Path::new(program).file_name().map_or_else(|| "job".into(), |name| name.to_string_lossy().into_owned())
}

fn misfire(args: &AddArgs) -> Option<Value> {
    let policy = args.misfire.map(|misfire| ("policy".to_owned(), json!(misfire.word())));
    let grace = args.grace.as_ref().map(|grace| ("grace".to_owned(), json!(grace)));
    let section: Map<String, Value> = policy.into_iter().chain(grace).collect();
    (!section.is_empty()).then_some(Value::Object(section))
}

/// A folder given from here, as the daemon will find it from wherever it is.
fn absolute(folder: &Path) -> Result<Value, Failure> {
    let absolute =
        std::path::absolute(folder).map_err(|cause| Error::io(format!("cannot find {}", folder.display()), cause))?;
    match absolute.to_str() {
        Some(text) => Ok(json!(text)),
        None => Err(Failure::usage(format!("--workdir {}: its name is not UTF-8", folder.display()))),
    }
}
