//! Arguments of the commands about alerts.

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Without a command, the alerts that are open. An alert opens once, is updated while the problem lasts, and closes.
Which sinks hear of it, `notify` in config.yaml says.

Exits 0 if none is open that nobody has acknowledged, else 3.

Examples:
  sched alerts
  sched alerts ack backup
  sched alerts test ops"
)]
pub(crate) struct AlertsArgs {
    #[command(subcommand)]
    pub(crate) command: Option<AlertsCommand>,
}

/// What can be done about alerts.
#[derive(Debug, Subcommand)]
pub(crate) enum AlertsCommand {
    /// Take note of an alert: no updates, and no DEGRADED for its job, until it happens anew
    Ack(AlertsAckArgs),
    /// Send a message through the sinks, to see whether it arrives
    Test(AlertsTestArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "A job that fails anew, or another problem that opens anew, isn't acknowledged any more.

Examples:
  sched alerts ack backup
  sched alerts ack job-backup --by ann
  sched alerts ack unrecorded")]
pub(crate) struct AlertsAckArgs {
    /// The key of the alert, or the job that it is about
    #[arg(value_name = "KEY or JOB")]
    pub(crate) target: String,
    /// Who takes note [default: $USER]
    #[arg(long, value_name = "WHO")]
    pub(crate) by: Option<String>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "A tracker gets no issue for that: whether the token lets us in, and its label can be had, is looked at.

Exits 0 if every one took it, else 1.

Examples:
  sched alerts test
  sched alerts test ops --dry-run"
)]
pub(crate) struct AlertsTestArgs {
    /// One of the sinks in config.yaml [default: all]
    pub(crate) sink: Option<String>,
    /// Show what would be sent, and send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}
