//! Alerts of jobs that are gone. A daemon closes them on its next turn; without one, whoever removes the job does.

use std::sync::Arc;

use scheduler_core::{AlertFiles, Home, JobId, vfs::RealFs};

/// Takes away the alert files of `removed`. The jobs are removed already, so what can't be taken away is a warning.
pub(crate) fn close(home: &Home, removed: &[JobId]) {
    let files = AlertFiles::new(Arc::new(RealFs), home.clone());
    for job in removed {
        if let Err(error) = files.forget(job) {
            tracing::warn!("the alert of job `{job}` stays: {error}");
        }
    }
}
