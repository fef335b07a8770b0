//! The ends of time: years that the `cron` crate doesn't know, year fields, and sparse schedules.

use jiff::{Timestamp, tz::TimeZone};

use super::{instant, parse, upcoming};

fn check(text: &str, after: &str, expected: &[&str]) {
    let found = upcoming(&parse(text), instant(after), &TimeZone::UTC, expected.len().max(1));
    assert_eq!(found, expected.iter().map(|text| instant(text)).collect::<Vec<_>>(), "`{text}` after {after}");
}

#[test]
fn beyond_the_year_2100() {
    check("0 0 29 2 *", "2096-02-29T00:00:00Z", &["2104-02-29T00:00:00Z", "2108-02-29T00:00:00Z"]);
    check("0 0 1 1 *", "2100-06-01T00:00:00Z", &["2101-01-01T00:00:00Z", "2102-01-01T00:00:00Z"]);
    check("* * * * * *", "2100-12-31T23:59:59Z", &["2101-01-01T00:00:00Z", "2101-01-01T00:00:01Z"]);
    check("59 59 23 31 12 *", "2100-12-31T23:59:58Z", &["2100-12-31T23:59:59Z", "2101-12-31T23:59:59Z"]);
    check("0 0 * * mon", "2400-01-01T00:00:00Z", &["2400-01-03T00:00:00Z"]);
    // Leap day on a Sunday, once over the century that skips one: forty years instead of twenty-eight.
    check("0 0 29 2 */7", "2088-02-28T00:00:00Z", &["2088-02-29T00:00:00Z", "2128-02-29T00:00:00Z"]);
    check("0 0 31 2 mon", "2026-02-23T00:00:00Z", &["2027-02-01T00:00:00Z"]);
    check("0 0 1 1 *", "9998-06-01T00:00:00Z", &["9999-01-01T00:00:00Z"]);
    check("0 0 1 1 *", "9999-06-01T00:00:00Z", &[]);
    check("* * * * *", "9999-12-30T22:00:00Z", &[]);
}

#[test]
fn before_the_year_1970() {
    check("0 0 29 2 *", "1895-01-01T00:00:00Z", &["1896-02-29T00:00:00Z", "1904-02-29T00:00:00Z"]);
    check("0 0 1 1 *", "1969-06-01T00:00:00.5Z", &["1970-01-01T00:00:00Z", "1971-01-01T00:00:00Z"]);
    check("* * * * * *", "1969-12-31T23:59:58.5Z", &["1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z"]);
}

#[test]
fn years() {
    check("0 0 9 1 1 * 2027", "2026-01-01T00:00:00Z", &["2027-01-01T09:00:00Z"]);
    check("0 0 9 1 1 * 2027", "2027-01-01T09:00:00Z", &[]);
    check("0 0 9 1 1 * 2020", "2026-01-01T00:00:00Z", &[]);
    check(
        "0 0 9 1 1 * 2025-2035/5,2200",
        "2026-01-01T00:00:00Z",
        &["2030-01-01T09:00:00Z", "2035-01-01T09:00:00Z", "2200-01-01T09:00:00Z"],
    );
    check("0 0 0 29 2 * 2027-2030", "2026-01-01T00:00:00Z", &["2028-02-29T00:00:00Z"]);
    check(
        "0 0 0 13 * 5 2027",
        "2026-12-31T00:00:00Z",
        &["2027-01-01T00:00:00Z", "2027-01-08T00:00:00Z", "2027-01-13T00:00:00Z"],
    );
    check("0 0 9 1 1 * */1000", "2026-01-01T00:00:00Z", &["2970-01-01T09:00:00Z"]);
    check("59 59 23 31 12 * 2026", "2026-12-31T23:59:58.9Z", &["2026-12-31T23:59:59Z"]);
}

/// Nothing overflows, wherever it is asked.
#[test]
fn the_ends_of_time() {
    for text in
        ["* * * * *", "30 2 * * *", "every 7s", "every 9000h", "2026-06-01 09:00", "@reboot", "0 0 0 1 1 * 9999"]
    {
        let schedule = parse(text);
        for zone in ["UTC", "Europe/Berlin", "Pacific/Kiritimati", "Pacific/Pago_Pago"] {
            let zone = super::in_zone(zone);
            for instant in [Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX] {
                let next = schedule.next_after(instant, &zone);
                assert!(next.is_none_or(|next| next > instant), "`{text}`");
                schedule.newest(Timestamp::MIN, instant, &zone);
                schedule.newest(instant, Timestamp::MAX, &zone);
                schedule.period_hint(instant, &zone);
            }
        }
    }
}
