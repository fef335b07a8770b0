//! `sched plugin`: providers of somebody's own.
//!
//! | file | job |
//! |---|---|
//! | `new/`, `list`, `check`, `install/`, `allow`, `remove` | the commands |
//! | `folders` | changes folders of plugins, and nothing else here does |

mod allow;
mod check;
mod folders;
mod install;
mod list;
mod new;
mod remove;

use std::{
    fs,
    path::{Path, PathBuf},
};

use scheduler_core::{ErrorKind, Home, provider::BUILTIN_ALIASES};

use super::Done;
use crate::{args::PluginCommand, context::Context, daemon::plugins, failure::Failure, output::Output};

pub(crate) fn run(command: &PluginCommand, context: &Context, out: &mut Output) -> Done {
    match command {
        PluginCommand::New(args) => new::run(args, out),
        PluginCommand::List(_) => list::run(context, out),
        PluginCommand::Check(args) => check::run(args, context, out),
        PluginCommand::Install(args) => install::run(args, context, out),
        PluginCommand::Allow(args) => allow::run(args, context, out),
        PluginCommand::Remove(args) => remove::run(args, context, out),
    }
}

/// The folder that the plugins of `home` are in.
fn folder_in(home: &Home) -> PathBuf {
    home.path().join("plugins")
}

/// The folder that is meant: the one with this path, else the one of the installed plugin with this name.
fn folder_of(home: &Home, wanted: &Path) -> PathBuf {
    let installed = folder_in(home).join(wanted);
    let is_name = wanted.components().count() == 1 && wanted.is_relative();
    if is_name && !wanted.exists() && installed.is_dir() { installed } else { wanted.to_owned() }
}

/// Refuses a name under which a plugin would never be used.
fn refuse_taken(name: &str) -> Result<(), Failure> {
    let what = if BUILTIN_ALIASES.contains(&name) {
        "the built-in ticker is called so"
    } else if plugins::bundled().iter().any(|bundled| bundled == name) {
        "a provider that comes with sched is called so"
    } else {
        return Ok(());
    };
    let why = format!("a plugin can't be called `{name}`: {what}, and `provider: {name}` would always mean that one");
    Err(Failure::new(ErrorKind::Exists, why).hint("give it another name"))
}

/// Whether something is there, even a link to nothing.
fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}
