//! Crontab expressions of five, six and seven fields, and their nicknames: text to [`Calendar`].

use super::{
    Field, ScheduleError,
    calendar::{Calendar, DayRule},
    field, never,
    text::Part,
};
use crate::nearest;

/// What a nickname stands for.
pub(super) enum Nickname {
    Calendar(Calendar),
    Reboot,
    Manually,
}

const NICKNAMES: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

/// Parses an expression of five, six (seconds first) or seven (year last) fields.
pub(super) fn parse(text: Part<'_>, seed: &str) -> Result<Calendar, ScheduleError> {
    let words = text.words();
    let zero = Part { text: "0", at: text.at };
    let (second, five, year) = match words.as_slice() {
        five if five.len() == 5 => (zero, five, None),
        [second, five @ ..] if five.len() == 5 => (*second, five, None),
        [second, five @ .., year] if five.len() == 5 => (*second, five, Some(*year)),
        _ => return Err(wrong_count(text, &words)),
    };
    let second = field::parse(Field::Second, second, seed)?;
    let minute = field::parse(Field::Minute, five[0], seed)?;
    let hour = field::parse(Field::Hour, five[1], seed)?;
    let day = field::parse(Field::DayOfMonth, five[2], seed)?;
    let month = field::parse(Field::Month, five[3], seed)?;
    let weekday = field::parse(Field::Weekday, five[4], seed)?;
    let years = year.map(field::parse_years).transpose()?.flatten();

    let calendar = Calendar {
        second: second.bits,
        minute: minute.bits,
        hour: hour.bits,
        day: day.bits,
        month: month.bits,
        weekday: weekday.bits,
        years,
        day_rule: if day.star || weekday.star { DayRule::Both } else { DayRule::Either },
        wildcard: minute.star || hour.star,
        spread: [second, minute, hour, day, month, weekday].iter().any(|field| field.spread),
    };
    match never::reason(&calendar) {
        Some(never) => {
            let error = five[2].error(format!("never fires: {}", never.reason)).with_field(Field::DayOfMonth);
            Err(error.with_hint(never.hint))
        }
        None => Ok(calendar),
    }
}

/// Parses an expression this program wrote itself.
pub(super) fn parse_own(text: &str) -> Result<Calendar, ScheduleError> {
    parse(Part { text, at: 0 }, "")
}

/// Parses `@daily` and the like; `@every` is not one of them.
pub(super) fn nickname(text: Part<'_>) -> Result<Nickname, ScheduleError> {
    match text.text {
        "@reboot" => return Ok(Nickname::Reboot),
        "@manually" => return Ok(Nickname::Manually),
        _ => {}
    }
    if let Some((_, expression)) = NICKNAMES.iter().find(|(name, _)| *name == text.text) {
        return parse_own(expression).map(Nickname::Calendar);
    }
    let known = || NICKNAMES.iter().map(|(name, _)| *name).chain(["@reboot", "@manually", "@every 5m"]);
    let words = text.words();
    if let [name, _, ..] = words.as_slice()
        && known().any(|known| known == name.text)
    {
        let error = text.rest(name.text.len()).error(format!("`{}` stands alone", name.text));
        return Err(error.with_hint(format!("write `{}`", name.text)));
    }
    let error = text.error(format!("`{}` is not a nickname", text.text));
    // Compared without the `@`, which would make every two nicknames a little alike.
    let bare = text.text.trim_start_matches('@');
    let close = nearest(bare, known().map(|name| &name[1..]));
    Err(error.with_hint(match close.first() {
        Some(close) => format!("did you mean `@{close}`?"),
        None => format!("write one of {}", known().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
    }))
}

fn wrong_count(text: Part<'_>, words: &[Part<'_>]) -> ScheduleError {
    let fields = if words.len() == 1 { "field" } else { "fields" };
    let error = text.error(format!("found {} {fields}", words.len()));
    error.with_hint(
        "a crontab has 5 (minute hour day month weekday), 6 with the second first, 7 with the year last as well",
    )
}
