//! The host's functions, as the library calls them: from any thread, and at any time.
//!
//! Each reads what C gives, asks the daemon, and answers in numbers. A fire returns when the daemon has claimed it.

use std::{cell::RefCell, ffi::c_void, ptr};

use sched_plugin_abi::{ABI_MAJOR, ABI_MINOR, SchedError, SchedHost, SchedSink, SchedStr, Status, level, status};
use scheduler_core::{Clock as _, SystemClock};
use serde_json::Value;

use super::{
    lent::{guarded, status_of, tell, text},
    link::Link,
    plugin,
    wait::Wait,
};
use crate::protocol::{Code, Fault, Fire, FireKind, Fired, LogLevel, PluginCall};

/// The daemon, as the functions of the table reach it. It is what their `ctx` points to.
pub(super) struct Daemon {
    pub(super) link: Link,
    pub(super) wait: Wait,
}

thread_local! {
    /// What the daemon has asked this thread to fire, if it asked for an instant. The ABI's `fire_due` has no place for one,
    /// and a plugin that hands the request on means the same occurrence.
    static ASKED: RefCell<Option<(String, i64)>> = const { RefCell::new(None) };
}

/// Does `work`, in which a `fire_due` of `job` means the instant `at`.
pub(super) fn asked_for<R>(job: &str, at: Option<i64>, work: impl FnOnce() -> R) -> R {
    ASKED.set(at.map(|at| (job.to_owned(), at)));
    let done = work();
    ASKED.set(None);
    done
}

/// The table for a library; it and the daemon live for ever.
pub(super) fn table(daemon: &'static Daemon) -> &'static SchedHost {
    Box::leak(Box::new(SchedHost {
        struct_size: SchedHost::SIZE_1_0,
        abi_major: ABI_MAJOR,
        abi_minor: ABI_MINOR,
        reserved: 0,
        ctx: ptr::from_ref(daemon).cast_mut().cast(),
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
    }))
}

/// # Safety
/// `ctx` is that of a [`table`].
unsafe fn daemon(ctx: *mut c_void) -> &'static Daemon {
    // SAFETY: the caller's promise; a daemon is only ever shared, and never freed.
    unsafe { &*ctx.cast::<Daemon>() }
}

unsafe extern "C" fn log(ctx: *mut c_void, level: i32, message: SchedStr) {
    guarded((), || {
        // SAFETY: the ABI: `ctx` is the table's, and the text lives for this call.
        let (daemon, message) = unsafe { (daemon(ctx), text(message, "a line for the log")) };
        let level = match level {
            level::ERROR => LogLevel::Error,
            level::WARN => LogLevel::Warn,
            level::INFO => LogLevel::Info,
            level::DEBUG => LogLevel::Debug,
            _ => LogLevel::Trace,
        };
        match message {
            Ok(message) => daemon.link.log(level, message),
            Err(fault) => daemon.link.log(LogLevel::Warn, &fault.message),
        }
    });
}

unsafe extern "C" fn list_jobs(ctx: *mut c_void, out: SchedSink) -> Status {
    guarded(status::PANIC, || {
        let Some(write) = out.write else { return status::INVALID };
        // SAFETY: the ABI: `ctx` is the table's.
        let daemon = unsafe { daemon(ctx) };
        // SAFETY: the ABI: the sink may be called during this call, and the text outlives that.
        let say = |chunk: &str| unsafe { write(out.ctx, SchedStr::new(chunk)) };
        let mut after = String::new();
        say("[");
        loop {
            let asked = daemon.link.ask::<Value>(PluginCall::Jobs { after: Some(after.clone()) });
            let page = match asked.and_then(|answer| Page::read(&answer)) {
                Ok(page) => page,
                Err(fault) => return status_of(fault.code),
            };
            if !after.is_empty() && !page.jobs.is_empty() {
                say(",");
            }
            say(&page.jobs.join(","));
            match page.then {
                Some(next) => after = next,
                None => break,
            }
        }
        say("]");
        status::STARTED
    })
}

/// A page of the list of jobs. What each says is passed on as it is.
struct Page {
    jobs: Vec<String>,
    /// After whom the next page begins, if there is one.
    then: Option<String>,
}

