//! Runs whose owner died while they ran: is anything of them left, and seeing them to their end.
//!
//! **What counts as alive**: the process that was noted for the run, or any process with the run's id in its environment
//! in the session of that process. A process that has that id but made a session of its own (a daemon that the job
//! started) doesn't count: it outlives a run with a living owner as well. Where the owner died before it could note a
//! process, the oldest process with the run's id is taken for the noted one.
//!
//! This is wider than the end of a run with a living owner, which is that of its main process: here the exit status is
//! lost, so whether the work goes on can only be seen from who is left. A background child in the same session therefore
//! keeps an orphan open; the deadline and `sched cancel` end it.

use scheduler_core::{Orphan, ProcessRef};

use crate::{
    proc,
    scan::{Leader, Snapshot},
};

/// A process that still does the work of `orphan`; `None` if nothing of it is alive.
pub(crate) fn find(orphan: &Orphan) -> Option<ProcessRef> {
    let run = orphan.run.as_str();
    let Some(noted) = &orphan.process else {
        return Snapshot::take().of_run(run, &Leader::Unknown).into_iter().next().map(|found| found.process);
    };
    if proc::is_alive(noted) {
        return Some(noted.clone());
    }
    // Nothing outlives the machine.
    if proc::boot_id().is_some_and(|boot_id| boot_id != noted.boot_id) {
        return None;
    }
    let left = Snapshot::take().of_run(run, &Leader::Noted(noted.clone()));
    left.into_iter().find(|found| found.session == noted.pid && found.is_of(run)).map(|found| found.process)
}
