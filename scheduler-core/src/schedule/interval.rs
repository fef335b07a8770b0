//! `every 5m`: real elapsed time, counted from an anchor. Arithmetic only; no calendar, no zone.

use jiff::Timestamp;

use super::{ScheduleError, text::Part};
use crate::duration;

/// The instants `anchor + k * period` for every whole `k`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interval {
    pub(super) anchor: Timestamp,
    /// At least a second.
    pub(super) period: std::time::Duration,
}

impl Interval {
    /// Parses the duration after `every`.
    pub(super) fn parse(text: Part<'_>, anchor: Timestamp) -> Result<Self, ScheduleError> {
        let period = duration::parse(text.text).map_err(|reason| match reason.split_once("; ") {
            Some((message, hint)) => text.error(message).with_hint(hint),
            None => text.error(reason),
        })?;
        if period < std::time::Duration::from_secs(1) {
            let error = text.error(format!("`{}` is shorter than a second", text.text));
            return Err(error.with_hint("write `1s` or longer"));
        }
        Ok(Interval { anchor, period })
    }

    /// The first instant after `after`.
    pub(super) fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        self.instant(self.index(after) + 1)
    }

    /// The last instant that is not after `at`.
    pub(super) fn last_at(&self, at: Timestamp) -> Option<Timestamp> {
        self.instant(self.index(at))
    }

    fn index(&self, at: Timestamp) -> i128 {
        (at.as_nanosecond() - self.anchor.as_nanosecond()).div_euclid(self.nanoseconds())
    }

    fn instant(&self, index: i128) -> Option<Timestamp> {
        let elapsed = index.checked_mul(self.nanoseconds())?;
        Timestamp::from_nanosecond(self.anchor.as_nanosecond().checked_add(elapsed)?).ok()
    }

    fn nanoseconds(&self) -> i128 {
        i128::try_from(self.period.as_nanos()).unwrap_or(i128::MAX)
    }
}
