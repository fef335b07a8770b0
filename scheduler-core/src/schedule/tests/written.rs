//! Every form that is accepted and every refusal, each in a line.

use jiff::tz::TimeZone;

use super::{Field, Kind, ParseOptions, Schedule, instant, parse, upcoming};

/// The same instants, and the same canonical text.
fn same(text: &str, other: &str) {
    assert_eq!(parse(text).canonical(), parse(other).canonical(), "`{text}` and `{other}`");
}

#[test]
fn spellings_of_one_schedule() {
    for (text, other) in [
        ("  30\t2  * * 1-5 ", "30 2 * * 1-5"),
        ("0 30 2 * * 1-5", "30 2 * * 1-5"),
        ("0 30 2 * * 1-5 *", "30 2 * * 1-5"),
        ("05 007 * * *", "5 7 * * *"),
        ("0 0 * * fri-sun", "0 0 * * 5-7"),
        ("0 0 * * 5-7", "0 0 * * 0,5,6"),
        ("0 0 * * 7", "0 0 * * SUN"),
        ("0 0 * * sun-Sat", "0 0 * * 0-6"),
        ("0 0 * * mon-5", "0 0 * * 1-fri"),
        ("0 0 1 Jan,APR-jun *", "0 0 1 1,4-6 *"),
        ("0-59/100 * * * *", "0-0 * * * *"),
        ("1-5/99999999999999999999 0 * * *", "1 0 * * *"),
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "@daily"),
        ("@weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "@yearly"),
        ("@every 90s", "every 1m30s"),
        ("every 2 hours", "every 120m"),
        ("every 1 day", "every 24h"),
        ("Every 5m", "every 300s"),
        ("every day", "0 0 * * *"),
        ("every day at 9am", "0 9 * * *"),
        ("Every Day At 9 AM", "0 9 * * *"),
        ("every day 9:30pm", "30 21 * * *"),
        ("every day at 12am", "0 0 * * *"),
        ("every day at 12pm", "0 12 * * *"),
        ("every day noon", "0 12 * * *"),
        ("every day at midnight", "0 0 * * *"),
        ("every monday,thu 09:30", "30 9 * * 1,4"),
        ("every monday, thursday and SUN at 7:05", "5 7 * * 0,1,4"),
        ("every weekday 18:00", "0 18 * * 1-5"),
        ("every weekend noon", "0 12 * * 0,6"),
        ("every sunday", "0 0 * * 0"),
        ("every minute", "* * * * *"),
        ("every hour", "@hourly"),
        ("2026-06-01T11:00:00+02:00", "2026-06-01T09:00:00Z"),
        ("2026-06-01T11:00+02:00[Europe/Berlin]", "2026-06-01T09:00:00Z"),
        ("2026-06-01 09:00", "2026-06-01T09:00:00"),
        ("2026-06-01 09:00 [Europe/Berlin]", "2026-06-01T09:00:00[europe/berlin]"),
    ] {
        same(text, other);
    }
}

#[test]
fn spellings_that_differ() {
    for (text, other) in [
        // A full set without its star is fixed, and joins the days by the either rule.
        ("0-59 0-23 * * *", "* * * * *"),
        ("0 0-23 * * *", "0 * * * *"),
        ("0 0 1-31 * 5", "0 0 * * 5"),
        ("0 0 5,* * 5", "0 0 *,5 * 5"),
        ("2026-06-01 09:00", "2026-06-01T09:00:00Z"),
        ("every 24h", "every day"),
    ] {
        assert_ne!(parse(text).canonical(), parse(other).canonical(), "`{text}` and `{other}`");
    }
}

