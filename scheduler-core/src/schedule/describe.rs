//! Schedules in plain English, from the bitsets: what is said is what will happen, however it was written.
//!
//! "At 02:30, Monday to Friday": a time part, then whatever restricts the days, months and years. No part is left out
//! and none is rounded; where no short form is exact, the values are listed.

use jiff::civil::DateTime;

use super::{
    Field, bits,
    calendar::{Calendar, DayRule},
    interval::Interval,
};

/// A calendar schedule, without its zone.
pub(super) fn calendar(calendar: &Calendar) -> String {
    let (time, is_list) = time(calendar);
    let mut parts = vec![time];
    let days = days(calendar);
    if days.is_none() && is_list {
        parts.push("every day".into());
    }
    parts.extend(days);
    if calendar.month != Field::Month.full() {
        let months = named(calendar.month, Field::Month.min(), &MONTHS, "and");
        // "on day 1 of January" belongs together; weekdays are kept apart.
        let last = parts.pop().unwrap_or_default();
        parts.push(match last.strip_suffix("of the month") {
            Some(days) => format!("{days}of {months}"),
            None if last == "every day" => format!("{last} in {months}"),
            None => format!("{last}, in {months}"),
        });
    }
    if let Some(years) = &calendar.years {
        let runs: Vec<String> = years.runs().into_iter().map(|run| run_text(run, |year| year.to_string())).collect();
        parts.push(format!("in {}", join(&runs, "and")));
    }
    parts.join(", ")
}

/// An interval.
pub(super) fn interval(interval: &Interval) -> String {
    format!("Every {}, by elapsed time", crate::duration::format(interval.period))
}

/// A one-shot on some clock.
pub(super) fn once(civil: DateTime) -> String {
    let format = if civil.second() == 0 { "%Y-%m-%d %H:%M" } else { "%Y-%m-%d %H:%M:%S" };
    format!("Once, at {}", civil.strftime(format))
}

/// The months' names, January first.
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// More times of day than this are described by their fields.
const LISTED_TIMES: u32 = 6;

/// The time part, and whether it is a list of times of day.
fn time(calendar: &Calendar) -> (String, bool) {
    let Calendar { second, minute, hour, .. } = *calendar;
    let count = second.count_ones() * minute.count_ones() * hour.count_ones();
    if count <= LISTED_TIMES {
        return (format!("At {}", join(&times(calendar), "and")), true);
    }
    if second == 1 {
        return (to_the_minute(minute, hour), false);
    }
    // Below the minute: "every 10 seconds", or seconds of the minutes that the rest describes.
    let seconds = match every(second, 60, "second") {
        Some(every) => capital(&every),
        None => format!("At {} of every minute", numbered("second", second)),
    };
    let text = match (minute == Field::Minute.full(), hour == Field::Hour.full()) {
        (true, true) => seconds,
        (true, false) => format!("{seconds}, {}", in_hours(hour)),
        (false, true) => format!("{seconds}, in {} of every hour", numbered("minute", minute)),
        (false, false) => format!("{seconds}, in {}, {}", numbered("minute", minute), in_hours(hour)),
    };
    (text, false)
}

fn times(calendar: &Calendar) -> Vec<String> {
    let seconds = |hour, minute| {
        bits::members(calendar.second).map(move |second| {
            if calendar.second == 1 {
                format!("{hour:02}:{minute:02}")
            } else {
                format!("{hour:02}:{minute:02}:{second:02}")
            }
        })
    };
    let minutes = |hour| bits::members(calendar.minute).flat_map(move |minute| seconds(hour, minute));
    bits::members(calendar.hour).flat_map(minutes).collect()
}

fn to_the_minute(minute: u64, hour: u64) -> String {
    let all_hours = hour == Field::Hour.full();
    if let Some(every) = every(minute, 60, "minute") {
        return if all_hours { capital(&every) } else { format!("{}, {}", capital(&every), in_hours(hour)) };
    }
    let past = if minute == 1 { "on the hour".to_owned() } else { format!("at {}", numbered("minute", minute)) };
    match every(hour, 24, "hour") {
        Some(every) => format!("{}, {past}", capital(&every)),
        None => format!("{}, {}", capital(&past), in_hours(hour)),
    }
}

