//! Properties of random schedules, held against the walking [oracle](super::oracle).

use std::collections::BTreeSet;

use jiff::{
    Timestamp, ToSpan as _,
    tz::{Offset, TimeZone},
};
use proptest::prelude::*;

use super::{ParseOptions, Schedule, in_zone, oracle, upcoming};

const ZONES: [&str; 14] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",
    "America/Havana",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Antarctica/Troll",
    "Antarctica/Casey",
    "Pacific/Apia",
    "Pacific/Chatham",
];

fn zone() -> impl Strategy<Value = TimeZone> {
    prop::sample::select(&ZONES[..]).prop_map(in_zone)
}

/// A minute between 2000 and 2060, more often than not close to a change of the zone's offset.
fn zone_and_minute() -> impl Strategy<Value = (TimeZone, Timestamp)> {
    (zone(), 946_684_800_i64..2_840_140_800, any::<bool>(), -2000_i64..200).prop_map(|(zone, second, near, minutes)| {
        let anywhere = Timestamp::from_second(second - second % 60).unwrap();
        let change = zone.following(anywhere).next().filter(|_| near).map(|change| change.timestamp());
        let at = change.map_or(anywhere, |change| change + minutes.minutes());
        // Some zones list the end of 32-bit time as a change, in the middle of a minute.
        (zone, Timestamp::from_second(at.as_second().div_euclid(60) * 60).unwrap())
    })
}

/// Second, minute, hour, day of month, month, weekday.
const BOUNDS: [(u32, u32); 6] = [(0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6)];

/// The members of six fields: a few numbers, or steps, or all.
fn written_out() -> impl Strategy<Value = Vec<BTreeSet<u32>>> {
    BOUNDS
        .map(|(low, high)| {
            let steps =
                (low..=high, 1..=high).prop_map(move |(from, step)| (from..=high).step_by(step as usize).collect());
            prop_oneof![prop::collection::btree_set(low..=high, 1..5), steps, Just((low..=high).collect())].boxed()
        })
        .to_vec()
}

