//! `H` and `~`: a slot of the job's own, and the same one for ever.

use std::time::Duration;

use proptest::prelude::*;

use super::{super::share, ParseOptions, Schedule, parse};

fn of_job(text: &str, id: &str) -> Schedule {
    let options = ParseOptions::default().with_seed(id);
    Schedule::parse(text, &options).unwrap_or_else(|error| panic!("`{text}`: {error}"))
}

/// What a fleet of a thousand jobs gets.
fn fleet(text: &str) -> Vec<String> {
    (0..1000).map(|number| of_job(text, &format!("job-{number}")).canonical()).collect()
}

/// Every canonical form that a plain crontab of `expected` has is somebody's, and nobody has another.
fn check(text: &str, expected: impl IntoIterator<Item = String>) {
    let mut found = fleet(text);
    found.sort_unstable();
    found.dedup();
    let mut expected: Vec<String> = expected.into_iter().map(|plain| parse(&plain).canonical()).collect();
    expected.sort_unstable();
    expected.dedup();
    assert_eq!(found, expected, "`{text}`");
}

#[test]
fn a_slot_is_one_plain_crontab_of_those_in_its_range() {
    check("H * * * *", (0..60).map(|m| format!("{m} * * * *")));
    check("~ * * * *", (0..60).map(|m| format!("{m} * * * *")));
    check("20~40 * * * *", (20..=40).map(|m| format!("{m} * * * *")));
    check("50~ * * * *", (50..60).map(|m| format!("{m} * * * *")));
    check("~5 * * * *", (0..=5).map(|m| format!("{m} * * * *")));
    check("7~7 * * * *", ["7 * * * *".into()]);
    check("H(0-29) * * * *", (0..30).map(|m| format!("{m} * * * *")));
    check("H/15 * * * *", (0..15).map(|m| format!("{m}-59/15 * * * *")));
    check("H(0-29)/10 * * * *", (0..10).map(|m| format!("{m}-29/10 * * * *")));
    check("H(0-29),H(30-59) * * * *", (0..30).map(|m| format!("{m},{} * * * *", m + 30)));
    check("H/90 * * * *", (0..60).map(|m| format!("{m} * * * *")));
    check("H 0 0 * * *", (0..60).map(|s| format!("{s} 0 0 * * *")));
    // Without an end that is given, no day that some months don't have.
    check("0 0 H * *", (1..=28).map(|d| format!("0 0 {d} * *")));
    check("0 0 20~ * *", (20..=28).map(|d| format!("0 0 {d} * *")));
    check("0 0 29~ * *", (29..=31).map(|d| format!("0 0 {d} * *")));
    check("0 0 1~31 * *", (1..=31).map(|d| format!("0 0 {d} * *")));
    check("0 0 1 H *", (1..=12).map(|m| format!("0 0 1 {m} *")));
    check("0 0 * * H(mon-fri)", (1..=5).map(|d| format!("0 0 * * {d}")));
    check("0 0 * * H", (0..7).map(|d| format!("0 0 * * {d}")));
    check("0 0 * * 7~", ["0 0 * * 0".into()]);
    check("0 0 * * sat~sun", ["0 0 * * 6".into(), "0 0 * * 0".into()]);
}

#[test]
fn a_fleet_spreads_evenly() {
    // Pearson's measure over so many slots is about their number, and rarely beyond it by five deviations.
    let even = |text: &str, slots: usize| {
        let fleet = (0..20_000).map(|number| of_job(text, &format!("db-{number}.example")).canonical());
        let mut counts = std::collections::BTreeMap::<String, f64>::new();
        fleet.for_each(|slot| *counts.entry(slot).or_default() += 1.0);
        let expected = 20_000.0 / slots as f64;
        let empty = (slots - counts.len()) as f64 * expected;
        let measure = counts.values().map(|count| (count - expected).powi(2) / expected).sum::<f64>() + empty;
        let bound = slots as f64 + 5.0 * (2.0 * slots as f64).sqrt();
        assert!(measure < bound, "`{text}`: {measure:.0} is more than {bound:.0}");
    };
    even("H * * * *", 60);
    even("H/15 * * * *", 15);
    even("0 0 H * *", 28);
    even("0 0 * * 0~7", 7);
    // The fields are independent of each other.
    even("~ ~ * * *", 1440);
    even("H H H(1-2) * *", 2880);
}

