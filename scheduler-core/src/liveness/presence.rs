//! The rows of the verdict that ask whether there is anything that could fire: a daemon that holds the lock and gets
//! on, or ticks that come regularly. What they let through goes on to [`firing`].

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{
    facts::Facts,
    heartbeat::{Heartbeat, Phase, Status, Unreadable},
    verdict::{Verdict, VerdictKind, firing, stale_after},
    words::{moment, plural, span},
};
use crate::{ProcessRef, store::Problem};

/// How far ahead of the facts a beat may be: the two are not read in the same instant.
const SLACK: Duration = Duration::from_secs(5);

/// How far the wall time in a beat may be from what the time since boot makes of it, before it counts as a lie.
const WALL_SLACK: SignedDuration = SignedDuration::from_hours(24);

/// The longest interval and gap that is believed: a beat must not be able to ask for a week of patience.
const LONGEST: Duration = Duration::from_hours(1);

const RESTART: &str = "see why in its log, then stop it and start it again with `sched run`";
const RUN: &str = "start the daemon with `sched run`";

pub(super) fn judge(facts: &Facts) -> Verdict {
    if !facts.home_exists {
        return Verdict::new(VerdictKind::Stopped, "there is no home here, so nothing fires")
            .with_hint("make one with `sched init`, then `sched run`");
    }
    if let Some(why) = &facts.lock.unreadable {
        // What keeps everything in the home from being read has a hint of its own.
        let of_all = facts.store_hint.as_deref().filter(|_| facts.store_error.as_ref() == Some(why));
        return unknown(format!("it can't be known whether a daemon runs: {why}"))
            .with_hint(of_all.unwrap_or("ask as the user that owns the home"));
    }
    if facts.lock.held { held(facts) } else { free(facts) }
}

/// Somebody holds the lock, so a daemon is there. Does it get on?
fn held(facts: &Facts) -> Verdict {
    let Some(holder) = &facts.lock.holder else {
        return unknown("a daemon holds the lock, but it can't be known which process that is").with_hint(RESTART);
    };
    let Some(age) = age(facts, holder) else {
        return unknown(format!("process {} of another machine or boot holds the lock", holder.pid))
            .with_hint("ask on the machine the daemon runs on");
    };
    let beat = facts.beat.as_ref();
    let own = beat.ok().filter(|beat| is_of(beat, holder));
    // A frozen or dead process is hard evidence, whatever its last beat promised.
    let same_namespace =
        own.is_none_or(|beat| beat.pid_ns.is_none() || facts.pid_ns.is_none() || beat.pid_ns == facts.pid_ns);
    match facts.holder_state.filter(|_| same_namespace) {
        // Not `t`: a tracer stops its process many times a second, and lets it go on.
        Some('T') => {
            let hint = format!("let it go on with `kill -CONT {}`", holder.pid);
            return stalled(format!("the daemon (process {}) is frozen: it was sent a stop signal", holder.pid), hint);
        }
        Some('Z' | 'X') => {
            let summary =
                format!("the daemon (process {}) is dead, and something it started still holds its lock", holder.pid);
            return Verdict::new(VerdictKind::Crashed, summary).with_hint(RESTART);
        }
        _ => {}
    }
    let interval = own.map_or(facts.interval.min(LONGEST), |beat| believed_interval(beat, facts));
    let young = age < stale_after(interval);
    let for_so_long = span(age);
    let starting = |what: &str| {
        let what = format!("the daemon was started {for_so_long} ago, and {what}");
        if young { Verdict::new(VerdictKind::Starting, what) } else { stalled(what, RESTART) }
    };
    let beat = match (own, beat) {
        (Some(own), _) => own,
        (None, Ok(_)) => return starting("has not beaten yet: the beat on record is of another process"),
        (None, Err(Unreadable::Missing | Unreadable::Empty)) if young => return starting("has not beaten yet"),
        (None, Err(why)) => {
            let summary = format!("a daemon holds the lock (process {}), but {why}", holder.pid);
            return unknown(summary)
                .with_hint("check the folder `heartbeats` of the home: its disk, owner and permissions");
        }
    };
    let told_to_stop = matches!(beat.phase, Phase::Draining | Phase::Stopped);
    if beat.phase == Phase::Starting || !beat.has_ticked() && !told_to_stop {
        return starting("no tick has finished yet");
    }
    if let Some(why) = foreign(facts, beat).map(str::to_owned).or_else(|| misdated(facts, beat)) {
        return unknown(format!("the daemon's heartbeat can't be believed: {why}")).with_hint(RESTART);
    }
    let stale_after = stale_after(interval);
    let since = |then: u64| facts.monotonic.saturating_sub(Duration::from_nanos(then));
    let stuck = since(beat.progress_monotonic_ns);
    if stuck >= stale_after {
        let what = format!(
            "the daemon has been stuck for {} (phase {}, cycle {})",
            span(stuck),
            beat.phase.word(),
            beat.cycle
        );
        return stalled(what, RESTART);
    }
    // A provider that has never got on has been stuck since the process began.
    let provider = beat.provider_monotonic_ns.map_or(age, since);
    if beat.provider_ticks && !told_to_stop && provider >= stale_after {
        return stalled(format!("the provider `{}` has been stuck for {}", beat.provider, span(provider)), RESTART);
    }
    firing(facts, beat, false, Vec::new())
}

