//! Whether the daemon gets on, and since when it doesn't. Nothing here asks for the time or touches a thread.

use std::time::Duration;

use scheduler_core::liveness::{Heartbeat, stale_after};

/// What a look at the beat amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It gets on.
    Well,
    /// It has not got on for too long, as of this look.
    Wedged(Duration),
    /// It still doesn't.
    StillWedged(Duration),
    /// It does again, after so long.
    Recovered(Duration),
    /// It has had all the time it gets.
    GiveUp(Duration),
}

/// Follows one daemon.
///
/// Only time that was seen to pass counts: a process that was stopped as a whole (SIGSTOP, a debugger, a machine without a
/// core to spare) finds itself late and not wedged when it goes on.
#[derive(Debug, Default)]
pub(super) struct Watch {
    last: Option<Look>,
    engine: Duration,
    provider: Duration,
    wedged: bool,
}

#[derive(Debug, Clone, Copy)]
struct Look {
    at: Duration,
    engine: u64,
    provider: Option<u64>,
}

impl Watch {
    /// Looks at `beat`, at `now` by a clock that counts the time awake; the next look is to be in `pause`. With `give_up_after`
    /// of zero nothing is given up.
    pub(super) fn look(&mut self, beat: &Heartbeat, now: Duration, pause: Duration, give_up_after: Duration) -> Step {
        let look = Look { at: now, engine: beat.progress_monotonic_ns, provider: own_ticker(beat) };
        let last = self.last.replace(look).unwrap_or(look);
        let seen = now.saturating_sub(last.at).min(pause * 2);
        let before = self.engine.max(self.provider);
        self.engine = if look.engine == last.engine { self.engine + seen } else { Duration::ZERO };
        self.provider = if look.provider.is_some() && look.provider == last.provider {
            self.provider + seen
        } else {
            Duration::ZERO
        };
        let stuck = self.engine.max(self.provider);
        let patience = stale_after(Duration::try_from_secs_f64(beat.interval_s).unwrap_or_default());
        match (stuck >= patience, std::mem::replace(&mut self.wedged, stuck >= patience)) {
            (true, _) if !give_up_after.is_zero() && stuck >= give_up_after => Step::GiveUp(stuck),
            (true, false) => Step::Wedged(stuck),
            (true, true) => Step::StillWedged(stuck),
            (false, true) => Step::Recovered(before),
            (false, false) => Step::Well,
        }
    }
}

/// The last progress of a provider that is this process's own work. What others do, a plugin say, a new process would not mend.
fn own_ticker(beat: &Heartbeat) -> Option<u64> {
    beat.provider_monotonic_ns.filter(|_| beat.provider_ticks && beat.provider == "builtin")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    const PAUSE: Duration = Duration::from_secs(5);
    const GIVE_UP: Duration = Duration::from_mins(5);

    fn beat(engine: u64, provider: u64) -> Heartbeat {
        let mut beat = Heartbeat::new("run", Timestamp::UNIX_EPOCH, Duration::from_mins(1));
        beat.provider_ticks = true;
        beat.progress_monotonic_ns = engine;
        beat.provider_monotonic_ns = Some(provider);
        beat
    }

    /// What a daemon is told whose beat stays as it is from 0 s on, looked at every 5 s.
    fn looks(beat: &Heartbeat, give_up_after: Duration) -> Vec<(u64, Step)> {
        let mut watch = Watch::default();
        let mut steps: Vec<(u64, Step)> = Vec::new();
        for second in (0..=600).step_by(5) {
            let step = watch.look(beat, Duration::from_secs(second), PAUSE, give_up_after);
            if !matches!(step, Step::Well | Step::StillWedged(_)) {
                steps.push((second, step));
            }
            if matches!(step, Step::GiveUp(_)) {
                break;
            }
        }
        steps
    }

    #[test]
    fn who_does_not_get_on_is_wedged_and_then_given_up() {
        let secs = Duration::from_secs;
        assert_eq!(looks(&beat(1, 1), GIVE_UP), [(200, Step::Wedged(secs(200))), (300, Step::GiveUp(secs(300)))]);
        assert_eq!(looks(&beat(1, 1), Duration::ZERO), [(200, Step::Wedged(secs(200)))], "0 is never");
        // Never sooner than what counts as wedged at all.
        assert_eq!(looks(&beat(1, 1), secs(10)), [(200, Step::GiveUp(secs(200)))]);
    }

    #[test]
    fn the_built_in_ticker_counts_and_a_plugin_does_not() {
        let mut watch = Watch::default();
        let steps = |watch: &mut Watch, provider: &str| -> Vec<Step> {
            (0..=40)
                .map(|look| {
                    let mut beat = beat(look, 7);
                    provider.clone_into(&mut beat.provider);
                    watch.look(&beat, PAUSE * u32::try_from(look).unwrap(), PAUSE, GIVE_UP)
                })
                .collect()
        };
        assert_eq!(steps(&mut watch, "builtin").last(), Some(&Step::Wedged(Duration::from_secs(200))));
        assert!(steps(&mut Watch::default(), "plugin").iter().all(|step| *step == Step::Well));
    }

    #[test]
    fn getting_on_mends_it() {
        let mut watch = Watch::default();
        for look in 0..=41 {
            watch.look(&beat(1, 1), PAUSE * look, PAUSE, GIVE_UP);
        }
        let step = watch.look(&beat(2, 2), PAUSE * 42, PAUSE, GIVE_UP);
        assert_eq!(step, Step::Recovered(Duration::from_secs(205)));
        assert_eq!(watch.look(&beat(2, 2), PAUSE * 43, PAUSE, GIVE_UP), Step::Well);
    }

    #[test]
    fn time_that_nobody_saw_does_not_count() {
        let mut watch = Watch::default();
        watch.look(&beat(1, 1), Duration::ZERO, PAUSE, GIVE_UP);
        let step = watch.look(&beat(1, 1), Duration::from_hours(1), PAUSE, GIVE_UP);
        assert_eq!(step, Step::Well, "it was stopped for an hour, and has had ten seconds");
    }
}
