//! What the beats of those who fired before tell of the time in which nobody did.

use std::{path::PathBuf, time::Duration};

use jiff::{SignedDuration, Timestamp};
use sched_runner::proc;
use scheduler_core::{
    Clock, Home,
    audit::{Outage, OutageCause},
    liveness::{Heartbeat, Phase, heartbeat, stale_after, tick_period},
    vfs::RealFs,
};

use crate::daemon::lock;

/// A restart that is quicker than this is none.
const NOTABLE: SignedDuration = SignedDuration::from_secs(1);

/// Who fired last, before somebody who comes at `now`.
pub(crate) struct Predecessor {
    daemon: Option<Heartbeat>,
    tick: Option<Heartbeat>,
}

/// What the clocks show when somebody takes over.
pub(crate) struct Now {
    wall: Timestamp,
    since_boot: Duration,
    /// Which boot this is, where that can be known.
    boot_id: Option<String>,
}

impl Now {
    pub(crate) fn by(clock: &dyn Clock) -> Self {
        Self { wall: clock.now(), since_boot: clock.boottime(), boot_id: proc::boot_id() }
    }

    fn may_be_in_the_boot_of(&self, beat: &Heartbeat) -> bool {
        beat.boot_id.is_empty() || self.boot_id.as_ref().is_none_or(|boot| *boot == beat.boot_id)
    }

    /// How long ago `beat` was: within a boot by the clock that nobody sets.
    fn since(&self, beat: &Heartbeat) -> SignedDuration {
        let same_boot = self.boot_id.as_ref() == Some(&beat.boot_id);
        let by_itself = self.since_boot.checked_sub(Duration::from_nanos(beat.boottime_ns)).filter(|_| same_boot);
        let by_itself = by_itself.and_then(|since| SignedDuration::try_from(since).ok());
        by_itself.unwrap_or_else(|| self.wall.duration_since(beat.at))
    }
}

impl Predecessor {
    /// Reads the beats of `home`; to be asked before the own one is written.
    pub(crate) fn of(home: &Home) -> Self {
        let read = |path: PathBuf| heartbeat::read(&RealFs, &path).ok();
        Self { daemon: read(home.ticker_json()), tick: read(home.tick_json()) }
    }

    /// The daemon that beat last, if it did not say goodbye.
    pub(crate) fn crashed(&self) -> Option<&Heartbeat> {
        self.daemon.as_ref().filter(|beat| beat.phase != Phase::Stopped)
    }

    /// The beat of a tick that begins after those: of how ticks end it knows no more than the last one did.
    pub(crate) fn begin_tick(&self, beat: &mut Heartbeat) {
        beat.provider = "tick".into();
        beat.phase = Phase::Ticking;
        let Some(last) = &self.tick else { return };
        beat.previous_at = Some(last.at);
        beat.previous_boottime_ns =
            (!beat.boot_id.is_empty() && last.boot_id == beat.boot_id).then_some(last.boottime_ns);
        beat.last_success_at = last.last_success_at;
        beat.status = last.status;
        beat.error.clone_from(&last.error);
    }

    /// The time from the last sign of life until now, when a daemon takes over; and what the clock was set by meanwhile.
    pub(crate) fn outages(&self, now: &Now) -> Vec<Outage> {
        self.judge(now, false)
    }

    /// The same for a tick: what is no longer than ticks are usually apart is no outage.
    pub(crate) fn outages_before_tick(&self, now: &Now) -> Vec<Outage> {
        self.judge(now, true)
    }

    fn judge(&self, now: &Now, ticked: bool) -> Vec<Outage> {
        let daemon = self.daemon.as_ref().filter(|beat| self.tick.as_ref().is_none_or(|tick| tick.at < beat.at));
        let Some(last) = daemon.or(self.tick.as_ref()) else { return Vec::new() };
        let cause = match daemon.map(|beat| beat.phase) {
            Some(Phase::Stopped) => OutageCause::Stopped,
            Some(_) if now.may_be_in_the_boot_of(last) => OutageCause::Crashed,
            Some(_) => OutageCause::Rebooted,
            None => OutageCause::NoTick,
        };
        let lasted = now.since(last);
        // A crash is evidence however soon somebody was there again: runs may have ended unseen.
        let least = match cause {
            OutageCause::Crashed | OutageCause::Rebooted => SignedDuration::ZERO,
            OutageCause::NoTick => self.patience().unwrap_or_default(),
            _ if ticked => self.patience().unwrap_or(NOTABLE),
            _ => NOTABLE,
        };
        let before = |span: SignedDuration| now.wall.checked_sub(span).unwrap_or(now.wall);
        let set_by = now.wall.duration_since(last.at) - lasted;
        let set = (set_by.abs() >= NOTABLE).then(|| Outage::new(OutageCause::ClockSet, before(set_by), now.wall));
        let outage = (lasted >= least).then(|| Outage::new(cause, before(lasted), now.wall));
        set.into_iter().chain(outage).collect()
    }

