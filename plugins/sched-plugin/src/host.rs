//! What a plugin may ask of the host.

use std::{
    ffi::c_void,
    ptr,
    time::{Duration, SystemTime},
};

use sched_plugin_abi::{ABI_MAJOR, SchedError, SchedHost, SchedSink, SchedStr, Status, wake};

use crate::{
    FireOutcome, HostError, Job, Level,
    caught::caught,
    job::{from_unix_ms, read_list, to_unix_ms},
};

/// The host: the daemon, as a plugin sees it. Cheap to copy; all of it may be called from any thread.
///
/// ```
/// use sched_plugin::{FireOutcome, testing::TestHost};
///
/// let test = TestHost::default();
/// let host = test.host();
/// assert_eq!(host.fire_event("deploy", "build-17")?, FireOutcome::Started);
/// assert!(!host.is_stopping());
/// assert_eq!(test.calls(), ["fire_event deploy build-17"]);
/// # Ok::<(), sched_plugin::HostError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Host {
    table: &'static SchedHost,
}

impl Host {
    /// # Safety
    /// `table` is NULL or a host's table that lives as long as the process and keeps what the ABI promises.
    pub(crate) unsafe fn from_raw(table: *const SchedHost) -> Result<Self, HostError> {
        // SAFETY: the caller's promise. The head of the table is the same in every version, so that it can be read before the
        // rest is known to be there.
        let head = unsafe { table.cast::<[u32; 4]>().as_ref() };
        match head {
            None => Err(HostError::new(-4, "the host gave no table of its calls")),
            Some([size, major, ..]) if *size < SchedHost::SIZE_1_0 || *major != ABI_MAJOR => Err(HostError::new(
                -4,
                format!("the host has ABI {major} with {size} bytes, this plugin needs {ABI_MAJOR}"),
            )),
            // SAFETY: it is there, and as large as what this crate knows.
            Some(_) => Ok(Self { table: unsafe { &*table } }),
        }
    }

    /// Fires all that is due now. It returns when all of it is claimed, not when it has run.
    ///
    /// # Errors
    /// The store could not be written, or the host is stopping.
    pub fn tick(&self) -> Result<(), HostError> {
        // SAFETY: the table's call, with its own context.
        ask(self.table.tick, |tick, error| unsafe { tick(self.table.ctx, error) }).map(drop)
    }

    /// Fires what the job owes now; [`FireOutcome::NotDue`] if that is nothing.
    ///
    /// # Errors
    /// There is no such job, or the store could not be written.
    pub fn fire_due(&self, job: &str) -> Result<FireOutcome, HostError> {
        let job = SchedStr::new(job);
        // SAFETY: the table's call, with its own context; the text outlives the call.
        ask(self.table.fire_due, |fire, error| unsafe { fire(self.table.ctx, job, error) }).map(FireOutcome::of)
    }

    /// Fires one instant of the job's schedule: [`FireOutcome::Lost`] if it was fired before, [`FireOutcome::NotDue`] if the
    /// schedule has no such instant or it is more than five seconds ahead.
    ///
    /// # Errors
    /// As for [`Host::fire_due`].
    pub fn fire_at(&self, job: &str, instant: SystemTime) -> Result<FireOutcome, HostError> {
        let (job, ms) = (SchedStr::new(job), to_unix_ms(instant));
        // SAFETY: as in `fire_due`.
        ask(self.table.fire_at, |fire, error| unsafe { fire(self.table.ctx, job, ms, error) }).map(FireOutcome::of)
    }

    /// Fires the job because something happened, whatever its schedule says. A second event with the same key is
    /// [`FireOutcome::Lost`]: give an event a key that it keeps when it is delivered twice.
    ///
    /// # Errors
    /// As for [`Host::fire_due`].
    pub fn fire_event(&self, job: &str, key: &str) -> Result<FireOutcome, HostError> {
        let (job, key) = (SchedStr::new(job), SchedStr::new(key));
        // SAFETY: as in `fire_due`.
        ask(self.table.fire_event, |fire, error| unsafe { fire(self.table.ctx, job, key, error) }).map(FireOutcome::of)
    }

    /// All jobs.
    ///
    /// # Errors
    /// The list can't be had, or is none.
    pub fn jobs(&self) -> Result<Vec<Job>, HostError> {
        let mut json: Vec<u8> = Vec::new();
        let sink = SchedSink { ctx: ptr::from_mut(&mut json).cast(), write: Some(append) };
        // SAFETY: the table's call, with its own context; the sink and the vector behind it outlive the call.
        ask(self.table.list_jobs, |list, _| unsafe { list(self.table.ctx, sink) })?;
        read_list(&json)
    }

