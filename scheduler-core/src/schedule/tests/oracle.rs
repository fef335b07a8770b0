//! A second opinion that shares no code with the module: the rules as sets of numbers, matched by walking.
//!
//! [`Rule::fires`] replays the loop of cronie's daemon, minute by minute of real time; [`Rule::next_naive`] steps over
//! days of the naive calendar.

use std::collections::BTreeSet;

use jiff::{
    Timestamp, ToSpan as _,
    civil::{DateTime, Time},
    tz::TimeZone,
};
use proptest::prelude::*;

/// One field as it was written, and what it means.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) text: String,
    set: BTreeSet<u32>,
}

impl Written {
    fn star(&self) -> bool {
        self.text.starts_with('*')
    }
}

/// Five fields with an optional one for the seconds.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    second: Option<Written>,
    minute: Written,
    hour: Written,
    day: Written,
    month: Written,
    weekday: Written,
}

impl Rule {
    pub(super) fn text(&self) -> String {
        let fields = [&self.minute, &self.hour, &self.day, &self.month, &self.weekday];
        let fields = self.second.iter().chain(fields);
        fields.map(|field| field.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    fn on_day(&self, at: DateTime) -> bool {
        let day = self.day.set.contains(&(at.day() as u32));
        let weekday = self.weekday.set.contains(&(at.date().weekday().to_sunday_zero_offset() as u32));
        let days = if self.day.star() || self.weekday.star() { day && weekday } else { day || weekday };
        days && self.month.set.contains(&(at.month() as u32))
    }

    fn at_minute(&self, at: DateTime) -> bool {
        self.minute.set.contains(&(at.minute() as u32))
            && self.hour.set.contains(&(at.hour() as u32))
            && self.on_day(at)
    }

    /// The first match after `after`, and not after `years` more years.
    pub(super) fn next_naive(&self, after: DateTime, years: i32) -> Option<DateTime> {
        let zero = BTreeSet::from([0]);
        let seconds = self.second.as_ref().map_or(&zero, |second| &second.set);
        let end = after.checked_add(years.years()).unwrap_or(DateTime::MAX).date();
        let mut date = after.date();
        while date <= end {
            if self.on_day(date.at(0, 0, 0, 0)) {
                for &hour in &self.hour.set {
                    for &minute in &self.minute.set {
                        for &second in seconds {
                            let found = date.to_datetime(Time::constant(hour as i8, minute as i8, second as i8, 0));
                            if found > after {
                                return Some(found);
                            }
                        }
                    }
                }
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    /// All firings after `from`, up to `to`, by the daemon's loop. Both must be whole minutes, and `from` must be at
    /// least three hours after a change of the offset.
    pub(super) fn fires(&self, from: Timestamp, to: Timestamp, zone: &TimeZone) -> Vec<Timestamp> {
        let wildcard = self.minute.star() || self.hour.star();
        let zero = BTreeSet::from([0]);
        let seconds = self.second.as_ref().map_or(&zero, |second| &second.set);
        let mut fires = Vec::new();
        let mut virtual_time = zone.to_datetime(from);
        let mut real = from;
        while real < to {
            real += 1.minute();
            let local = zone.to_datetime(real);
            let jump = virtual_time.until((jiff::Unit::Minute, local)).unwrap().get_minutes();
            let (skipped, repeated) = ((2..=181).contains(&jump), (-180..=0).contains(&jump));
            if skipped && !wildcard && (1..jump).any(|minutes| self.at_minute(virtual_time + minutes.minutes())) {
                fires.push(real);
            }
            if self.at_minute(local) && (wildcard || !repeated) {
                fires.extend(seconds.iter().map(|&second| real + i64::from(second).seconds()));
            }
            if !repeated {
                virtual_time = local;
            }
        }
        fires.dedup();
        fires
    }
}

/// A random item of a field, as text and members.
fn item(low: u32, high: u32, names: &'static [&'static str]) -> impl Strategy<Value = (String, BTreeSet<u32>)> {
    let name = move |value: u32, named: bool| match names.get((value - low) as usize) {
        Some(name) if named => (*name).to_owned(),
        _ => value.to_string(),
    };
    let number = (low..=high, any::<bool>()).prop_map(move |(n, named)| (name(n, named), BTreeSet::from([n])));
    let range = (low..=high, low..=high, any::<(bool, bool)>(), prop::option::of(1..40_u32)).prop_map(
        move |(a, b, (named_low, named_high), step)| {
            let (a, b) = (a.min(b), a.max(b));
            // `sun` at the end of a range is 7, so it must not be how a 0 is written there.
            let text = format!("{}-{}", name(a, named_low), name(b, named_high && b > low));
            let text = step.map_or(text.clone(), |step| format!("{text}/{step}"));
            (text, (a..=b).step_by(step.unwrap_or(1) as usize).collect())
        },
    );
    let star = (1..70_u32).prop_map(move |step| {
        let text = if step == 1 { "*".to_owned() } else { format!("*/{step}") };
        (text, (low..=high).step_by(step as usize).collect())
    });
    prop_oneof![3 => number, 2 => range, 2 => star]
}

fn field(low: u32, high: u32, names: &'static [&'static str], stars: u32) -> impl Strategy<Value = Written> {
    let list = prop::collection::vec(item(low, high, names), 1..4).prop_map(|items| Written {
        text: items.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join(","),
        set: items.into_iter().flat_map(|(_, set)| set).collect(),
    });
    let star = Just(Written { text: "*".into(), set: (low..=high).collect() });
    prop_oneof![5 => list, stars => star]
}

/// Any rule with a seconds field if `seconds`; it may be one that never fires.
pub(super) fn rule(seconds: bool) -> impl Strategy<Value = Rule> {
    const MONTHS: &[&str] = &["jan", "Feb", "MAR", "apr", "May", "JUN", "jul", "Aug", "SEP", "oct", "Nov", "DEC"];
    const DAYS: &[&str] = &["SUN", "mon", "Tue", "WED", "thu", "Fri", "SAT"];
    let weekday = field(0, 7, DAYS, 5).prop_map(|mut weekday| {
        if weekday.set.remove(&7) {
            weekday.set.insert(0);
        }
        weekday
    });
    let second = if seconds { field(0, 59, &[], 1).prop_map(Some).boxed() } else { Just(None).boxed() };
    (second, field(0, 59, &[], 2), field(0, 23, &[], 3), field(1, 31, &[], 6), field(1, 12, MONTHS, 8), weekday)
        .prop_map(|(second, minute, hour, day, month, weekday)| Rule { second, minute, hour, day, month, weekday })
}
