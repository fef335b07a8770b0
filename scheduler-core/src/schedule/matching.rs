//! The next match in naive local time, read off the bitsets: a month is one step, a day and a time of day another.
//!
//! A plan asks this of every job it looks at, so it allocates nothing, builds nothing and keeps nothing. The `cron` crate's
//! [`engine`](super::engine) answers the same question for schedules with a list of years, and is what this is checked
//! against.

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::Offset,
};

use super::{
    bits,
    calendar::{Calendar, DayRule},
};

const DAY: i64 = 86_400;

/// The first match after the local second `after`, both counted from 1970-01-01 00:00:00 on the local clock; `None` beyond
/// the end of time. The years of `calendar` are not looked at.
pub(super) fn next(calendar: &Calendar, after: i64) -> Option<i64> {
    let from = after.checked_add(1)?;
    let civil = civil(from)?;
    let date = civil.date();
    let mut days = days_of_month(calendar, date.first_of_month());
    if bits::contains(days, date.day() as u32)
        && let Some(time) = time_from(calendar, from.rem_euclid(DAY) as u32)
    {
        return Some(from.div_euclid(DAY) * DAY + i64::from(time));
    }
    // Nothing more today: the first time of the next day that matches.
    let mut month = date.first_of_month();
    let mut later = at_least(days, date.day() as u32 + 1);
    let day = loop {
        match later {
            Some(day) => break day,
            None => {
                month = month_after(calendar, month)?;
                days = days_of_month(calendar, month);
                later = at_least(days, 1);
            }
        }
    };
    let start = second_of(Date::new(month.year(), month.month(), day as i8).ok()?.at(0, 0, 0, 0))?;
    Some(start + i64::from(time_from(calendar, 0)?))
}

/// The days of the month that begins with `first` which match, as bits 1 to 31.
fn days_of_month(calendar: &Calendar, first: Date) -> u64 {
    if !bits::contains(calendar.month, first.month() as u32) {
        return 0;
    }
    let month = bits::span(1, first.days_in_month() as u32);
    // The week, turned so that bit 0 is the first of the month, and laid end to end five times.
    let begins = first.weekday().to_sunday_zero_offset() as u32;
    let week = (calendar.weekday >> begins | calendar.weekday << (7 - begins)) & bits::span(0, 6);
    let weekdays = (week | week << 7 | week << 14 | week << 21 | week << 28) << 1;
    month
        & match calendar.day_rule {
            DayRule::Both => calendar.day & weekdays,
            DayRule::Either => calendar.day | weekdays,
        }
}

/// The first day of the next month of the calendar.
fn month_after(calendar: &Calendar, month: Date) -> Option<Date> {
    match at_least(calendar.month, month.month() as u32 + 1) {
        Some(later) => Date::new(month.year(), later as i8, 1).ok(),
        None => Date::new(month.year() + 1, at_least(calendar.month, 1)? as i8, 1).ok(),
    }
}

/// The first time of day that matches at or after `from`, both in seconds since midnight.
fn time_from(calendar: &Calendar, from: u32) -> Option<u32> {
    let Calendar { second: seconds, minute: minutes, hour: hours, .. } = calendar;
    let (hour, minute, second) = (from / 3600, from / 60 % 60, from % 60);
    let time = |hour: u32, minute: u32, second: u32| hour * 3600 + minute * 60 + second;
    let first = |set: &u64| set.trailing_zeros();
    if bits::contains(*hours, hour) {
        if bits::contains(*minutes, minute)
            && let Some(second) = at_least(*seconds, second)
        {
            return Some(time(hour, minute, second));
        }
        if let Some(minute) = at_least(*minutes, minute + 1) {
            return Some(time(hour, minute, first(seconds)));
        }
    }
    let hour = at_least(*hours, hour + 1)?;
    Some(time(hour, first(minutes), first(seconds)))
}

/// The smallest member of `set` that is `from` or more. `from` is at most 60.
fn at_least(set: u64, from: u32) -> Option<u32> {
    let rest = set >> from << from;
    (rest != 0).then(|| rest.trailing_zeros())
}

fn civil(second: i64) -> Option<DateTime> {
    Some(Offset::UTC.to_datetime(Timestamp::from_second(second).ok()?))
}

fn second_of(civil: DateTime) -> Option<i64> {
    Some(Offset::UTC.to_timestamp(civil).ok()?.as_second())
}
