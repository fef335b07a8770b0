//! One item of a crontab list: `*`, `n`, `a-b`, and `*` or a range with `/step`; `spread` has `H` and `~`.
//!
//! Every refusal here says what to write instead, fitted to the field; the field itself is added by the caller.

use super::{Field, ScheduleError, foreign, spread, text::Part};
use crate::nearest;

/// The numbers `low`, `low + step`, ... up to `high`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steps {
    pub(super) low: u32,
    pub(super) high: u32,
    pub(super) step: u32,
}

impl Steps {
    pub(super) fn members(self) -> impl Iterator<Item = u32> {
        (self.low..=self.high).step_by(self.step as usize)
    }
}

/// Parses one item that is not empty; `seed` is what slots are made of.
pub(super) fn parse(field: Field, item: Part<'_>, seed: &str) -> Result<Steps, ScheduleError> {
    if let Some(spread) = spread::parse(field, item, seed) {
        return spread;
    }
    foreign::refuse(field, item)?;
    let (base, step) = match item.split_once('/') {
        Some((base, step)) => (base, Some(step)),
        None => (item, None),
    };
    if base.text.is_empty() {
        let step = item.text.trim_start_matches('/');
        let plain = !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit());
        let error = item.error(format!("`{}` has a step and no range", item.text));
        return Err(error.with_hint(if plain {
            format!("write `*/{step}`")
        } else {
            "write the schedule alone, without a command".into()
        }));
    }
    let range = range(field, base, step)?;
    let Some(step) = step else {
        let (low, high) = range;
        return Ok(Steps { low, high, step: 1 });
    };
    let number = step_number(item, base, step)?;
    if base.text != "*" && !base.text.contains('-') {
        let low = range.0.min(field.last());
        return Err(item
            .error(format!("`{}`: a step needs a range", item.text))
            .with_hint(format!("write `{low}-{}/{number}`", field.last())));
    }
    Ok(Steps { low: range.0, high: range.1, step: number })
}

pub(super) fn step_number(item: Part<'_>, base: Part<'_>, step: Part<'_>) -> Result<u32, ScheduleError> {
    let text = step.text;
    if text.is_empty() {
        return Err(item
            .error(format!("`{}` lacks its step", item.text))
            .with_hint(format!("write `{}/2`", base.text)));
    }
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        let digits: String =
            text.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
        let example = if digits.trim_start_matches('0').is_empty() { "2" } else { &digits };
        let message = format!("`{text}` is not a step; a step is a whole number of 1 or more");
        return Err(step.error(message).with_hint(format!("write `{}/{example}`", base.text)));
    }
    match number(text) {
        0 => Err(step.error("step 0 never moves").with_hint(format!("write `{}/1` or `{}`", base.text, base.text))),
        number => Ok(number),
    }
}

fn range(field: Field, base: Part<'_>, step: Option<Part<'_>>) -> Result<(u32, u32), ScheduleError> {
    let text = base.text;
    if text == "*" {
        return Ok((field.min(), field.max()));
    }
    if let Some(rest) = text.strip_prefix('*') {
        let error = base.error(format!("`{text}`: `*` stands alone or takes a step"));
        let digits = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
        return Err(error.with_hint(if digits {
            format!("write `*/{rest}` or `{rest}`")
        } else {
            "write `*` or `*/2`".into()
        }));
    }
    if text.starts_with(['-', '+']) {
        let bare = text.trim_start_matches(['-', '+']);
        let plain = !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_digit());
        let write = if plain { bare.into() } else { format!("{}", field.min()) };
        return Err(base.error(format!("`{text}`: numbers carry no sign")).with_hint(format!("write `{write}`")));
    }
    let Some((left, right)) = base.split_once('-') else {
        let only = value(field, base)?;
        return Ok((only, only));
    };
    if right.text.is_empty() {
        let hint = format!("write `{text}{}` or `{}`", name_like(field, left, field.last()), left.text);
        return Err(base.error(format!("range `{text}` has no end")).with_hint(hint));
    }
    if right.text.contains('-') {
        let hint = format!("write `{}-{}`", left.text, right.text.rsplit('-').next().unwrap_or_default());
        return Err(base.error(format!("range `{text}` has more than two ends")).with_hint(hint));
    }
    let (low, mut high) = (value(field, left)?, value(field, right)?);
    if field == Field::Weekday && high == 0 && low > 0 && right.text.eq_ignore_ascii_case("sun") {
        high = 7;
    }
    if low > high {
        let error = base.error(format!("range `{text}` runs backwards"));
        return Err(error.with_hint(format!("write `{}`", forwards(field, left, right, (low, high), step))));
    }
    Ok((low, high))
}

