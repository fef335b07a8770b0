//! A library's functions, as safe ones.

use std::{ffi::c_void, ptr};

use sched_plugin_abi::{SchedError, SchedHost, SchedPlugin, SchedStr, Status, flags, status};

use super::{lent::code_of, load::Loaded};
use crate::protocol::{Code, Fault, Fired, Hook, Outcome, WireLiveness};

/// A plugin that was made by its library. It is destroyed when it is dropped.
pub(super) struct Plugin {
    pub(super) name: String,
    pub(super) version: String,
    table: SchedPlugin,
    this: *mut c_void,
}

// SAFETY: the ABI obliges a plugin to bear calls from any thread, and some of them beside each other; those that it need not
// bear at the same time, `course.rs` makes one after the other.
unsafe impl Send for Plugin {}
// SAFETY: as above.
unsafe impl Sync for Plugin {}

type Call = Option<unsafe extern "C" fn(this: *mut c_void, error: *mut SchedError) -> Status>;

impl Plugin {
    /// Has the library make it.
    pub(super) fn create(loaded: Loaded, host: &'static SchedHost, config: &str) -> Result<Self, Fault> {
        let Loaded { table, name, version } = loaded;
        let mut this = ptr::null_mut();
        let mut error = SchedError::EMPTY;
        let create = table.create.ok_or_else(|| missing("create"))?;
        // SAFETY: the library says that this is its `create`; the host's table lives for ever, the rest as long as the call.
        let status = unsafe { create(host, SchedStr::new(config), &raw mut this, &raw mut error) };
        done("create", status, &error)?;
        Ok(Self { name, version, table, this })
    }

    /// What kind of life it has.
    pub(super) fn liveness(&self) -> WireLiveness {
        if self.table.flags & flags::EXTERNAL == 0 { WireLiveness::Ticks } else { WireLiveness::External }
    }

    /// Whether it has that hook.
    pub(super) fn has(&self, hook: Hook) -> bool {
        match hook {
            Hook::FireDue => self.table.fire_due.is_some(),
            Hook::Reconcile => self.table.reconcile.is_some(),
            Hook::JobsChanged => self.table.on_jobs_changed.is_some(),
        }
    }

    pub(super) fn is_available(&self) -> Result<(), Fault> {
        self.call_if_there("is_available", self.table.is_available)
    }

    pub(super) fn start(&self) -> Result<(), Fault> {
        self.call("start", self.table.start)
    }

    pub(super) fn stop(&self) -> Result<(), Fault> {
        self.call_if_there("stop", self.table.stop)
    }

    pub(super) fn reconcile(&self) -> Result<(), Fault> {
        self.call("reconcile", self.table.reconcile)
    }

    pub(super) fn jobs_changed(&self) -> Result<(), Fault> {
        self.call_if_there("on_jobs_changed", self.table.on_jobs_changed)
    }

    pub(super) fn fire_due(&self, job: &str) -> Result<Fired, Fault> {
        let fire_due = self.table.fire_due.ok_or_else(|| missing("fire_due"))?;
        let mut error = SchedError::EMPTY;
        // SAFETY: the library says that this is its `fire_due`; `this` is what its `create` made, and lives as long as `self`.
        let status = unsafe { fire_due(self.this, SchedStr::new(job), &raw mut error) };
        match outcome_of(status) {
            Some(outcome) => Ok(Fired { outcome, run: None, reason: None }),
            None if status < 0 => Err(fault("fire_due", status, &error)),
            None => Err(Fault::new(Code::Generic, format!("`fire_due` answered with {status}, which is no outcome"))),
        }
    }

    fn call_if_there(&self, name: &str, call: Call) -> Result<(), Fault> {
        if call.is_some() { self.call(name, call) } else { Ok(()) }
    }

    fn call(&self, name: &str, call: Call) -> Result<(), Fault> {
        let call = call.ok_or_else(|| missing(name))?;
        let mut error = SchedError::EMPTY;
        // SAFETY: the library says that this is its function of that name; `this` is what its `create` made, and lives as long
        // as `self`.
        let status = unsafe { call(self.this, &raw mut error) };
        done(name, status, &error)
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        if let Some(destroy) = self.table.destroy {
            // SAFETY: `this` is what the library's `create` made; nobody else has `self` any more, so that no call is under way
            // and none will be made.
            unsafe { destroy(self.this) };
        }
    }
}

/// What a call other than a fire came to: zero is success, and above it nothing has a meaning.
fn done(name: &str, status: Status, error: &SchedError) -> Result<(), Fault> {
    match status {
        0 => Ok(()),
        1.. => {
            let what = format!("`{name}` answered with status {status}, and only 0 is success");
            Err(Fault::new(Code::Invalid, what))
        }
        _ => Err(fault(name, status, error)),
    }
}

fn fault(name: &str, status: Status, error: &SchedError) -> Fault {
    let message = match error.text() {
        "" => format!("`{name}` answered with status {status} and no message"),
        message => message.to_owned(),
    };
    Fault::new(code_of(status), message)
}

fn missing(name: &str) -> Fault {
    Fault::new(Code::Unknown, format!("the plugin has no `{name}`"))
}

pub(super) fn status_of(outcome: Outcome) -> Status {
    match outcome {
        Outcome::Started => status::STARTED,
        Outcome::Queued => status::QUEUED,
        Outcome::NotDue => status::NOT_DUE,
        Outcome::Lost => status::LOST,
        Outcome::Paused => status::PAUSED,
        Outcome::Skipped => status::SKIPPED,
        Outcome::Draining => status::DRAINING,
    }
}

fn outcome_of(status: Status) -> Option<Outcome> {
    let all = [
        Outcome::Started,
        Outcome::Queued,
        Outcome::NotDue,
        Outcome::Lost,
        Outcome::Paused,
        Outcome::Skipped,
        Outcome::Draining,
    ];
    all.into_iter().find(|outcome| status_of(*outcome) == status)
}