impl Page {
    fn read(answer: &Value) -> Result<Self, Fault> {
        let no_list = || Fault::new(Code::Generic, "the daemon's answer to `jobs` is no list");
        let more = answer["more"].as_bool().unwrap_or_default();
        // A daemon that knows no pages answers with the whole list.
        let list = answer.as_array().or_else(|| answer["jobs"].as_array()).ok_or_else(no_list)?;
        let last = list.last().and_then(|job| job["id"].as_str());
        let then = if more { Some(last.ok_or_else(no_list)?.to_owned()) } else { None };
        Ok(Self { jobs: list.iter().map(ToString::to_string).collect(), then })
    }
}

unsafe extern "C" fn fire_due(ctx: *mut c_void, job: SchedStr, error: *mut SchedError) -> Status {
    // SAFETY: the ABI's promise to this function is that of `fire`.
    unsafe {
        fire(ctx, error, || {
            let job = text(job, "a job id")?;
            let at = ASKED.with_borrow(|asked| asked.as_ref().filter(|(asked, _)| asked == job).map(|(_, at)| *at));
            let kind = if at.is_some() { FireKind::At } else { FireKind::Due };
            Ok(Fire { kind, job: job.into(), at, key: None })
        })
    }
}

unsafe extern "C" fn fire_at(ctx: *mut c_void, job: SchedStr, unix_ms: i64, error: *mut SchedError) -> Status {
    // SAFETY: as in `fire_due`.
    unsafe {
        fire(ctx, error, || {
            Ok(Fire { kind: FireKind::At, job: text(job, "a job id")?.into(), at: Some(unix_ms), key: None })
        })
    }
}

unsafe extern "C" fn fire_event(ctx: *mut c_void, job: SchedStr, key: SchedStr, error: *mut SchedError) -> Status {
    // SAFETY: as in `fire_due`.
    unsafe {
        fire(ctx, error, || {
            let key = Some(text(key, "the key of an event")?.into());
            Ok(Fire { kind: FireKind::Event, job: text(job, "a job id")?.into(), at: None, key })
        })
    }
}

unsafe extern "C" fn tick(ctx: *mut c_void, error: *mut SchedError) -> Status {
    guarded(status::PANIC, || {
        // SAFETY: the ABI: `ctx` is the table's.
        let daemon = unsafe { daemon(ctx) };
        match daemon.link.ask::<Value>(PluginCall::Tick) {
            Ok(_) => {
                daemon.wait.has_beaten();
                status::STARTED
            }
            // SAFETY: the ABI: `error` is NULL, or the library's for this call.
            Err(fault) => unsafe { tell(&fault, error) },
        }
    })
}

unsafe extern "C" fn beat(ctx: *mut c_void) {
    guarded((), || {
        // SAFETY: the ABI: `ctx` is the table's.
        let daemon = unsafe { daemon(ctx) };
        daemon.link.beat();
        daemon.wait.has_beaten();
    });
}

unsafe extern "C" fn next_wakeup(ctx: *mut c_void) -> i64 {
    guarded(-1, || {
        // SAFETY: the ABI: `ctx` is the table's.
        let next = unsafe { daemon(ctx) }.link.ask::<Option<i64>>(PluginCall::NextWakeup);
        next.ok().flatten().unwrap_or(-1)
    })
}

unsafe extern "C" fn is_stopping(ctx: *mut c_void) -> i32 {
    // SAFETY: the ABI: `ctx` is the table's.
    guarded(1, || i32::from(unsafe { daemon(ctx) }.wait.is_stopping()))
}

unsafe extern "C" fn wait_until(ctx: *mut c_void, unix_ms: i64) -> u32 {
    guarded(0, || {
        // SAFETY: the ABI: `ctx` is the table's.
        let daemon = unsafe { daemon(ctx) };
        let now = || SystemClock.now().as_millisecond();
        daemon.wait.until(unix_ms, now, || daemon.link.beat())
    })
}

/// # Safety
/// `ctx` is the table's, and `error` is NULL, or the library's for this call.
unsafe fn fire(ctx: *mut c_void, error: *mut SchedError, make: impl FnOnce() -> Result<Fire, Fault>) -> Status {
    guarded(status::PANIC, || {
        let fired = make().and_then(|fire| {
            // SAFETY: the caller's promise.
            unsafe { daemon(ctx) }.link.ask::<Fired>(PluginCall::Fire(fire))
        });
        match fired {
            Ok(fired) => plugin::status_of(fired.outcome),
            // SAFETY: the caller's promise.
            Err(fault) => unsafe { tell(&fault, error) },
        }
    })
}
