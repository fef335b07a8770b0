//! Every number of the ABI, once: whoever needs one takes it from here, and C from the header.

use core::ffi::CStr;

/// The first eight bytes of a plugin: `SCHDPLG\0`, read as little endian.
pub const MAGIC: u64 = 0x0047_4C50_4448_4353;

/// The version that this crate describes. Another major version is another ABI.
pub const ABI_MAJOR: u32 = 1;
/// Grows when something is appended to a struct.
pub const ABI_MINOR: u32 = 0;

/// The one symbol a library exports: data of type [`SchedPlugin`](crate::SchedPlugin), so that a host can read its head
/// from the file without running any of the library's code.
pub const SYMBOL: &CStr = c"sched_plugin_v1";

/// What every call answers: an error below zero; from zero on, what became of a fire, and 0 for all other calls.
pub type Status = i32;

/// The values of a [`Status`].
pub mod status {
    use super::Status;

    /// Fired: it is claimed, and starts at once.
    pub const STARTED: Status = 0;
    /// Admitted; it waits for a place.
    pub const QUEUED: Status = 1;
    /// Nothing is due.
    pub const NOT_DUE: Status = 2;
    /// Somebody else has fired it.
    pub const LOST: Status = 3;
    /// The job, or all of them, are paused.
    pub const PAUSED: Status = 4;
    /// The rules of the job forbid it now; the history says which.
    pub const SKIPPED: Status = 5;
    /// The daemon starts nothing any more; what is due stays due.
    pub const DRAINING: Status = 6;

    /// Any error that has no number of its own.
    pub const ERROR: Status = -1;
    /// The other side panicked, and caught it.
    pub const PANIC: Status = -2;
    /// This machine lacks what the plugin needs; the message says what.
    pub const UNAVAILABLE: Status = -3;
    /// An argument is not what it should be.
    pub const INVALID: Status = -4;
    /// There is no such job.
    pub const NOT_FOUND: Status = -5;
    /// The host is stopping.
    pub const STOPPING: Status = -6;
    /// Another provider has taken over.
    pub const REVOKED: Status = -7;
}

/// Bits of [`SchedPlugin::flags`](crate::SchedPlugin::flags).
pub mod flags {
    /// `start` arms something outside and returns: no ticks are expected.
    pub const EXTERNAL: u32 = 1;
    /// The bits that a host must all know, or refuse the plugin. The others are hints.
    pub const REQUIRED: u32 = 0xFFFF;
}

/// Levels of [`SchedHost::log`](crate::SchedHost::log).
pub mod level {
    /// Something failed.
    pub const ERROR: i32 = 1;
    /// Something needs attention.
    pub const WARN: i32 = 2;
    /// What an operator wants to know.
    pub const INFO: i32 = 3;
    /// What an author wants to know.
    pub const DEBUG: i32 = 4;
    /// All of it.
    pub const TRACE: i32 = 5;
}

/// Bits that [`SchedHost::wait_until`](crate::SchedHost::wait_until) answers; none if the time has come.
pub mod wake {
    /// The host is stopping: `start` should return.
    pub const STOPPING: u32 = 1;
    /// Jobs were added, changed, removed or fired since the last wait.
    pub const JOBS_CHANGED: u32 = 2;
}
