//! Arguments of the commands about providers and plugins.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

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
    /// Make the folder of a new plugin, which builds and passes the check
    New(PluginNewArgs),
    /// List the plugins in the home, and why one can't be used
    List(PluginListArgs),
    /// Take a plugin through the gates: its files, whether it gets ready, and how it works
    Check(PluginCheckArgs),
    /// Put a plugin into the home, once it has passed the gates
    Install(PluginInstallArgs),
    /// Let a plugin that crashed be started again
    Allow(PluginAllowArgs),
    /// Take a plugin out of the home
    Remove(PluginRemoveArgs),
}

#[derive(Debug, Args)]
#[command(
    after_help = "What is made looks for due jobs every few seconds and fires them, and its README.md says how to go on. A
library in Rust finds what it is written with in its folder `vendor`, one in C the header beside it. A folder that is
there already must be empty.

Examples:
  sched plugin new bells
  sched plugin new bells --lang c
  sched plugin new bells --sdk ~/src/sched"
)]
pub(crate) struct PluginNewArgs {
    /// What the plugin is called: a-z, 0-9, `.`, `_` and `-`
    pub(crate) name: String,
    /// What it is written in
    #[arg(long, value_enum, default_value = "rust")]
    pub(crate) lang: Lang,
    /// Its folder, which is called as the plugin is [default: ./NAME]
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Depend on the crate `sched-plugin` of a checkout of sched, or of a git repository, in place of a copy of it
    #[arg(long, value_name = "PATH|URL")]
    pub(crate) sdk: Option<String>,
}

/// What a plugin can be written in, for a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    Rust,
    C,
    Python,
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
    after_help = "It has to pass what `sched plugin check` looks at, so it is started once, and ended. Of a library are copied
its plugin.yaml and the library itself; of a program the whole folder, but for what is hidden or a cache. Nobody but its
owner can write the copies, and plugin.yaml says which sha256 its code must have from then on.

Nothing is selected by this: `provider: NAME` in config.yaml is, and then SIGHUP, for a daemon that runs.

Examples:
  sched plugin install ./bells
  sched plugin install ./bells --force
  sched plugin install ./bells --link"
)]
pub(crate) struct PluginInstallArgs {
    /// The plugin's folder
    pub(crate) folder: PathBuf,
    /// Link the folder in place of copying it, for whoever is at work on it
    #[arg(long)]
    pub(crate) link: bool,
    /// Replace one that is installed
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Of one that is a link only the link goes. Its crashes are forgotten.

Examples:
  sched plugin remove bells")]
pub(crate) struct PluginRemoveArgs {
    /// The plugin
    pub(crate) name: String,
    /// Even if config.yaml names it: the built-in ticker fires then
    #[arg(long)]
    pub(crate) force: bool,
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
