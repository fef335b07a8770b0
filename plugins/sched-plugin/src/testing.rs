//! A host that takes notes, so that a plugin can be tested without sched.

use std::{
    collections::HashMap,
    ffi::c_void,
    slice,
    sync::{Mutex, MutexGuard, PoisonError},
};

use sched_plugin_abi::{ABI_MAJOR, ABI_MINOR, SchedError, SchedHost, SchedSink, SchedStr, Status, level, status, wake};

use crate::Host;

/// A host that notes what it is asked and answers what it was told to. No wait takes any time in it.
///
/// ```
/// use sched_plugin::{FireOutcome, testing::TestHost};
///
/// let host = TestHost::default();
/// host.answer("fire_due backup", FireOutcome::Paused);
/// assert_eq!(host.host().fire_due("backup")?, FireOutcome::Paused);
/// host.host().log(sched_plugin::Level::Info, "all is well");
/// assert_eq!(host.calls(), ["fire_due backup", "log info all is well"]);
/// # Ok::<(), sched_plugin::HostError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct TestHost {
    table: &'static SchedHost,
    notes: &'static Mutex<Notes>,
}

#[derive(Debug, Default)]
struct Notes {
    calls: Vec<String>,
    answers: HashMap<String, (Status, String)>,
    jobs: String,
    next_wakeup: Option<i64>,
    waits_left: Option<usize>,
    jobs_changed: bool,
    stopping: bool,
}

impl Default for TestHost {
    /// One without jobs, to which every fire is [`FireOutcome::Started`](crate::FireOutcome::Started).
    fn default() -> Self {
        // A host lives as long as its process: so does this one.
        let notes: &'static Mutex<Notes> = Box::leak(Box::default());
        let table = Box::leak(Box::new(SchedHost {
            struct_size: SchedHost::SIZE_1_0,
            abi_major: ABI_MAJOR,
            abi_minor: ABI_MINOR,
            reserved: 0,
            ctx: std::ptr::from_ref(notes).cast_mut().cast(),
            log: Some(log),
            list_jobs: Some(list_jobs),
            fire_due: Some(fire_due),
            fire_at: Some(fire_at),
            fire_event: Some(fire_event),
            tick: Some(tick),
            beat: Some(beat),
            next_wakeup: Some(next_wakeup),
            is_stopping: Some(is_stopping),
            wait_until: Some(wait_until),
        }));
        Self { table, notes }
    }
}

impl TestHost {
    /// What a plugin is given.
    pub fn host(&self) -> Host {
        // SAFETY: the table was made by `default` as the ABI asks, and is never freed.
        let host = unsafe { Host::from_raw(self.table) };
        host.unwrap_or_else(|error| unreachable!("{error}"))
    }

    /// The same as C sees it.
    #[doc(hidden)]
    pub fn table(&self) -> &'static SchedHost {
        self.table
    }

    /// What was called so far, in words: `tick`, `fire_due ID`, `fire_at ID MS`, `fire_event ID KEY`, `jobs`, `wait_until MS`,
    /// `beat`, `log LEVEL TEXT`.
    pub fn calls(&self) -> Vec<String> {
        self.notes().calls.clone()
    }

    /// From now on `call` (see [`TestHost::calls`]) is answered with `outcome`.
    pub fn answer(&self, call: &str, outcome: crate::FireOutcome) {
        self.notes().answers.insert(call.into(), (outcome.status(), String::new()));
    }

    /// From now on `call` is an error: its status, as in the ABI, and its message.
    pub fn refuse(&self, call: &str, status: i32, message: &str) {
        self.notes().answers.insert(call.into(), (status, message.into()));
    }

    /// From now on these are the jobs: a JSON array of objects with `id`, `next_at`, `due_at` and `paused`.
    pub fn set_jobs(&self, json: &str) {
        let mut notes = self.notes();
        notes.jobs = json.into();
        notes.jobs_changed = true;
    }

    /// From now on [`Host::next_wakeup`] answers that.
    pub fn set_next_wakeup(&self, unix_ms: i64) {
        self.notes().next_wakeup = Some(unix_ms);
    }

    /// The host is stopping.
    pub fn stop(&self) {
        self.notes().stopping = true;
    }

    /// The host is stopping when so many more waits are over: for plugins that loop.
    pub fn stop_after_waits(&self, waits: usize) {
        self.notes().waits_left = Some(waits);
    }

    fn notes(&self) -> MutexGuard<'static, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes a call and answers what it was told to.
