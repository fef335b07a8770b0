//! The next fires of a job, and why there may be none.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use scheduler_core::{Job, duration, store::JobView};

use crate::{
    output::{Output, Printed},
    standing, upcoming, when,
};

/// What keeps the job from firing by itself, if anything does.
pub(crate) fn silence(view: &JobView, now: Timestamp) -> Option<String> {
    let job = view.job.as_ref().ok()?;
    let zone = standing::zone_of(view);
    if !job.enabled {
        return Some(format!("it is disabled: it will not fire until `sched edit {} --enabled`", view.id));
    }
    if let Some(paused) = &view.paused {
        let until = match paused.until {
            Some(until) => format!("until {}", when::both(until, &zone, now)),
            None => format!("until `sched resume {}`", view.id),
        };
        let reason = paused.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        return Some(format!("it is paused{reason}: it will not fire {until}"));
    }
    if let Some(most) = job.max_runs.filter(|most| view.started >= *most) {
        return Some(format!("it is over: it has run {} times, and max_runs is {most}", view.started));
    }
    let is_over = upcoming::is_by_the_clock(&job.schedule) && instants(view, now, 1).is_empty();
    is_over.then(|| "it will never fire again: its time has passed".into())
}

/// How much later than its instants the job starts, in words, if it has jitter.
pub(crate) fn jitter(job: &Job) -> Option<String> {
    let most = duration::format(job.jitter?);
    Some(format!("up to {most}; it starts {} after each instant", duration::format(job.delay())))
}

/// Prints what its schedule means, the next fires, and what keeps it from firing.
pub(crate) fn explain(view: &JobView, now: Timestamp, count: u32, out: &mut Output) -> Printed {
    out.line(format_args!("  {}", standing::meaning(view)))?;
    if let Some(jitter) = view.job.as_ref().ok().and_then(|job| jitter(job)) {
        out.line(format_args!("  jitter: {jitter}"))?;
    }
    print(view, now, count, out)?;
    silence(view, now).map_or(Ok(()), |why| out.line(format_args!("  {why}")))
}

/// Prints the next fires, one a line.
pub(crate) fn print(view: &JobView, now: Timestamp, count: u32, out: &mut Output) -> Printed {
    let zone = standing::zone_of(view);
    print_instants(&instants(view, now, count), &zone, now, out)
}

/// Prints instants with their distance from `now`.
pub(crate) fn print_instants(instants: &[Timestamp], zone: &TimeZone, now: Timestamp, out: &mut Output) -> Printed {
    for at in instants {
        out.line(format_args!("  {}  {}", when::stamp(*at, zone), when::relative(*at, now)))?;
    }
    Ok(())
}

/// The next fires for programs.
pub(crate) fn to_json(view: &JobView, now: Timestamp, count: u32) -> Vec<String> {
    let zone = standing::zone_of(view);
    instants(view, now, count).into_iter().map(|at| when::exact(at, &zone)).collect()
}

/// When it starts next, whether or not anything keeps it from firing: at the instants of its schedule, or later by its part
/// of its jitter.
pub(crate) fn instants(view: &JobView, after: Timestamp, count: u32) -> Vec<Timestamp> {
    let Ok(job) = &view.job else { return Vec::new() };
    let left = job.max_runs.map_or(count, |most| most.saturating_sub(view.started).min(count));
    let delay = SignedDuration::try_from(job.delay()).unwrap_or_default();
    // What has come, is owed and is put off starts after `after` too.
    let from = after.saturating_sub(delay).unwrap_or(after).max(after.min(view.settled_through));
    let first = job.next_after(from);
    let instants = std::iter::successors(first, |at| job.next_after(*at));
    instants.filter_map(|at| at.checked_add(delay).ok()).take(left as usize).collect()
}
