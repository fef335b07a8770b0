//! Jobs that `sched` itself can't run: their payload is for a program that embeds `scheduler-core`. Such a job is named
//! wherever somebody looks, instead of failing at three in the morning.

use std::path::PathBuf;

use sched_runner::{CommandRunner, RunnerConfig};
use scheduler_core::{
    Job, JobRunner as _,
    store::{JobView, Problem},
};

/// How their problems' keys begin.
const KEY: &str = "payload-";

/// What the runner of commands has against `job`, if it is no command at all. Looks at nothing else.
pub(crate) fn problem(job: &Job) -> Option<Problem> {
    job.payload()?;
    let error = CommandRunner::new(RunnerConfig::new(PathBuf::new())).validate(job).err()?;
    let what = format!("job `{}` can't be run by `sched`: {error}", job.id);
    Some(Problem::new(format!("{KEY}{}", job.id), what, error.hint_text().unwrap_or_default()).of_job(&job.id))
}

/// The same for all of them that would fire.
pub(crate) fn problems(views: &[JobView]) -> Vec<Problem> {
    let jobs = views.iter().filter_map(|view| view.job.as_ref().ok());
    jobs.filter(|job| job.enabled).filter_map(|job| problem(job)).collect()
}

/// Whether `problem` is one of these.
pub(crate) fn is_one(problem: &Problem) -> bool {
    problem.key.starts_with(KEY)
}
