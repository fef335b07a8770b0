//! Names that are used and that nothing has: what is said about each, and whom it concerns.

use scheduler_core::{ErrorKind, Job, JobId, nearest, store::JobView};

use crate::failure::Failure;

/// How many jobs are named.
const NAMED: usize = 3;

/// The nearest of the names that there are, else what to do `otherwise`.
pub(crate) fn hint<'k>(name: &str, known: impl IntoIterator<Item = &'k str>, otherwise: impl Into<String>) -> String {
    match nearest(name, known).first() {
        Some(near) => format!("did you mean `{near}`?"),
        None => otherwise.into(),
    }
}

/// Some of `jobs` by name, and the number of the rest.
pub(crate) fn listed(jobs: &[&JobId]) -> String {
    let mut names: Vec<String> = jobs.iter().take(NAMED).map(|job| format!("`{job}`")).collect();
    if jobs.len() > NAMED {
        names.push(format!("{} more", jobs.len() - NAMED));
    }
    names.join(", ")
}

/// The jobs in force that would fire.
pub(crate) fn in_force(views: &[JobView]) -> impl Iterator<Item = &Job> {
    views.iter().filter_map(|view| view.job.as_deref().ok()).filter(|job| job.enabled)
}

/// That a command names a sink that config.yaml doesn't have.
pub(crate) fn sink(wanted: &str, sinks: &[String]) -> Failure {
    let failure = Failure::new(ErrorKind::NotFound, format!("there is no sink `{wanted}`"));
    failure.hint(hint(wanted, sinks.iter().map(String::as_str), "`notify` in config.yaml names them"))
}
