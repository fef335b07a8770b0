//! What `add` and `edit` do to a one-shot before they store it: `in 30m` becomes an instant, and a time that has
//! passed or that no clock will show is refused.
//!
//! The clock is the caller's: `now` comes in as an argument.

use jiff::{
    SignedDuration, Timestamp, ToSpan as _,
    civil::DateTime,
    tz::{AmbiguousOffset, Offset, TimeZone},
};

use super::{ScheduleError, dst, once::Once, text::Part};
use crate::duration;

/// The duration of `in <duration>`; `None` if the text is not of that form at all.
pub(super) fn parse(text: Part<'_>) -> Option<Result<std::time::Duration, ScheduleError>> {
    let word = text.text.split_whitespace().next()?;
    if !word.eq_ignore_ascii_case("in") {
        return None;
    }
    let rest = text.rest(word.len());
    Some(duration::parse(rest.text).map_err(|reason| match reason.split_once("; ") {
        Some((message, hint)) => text.error(message).with_hint(hint.replacen('`', "`in ", 1)),
        None => text.error(reason),
    }))
}

/// The refusal of a relative form where the clock must not be read.
pub(super) fn refusal(text: Part<'_>) -> ScheduleError {
    text.error(format!("`{}` counts from now, and a stored schedule has no now", text.text))
        .with_hint("`sched add` turns it into an instant; or write that instant, `2026-06-01T09:00:00Z`")
        .relative()
}

/// The instant `after` from `now` as RFC 3339 with the zone's offset, to the whole second that is not too early.
pub(super) fn absolute(
    text: Part<'_>,
    wait: std::time::Duration,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<String, ScheduleError> {
    let exact = SignedDuration::try_from(wait).ok().and_then(|wait| now.checked_add(wait).ok());
    let whole =
        exact.and_then(|at| Timestamp::from_second(at.as_second() + i64::from(at.subsec_nanosecond() > 0)).ok());
    let at = whole.ok_or_else(|| text.error("that is after the end of time, the year 9999"))?;
    let offset = zone.to_offset(at);
    Ok(if offset == Offset::UTC || offset.seconds() % 60 != 0 {
        at.to_string()
    } else {
        at.display_with_offset(offset).to_string()
    })
}

/// Refuses a one-shot that would never fire, or not at the time it names.
pub(super) fn check(text: Part<'_>, once: &Once, now: Timestamp, zone: &TimeZone) -> Result<(), ScheduleError> {
    if let Once::Civil(civil, own) = once {
        refuse_gap(text, *civil, own.as_ref(), zone)?;
    }
    let past = once.instant(zone).is_none_or(|instant| instant <= now);
    if !past {
        return Ok(());
    }
    let own = match once {
        Once::Civil(_, Some(own)) => own,
        _ => zone,
    };
    let today = own.to_datetime(now);
    let clock = once.instant(own).map_or(today, |instant| own.to_datetime(instant)).time();
    // The same time on the clock, today or tomorrow and the day after that.
    let upcoming = (0_i64..4).filter_map(|days| {
        let civil = today.date().checked_add(days.days()).ok()?.to_datetime(clock);
        let unique = matches!(own.to_ambiguous_timestamp(civil).offset(), AmbiguousOffset::Unambiguous { .. });
        let instant = own.to_ambiguous_timestamp(civil).compatible().ok()?;
        (unique && instant > now).then(|| show(civil, matches!(once, Once::Civil(_, Some(_))).then_some(own)))
    });
    let upcoming: Vec<String> = upcoming.take(2).collect();
    Err(text.error(format!("`{}` has passed", text.text)).with_hint(format!("write {}", upcoming.join(" or "))))
}

fn refuse_gap(text: Part<'_>, civil: DateTime, own: Option<&TimeZone>, zone: &TimeZone) -> Result<(), ScheduleError> {
    let there = own.unwrap_or(zone);
    let AmbiguousOffset::Gap { before, after } = there.to_ambiguous_timestamp(civil).offset() else {
        return Ok(());
    };
    let local = Offset::UTC.to_timestamp(civil).map_err(|_| text.error("that is outside of time"))?.as_second();
    let (before, after) = (i64::from(before.seconds()), i64::from(after.seconds()));
    let change = dst::change_between(there, local - after, local - before);
    let civil_at = |local: i64| Timestamp::from_second(local).ok().map(|local| Offset::UTC.to_datetime(local));
    let nearest = [change + before - 60, change + after];
    let nearest: Vec<String> = nearest.into_iter().filter_map(civil_at).map(|civil| show(civil, own)).collect();
    let name = there.iana_name().unwrap_or("this time zone");
    let error = text.error(format!("no clock in {name} shows `{}`: it is skipped there", text.text));
    Err(error.with_hint(format!("write {}", nearest.join(" or "))))
}

fn show(civil: DateTime, zone: Option<&TimeZone>) -> String {
    let format = if civil.second() == 0 { "%Y-%m-%d %H:%M" } else { "%Y-%m-%d %H:%M:%S" };
    let name = zone.and_then(TimeZone::iana_name).map_or_else(String::new, |name| format!("[{name}]"));
    format!("`{}{name}`", civil.strftime(format))
}
