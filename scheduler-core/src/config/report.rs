//! `report`: when the morning report goes out, what it looks back on, and who gets it. Plain values; another crate writes it.

use std::time::Duration;

use jiff::tz::TimeZone;
use serde_yaml::Value;

use super::values::{Wrong, any_duration, name};
use crate::schedule::{Kind, ParseOptions, Schedule, zone};

/// When a report goes out, and to whom.
///
/// ```
/// use scheduler_core::config::ReportPlan;
/// let mut plan = ReportPlan::default();
/// assert!(plan.schedule("UTC").is_none(), "none goes out by itself");
/// assert_eq!(plan.zone("Europe/Berlin").iana_name(), Some("Europe/Berlin"));
/// plan.schedule = Some("0 7 * * 1-5".into());
/// let (schedule, zone) = plan.schedule("Europe/Berlin").expect("a schedule");
/// let next = schedule.next_after("2026-11-22T12:00:00Z".parse()?, &zone).expect("a Monday");
/// assert_eq!(next, "2026-11-23T06:00:00Z".parse()?);
/// # Ok::<(), jiff::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReportPlan {
    /// When it goes out by itself; `None` is never.
    pub schedule: Option<String>,
    /// The zone of its schedule and of its times, by name; `None` is that of the configuration.
    pub timezone: Option<String>,
    /// How far it looks back.
    pub since: Duration,
    /// The sinks that get it, by their names.
    pub notify: Vec<String>,
}

impl ReportPlan {
    /// Its schedule, and the zone that this is read in: its own, else the one with the name `otherwise`.
    pub fn schedule(&self, otherwise: &str) -> Option<(Schedule, TimeZone)> {
        let schedule = Schedule::parse(self.schedule.as_deref()?, &ParseOptions::default()).ok()?;
        Some((schedule, self.zone(otherwise)))
    }

    /// The zone of its times.
    pub fn zone(&self, otherwise: &str) -> TimeZone {
        zone::parse(self.timezone.as_deref().unwrap_or(otherwise)).unwrap_or(TimeZone::UTC)
    }
}

impl Default for ReportPlan {
    fn default() -> Self {
        Self { schedule: None, timezone: None, since: Duration::from_hours(24), notify: Vec::new() }
    }
}

/// A schedule that comes by itself.
pub(super) fn schedule(value: &Value) -> Result<Option<String>, Wrong> {
    let text = name(value)?;
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = |error: crate::schedule::ScheduleError| {
        let wrong = Wrong::because(error.message());
        match error.hint() {
            Some(hint) => wrong.hint(hint),
            None => wrong,
        }
    };
    let parsed = Schedule::parse(&text, &ParseOptions::default()).map_err(wrong)?;
    match parsed.kind() {
        Kind::Manual | Kind::Reboot => {
            let wrong = Wrong::because(format!("`{text}` names no time at which a report could go out"));
            Err(wrong.hint("write a time, `0 7 * * *` say; `sched report --to SINK` sends one at once"))
        }
        _ => Ok(Some(text)),
    }
}

/// How far back; nothing is nothing to report on.
pub(super) fn since(value: &Value) -> Result<Duration, Wrong> {
    match any_duration(value)? {
        Duration::ZERO => Err(Wrong::because("it looks back on no time at all").hint("write `24h`, say")),
        since => Ok(since),
    }
}
