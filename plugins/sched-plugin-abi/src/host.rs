//! What a plugin may ask of the host.

use core::{ffi::c_void, mem::offset_of};

use crate::{SchedError, SchedSink, SchedStr, Status};

/// The host's table: 104 bytes in version 1.0. It lives as long as the process, and every call may be made from any thread.
/// The first argument of each is [`SchedHost::ctx`].
///
/// A fire returns at the claim, never only when the job has run; that it was claimed is durable by then.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SchedHost {
    /// The size of this struct as the host knows it.
    pub struct_size: u32,
    /// [`ABI_MAJOR`](crate::ABI_MAJOR) of the host.
    pub abi_major: u32,
    /// [`ABI_MINOR`](crate::ABI_MINOR) of the host.
    pub abi_minor: u32,
    /// Zero.
    pub reserved: u32,
    /// The first argument of every call.
    pub ctx: *mut c_void,
    /// Writes a line to the daemon's log; see [`level`](crate::level).
    pub log: Option<unsafe extern "C" fn(ctx: *mut c_void, level: i32, message: SchedStr)>,
    /// Writes all jobs, as JSON, to the sink.
    pub list_jobs: Option<unsafe extern "C" fn(ctx: *mut c_void, out: SchedSink) -> Status>,
    /// Fires what the job owes now, if it owes anything.
    pub fire_due: Option<unsafe extern "C" fn(ctx: *mut c_void, job_id: SchedStr, error: *mut SchedError) -> Status>,
    /// Fires one instant of the job's schedule, by its unix time in ms.
    pub fire_at: Option<
        unsafe extern "C" fn(ctx: *mut c_void, job_id: SchedStr, unix_ms: i64, error: *mut SchedError) -> Status,
    >,
    /// Fires the job for something that happened outside; once for each key.
    pub fire_event: Option<
        unsafe extern "C" fn(ctx: *mut c_void, job_id: SchedStr, key: SchedStr, error: *mut SchedError) -> Status,
    >,
    /// Fires all that is due now.
    pub tick: Option<unsafe extern "C" fn(ctx: *mut c_void, error: *mut SchedError) -> Status>,
    /// Says that the plugin is at work, for one that waits elsewhere than in `wait_until`.
    pub beat: Option<unsafe extern "C" fn(ctx: *mut c_void)>,
    /// When a job is due next, in unix ms; -1 if none is.
    pub next_wakeup: Option<unsafe extern "C" fn(ctx: *mut c_void) -> i64>,
    /// Not 0 once the host is stopping.
    pub is_stopping: Option<unsafe extern "C" fn(ctx: *mut c_void) -> i32>,
    /// Waits until that unix time in ms and beats meanwhile; answers bits of [`wake`](crate::wake).
    pub wait_until: Option<unsafe extern "C" fn(ctx: *mut c_void, unix_ms: i64) -> u32>,
}

impl SchedHost {
    /// The size in version 1.0; no host has less.
    pub const SIZE_1_0: u32 = 104;
}

// SAFETY: a host makes its table before it hands it out and never changes it, and the ABI obliges every function in it to
// bear calls from any thread, with the `ctx` that it comes with.
unsafe impl Sync for SchedHost {}
// SAFETY: as above.
unsafe impl Send for SchedHost {}

const _: () = {
    assert!(size_of::<SchedHost>() == SchedHost::SIZE_1_0 as usize);
    assert!(offset_of!(SchedHost, ctx) == 16 && offset_of!(SchedHost, log) == 24);
    assert!(offset_of!(SchedHost, list_jobs) == 32 && offset_of!(SchedHost, fire_due) == 40);
    assert!(offset_of!(SchedHost, fire_at) == 48 && offset_of!(SchedHost, fire_event) == 56);
    assert!(offset_of!(SchedHost, tick) == 64 && offset_of!(SchedHost, beat) == 72);
    assert!(offset_of!(SchedHost, next_wakeup) == 80 && offset_of!(SchedHost, is_stopping) == 88);
    assert!(offset_of!(SchedHost, wait_until) == 96);
};
