//! `sched tick`: one pass over what is due, its own runs waited for. From a shell loop or a system cron this is a complete
//! way to run a home.

use std::sync::Arc;

use scheduler_core::{
    JobStore as _,
    engine::Summary,
    liveness::{Phase, PulseWriter},
    vfs::RealFs,
};
use serde_json::json;

use crate::{
    alerts,
    args::TickArgs,
    context::Context,
    daemon::{account::Auditor, filesystem, guard, lock, machinery, reports, signals},
    exit,
    failure::Failure,
    outages::{Now, Predecessor},
    output::Output,
    pings, runtime,
};

pub(crate) fn run(args: &TickArgs, context: &Context, out: &mut Output) -> Result<u8, Failure> {
    runtime::block_on(tick(args, context, out))
}

async fn tick(args: &TickArgs, context: &Context, out: &mut Output) -> Result<u8, Failure> {
    let home = context.home()?;
    if !home.path().exists() {
        return Err(crate::context::no_home(&home));
    }
    filesystem::check(&home, args.unsafe_fs)?;
    let loaded = context.config();
    for problem in &loaded.problems {
        tracing::warn!("{}; {}", problem.what, problem.hint);
    }
    let store = Arc::new(context.keep(args.adopt)?);
    let runner = Arc::new(machinery::runner(&home, &loaded.config));
    let machinery = machinery::build(&home, &loaded.config, store, runner, context.clock(), "tick");
    let predecessor = Predecessor::of(&home);
    if !lock::look(&home).held {
        for outage in predecessor.outages_before_tick(&Now::by(&**context.clock())) {
            machinery.engine.note(outage);
        }
    }
    machinery.pulse.publish(|beat| predecessor.begin_tick(beat));
    let writer = PulseWriter::start(machinery.pulse.clone(), Arc::new(RealFs), home.tick_json())?;
    signals::install(machinery.engine.clone(), None)?;
    let done = machinery.engine.run_once().await;
    machinery.pulse.publish(|beat| beat.phase = Phase::Idle);
    writer.finish();
    // After its runs: what is due fires first.
    reports::Sender::new(&home, &machinery.desk, context.clock())
        .send_what_is_due(&reports::Wanted::of(&loaded.config))
        .await;
    // Where a daemon is at work, that one looks.
    if !lock::look(&home).held {
        Auditor::new(&home, &machinery, context.clock()).look(false).await;
        guard::look(&home, &machinery.desk, context.clock()).await;
    }
    machinery.pings.settle(pings::PATIENCE).await;
    let closed = machinery.store.close().await;
    let ended = match (done, closed) {
        (Ok(summary), Ok(())) => {
            pings::tick_succeeded(&home, &machinery.pings, &loaded.config, context.now()).await;
            say(&summary, out)
        }
        (Err(error), _) | (_, Err(error)) => Err(error.into()),
    };
    // Last: nothing else has to wait for a sink that takes its time.
    if machinery.engine.is_stopping() {
        machinery.desk.settle(alerts::PATIENCE).await;
    } else {
        alerts::settle_patiently(&machinery.desk).await;
    }
    ended.map(|()| exit::OK)
}

fn say(summary: &Summary, out: &mut Output) -> Result<(), Failure> {
    if out.wants_json() {
        out.json(json!({"claimed": summary.claimed, "done": summary.done}))?;
    } else {
        // Silent when nothing happened: a system cron mails whatever is printed.
        for line in &summary.done {
            out.line(line)?;
        }
    }
    out.flush()
}
