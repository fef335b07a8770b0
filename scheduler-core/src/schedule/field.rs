//! The seven fields of a crontab expression: their bounds and names, and the parse of one field as a whole.

use std::fmt;

use super::{ScheduleError, bits, item, item::Steps, spread, text::Part, years::Years};

/// A field of a crontab expression.
///
/// ```
/// use scheduler_core::schedule::Field;
/// assert_eq!(Field::DayOfMonth.to_string(), "day of month");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// 0-59; first of six or seven fields.
    Second,
    /// 0-59.
    Minute,
    /// 0-23.
    Hour,
    /// 1-31.
    DayOfMonth,
    /// 1-12, or `jan` to `dec`.
    Month,
    /// 0-7, both 0 and 7 being Sunday, or `sun` to `sat`.
    Weekday,
    /// 1970-9999; last of seven fields.
    Year,
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

impl Field {
    /// The least value.
    pub(super) const fn min(self) -> u32 {
        match self {
            Field::Second | Field::Minute | Field::Hour | Field::Weekday => 0,
            Field::DayOfMonth | Field::Month => 1,
            Field::Year => Years::FIRST,
        }
    }

    /// The greatest value; for weekdays 7, the second spelling of Sunday.
    pub(super) const fn max(self) -> u32 {
        match self {
            Field::Second | Field::Minute => 59,
            Field::Hour => 23,
            Field::DayOfMonth => 31,
            Field::Month => 12,
            Field::Weekday => 7,
            Field::Year => Years::LAST,
        }
    }

    /// The greatest value that is no second spelling of another.
    pub(super) const fn last(self) -> u32 {
        match self {
            Field::Weekday => 6,
            other => other.max(),
        }
    }

    /// The three-letter names of the values from [`Field::min`] on; empty where crontab takes numbers only.
    pub(super) const fn names(self) -> &'static [&'static str] {
        match self {
            Field::Month => &MONTHS,
            Field::Weekday => &WEEKDAYS,
            _ => &[],
        }
    }

    /// The bits of every value.
    pub(super) const fn full(self) -> u64 {
        bits::span(self.min(), self.last())
    }

    const fn name(self) -> &'static str {
        match self {
            Field::Second => "second",
            Field::Minute => "minute",
            Field::Hour => "hour",
            Field::DayOfMonth => "day of month",
            Field::Month => "month",
            Field::Weekday => "weekday",
            Field::Year => "year",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A parsed field: its members, and whether cronie would set its star flag.
#[derive(Clone, Copy, Debug)]
pub(super) struct FieldSet {
    pub(super) bits: u64,
    /// The first character is `*`; `*/2` and `*,5` count, `1-31` and `5,*` don't.
    pub(super) star: bool,
    /// It has a slot in it.
    pub(super) spread: bool,
}

/// Parses one field other than the year.
pub(super) fn parse(field: Field, part: Part<'_>, seed: &str) -> Result<FieldSet, ScheduleError> {
    let mut set = 0;
    for steps in items(field, part, seed)? {
        set |= steps.members().fold(0, |bits, member| bits | 1 << member);
    }
    if field == Field::Weekday && bits::contains(set, 7) {
        set = set & field.full() | 1;
    }
    Ok(FieldSet { bits: set, star: part.text.starts_with('*'), spread: spread::is_in(part) })
}

/// Parses the year field; `None` is every year.
pub(super) fn parse_years(part: Part<'_>) -> Result<Option<Years>, ScheduleError> {
    let items = items(Field::Year, part, "")?;
    if items.iter().any(|steps| steps.step == 1 && steps.low == Years::FIRST && steps.high == Years::LAST) {
        return Ok(None);
    }
    Ok(Some(items.into_iter().flat_map(Steps::members).collect()))
}

fn items(field: Field, part: Part<'_>, seed: &str) -> Result<Vec<Steps>, ScheduleError> {
    let parsed = part.pieces(|c| c == ',').map(|piece| {
        if piece.text.is_empty() {
            return Err(empty_item(part, piece));
        }
        item::parse(field, piece, seed)
    });
    parsed.map(|item| item.map_err(|error| error.with_field(field))).collect()
}

fn empty_item(list: Part<'_>, item: Part<'_>) -> ScheduleError {
    // The caret goes under the comma, since nothing has no width; a leading comma follows its empty item.
    let comma = if item.at == list.at { item.at } else { item.at - 1 };
    let error = ScheduleError::new(comma..comma + 1, "empty item in the list");
    let rest: Vec<&str> = list.text.split(',').filter(|item| !item.is_empty()).collect();
    if rest.is_empty() { error.with_hint("write `*`") } else { error.with_hint(format!("write `{}`", rest.join(","))) }
}
