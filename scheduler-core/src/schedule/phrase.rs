//! `every weekday 18:00`: a small, closed grammar that becomes crontab. What it doesn't know is an error, never a guess.
//!
//! ```text
//! phrase  = "every" ("minute" | "hour")
//!         | "every" days [["at"] time]           without a time: midnight
//! days    = "day" | "weekday" | "weekend" | name {("," | "and") name}
//! time    = "noon" | "midnight" | hour ":" minute ["am" | "pm"] | hour ("am" | "pm")
//! ```

use super::{Field, ScheduleError, bits, calendar::Calendar, crontab, interval::Interval, text::Part};
use crate::nearest;

const FORMS: &str = "write `every day at 9am`, `every monday,thu 09:30`, `every weekday 18:00` or `every 5m`";
const WEEKDAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const UNITS: [&str; 5] = ["minute", "hour", "day", "weekday", "weekend"];

/// Parses what follows `every`.
pub(super) fn parse(rest: Part<'_>) -> Result<Calendar, ScheduleError> {
    let words: Vec<Part<'_>> = rest.pieces(|c| c == ',' || c.is_whitespace()).filter(|w| !w.text.is_empty()).collect();
    let Some((first, after)) = words.split_first() else {
        return Err(rest.error("`every` needs a day or a duration").with_hint(FORMS));
    };
    let unit = first.text.to_ascii_lowercase();
    let (weekdays, time) = match unit.as_str() {
        "minute" => return alone(after).and_then(|()| crontab::parse_own("* * * * *")),
        "hour" => return alone(after).and_then(|()| crontab::parse_own("0 * * * *")),
        "day" => ("*".into(), after),
        "weekday" => ("1-5".into(), after),
        "weekend" => ("0,6".into(), after),
        _ => names(&words)?,
    };
    let (hour, minute) = match time {
        [] => (0, 0),
        [at, time @ ..] if at.text.eq_ignore_ascii_case("at") => time_of_day(*at, time)?,
        [first, ..] => time_of_day(*first, time)?,
    };
    crontab::parse_own(&format!("{minute} {hour} * * {weekdays}"))
}

/// Whether the text is a time of day, and nothing more.
pub(super) fn is_time(text: Part<'_>) -> bool {
    time_of_day(text, &text.words()).is_ok()
}

/// What to write for a text that isn't in crontab form and has no `every` before it; `None` if nothing fits.
pub(super) fn with_every(text: Part<'_>, anchor: jiff::Timestamp) -> Option<String> {
    if Interval::parse(text, anchor).is_ok() || parse(text).is_ok() {
        return Some(format!("write `every {}`", text.text));
    }
    let words = text.words();
    let (first, rest) = words.split_first()?;
    let time = if first.text.eq_ignore_ascii_case("at") { rest } else { &words };
    let clock = time_of_day(*time.first()?, time).ok()?;
    Some(format!("write `every day at {:02}:{:02}`", clock.0, clock.1))
}

/// Weekday names up to the first word that is none, as a crontab list, and the words that follow.
fn names<'a, 'b>(words: &'b [Part<'a>]) -> Result<(String, &'b [Part<'a>]), ScheduleError> {
    let mut set = 0;
    let mut taken = 0;
    let mut joined = false;
    for word in words {
        let lower = word.text.to_ascii_lowercase();
        let found = WEEKDAYS.iter().position(|day| *day == lower || day[..3] == lower);
        match found {
            Some(day) => set |= 1 << day,
            None if lower == "and" && set != 0 => {}
            None if set != 0 && !joined => break,
            None => return Err(not_a_day(*word, &lower)),
        }
        joined = lower == "and";
        taken += 1;
    }
    if joined {
        return Err(words[taken - 1].error("`and` is followed by nothing").with_hint(FORMS));
    }
    Ok((bits::list(set, Field::Weekday.full(), 0), &words[taken..]))
}