#[test]
fn a_job_keeps_its_slot_for_ever() {
    // From the first release that had them; another answer moves everybody's jobs.
    for (text, id, expected) in [
        ("H H * * *", "backup", "At 17:28, every day"),
        ("~ ~ * * *", "backup", "At 17:28, every day"),
        ("H(0-29)/10 * * * *", "vacuum", "Every hour, at minutes 1, 11 and 21"),
        ("H 30~59 0~5 H H H", "a", "At 04:39:39, on day 24 or on Wednesday, in May"),
    ] {
        assert_eq!(of_job(text, id).describe(None), expected, "`{text}` of `{id}`");
    }
}

#[test]
fn a_slot_is_no_star() {
    for (text, plain) in [("H(5-5) H(3-3) * * *", "5 3 * * *"), ("0 0 H(13-13) * H(5-5)", "0 0 13 * 5")] {
        assert_eq!(parse(text).canonical(), parse(plain).canonical(), "`{text}`");
    }
    let full = |text: &str| parse(text).canonical();
    assert!(full("H/1 H/1 * * *").ends_with("fixed") && full("H(0-59)/1,* * * * *").ends_with("wildcard"));
    assert!(full("0 0 H/1 * 5").ends_with("either fixed"));
}

#[test]
fn only_a_slot_depends_on_the_seed() {
    for text in ["30 2 * * 1-5", "@daily", "every thursday 09:30", "0 0 * MAR THU", "every 5m", "@reboot"] {
        assert_eq!(of_job(text, "a").canonical(), of_job(text, "b").canonical(), "`{text}`");
        assert!(!of_job(text, "a").is_spread(), "`{text}`");
    }
    assert!(of_job("0 0 * MAR H", "a").is_spread() && of_job("0 1,3~4 * * *", "a").is_spread());
    // Without a seed the text stands in: the same text is the same schedule.
    assert_eq!(parse("H * * * *").canonical(), of_job("H * * * *", "H * * * *").canonical());
}

#[test]
fn a_share_is_the_same_for_ever() {
    let check = |seed: &str, whole: Duration, millis: u64| {
        assert_eq!(share(seed, whole), Duration::from_millis(millis), "{seed} of {whole:?}");
    };
    let hour = Duration::from_hours(1);
    check("backup", hour, 1_428_426);
    check("vacuum", hour, 134_459);
    // The same part of another whole.
    check("backup", hour / 2, 714_213);
    check("backup", Duration::ZERO, 0);
    check("backup", Duration::from_millis(1), 0);
}

#[test]
fn shares_of_a_fleet_spread_evenly() {
    const SLOTS: usize = 60;
    let mut counts = [0.0; SLOTS];
    for number in 0..1000 {
        let share = share(&format!("job-{number}"), Duration::from_hours(1));
        counts[share.as_secs() as usize / 60] += 1.0;
    }
    let expected = 1000.0 / SLOTS as f64;
    let measure: f64 = counts.iter().map(|count: &f64| (count - expected).powi(2) / expected).sum();
    assert!(measure < SLOTS as f64 + 5.0 * (2.0 * SLOTS as f64).sqrt(), "{measure}: {counts:?}");
    // Nor does it go by the slot that `H` gives: who has the first minute of an hour is not the first of it.
    let first = (0..1000)
        .map(|number| format!("job-{number}"))
        .filter(|id| of_job("H * * * *", id).canonical() == parse("0 * * * *").canonical());
    let first: Vec<Duration> = first.map(|id| share(&id, Duration::from_hours(1))).collect();
    assert!(
        first.iter().any(|share| share.as_secs() > 1800) && first.iter().any(|share| share.as_secs() < 1800),
        "{first:?}"
    );
}

proptest! {
    #[test]
    fn a_share_is_less_than_the_whole(seed in "[a-z0-9][a-z0-9._-]{0,62}", millis in 1..=86_400_000_u64) {
        let whole = Duration::from_millis(millis);
        prop_assert!(share(&seed, whole) < whole);
        prop_assert_eq!(share(&seed, whole), share(&seed, whole));
    }
}
