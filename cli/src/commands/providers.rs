//! `sched providers`: what can decide when jobs fire, and which of them `config.yaml` names.

use sched_plugin_host::{Found, Standing};
use scheduler_core::provider::BUILTIN_ALIASES;
use serde_json::{Value, json};

use super::Done;
use crate::{
    args::ProvidersArgs,
    context::Context,
    daemon::{machinery, plugins},
    exit,
    output::Output,
    table::{Cell, Tone},
};

/// A provider, as it is listed.
struct Row {
    name: String,
    from: &'static str,
    /// Why it can't be used, if it can't, and the fix.
    refused: Option<(String, Option<String>)>,
    does: String,
}

pub(crate) fn run(_: &ProvidersArgs, context: &Context, out: &mut Output) -> Done {
    let home = context.home()?;
    let loaded = context.config();
    let resolved = machinery::provider_to_be(&home, loaded);
    let chosen = resolved.provider.name().to_owned();
    let rows = rows(plugins::look(&home, &loaded.config));
    let code = if resolved.reason.is_some() { exit::ATTENTION } else { exit::OK };
    if out.wants_json() {
        let rows = rows.iter().map(|row| {
            let reason = row.refused.as_ref().map(|(why, _)| why);
            let usable = reason.is_none();
            json!({ "name": row.name, "from": row.from, "usable": usable, "reason": reason, "does": row.does })
        });
        let rows: Vec<Value> = rows.collect();
        out.json(json!({ "providers": rows, "chosen": chosen, "fallback_reason": resolved.reason }))?;
        return Ok(code);
    }
    let cells = rows.iter().map(|row| {
        let state = match &row.refused {
            Some(_) => Cell::new("can't be used", Tone::Bad),
            None if row.name == chosen => Cell::new("chosen", Tone::Good),
            None => Cell::new("usable", Tone::Plain),
        };
        vec![row.name.clone().into(), row.from.into(), state, row.does.clone().into()]
    });
    out.table(&["NAME", "FROM", "STATE", "DOES"], cells.collect())?;
    if let Some(reason) = &resolved.reason {
        out.warn(reason, Some("until that is put right the built-in ticker fires"));
    }
    for row in &rows {
        if let Some((why, hint)) = &row.refused {
            out.warn(format!("plugin `{}`: {why}", row.name), hint.as_deref());
        }
    }
    Ok(code)
}

fn rows(found: Vec<Found>) -> Vec<Row> {
    let bundled = |name: &str, does: &str| Row { name: name.into(), from: "sched", refused: None, does: does.into() };
    let mut rows = vec![
        bundled(BUILTIN_ALIASES[0], "fires in this process, at the instant"),
        bundled("none", "stands by: fires nothing but what is fired by hand"),
    ];
    rows.extend(found.into_iter().map(|found| {
        let (refused, does) = match found.standing {
            Standing::Usable(plugin) => (None, plugin.manifest.description),
            Standing::Refused(why, hint) => (Some((why, hint)), String::new()),
            _ => (Some((TAKEN.into(), Some("rename its folder, and `name` in its plugin.yaml".into()))), String::new()),
        };
        Row { name: found.name, from: "a plugin", refused, does }
    }));
    rows
}

/// Why a plugin of a name that is taken is never used.
pub(super) const TAKEN: &str = "a provider that comes with sched is called so";
