//! `sched alerts test`: does a message arrive?

use scheduler_core::ErrorKind;
use serde_json::json;

use crate::{
    alerts, args::AlertsTestArgs, commands::Done, context::Context, deliveries::Deliveries, exit, failure::Failure,
    output::Output, unknown,
};

pub(super) async fn run(args: &AlertsTestArgs, context: &Context, out: &mut Output) -> Done {
    let loaded = context.config();
    for problem in loaded.problems.iter().filter(|problem| problem.key.starts_with("config-notify")) {
        out.warn(&problem.what, Some(&problem.hint));
    }
    let desk = alerts::desk_to_look(&context.home()?, &loaded.config, context.clock());
    let mut sinks = desk.sinks();
    if let Some(wanted) = &args.sink {
        if !sinks.contains(wanted) {
            return Err(unknown::sink(wanted, &sinks));
        }
        sinks.retain(|sink| sink == wanted);
    }
    if sinks.is_empty() {
        return Err(
            Failure::new(ErrorKind::NotFound, "no sink is configured").hint("name one under `notify` in config.yaml")
        );
    }
    if args.dry_run {
        let mut answers = Vec::new();
        for sink in &sinks {
            let text = desk.preview_test(sink)?;
            if !out.wants_json() {
                out.line(format_args!("sink `{sink}` {text}"))?;
            }
            answers.push(json!({ "sink": sink, "would": text }));
        }
        if out.wants_json() {
            out.json(json!({ "sinks": answers }))?;
        }
        return Ok(exit::OK);
    }
    let mut deliveries = Deliveries::default();
    for sink in &sinks {
        deliveries.take(sink, &desk.test(sink).await, out)?;
    }
    let failed = deliveries.failed();
    if out.wants_json() {
        out.json(json!({ "sinks": deliveries.into_json() }))?;
    }
    Ok(if failed { exit::ERROR } else { exit::OK })
}
