//! `sched plugin list|check|allow`: providers of somebody's own.

use std::path::{Path, PathBuf};

use sched_plugin_host::{Cleared, Found, Standing, protocol::Ready};
use scheduler_core::{Error, ErrorKind, Home, Result};
use serde_json::{Value, json};

use super::{Done, providers};
use crate::{
    args::{PluginAllowArgs, PluginCheckArgs, PluginCommand},
    context::Context,
    daemon::plugins,
    exit,
    failure::Failure,
    output::Output,
    table::{Cell, Tone},
};

pub(crate) fn run(command: &PluginCommand, context: &Context, out: &mut Output) -> Done {
    match command {
        PluginCommand::List(_) => list(context, out),
        PluginCommand::Check(args) => check(args, context, out),
        PluginCommand::Allow(args) => allow(args, context, out),
    }
}

fn list(context: &Context, out: &mut Output) -> Done {
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

/// The folder that is meant: the one with this path, else the one of the installed plugin with this name.
fn folder_of(home: &Home, wanted: &Path) -> PathBuf {
    let installed = home.path().join("plugins").join(wanted);
    let is_name = wanted.components().count() == 1 && wanted.is_relative();
    if is_name && !wanted.exists() && installed.is_dir() { installed } else { wanted.to_owned() }
}

/// What a gate said.
type Gate = (&'static str, Result<String>);

fn check(args: &PluginCheckArgs, context: &Context, out: &mut Output) -> Done {
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

fn allow(args: &PluginAllowArgs, context: &Context, out: &mut Output) -> Done {
    let home = context.home()?;
    let name = &args.name;
    if !plugins::strikes(&home).allow(name)? {
        let what = format!("no crash of a plugin `{name}` is on record");
        let hint = "`sched plugin list` says what keeps one from being used";
        return Err(Failure::new(ErrorKind::NotFound, what).hint(hint));
    }
    if out.wants_json() {
        out.json(json!({ "allowed": name }))?;
    } else {
        out.line(format_args!(
            "plugin `{name}` may be started again; a daemon that runs tries it with the next SIGHUP"
        ))?;
    }
    Ok(exit::OK)
}
