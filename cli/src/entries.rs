//! The entries of a home as people have them, and what is to be known of a text that is to take their place.

use std::{collections::BTreeMap, io, path::Path};

use scheduler_core::{
    Error, ErrorKind, JobId,
    store::{
        JobView,
        json::{Examined, examine, examine_yaml},
    },
    vfs::{RealFs, Vfs as _},
};
use serde_json::Value;

use crate::{context::Context, failure::Failure, selection};

/// Every entry: those of `jobs.json`, invalid ones included, and what is in force beside them.
///
/// # Errors
/// The file can't be read, or is no jobs.json: then no command may change it.
pub(crate) fn current(context: &Context, views: &[JobView]) -> Result<BTreeMap<JobId, Value>, Failure> {
    let path = context.home()?.jobs_json();
    let bytes = match RealFs.read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(cause) => return Err(Error::io(format!("cannot read {}", path.display()), cause).into()),
    };
    let in_force = views.iter().map(|view| (view.id.clone(), (*view.definition).clone()));
    let mut entries: BTreeMap<JobId, Value> = in_force.collect();
    // The next command rebuilds a file that is lost from what is in force.
    if bytes.trim_ascii().is_empty() {
        return Ok(entries);
    }
    let examined = examine(&path.display().to_string(), &bytes, &context.job_defaults());
    if let Some(unreadable) = examined.problems.iter().find(|problem| problem.key == "jobs-json") {
        let what = format!("{}; nothing was changed", unreadable.what);
        return Err(Failure::new(ErrorKind::Invalid, what).hint("correct the file first"));
    }
    entries.extend(examined.entries().into_iter().map(|(id, entry)| (id.clone(), entry.clone())));
    Ok(entries)
}

/// The entry that `wanted` names: that of a job by its id or unique name, or one that never came into force by its id.
///
/// # Errors
/// There is none, or the name is not unique.
pub(crate) fn one<'e>(
    entries: &'e BTreeMap<JobId, Value>,
    views: &[JobView],
    wanted: &str,
) -> Result<(&'e JobId, &'e Value), Failure> {
    let named = entries.iter().find(|(id, _)| id.as_str() == wanted);
    named.map_or_else(
        || {
            let id = &selection::one(views, wanted)?.id;
            entries.get_key_value(id).ok_or_else(|| Failure::new(ErrorKind::NotFound, format!("no job `{wanted}`")))
        },
        Ok,
    )
}

/// Looks at the text of a file of jobs: in YAML if its name says so, or if it has no suffix and doesn't begin as JSON does.
pub(crate) fn examine_file(context: &Context, file: &Path, bytes: &[u8]) -> Examined {
    let is_yaml = match file.extension() {
        Some(suffix) => suffix == "yaml" || suffix == "yml",
        None => bytes.trim_ascii_start().first().is_some_and(|first| !b"{[\xef".contains(first)),
    };
    let examine = if is_yaml { examine_yaml } else { examine };
    examine(&file.display().to_string(), bytes, &context.job_defaults())
}
