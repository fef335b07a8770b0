//! What the beats of those who fired before tell of the time in which nobody did.

use std::{path::PathBuf, time::Duration};

use jiff::{SignedDuration, Timestamp};
use sched_runner::proc;
use scheduler_core::{
    Home,
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

    /// When somebody ticked last.
    pub(crate) fn last_tick(&self) -> Option<Timestamp> {
        self.tick.as_ref().map(|beat| beat.at)
    }

    /// The same in nanoseconds since boot, if that was in the boot of this id.
    pub(crate) fn last_tick_since_boot(&self, boot_id: &str) -> Option<u64> {
        let same_boot = |beat: &&Heartbeat| !boot_id.is_empty() && beat.boot_id == boot_id;
        self.tick.as_ref().filter(same_boot).map(|beat| beat.boottime_ns)
    }

    /// The time from the last sign of life until `now`, when a daemon takes over.
    pub(crate) fn outage(&self, now: Timestamp) -> Option<Outage> {
        self.judge(now, false)
    }

    /// The same for a tick: what is no longer than ticks are usually apart is none.
    pub(crate) fn outage_before_tick(&self, now: Timestamp) -> Option<Outage> {
        self.judge(now, true)
    }

    fn judge(&self, now: Timestamp, ticked: bool) -> Option<Outage> {
        let daemon = self.daemon.as_ref().map(|beat| beat.at);
        let tick = self.tick.as_ref().map(|beat| beat.at);
        let from = daemon.max(tick)?;
        let cause = match &self.daemon {
            Some(beat) if tick < Some(beat.at) => {
                let same_boot = beat.boot_id.is_empty() || proc::boot_id().is_none_or(|boot| boot == beat.boot_id);
                match beat.phase {
                    Phase::Stopped => OutageCause::Stopped,
                    _ if same_boot => OutageCause::Crashed,
                    _ => OutageCause::Rebooted,
                }
            }
            _ => OutageCause::NoTick,
        };
        let lasted = now.duration_since(from);
        // A crash is evidence however soon somebody was there again: runs may have ended unseen.
        let least = match cause {
            OutageCause::Crashed | OutageCause::Rebooted => SignedDuration::ZERO,
            OutageCause::NoTick => self.patience().unwrap_or_default(),
            _ if ticked => self.patience().unwrap_or(NOTABLE),
            _ => NOTABLE,
        };
        (lasted >= least).then(|| Outage::new(cause, from, now))
    }

    /// How far apart ticks may be.
    fn patience(&self) -> Option<SignedDuration> {
        let tick = self.tick.as_ref()?;
        SignedDuration::try_from(stale_after(tick_period(tick, Duration::ZERO))).ok()
    }
}

/// The outage that goes on at `now`, if nothing fires in `home`.
pub(crate) fn ongoing(home: &Home, now: Timestamp) -> Option<Outage> {
    if lock::look(home).held { None } else { Predecessor::of(home).outage_before_tick(now) }
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

    #[test]
    fn the_last_sign_of_life_says_since_when_and_why() {
        let ticked = |at: i64, before: i64| {
            let mut tick = beat(at, Phase::Idle);
            tick.previous_at = Some(second(before));
            tick
        };
        let check = |daemon: Option<Heartbeat>, tick: Option<Heartbeat>, expected: Option<(OutageCause, i64)>| {
            let outage = Predecessor { daemon, tick }.outage(second(1000));
            assert_eq!(outage, expected.map(|(cause, from)| Outage::new(cause, second(from), second(1000))));
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
}