/// What a range that runs backwards was meant to be: on to the end of the field and again from its start.
fn forwards(field: Field, left: Part<'_>, right: Part<'_>, ends: (u32, u32), step: Option<Part<'_>>) -> String {
    let (low, high) = ends;
    if field == Field::Year {
        return format!("{}-{}", right.text, left.text);
    }
    if field == Field::Weekday && high == 0 {
        return format!("{}-7", left.text);
    }
    let step = step.map_or(1, |step| number(step.text)).max(1);
    if step > 1 {
        let round = field.last() - field.min() + 1;
        let meant = (low..=high + round).step_by(step as usize).map(|n| (n - field.min()) % round + field.min());
        return meant.map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    }
    let end = |from: Part<'_>, from_value: u32, to: u32| {
        if from_value == to { from.text.to_owned() } else { format!("{}-{}", from.text, name_like(field, from, to)) }
    };
    let head = if low > field.last() { None } else { Some(end(left, low, field.last())) };
    let first = name_like(field, right, field.min());
    let tail = if high == field.min() { right.text.to_owned() } else { format!("{first}-{}", right.text) };
    head.map_or_else(|| tail.clone(), |head| format!("{head},{tail}"))
}

/// `value` as a name if `model` is one, else as a number.
fn name_like(field: Field, model: Part<'_>, value: u32) -> String {
    let named = model.text.starts_with(|c: char| c.is_ascii_alphabetic());
    let name = field.names().get((value - field.min()) as usize).filter(|_| named);
    name.map_or_else(|| value.to_string(), |&name| name.to_owned())
}

/// Digits as a number; one too long to count is as good as the largest.
fn number(digits: &str) -> u32 {
    digits.bytes().fold(0, |sum: u32, digit| sum.saturating_mul(10).saturating_add(u32::from(digit.wrapping_sub(b'0'))))
}

/// A number or a name.
pub(super) fn value(field: Field, part: Part<'_>) -> Result<u32, ScheduleError> {
    let text = part.text;
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let value = number(text);
        if (field.min()..=field.max()).contains(&value) {
            return Ok(value);
        }
        return Err(out_of_range(field, part, value));
    }
    if text.chars().all(char::is_alphabetic) {
        return name(field, part);
    }
    let leading: String = text.chars().take_while(char::is_ascii_digit).collect();
    let hexadecimal = text.strip_prefix("0x").or(text.strip_prefix("0X")).and_then(|d| u32::from_str_radix(d, 16).ok());
    let (message, example) = if let Some(value) = hexadecimal {
        (format!("`{text}` is hexadecimal; numbers are decimal"), value)
    } else if text.contains('.') {
        (format!("`{text}` is not a whole number"), number(&leading))
    } else {
        (format!("`{text}` is not a number"), number(&leading))
    };
    let example = example.clamp(field.min(), field.last());
    Err(part.error(message).with_hint(format!("write a whole number from {}, such as `{example}`", bounds(field))))
}

fn bounds(field: Field) -> String {
    format!("{}-{}", field.min(), field.max())
}

fn out_of_range(field: Field, part: Part<'_>, value: u32) -> ScheduleError {
    let error = part.error(format!("{} is outside {}", part.text, bounds(field)));
    error.with_hint(match (field, value) {
        (Field::Second | Field::Minute, 60) => format!("the {field} after 59 is `0`"),
        (Field::Hour, 24) => "midnight is `0`".into(),
        (Field::DayOfMonth, 0) => "the first day is `1`".into(),
        (Field::Month, 0) => "january is `1`".into(),
        (Field::Weekday, _) => "write `0` or `7` for sunday, `1` for monday, up to `6`".into(),
        (Field::Year, _) => "write all four digits of the year".into(),
        _ => format!("write a number from {}", bounds(field)),
    })
}

fn name(field: Field, part: Part<'_>) -> Result<u32, ScheduleError> {
    let lower = part.text.to_ascii_lowercase();
    let names = field.names();
    if let Some(index) = names.iter().position(|&name| name == lower) {
        return Ok(index as u32 + field.min());
    }
    let text = part.text;
    if let Some(name) = names.iter().find(|&&name| lower.starts_with(name)) {
        let error = part.error(format!("`{text}`: names have three letters in a crontab"));
        return Err(error.with_hint(format!("write `{}`", name.to_uppercase())));
    }
    let homes = [(Field::Month, "fourth"), (Field::Weekday, "fifth")];
    let home = homes.iter().find(|(home, _)| home.names().iter().any(|name| lower.starts_with(name)));
    if let Some((home, place)) = home {
        let error = part.error(format!("`{text}` is a {home}, which goes in the {place} of the five fields"));
        return Err(error.with_hint(format!("write a number from {} here", bounds(field))));
    }
    let error = part.error(format!("`{text}` is not a {field}"));
    Err(error.with_hint(match nearest(&lower, names.iter().copied()).as_slice() {
        [] if names.is_empty() => format!("write a number from {}", bounds(field)),
        [] => format!(
            "write a number from {} or a name from `{}` to `{}`",
            bounds(field),
            names[0],
            names[names.len() - 1]
        ),
        [close, ..] => format!("did you mean `{}`?", close.to_uppercase()),
    }))
}