fn in_hours(hour: u64) -> String {
    let runs = bits::runs(hour);
    if runs.len() > 2 {
        return format!("in {}", numbered("hour", hour));
    }
    let spans: Vec<String> = runs.iter().map(|(low, high)| format!("between {low:02}:00 and {high:02}:59")).collect();
    join(&spans, "and")
}

/// "every 10 minutes", if the set is just that: from 0, in equal steps, and equally over the end of the circle.
fn every(set: u64, circle: u32, unit: &str) -> Option<String> {
    let count = set.count_ones();
    if count < 2 || !circle.is_multiple_of(count) {
        return None;
    }
    let step = circle / count;
    let regular = bits::members(set).eq((0..circle).step_by(step as usize));
    regular.then(|| if step == 1 { format!("every {unit}") } else { format!("every {step} {unit}s") })
}

/// What restricts the days; `None` if nothing does.
fn days(calendar: &Calendar) -> Option<String> {
    if calendar.every_day() {
        return None;
    }
    let days = (calendar.day != Field::DayOfMonth.full()).then(|| numbered("day", calendar.day));
    let weekday = (calendar.weekday != Field::Weekday.full()).then_some(calendar.weekday);
    let either = |set| named(set, 0, &WEEKDAYS, "or");
    match (days, weekday, calendar.day_rule) {
        (Some(days), Some(set), DayRule::Either) => Some(format!("on {days} or on {}", either(set))),
        (Some(days), Some(set), DayRule::Both) => Some(format!("on {days} and only when it is {}", either(set))),
        (Some(days), None, _) => Some(format!("on {days} of the month")),
        (None, Some(set), _) => {
            let text = named(set, 0, &WEEKDAYS, "and");
            let one_range = text.contains(" to ") && !text.contains(" and ");
            Some(if one_range { text } else { format!("on {text}") })
        }
        (None, None, _) => None,
    }
}

fn ordinal(number: u32) -> String {
    let suffix = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{suffix}")
}

/// "minute 5", "minutes 5 to 30 and 49", "every 2nd minute from 1 to 59".
fn numbered(unit: &str, set: u64) -> String {
    let members: Vec<u32> = bits::members(set).collect();
    if let [first, second, _, _, .., last] = *members.as_slice() {
        let step = second - first;
        if step > 1 && members.iter().copied().eq((first..=last).step_by(step as usize)) {
            return format!("every {} {unit} from {first} to {last}", ordinal(step));
        }
    }
    let plural = if members.len() == 1 { "" } else { "s" };
    let runs: Vec<String> = bits::runs(set).into_iter().flat_map(|run| spread(run, |n| n.to_string())).collect();
    format!("{unit}{plural} {}", join(&runs, "and"))
}

/// "Monday to Friday", "June and July", joined by `word`; `names[0]` is the value `first`.
fn named(set: u64, first: u32, names: &[&str], word: &str) -> String {
    let name = |value: u32| names[(value - first) as usize].to_owned();
    // The week is read from Monday on, so that the weekend stays together; Sunday comes last as 7.
    let from_monday = first == 0 && bits::contains(set, 0) && set.count_ones() < 7;
    let set = if from_monday { set & !1 | 1 << 7 } else { set };
    let name = |value: u32| name(if first == 0 { value % 7 } else { value });
    let runs: Vec<String> = bits::runs(set).into_iter().flat_map(|run| spread(run, name)).collect();
    join(&runs, word)
}

/// A run of three or more as a range, a shorter one as its members.
fn spread(run: (u32, u32), name: impl Fn(u32) -> String) -> Vec<String> {
    if run.1 - run.0 == 1 { vec![name(run.0), name(run.1)] } else { vec![run_text(run, name)] }
}

fn run_text((low, high): (u32, u32), name: impl Fn(u32) -> String) -> String {
    if low == high { name(low) } else { format!("{} to {}", name(low), name(high)) }
}

/// "a, b and c".
fn join(items: &[String], word: &str) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} {word} {last}", first.join(", ")),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