/// Nobody holds the lock, so no daemon is there. Was it meant to be, and does something else fire?
fn free(facts: &Facts) -> Verdict {
    if let Some(verdict) = by_ticks(facts) {
        return verdict;
    }
    let abandoned = facts.jobs.open.iter().filter(|run| run.abandoned).count();
    match &facts.beat {
        Ok(beat) if beat.phase == Phase::Stopped => {
            stopped(facts, format!("the daemon was stopped at {}", moment(beat.at, facts.now)))
        }
        Ok(beat) => crashed_or_unknown(facts, beat),
        Err(Unreadable::Missing) if abandoned > 0 => {
            let summary = format!("no daemon runs, and one that died left {} open", plural(abandoned, "run", "runs"));
            Verdict::new(VerdictKind::Crashed, summary).with_hint(RUN)
        }
        Err(Unreadable::Missing) => match (&facts.store_error, &facts.tick) {
            (Some(why), _) => unknown(format!("no daemon runs, and the store can't be read: {why}"))
                .with_hint(facts.store_hint.as_deref().unwrap_or(RUN)),
            (None, Err(why)) if *why != Unreadable::Missing => {
                unknown(format!("no daemon runs, and of `sched tick` it can't be known: {why}"))
                    .with_hint("check the file heartbeats/tick.json of the home")
            }
            _ => stopped(facts, "no daemon runs, and none has left a heartbeat here".into()),
        },
        Err(why) => unknown(format!("no daemon runs, but how the last one ended can't be known: {why}")).with_hint(RUN),
    }
}

fn crashed_or_unknown(facts: &Facts, beat: &Heartbeat) -> Verdict {
    if let Some(why) = foreign(facts, beat) {
        return unknown(format!("no daemon runs on this machine, but of the last heartbeat: {why}"))
            .with_hint("ask on that machine, or start the daemon here with `sched run`");
    }
    let rebooted = facts.boot_id.as_deref() != Some(&beat.boot_id);
    // It notices soon, and ends; another one beside it would be one too many.
    if facts.beat_state.is_some_and(|state| !matches!(state, 'Z' | 'X')) {
        let pid = beat.pid;
        let what = format!("the daemon (process {pid}) runs without its lock: state/daemon.lock was taken away");
        return stalled(
            what,
            format!("stop it with `kill {pid}`, put `state` back if it was moved, and start it again"),
        );
    }
    if let Some(why) = misdated(facts, beat).filter(|_| !rebooted) {
        return unknown(format!("no daemon runs, and its last heartbeat can't be believed: {why}")).with_hint(RUN);
    }
    let when = moment(beat.at, facts.now);
    let cycle = beat.cycle;
    let summary = match &beat.error {
        _ if rebooted => format!("no daemon has run since the machine was restarted; the last beat was at {when}"),
        // One that is stuck says so before it ends itself: whoever is told of the crash has to know.
        Some(error) => {
            format!("the daemon died after its beat at {when}, at cycle {cycle}; its last word was: {}", error.message)
        }
        None => format!("the daemon died without a word after its beat at {when}, at cycle {cycle}"),
    };
    Verdict::new(VerdictKind::Crashed, summary).with_hint(RUN)
}

