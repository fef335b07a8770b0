//! `sched plugin`: providers of somebody's own.

mod allow;
mod check;
mod list;

use std::path::{Path, PathBuf};

use scheduler_core::Home;

use super::Done;
use crate::{args::PluginCommand, context::Context, output::Output};

pub(crate) fn run(command: &PluginCommand, context: &Context, out: &mut Output) -> Done {
    match command {
        PluginCommand::List(_) => list::run(context, out),
        PluginCommand::Check(args) => check::run(args, context, out),
        PluginCommand::Allow(args) => allow::run(args, context, out),
    }
}

/// The folder that is meant: the one with this path, else the one of the installed plugin with this name.
fn folder_of(home: &Home, wanted: &Path) -> PathBuf {
    let installed = home.path().join("plugins").join(wanted);
    let is_name = wanted.components().count() == 1 && wanted.is_relative();
    if is_name && !wanted.exists() && installed.is_dir() { installed } else { wanted.to_owned() }
}
