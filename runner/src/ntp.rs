//! Whether something keeps the system's clock right, as the kernel has been told.
//!
//! Here and not where it is asked, because the question is a system call without a safe wrapper.

/// Whether the kernel takes the clock for synchronised; `None` where it doesn't say. Changes nothing, needs no right.
///
/// ```
/// assert_eq!(sched_runner::ntp::synchronised(), sched_runner::ntp::synchronised());
/// ```
pub fn synchronised() -> Option<bool> {
    // SAFETY: timex is plain data (integers), for which all zeroes is a valid value; `modes` 0 asks and sets nothing.
    let mut timex: libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a live local of the type that the call fills in.
    let state = unsafe { libc::adjtimex(&raw mut timex) };
    (state >= 0).then_some(state != libc::TIME_ERROR && timex.status & libc::STA_UNSYNC == 0)
}
