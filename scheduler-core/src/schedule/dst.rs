//! Naive local matches to real instants, through the changes of a zone's offset.
//!
//! A shift of at most three hours is daylight saving: a *fixed* schedule fires once for every local time it names
//! (at the end of the gap if the gap swallows it, in the first pass of an overlap), a *wildcard* one follows the clock
//! (gaps skipped, overlaps twice). A larger shift is a correction of the clock: nothing is caught up, nothing held back.

use jiff::{
    Timestamp,
    tz::{AmbiguousOffset, Offset, TimeZone},
};

use super::stretch;

/// The largest shift that counts as daylight saving, in seconds.
const LARGEST: i64 = 3 * 3600;

/// How far ahead an overlap can begin and still make the next local match the wrong one: the largest shift ever made
/// is a day's, when a place crosses the date line.
const AHEAD: i64 = 26 * 3600;

/// The first firing after the second `after`, both in seconds since the epoch.
///
/// `next` is the next match after a local second; it must be strictly increasing.
pub(super) fn next(after: i64, zone: &TimeZone, wildcard: bool, next: impl Fn(i64) -> Option<i64>) -> Option<i64> {
    // A day and more away from the nearest change on either side, none of the rules below has anything to say.
    if let Some(stretch) = stretch::around(zone, after)
        && stretch.from.saturating_add(AHEAD) <= after
    {
        let found = next(after + stretch.offset)? - stretch.offset;
        if found < stretch.to.saturating_sub(AHEAD) {
            return Some(found);
        }
    }
    let offset = offset_at(zone, after);
    let ahead = offset_at(zone, after + AHEAD);
    let both_passes = wildcard || offset - ahead > LARGEST;

    let mut from = after + offset;
    if !wildcard {
        let before = offset_at(zone, after - LARGEST);
        if before > offset && before - offset <= LARGEST {
            // This is perhaps the second pass of an overlap; all of its local times have had their turn.
            let change = change_between(zone, after - LARGEST, after);
            from = from.max(change + before - 1);
        }
    }
    let mut found = next(from)?;
    if both_passes && ahead < offset {
        let change = change_between(zone, after, after + AHEAD);
        if found < change + offset {
            return Some(found - offset);
        }
        let later = offset_at(zone, change);
        found = next(change + later - 1)?;
        if found < change + offset {
            return Some(found - later);
        }
    }
    loop {
        let instant = match ambiguity(zone, found)? {
            AmbiguousOffset::Unambiguous { offset } => found - seconds(offset),
            AmbiguousOffset::Fold { before, after: later } => {
                let earlier = found - seconds(before);
                if earlier > after { earlier } else { found - seconds(later) }
            }
            AmbiguousOffset::Gap { before, after: later } => {
                let (before, later) = (seconds(before), seconds(later));
                let change = change_between(zone, found - later, found - before);
                if !wildcard && later - before <= LARGEST {
                    change
                } else {
                    found = next(change + later - 1)?;
                    continue;
                }
            }
        };
        // Zones whose history changes twice within hours could lead back; time here only runs forwards.
        if instant > after {
            return Some(instant);
        }
        found = next(found)?;
    }
}

/// The first second after `low` at which the offset is no longer that of `low`; it must have changed by `high`.
pub(super) fn change_between(zone: &TimeZone, mut low: i64, mut high: i64) -> i64 {
    let old = offset_at(zone, low);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if offset_at(zone, middle) == old {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// What the zone makes of a local second; `None` beyond the end of time.
fn ambiguity(zone: &TimeZone, local: i64) -> Option<AmbiguousOffset> {
    let carrier = Timestamp::from_second(local).ok()?;
    Some(zone.to_ambiguous_timestamp(Offset::UTC.to_datetime(carrier)).offset())
}

fn offset_at(zone: &TimeZone, second: i64) -> i64 {
    let clamped = second.clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    seconds(Timestamp::from_second(clamped).map_or(Offset::UTC, |instant| zone.to_offset(instant)))
}

fn seconds(offset: Offset) -> i64 {
    i64::from(offset.seconds())
}
