//! Arguments of `sched service`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What can be done about the service.
#[derive(Debug, Subcommand)]
pub(crate) enum ServiceCommand {
    /// Write the units, and start them
    Install(ServiceInstallArgs),
    /// Stop the units, and take them away; the home stays
    Uninstall(ServiceUninstallArgs),
    /// Are the units there, as this build would write them, and at work?
    Status(ServiceStatusArgs),
}

/// Which service is meant.
#[derive(Debug, Clone, Args)]
pub(crate) struct WhichService {
    /// A service of your own, which needs no root [default: one of the machine]
    #[arg(long)]
    pub(crate) user: bool,
    /// What the units are called; a machine can have several
    #[arg(long, value_name = "NAME", default_value = "sched", value_parser = unit_name)]
    pub(crate) name: String,
    /// Where the units are; from another folder nothing is started [default: /etc/systemd/system, or with --user ~/.config/systemd/user]
    #[arg(long, value_name = "DIR")]
    pub(crate) unit_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "A daemon that systemd starts, starts again whenever it ends, and kills when it no longer gets on; a
watchdog every 60 s, which tells somebody; and every 15 min a look at whether the watchdog itself still comes.

The home is --home, else $SCHED_HOME, else /var/lib/sched (with --user: ~/.sched). Secrets that config.yaml takes from
the environment come from /etc/sched/env (with --user: ~/.config/sched/env), lines of NAME=value.

Units that somebody has changed are not written over without --force.

Examples:
  sched service install
  sched service install --user
  sched service install --print | less"
)]
pub(crate) struct ServiceInstallArgs {
    #[command(flatten)]
    pub(crate) which: WhichService,
    /// Whom the daemon and its jobs run as [default: root]
    #[arg(long, value_name = "USER", conflicts_with = "user", value_parser = account)]
    pub(crate) run_as: Option<String>,
    /// Print the units, and do nothing
    #[arg(long)]
    pub(crate) print: bool,
    /// Write the units, and start nothing
    #[arg(long)]
    pub(crate) no_start: bool,
    /// Write over units that somebody has changed
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Open runs end first, as long as drain_timeout lets them. Jobs, history and config.yaml stay.

Examples:
  sched service uninstall
  sched service uninstall --user")]
pub(crate) struct ServiceUninstallArgs {
    #[command(flatten)]
    pub(crate) which: WhichService,
    /// Take away units that somebody has changed, too
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Whether jobs fire is for `sched status` to say; this is about systemd.

Exits 0 if all units are there and at work, 3 if one isn't, 4 if the daemon's isn't.

Examples:
  sched service status
  sched service status --user --json")]
pub(crate) struct ServiceStatusArgs {
    #[command(flatten)]
    pub(crate) which: WhichService,
}

fn unit_name(text: &str) -> Result<String, String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    let starts = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    if starts && text.len() <= 64 && text.chars().all(fine) {
        Ok(text.to_owned())
    } else {
        Err("write letters, digits, `-` and `_`, 64 at most".into())
    }
}

fn account(text: &str) -> Result<String, String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if !text.is_empty() && !text.starts_with('-') && text.chars().all(fine) {
        Ok(text.to_owned())
    } else {
        Err("no account is called that".into())
    }
}