#[test]
fn kinds() {
    for (text, kind) in [
        ("* * * * *", Kind::Calendar),
        ("every hour", Kind::Calendar),
        ("every 1h", Kind::Interval),
        ("@every 1h", Kind::Interval),
        ("2026-06-01 09:00", Kind::Once),
        ("@reboot", Kind::Reboot),
        ("@manually", Kind::Manual),
    ] {
        let schedule = parse(text);
        assert_eq!(schedule.kind(), kind, "`{text}`");
        assert_eq!(schedule.to_string(), text);
        if matches!(kind, Kind::Reboot | Kind::Manual) {
            assert_eq!(schedule.next_after(jiff::Timestamp::MIN, &TimeZone::UTC), None);
        }
    }
}

/// The line that is shown, and the piece of the text that the caret is under.
fn refused(text: &str, field: Option<Field>, line: &str, place: &str) {
    let error = Schedule::parse(text, &ParseOptions::default()).expect_err(text);
    assert_eq!(error.to_string(), line, "`{text}`");
    assert_eq!(error.field(), field, "`{text}`");
    assert_eq!(&text[error.span()], place, "`{text}`");
    let caret = error.caret();
    let (shown, under) = caret.split_once('\n').unwrap();
    assert_eq!(shown, text);
    assert_eq!(under.find('^').map(|at| under[..at].chars().count()), Some(text[..error.span().start].chars().count()));
}

