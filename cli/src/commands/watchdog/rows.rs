//! What was seen, as rows: pure.

use std::time::Duration;

use sched_monitor::checks::{Found, Row, Verdict};
use scheduler_core::{
    JobId,
    liveness::{VerdictKind, beats::Judged},
    notify::Severity,
    store::Problem,
};

use super::own::{Own, Seen};
use crate::exit;

/// A row, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) row: Row,
    /// Names its alert.
    pub(super) key: String,
    pub(super) job: Option<JobId>,
    pub(super) severity: Severity,
    /// Whether it has an alert of its own; else other rows have.
    pub(super) is_told: bool,
}

impl Line {
    /// One of a check that config.yaml asks for.
    pub(super) fn of_check(row: Row) -> Self {
        let key = format!("watchdog-{}", row.key());
        Self { row, key, job: None, severity: Severity::Error, is_told: true }
    }

    fn new(kind: &'static str, name: impl Into<String>, key: impl Into<String>, found: Found) -> Self {
        let row = Row { name: name.into(), kind, found, took: Duration::ZERO };
        Self { row, key: key.into(), job: None, severity: Severity::Error, is_told: true }
    }

    fn of_problem(kind: &'static str, problem: &Problem) -> Self {
        let found = Found::bad(&problem.what, &problem.hint);
        Self { job: problem.job.clone(), ..Self::new(kind, &problem.key, &problem.key, found) }
    }
}

/// The rows about the home.
pub(super) fn of(own: &Own) -> Vec<Line> {
    let seen = match own {
        Own::Seen(seen) => seen,
        Own::Dark(why) => {
            let found = Found::unknown(why, "see whether its disk is there: a dead mount answers never");
            return vec![Line { severity: Severity::Critical, ..Line::new("process", "scheduler", "daemon", found) }];
        }
    };
    let mut lines = scheduler(seen);
    lines.extend(seen.beats.iter().filter(|beat| !beat.verdict.is_problem()).map(heartbeat));
    files(seen, &mut lines);
    lines.extend(starts(seen));
    lines
}

/// 0 all well, 3 something is wrong, 4 jobs don't fire, 5 that can't be known.
pub(super) fn exit_code(kind: VerdictKind, lines: &[Line]) -> u8 {
    let is_wrong = lines.iter().any(|line| line.row.found.verdict.is_problem());
    match kind.exit_code() {
        exit::OK if is_wrong => exit::ATTENTION,
        code => code,
    }
}

/// The verdict, and each problem that `status` has beside it.
fn scheduler(seen: &Seen) -> Vec<Line> {
    let verdict = &seen.verdict;
    let its_own = verdict.kind.word().to_lowercase();
    let hint = verdict.problems.iter().find(|problem| problem.key == its_own).or(verdict.problems.first());
    let hint = hint.map_or_else(|| "see `sched status`".to_owned(), |problem| problem.hint.clone());
    let detail = format!("{}: {}", verdict.kind.word(), verdict.summary);
    let found = match verdict.kind.exit_code() {
        exit::OK => Found::ok(detail),
        exit::UNKNOWN => Found { verdict: Verdict::Unknown, ..Found::bad(detail, hint) },
        _ => Found::bad(detail, hint),
    };
    let mut lines = vec![Line { severity: Severity::Critical, ..Line::new("process", "scheduler", "daemon", found) }];
    let others = verdict.problems.iter().filter(|problem| !problem.remark && problem.key != its_own);
    lines.extend(others.map(|problem| {
        Line::of_problem(if problem.key.starts_with("heartbeat") { "heartbeat" } else { "status" }, problem)
    }));
    // It fires, and what is wrong is told below.
    lines[0].is_told = verdict.kind != VerdictKind::Degraded || lines.len() == 1;
    lines
}

fn heartbeat(beat: &Judged) -> Line {
    let age = beat.age.map_or_else(
        || "it need not have come yet".into(),
        |age| format!("{} old", scheduler_core::duration::coarse(Duration::from_secs(age.as_secs()))),
    );
    Line::new("heartbeat", beat.name.to_string(), beat.key(), Found::ok(age))
}

/// What is wrong with the files, unless `status` has told it already.
fn files(seen: &Seen, lines: &mut Vec<Line>) {
    match &seen.files {
        Ok((problems, jobs)) => {
            let is_told = |key: &str| {
                let same = |known: &str| known == key || known == "fallback" && key == "config-provider";
                lines.iter().any(|line| same(&line.key))
            };
            let new: Vec<Line> = problems
                .iter()
                .filter(|problem| !problem.remark && !is_told(&problem.key))
                .map(|problem| Line::of_problem("start", problem))
                .collect();
            if problems.iter().all(|problem| problem.remark) {
                let found = Found::ok(format!("config.yaml and jobs.json are valid, {}", jobs_in_words(*jobs)));
                lines.push(Line::new("start", "files", "files", found));
            }
            lines.extend(new);
        }
        Err((why, hint)) if !lines.iter().any(|line| line.row.found.detail.contains(why.as_str())) => {
            let hint = if hint.is_empty() { "see `sched validate`" } else { hint.as_str() };
            lines.push(Line::new("start", "files", "files", Found::unknown(why, hint)));
        }
        Err(_) => {}
    }
}