fn not_a_day(word: Part<'_>, lower: &str) -> ScheduleError {
    let error = word.error(format!("`{}` is not a day", word.text));
    let twin = match lower {
        "week" => Some("write `every sunday`, or `@weekly`"),
        "month" => Some("write `@monthly`, or a crontab such as `0 9 1 * *`"),
        "year" => Some("write `@yearly`, or a crontab such as `0 9 1 1 *`"),
        "second" => Some("write `every 1s`, or the crontab `* * * * * *`"),
        _ => None,
    };
    if let Some(hint) = twin {
        return error.with_hint(hint);
    }
    if is_time(word) {
        return error.with_hint(format!("write `every day at {}`", word.text));
    }
    // A range of names is the one thing people try that only a crontab can say.
    if let Some((low, high)) = lower.split_once('-') {
        let abbreviation = |name: &str| WEEKDAYS.iter().find(|day| **day == name || day[..3] == *name).map(|d| &d[..3]);
        if let (Some(low), Some(high)) = (abbreviation(low), abbreviation(high)) {
            return error.with_hint(format!("list the days, or write a crontab such as `30 9 * * {low}-{high}`"));
        }
    }
    match nearest(lower, WEEKDAYS.iter().chain(&UNITS).copied()).first() {
        Some(close) => error.with_hint(format!("did you mean `{close}`?")),
        None => error.with_hint(FORMS),
    }
}

fn alone(after: &[Part<'_>]) -> Result<(), ScheduleError> {
    match after.first() {
        None => Ok(()),
        Some(word) => {
            let error = word.error("`every minute` and `every hour` take no time");
            Err(error.with_hint("write a crontab such as `15 * * * *` for a quarter past every hour"))
        }
    }
}

/// Hour and minute; `before` is what to point at when there is no time.
fn time_of_day(before: Part<'_>, words: &[Part<'_>]) -> Result<(u32, u32), ScheduleError> {
    const TIMES: &str = "write a time such as `9am`, `9:30pm`, `09:30`, `noon` or `midnight`";
    let (first, rest) = words.split_first().ok_or_else(|| before.error("`at` needs a time of day").with_hint(TIMES))?;
    let mut lower = first.text.to_ascii_lowercase();
    let mut rest = rest;
    // `9 am` is `9am`.
    if let [half, others @ ..] = rest
        && ["am", "pm"].contains(&half.text.to_ascii_lowercase().as_str())
        && lower.ends_with(|c: char| c.is_ascii_digit())
    {
        lower.push_str(&half.text.to_ascii_lowercase());
        rest = others;
    }
    if let Some(word) = rest.first() {
        let hint = "one phrase has one time; for more, write a crontab such as `0 9,17 * * *`";
        return Err(word.error(format!("`{}` is one word too many", word.text)).with_hint(hint));
    }
    let wrong = || {
        let close = nearest(&lower, ["noon", "midnight"]);
        let digits = !lower.is_empty() && lower.bytes().all(|byte| byte.is_ascii_digit());
        let hint = match (close.first(), lower.parse::<u32>()) {
            (Some(close), _) => format!("did you mean `{close}`?"),
            (None, Ok(hour)) if digits && (1..12).contains(&hour) => {
                format!("write `{hour}am`, `{hour}pm` or `{hour:02}:00`")
            }
            (None, Ok(hour)) if digits && hour < 24 => format!("write `{hour:02}:00`"),
            _ => TIMES.into(),
        };
        first.error(format!("`{}` is not a time of day", first.text)).with_hint(hint)
    };
    clock(&lower).ok_or_else(wrong)
}

/// `9am`, `9:30pm`, `09:30`, `noon`, `midnight`; lower case.
fn clock(text: &str) -> Option<(u32, u32)> {
    match text {
        "noon" => return Some((12, 0)),
        "midnight" => return Some((0, 0)),
        _ => {}
    }
    let (digits, half) = match (text.strip_suffix("am"), text.strip_suffix("pm")) {
        (Some(digits), _) => (digits, Some(0)),
        (_, Some(digits)) => (digits, Some(12)),
        _ => (text, None),
    };
    let (hour, minute) = match digits.split_once(':') {
        Some((hour, minute)) if minute.len() == 2 => (number(hour)?, number(minute)?),
        None if half.is_some() => (number(digits)?, 0),
        _ => return None,
    };
    let hour = match half {
        Some(half) if (1..=12).contains(&hour) => hour % 12 + half,
        Some(_) => return None,
        None => hour,
    };
    (hour < 24 && minute < 60).then_some((hour, minute))
}

fn number(text: &str) -> Option<u32> {
    let plain = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}
