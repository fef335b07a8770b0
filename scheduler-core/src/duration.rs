//! Durations as people write them: `90s`, `1h30m`, `2 hours`.

use std::time::Duration;

use jiff::{SignedDuration, fmt::friendly::SpanParser};

/// Parses a positive duration in jiff's friendly format; days and weeks are taken as 24 hours and 7 days.
///
/// # Errors
/// A lower-case fragment that says what is wrong with `text`: empty, negative, `ago`, zero, or not a duration.
///
/// ```
/// use std::time::Duration;
/// assert_eq!(scheduler_core::duration::parse("1h30m"), Ok(Duration::from_secs(5400)));
/// assert!(scheduler_core::duration::parse("0s").is_err());
/// ```
pub fn parse(text: &str) -> Result<Duration, String> {
    let duration = parse_or_zero(text)?;
    if duration.is_zero() {
        return Err(format!("`{text}` is zero; a duration such as `30s` or `1h30m` is needed"));
    }
    Ok(duration)
}

/// As [`parse`], but `0` and `0s` are welcome: for settings in which zero means "off".
///
/// # Errors
/// As [`parse`], zero excepted.
///
/// ```
/// use std::time::Duration;
/// assert_eq!(scheduler_core::duration::parse_or_zero("0"), Ok(Duration::ZERO));
/// assert!(scheduler_core::duration::parse_or_zero("10").is_err(), "without a unit");
/// ```
pub fn parse_or_zero(text: &str) -> Result<Duration, String> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err("the duration is empty; write `30s` or `1h30m`".into());
    }
    if trimmed == "0" {
        return Ok(Duration::ZERO);
    }
    if trimmed.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!("`{trimmed}` has no unit; write `{trimmed}s`, `{trimmed}m` or `{trimmed}h`"));
    }
    let span = SpanParser::new()
        .parse_span(trimmed)
        .map_err(|_| format!("`{trimmed}` is not a duration; write `30s`, `5m`, `1h30m` or `2d`"))?;
    if span.get_years() != 0 || span.get_months() != 0 {
        return Err(format!("`{trimmed}`: months and years have no fixed length; use days"));
    }
    let signed: SignedDuration = span
        .to_duration(jiff::SpanRelativeTo::days_are_24_hours())
        .map_err(|_| format!("`{trimmed}` is longer than this program can count"))?;
    Duration::try_from(signed).map_err(|_| format!("`{trimmed}` is negative; durations run forwards"))
}

/// The shortest friendly form: `1h30m`, `90ms`, `0s`.
///
/// ```
/// use std::time::Duration;
/// assert_eq!(scheduler_core::duration::format(Duration::from_secs(5400)), "1h 30m");
/// ```
pub fn format(duration: Duration) -> String {
    SignedDuration::try_from(duration).map_or_else(|_| format!("{}s", duration.as_secs()), |d| format!("{d:#}"))
}

/// The same for people who look how far away something is: of what is longer than a hundred days the days, and of what is
/// beyond all bounds only that.
///
/// ```
/// use std::time::Duration;
/// use scheduler_core::duration::coarse;
/// assert_eq!(coarse(Duration::from_secs(5400)), "1h 30m");
/// assert_eq!(coarse(Duration::from_hours(60_423)), "2517d");
/// assert_eq!(coarse(Duration::MAX), "more than 300 years");
/// ```
pub fn coarse(duration: Duration) -> String {
    const DAY: u64 = 24 * 60 * 60;
    match duration.as_secs() / DAY {
        110_000.. => "more than 300 years".into(),
        days @ 100.. => format!("{days}d"),
        _ => format(duration),
    }
}
