//! `sched heartbeat forget`: of a job that is retired nothing is expected, and nothing alarms for ever.

use jiff::Timestamp;
use scheduler_core::{
    ErrorKind, Home,
    liveness::beats::{self as core_beats, BeatName, Expectations, ExpectedBy},
    nearest,
    vfs::RealFs,
};
use serde_json::json;

use crate::{
    alerts, args::HeartbeatForgetArgs, beats, commands::Done, context::Context, exit, failure::Failure, output::Output,
};

pub(super) async fn run(args: &HeartbeatForgetArgs, context: &Context, out: &mut Output) -> Done {
    let home = context.home()?;
    let known = beats::survey(context, &home, beats::FACTOR);
    let found = known.beats.iter().find(|judged| judged.name.is_called(&args.name));
    if found.and_then(|judged| judged.expected) == Some(ExpectedBy::Config) {
        let what = format!("heartbeat `{}` is expected by config.yaml", args.name);
        return Err(Failure::new(ErrorKind::Invalid, what)
            .hint(format!("take its entry out of `heartbeats`, in {}, first", home.config_yaml().display())));
    }
    let name = found.map_or_else(|| BeatName::new(&args.name), |judged| judged.name.clone());
    // What is expected goes first: a beat that is gone and still expected would be missed.
    let expected = Expectations::remove(&RealFs, &home, &name)?;
    let beat = core_beats::forget(&RealFs, &beats::folder(context)?, &name)?;
    close_alert(&home, context.now(), &name).await;
    if !expected && !beat {
        let names: Vec<String> = known.beats.iter().map(|judged| judged.name.to_string()).collect();
        let near = nearest(&args.name, names.iter().map(String::as_str));
        let hint = match near.first() {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`sched heartbeat check` lists those there are".into(),
        };
        return Err(Failure::new(ErrorKind::NotFound, format!("there is no heartbeat `{name}`")).hint(hint));
    }
    if out.wants_json() {
        out.json(json!({ "forgotten": name, "was_expected": expected, "had_file": beat }))?;
    } else {
        out.line(format_args!("heartbeat `{name}` is forgotten"))?;
    }
    Ok(exit::OK)
}

async fn close_alert(home: &Home, now: Timestamp, name: &BeatName) {
    let keys = [format!("heartbeat-{}", name.stem()), format!("heartbeats-expected-{}", name.stem())];
    alerts::settle_heartbeats(home, now, &[], |key| keys.iter().any(|of_it| of_it == key)).await;
}
