//! One-shots: what instant they are, and what `add` makes of them.

use jiff::tz::TimeZone;

use super::{Schedule, in_zone, instant, parse, zone};

#[test]
fn instants() {
    for (text, zone, expected) in [
        ("2026-06-01T09:00:00Z", "Europe/Berlin", "2026-06-01T09:00:00Z"),
        ("2026-06-01T09:00:00-05:00", "Europe/Berlin", "2026-06-01T14:00:00Z"),
        ("2026-06-01 09:00", "Europe/Berlin", "2026-06-01T07:00:00Z"),
        ("2026-06-01 09:00", "UTC", "2026-06-01T09:00:00Z"),
        ("2026-06-01 09:00[Asia/Tokyo]", "Europe/Berlin", "2026-06-01T00:00:00Z"),
        ("2026-06-01T09:00:00.25Z", "UTC", "2026-06-01T09:00:00.25Z"),
        // Inside a gap: as far after its end as the text is after its start. Twice on the clock: the first.
        ("2026-03-29 02:30", "Europe/Berlin", "2026-03-29T01:30:00Z"),
        ("2026-10-25 02:30", "Europe/Berlin", "2026-10-25T00:30:00Z"),
    ] {
        let (schedule, zone, expected) = (parse(text), in_zone(zone), instant(expected));
        assert_eq!(schedule.next_after(jiff::Timestamp::UNIX_EPOCH, &zone), Some(expected), "`{text}`");
        assert_eq!(schedule.next_after(expected, &zone), None, "`{text}`");
        assert_eq!(schedule.newest(expected, expected, &zone), Some(expected), "`{text}`");
        assert_eq!(schedule.period_hint(jiff::Timestamp::UNIX_EPOCH, &zone), None, "`{text}`");
    }
}

#[test]
fn what_add_stores() {
    let check = |text: &str, zone: &str, expected: Result<&str, &str>| {
        let now = instant("2026-11-22T10:00:00.5Z");
        let stored = Schedule::to_absolute(text, now, &in_zone(zone)).map_err(|error| error.to_string());
        assert_eq!(stored.as_deref().map_err(String::as_str), expected, "`{text}` in {zone}");
        if let Ok(stored) = stored {
            parse(&stored);
        }
    };
    check("in 30m", "UTC", Ok("2026-11-22T10:30:01Z"));
    check("In 1h30m ", "Europe/Berlin", Ok("2026-11-22T12:30:01+01:00"));
    check("in 2 days", "Asia/Kathmandu", Ok("2026-11-24T15:45:01+05:45"));
    check(" 30 2 * * * ", "UTC", Ok("30 2 * * *"));
    check("2026-11-22 11:30", "Europe/Berlin", Ok("2026-11-22 11:30"));
    check("in 30", "UTC", Err("`30` has no unit; write `in 30s`, `30m` or `30h`"));
    check("in 30m ago", "UTC", Err("`30m ago` is negative; durations run forwards"));
    check("in 9999999h", "UTC", Ok("3167-09-09T01:00:01Z"));
    check("in 99999999h", "UTC", Err("that is after the end of time, the year 9999"));
    check("60 2 * * *", "UTC", Err("minute: 60 is outside 0-59; the minute after 59 is `0`"));
    check(
        "2026-11-22 10:30",
        "Europe/Berlin",
        Err("`2026-11-22 10:30` has passed; write `2026-11-23 10:30` or `2026-11-24 10:30`"),
    );
    check(
        "2026-06-01 23:00[Europe/Berlin]",
        "UTC",
        Err("`2026-06-01 23:00[Europe/Berlin]` has passed; write `2026-11-22 23:00[Europe/Berlin]` or \
             `2026-11-23 23:00[Europe/Berlin]`"),
    );
    check(
        "2027-03-28 02:30",
        "Europe/Berlin",
        Err("no clock in Europe/Berlin shows `2027-03-28 02:30`: it is skipped there; write `2027-03-28 01:59` or \
             `2027-03-28 03:00`"),
    );
    check(
        "2027-10-03T02:10[Australia/Lord_Howe]",
        "UTC",
        Err("no clock in Australia/Lord_Howe shows `2027-10-03T02:10[Australia/Lord_Howe]`: it is skipped there; \
             write `2027-10-03 01:59[Australia/Lord_Howe]` or `2027-10-03 02:30[Australia/Lord_Howe]`"),
    );
}

#[test]
fn zones() {
    for (name, expected) in [
        ("Europe/Berlin", Ok("Europe/Berlin")),
        ("europe/berlin", Ok("Europe/Berlin")),
        (" UTC ", Ok("UTC")),
        ("Berlin", Err("`Berlin` is not a time zone; did you mean `Europe/Berlin`?")),
        ("new york", Err("`new york` is not a time zone; did you mean `America/New_York`?")),
        ("Europe/Berlinn", Err("`Europe/Berlinn` is not a time zone; did you mean `Europe/Berlin`?")),
        ("", Err("the time zone is empty; write a name such as `Europe/Berlin`, `UTC` or `system`")),
        ("+02:00", Err("`+02:00` is not a time zone; write a name such as `Europe/Berlin`, `UTC` or `system`")),
        (
            "Etc/Unknown",
            Err("`Etc/Unknown` is not a time zone; write a name such as `Europe/Berlin`, `UTC` or `system`"),
        ),
    ] {
        let found = zone::parse(name).map_err(|error| error.to_string());
        let found = found.as_ref().map(|zone| zone.iana_name().unwrap_or_default()).map_err(String::as_str);
        assert_eq!(found, expected, "`{name}`");
    }
    assert!(zone::parse("system").is_ok());
    assert_ne!(zone::parse("UTC"), Ok(TimeZone::unknown()));
}
