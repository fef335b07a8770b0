//! The next match in naive local time, found by the `cron` crate: for schedules with a list of years, which few have,
//! and as the yardstick of `matching`.
//!
//! The crate is handed canonical numeric lists and a `Utc` carrier that means "local, no zone". Three of its limits
//! are lifted here: it joins the two day fields with AND only (so the either rule is two schedules, of which the
//! earlier match counts), it numbers weekdays from 1, and its calendar ends with the year 2100.

use chrono::{DateTime, Datelike, NaiveDate, Utc};

use super::{
    Field, bits,
    calendar::{Calendar, DayRule},
    never,
    years::Years,
};

/// The compiled form of a [`Calendar`]; larger than it, so built on first use.
#[derive(Clone, Debug)]
pub(super) struct Engine {
    /// One schedule, or two of which the earlier match counts.
    alternatives: Box<[cron::Schedule]>,
}

/// The years that the `cron` crate knows.
const KNOWN: std::ops::RangeInclusive<i32> = 1970..=2100;

/// Twenty-eight years in a row within one century rule begin on each weekday, as leap years and as common ones.
const CARRIERS: std::ops::Range<i32> = 2000..2028;

impl Engine {
    pub(super) fn new(calendar: &Calendar) -> Self {
        let both = Calendar { day_rule: DayRule::Both, years: None, ..calendar.clone() };
        let parts = match calendar.day_rule {
            _ if calendar.every_day() => {
                vec![Calendar { day: Field::DayOfMonth.full(), weekday: Field::Weekday.full(), ..both }]
            }
            DayRule::Both => vec![both],
            DayRule::Either => {
                vec![
                    Calendar { weekday: Field::Weekday.full(), ..both.clone() },
                    Calendar { day: Field::DayOfMonth.full(), ..both },
                ]
            }
        };
        // `0 0 31 2 1` is every Monday of February: its other half would be searched for in vain each time.
        let alternatives = parts.iter().filter(|part| never::reason(part).is_none()).map(compile).collect();
        Engine { alternatives }
    }

    /// The first match after the local second `after`, both counted from 1970-01-01 00:00:00 on the local clock, in one
    /// of `years`.
    pub(super) fn next(&self, years: &Years, after: i64) -> Option<i64> {
        let mut year = DateTime::from_timestamp(after.checked_add(1)?, 0)?.year();
        // One year at a time, each moved onto one the crate knows that has the same days on the same weekdays.
        loop {
            year = years.first_from(year)?;
            let carrier = carrier(year)?;
            let shift = start_of(year)? - start_of(carrier)?;
            let from = after.max(start_of(year)? - 1) - shift;
            match self.next_known(from) {
                Some(found) if found < start_of(carrier + 1)? => return Some(found + shift),
                _ => year += 1,
            }
        }
    }

    fn next_known(&self, after: i64) -> Option<i64> {
        let after = DateTime::<Utc>::from_timestamp(after, 0)?;
        let matches = self.alternatives.iter().filter_map(|schedule| schedule.after(&after).next());
        matches.map(|found| found.timestamp()).min()
    }
}

fn compile(part: &Calendar) -> cron::Schedule {
    let text = format!(
        "{} {} {} {} {} {} *",
        bits::list(part.second, Field::Second.full(), 0),
        bits::list(part.minute, Field::Minute.full(), 0),
        bits::list(part.hour, Field::Hour.full(), 0),
        bits::list(part.day, Field::DayOfMonth.full(), 0),
        bits::list(part.month, Field::Month.full(), 0),
        bits::list(part.weekday, Field::Weekday.full(), 1),
    );
    text.parse().expect("a canonical numeric list is a valid cron expression")
}

/// A year the crate knows that has the same calendar as `year`.
fn carrier(year: i32) -> Option<i32> {
    if KNOWN.contains(&year) {
        return Some(year);
    }
    let shape = |year: i32| {
        let first = NaiveDate::from_ymd_opt(year, 1, 1)?;
        Some((first.leap_year(), first.weekday()))
    };
    CARRIERS.into_iter().find(|&carrier| shape(carrier) == shape(year))
}

fn start_of(year: i32) -> Option<i64> {
    Some(NaiveDate::from_ymd_opt(year, 1, 1)?.and_hms_opt(0, 0, 0)?.and_utc().timestamp())
}
