//! `sched heartbeat expect`: one that doesn't come is missed from now on.

use scheduler_core::{
    ErrorKind, duration,
    liveness::beats::{BeatName, Expectations, Expected, ExpectedBy},
    vfs::{RealFs, Vfs as _},
};
use serde_json::json;

use crate::{
    args::HeartbeatExpectArgs, beats, commands::Done, context::Context, exit, failure::Failure, home_setup,
    output::Output,
};

pub(super) fn run(args: &HeartbeatExpectArgs, context: &Context, out: &mut Output) -> Done {
    let home = context.home()?;
    let name = BeatName::new(&args.name);
    if beats::expected(context, &home).of(&name).is_some_and(|found| found.by == ExpectedBy::Config) {
        let what = format!("heartbeat `{name}` is expected by config.yaml");
        return Err(Failure::new(ErrorKind::Exists, what)
            .hint(format!("change its entry in `heartbeats`, in {}", home.config_yaml().display())));
    }
    // Heartbeats may have been written before there was a home, so the folder alone is none.
    if RealFs.stat(&home.manifest()).is_err() {
        let made = home_setup::make(context)?;
        if made.is_new() {
            out.aside(format_args!("made a home at {}", made.home.path().display()));
        }
    }
    let expected = Expected { name, every: args.every, max_age: args.max_age };
    let kept = Expectations::put(&RealFs, &home, &expected, context.now())?;
    let limit = expected.limit(beats::FACTOR);
    let name = &expected.name;
    if out.wants_json() {
        let (every_s, limit_s) = (expected.every.as_secs_f64(), limit.as_secs_f64());
        out.json(json!({ "name": name, "every_s": every_s, "limit_s": limit_s, "since": kept.since }))?;
    } else {
        let (every, limit) = (duration::coarse(expected.every), duration::coarse(limit));
        out.line(format_args!("heartbeat `{name}` is expected every {every}; {limit} old is too old"))?;
    }
    Ok(exit::OK)
}
