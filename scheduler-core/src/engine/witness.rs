//! Whether time passed as it should between two looks at the clocks; what else it did goes on record.

use std::{collections::VecDeque, time::Duration};

use jiff::{SignedDuration, Timestamp};

use crate::{
    Clock,
    audit::{Outage, OutageCause},
    plan::ON_TIME,
};

/// What the clocks showed, and when they were to be looked at again.
#[derive(Debug, Clone, Copy)]
struct Look {
    wall: Timestamp,
    since_boot: Duration,
    awake: Duration,
    again: Timestamp,
}

/// A leap of the wall clock, or a sleep of the machine, that is worth a record.
pub(super) const NOTABLE: SignedDuration = SignedDuration::from_secs(1);
/// More outages than this wait for a store that can't be written; the oldest of them go.
const MOST: usize = 64;

/// Looks at the clocks, and keeps what is to be noted until it is.
#[derive(Debug, Default)]
pub(super) struct Witness {
    last: Option<Look>,
    unnoted: VecDeque<Outage>,
}

impl Witness {
    /// The engine is at work now, by `clock`, and means to be again by `again`.
    pub(super) fn look(&mut self, clock: &dyn Clock, again: Timestamp) {
        let now = Look { wall: clock.now(), since_boot: clock.boottime(), awake: clock.monotonic(), again };
        if let Some(last) = self.last.replace(now) {
            for outage in between(&last, &now) {
                self.note(outage);
            }
        }
    }

    /// Looks again by `again`, if that is earlier than what was meant.
    pub(super) fn expect(&mut self, again: Timestamp) {
        if let Some(last) = &mut self.last {
            last.again = last.again.min(again);
        }
    }

    /// Has `outage` noted at the next occasion.
    pub(super) fn note(&mut self, outage: Outage) {
        if self.unnoted.len() == MOST {
            self.unnoted.pop_front();
        }
        self.unnoted.push_back(outage);
    }

    /// What is to be noted.
    pub(super) fn unnoted(&mut self) -> Vec<Outage> {
        self.unnoted.drain(..).collect()
    }
}

/// What happened between two looks that a scheduler at work doesn't see.
fn between(last: &Look, now: &Look) -> Vec<Outage> {
    let passed = |from: Duration, to: Duration| signed(to) - signed(from);
    let (real, awake) = (passed(last.since_boot, now.since_boot), passed(last.awake, now.awake));
    let (asleep, set) = (real - awake, now.wall.duration_since(last.wall) - real);
    let mut outages = Vec::new();
    let before = |span: SignedDuration| now.wall.checked_sub(span).unwrap_or(now.wall);
    if asleep >= NOTABLE {
        outages.push(Outage::new(OutageCause::Suspended, before(asleep), now.wall));
    }
    if set.abs() >= NOTABLE {
        outages.push(Outage::new(OutageCause::ClockSet, before(set), now.wall));
    }
    let meant = last.again.duration_since(last.wall).max(SignedDuration::ZERO);
    if outages.is_empty() && awake - meant > ON_TIME {
        outages.push(Outage::new(OutageCause::Stalled, last.again.max(last.wall), now.wall));
    }
    outages
}

fn signed(span: Duration) -> SignedDuration {
    SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kept_time_from_passing_is_told_by_three_clocks() {
        let begin: Timestamp = "2026-11-22T02:00:00Z".parse().unwrap();
        let at = |secs: i64| begin + SignedDuration::from_secs(secs);
        let check = |wall: i64, real: u64, awake: u64, expected: Option<(OutageCause, i64, i64)>| {
            let day = Duration::from_hours(24);
            let last = Look { wall: begin, since_boot: 2 * day, awake: day, again: at(60) };
            let (since_boot, awake) = (2 * day + Duration::from_secs(real), day + Duration::from_secs(awake));
            let now = Look { wall: at(wall), since_boot, awake, again: at(wall + 60) };
            let expected: Vec<Outage> =
                expected.into_iter().map(|(cause, from, to)| Outage::new(cause, at(from), at(to))).collect();
            assert_eq!(between(&last, &now), expected, "wall {wall}, real {real}");
        };
        check(60, 60, 60, None);
        check(1, 1, 1, None);
        check(64, 64, 64, None);
        check(90, 90, 90, Some((OutageCause::Stalled, 60, 90)));
        check(3600, 3600, 30, Some((OutageCause::Suspended, 30, 3600)));
        check(3660, 60, 60, Some((OutageCause::ClockSet, 60, 3660)));
        check(-3540, 60, 60, Some((OutageCause::ClockSet, 60, -3540)));
    }

    #[test]
    fn an_earlier_appointment_counts() {
        let clock = crate::testing::ManualClock::at("2026-11-22T02:00:00Z");
        let mut witness = Witness::default();
        witness.look(&clock, clock.now() + SignedDuration::from_secs(60));
        witness.expect(clock.now() + SignedDuration::from_secs(10));
        clock.advance(Duration::from_secs(30));
        witness.look(&clock, clock.now() + SignedDuration::from_secs(60));
        assert_eq!(witness.unnoted().len(), 1);
        assert!(witness.unnoted().is_empty());
    }
}