    /// How far apart ticks may be.
    fn patience(&self) -> Option<SignedDuration> {
        let tick = self.tick.as_ref()?;
        SignedDuration::try_from(stale_after(tick_period(tick, Duration::ZERO))).ok()
    }
}

/// The outage that goes on, if nothing fires in `home`; and what the clock was set by since it began.
pub(crate) fn ongoing(home: &Home, clock: &dyn Clock) -> Vec<Outage> {
    if lock::look(home).held { Vec::new() } else { Predecessor::of(home).outages_before_tick(&Now::by(clock)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beat(at: i64, phase: Phase) -> Heartbeat {
        let mut beat = Heartbeat::new("run", second(at), Duration::from_mins(1));
        beat.at = second(at);
        beat.phase = phase;
        beat
    }

    fn second(at: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + at).unwrap()
    }

    /// Ten minutes after this machine was started, whatever its wall clock shows.
    fn now(wall: i64) -> Now {
        Now { wall: second(wall), since_boot: Duration::from_mins(10), boot_id: Some("this".into()) }
    }

    #[test]
    fn a_clock_that_was_set_while_nobody_was_there_is_told_from_the_time_that_nobody_was() {
        let check = |phase: Phase, at: i64, expected: &[(OutageCause, i64)]| {
            // A beat of this boot, 60 s ago.
            let mut daemon = beat(at, phase);
            (daemon.boot_id, daemon.boottime_ns) = ("this".into(), 540_000_000_000);
            let outages = Predecessor { daemon: Some(daemon), tick: None }.outages(&now(10_000));
            let expected: Vec<Outage> =
                expected.iter().map(|(cause, from)| Outage::new(*cause, second(*from), second(10_000))).collect();
            assert_eq!(outages, expected, "{phase:?} {at}");
        };
        check(Phase::Idle, 9940, &[(OutageCause::Crashed, 9940)]);
        check(Phase::Idle, 6340, &[(OutageCause::ClockSet, 6400), (OutageCause::Crashed, 9940)]);
        check(Phase::Idle, 13_540, &[(OutageCause::ClockSet, 13_600), (OutageCause::Crashed, 9940)]);
        check(Phase::Stopped, 13_540, &[(OutageCause::ClockSet, 13_600), (OutageCause::Stopped, 9940)]);
    }

    #[test]
    fn the_last_sign_of_life_says_since_when_and_why() {
        let ticked = |at: i64, before: i64| {
            let mut tick = beat(at, Phase::Idle);
            tick.previous_at = Some(second(before));
            tick
        };
        let check = |daemon: Option<Heartbeat>, tick: Option<Heartbeat>, expected: Option<(OutageCause, i64)>| {
            let outages = Predecessor { daemon, tick }.outages(&now(1000));
            let expected = expected.map(|(cause, from)| Outage::new(cause, second(from), second(1000)));
            assert_eq!(outages, Vec::from_iter(expected));
        };
        let mut other_boot = beat(900, Phase::Idle);
        other_boot.boot_id = "another".into();
        check(None, None, None);
        check(Some(beat(900, Phase::Stopped)), None, Some((OutageCause::Stopped, 900)));
        check(Some(beat(1000, Phase::Stopped)), None, None);
        check(Some(beat(1000, Phase::Idle)), None, Some((OutageCause::Crashed, 1000)));
        check(Some(other_boot), None, Some((OutageCause::Rebooted, 900)));
        check(Some(beat(100, Phase::Idle)), Some(ticked(950, 890)), None);
        check(Some(beat(100, Phase::Idle)), Some(ticked(700, 640)), Some((OutageCause::NoTick, 700)));
        // Ticks that are five minutes apart are not missed after four.
        check(None, Some(ticked(700, 400)), None);
    }

    #[test]
    fn a_tick_that_begins_is_no_worse_than_the_last_one() {
        let mut last = beat(0, Phase::Idle);
        last.last_success_at = Some(second(0));
        let mut next = beat(60, Phase::Starting);
        let tick = Predecessor { daemon: None, tick: Some(last) };
        tick.begin_tick(&mut next);
        assert_eq!(
            (next.previous_at, next.last_success_at, next.phase),
            (Some(second(0)), Some(second(0)), Phase::Ticking)
        );
        // One that is killed half-way each time doesn't hand on a success of its own.
        let mut third = beat(120, Phase::Starting);
        Predecessor { daemon: None, tick: Some(next) }.begin_tick(&mut third);
        assert_eq!((third.previous_at, third.last_success_at), (Some(second(60)), Some(second(0))));
    }
}
