//! Proof that an expression can never fire: no year, month and day of it exist together. Pure.

use jiff::civil::{Date, Weekday};

use super::{
    Field, bits,
    calendar::{Calendar, DayRule},
    describe::MONTHS,
};

/// Why an expression never fires, and what would.
pub(super) struct Never {
    pub(super) reason: String,
    pub(super) hint: String,
}

/// `None` if some day matches.
pub(super) fn reason(calendar: &Calendar) -> Option<Never> {
    // By the either rule any month has a day of every weekday, and an unrestricted year has every date on every
    // weekday sooner or later, leap days included. So only these can fail:
    if calendar.day_rule == DayRule::Either {
        return None;
    }
    let months: Vec<u32> = bits::members(calendar.month).collect();
    let earliest = bits::members(calendar.day).next().unwrap_or_default();
    if months.iter().all(|&month| earliest > longest(month)) {
        return Some(no_such_day(&months, earliest));
    }
    let years = calendar.years.as_ref()?;
    if years.members().any(|year| year_matches(calendar, year)) {
        return None;
    }
    let first = years.members().next().unwrap_or_default();
    let leap_day = months == [2] && earliest == 29;
    Some(if leap_day && years.members().all(|year| !is_leap(year)) {
        let reason = if years.members().count() == 1 {
            format!("February {first} has no day 29")
        } else {
            "February has no day 29 in any of these years".into()
        };
        let leap = (first..=first + 8).find(|&year| is_leap(year)).unwrap_or_default();
        Never { reason, hint: format!("write the year `{leap}` or the day `28`") }
    } else {
        Never {
            reason: "no day of these years falls on that date and that weekday".into(),
            hint: "write `*` as the weekday".into(),
        }
    })
}

fn no_such_day(months: &[u32], day: u32) -> Never {
    let names: Vec<&str> = months.iter().map(|&month| MONTHS[month as usize - 1]).collect();
    let reason = match names.as_slice() {
        [one] => format!("{one} has no day {day}"),
        [first @ .., last] => format!("{} and {last} have no day {day}", first.join(", ")),
        [] => String::new(),
    };
    let last = months.iter().map(|&month| longest(month)).max().unwrap_or_default();
    Never { reason, hint: format!("the last day there is `{last}`") }
}

/// The last day a month can have.
const fn longest(month: u32) -> u32 {
    match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn is_leap(year: u32) -> bool {
    date(year, 1, 1).is_some_and(Date::in_leap_year)
}

fn date(year: u32, month: u32, day: u32) -> Option<Date> {
    Date::new(i16::try_from(year).ok()?, month as i8, day as i8).ok()
}

fn year_matches(calendar: &Calendar, year: u32) -> bool {
    let any_weekday = calendar.weekday == Field::Weekday.full();
    bits::members(calendar.month).any(|month| {
        let dates = bits::members(calendar.day).filter_map(|day| date(year, month, day));
        dates.map(Date::weekday).any(|weekday| any_weekday || matches(calendar, weekday))
    })
}

fn matches(calendar: &Calendar, weekday: Weekday) -> bool {
    bits::contains(calendar.weekday, weekday.to_sunday_zero_offset() as u32)
}
