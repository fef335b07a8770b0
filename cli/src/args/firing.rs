//! Arguments of the commands that fire jobs or say whether they fire.

use clap::{Args, ValueEnum};

use crate::failure::Failure;

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sched run\n  sched run --example\n  sched run --log-format json")]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub(crate) struct RunArgs {
    /// Caught, because many will type it: `run` is the daemon
    #[arg(hide = true)]
    pub(crate) job: Option<String>,
    /// Try it out with two harmless jobs, in a home that has no others
    #[arg(long)]
    pub(crate) example: bool,
    /// Take over a home that belongs to another machine; nothing may run there any more
    #[arg(long)]
    pub(crate) adopt: bool,
    /// Run though the home is on a file system (NFS, SMB, FUSE) on which jobs may fire twice
    #[arg(long)]
    pub(crate) unsafe_fs: bool,
    /// In a session of its own: how `sched watchdog --restart` starts it
    #[arg(long, hide = true)]
    pub(crate) detached: bool,
    /// How the log on stderr is written; with `json` every line of it is an object, and nothing is printed beside it
    #[arg(long, value_name = "FORMAT", default_value = "text", conflicts_with = "example")]
    pub(crate) log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

impl RunArgs {
    /// Whether the log is JSON.
    pub(crate) fn logs_json(&self) -> bool {
        self.log_format == LogFormat::Json
    }

    pub(super) fn check(&self) -> Result<(), Failure> {
        match &self.job {
            None => Ok(()),
            Some(job) => Err(Failure::usage(format!("`sched run` is the daemon and takes no job, found `{job}`"))
                .hint(format!("to run that job now: sched fire {job}"))),
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Example, in a system crontab:\n  * * * * * sched tick")]
pub(crate) struct TickArgs {
    /// Take over a home that belongs to another machine; nothing may run there any more
    #[arg(long)]
    pub(crate) adopt: bool,
    /// Go on though the home is on a file system (NFS, SMB, FUSE) on which jobs may fire twice
    #[arg(long)]
    pub(crate) unsafe_fs: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exits 0 if it is healthy, 3 if something needs attention, 4 if nothing fires, 5 if that can't be known.
With --nagios: 0 OK, 1 WARNING (needs attention), 2 CRITICAL (nothing fires), 3 UNKNOWN."
)]
pub(crate) struct StatusArgs {
    /// One line and the exit codes that Nagios, Icinga and the like expect
    #[arg(long, conflicts_with = "json")]
    pub(crate) nagios: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exits 0 if nothing is bad (warnings may be meant so), 3 if something is, 1 if the home can't be read.
Nothing is changed: a file is written into `state` to see whether the disk takes it, and removed.

Examples:\n  sched doctor\n  sched doctor --json | jq -r '.checks[] | select(.state == \"bad\") | .detail'"
)]
pub(crate) struct DoctorArgs {}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sched fire backup\n  sched fire backup --wait && echo done")]
pub(crate) struct FireArgs {
    /// An id or a unique name
    #[arg(value_name = "JOB")]
    pub(crate) job: String,
    /// Wait for its end; exit 0 if it succeeded, else 1
    #[arg(long)]
    pub(crate) wait: bool,
    /// Even if it is paused, disabled or has a run open
    #[arg(long, conflicts_with = "due")]
    pub(crate) force: bool,
    /// Not a run by hand: claim what the job owes now, if anything (for triggers from outside)
    #[arg(long)]
    pub(crate) due: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sched cancel backup\n  sched cancel 01k9x3v7q")]
pub(crate) struct CancelArgs {
    /// A job, for its open runs, or a run
    #[arg(value_name = "JOB or RUN")]
    pub(crate) target: String,
}
