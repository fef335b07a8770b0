//! Instants and spans as people read them: RFC 3339 with the offset of the job's zone, and how far that is from now.

use std::time::Duration;

use jiff::{
    SignedDuration, Timestamp,
    civil::DateTime,
    tz::{Offset, TimeZone},
};

/// The instant to the second on the clock of `zone`: `2026-11-22T11:00:00+01:00`.
pub(crate) fn stamp(at: Timestamp, zone: &TimeZone) -> String {
    exact(Timestamp::from_second(at.as_second()).unwrap_or(at), zone)
}

/// The instant on the clock of `zone` without loss, for programs.
pub(crate) fn exact(at: Timestamp, zone: &TimeZone) -> String {
    let offset = zone.to_offset(at);
    // RFC 3339 has no seconds in offsets; the mean times of long ago do.
    let offset = if offset.seconds() % 60 == 0 { offset } else { Offset::UTC };
    at.display_with_offset(offset).to_string()
}

/// An instant as people write it: RFC 3339, or a date and time on the clock of `zone`.
pub(crate) fn read(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    let on_the_clock = || zone.to_timestamp(text.parse::<DateTime>().ok()?).ok();
    text.parse().ok().or_else(on_the_clock)
}

/// How far `at` is from `now`: `in 3 h`, `2 min ago`, `now`.
pub(crate) fn relative(at: Timestamp, now: Timestamp) -> String {
    let away = at.duration_since(now);
    match coarse(away.unsigned_abs()) {
        None => "now".into(),
        Some(span) if away.is_negative() => format!("{span} ago"),
        Some(span) => format!("in {span}"),
    }
}

/// [`stamp`] and [`relative`] together.
pub(crate) fn both(at: Timestamp, zone: &TimeZone, now: Timestamp) -> String {
    format!("{} ({})", stamp(at, zone), relative(at, now))
}

/// How long something took: `340 ms`, `1.2 s`, `4 min 3 s`.
pub(crate) fn length(took: SignedDuration) -> String {
    let took = took.max(SignedDuration::ZERO);
    match (took.as_secs(), took.as_millis()) {
        (0, millis) => format!("{millis} ms"),
        (1..60, millis) => format!("{:.1} s", millis as f64 / 1000.0),
        (secs @ 60..3600, _) => format!("{} min {} s", secs / 60, secs % 60),
        (secs, _) => format!("{} h {} min", secs / 3600, secs % 3600 / 60),
    }
}

/// The span in one unit, rounded; `None` below a second.
fn coarse(span: Duration) -> Option<String> {
    const UNITS: [(&str, u64, u64); 5] = [
        // A unit is used below so many seconds, and has so many.
        ("s", 100, 1),
        ("min", 100 * 60, 60),
        ("h", 48 * 3600, 3600),
        ("days", 730 * 86_400, 86_400),
        ("years", u64::MAX, 31_556_952),
    ];
    let secs = span.as_secs() + u64::from(span.subsec_millis() >= 500);
    let (unit, _, length) = UNITS.iter().find(|(_, below, _)| secs < *below)?;
    (secs > 0).then(|| format!("{} {unit}", (secs + length / 2) / length))
}

#[cfg(test)]
mod tests {
    use scheduler_core::schedule::zone;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn an_instant_is_shown_on_the_clock_of_its_zone() {
        let check = |zone: &str, expected| {
            assert_eq!(stamp(at("2026-11-22T10:00:00.5Z"), &zone::parse(zone).unwrap()), expected);
        };
        check("UTC", "2026-11-22T10:00:00+00:00");
        check("Europe/Berlin", "2026-11-22T11:00:00+01:00");
        check("Asia/Kolkata", "2026-11-22T15:30:00+05:30");
        assert_eq!(exact(at("2026-11-22T10:00:00.5Z"), &TimeZone::UTC), "2026-11-22T10:00:00.5+00:00");
    }

    #[test]
    fn a_distance_is_told_in_one_unit() {
        let now = at("2026-11-22T10:00:00Z");
        let check = |seconds: i64, expected: &str| {
            assert_eq!(relative(now + SignedDuration::from_secs(seconds), now), expected, "{seconds} s");
        };
        check(0, "now");
        check(5, "in 5 s");
        check(-99, "99 s ago");
        check(120, "in 2 min");
        check(-3 * 3600, "3 h ago");
        check(3 * 86_400, "in 3 days");
        check(3 * 31_556_952, "in 3 years");
    }

    #[test]
    fn a_length_keeps_what_matters() {
        let check = |millis: i64, expected: &str| assert_eq!(length(SignedDuration::from_millis(millis)), expected);
        check(-5, "0 ms");
        check(340, "340 ms");
        check(1240, "1.2 s");
        check(243_000, "4 min 3 s");
        check(7_260_000, "2 h 1 min");
    }
}
