//! The next instants of a schedule that somebody typed.

use jiff::{Timestamp, tz::TimeZone};
use scheduler_core::schedule::{Kind, ParseOptions, Schedule, ScheduleError};

/// Reads `text` for somebody for whom it is `now`: intervals are counted from then, and `in 30m` is half an hour later.
///
/// # Errors
/// It is not a schedule.
pub(crate) fn schedule(text: &str, zone: &TimeZone, now: Timestamp) -> Result<Schedule, ScheduleError> {
    let options = ParseOptions::default().with_anchor(now);
    match Schedule::parse(text, &options) {
        Err(error) if error.is_relative() => Schedule::parse(&Schedule::to_absolute(text, now, zone)?, &options),
        parsed => parsed,
    }
}

/// The first `count` instants after `after`, or as many as there are.
pub(crate) fn instants(schedule: &Schedule, zone: &TimeZone, after: Timestamp, count: u32) -> Vec<Timestamp> {
    let first = schedule.next_after(after, zone);
    std::iter::successors(first, |at| schedule.next_after(*at, zone)).take(count as usize).collect()
}

/// Whether the clock makes it fire, and not a boot or a hand.
pub(crate) fn is_by_the_clock(schedule: &Schedule) -> bool {
    !matches!(schedule.kind(), Kind::Reboot | Kind::Manual)
}
