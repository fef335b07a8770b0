//! Arguments of the commands that change jobs that are there.

use std::path::PathBuf;

use clap::Args;

use super::settings::Settings;
use crate::failure::Failure;

#[derive(Debug, Args)]
#[command(
    override_usage = "sched edit <JOB> [OPTIONS] [-- <COMMAND>...]\n       sched edit <JOB> --editor",
    after_help = "What isn't named stays as it is. --env sets its variable and leaves the others; --tag gives all
labels anew. With --clear, a FIELD of jobs.json goes back to its default: timeout, env, env.NAME,
misfire.grace.

--editor takes $VISUAL, else $EDITOR, else vi. If the entry has been changed by somebody else by
the time it is saved, or is invalid, nothing is changed, and the text is kept.

Examples:
  sched edit backup --schedule \"30 3 * * *\" --timeout 2h
  sched edit backup --clear timeout --env PGUSER=backup
  sched edit backup -- pg_dump -f /backup/new.sql
  sched edit backup --editor"
)]
pub(crate) struct EditArgs {
    /// An id or a unique name
    #[arg(value_name = "JOB")]
    pub(crate) job: String,
    /// Change the entry in an editor
    #[arg(long, conflicts_with_all = ["schedule", "clear", "enabled", "Settings"])]
    pub(crate) editor: bool,
    /// When it fires; quote it
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) schedule: Option<String>,
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// Let it owe its instants again
    #[arg(long, conflicts_with = "disabled")]
    pub(crate) enabled: bool,
    /// Take a field away (may be repeated)
    #[arg(long, value_name = "FIELD")]
    pub(crate) clear: Vec<String>,
}

impl EditArgs {
    pub(super) fn check(&self) -> Result<(), Failure> {
        let is_idle = !self.editor && self.schedule.is_none() && !self.enabled && self.clear.is_empty();
        if is_idle && self.settings.is_empty() {
            return Err(Failure::usage("there is nothing to change")
                .hint(format!("name what: sched edit {} --timeout 1h", self.job))
                .hint(format!("or change its entry in an editor: sched edit {} --editor", self.job)));
        }
        Ok(())
    }
}

#[derive(Debug, Args)]
#[command(
    after_help = "FILE is like jobs.json, or the same in YAML if its name ends in .yaml or .yml; stdin may be either.
What would change is shown first; on a terminal it is asked whether to go on. All of it is done, or nothing.

Exits 0 if it is done or there was nothing to do. With --dry-run: 0 if there is nothing to do, 3
if there is.

Examples:
  sched apply jobs.yaml --dry-run
  sched apply jobs.yaml --prune --yes
  generate-jobs | sched apply -"
)]
pub(crate) struct ApplyArgs {
    /// The jobs as they are to be; `-` is stdin
    pub(crate) file: PathBuf,
    /// Remove jobs that aren't in the file
    #[arg(long)]
    pub(crate) prune: bool,
    /// Show what would change, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Don't ask (nor is it asked with --json, or without a terminal)
    #[arg(long, short = 'y')]
    pub(crate) yes: bool,
}
