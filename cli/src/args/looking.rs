//! Arguments of the commands that look at the future and the past.

use clap::Args;

use super::values::{self, Since};

#[derive(Debug, Args)]
#[command(
    override_usage = "sched next <JOB> [OPTIONS]\n       sched next --expr <EXPR> [OPTIONS]\n       sched next --batch",
    after_help = "With --batch, each line of stdin is a question {\"expr\", \"tz\", \"after\", \"count\"} and gets one line
as its answer: {\"next\": [...]} in UTC, or {\"error\": \"...\"}. The defaults are UTC, now and 3.

Examples:
  sched next backup --count 5
  sched next --expr \"0 9 * * 1-5\" --tz Europe/Berlin
  echo '{\"expr\": \"@hourly\"}' | sched next --batch"
)]
pub(crate) struct NextArgs {
    /// An id or a unique name
    #[arg(required_unless_present_any = ["expr", "batch"], conflicts_with_all = ["expr", "batch"])]
    pub(crate) job: Option<String>,
    /// A schedule, instead of a job
    #[arg(long, conflicts_with = "batch", allow_hyphen_values = true)]
    pub(crate) expr: Option<String>,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 3, conflicts_with = "batch",
        value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_COUNT)))]
    pub(crate) count: u32,
    /// The time zone the schedule is read in
    #[arg(long = "tz", visible_alias = "timezone", value_name = "ZONE", requires = "expr")]
    pub(crate) time_zone: Option<String>,
    /// After this instant instead of now: RFC 3339, or a date and time on the clock of the zone
    #[arg(long, value_name = "T", conflicts_with = "batch")]
    pub(crate) after: Option<String>,
    /// Answer questions from stdin
    #[arg(long)]
    pub(crate) batch: bool,
}

/// The most instants anybody may ask for at once.
pub(crate) const MAX_COUNT: u32 = 100_000;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  sched history\n  sched history backup --last 5\n  sched history --failed --since 24h\n  sched history --result skipped,coalesced"
)]
pub(crate) struct HistoryArgs {
    /// An id or a unique name; also of a job that has been removed
    pub(crate) job: Option<String>,
    /// The newest so many
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) last: usize,
    /// Only what ended since: 24h, or RFC 3339
    #[arg(long, value_name = "WHEN", value_parser = values::since)]
    pub(crate) since: Option<Since>,
    /// Only what ended like this; several with commas: succeeded, failed, timed_out, cancelled, unknown, skipped, coalesced
    #[arg(long, visible_alias = "verdict", value_name = "RESULT", value_delimiter = ',', hide_possible_values = true,
        value_parser = clap::builder::PossibleValuesParser::new(RESULTS))]
    result: Vec<String>,
    /// Only what failed, timed out or ended nobody knows how
    #[arg(long, conflicts_with = "result")]
    pub(crate) failed: bool,
}

/// How an occurrence can end.
const RESULTS: [&str; 7] = ["succeeded", "failed", "timed_out", "cancelled", "unknown", "skipped", "coalesced"];

impl HistoryArgs {
    /// The words for the ends that are asked for; none is all.
    pub(crate) fn ends(&self) -> Vec<&'static str> {
        let failures = ["failed", "timed_out", "unknown"];
        let asked_for =
            |word: &&str| self.failed && failures.contains(word) || self.result.iter().any(|one| one == word);
        RESULTS.into_iter().filter(asked_for).collect()
    }
}

#[derive(Debug, Args)]
#[command(
    after_help = "With --follow, a run that is open is followed to its end, or the newest one is printed; then the
runs that come, until Ctrl-C. With --run as well, it ends with that run. How a run ended is told on stderr.

Examples:
  sched logs backup
  sched logs backup --tail 20
  sched logs backup --run 01k9x3v7q
  sched logs backup -f"
)]
pub(crate) struct LogsArgs {
    /// An id or a unique name; also of a job that has been removed
    pub(crate) job: String,
    /// This run (the start of its id is enough) instead of the newest
    #[arg(long)]
    pub(crate) run: Option<String>,
    /// Only the last lines
    #[arg(long, value_name = "N")]
    pub(crate) tail: Option<usize>,
    /// Go on with what is printed from now on
    #[arg(short, long, conflicts_with = "json")]
    pub(crate) follow: bool,
}
