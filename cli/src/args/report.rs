//! Arguments of `report`.

use clap::{Args, ValueEnum};

use super::values::{self, Since};

#[derive(Debug, Args)]
#[command(
    after_help = "What blocks comes first, each with a hint; then a + or - for every job and heartbeat, what ran, what is
paused, and when nobody could fire. `report` in config.yaml sends it by itself.

With --to it is sent and not printed: mail has it as text and as a page, a webhook in Markdown, a
command as JSON.

Exits 0 if nothing blocks, else 3.

Examples:
  sched report
  sched report --since 7d --format html > report.html
  sched report --to ops"
)]
pub(crate) struct ReportArgs {
    /// From when on: 24h, 7d, or RFC 3339 [default: `report.since`, which is 24h]
    #[arg(long, value_name = "WHEN", value_parser = values::since)]
    pub(crate) since: Option<Since>,
    /// How it is printed
    #[arg(long, value_enum, default_value = "text", conflicts_with = "to")]
    pub(crate) format: ReportFormat,
    /// Send it to this sink of config.yaml; may be given more than once
    #[arg(long, value_name = "SINK")]
    pub(crate) to: Vec<String>,
}

/// How a report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// For terminals
    Text,
    /// For chats and wikis
    Markdown,
    /// For programs
    Json,
    /// For browsers: one file
    Html,
}
