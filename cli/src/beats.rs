//! The heartbeats of jobs: where they are, and how they are doing. The one place that asks, so that `status` and
//! `heartbeat check` can't disagree.

use std::path::{self, PathBuf};

use scheduler_core::{
    Error, Home,
    liveness::{
        Unreadable,
        beats::{self, BeatName, Expectations, Judged, Survey},
    },
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

/// What the heartbeat of the watchdog is called, where all are listed.
pub(crate) const WATCHDOG: &str = "watchdog";

/// That of the watchdog, if one has come and no job is called so. `status` judges it too, by the time that the machine was awake.
pub(crate) fn of_watchdog(context: &Context, home: &Home, others: &[Judged], factor: f64) -> Option<Judged> {
    let read = beats::read(&RealFs, &home.watchdog_json());
    let is_there = read != Err(Unreadable::Missing) && others.iter().all(|other| !other.name.is_called(WATCHDOG));
    is_there.then(|| beats::judge(&BeatName::new(WATCHDOG), read, None, context.now(), factor))
}
