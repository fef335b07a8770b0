//! `sched next --batch`: questions as JSON lines on stdin, one line of answer for each, in order.
//!
//! Each answer is out before the next question is read, so that a program can hold a conversation over a pipe; a question
//! that makes no sense is answered with an error and doesn't end it.

use std::io::{self, BufRead};

use jiff::{Timestamp, tz::TimeZone};
use scheduler_core::{Error, schedule::zone};
use serde_json::{Map, Value, json};

use super::Done;
use crate::{args::MAX_COUNT, context::Context, exit, output::Output, upcoming};

pub(crate) fn run(context: &Context, out: &mut Output) -> Done {
    let mut stdin = io::stdin().lock();
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = stdin.read_until(b'\n', &mut line).map_err(|cause| Error::io("cannot read stdin", cause))?;
        if read == 0 {
            return Ok(exit::OK);
        }
        out.line(answer(&line, context.now()))?;
        out.flush()?;
    }
}

/// The answer to one line.
fn answer(line: &[u8], now: Timestamp) -> Value {
    match instants(line, now) {
        Ok(instants) => json!({ "next": instants.iter().map(Timestamp::to_string).collect::<Vec<_>>() }),
        Err(why) => json!({ "error": why }),
    }
}

fn instants(line: &[u8], now: Timestamp) -> Result<Vec<Timestamp>, String> {
    let question: Value = serde_json::from_slice(line).map_err(|error| format!("not JSON: {error}"))?;
    let question = Question(question.as_object().ok_or("expected an object such as {\"expr\": \"0 9 * * *\"}")?);
    let expr = question.text("expr")?.ok_or("`expr` is missing")?;
    let zone = question.text("tz")?.map_or(Ok(TimeZone::UTC), zone::parse).map_err(|error| error.to_string())?;
    let after = match question.text("after")? {
        None => now,
        Some(text) => text.parse().map_err(|_| format!("after: `{text}` is not RFC 3339"))?,
    };
    let schedule = upcoming::schedule(expr, &zone, after).map_err(|error| error.to_string())?;
    Ok(upcoming::instants(&schedule, &zone, after, question.count()?))
}

/// The members of a question; others than these are not looked at, so that a line may carry notes of its own.
struct Question<'a>(&'a Map<String, Value>);

impl Question<'_> {
    fn get(&self, member: &str) -> Option<&Value> {
        self.0.get(member).filter(|value| !value.is_null())
    }

    fn text(&self, member: &str) -> Result<Option<&str>, String> {
        self.get(member).map(|value| value.as_str().ok_or_else(|| format!("`{member}` must be a text"))).transpose()
    }

    fn count(&self) -> Result<u32, String> {
        const DEFAULT: u32 = 3;
        let Some(value) = self.get("count") else { return Ok(DEFAULT) };
        let count = value.as_u64().and_then(|count| u32::try_from(count).ok()).filter(|count| *count <= MAX_COUNT);
        count.ok_or_else(|| format!("`count` must be a whole number of at most {MAX_COUNT}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(question: &str, expected: &str) {
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        let answer = answer(question.as_bytes(), now).to_string();
        assert!(answer.contains(expected), "{question}: {answer}");
    }

    #[test]
    fn defaults_are_utc_now_and_three() {
        check(
            r#"{"expr": "@hourly"}"#,
            r#"{"next":["2026-11-22T11:00:00Z","2026-11-22T12:00:00Z","2026-11-22T13:00:00Z"]}"#,
        );
        check(r#"{"expr": "@hourly", "tz": null, "count": 1}"#, r#"{"next":["2026-11-22T11:00:00Z"]}"#);
    }

    #[test]
    fn intervals_and_relative_forms_count_from_after() {
        let after = r#""after": "2026-01-01T00:00:30Z", "count": 1"#;
        check(&format!(r#"{{"expr": "every 5m", {after}}}"#), r#"{"next":["2026-01-01T00:05:30Z"]}"#);
        check(&format!(r#"{{"expr": "in 30m", {after}}}"#), r#"{"next":["2026-01-01T00:30:30Z"]}"#);
    }

    #[test]
    fn a_schedule_that_ends_answers_what_is_left() {
        check(r#"{"expr": "2026-12-24T18:00:00Z"}"#, r#"{"next":["2026-12-24T18:00:00Z"]}"#);
        check(r#"{"expr": "2020-12-24T18:00:00Z"}"#, r#"{"next":[]}"#);
        check(r#"{"expr": "@manually"}"#, r#"{"next":[]}"#);
        check(r#"{"expr": "@daily", "count": 0}"#, r#"{"next":[]}"#);
    }

    #[test]
    fn what_makes_no_sense_is_answered_with_the_reason() {
        check("\n", r#"{"error":"not JSON"#);
        check("[1]", "expected an object");
        check("{}", r#"{"error":"`expr` is missing"}"#);
        check(r#"{"expr": 5}"#, "`expr` must be a text");
        check(r#"{"expr": "0 9-3 * * *"}"#, "runs backwards");
        check(r#"{"expr": "@daily", "tz": "Europe/Berlim"}"#, "did you mean `Europe/Berlin`?");
        check(r#"{"expr": "@daily", "after": "yesterday"}"#, "not RFC 3339");
        check(r#"{"expr": "@daily", "count": -1}"#, "`count` must be");
        check(r#"{"expr": "@daily", "count": 1000000000}"#, "at most 100000");
    }
}
