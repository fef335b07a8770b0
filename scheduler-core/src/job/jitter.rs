//! Which jitter makes sense for a schedule. Which part of it is a job's own, [`Job::delay`](super::Job::delay) says.

use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    duration,
    schedule::{Kind, Schedule},
};

/// Who wants to start days later wants another schedule.
const MOST: Duration = Duration::from_hours(24);

/// How many instants are looked at for the shortest time between two: enough for a schedule of working hours, and cheap.
const LOOKED_AT: usize = 32;

/// Whether a job with this schedule may have this much jitter.
///
/// A start that is late into the next instant would look like a missed one, so the jitter must be shorter than the time
/// between any two instants: of the next 32, which is what can be told cheaply.
///
/// # Errors
/// Why not.
pub(super) fn check(jitter: Duration, schedule: &Schedule, zone: &TimeZone, from: Timestamp) -> Result<(), String> {
    if matches!(schedule.kind(), Kind::Reboot | Kind::Manual) {
        return Err(format!("`{}` has no instants that could be spread; remove it", schedule.text()));
    }
    if jitter > MOST {
        return Err(format!("{} is longer than a day; choose less", duration::format(jitter)));
    }
    let instants = std::iter::successors(schedule.next_after(from, zone), |at| schedule.next_after(*at, zone));
    let instants: Vec<Timestamp> = instants.take(LOOKED_AT).collect();
    let gaps = instants.windows(2).map(|pair| pair[1].duration_since(pair[0]));
    match gaps.min().and_then(|gap| Duration::try_from(gap).ok()) {
        Some(shortest) if jitter >= shortest => Err(format!(
            "{} is not shorter than the {} between two of its instants, so a start could be late into the next; choose less",
            duration::format(jitter),
            duration::format(shortest),
        )),
        _ => Ok(()),
    }
}
