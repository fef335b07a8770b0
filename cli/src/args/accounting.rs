//! Arguments of the commands that account for the past.

use clap::Args;

use super::values::{self, Since};

#[derive(Debug, Args)]
#[command(
    after_help = "Each instant is judged by the schedule as it was defined then: it ran, was coalesced, was skipped with a
reason, is open, or waits. Exits 3 if something is not accounted for.

Examples:
  sched audit
  sched audit backup --since 7d
  sched audit --since 2026-11-01T00:00:00Z --json"
)]
pub(crate) struct AuditArgs {
    /// An id or a unique name; also of a job that has been removed
    pub(crate) job: Option<String>,
    /// Only what was owed since: 7d, or RFC 3339
    #[arg(long, value_name = "WHEN", default_value = "30d", value_parser = values::since)]
    pub(crate) since: Since,
}

#[derive(Debug, Args)]
#[command(
    after_help = "The instant is RFC 3339, or a date and time on the clock of the job, or a time alone: the last time that this
clock showed it. Exits 3 if the instant was owed and nothing is on record.

Examples:
  sched why backup@2026-11-22T02:30
  sched why backup@02:30
  sched why backup@2026-11-22T01:30:00Z --json"
)]
pub(crate) struct WhyArgs {
    /// Which instant of which job
    #[arg(value_name = "JOB@INSTANT", value_parser = values::job_instant)]
    pub(crate) what: (String, String),
}