fn asked(ctx: *mut c_void, call: String, error: *mut SchedError) -> Status {
    let mut notes = notes(ctx);
    let (answer, message) = notes.answers.get(&call).cloned().unwrap_or((status::STARTED, String::new()));
    notes.calls.push(call);
    // SAFETY: the ABI: `error` is NULL, or the caller's and nobody else's for this call.
    if let Some(error) = unsafe { error.as_mut() } {
        error.set(answer, &message);
    }
    answer
}

fn notes(ctx: *mut c_void) -> MutexGuard<'static, Notes> {
    // SAFETY: `ctx` is that of a table that `TestHost::default` made, and its notes are never freed.
    let notes = unsafe { &*ctx.cast::<Mutex<Notes>>() };
    notes.lock().unwrap_or_else(PoisonError::into_inner)
}

fn text(lent: SchedStr) -> String {
    if lent.len == 0 {
        return String::new();
    }
    // SAFETY: the ABI: `len` bytes that live for the call.
    String::from_utf8_lossy(unsafe { slice::from_raw_parts(lent.ptr, lent.len) }).into_owned()
}

unsafe extern "C" fn log(ctx: *mut c_void, level: i32, message: SchedStr) {
    let name = match level {
        level::ERROR => "error",
        level::WARN => "warn",
        level::INFO => "info",
        level::DEBUG => "debug",
        _ => "trace",
    };
    notes(ctx).calls.push(format!("log {name} {}", text(message)));
}

unsafe extern "C" fn list_jobs(ctx: *mut c_void, out: SchedSink) -> Status {
    let jobs = notes(ctx).jobs.clone();
    let status = asked(ctx, "jobs".into(), std::ptr::null_mut());
    let jobs = if jobs.is_empty() { "[]" } else { &jobs };
    // In two chunks, so that nobody comes to rely on one.
    let (first, second) = jobs.split_at(jobs.floor_char_boundary(jobs.len() / 2));
    if let Some(write) = out.write.filter(|_| status >= 0) {
        for chunk in [first, second] {
            // SAFETY: the caller's sink, within its call.
            unsafe { write(out.ctx, SchedStr::new(chunk)) };
        }
    }
    status
}

unsafe extern "C" fn fire_due(ctx: *mut c_void, job: SchedStr, error: *mut SchedError) -> Status {
    asked(ctx, format!("fire_due {}", text(job)), error)
}

unsafe extern "C" fn fire_at(ctx: *mut c_void, job: SchedStr, unix_ms: i64, error: *mut SchedError) -> Status {
    asked(ctx, format!("fire_at {} {unix_ms}", text(job)), error)
}

unsafe extern "C" fn fire_event(ctx: *mut c_void, job: SchedStr, key: SchedStr, error: *mut SchedError) -> Status {
    asked(ctx, format!("fire_event {} {}", text(job), text(key)), error)
}

unsafe extern "C" fn tick(ctx: *mut c_void, error: *mut SchedError) -> Status {
    asked(ctx, "tick".into(), error)
}

unsafe extern "C" fn beat(ctx: *mut c_void) {
    notes(ctx).calls.push("beat".into());
}

unsafe extern "C" fn next_wakeup(ctx: *mut c_void) -> i64 {
    notes(ctx).next_wakeup.unwrap_or(-1)
}

unsafe extern "C" fn is_stopping(ctx: *mut c_void) -> i32 {
    i32::from(notes(ctx).stopping)
}

unsafe extern "C" fn wait_until(ctx: *mut c_void, unix_ms: i64) -> u32 {
    let mut notes = notes(ctx);
    notes.calls.push(format!("wait_until {unix_ms}"));
    if let Some(left) = notes.waits_left.as_mut() {
        *left = left.saturating_sub(1);
        notes.stopping |= notes.waits_left == Some(0);
    }
    let changed = std::mem::take(&mut notes.jobs_changed);
    (u32::from(notes.stopping) * wake::STOPPING) | (u32::from(changed) * wake::JOBS_CHANGED)
}
