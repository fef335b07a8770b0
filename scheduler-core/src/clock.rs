//! Time: the [`Clock`] trait and the system's clocks. This is the one file of the crate that asks what time it is.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;

/// Wall time, time since boot, and a way to sleep on wall time.
///
/// # Behavior
/// - `now` may jump either way: people and NTP set it. Nothing in this crate assumes that it doesn't.
/// - `boottime` counts suspend, `monotonic` doesn't; neither ever goes back within a boot.
///
/// ```
/// use std::time::Duration;
/// use async_trait::async_trait;
/// use jiff::Timestamp;
/// use scheduler_core::Clock;
///
/// /// Time as an outside simulation tells it.
/// #[derive(Debug)]
/// struct Simulated(Timestamp);
///
/// #[async_trait]
/// impl Clock for Simulated {
///     fn now(&self) -> Timestamp {
///         self.0
///     }
///
///     fn boottime(&self) -> Duration {
///         Duration::from_secs(3600)
///     }
///
///     fn monotonic(&self) -> Duration {
///         self.boottime()
///     }
///
///     async fn sleep_until(&self, _until: Timestamp) {}
/// }
/// let simulated = Simulated(Timestamp::UNIX_EPOCH);
/// assert_eq!(simulated.monotonic().as_secs(), 3600);
/// assert!(!simulated.block_until(simulated.now()), "no thread sleeps by it");
/// ```
#[async_trait]
pub trait Clock: Send + Sync + fmt::Debug {
    /// Wall time.
    fn now(&self) -> Timestamp;

    /// Time since boot, suspend included.
    fn boottime(&self) -> Duration;

    /// Time since boot, suspend excluded: the time in which a loop could have turned.
    fn monotonic(&self) -> Duration;

    /// Sleeps until wall time is at least `until`, or has been set; the caller looks again what time it is.
    ///
    /// # Behavior
    /// - May return early, never much too late: a clock that is set forwards past `until` ends the sleep.
    async fn sleep_until(&self, until: Timestamp);

    /// Blocks the calling thread until then, but not for long; the caller looks again what time it is. False, at once, if
    /// this is a clock that no thread can sleep by.
    ///
    /// # Behavior
    /// - Returns within a quarter of a second, so that whoever sleeps by it can be stopped.
    fn block_until(&self, until: Timestamp) -> bool {
        let _ = until;
        false
    }
}

/// The clocks of this machine.
///
/// ```
/// use scheduler_core::{Clock, SystemClock};
/// let before = SystemClock.now();
/// let awake = SystemClock.monotonic();
/// assert!(SystemClock.boottime() >= awake, "which counts suspend, too");
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// SystemClock.sleep_until(before).await; // it has come already
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that the ban points to")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn boottime(&self) -> Duration {
        #[cfg(target_os = "linux")]
        return linux::gettime(rustix::time::ClockId::Boottime);
        #[cfg(not(target_os = "linux"))]
        return self.monotonic();
    }

    fn monotonic(&self) -> Duration {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
    }

    async fn sleep_until(&self, until: Timestamp) {
        #[cfg(target_os = "linux")]
        if linux::sleep_until(until).await.is_ok() {
            return;
        }
        // Without a timer on the wall clock a set clock goes unnoticed, so the sleep is bounded instead.
        let left = Duration::try_from(until.duration_since(self.now())).unwrap_or(Duration::ZERO);
        tokio::time::sleep(left.min(Duration::from_secs(1))).await;
    }

    fn block_until(&self, until: Timestamp) -> bool {
        #[cfg(target_os = "linux")]
        {
            let left = Duration::try_from(until.duration_since(self.now())).unwrap_or(Duration::ZERO);
            linux::block_for(left.min(Duration::from_millis(250)));
        }
        let _ = until;
        cfg!(target_os = "linux")
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::{io, num::NonZeroU64, os::fd::OwnedFd, time::Duration};

    use jiff::Timestamp;
    use rustix::thread::{clock_nanosleep_absolute, set_current_timer_slack};
    use rustix::time::{
        ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::{Interest, unix::AsyncFd};

    pub(super) fn gettime(id: ClockId) -> Duration {
        let time = clock_gettime(id);
        Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
    }

    /// By the clock that nobody sets, and without the slack by which the system is late to save wake-ups: 50 us a sleep.
    pub(super) fn block_for(left: Duration) {
        let _ = set_current_timer_slack(NonZeroU64::new(1));
        let until = gettime(ClockId::Monotonic) + left;
        let until = Timespec { tv_sec: until.as_secs().cast_signed(), tv_nsec: i64::from(until.subsec_nanos()) };
        // A signal ends it early, and the caller looks at the clock.
        let _ = clock_nanosleep_absolute(ClockId::Monotonic, &until);
    }

    /// A timer on `CLOCK_REALTIME` that is cancelled when the clock is set: it survives suspend, and a step in either
    /// direction wakes the sleeper at once, which a sleep of so many seconds would not.
    pub(super) async fn sleep_until(until: Timestamp) -> io::Result<()> {
        let timer: OwnedFd = timerfd_create(TimerfdClockId::Realtime, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        // An expiry of zero would disarm the timer; an instant in the past fires at once.
        let (seconds, nanos) = (until.as_second().max(0), until.subsec_nanosecond().max(1));
        let value = Timespec { tv_sec: seconds, tv_nsec: i64::from(nanos) };
        let spec = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: value };
        timerfd_settime(&timer, TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET, &spec)?;
        #[expect(deprecated, reason = "the replacement is unsafe; an OwnedFd always answers the same descriptor")]
        let timer = AsyncFd::with_interest(timer, Interest::READABLE)?;
        // Readable means expired or cancelled (a read would say which); the caller looks at the clock either way.
        timer.readable().await.map(drop)
    }
}
