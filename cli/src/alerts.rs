//! Alert files that are not the daemon's. Those of jobs that are gone a daemon closes on its next turn; without one, whoever
//! removes the job does. Those of heartbeats are opened and closed by whoever checks them.

use std::sync::Arc;

use jiff::Timestamp;
use scheduler_core::{
    Alert, AlertFiles, Home, JobId, Notifier as _,
    store::Problem,
    vfs::{RealFs, Vfs as _},
};

/// Takes away the alert files of `removed`. The jobs are removed already, so what can't be taken away is a warning.
pub(crate) fn close(home: &Home, removed: &[JobId]) {
    let files = AlertFiles::new(Arc::new(RealFs), home.clone());
    for job in removed {
        if let Err(error) = files.forget(job) {
            tracing::warn!("the alert of job `{job}` stays: {error}");
        }
    }
}

/// What the keys of problems with heartbeats begin with.
const HEARTBEAT: &str = "heartbeat";

/// Opens an alert for each of `problems`, which are about heartbeats, and closes those of heartbeats that are `looked_at` and
/// no problem any more. Answers the keys of those that weren't open before. What can't be done is a warning: the problems
/// themselves are told all the same.
pub(crate) async fn settle_heartbeats(
    home: &Home,
    now: Timestamp,
    problems: &[Problem],
    looked_at: impl Fn(&str) -> bool,
) -> Vec<String> {
    let files = AlertFiles::new(Arc::new(RealFs), home.clone());
    let names = RealFs.list(&home.alerts()).unwrap_or_default();
    let open: Vec<&str> = names.iter().filter_map(|name| name.strip_suffix(".alert")).collect();
    let over = open.iter().filter(|key| key.starts_with(HEARTBEAT) && looked_at(key));
    let over = over.filter(|key| problems.iter().all(|problem| problem.key != **key));
    let closed = over.map(|key| Alert::closed(*key, "the heartbeat is well again, or forgotten", now));
    let opened = problems
        .iter()
        .map(|problem| Alert::open(&problem.key, &problem.what, now).detail(format!("hint: {}", problem.hint)));
    for alert in opened.chain(closed) {
        if let Err(error) = files.notify(&alert).await {
            tracing::warn!("the alert `{}` can't be brought up to date: {error}", alert.key);
        }
    }
    let keys = problems.iter().map(|problem| &problem.key);
    keys.filter(|key| !open.contains(&key.as_str())).cloned().collect()
}
