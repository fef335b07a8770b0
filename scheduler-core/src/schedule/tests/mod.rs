//! What a schedule promises, as tables and properties.

mod corpus;
mod describe;
mod dst;
mod matching;
mod once;
mod oracle;
mod properties;
mod range;
mod spread;
mod written;

use jiff::{Timestamp, tz::TimeZone};

use super::{Field, Kind, ParseOptions, Schedule, zone};

fn parse(text: &str) -> Schedule {
    Schedule::parse(text, &ParseOptions::default()).unwrap_or_else(|error| panic!("`{text}`: {error}"))
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|error| panic!("`{text}`: {error}"))
}

fn in_zone(name: &str) -> TimeZone {
    zone::parse(name).unwrap()
}

/// The next `count` instants.
fn upcoming(schedule: &Schedule, after: Timestamp, zone: &TimeZone, count: usize) -> Vec<Timestamp> {
    let next = |last: &Timestamp| schedule.next_after(*last, zone);
    std::iter::successors(schedule.next_after(after, zone), next).take(count).collect()
}
