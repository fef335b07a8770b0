//! What can be typed: the commands, their arguments and their help. Nothing here touches a file.
//!
//! | file | arguments of |
//! |---|---|
//! | `jobs` | `init`, `add`, `list`, `show`, `remove`, `pause`, `resume`, `validate`, `schema` |
//! | `changing` | `edit`, `apply` |
//! | `settings` | what `add` and `edit` can say about a job |
//! | `firing` | `run`, `tick`, `fire`, `cancel`, `status`, `doctor` |
//! | `looking` | `next`, `history`, `logs` |
//! | `accounting` | `audit`, `why` |
//! | `simulate` | `simulate` |
//! | `heartbeat` | `heartbeat` |
//! | `safety` | `backup`, `restore`, `repair` |
//! | `alerts` | `alerts` |
//! | `report` | `report` |
//! | `plugins` | `providers`, `plugin` |
//! | `service` | `service` |
//! | `shell` | `completions`, `man` |
//! | `values` | texts that are checked as they are read: durations, sizes, `K=V` |
//! | `help` | the grouped list of commands |

mod accounting;
mod alerts;
mod changing;
mod firing;
mod heartbeat;
mod help;
mod jobs;
mod looking;
mod plugins;
mod report;
mod safety;
mod service;
mod settings;
mod shell;
mod simulate;
mod values;
mod watchdog;

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

pub(crate) use self::{
    accounting::{AuditArgs, WhyArgs},
    alerts::{AlertsAckArgs, AlertsArgs, AlertsCommand, AlertsTestArgs},
    changing::{ApplyArgs, EditArgs},
    firing::{CancelArgs, DoctorArgs, FireArgs, RunArgs, StatusArgs, TickArgs},
    heartbeat::{
        BeatStatus, HeartbeatCheckArgs, HeartbeatCommand, HeartbeatExpectArgs, HeartbeatForgetArgs,
        HeartbeatSnippetArgs, HeartbeatWriteArgs, is_heartbeat_write,
    },
    jobs::{
        AddArgs, InitArgs, ListArgs, PauseArgs, RemoveArgs, ResumeArgs, SchemaArgs, SchemaOf, ShowArgs, ValidateArgs,
    },
    looking::{HistoryArgs, LogsArgs, MAX_COUNT, NextArgs},
    plugins::{
        Lang, PluginAllowArgs, PluginCheckArgs, PluginCommand, PluginInstallArgs, PluginNewArgs, PluginRemoveArgs,
        ProvidersArgs,
    },
    report::{ReportArgs, ReportFormat},
    safety::{BackupArgs, RepairArgs, RestoreArgs},
    service::{ServiceCommand, ServiceInstallArgs, ServiceStatusArgs, ServiceUninstallArgs, WhichService},
    settings::Settings,
    shell::{CompletionsArgs, ManArgs},
    simulate::SimulateArgs,
    values::Pair,
    watchdog::WatchdogArgs,
};
use crate::failure::Failure;

/// A cron scheduler that cannot die silently.
#[derive(Debug, Parser)]
#[command(name = "sched", version, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that every command takes, before its name or after it.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// The folder all state lives in [default: $SCHED_HOME, else ~/.sched]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
    /// Print JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// When to use colours; `auto` is on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    pub(crate) color: Color,
    /// Say more (-vv: much more)
    #[arg(short, long, global = true, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    pub(crate) verbose: u8,
    /// Say nothing but errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

/// The commands. Their order here is nobody's; `help` groups them.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make the home, with a commented config.yaml
    Init(InitArgs),
    /// Run the daemon in the foreground
    Run(RunArgs),
    /// Do one pass over what is due, wait for it, and exit (for a system cron)
    Tick(TickArgs),
    /// Is it firing now? The verdict, its evidence and what needs attention
    Status(StatusArgs),
    /// Add a job
    Add(Box<AddArgs>),
    /// List the jobs, when they are due and how they are doing
    #[command(visible_alias = "ls")]
    List(ListArgs),
    /// Everything about a job
    Show(ShowArgs),
    /// Change a job
    Edit(Box<EditArgs>),
    /// Make the jobs as a file says, and show first what that changes
    Apply(ApplyArgs),
    /// Remove jobs
    #[command(visible_alias = "rm")]
    Remove(RemoveArgs),
    /// Stop jobs from firing until they are resumed
    Pause(PauseArgs),
    /// Let paused jobs fire again
    Resume(ResumeArgs),
    /// Run a job now
    Fire(FireArgs),
    /// Stop a queued or running run
    Cancel(CancelArgs),
    /// When a job or a schedule fires next
    Next(NextArgs),
    /// What would happen: fires, what waits and what is skipped, and the load; nothing is run
    Simulate(Box<SimulateArgs>),
    /// What ran, what didn't, and why
    History(HistoryArgs),
    /// What a run printed
    Logs(LogsArgs),
    /// Account for every occurrence that was owed: ran, skipped with a reason, or missing
    Audit(AuditArgs),
    /// Why a job ran at an instant, or didn't, with the evidence
    Why(WhyArgs),
    /// Look from outside whether all is well, tell who should know, start a daemon that crashed
    Watchdog(WatchdogArgs),
    /// What is wrong and who was told; `ack` takes note of it, `test` tries a sink
    Alerts(AlertsArgs),
    /// The morning report: what blocks, how each job is doing, what ran and what didn't
    Report(ReportArgs),
    /// Are the files right? Nothing is run or changed
    Validate(ValidateArgs),
    /// Is the machine right? The files, the disk, the clock and the rest that jobs rest on
    Doctor(DoctorArgs),
    /// Heartbeats of any job, also of those that sched doesn't run
    #[command(subcommand)]
    Heartbeat(HeartbeatCommand),
    /// Copy the home as it is at one moment
    Backup(BackupArgs),
    /// Put a version of jobs.json back, or make a home of a backup
    Restore(RestoreArgs),
    /// Make a damaged home whole again, with all that can be read of it
    Repair(RepairArgs),
    /// What can decide when jobs fire, and what does
    Providers(ProvidersArgs),
    /// Providers of your own: programs and libraries in the home's `plugins` folder
    #[command(subcommand)]
    Plugin(PluginCommand),
    /// The daemon and its watchdog as units of systemd
    #[command(subcommand)]
    Service(ServiceCommand),
    /// Print the JSON Schema of jobs.json or config.yaml, for editors
    Schema(SchemaArgs),
    /// Print the script that completes commands in a shell
    Completions(CompletionsArgs),
    /// Print the manual page, or write one for each command
    Man(ManArgs),
}

/// Reads a command line, the program's name first.
///
/// # Errors
/// What clap has to say: a mistake, or the help or version that was asked for.
pub(crate) fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let mut command = grammar();
    let matches = command.try_get_matches_from_mut(words)?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// All that can be typed, with its help.
pub(crate) fn grammar() -> clap::Command {
    help::grouped(Cli::command())
}

impl Command {
    /// Whether the log of this command is JSON.
    pub(crate) fn logs_json(&self) -> bool {
        matches!(self, Self::Run(args) if args.logs_json())
    }

    /// Refuses what the grammar lets through so that the refusal can name the fix.
    ///
    /// # Errors
    /// A usage error with its hint.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        match self {
            Self::Run(args) => args.check(),
            Self::Add(args) => args.check(),
            Self::Edit(args) => args.check(),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