fn parse(rule: &oracle::Rule) -> Option<Schedule> {
    Schedule::parse(&rule.text(), &ParseOptions::default()).ok()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// The daemon's own loop, through gaps and overlaps, with seconds where there are some.
    #[test]
    fn fires_as_the_daemon_would(
        (zone, from) in zone_and_minute(),
        rule in any::<bool>().prop_flat_map(oracle::rule),
    ) {
        let Some(schedule) = parse(&rule) else { return Ok(()) };
        let to = from + 72.hours();
        // The replay must begin in a stretch without a change behind it; what it fires before `from` is not compared.
        let mut start = from - 4.hours();
        while zone.preceding(start + 1.second()).next().is_some_and(|c| c.timestamp() > start - 4.hours()) {
            start -= 5.hours();
        }
        let mut expected = rule.fires(start, to, &zone);
        expected.retain(|&at| from < at && at <= to);
        expected.truncate(2000);
        let mut found = upcoming(&schedule, from, &zone, (expected.len() + 1).min(2000));
        found.retain(|&at| at <= to);
        prop_assert_eq!(found, expected, "`{}` in {:?} from {}", rule.text(), zone.iana_name(), from);
    }

    /// The naive calendar in seconds, over any century that timestamps know.
    #[test]
    fn agrees_with_the_calendar(rule in oracle::rule(true), second in -60_000_000_000_i64..250_000_000_000) {
        let after = Timestamp::from_second(second).unwrap();
        let Some(schedule) = parse(&rule) else { return Ok(()) };
        let expected = rule.next_naive(TimeZone::UTC.to_datetime(after), 41);
        let found = schedule.next_after(after, &TimeZone::UTC).map(|at| Offset::UTC.to_datetime(at));
        prop_assert_eq!(found, expected, "`{}` after {}", rule.text(), after);
    }

    /// What is refused as never firing has no match in a full leap year cycle, weekdays included.
    #[test]
    fn never_means_never(rule in oracle::rule(false)) {
        let refused = Schedule::parse(&rule.text(), &ParseOptions::default()).err();
        prop_assert!(refused.as_ref().is_none_or(|error| error.to_string().contains("never fires")), "{:?}", refused);
        let start = jiff::civil::date(2000, 1, 1).at(0, 0, 0, 0);
        prop_assert_eq!(refused.is_some(), rule.next_naive(start, 41).is_none(), "`{}`", rule.text());
    }

    /// Strictly after, strictly increasing, and monotone in its argument.
    #[test]
    fn time_runs_forwards((zone, from) in zone_and_minute(), rule in oracle::rule(true), nudge in 0_i64..10_000_000_000) {
        let Some(schedule) = parse(&rule) else { return Ok(()) };
        let from = from + nudge.nanoseconds();
        let found = upcoming(&schedule, from, &zone, 30);
        prop_assert!(found.first().is_none_or(|&first| first > from));
        prop_assert!(found.is_sorted_by(|a, b| a < b), "{:?}", found);
        for pair in found.windows(2) {
            let between = pair[0] + (pair[1].duration_since(pair[0]) / 2);
            prop_assert_eq!(schedule.next_after(between, &zone), Some(pair[1]));
            prop_assert_eq!(schedule.next_after(pair[1] - 1.nanosecond(), &zone), Some(pair[1]));
        }
    }

    /// Galloping finds what walking finds.
    #[test]
    fn newest_is_the_last_of_a_walk((zone, from) in zone_and_minute(), rule in oracle::rule(true), span in 0_i64..200_000) {
        let Some(schedule) = parse(&rule) else { return Ok(()) };
        let to = from + span.seconds();
        let walk = std::iter::successors(schedule.next_after(from - 1.nanosecond(), &zone), |&at| schedule.next_after(at, &zone));
        let last = walk.take_while(|&at| at <= to).last();
        prop_assert_eq!(schedule.newest(from, to, &zone), last);
    }

    /// A description leaves nothing out: one value more or less in any field is told differently.
    #[test]
    fn descriptions_are_exact(fields in written_out(), field in 0_usize..6, value in 0_u32..60) {
        let (low, high) = BOUNDS[field];
        let mut other = fields.clone();
        let value = low + value % (high - low + 1);
        if !other[field].remove(&value) {
            other[field].insert(value);
        }
        // A full day field makes the other one meaningless.
        let full = |set: &BTreeSet<u32>, field: usize| set.len() as u32 == BOUNDS[field].1 - BOUNDS[field].0 + 1;
        let blurred = [&fields, &other].iter().any(|fields| full(&fields[3], 3) || full(&fields[5], 5));
        if blurred || other[field].is_empty() {
            return Ok(());
        }
        let describe = |fields: &[BTreeSet<u32>]| {
            let lists = fields.iter().map(|set| set.iter().map(u32::to_string).collect::<Vec<_>>().join(","));
            super::parse(&lists.collect::<Vec<_>>().join(" ")).describe(None)
        };
        prop_assert_ne!(describe(&fields), describe(&other));
    }

    /// Intervals: whole periods from the anchor, in both directions.
    #[test]
    fn intervals_keep_their_anchor(anchor in -1_000_000_000_i64..4_000_000_000, period in 1_i64..1_000_000, at in -1_000_000_000_i64..4_000_000_000) {
        let instant = |second| Timestamp::from_second(second).unwrap();
        let options = ParseOptions::default().with_anchor(instant(anchor));
        let schedule = Schedule::parse(&format!("every {period}s"), &options).unwrap();
        let next = schedule.next_after(instant(at), &TimeZone::UTC).unwrap().as_second();
        prop_assert!(next > at && next - period <= at && (next - anchor) % period == 0);
        let newest = schedule.newest(instant(at - period + 1), instant(at), &TimeZone::UTC);
        prop_assert_eq!(newest, Some(instant(next - period)));
    }

    /// No text makes the parser panic, and every refusal can be shown.
    #[test]
    fn any_text_is_accepted_or_explained(text in "(every |in |@|20)?[-0-9a-zA-Z@*/,~#?:+.()\\[\\] \t\u{e9}]{0,24}") {
        if let Err(error) = Schedule::parse(&text, &ParseOptions::default()) {
            prop_assert!(!error.to_string().contains('\n'));
            prop_assert_eq!(error.caret().lines().count(), 2);
            prop_assert!(error.hint().is_some(), "{}", error);
        }
    }
}
