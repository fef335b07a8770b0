//! Tells when the wall clock is set, or has gone on during a suspend.

use std::os::fd::OwnedFd;

use rustix::{
    io::{Errno, read},
    time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime},
};

/// Calls `was_set` whenever it is, for as long as the process lives. Returns where the kernel can't tell.
pub(super) fn follow(was_set: impl Fn()) {
    let Ok(timer) = timerfd_create(TimerfdClockId::Realtime, TimerfdFlags::CLOEXEC) else { return };
    while arm(&timer).is_ok() {
        match read(&timer, &mut [0; 8]) {
            Err(Errno::CANCELED) => was_set(),
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return,
        }
    }
}

/// A timer that expires in a time that nobody lives to see, and is cancelled when the clock is set.
fn arm(timer: &OwnedFd) -> rustix::io::Result<()> {
    let never = Timespec { tv_sec: i64::from(u32::MAX), tv_nsec: 0 };
    let spec = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: never };
    timerfd_settime(timer, TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET, &spec).map(drop)
}
