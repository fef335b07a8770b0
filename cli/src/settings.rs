//! What `add` and `edit` were told about a job, as members of its entry in `jobs.json`.

use std::path::Path;

use jiff::{Timestamp, tz::TimeZone};
use scheduler_core::{Error, ErrorKind, schedule::Schedule};
use serde_json::{Map, Value, json};

use crate::{
    args::{Pair, Settings},
    failure::Failure,
    upcoming,
};

/// The members that were given, but for `id` and `name`, in the order in which people write them.
///
/// # Errors
/// A folder that can't be named in the file.
pub(crate) fn members(settings: &Settings, schedule: Option<&str>) -> Result<Vec<(&'static str, Value)>, Failure> {
    let command = match (&settings.shell, settings.command.as_slice()) {
        (Some(line), _) => Some(json!(line)),
        (None, []) => None,
        (None, argv) => Some(json!(argv)),
    };
    let env = settings.env.iter().map(|Pair { name, value }| (name.clone(), json!(value)));
    let members = [
        ("description", settings.description.as_ref().map(|text| json!(text))),
        ("schedule", schedule.map(|schedule| json!(schedule))),
        ("timezone", settings.time_zone.as_ref().map(|zone| json!(zone.trim()))),
        ("command", command),
        ("env", (!settings.env.is_empty()).then(|| Value::Object(env.collect()))),
        ("workdir", settings.workdir.as_deref().map(absolute).transpose()?),
        ("timeout", settings.timeout.as_ref().map(|text| json!(text))),
        ("overlap", settings.overlap.map(|overlap| json!(overlap.word()))),
        ("misfire", misfire(settings)),
        ("retries", retries(settings)),
        ("delivery", settings.delivery.map(|delivery| json!(delivery.word()))),
        ("max_runs", settings.max_runs.map(|count| json!(count))),
        ("start_at", settings.start_at.as_ref().map(|text| json!(text))),
        ("end_at", settings.end_at.as_ref().map(|text| json!(text))),
        ("jitter", settings.jitter.as_ref().map(|text| json!(text))),
        ("max_parallel", settings.max_parallel.map(|count| json!(count))),
        ("group", settings.group.as_ref().map(|group| json!(group))),
        ("tags", (!settings.tags.is_empty()).then(|| json!(settings.tags))),
        ("output_limit", settings.output_limit.as_ref().map(|text| json!(text))),
        ("ping_url", settings.ping_url.as_ref().map(|url| json!(url.trim()))),
        ("enabled", settings.disabled.then(|| json!(false))),
    ];
    Ok(members.into_iter().filter_map(|(field, value)| Some((field, value?))).collect())
}

/// The schedule as it is to be stored: `in 30m` becomes an instant.
///
/// # Errors
/// It is no schedule, or one that never fires (again).
pub(crate) fn storable_schedule(text: &str, zone: &TimeZone, now: Timestamp) -> Result<String, Failure> {
    let text = Schedule::to_absolute(text, now, zone)?;
    let schedule = upcoming::schedule(&text, zone, now)?;
    if upcoming::is_by_the_clock(&schedule) && schedule.next_after(now, zone).is_none() {
        let what = format!("invalid schedule: `{text}` never fires again: all its instants have passed");
        return Err(Failure::new(ErrorKind::Invalid, what).hint("give it a year to come, or none"));
    }
    Ok(text)
}

fn misfire(settings: &Settings) -> Option<Value> {
    let policy = settings.misfire.map(|misfire| ("policy".to_owned(), json!(misfire.word())));
    let grace = settings.grace.as_ref().map(|grace| ("grace".to_owned(), json!(grace)));
    let section: Map<String, Value> = policy.into_iter().chain(grace).collect();
    (!section.is_empty()).then_some(Value::Object(section))
}

fn retries(settings: &Settings) -> Option<Value> {
    let max = settings.retries.map(|max| ("max".to_owned(), json!(max)));
    let backoff = settings.backoff.as_ref().map(|pause| ("backoff".to_owned(), json!(pause)));
    let longest = settings.max_backoff.as_ref().map(|pause| ("max_backoff".to_owned(), json!(pause)));
    let section: Map<String, Value> = max.into_iter().chain(backoff).chain(longest).collect();
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
