//! `sched alerts test`: does a message arrive?

use scheduler_core::{ErrorKind, nearest};
use serde_json::json;

use crate::{
    alerts,
    args::AlertsTestArgs,
    commands::Done,
    context::Context,
    exit,
    failure::Failure,
    output::Output,
    table::{Cell, Tone},
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
            return Err(unknown(wanted, &sinks));
        }
        sinks.retain(|sink| sink == wanted);
    }
    if sinks.is_empty() {
        return Err(
            Failure::new(ErrorKind::NotFound, "no sink is configured").hint("name one under `notify` in config.yaml")
        );
    }
    let mut answers = Vec::new();
    for sink in &sinks {
        if args.dry_run {
            let text = desk.preview_test(sink)?;
            if !out.wants_json() {
                out.line(format_args!("sink `{sink}` {text}"))?;
            }
            answers.push(json!({ "sink": sink, "would": text }));
            continue;
        }
        let answer = desk.test(sink).await;
        if !out.wants_json() {
            match &answer {
                Ok(()) => out.toned(&Cell::new("ok", Tone::Good), format_args!("sink `{sink}` took it"))?,
                Err(error) => {
                    out.toned(&Cell::new("bad", Tone::Bad), format_args!("sink `{sink}`: {error}"))?;
                    if let Some(hint) = error.hint_text() {
                        out.line(format_args!("     hint: {hint}"))?;
                    }
                }
            }
        }
        let error = answer.as_ref().err().map(ToString::to_string);
        answers.push(json!({ "sink": sink, "delivered": answer.is_ok(), "error": error }));
    }
    let failed = answers.iter().any(|answer| answer["delivered"] == json!(false));
    if out.wants_json() {
        out.json(json!({ "sinks": answers }))?;
    }
    Ok(if failed { exit::ERROR } else { exit::OK })
}

fn unknown(wanted: &str, sinks: &[String]) -> Failure {
    let failure = Failure::new(ErrorKind::NotFound, format!("there is no sink `{wanted}`"));
    match nearest(wanted, sinks.iter().map(String::as_str)).first() {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure.hint("`notify` in config.yaml names them"),
    }
}
