//! A calendar schedule as cronie sees it: one bitset per field, the day rule, and the wildcard flag.
//!
//! Plain data: how it is written is `crontab`'s affair, and when it matches is `engine`'s.

use std::fmt::Write as _;

use super::{Field, bits, years::Years};

/// The fields of one crontab expression.
#[derive(Clone, Debug)]
pub(super) struct Calendar {
    pub(super) second: u64,
    pub(super) minute: u64,
    pub(super) hour: u64,
    pub(super) day: u64,
    pub(super) month: u64,
    /// Bits 0 to 6, Sunday first.
    pub(super) weekday: u64,
    /// `None` is every year.
    pub(super) years: Option<Years>,
    pub(super) day_rule: DayRule,
    /// The minute or hour field is star: such a schedule follows the clock through a DST change, second by second,
    /// while a fixed one fires once for every time it names.
    pub(super) wildcard: bool,
    /// A field has a slot in it, which another seed may move.
    pub(super) spread: bool,
}

/// How the day of month and the weekday combine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DayRule {
    /// At least one of the two fields is star: both must match.
    Both,
    /// Neither is star: one match is enough.
    Either,
}

impl Calendar {
    /// Whether every day of a month that matches is one: the day fields don't restrict anything.
    pub(super) fn every_day(&self) -> bool {
        let (day, weekday) = (self.day == Field::DayOfMonth.full(), self.weekday == Field::Weekday.full());
        match self.day_rule {
            DayRule::Both => day && weekday,
            DayRule::Either => day || weekday,
        }
    }

    /// One text for all spellings of the same schedule.
    pub(super) fn canonical(&self) -> String {
        let mut text = format!(
            "cron {} {} {} {} {} {}",
            bits::list(self.second, Field::Second.full(), 0),
            bits::list(self.minute, Field::Minute.full(), 0),
            bits::list(self.hour, Field::Hour.full(), 0),
            bits::list(self.day, Field::DayOfMonth.full(), 0),
            bits::list(self.month, Field::Month.full(), 0),
            bits::list(self.weekday, Field::Weekday.full(), 0),
        );
        if let Some(years) = &self.years {
            for (index, (low, high)) in years.runs().into_iter().enumerate() {
                let _ = write!(text, "{}{low}-{high}", if index == 0 { " " } else { "," });
            }
        } else {
            text.push_str(" *");
        }
        text.push_str(if self.day_rule == DayRule::Both { " both" } else { " either" });
        text.push_str(if self.wildcard { " wildcard" } else { " fixed" });
        text
    }
}
