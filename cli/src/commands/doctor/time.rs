//! Rows about clocks and time zones.

use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};

use super::row::Row;

/// The clocks of the machine, and its rules about zones.
#[derive(Debug, Clone)]
pub(super) struct Time {
    pub(super) now: Timestamp,
    /// Time since boot, suspend included and not.
    pub(super) boottime: Duration,
    pub(super) monotonic: Duration,
    /// Whether the kernel takes the clock for synchronised.
    pub(super) synchronised: Option<bool>,
    /// The release of the time zone rules in use, in words.
    pub(super) tzdata: String,
    /// `timezone` of config.yaml, and the name of the zone that it means or why it means none.
    pub(super) configured: String,
    pub(super) zone: Result<String, String>,
}

/// Before the first, a clock was never set: there was no sched. After the second, it was set by mistake.
const FIRST_YEAR: i16 = 2024;
const LAST_YEAR: i16 = 2100;

pub(super) fn rows(time: &Time) -> Vec<Row> {
    vec![clock(time), synchronised(time), tzdata(time), zone(time)]
}

fn clock(time: &Time) -> Row {
    const CHECK: &str = "clock";
    let now = time.now.to_zoned(TimeZone::UTC);
    let shown = now.strftime("%Y-%m-%dT%H:%M:%SZ");
    if !(FIRST_YEAR..LAST_YEAR).contains(&now.year()) {
        let fix = "set it (`date -s`, or a time service); jobs fire by it";
        return Row::bad(CHECK, format!("it says {shown}, which can't be"), fix);
    }
    // Two readings, one after the other: the first may be the smaller by that moment.
    if time.boottime.is_zero() || time.boottime + Duration::from_secs(1) < time.monotonic {
        let fix = "verdicts rest on it: look at the machine's clock source";
        return Row::bad(CHECK, "the time since boot runs backwards or stands still", fix);
    }
    Row::ok(CHECK, format!("{shown}, {} h since boot", time.boottime.as_secs() / 3600))
}

fn synchronised(time: &Time) -> Row {
    const CHECK: &str = "synchronised";
    match time.synchronised {
        Some(true) => Row::ok(CHECK, "something keeps the clock right"),
        Some(false) => Row::warn(
            CHECK,
            "nothing keeps the clock right, as far as the kernel knows: jobs fire when it says, right or wrong",
            "run a time service: systemd-timesyncd, chrony or ntpd",
        ),
        None => Row::unknown(CHECK, "the kernel doesn't say"),
    }
}

fn tzdata(time: &Time) -> Row {
    const CHECK: &str = "tzdata";
    if time.tzdata.ends_with("(system)") {
        return Row::ok(CHECK, &time.tzdata);
    }
    Row::info(CHECK, format!("{}: the machine has none", time.tzdata))
        .fix(Some("install the package `tzdata`: rules change, and a program doesn't hear of it".into()))
}

fn zone(time: &Time) -> Row {
    const CHECK: &str = "time zone";
    match &time.zone {
        Ok(name) if *name == time.configured => Row::ok(CHECK, name),
        Ok(name) => Row::ok(CHECK, format!("{}, which is {name}", time.configured)),
        Err(why) => Row::bad(
            CHECK,
            format!("{why}; schedules are read in UTC"),
            "set `timezone` in config.yaml to a name such as `Europe/Berlin`",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::row::shown, *};

    #[track_caller]
    fn check(check: fn(&Time) -> Row, change: impl FnOnce(&mut Time), expected: &str) {
        let mut time = Time {
            now: "2026-11-22T10:00:00Z".parse().unwrap(),
            boottime: Duration::from_hours(30),
            monotonic: Duration::from_hours(20),
            synchronised: Some(true),
            tzdata: "2026a (system)".into(),
            configured: "system".into(),
            zone: Ok("Europe/Berlin".into()),
        };
        change(&mut time);
        let row = shown(&check(&time));
        assert!(row.starts_with(expected), "{row}\nis not\n{expected}");
        assert!(row.ends_with(']') || !(row.starts_with("bad") || row.starts_with("warn")), "{row}");
    }

    #[test]
    fn what_time_it_is() {
        check(clock, |_| {}, "ok clock: 2026-11-22T10:00:00Z, 30 h since boot");
        check(clock, |t| t.now = Timestamp::UNIX_EPOCH, "bad clock: it says 1970-01-01T00:00:00Z, which can't be");
        check(clock, |t| t.now = "2103-01-01T00:00:00Z".parse().unwrap(), "bad clock: it says 2103");
        check(clock, |t| t.boottime = Duration::from_hours(2), "bad clock: the time since boot runs backwards");
        check(clock, |t| t.boottime = Duration::ZERO, "bad clock: the time since boot runs backwards");
        check(synchronised, |_| {}, "ok synchronised: something keeps the clock right");
        check(synchronised, |t| t.synchronised = Some(false), "warn synchronised: nothing keeps the clock right");
        check(synchronised, |t| t.synchronised = None, "unknown synchronised: can't know");
    }

    #[test]
    fn where_it_is() {
        check(tzdata, |_| {}, "ok tzdata: 2026a (system)");
        check(tzdata, |t| t.tzdata = "bundled with this program".into(), "info tzdata: bundled with this program: the");
        check(zone, |_| {}, "ok time zone: system, which is Europe/Berlin");
        check(zone, |t| t.configured = "Europe/Berlin".into(), "ok time zone: Europe/Berlin");
        check(
            zone,
            |t| t.zone = Err("the system's time zone is unknown".into()),
            "bad time zone: the system's time zone",
        );
    }
}
