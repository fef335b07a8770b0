//! Arguments of the commands about providers and plugins.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
#[command(
    after_help = "A provider decides when jobs fire; `provider:` in config.yaml names one. None is started by this.

Exits 0 if the one that config.yaml names can be used, 3 if the built-in ticker fires in its place.

Examples:
  sched providers
  sched providers --json"
)]
pub(crate) struct ProvidersArgs {}

/// What can be done about plugins.
#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// List the plugins in the home, and why one can't be used
    List(PluginListArgs),
    /// Take a plugin through the gates: its files, whether it gets ready, and how it works
    Check(PluginCheckArgs),
    /// Let a plugin that crashed be started again
    Allow(PluginAllowArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Plugins are the folders in the home's `plugins`. None is started by this.

Examples:
  sched plugin list")]
pub(crate) struct PluginListArgs {}

#[derive(Debug, Args)]
#[command(
    after_help = "First who can change its files, and what its library says. Then it is started, in a process of its
own, and has to say that it is ready. Then it works for some seconds, for jobs that run nothing, in a
home that is thrown away: yours, your jobs and a daemon that runs are not touched. It runs as you:
check what you trust.

Exits 0 if it passes, 3 if it doesn't.

Examples:
  sched plugin check ~/.sched/plugins/bells"
)]
pub(crate) struct PluginCheckArgs {
    /// The plugin's folder, or the name of one in `<home>/plugins`
    pub(crate) folder: PathBuf,
}

#[derive(Debug, Args)]
#[command(
    after_help = "After two crashes a plugin is not started any more, until you say so here or its code is another. A
daemon that runs takes it up with the next SIGHUP.

Examples:
  sched plugin allow bells"
)]
pub(crate) struct PluginAllowArgs {
    /// The plugin
    pub(crate) name: String,
}
