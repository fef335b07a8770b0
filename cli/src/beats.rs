//! The heartbeats of jobs: where they are, and how they are doing. The one place that asks, so that `status` and
//! `heartbeat check` can't disagree.

use std::path::{self, PathBuf};

use scheduler_core::{
    Error, Home,
    liveness::beats::{self, Expectations, Survey},
    vfs::RealFs,
};

use crate::{context::Context, env, failure::Failure};

/// How many intervals old one may get that names no age.
pub(crate) const FACTOR: f64 = 2.0;

/// The folder they are in: `$SCHED_HEARTBEAT_DIR`, else `heartbeats_dir` of config.yaml, else the home's own.
///
/// # Errors
/// There is no saying where it is.
pub(crate) fn folder(context: &Context) -> Result<PathBuf, Failure> {
    let given = env::sched_heartbeat_dir().map_or_else(|| context.config().config.heartbeats_dir.clone(), Some);
    match given {
        None => Ok(context.home()?.beats()),
        Some(folder) => {
            let failed = |cause| Error::io(format!("cannot find {}", folder.display()), cause).into();
            path::absolute(&folder).map_err(failed)
        }
    }
}

/// What must come in `home`.
pub(crate) fn expected(context: &Context, home: &Home) -> Expectations {
    Expectations::load(&RealFs, home, &context.config().config)
}

/// All of them, judged.
pub(crate) fn survey(context: &Context, home: &Home, factor: f64) -> Survey {
    let folder = folder(context).unwrap_or_else(|_| home.beats());
    beats::survey(&RealFs, &folder, &expected(context, home), context.now(), factor)
}
