//! Groups that jobs name and config.yaml doesn't: those jobs run without the limit that somebody meant them to have.

use std::collections::BTreeMap;

use scheduler_core::{
    Job, JobId,
    store::{Groups, JobView, Problem},
};

use crate::unknown;

/// What is to be said about the groups of `jobs`, a remark for each that `groups` doesn't have.
pub(crate) fn problems<'j>(jobs: impl Iterator<Item = &'j Job>, groups: &Groups) -> Vec<Problem> {
    let mut lacking: BTreeMap<&str, Vec<&JobId>> = BTreeMap::new();
    for job in jobs {
        if let Some(group) = job.group.as_deref().filter(|group| groups.most(group).is_none()) {
            lacking.entry(group).or_default().push(&job.id);
        }
    }
    lacking.into_iter().map(|(group, jobs)| problem(group, &jobs, groups)).collect()
}

/// What is to be said about the group of `job`, in words.
pub(crate) fn obstacle(job: &Job, groups: &Groups) -> Option<String> {
    problems(std::iter::once(job), groups).pop().map(|problem| problem.what)
}

/// The same for all jobs in force that would fire.
pub(crate) fn problems_in_force(views: &[JobView], groups: &Groups) -> Vec<Problem> {
    problems(unknown::in_force(views), groups)
}

fn problem(group: &str, jobs: &[&JobId], groups: &Groups) -> Problem {
    let names = unknown::listed(jobs);
    let what = format!("group `{group}` is not in config.yaml, so its jobs run without a limit: {names}");
    let add = format!("add to config.yaml: groups: {{{group}: {{max_parallel: 1}}}}");
    let hint = unknown::hint(group, groups.iter().map(|(name, _)| name), add);
    Problem::remark(format!("group-{group}"), what, hint)
}

/// A group and its limit.
pub(crate) fn words(group: &str, groups: &Groups) -> String {
    match groups.most(group) {
        Some(most) => format!("{group}, at most {most} at once"),
        None => format!("{group}, which config.yaml gives no limit"),
    }
}

#[cfg(test)]
mod tests {
    use scheduler_core::{
        job::Command,
        schedule::{ParseOptions, Schedule},
    };

    use super::*;

    #[test]
    fn a_group_that_is_not_there_is_told_once_with_its_jobs() {
        let job = |id: &str, group: &str| {
            let schedule = Schedule::parse("@daily", &ParseOptions::default()).unwrap();
            let mut job = Job::new(id.parse().unwrap(), schedule, Command::Shell("true".into()));
            job.group = Some(group.into());
            job
        };
        let check = |jobs: &[Job], expected: &[(&str, &str)]| {
            let groups = [("backups".to_owned(), 2)].into_iter().collect();
            let told = problems(jobs.iter(), &groups);
            let told: Vec<(&str, &str)> = told.iter().map(|one| (one.what.as_str(), one.hint.as_str())).collect();
            assert_eq!(told, expected);
        };
        check(&[job("a", "backups")], &[]);
        check(
            &[job("a", "reports"), job("b", "backup"), job("c", "reports")],
            &[
                (
                    "group `backup` is not in config.yaml, so its jobs run without a limit: `b`",
                    "did you mean `backups`?",
                ),
                (
                    "group `reports` is not in config.yaml, so its jobs run without a limit: `a`, `c`",
                    "add to config.yaml: groups: {reports: {max_parallel: 1}}",
                ),
            ],
        );
        let many: Vec<Job> = (0..5).map(|n| job(&format!("j{n}"), "x")).collect();
        let told = problems(many.iter(), &Groups::NONE);
        assert!(told[0].what.ends_with(": `j0`, `j1`, `j2`, 2 more"), "{told:?}");
    }
}