/// A home that `sched tick` drives: two ticks since a daemon last gave a sign of life. `None` if it isn't one.
fn by_ticks(facts: &Facts) -> Option<Verdict> {
    let tick = facts.tick.as_ref().ok()?;
    let previous = tick.previous_at?;
    let daemon = match &facts.beat {
        Ok(beat) if tick.at > beat.at && previous > beat.at => Some(beat),
        Err(Unreadable::Missing) => None,
        // Older than the daemon's last sign, or it can't be known what that was.
        _ => return None,
    };
    if let Some(why) = foreign(facts, tick) {
        return Some(unknown(format!("the last `sched tick` can't be judged: {why}")).with_hint("ask on that machine"));
    }
    let period = tick_period(tick, facts.interval);
    let limit = stale_after(period);
    let hint = "check that the system's cron still calls `sched tick` for this home";
    if facts.boot_id.as_deref() != Some(&tick.boot_id) {
        let what = format!("no `sched tick` has come since the machine started {} ago", span(facts.monotonic));
        // Without a boot id there is no telling how long it has been.
        let patient = facts.boot_id.is_some() && facts.monotonic < limit;
        return Some(if patient { Verdict::new(VerdictKind::Starting, what) } else { stalled(what, hint) });
    }
    if let Some(why) = misdated(facts, tick) {
        return Some(unknown(format!("the last `sched tick` can't be believed: {why}")).with_hint(hint));
    }
    let age = facts.monotonic.saturating_sub(Duration::from_nanos(tick.monotonic_ns));
    if age >= limit {
        let what = format!("the last `sched tick` came {} ago; one is expected every {}", span(age), span(period));
        return Some(stalled(what, hint));
    }
    // A tick that is killed half-way each time beats as regularly as one that works.
    let ended = tick.last_success_at.filter(|at| tick.at.duration_since(*at).unsigned_abs() < limit);
    if tick.status == Status::Ok && ended.is_none() {
        return Some(stalled(
            "`sched tick` is called, but none has come to its end".into(),
            "run `sched tick` by hand and see",
        ));
    }
    let crashed = daemon.filter(|beat| beat.phase != Phase::Stopped).map(|beat| {
        let what =
            format!("the daemon died after its beat at {}; `sched tick` fires since", moment(beat.at, facts.now));
        Problem::new("daemon-crashed", what, RUN)
    });
    Some(firing(facts, tick, true, crashed.into_iter().collect()))
}

fn stopped(facts: &Facts, summary: String) -> Verdict {
    let waiting = facts.jobs.enabled.saturating_sub(facts.jobs.paused);
    let summary = if waiting > 0 {
        format!("{summary}; {}", plural(waiting, "enabled job doesn't fire", "enabled jobs don't fire"))
    } else {
        summary
    };
    Verdict::new(VerdictKind::Stopped, summary).with_hint(RUN)
}

fn stalled(summary: String, hint: impl Into<String>) -> Verdict {
    Verdict::new(VerdictKind::Stalled, summary).with_hint(hint)
}

fn unknown(summary: impl Into<String>) -> Verdict {
    Verdict::new(VerdictKind::Unknown, summary)
}

