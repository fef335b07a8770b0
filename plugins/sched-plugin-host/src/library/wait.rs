//! `wait_until`: sleeps, beats meanwhile, and ends early when the daemon stops or jobs change.

use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use sched_plugin_abi::wake;

/// Sleeps are on the monotonic clock, which a suspend stops and a set clock doesn't move. Somebody tells when that happens; where
/// nobody can, none is longer than this before the wall clock is looked at again.
const LONGEST_SLEEP: Duration = Duration::from_secs(10);

/// What a plugin waits for besides the time.
pub(super) struct Wait {
    state: Mutex<State>,
    changed: Condvar,
    /// How long after a beat the next one is.
    beat_every: Duration,
}

struct State {
    stopping: bool,
    jobs_changed: bool,
    last_beat: Option<Instant>,
}

impl Wait {
    /// For a daemon that expects to hear something once every `interval`.
    pub(super) fn new(interval: Duration) -> Self {
        Self {
            state: Mutex::new(State { stopping: false, jobs_changed: false, last_beat: None }),
            changed: Condvar::new(),
            // One may be late, and one may wait in a pipe.
            beat_every: (interval / 3).max(Duration::from_millis(1)),
        }
    }

    /// Waits until the wall clock shows `unix_ms`; answers bits of [`wake`]. `now` reads it, and `beat` is called whenever the
    /// last beat is a while ago, at once if need be: many short waits beat like a long one.
    pub(super) fn until(&self, unix_ms: i64, now: impl Fn() -> i64, beat: impl Fn()) -> u32 {
        let mut state = self.state.lock();
        loop {
            let moment = Instant::now();
            let next_beat = state.last_beat.map_or(moment, |last| last + self.beat_every);
            if next_beat <= moment {
                state.last_beat = Some(moment);
                // A beat may have to wait for the pipe. Nobody else should have to wait for that.
                parking_lot::MutexGuard::unlocked(&mut state, &beat);
                continue;
            }
            if state.stopping || state.jobs_changed {
                let stopping = if state.stopping { wake::STOPPING } else { 0 };
                let changed = if std::mem::take(&mut state.jobs_changed) { wake::JOBS_CHANGED } else { 0 };
                return stopping | changed;
            }
            let left = unix_ms.saturating_sub(now());
            if left <= 0 {
                return 0;
            }
            let left = Duration::from_millis(left.unsigned_abs()).min(LONGEST_SLEEP).min(next_beat - moment);
            self.changed.wait_for(&mut state, left);
        }
    }

    /// Something else than a beat has shown that the plugin is at work.
    pub(super) fn has_beaten(&self) {
        self.state.lock().last_beat = Some(Instant::now());
    }

    /// The daemon stops: every wait ends now, and at once from now on.
    pub(super) fn stop(&self) {
        self.state.lock().stopping = true;
        self.changed.notify_all();
    }

    /// Jobs have changed: one wait ends, this one or the next.
    pub(super) fn jobs_changed(&self) {
        self.state.lock().jobs_changed = true;
        self.changed.notify_one();
    }

    /// The wall clock is not what it was: whoever waits for it looks again.
    pub(super) fn clock_was_set(&self) {
        // With the lock, so that nobody is between a look at the clock and the sleep.
        drop(self.state.lock());
        self.changed.notify_all();
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.state.lock().stopping
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

    use super::*;

    const FAR: i64 = i64::MAX;

    #[test]
    fn the_time_comes() {
        let wait = Wait::new(Duration::from_mins(1));
        assert_eq!(wait.until(5, || 5, || ()), 0);
        assert_eq!(wait.until(5, || i64::MAX, || ()), 0);
        // A clock that is set during the wait counts from then on.
        let now = AtomicI64::new(0);
        assert_eq!(wait.until(3, || now.fetch_add(1, Ordering::Relaxed), || ()), 0);
    }

    #[test]
    fn a_change_ends_one_wait_and_a_stop_all_that_come() {
        let wait = Wait::new(Duration::from_mins(1));
        wait.jobs_changed();
        assert_eq!(wait.until(FAR, || 0, || ()), wake::JOBS_CHANGED, "one that came between two waits isn't lost");
        assert_eq!(wait.until(0, || 0, || ()), 0);
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| wait.until(FAR, || 0, || ()));
            wait.stop();
            assert_eq!(waits.join().expect("the wait"), wake::STOPPING);
        });
        wait.jobs_changed();
        assert_eq!(wait.until(FAR, || 0, || ()), wake::STOPPING | wake::JOBS_CHANGED);
        assert_eq!(wait.until(FAR, || 0, || ()), wake::STOPPING);
        assert!(wait.is_stopping());
    }

    #[test]
    fn a_clock_that_is_set_ends_a_wait_at_once() {
        let wait = Wait::new(Duration::from_hours(1));
        let (now, looks) = (AtomicI64::new(0), std::sync::mpsc::channel());
        let look = || {
            let shown = now.load(Ordering::Relaxed);
            looks.0.send(shown).expect("somebody listens");
            shown
        };
        let began = Instant::now();
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| wait.until(1000, look, || ()));
            assert_eq!(looks.1.recv(), Ok(0));
            now.store(1000, Ordering::Relaxed);
            wait.clock_was_set();
            assert_eq!(waits.join().expect("the wait"), 0);
        });
        assert!(began.elapsed() < LONGEST_SLEEP, "{:?}", began.elapsed());
    }

    #[test]
    fn a_long_wait_beats_and_short_ones_do_not_beat_more() {
        let wait = Wait::new(Duration::from_millis(30));
        let beats = AtomicU32::new(0);
        let beat = || {
            beats.fetch_add(1, Ordering::Relaxed);
        };
        let three = || i64::from(beats.load(Ordering::Relaxed) >= 3);
        assert_eq!(wait.until(1, three, beat), 0);
        assert_eq!(beats.load(Ordering::Relaxed), 3);

        let wait = Wait::new(Duration::from_hours(1));
        for _ in 0..100 {
            wait.until(0, || 0, beat);
        }
        assert_eq!(beats.load(Ordering::Relaxed), 4);
    }
}