#[test]
fn refusals_of_a_field() {
    use Field::{DayOfMonth, Hour, Minute, Month, Second, Weekday, Year};
    for (text, field, line, place) in [
        ("0 9-3 * * *", Hour, "hour: range `9-3` runs backwards; write `9-23,0-3`", "9-3"),
        ("0 23-3 * * *", Hour, "hour: range `23-3` runs backwards; write `23,0-3`", "23-3"),
        ("0 22-0 * * *", Hour, "hour: range `22-0` runs backwards; write `22-23,0`", "22-0"),
        ("0 22-4/2 * * *", Hour, "hour: range `22-4` runs backwards; write `22,0,2,4`", "22-4"),
        ("0 0 28-3 * *", DayOfMonth, "day of month: range `28-3` runs backwards; write `28-31,1-3`", "28-3"),
        ("0 0 * nov-feb *", Month, "month: range `nov-feb` runs backwards; write `nov-dec,jan-feb`", "nov-feb"),
        ("0 0 * * fri-mon", Weekday, "weekday: range `fri-mon` runs backwards; write `fri-sat,sun-mon`", "fri-mon"),
        ("0 0 * * 5-1", Weekday, "weekday: range `5-1` runs backwards; write `5-6,0-1`", "5-1"),
        ("0 0 * * 5-0", Weekday, "weekday: range `5-0` runs backwards; write `5-7`", "5-0"),
        ("0 0 * * 7-2", Weekday, "weekday: range `7-2` runs backwards; write `0-2`", "7-2"),
        ("0 0 0 * * * 2030-2027", Year, "year: range `2030-2027` runs backwards; write `2027-2030`", "2030-2027"),
        ("5/15 * * * *", Minute, "minute: `5/15`: a step needs a range; write `5-59/15`", "5/15"),
        ("0 0 * * mon/2", Weekday, "weekday: `mon/2`: a step needs a range; write `1-6/2`", "mon/2"),
        ("*/0 * * * *", Minute, "minute: step 0 never moves; write `*/1` or `*`", "0"),
        ("*/ * * * *", Minute, "minute: `*/` lacks its step; write `*/2`", "*/"),
        ("/5 * * * *", Minute, "minute: `/5` has a step and no range; write `*/5`", "/5"),
        (
            "*/5 * * * * /bin/true --quiet",
            Weekday,
            "weekday: `/bin/true` has a step and no range; write the schedule alone, without a command",
            "/bin/true",
        ),
        (
            "*/-5 * * * *",
            Minute,
            "minute: `-5` is not a step; a step is a whole number of 1 or more; write `*/5`",
            "-5",
        ),
        ("*5 * * * *", Minute, "minute: `*5`: `*` stands alone or takes a step; write `*/5` or `5`", "*5"),
        ("1,,3 * * * *", Minute, "minute: empty item in the list; write `1,3`", ","),
        ("1, * * * *", Minute, "minute: empty item in the list; write `1`", ","),
        (",1 * * * *", Minute, "minute: empty item in the list; write `1`", ","),
        (", * * * *", Minute, "minute: empty item in the list; write `*`", ","),
        ("1- * * * *", Minute, "minute: range `1-` has no end; write `1-59` or `1`", "1-"),
        ("1-2-3 * * * *", Minute, "minute: range `1-2-3` has more than two ends; write `1-3`", "1-2-3"),
        ("-5 * * * *", Minute, "minute: `-5`: numbers carry no sign; write `5`", "-5"),
        ("+5 * * * *", Minute, "minute: `+5`: numbers carry no sign; write `5`", "+5"),
        (
            "0x5 * * * *",
            Minute,
            "minute: `0x5` is hexadecimal; numbers are decimal; write a whole number from 0-59, such as `5`",
            "0x5",
        ),
        (
            "1.5 * * * *",
            Minute,
            "minute: `1.5` is not a whole number; write a whole number from 0-59, such as `1`",
            "1.5",
        ),
        ("60 * * * *", Minute, "minute: 60 is outside 0-59; the minute after 59 is `0`", "60"),
        ("0 24 * * *", Hour, "hour: 24 is outside 0-23; midnight is `0`", "24"),
        ("61 0 * * * *", Second, "second: 61 is outside 0-59; write a number from 0-59", "61"),
        ("0 0 0 * *", DayOfMonth, "day of month: 0 is outside 1-31; the first day is `1`", "0"),
        ("0 0 32 * *", DayOfMonth, "day of month: 32 is outside 1-31; write a number from 1-31", "32"),
        ("0 0 * 0 *", Month, "month: 0 is outside 1-12; january is `1`", "0"),
        (
            "0 0 * * 8",
            Weekday,
            "weekday: 8 is outside 0-7; write `0` or `7` for sunday, `1` for monday, up to `6`",
            "8",
        ),
        ("0 0 0 * * * 26", Year, "year: 26 is outside 1970-9999; write all four digits of the year", "26"),
        ("0 0 * * monday", Weekday, "weekday: `monday`: names have three letters in a crontab; write `MON`", "monday"),
        (
            "0 0 * * mon-friday",
            Weekday,
            "weekday: `friday`: names have three letters in a crontab; write `FRI`",
            "friday",
        ),
        ("0 0 * sept *", Month, "month: `sept`: names have three letters in a crontab; write `SEP`", "sept"),
        (
            "mon * * * *",
            Minute,
            "minute: `mon` is a weekday, which goes in the fifth of the five fields; write a number from 0-59 here",
            "mon",
        ),
        (
            "0 0 * fri *",
            Month,
            "month: `fri` is a weekday, which goes in the fifth of the five fields; write a number from 1-12 here",
            "fri",
        ),
        ("0 0 * * tus", Weekday, "weekday: `tus` is not a weekday; did you mean `TUE`?", "tus"),
        ("a * * * *", Minute, "minute: `a` is not a minute; write a number from 0-59", "a"),
        ("? * * * *", Minute, "minute: `?` is Quartz syntax, not crontab; write `*`", "?"),
        (
            "0 0 L * *",
            DayOfMonth,
            "day of month: `L` is Quartz syntax, not crontab; write `28-31` and let the command check that tomorrow \
             is the 1st",
            "L",
        ),
        ("0 0 15W * *", DayOfMonth, "day of month: `15W` is Quartz syntax, not crontab; write `15`", "15W"),
        (
            "0 0 * * 5#3",
            Weekday,
            "weekday: `5#3` is Quartz syntax, not crontab; write `5` and let the command check which week of the \
             month it is",
            "5#3",
        ),
        ("30~0 * * * *", Minute, "minute: range `30~0` runs backwards; write `0~30`", "30~0"),
        ("0~60 * * * *", Minute, "minute: 60 is outside 0-59; the minute after 59 is `0`", "60"),
        ("1~2~9 * * * *", Minute, "minute: range `1~2~9` has more than two ends; write `1~9`", "1~2~9"),
        (
            "0~29/10 * * * *",
            Minute,
            "minute: `0~29/10`: a `~` range is one value and takes no step; write `H(0-29)/10`",
            "0~29/10",
        ),
        ("~/0 * * * *", Minute, "minute: `~/0`: a `~` range is one value and takes no step; write `H/2`", "~/0"),
        ("h/15 * * * *", Minute, "minute: `h/15`: the letter is a capital; write `H/15`", "h/15"),
        ("H/0 * * * *", Minute, "minute: step 0 never moves; write `H/1` or `H`", "0"),
        ("0 H(7-0) * * *", Hour, "hour: range `7-0` runs backwards; write `H(0-7)`", "7-0"),
        ("0 H(0-24) * * *", Hour, "hour: 24 is outside 0-23; midnight is `0`", "24"),
        ("0 H(5) * * *", Hour, "hour: `H(5)` needs a range; write `H`, or a range such as `H(0-11)`", "H(5)"),
        ("0 H() * * *", Hour, "hour: `H()` needs a range; write `H`, or a range such as `H(0-11)`", "H()"),
        ("0 H(0-7 * * *", Hour, "hour: `H(0-7` does not end with its `)`; write `H(0-7)`", "H(0-7"),
        ("0 H(0-7)x * * *", Hour, "hour: `H(0-7)x` does not end with its `)`; write `H(0-7)`", "H(0-7)x"),
        ("0 0 0 1 1 * H", Year, "year: `H`: years are not spread; write the year, or `*`", "H"),
        (
            "0 0 31 2 *",
            DayOfMonth,
            "day of month: never fires: February has no day 31; the last day there is `29`",
            "31",
        ),
        (
            "0 0 31 4,jun,9 *",
            DayOfMonth,
            "day of month: never fires: April, June and September have no day 31; the last day there is `30`",
            "31",
        ),
        (
            "0 0 31 2 */2",
            DayOfMonth,
            "day of month: never fires: February has no day 31; the last day there is `29`",
            "31",
        ),
        (
            "0 0 0 29 2 * 2023",
            DayOfMonth,
            "day of month: never fires: February 2023 has no day 29; write the year `2024` or the day `28`",
            "29",
        ),
        (
            "0 0 0 29 2 * 2100-2103",
            DayOfMonth,
            "day of month: never fires: February has no day 29 in any of these years; write the year `2104` or the \
             day `28`",
            "29",
        ),
        (
            "0 0 0 */40 1 5 2026",
            DayOfMonth,
            "day of month: never fires: no day of these years falls on that date and that weekday; write `*` as the \
             weekday",
            "*/40",
        ),
    ] {
        refused(text, Some(field), line, place);
    }
}

