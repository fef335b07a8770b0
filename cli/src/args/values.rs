//! Texts of the command line that are checked as they are read, with the words of the core where it has them.

use std::time::Duration;

use jiff::Timestamp;
use scheduler_core::{JobId, duration, size};

/// Since when: so long ago, or an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    Ago(Duration),
    At(Timestamp),
}

impl Since {
    /// The instant, for somebody for whom it is `now`.
    pub(crate) fn instant(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(span) => now.checked_sub(span).unwrap_or(Timestamp::MIN),
            Self::At(instant) => instant,
        }
    }
}

/// `NAME=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) name: String,
    pub(crate) value: String,
}

pub(super) fn since(text: &str) -> Result<Since, String> {
    if let Ok(instant) = text.trim().parse::<Timestamp>() {
        return Ok(Since::At(instant));
    }
    duration::parse(text)
        .map(Since::Ago)
        .map_err(|_| "write how long ago, `24h`, or an instant, `2026-11-22T00:00:00Z`".into())
}

/// `JOB@INSTANT`; what the instant is, only the job's zone can say.
pub(super) fn job_instant(text: &str) -> Result<(String, String), String> {
    match text.rsplit_once('@') {
        Some((job, instant)) if !job.is_empty() && !instant.trim().is_empty() => {
            Ok((job.to_owned(), instant.trim().to_owned()))
        }
        _ => Err("write JOB@INSTANT: `backup@2026-11-22T02:30`, or `backup@02:30`".into()),
    }
}

pub(super) fn span(text: &str) -> Result<Duration, String> {
    duration::parse(text)
}

/// A duration that is stored as it was written.
pub(super) fn duration_text(text: &str) -> Result<String, String> {
    duration::parse_or_zero(text).map(|_| text.to_owned())
}

/// A size that is stored as it was written.
pub(super) fn size_text(text: &str) -> Result<String, String> {
    size::parse(text).map(|_| text.to_owned())
}

pub(super) fn job_id(text: &str) -> Result<JobId, String> {
    text.parse().map_err(|error: scheduler_core::Error| match error.hint_text() {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    })
}

pub(super) fn pair(text: &str) -> Result<Pair, String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok(Pair { name: name.to_owned(), value: value.to_owned() }),
        _ => Err("write NAME=value".into()),
    }
}

/// How many intervals old a heartbeat may get.
pub(super) fn factor(text: &str) -> Result<f64, String> {
    let factor: Option<f64> = text.parse().ok().filter(|factor: &f64| factor.is_finite() && *factor >= 1.0);
    factor.ok_or_else(|| "write a number of at least 1, such as `2` or `1.5`".into())
}

/// How many times the speed of time; 0 is as fast as it goes.
pub(super) fn speed(text: &str) -> Result<f64, String> {
    let speed: Option<f64> = text.parse().ok().filter(|speed: &f64| speed.is_finite() && *speed >= 0.0);
    speed.ok_or_else(|| "write a number such as `3600`; 0 is as fast as it goes, without a line for each fire".into())
}
