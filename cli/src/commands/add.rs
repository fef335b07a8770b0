//! `sched add`: a job from the command line into `jobs.json`.
//!
//! The schedule is checked before anything else and anything at all is made: it is what people get wrong.

use std::path::Path;

use scheduler_core::{ErrorKind, JobId, JobStore as _, job::parse_definition, schedule::zone, store::Edit};
use serde_json::{Map, Value, json};

use super::Done;
use crate::{
    args::{AddArgs, Settings},
    context::{self, Context},
    exit,
    failure::Failure,
    groups, home_setup, next_fires,
    output::Output,
    programs, selection, settings, standing,
};

pub(crate) async fn run(args: &AddArgs, context: &Context, out: &mut Output) -> Done {
    let now = context.now();
    let defaults = context.job_defaults();
    let zone_name = args.settings.time_zone.as_ref().unwrap_or(&defaults.zone);
    let schedule = settings::storable_schedule(&args.schedule, &zone::parse(zone_name)?, now)?;
    let entry = entry(args, &schedule)?;
    // Nothing is made for an entry that can't be taken.
    let job = parse_definition(&entry, &defaults, zone_name, now)
        .map_err(|error| Failure::new(ErrorKind::Invalid, error.to_string()))?;

    let made = home_setup::make(context)?;
    made.store.define(Edit::Add(vec![entry])).await?;
    if args.paused {
        made.store.pause(vec![job.id.clone()], None, None).await?;
    }
    let views = context::jobs(&made.store).await?;
    made.store.close().await?;

    // Not the path itself: one that isn't UTF-8 has no JSON.
    let home = made.home.path().display();
    let view = selection::one(&views, job.id.as_str())?;
    let warnings = programs::obstacles(&job).into_iter().map(|(_, what)| what);
    let warnings: Vec<String> = warnings.chain(groups::obstacle(&job, &context.config().config.groups)).collect();
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
    next_fires::explain(view, now, SHOWN, out)?;
    out.line(format_args!("  home: {home}"))?;
    for warning in warnings {
        out.warn(warning, Some("the job was added all the same; put that right before it is due"));
    }
    Ok(exit::OK)
}

/// How many fires are shown.
const SHOWN: u32 = 3;

/// The entry for `jobs.json`: what was given, and nothing else.
fn entry(args: &AddArgs, schedule: &str) -> Result<Value, Failure> {
    let name = args.settings.name.clone().unwrap_or_else(|| default_name(&args.settings));
    if name.trim().is_empty() {
        return Err(Failure::usage("the name is empty").hint("give --name NAME"));
    }
    let id = args.id.clone().unwrap_or_else(|| JobId::from_name(&name));
    let mut entry = Map::new();
    if args.settings.name.as_ref().is_some_and(|name| *name != id.as_str()) {
        entry.insert("name".into(), json!(name));
    }
    entry.shift_insert(0, "id".into(), json!(id));
    for (field, value) in settings::members(&args.settings, Some(schedule))? {
        entry.insert(field.into(), value);
    }
    Ok(Value::Object(entry))
}

/// The name of the program that it runs.
fn default_name(settings: &Settings) -> String {
    let line = settings.shell.as_deref().unwrap_or_default();
    let program =
        settings.command.first().map_or_else(|| line.split_whitespace().next().unwrap_or_default(), String::as_str);
    Path::new(program).file_name().map_or_else(|| "job".into(), |name| name.to_string_lossy().into_owned())
}