/// How long ago the holder was started; `None` if it isn't of this boot, or dated in its future.
fn age(facts: &Facts, holder: &ProcessRef) -> Option<Duration> {
    let start = Duration::from_millis(holder.start_time.checked_mul(10)?);
    let ours = facts.boot_id.as_deref() == Some(&holder.boot_id) && start <= facts.boottime + SLACK;
    ours.then(|| facts.boottime.saturating_sub(start))
}

/// Both were written by the process itself, so they compare whatever namespace this is asked in.
fn is_of(beat: &Heartbeat, holder: &ProcessRef) -> bool {
    (beat.pid, beat.proc_start, &beat.boot_id) == (holder.pid, holder.start_time, &holder.boot_id)
}

fn foreign(facts: &Facts, beat: &Heartbeat) -> Option<&'static str> {
    let (here, there) = (facts.machine_id.as_ref()?, beat.machine_id.as_ref()?);
    (here != there).then_some("it is of another machine")
}

/// Why a beat can't have been written when it says. Within one boot the time since boot is the judge of the wall clock.
fn misdated(facts: &Facts, beat: &Heartbeat) -> Option<String> {
    if facts.boot_id.as_deref() != Some(&beat.boot_id) {
        return Some("it is of another boot".into());
    }
    let future = |ns: u64, now: Duration| Duration::from_nanos(ns) > now + SLACK;
    if future(beat.boottime_ns, facts.boottime)
        || [beat.monotonic_ns, beat.progress_monotonic_ns].iter().any(|ns| future(*ns, facts.monotonic))
        || beat.provider_monotonic_ns.is_some_and(|ns| future(ns, facts.monotonic))
    {
        return Some("it is from the future".into());
    }
    let age = facts.boottime.saturating_sub(Duration::from_nanos(beat.boottime_ns));
    let written = SignedDuration::try_from(age).ok().and_then(|age| facts.now.checked_sub(age).ok());
    let off = written.unwrap_or(Timestamp::MIN).duration_since(beat.at).abs();
    (off > WALL_SLACK).then(|| format!("its wall time {} is off by more than a day", moment(beat.at, facts.now)))
}

fn believed_interval(beat: &Heartbeat, facts: &Facts) -> Duration {
    believed(beat, facts.interval)
}

fn believed(beat: &Heartbeat, otherwise: Duration) -> Duration {
    Duration::try_from_secs_f64(beat.interval_s).unwrap_or(otherwise).min(LONGEST)
}

/// How far apart ticks are, by the last one: its interval, or as far as the two last were if that is longer, but no more than
/// an hour. `otherwise` is the interval of one that names none that can be.
///
/// ```
/// use std::time::Duration;
/// use jiff::{Timestamp, ToSpan as _};
/// use scheduler_core::liveness::{Heartbeat, tick_period};
/// let mut tick = Heartbeat::new("tick", Timestamp::UNIX_EPOCH, Duration::from_mins(1));
/// assert_eq!(tick_period(&tick, Duration::ZERO), Duration::from_mins(1));
/// tick.previous_at = Some(tick.at - 5.minutes());
/// assert_eq!(tick_period(&tick, Duration::ZERO), Duration::from_mins(5));
/// // They were two minutes apart, and in between the clock was set.
/// (tick.boottime_ns, tick.previous_boottime_ns) = (420_000_000_000, Some(300_000_000_000));
/// assert_eq!(tick_period(&tick, Duration::ZERO), Duration::from_mins(2));
/// ```
pub fn tick_period(tick: &Heartbeat, otherwise: Duration) -> Duration {
    let by_the_wall = || Duration::try_from(tick.at.duration_since(tick.previous_at?)).ok();
    let since_boot =
        tick.previous_boottime_ns.map(|before| Duration::from_nanos(tick.boottime_ns.saturating_sub(before)));
    let gap = since_boot.or_else(by_the_wall).unwrap_or_default();
    believed(tick, otherwise).max(gap.min(LONGEST))
}
