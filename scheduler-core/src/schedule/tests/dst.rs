//! Gaps, overlaps and corrections of the clock, each rule by hand.

use super::{in_zone, instant, parse, upcoming};

/// The instants that follow `after`, written short: `03-29T01:00` is in the year of `after`, at second 0, in UTC.
fn check(text: &str, zone: &str, after: &str, expected: &[&str]) {
    let found = upcoming(&parse(text), instant(after), &in_zone(zone), expected.len());
    let full =
        |short: &&str| instant(&format!("{}-{short}{}Z", &after[..4], if short.len() == 11 { ":00" } else { "" }));
    assert_eq!(found, expected.iter().map(full).collect::<Vec<_>>(), "`{text}` in {zone} after {after}");
}

#[test]
fn gaps() {
    // Berlin, 2026-03-29: 02:00 is 03:00, at 01:00 UTC.
    let berlin = |text, expected: &[&str]| check(text, "Europe/Berlin", "2026-03-28T23:30:00Z", expected);
    berlin("30 2 * * *", &["03-29T01:00", "03-30T00:30"]);
    // Several matches inside are one, and so is one at the end.
    berlin("0,15,30 2 * * *", &["03-29T01:00", "03-30T00:00"]);
    berlin("30 2,3 * * *", &["03-29T01:00", "03-29T01:30", "03-30T00:30"]);
    berlin("0 2,3 * * *", &["03-29T01:00", "03-30T00:00", "03-30T01:00"]);
    berlin("15 30 2 * * *", &["03-29T01:00", "03-30T00:30:15"]);
    berlin("*/20 30 2 * * *", &["03-29T01:00", "03-30T00:30", "03-30T00:30:20"]);
    // A wildcard follows the clock.
    berlin("*/30 2 * * *", &["03-30T00:00", "03-30T00:30"]);
    berlin("30 * * * *", &["03-29T00:30", "03-29T01:30"]);
    berlin("@hourly", &["03-29T00:00", "03-29T01:00"]);
    berlin("every day at 2:30am", &["03-29T01:00"]);
    // The end of the gap is the start of the next match's search, even asked for at that very instant.
    check("30 2 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z", &["03-30T00:30"]);
    check("30 2 * * *", "Europe/Berlin", "2026-03-29T00:59:59.999999999Z", &["03-29T01:00"]);
    // A gap at midnight: Havana, 2026-03-08, 00:00 is 01:00.
    check("@daily", "America/Havana", "2026-03-07T12:00:00Z", &["03-08T05:00", "03-09T04:00"]);
    check("0 0 8 3 *", "America/Havana", "2026-03-07T12:00:00Z", &["03-08T05:00"]);
    // Half an hour on Lord Howe: 2026-10-04, 02:00 is 02:30.
    check("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00Z", &["10-03T15:30", "10-04T15:15"]);
    // Two hours at Troll: 2026-03-29, 01:00 is 03:00.
    check("30 1,2 * * *", "Antarctica/Troll", "2026-03-28T12:00:00Z", &["03-29T01:00", "03-29T23:30"]);
    // Exactly three hours at Casey: 2020-10-04, 00:01 is 03:01.
    check("30 2 * * *", "Antarctica/Casey", "2020-10-03T12:00:00Z", &["10-03T16:01"]);
}

#[test]
fn overlaps() {
    // Berlin, 2026-10-25: 02:00 to 03:00 twice, from 00:00 UTC and from 01:00 UTC.
    let berlin = |text, expected: &[&str]| check(text, "Europe/Berlin", "2026-10-24T23:30:00Z", expected);
    berlin("30 2 * * *", &["10-25T00:30", "10-26T01:30"]);
    berlin("0,30 2 * * *", &["10-25T00:00", "10-25T00:30", "10-26T01:00"]);
    berlin("0 3 * * *", &["10-25T02:00", "10-26T02:00"]);
    berlin("30 * * * *", &["10-25T00:30", "10-25T01:30", "10-25T02:30"]);
    berlin("*/30 2 * * *", &["10-25T00:00", "10-25T00:30", "10-25T01:00", "10-25T01:30", "10-26T01:00"]);
    berlin("@hourly", &["10-25T00:00", "10-25T01:00", "10-25T02:00"]);
    // The second pass is not made up for, even when only that lies ahead.
    check("30 2 * * *", "Europe/Berlin", "2026-10-25T01:00:00Z", &["10-26T01:30"]);
    check("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", &["10-26T01:30"]);
    check("*/30 2 * * *", "Europe/Berlin", "2026-10-25T01:00:00Z", &["10-25T01:30"]);
    // Midnight comes twice: Havana, 2026-11-01, 01:00 is 00:00.
    check("@daily", "America/Havana", "2026-10-31T12:00:00Z", &["11-01T04:00", "11-02T05:00"]);
    check("*/40 0 * * *", "America/Havana", "2026-11-01T03:00:00Z", &["11-01T04:00", "11-01T04:40", "11-01T05:00"]);
    // Half an hour on Lord Howe: 2026-04-05, 02:00 is 01:30.
    check("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T12:00:00Z", &["04-04T14:45", "04-05T15:15"]);
    check("45 * * * *", "Australia/Lord_Howe", "2026-04-04T14:00:00Z", &["04-04T14:45", "04-04T15:15", "04-04T16:15"]);
    // Seconds through both passes.
    check(
        "*/30 59 * * * *",
        "Australia/Lord_Howe",
        "2026-04-04T14:58:00Z",
        &["04-04T14:59", "04-04T14:59:30", "04-04T15:29", "04-04T15:29:30", "04-04T16:29"],
    );
}

#[test]
fn corrections_of_the_clock() {
    // Samoa left out 2011-12-30; no job of that day is caught up.
    check("30 2 * * *", "Pacific/Apia", "2011-12-29T00:00:00Z", &["12-29T12:30", "12-30T12:30"]);
    check("30 2 30 12 *", "Pacific/Apia", "2010-12-31T00:00:00Z", &[]);
    assert_eq!(
        parse("0 30 2 30 12 * 2011").next_after(instant("2011-01-01T00:00:00Z"), &in_zone("Pacific/Apia")),
        None
    );
    // Kwajalein lived 1969-09-30 almost twice: 23 hours back, at 13:00 UTC; nothing is held back.
    check("30 2 * * *", "Pacific/Kwajalein", "1969-09-29T12:00:00Z", &["09-29T15:30", "09-30T14:30", "10-01T14:30"]);
    check("*/30 2 * * *", "Pacific/Kwajalein", "1969-09-30T00:00:00Z", &["09-30T14:00", "09-30T14:30"]);
}
