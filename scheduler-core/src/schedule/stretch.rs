//! Stretches of time in which a zone's offset doesn't change. Most zones have one of half a year, or of all time, and nearly
//! every question is about the middle of one: there, local time is real time and a constant.

use std::cell::RefCell;

use jiff::{Timestamp, tz::TimeZone};

/// Seconds since the epoch, from the first of the stretch to the one behind its last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) from: i64,
    pub(super) to: i64,
    /// What local time is ahead by, in seconds.
    pub(super) offset: i64,
}

/// How many stretches a thread remembers. Jobs of one machine are in few zones.
const REMEMBERED: usize = 8;

thread_local! {
    /// The stretches asked for last, newest first. Only a memory of what the zone says: nothing that comes out of it differs
    /// from what would be computed.
    static RECENT: RefCell<Vec<(TimeZone, Stretch)>> = const { RefCell::new(Vec::new()) };
}

/// The stretch of `zone` in which `second` lies; `None` beyond the end of time.
pub(super) fn around(zone: &TimeZone, second: i64) -> Option<Stretch> {
    RECENT.with_borrow_mut(|recent| {
        let here =
            |(known, stretch): &(TimeZone, Stretch)| stretch.from <= second && second < stretch.to && known == zone;
        if let Some(found) = recent.iter().position(here) {
            recent[..=found].rotate_right(1);
        } else {
            let stretch = compute(zone, second)?;
            recent.truncate(REMEMBERED - 1);
            recent.insert(0, (zone.clone(), stretch));
        }
        Some(recent[0].1)
    })
}

fn compute(zone: &TimeZone, second: i64) -> Option<Stretch> {
    let at = Timestamp::from_second(second).ok()?;
    // A change at `at` itself begins the stretch.
    let behind = Timestamp::from_second(second + 1).ok()?;
    let from = zone.preceding(behind).next().map_or(i64::MIN, |change| change.timestamp().as_second());
    let to = zone.following(at).next().map_or(i64::MAX, |change| change.timestamp().as_second());
    Some(Stretch { from, to, offset: i64::from(zone.to_offset(at).seconds()) })
}
