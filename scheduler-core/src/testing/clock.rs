//! A clock that moves when it is told to.

use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::Clock;

/// Wall time and time since boot, both set by hand.
///
/// ```
/// use std::time::Duration;
/// use jiff::SignedDuration;
/// use scheduler_core::{Clock, testing::ManualClock};
/// let clock = ManualClock::at("2026-11-22T10:00:00Z");
/// let before = clock.boottime();
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now().to_string(), "2026-11-22T10:01:00Z");
/// clock.step(SignedDuration::from_hours(-1)); // somebody sets it back
/// clock.set("2026-11-22T12:00:00Z");
/// assert_eq!(clock.boottime() - before, Duration::from_secs(60), "no time passed by that");
/// ```
#[derive(Debug)]
pub struct ManualClock {
    times: Mutex<Times>,
    moved: watch::Sender<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Times {
    wall: Timestamp,
    since_boot: Duration,
}

impl ManualClock {
    /// A clock that stands at `wall`.
    ///
    /// # Panics
    /// If `wall` is not a timestamp.
    pub fn at(wall: &str) -> Self {
        let wall = wall.parse().expect("a timestamp such as 2026-11-22T10:00:00Z");
        Self { times: Mutex::new(Times { wall, since_boot: Duration::from_secs(1000) }), moved: watch::Sender::new(0) }
    }

    /// Time passes.
    pub fn advance(&self, by: Duration) {
        self.change(|times| {
            times.wall += by;
            times.since_boot += by;
        });
    }

    /// Somebody sets the clock: wall time jumps, and no time has passed.
    pub fn step(&self, by: SignedDuration) {
        self.change(|times| times.wall += by);
    }

    /// Somebody sets the clock to this.
    ///
    /// # Panics
    /// If `wall` is not a timestamp.
    pub fn set(&self, wall: &str) {
        let wall = wall.parse().expect("a timestamp such as 2026-11-22T10:00:00Z");
        self.change(|times| times.wall = wall);
    }

    fn change(&self, change: impl FnOnce(&mut Times)) {
        change(&mut self.times.lock());
        self.moved.send_modify(|count| *count += 1);
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.times.lock().wall
    }

    fn boottime(&self) -> Duration {
        self.times.lock().since_boot
    }

    fn monotonic(&self) -> Duration {
        self.times.lock().since_boot
    }

    async fn sleep_until(&self, until: Timestamp) {
        let mut moved = self.moved.subscribe();
        if self.now() < until {
            // Any movement ends the sleep, as setting the real clock does.
            let _ = moved.changed().await;
        }
    }
}
