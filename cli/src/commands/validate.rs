//! `sched validate`: are the files right? Reads everything, runs nothing, changes nothing.

use std::{collections::BTreeSet, fs, path::Path};

use scheduler_core::{
    Error, JobStore as _,
    config::Config,
    store::{Problem, json::Examined},
};
use serde_json::json;

use super::Done;
use crate::{
    alerts::{self, Environment},
    args::ValidateArgs,
    context::{Context, no_home},
    daemon::machinery,
    entries, exit,
    failure::Failure,
    foreign, groups,
    output::Output,
    programs,
};

pub(crate) async fn run(args: &ValidateArgs, context: &Context, out: &mut Output) -> Done {
    let findings = match &args.file {
        Some(file) => Findings::of(examine_file(context, file)?, file, &context.config().config),
        None => of_home(context).await?,
    };
    if out.wants_json() {
        let Findings { problems, warnings, jobs } = &findings;
        out.json(json!({ "valid": problems.is_empty(), "jobs": jobs, "problems": problems, "warnings": warnings }))?;
    } else {
        print(&findings, out)?;
    }
    Ok(if findings.problems.is_empty() { exit::OK } else { exit::ERROR })
}

/// What was found.
pub(super) struct Findings {
    /// What has to be put right.
    pub(super) problems: Vec<Problem>,
    /// What may be meant so.
    pub(super) warnings: Vec<Problem>,
    /// How many jobs are valid.
    pub(super) jobs: usize,
}

impl Findings {
    fn of(mut examined: Examined, file: &Path, config: &Config) -> Self {
        let mut problems = examined.problems;
        // Of several with one id the first counts; that there are others is among the problems.
        let mut seen = BTreeSet::new();
        examined.jobs.retain(|entry| seen.insert(entry.job.id.clone()));
        examined.jobs.retain(|entry| {
            let Some(mut problem) = foreign::problem(&entry.job) else { return true };
            problem.what = format!("{}: {}: {}", file.display(), entry.place_of("payload"), problem.what);
            problems.push(problem);
            false
        });
        let warnings = examined.jobs.iter().flat_map(|entry| {
            programs::obstacles(&entry.job).into_iter().map(move |(field, obstacle)| {
                let (id, place) = (&entry.job.id, entry.place_of(field));
                let what = format!("{}: {place}: job `{id}`: {obstacle}", file.display());
                Problem::remark(format!("{OBSTACLE}{id}-{field}"), what, "put it there, or correct the entry")
                    .of_job(id)
            })
        });
        let unlimited = groups::problems(examined.jobs.iter().map(|entry| &entry.job), &config.groups);
        problems.extend(alerts::unknown_sinks(examined.jobs.iter().map(|entry| &entry.job), &config.notify));
        Self { warnings: warnings.chain(unlimited).collect(), jobs: examined.jobs.len(), problems }
    }
}

/// How the keys of warnings about programs and folders begin.
const OBSTACLE: &str = "obstacle-";

/// Whether a warning is about a program or a folder that isn't there.
pub(super) fn is_obstacle(warning: &Problem) -> bool {
    warning.key.starts_with(OBSTACLE)
}

/// Looks at the files of the home.
///
/// # Errors
/// There is no home, or it can't be read.
pub(super) async fn of_home(context: &Context) -> Result<Findings, Failure> {
    let home = context.home()?;
    if !home.jobs_json().try_exists().unwrap_or(true) && !home.manifest().try_exists().unwrap_or(true) {
        return Err(no_home(&home));
    }
    // The store knows more than the file: what stays in force in spite of it, and what happened to the clock.
    let mut known = context.look()?.problems().await?;
    known.retain(|problem| problem.key != "clock-repaired");
    let file = home.jobs_json();
    let mut findings = match file.try_exists() {
        Ok(false) => Findings { problems: Vec::new(), warnings: Vec::new(), jobs: 0 },
        _ => Findings::of(examine_file(context, &file)?, &file, &context.config().config),
    };
    // In a file that was written by hand, a key that means nothing is a mistake too.
    let mut config = context.config().problems.clone();
    if config.is_empty()
        && let Some(reason) = machinery::provider_to_be(&home, context.config()).reason
    {
        let what = format!("{}: provider: {reason}", home.config_yaml().display());
        config.push(Problem::new("config-provider", what, "correct it; until then the built-in ticker fires"));
    }
    let (about_jobs, others): (Vec<Problem>, Vec<Problem>) =
        known.into_iter().partition(|problem| !problem.remark || problem.job.is_some());
    if !about_jobs.is_empty() {
        // What the store can't know: that this program has no runner for it.
        let foreign = std::mem::take(&mut findings.problems).into_iter().filter(foreign::is_one);
        findings.problems = about_jobs.into_iter().chain(foreign).collect();
    }
    findings.warnings.extend(others);
    let environment = Environment::of(&home).unwrap_or(Environment::Ours);
    findings.warnings.extend(alerts::unset(&context.config().config, &environment));
    findings.problems.splice(0..0, config);
    Ok(findings)
}

fn examine_file(context: &Context, file: &Path) -> Result<Examined, Failure> {
    let bytes = fs::read(file).map_err(|cause| Error::io(format!("cannot read {}", file.display()), cause))?;
    Ok(entries::examine_file(context, file, &bytes))
}

fn print(findings: &Findings, out: &mut Output) -> Result<(), Failure> {
    for problem in &findings.problems {
        out.line(format_args!("{}", problem.what))?;
        out.line(format_args!("  hint: {}", problem.hint))?;
    }
    for warning in &findings.warnings {
        out.line(format_args!("warning: {}", warning.what))?;
        out.line(format_args!("  hint: {}", warning.hint))?;
    }
    let count = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    out.line(format_args!(
        "{}, {}, {}",
        count(findings.jobs, "valid job"),
        count(findings.problems.len(), "problem"),
        count(findings.warnings.len(), "warning"),
    ))
}
