//! `sched plugin list`: which are there, and why one can't be used.

use sched_plugin_host::{Found, Standing};
use serde_json::{Value, json};

use crate::{
    commands::{Done, providers},
    context::Context,
    daemon::plugins,
    exit,
    output::Output,
    table::{Cell, Tone},
};

pub(super) fn run(context: &Context, out: &mut Output) -> Done {
    let home = context.home()?;
    let found = plugins::look(&home, &context.config().config);
    let folder = home.path().join("plugins");
    if out.wants_json() {
        let found: Vec<Value> = found.iter().map(to_json).collect();
        out.json(json!({ "folder": folder.display().to_string(), "plugins": found }))?;
        return Ok(exit::OK);
    }
    if found.is_empty() {
        out.line(format_args!("no plugins in {}", folder.display()))?;
        return Ok(exit::OK);
    }
    let cells = found.iter().map(|found| {
        let (version, kind, state) = match &found.standing {
            Standing::Usable(plugin) => {
                let manifest = &plugin.manifest;
                (manifest.version.as_str(), manifest.code.kind(), Cell::new("usable", Tone::Good))
            }
            Standing::Refused(why, _) => ("-", "-", Cell::new(why, Tone::Bad)),
            _ => ("-", "-", Cell::new(providers::TAKEN, Tone::Bad)),
        };
        vec![found.name.clone().into(), version.into(), kind.into(), state]
    });
    out.table(&["NAME", "VERSION", "KIND", "STATE"], cells.collect())?;
    Ok(exit::OK)
}

fn to_json(found: &Found) -> Value {
    let mut entry = json!({ "name": found.name, "folder": found.folder.display().to_string() });
    let (reason, hint) = match &found.standing {
        Standing::Usable(plugin) => {
            entry["version"] = json!(plugin.manifest.version);
            entry["kind"] = json!(plugin.manifest.code.kind());
            entry["sha256"] = json!(plugin.sha256);
            (None, None)
        }
        Standing::Refused(why, hint) => (Some(why.as_str()), hint.as_deref()),
        _ => (Some(providers::TAKEN), None),
    };
    entry["usable"] = json!(reason.is_none());
    entry["reason"] = json!(reason);
    entry["hint"] = json!(hint);
    entry
}
