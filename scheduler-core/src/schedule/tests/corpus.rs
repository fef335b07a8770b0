//! The cases that were checked against compiled cronie.

use serde::Deserialize;

use super::{ParseOptions, Schedule, in_zone, instant, upcoming};

#[derive(Deserialize)]
struct Case {
    expr: String,
    tz: String,
    after: String,
    #[serde(default)]
    expect: Vec<String>,
    #[serde(default)]
    error: bool,
}

#[test]
fn the_corpus_agrees() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/cron_cases.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    let cases: Vec<Case> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(cases.len(), 838);
    let wrong: Vec<String> = cases.iter().filter_map(complaint).collect();
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

fn complaint(case: &Case) -> Option<String> {
    let parsed = Schedule::parse(&case.expr, &ParseOptions::default());
    let schedule = match parsed {
        Ok(_) if case.error => return Some(format!("`{}` was accepted", case.expr)),
        Err(_) if case.error => return None,
        Err(error) => return Some(format!("`{}` was refused: {error}", case.expr)),
        Ok(schedule) => schedule,
    };
    let expected: Vec<_> = case.expect.iter().map(|text| instant(text)).collect();
    let found = upcoming(&schedule, instant(&case.after), &in_zone(&case.tz), expected.len());
    (found != expected)
        .then(|| format!("`{}` in {} after {}: expected {expected:?}, found {found:?}", case.expr, case.tz, case.after))
}