/// Whether every job could start if it were due now.
fn starts(seen: &Seen) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut line = |job: &JobId, found: Found| {
        let found = Found { detail: format!("job `{job}`: {}", found.detail), ..found };
        let line = Line::new("start", job.as_str(), format!("start-{job}"), found);
        // One alert for each job: the first thing that is wrong.
        if lines.iter().all(|known: &Line| known.key != line.key) {
            lines.push(Line { job: Some(job.clone()), ..line });
        }
    };
    for (job, obstacle) in &seen.obstacles {
        let hint = obstacle.hint.clone().unwrap_or_else(|| "put it there, or correct the entry".into());
        line(job, Found::bad(&obstacle.what, hint));
    }
    let mut unseen = 0;
    for (job, script) in &seen.scripts {
        match seen.found.get(script) {
            Some(found) if found.verdict.is_problem() => line(job, found.clone()),
            Some(_) => {}
            None => unseen += 1,
        }
    }
    if unseen > 0 {
        let found =
            Found::unknown(format!("there was no time to look through {unseen} scripts"), "see what slows the machine");
        lines.push(Line::new("start", "scripts", "start-scripts", found));
    }
    if lines.is_empty() && seen.facts.store_error.is_none() {
        let found = Found::ok(format!("{} could start now", jobs_in_words(seen.jobs)));
        lines.push(Line::new("start", "jobs", "start-jobs", found));
    }
    lines
}

fn jobs_in_words(count: usize) -> String {
    if count == 1 { "1 job".into() } else { format!("{count} jobs") }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use scheduler_core::liveness::{Facts, verdict};

    use super::{super::scripts::Obstacle, *};

    /// A home that is there and was never run.
    fn seen(change: impl FnOnce(&mut Facts)) -> Seen {
        let mut facts = Facts::default();
        facts.home_exists = true;
        change(&mut facts);
        Seen {
            verdict: verdict(&facts),
            facts,
            beats: Vec::new(),
            files: Ok((Vec::new(), 1)),
            obstacles: Vec::new(),
            jobs: 1,
            scripts: Vec::new(),
            found: HashMap::new(),
        }
    }

    fn check(seen: Seen, code: u8, expected: &[&str]) {
        let own = Own::Seen(Box::new(seen));
        let lines = of(&own);
        let shown = |line: &Line| {
            let told = if line.is_told { "" } else { " (untold)" };
            format!("{} {} {}: {}{told}", line.row.found.verdict.word(), line.row.kind, line.key, line.row.found.detail)
        };
        let shown: Vec<String> = lines.iter().map(shown).collect();
        assert_eq!(shown.len(), expected.len(), "{shown:#?}");
        for (line, expected) in shown.iter().zip(expected) {
            assert!(line.starts_with(expected), "{line}\nis not\n{expected}");
        }
        assert!(lines.iter().all(|line| line.row.found.hint.is_some() == line.row.found.verdict.is_problem()));
        assert_eq!(exit_code(own.kind(), &lines), code);
    }

    #[test]
    fn what_is_wrong_is_told_once_and_under_its_own_key() {
        let stopped = "bad process daemon: STOPPED: no daemon runs";
        let files = "ok start files: config.yaml and jobs.json are valid, 1 job";
        let jobs = "ok start start-jobs: 1 job could start now";
        check(seen(|_| {}), 4, &[stopped, files, jobs]);
        let problem = Problem::new("config-x", "config.yaml: x", "correct it");
        let mut wrong = seen(|facts| facts.problems.push(problem.clone()));
        wrong.files = Ok((vec![problem, Problem::new("entry-y", "jobs.json: y", "correct it")], 0));
        check(wrong, 4, &[stopped, "bad status config-x: config.yaml: x", "bad start entry-y: jobs.json: y", jobs]);
        let heartbeat = Problem::new("heartbeat-agent", "heartbeat `agent` is stale", "see");
        check(
            seen(|facts| facts.problems.push(heartbeat)),
            4,
            &[stopped, "bad heartbeat heartbeat-agent", files, jobs],
        );
        let mut missing = seen(|_| {});
        let obstacle = Obstacle { what: "program x".into(), hint: None };
        missing.obstacles = vec![("a".parse().unwrap(), obstacle)];
        check(missing, 4, &[stopped, files, "bad start start-a: job `a`: program x"]);
        let mut dark = seen(|_| {});
        dark.files = Err(("damaged".into(), String::new()));
        check(dark, 4, &[stopped, "unknown start files: can't know: damaged", jobs]);
    }

    #[test]
    fn the_exit_code_is_the_schedulers_unless_something_else_is_wrong() {
        let line = |found: Found| Line::new("tcp", "a", "a", found);
        let check = |kind: VerdictKind, found: Found, code: u8| assert_eq!(exit_code(kind, &[line(found)]), code);
        check(VerdictKind::Live, Found::ok(""), 0);
        check(VerdictKind::Live, Found::bad("", ""), 3);
        check(VerdictKind::Live, Found::unknown("", ""), 3);
        check(VerdictKind::Degraded, Found::ok(""), 3);
        check(VerdictKind::Crashed, Found::bad("", ""), 4);
        check(VerdictKind::Unknown, Found::bad("", ""), 5);
    }
}
