//! Facts in words: the lines of evidence, and moments and numbers as people say them.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::facts::Facts;
use crate::duration;

/// What everything rests on, whatever the verdict.
pub(super) fn evidence(facts: &Facts) -> Vec<String> {
    let mut lines = Vec::new();
    lines.push(match (&facts.lock.unreadable, facts.lock.held, &facts.lock.holder) {
        (Some(why), ..) => format!("daemon.lock can't be examined: {why}"),
        (None, true, Some(holder)) => format!("daemon.lock is held by process {}", holder.pid),
        (None, true, None) => "daemon.lock is held by a process that left no name in it".into(),
        (None, false, _) => "daemon.lock is free".into(),
    });
    match &facts.beat {
        Ok(beat) => lines.push(format!(
            "last beat at {}: {}, cycle {}, provider {}, process {}",
            moment(beat.at, facts.now),
            beat.phase.word(),
            beat.cycle,
            beat.provider,
            beat.pid
        )),
        Err(why) => lines.push(format!("ticker.json: {why}")),
    }
    if let Some(error) = facts.beat.as_ref().ok().and_then(|beat| beat.error.as_ref()) {
        lines.push(format!("what it last said: {}", error.message));
    }
    if let Ok(tick) = &facts.tick {
        lines.push(format!("last `sched tick` at {}", moment(tick.at, facts.now)));
    }
    if let Some(at) = facts.beat.as_ref().ok().and_then(|beat| beat.last_success_at) {
        lines.push(format!("last successful tick at {}", moment(at, facts.now)));
    }
    let jobs = &facts.jobs;
    if facts.store_error.is_none() {
        let total = plural(jobs.total, "job", "jobs");
        lines.push(format!("{total}, {} enabled, {} of these paused", jobs.enabled, jobs.paused));
    }
    for run in &jobs.open {
        let since = run.since.map_or_else(String::new, |since| format!(" since {}", moment(since, facts.now)));
        let pid = run.pid.map_or_else(String::new, |pid| format!(", process {pid}"));
        let dead = if run.abandoned { ", its owner is dead" } else { "" };
        lines.push(format!("run {} of job `{}` is {}{since}{pid}{dead}", run.run, run.job, run.state));
    }
    lines
}

/// `1 run`, `2 runs`.
pub(super) fn plural(count: usize, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

/// `2026-11-22T02:30:00Z (12s ago)`: to the second, and as seen from now.
pub(super) fn moment(at: Timestamp, now: Timestamp) -> String {
    let exact = at.strftime("%Y-%m-%dT%H:%M:%SZ");
    let away = at.duration_since(now);
    match (whole_seconds(away.unsigned_abs()), away) {
        (Duration::ZERO, _) => format!("{exact} (now)"),
        (by, away) if away < SignedDuration::ZERO => format!("{exact} ({} ago)", duration::coarse(by)),
        (by, _) => format!("{exact} (in {})", duration::coarse(by)),
    }
}

/// A time span, to the second.
pub(super) fn span(time: Duration) -> String {
    duration::coarse(whole_seconds(time))
}

/// To the second, or as coarse as a far-away time deserves: nobody counts the seconds of six weeks.
fn whole_seconds(time: Duration) -> Duration {
    const FAR: Duration = Duration::from_hours(48);
    let unit = if time >= FAR { 3600 } else { 1 };
    Duration::from_secs(time.as_secs() / unit * unit)
}
