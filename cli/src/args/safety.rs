//! Arguments of the commands that keep a home safe.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
#[command(
    after_help = "The configuration, the jobs and the state, as they are at one moment, also while the daemon runs; not
the output of runs. A copy made with other tools may miss what is compacted meanwhile.

Examples:
  sched backup
  sched backup /backup/sched-monday"
)]
pub(crate) struct BackupArgs {
    /// An empty folder, or one to be made [default: sched-backup-TIME, here]
    pub(crate) folder: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(
    override_usage = "sched restore [N] [--dry-run] [--yes]\n       sched restore --from <FOLDER>",
    after_help = "The first form puts jobs.json.bak.N back, word for word. What that changes is shown first; on a
terminal it is asked whether to go on. The second form makes a home of what `sched backup` made.

Exits 0 if it is done. With --dry-run: 0 if there is nothing to do, 3 if there is.

Examples:
  sched restore --dry-run
  sched restore 2
  sched --home /srv/sched restore --from /backup/sched-monday"
)]
pub(crate) struct RestoreArgs {
    /// Which version of jobs.json: 1 is the one before the last command that changed it
    #[arg(value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=5))]
    pub(crate) version: u8,
    /// Make the home of this backup; there must be none yet
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["version", "dry_run", "yes"])]
    pub(crate) from: Option<PathBuf>,
    /// Show what would change, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Don't ask (nor is it asked with --json, or without a terminal)
    #[arg(long, short = 'y')]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "For a home that is refused as damaged. What can be read is kept: jobs, pauses, history. What
can't be read may have said that something ran. So no instant up to now fires any more, what
waited is skipped, and a run that was open ends as `unknown` unless its process lives.

What is damaged, and what is kept, is shown first; on a terminal it is asked whether to go on.
The damaged files stay in the home, in state/damaged-TIME.

Exits 0 if it is done or there is nothing to repair, 75 while the daemon or another process is
at work in the home. With --dry-run: 0 if there is nothing to do, 3 if there is.

Examples:
  sched repair --dry-run
  sched repair")]
pub(crate) struct RepairArgs {
    /// Show what is damaged and what can be kept, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Don't ask (nor is it asked with --json, or without a terminal)
    #[arg(long, short = 'y')]
    pub(crate) yes: bool,
}
