//! `sched plugin remove`: takes a plugin out of the home, and forgets its crashes. Of a link only the link goes.

use std::{fs, path::Path};

use scheduler_core::{ErrorKind, nearest};
use serde_json::json;

use super::{folder_in, folders::Staging, is_there};
use crate::{
    args::PluginRemoveArgs,
    commands::Done,
    context::Context,
    daemon::{lock, plugins},
    exit,
    failure::Failure,
    output::Output,
};

pub(super) fn run(args: &PluginRemoveArgs, context: &Context, out: &mut Output) -> Done {
    let home = context.home()?;
    let name = &args.name;
    let folder = folder_in(&home);
    let target = folder.join(name);
    // Neither a path nor something hidden: what is removed is what `list` shows.
    if name.is_empty() || name.contains('/') || name.starts_with('.') || !is_there(&target) {
        return Err(unknown(name, &folder));
    }
    let selected = context.config().config.provider == *name;
    let config = home.config_yaml();
    let config = config.display();
    if selected && !args.force {
        let what = format!("plugin `{name}` decides when jobs fire: {config} names it");
        return Err(Failure::new(ErrorKind::Invalid, what).hint(format!(
            "take `provider: {name}` out of {config} first; with `--force` the built-in ticker fires then"
        )));
    }
    let linked_to = fs::read_link(&target).ok().map(|to| to.display().to_string());
    let staging = Staging::new(&folder)?;
    staging.withdraw(&target)?;
    drop(staging);
    let forgotten = plugins::strikes(&home).allow(name).unwrap_or_else(|error| {
        out.warn(format!("its crashes could not be forgotten: {error}"), error.hint_text());
        false
    });

    if out.wants_json() {
        let folder = target.display().to_string();
        out.json(json!({
            "removed": name, "folder": folder, "linked_to": linked_to, "selected": selected, "crashes_forgotten": forgotten,
        }))?;
        return Ok(exit::OK);
    }
    let left = linked_to.map_or_else(String::new, |to| format!(", which was a link; {to} is as it was"));
    out.line(format_args!("removed plugin `{name}`{left}"))?;
    if forgotten {
        out.line("  its crashes are forgotten")?;
    }
    if selected {
        let daemon = lock::look(&home);
        let from = match daemon.holder.filter(|_| daemon.held) {
            Some(holder) => format!("the daemon keeps what it has started until: kill -HUP {}; then", holder.pid),
            None => "from now on".into(),
        };
        out.line(format_args!(
            "  {from} the built-in ticker fires, and status is DEGRADED until {config} names another"
        ))?;
    }
    Ok(exit::OK)
}

fn unknown(name: &str, folder: &Path) -> Failure {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    let names = names.iter().map(String::as_str).filter(|name| !name.starts_with('.'));
    let nearest = nearest(name, names);
    let hint = match nearest.as_slice() {
        [] => "`sched plugin list` shows those that are there".into(),
        near => format!("did you mean `{}`?", near.join("` or `")),
    };
    Failure::new(ErrorKind::NotFound, format!("there is no plugin `{name}` in {}", folder.display())).hint(hint)
}
