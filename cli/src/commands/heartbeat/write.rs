//! `sched heartbeat write`: a job says that it is alive. It must never break that job, so it exits with 0 whatever happens;
//! `main` sees to that. What went wrong is said on stderr and in the system's log.

use std::os::unix::ffi::OsStrExt as _;

use rustix::process::Signal;
use scheduler_core::{
    liveness::{
        Status,
        beats::{self, Beat, BeatName},
    },
    vfs::RealFs,
};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    args::{BeatStatus, HeartbeatWriteArgs},
    beats::folder,
    commands::Done,
    context::Context,
    exit,
    failure::Failure,
    output::Output,
    runtime::block_on,
    syslog::{self, Severity},
};

pub(super) fn run(args: &HeartbeatWriteArgs, context: &Context, out: &mut Output) -> Done {
    let name = BeatName::new(args.name.as_bytes());
    let written = folder(context)
        .and_then(|folder| Ok(beats::write(&RealFs, &folder, &name, &beat(args, context))?))
        .map_err(|failure| Failure {
            message: format!("heartbeat `{name}` was not written: {}", failure.message),
            ..failure
        });
    match &written {
        Ok(path) if out.wants_json() => out.json(json!({ "name": name, "file": path.display().to_string() }))?,
        // Silent: a system cron mails whatever is printed.
        Ok(_) => {}
        Err(failure) => syslog::tell(Severity::Error, &failure.message),
    }
    written.map(|_| exit::OK)
}

fn beat(args: &HeartbeatWriteArgs, context: &Context) -> Beat {
    let mut beat = Beat::new(context.now(), args.interval).with_max_age(args.max_age);
    beat.status = match args.status {
        BeatStatus::Ok => Status::Ok,
        BeatStatus::Error => Status::Error,
    };
    beat.action = args.action.as_ref().map(|action| action.to_string_lossy().into_owned());
    beat.cycle = args.cycle;
    beat.set = args.set.iter().map(|pair| (pair.name.clone(), pair.value.clone())).collect();
    beat
}

/// A command line of `heartbeat write` that makes no sense was refused: whoever doesn't read its stderr finds it in the log.
pub(crate) fn tell_refused(refusal: &clap::Error) {
    let text = refusal.render().to_string();
    let why = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
    syslog::tell(Severity::Error, &format!("a heartbeat was not written: {why}"));
}

/// Makes writing beyond the limit on the size of a file an error like others: by itself the system ends the program. A
/// handler does it, and stays for good.
pub(crate) fn outlive_limits() {
    let handled = block_on(async {
        let too_large = SignalKind::from_raw(Signal::XFSZ.as_raw());
        Ok(signal(too_large).map(drop))
    });
    // Without threads or descriptors for it nothing is lost: such limits are rare.
    let _ = handled;
}