#[test]
fn refusals_of_a_form() {
    const COUNT: &str =
        "a crontab has 5 (minute hour day month weekday), 6 with the second first, 7 with the year last as well";
    for (text, line, place) in [
        ("* * * *", format!("found 4 fields; {COUNT}"), "* * * *"),
        (" * * * * * * * * ", format!("found 8 fields; {COUNT}"), "* * * * * * * *"),
        ("tomorrow", format!("found 1 field; {COUNT}"), "tomorrow"),
        ("daily", "found 1 field; did you mean `@daily`?".into(), "daily"),
        ("5m", "found 1 field; write `every 5m`".into(), "5m"),
        ("9am", "found 1 field; write `every day at 09:00`".into(), "9am"),
        ("monday 9am", "found 2 fields; write `every monday 9am`".into(), "monday 9am"),
        ("@dayly", "`@dayly` is not a nickname; did you mean `@daily`?".into(), "@dayly"),
        ("@Daily", "`@Daily` is not a nickname; did you mean `@daily`?".into(), "@Daily"),
        ("@daily 9am", "`@daily` stands alone; write `@daily`".into(), "9am"),
        ("every 500ms", "`500ms` is shorter than a second; write `1s` or longer".into(), "500ms"),
        ("every 5", "`5` has no unit; write `5s`, `5m` or `5h`".into(), "5"),
        ("every 0s", "`0s` is zero; a duration such as `30s` or `1h30m` is needed".into(), "0s"),
        ("every -5m", "`-5m` is negative; durations run forwards".into(), "-5m"),
        ("every 5m ago", "`5m ago` is negative; durations run forwards".into(), "5m ago"),
        ("every 1 month", "`1 month`: months and years have no fixed length; use days".into(), "1 month"),
        ("every munday 9am", "`munday` is not a day; did you mean `monday`?".into(), "munday"),
        ("every 9am", "`9am` is not a day; write `every day at 9am`".into(), "9am"),
        ("every week", "`week` is not a day; write `every sunday`, or `@weekly`".into(), "week"),
        (
            "every mon-fri 9am",
            "`mon-fri` is not a day; list the days, or write a crontab such as `30 9 * * mon-fri`".into(),
            "mon-fri",
        ),
        ("every day at 9", "`9` is not a time of day; write `9am`, `9pm` or `09:00`".into(), "9"),
        ("every day at none", "`none` is not a time of day; did you mean `noon`?".into(), "none"),
        (
            "every day at 25:00",
            "`25:00` is not a time of day; write a time such as `9am`, `9:30pm`, `09:30`, `noon` or `midnight`".into(),
            "25:00",
        ),
        (
            "every day at 9am 5pm",
            "`5pm` is one word too many; one phrase has one time; for more, write a crontab such as `0 9,17 * * *`"
                .into(),
            "5pm",
        ),
        ("every", "`every` needs a day or a duration; write `every day at 9am`, `every monday,thu 09:30`, `every weekday 18:00` or `every 5m`".into(), ""),
        ("2026-06-01", "a one-shot needs a time of day; write `2026-06-01 09:00`".into(), "2026-06-01"),
        (
            "2026-06-01 09:00[Europe/Berlim]",
            "`Europe/Berlim` is not a time zone; did you mean `Europe/Berlin`?".into(),
            "Europe/Berlim",
        ),
        (
            "2026-06-01T09:00+05:00[Europe/Berlin]",
            "the offset is not the one Europe/Berlin has at that time; leave it out, or write \
             `2026-06-01T06:00:00[Europe/Berlin]`"
                .into(),
            "2026-06-01T09:00+05:00",
        ),
        (
            "2026-02-30 09:00",
            "`2026-02-30 09:00` is not a date and time; write `2026-06-01 09:00`, `2026-06-01T09:00:00Z` or \
             `2026-06-01T09:00[Europe/Berlin]`"
                .into(),
            "2026-02-30 09:00",
        ),
        (
            "CRON_TZ=UTC 0 0 * * *",
            "the time zone is not part of the schedule; set it as the job's time zone".into(),
            "CRON_TZ=UTC",
        ),
    ] {
        refused(text, None, &line, place);
    }
    let relative = Schedule::parse("in 30m", &ParseOptions::default()).unwrap_err();
    assert!(relative.is_relative());
    assert!(!Schedule::parse("in 30", &ParseOptions::default()).unwrap_err().is_relative());
}

#[test]
fn intervals_count_from_their_anchor() {
    let options = ParseOptions::default().with_anchor(instant("2026-11-22T10:00:00.25Z"));
    let schedule = Schedule::parse("every 1m30s", &options).unwrap();
    let found = upcoming(&schedule, options.anchor, &TimeZone::UTC, 2);
    assert_eq!(found, [instant("2026-11-22T10:01:30.25Z"), instant("2026-11-22T10:03:00.25Z")]);
    let before = schedule.next_after(instant("2026-11-22T09:59:00Z"), &TimeZone::UTC);
    assert_eq!(before, Some(options.anchor));
}