    /// When a job is due next.
    pub fn next_wakeup(&self) -> Option<SystemTime> {
        // SAFETY: the table's call, with its own context.
        let ms = self.table.next_wakeup.map_or(-1, |next| unsafe { next(self.table.ctx) });
        (ms >= 0).then(|| from_unix_ms(ms))
    }

    /// Waits until `instant`, or until the host is stopping or jobs have changed. Meanwhile it beats, so that the daemon knows
    /// that the plugin lives.
    pub fn wait_until(&self, instant: SystemTime) -> Wake {
        let ms = to_unix_ms(instant);
        // SAFETY: the table's call, with its own context.
        Wake(self.table.wait_until.map_or(0, |wait| unsafe { wait(self.table.ctx, ms) }))
    }

    /// The same, for a while from now on.
    #[expect(clippy::disallowed_methods, reason = "a plugin's wait is on the machine's own clock")]
    pub fn wait_for(&self, duration: Duration) -> Wake {
        // What lies beyond the calendar is as good as for ever.
        let instant = SystemTime::now().checked_add(duration);
        instant.map_or_else(|| self.wait_until(from_unix_ms(i64::MAX)), |instant| self.wait_until(instant))
    }

    /// Whether the host is stopping: then `start` should return.
    pub fn is_stopping(&self) -> bool {
        // SAFETY: the table's call, with its own context.
        self.table.is_stopping.is_some_and(|stopping| unsafe { stopping(self.table.ctx) } != 0)
    }

    /// Says that the plugin is at work, for one that waits elsewhere than in [`Host::wait_until`].
    pub fn beat(&self) {
        if let Some(beat) = self.table.beat {
            // SAFETY: the table's call, with its own context.
            unsafe { beat(self.table.ctx) };
        }
    }

    /// Writes a line to the daemon's log. The macros of the `log` crate, such as `log::info!`, do the same, up to
    /// debug unless `log::set_max_level` says otherwise; `tracing` does too with its feature `log`.
    pub fn log(&self, level: Level, message: &str) {
        if let Some(log) = self.table.log {
            // The levels of both have the same numbers.
            // SAFETY: the table's call, with its own context; the text outlives the call.
            unsafe { log(self.table.ctx, level as i32, SchedStr::new(message)) };
        }
    }
}

/// Makes a call that may fail, and turns its status into a result.
fn ask<F>(call: Option<F>, make: impl FnOnce(F, *mut SchedError) -> Status) -> Result<Status, HostError> {
    let Some(call) = call else { return Err(HostError::new(-1, "the host lacks that call")) };
    let mut error = SchedError::EMPTY;
    match make(call, &raw mut error) {
        status if status < 0 => Err(HostError::new(status, error.text())),
        status => Ok(status),
    }
}

/// Takes a chunk of a list for the vector behind `ctx`.
unsafe extern "C" fn append(ctx: *mut c_void, chunk: SchedStr) {
    // A panic, of a list beyond all memory, leaves it incomplete; that is no JSON, and `jobs` says so.
    let _ = caught(|| {
        // SAFETY: `ctx` is the vector that `Host::jobs` lent for the call during which this is called, and nobody else has it
        // meanwhile.
        let json = unsafe { &mut *ctx.cast::<Vec<u8>>() };
        if chunk.len > 0 {
            // SAFETY: the ABI: the chunk is `len` bytes that live for this call.
            json.extend_from_slice(unsafe { std::slice::from_raw_parts(chunk.ptr, chunk.len) });
        }
    });
}

/// Why a wait has ended.
///
/// ```
/// use std::time::SystemTime;
/// use sched_plugin::testing::TestHost;
///
/// let host = TestHost::default();
/// assert!(host.host().wait_until(SystemTime::UNIX_EPOCH).is_time());
/// host.stop();
/// assert!(host.host().wait_until(SystemTime::UNIX_EPOCH).is_stopping());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wake(u32);

impl Wake {
    /// The time has come.
    pub fn is_time(self) -> bool {
        self.0 == 0
    }

    /// The host is stopping.
    pub fn is_stopping(self) -> bool {
        self.0 & wake::STOPPING != 0
    }

    /// Jobs have changed since the last wait.
    pub fn jobs_changed(self) -> bool {
        self.0 & wake::JOBS_CHANGED != 0
    }
}
