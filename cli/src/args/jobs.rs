//! Arguments of the commands that define jobs and switch them on and off.

use std::{path::PathBuf, slice::from_ref, time::Duration};

use clap::{Args, ValueEnum};
use scheduler_core::JobId;

use super::{settings::Settings, values};
use crate::failure::Failure;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  sched init --example")]
pub(crate) struct InitArgs {
    /// Put two harmless example jobs into it
    #[arg(long)]
    pub(crate) example: bool,
}

#[derive(Debug, Args)]
#[command(
    override_usage = "sched add <SCHEDULE> [OPTIONS] -- <COMMAND>...\n       sched add <SCHEDULE> [OPTIONS] --shell <LINE>",
    after_help = "Schedules:
  \"30 2 * * 1-5\"            crontab: minute hour day month weekday
  \"*/10 * * * * *\"          with seconds first
  @hourly @daily @weekly @monthly @yearly @reboot @manually
  \"every 5m\"                elapsed time
  \"every weekday at 9am\"    in words
  \"in 30m\", \"2026-12-24 18:00\"   once

Examples:
  sched add \"30 2 * * *\" --name backup --timeout 1h -- pg_dump -f /backup/db.sql
  sched add \"every 5m\" --name ping --shell 'curl -fsS https://example.org > /dev/null'
  sched add \"0 9 * * 1-5\" --tz Europe/Berlin --name report -- /usr/local/bin/report"
)]
pub(crate) struct AddArgs {
    /// When it fires; quote it
    pub(crate) schedule: String,
    /// Words in the place where clap would otherwise only say that they are unexpected
    #[arg(hide = true)]
    pub(crate) unquoted: Vec<String>,
    /// Its id [default: made from the name]
    #[arg(long, value_parser = values::job_id)]
    pub(crate) id: Option<JobId>,
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// Pause it at once
    #[arg(long)]
    pub(crate) paused: bool,
}

impl AddArgs {
    pub(super) fn check(&self) -> Result<(), Failure> {
        if let [first, ..] = self.unquoted.as_slice() {
            let failure = Failure::usage(format!("`{first}` isn't expected after the schedule `{}`", self.schedule));
            let all = [from_ref(&self.schedule), self.unquoted.as_slice(), &self.settings.command].concat();
            let fields = all.iter().take_while(|word| looks_like_a_field(word)).count();
            return Err(if fields > 1 {
                failure.hint(format!("quote the schedule: sched add \"{}\" -- ...", all[..fields].join(" ")))
            } else {
                let command = self.unquoted.join(" ");
                failure.hint(format!("put the command after `--`: sched add \"{}\" -- {command}", self.schedule))
            });
        }
        if self.settings.shell.is_none() && self.settings.command.is_empty() {
            return Err(Failure::usage("there is no command to run")
                .hint(format!("put it after `--`: sched add \"{}\" -- echo hello", self.schedule))
                .hint("or give a line for the shell: --shell \"echo hello\""));
        }
        Ok(())
    }
}

/// Whether a word could be a field of an unquoted crontab schedule; `*` may have become file names, which can't be told.
fn looks_like_a_field(word: &str) -> bool {
    let digits_and_signs = |c: char| c.is_ascii_digit() || "*/,-~H()".contains(c);
    !word.is_empty() && word.chars().all(digits_and_signs)
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sched list\n  sched list --tag db\n  sched list --json | jq -r '.jobs[].id'")]
pub(crate) struct ListArgs {
    /// Only these: ids or unique names
    #[arg(value_name = "JOB")]
    pub(crate) jobs: Vec<String>,
    /// Only those with this label (repeated: with all of them)
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "The values of its environment are not shown: they may be secrets.

Examples:\n  sched show backup\n  sched show backup --json | jq .settings")]
pub(crate) struct ShowArgs {
    /// An id or a unique name
    #[arg(value_name = "JOB")]
    pub(crate) job: String,
}

#[derive(Debug, Args)]
#[command(
    after_help = "A run that is open goes on to its end; the history is kept.\n\nExample:\n  sched remove backup"
)]
pub(crate) struct RemoveArgs {
    /// Ids or unique names
    #[arg(value_name = "JOB", required = true)]
    pub(crate) jobs: Vec<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sched pause backup --for 2h --reason \"disk swap\"\n  sched pause --all")]
pub(crate) struct PauseArgs {
    /// Ids or unique names
    #[arg(value_name = "JOB", required_unless_present = "all", conflicts_with = "all")]
    pub(crate) jobs: Vec<String>,
    /// All jobs
    #[arg(long)]
    pub(crate) all: bool,
    /// Why, for whoever wonders
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Resume by itself after so long
    #[arg(long = "for", value_name = "DURATION", value_parser = values::span)]
    pub(crate) length: Option<Duration>,
}

#[derive(Debug, Args)]
#[command(after_help = "What passed meanwhile is not made up for: it is one record in the history.

Examples:\n  sched resume backup\n  sched resume --all")]
pub(crate) struct ResumeArgs {
    /// Ids or unique names
    #[arg(value_name = "JOB", required_unless_present = "all", conflicts_with = "all")]
    pub(crate) jobs: Vec<String>,
    /// All jobs
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Exits 1 if there are problems. A program or folder that isn't there is a warning.

Examples:\n  sched validate\n  sched validate new-jobs.json && mv new-jobs.json ~/.sched/jobs.json")]
pub(crate) struct ValidateArgs {
    /// A jobs.json to look at instead of the home's files
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sched schema jobs > ~/.sched/jobs.schema.json\n  \
    sched schema config > ~/.sched/config.schema.json

In jobs.json, \"$schema\": \"./jobs.schema.json\" points an editor at it; in config.yaml the first line
  # yaml-language-server: $schema=config.schema.json")]
pub(crate) struct SchemaArgs {
    /// Of which file
    pub(crate) file: SchemaOf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaOf {
    /// Of jobs.json
    Jobs,
    /// Of config.yaml
    Config,
}
