//! `sched plugin check`: a plugin goes through the gates, and a table says which let it pass.

use sched_plugin_host::{Cleared, protocol::Ready};
use scheduler_core::{Error, Result};
use serde_json::{Value, json};

use super::folder_of;
use crate::{
    args::PluginCheckArgs,
    commands::Done,
    context::Context,
    daemon::plugins,
    exit,
    output::Output,
    table::{Cell, Tone},
};

/// What a gate said.
type Gate = (&'static str, Result<String>);

pub(super) fn run(args: &PluginCheckArgs, context: &Context, out: &mut Output) -> Done {
    let home = context.home()?;
    let plugins = plugins::of(&home, &context.config().config);
    let gates = gates(plugins.check(&folder_of(&home, &args.folder)));
    let passed = gates.iter().all(|(_, said)| said.is_ok());
    let code = if passed { exit::OK } else { exit::ATTENTION };
    if out.wants_json() {
        let gates = gates.iter().map(|(gate, said)| {
            let hint = said.as_ref().err().and_then(Error::hint_text);
            let what = said.as_ref().map_or_else(ToString::to_string, Clone::clone);
            json!({ "gate": gate, "passed": said.is_ok(), "what": what, "hint": hint })
        });
        let gates: Vec<Value> = gates.collect();
        out.json(json!({ "passed": passed, "gates": gates }))?;
        return Ok(code);
    }
    let cells = gates.iter().map(|(gate, said)| {
        let (state, what) = match said {
            Ok(what) => (Cell::new("ok", Tone::Good), what.clone()),
            Err(error) => (Cell::new("bad", Tone::Bad), error.to_string()),
        };
        vec![(*gate).into(), state, what.into()]
    });
    out.table(&["GATE", "", "WHAT"], cells.collect())?;
    if let Some(hint) = gates.iter().find_map(|(_, said)| said.as_ref().err()?.hint_text()) {
        out.line(format_args!("hint: {hint}"))?;
    }
    Ok(code)
}

fn gates(checked: Result<(Cleared, Result<Ready>)>) -> Vec<Gate> {
    let (cleared, ready) = match checked {
        Ok(passed) => passed,
        Err(error) => return vec![("files", Err(error))],
    };
    let manifest = &cleared.manifest;
    let files = format!("{} {} ({}), sha256 {}", manifest.name, manifest.version, manifest.code.kind(), cleared.sha256);
    let ready = ready.map(|ready| {
        let hooks =
            if ready.hooks.is_empty() { "no hooks".into() } else { format!("hooks {}", ready.hooks.join(", ")) };
        format!("it answers as {} {}, with {hooks}", ready.name, ready.version)
    });
    vec![("files", Ok(files)), ("ready", ready)]
}
