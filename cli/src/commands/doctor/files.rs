//! Rows about config.yaml and jobs.json, as `validate` finds them, and about the programs of the jobs, as the runner
//! would find them.

use scheduler_core::{JobId, store::Problem};

use super::row::Row;

/// What `validate` says of the files, or why it can't.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) found: Result<Found, (String, String)>,
}

#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
    pub(super) jobs: usize,
}

/// The jobs in force, and what keeps the runner from starting any of them.
#[derive(Debug, Default)]
pub(super) struct Programs {
    pub(super) jobs: usize,
    pub(super) obstacles: Vec<Obstacle>,
    /// Whose environment it was looked up in.
    pub(super) environment: String,
}

#[derive(Debug)]
pub(super) struct Obstacle {
    pub(super) job: JobId,
    pub(super) enabled: bool,
    pub(super) what: String,
    pub(super) hint: Option<String>,
}

pub(super) fn rows(files: &Files) -> Vec<Row> {
    let found = match &files.found {
        Ok(found) => found,
        Err((why, hint)) => {
            let row = Row::bad("files", why, hint);
            return vec![row.fix(Some(hint.clone()))];
        }
    };
    let bad = found.problems.iter().map(|problem| Row::bad("files", &problem.what, &problem.hint));
    let warn = found.warnings.iter().map(|problem| Row::warn("files", &problem.what, &problem.hint));
    let rows: Vec<Row> = bad.chain(warn).collect();
    if rows.is_empty() { vec![Row::ok("files", format!("{}, no problem", jobs(found.jobs)))] } else { rows }
}

pub(super) fn programs(programs: Option<&Programs>) -> Vec<Row> {
    let Some(Programs { jobs: total, obstacles, environment }) = programs else {
        return vec![Row::unknown("programs", "the jobs can't be read")];
    };
    if obstacles.is_empty() {
        let detail = match total {
            0 => "there are no jobs".to_owned(),
            total => format!("{}: programs, interpreters and folders are there, in {environment}", jobs(*total)),
        };
        return vec![Row::ok("programs", detail)];
    }
    let row = |Obstacle { job, enabled, what, hint }: &Obstacle| {
        let hint = hint.clone().unwrap_or_else(|| "put it there, or correct the entry".into());
        match enabled {
            true => Row::bad("programs", format!("job `{job}`: {what}"), hint),
            false => Row::warn("programs", format!("job `{job}` (disabled): {what}"), hint),
        }
    };
    obstacles.iter().map(row).collect()
}

fn jobs(count: usize) -> String {
    if count == 1 { "1 job".into() } else { format!("{count} jobs") }
}

#[cfg(test)]
mod tests {
    use super::{super::row::shown, *};

    #[test]
    fn what_validate_finds_is_told() {
        let check = |found: Result<Found, (String, String)>, expected: &[&str]| {
            assert_eq!(rows(&Files { found }).iter().map(shown).collect::<Vec<_>>(), expected);
        };
        check(Ok(Found { jobs: 2, ..Found::default() }), &["ok files: 2 jobs, no problem"]);
        let problem = |what: &str| Problem::new("key", what, "do");
        let found = Found { problems: vec![problem("a")], warnings: vec![problem("b")], jobs: 1 };
        check(Ok(found), &["bad files: a [do]", "warn files: b [do]"]);
        check(Err(("damaged".into(), "restore".into())), &["bad files: damaged [restore]"]);
        check(Err(("damaged".into(), String::new())), &["bad files: damaged"]);
    }

    #[test]
    fn a_job_that_cannot_be_started_is_bad_and_a_disabled_one_a_warning() {
        let obstacle = |job: &str, enabled: bool, hint: Option<&str>| Obstacle {
            job: job.parse().unwrap(),
            enabled,
            what: "no program".into(),
            hint: hint.map(str::to_owned),
        };
        let check = |jobs: usize, obstacles: Vec<Obstacle>, expected: &[&str]| {
            let facts = Programs { jobs, obstacles, environment: "this environment".into() };
            assert_eq!(programs(Some(&facts)).iter().map(shown).collect::<Vec<_>>(), expected);
        };
        check(0, vec![], &["ok programs: there are no jobs"]);
        assert_eq!(shown(&programs(None)[0]), "unknown programs: can't know: the jobs can't be read");
        check(1, vec![], &["ok programs: 1 job: programs, interpreters and folders are there, in this environment"]);
        check(
            2,
            vec![obstacle("a", true, None), obstacle("b", false, Some("install it"))],
            &[
                "bad programs: job `a`: no program [put it there, or correct the entry]",
                "warn programs: job `b` (disabled): no program [install it]",
            ],
        );
    }
}
