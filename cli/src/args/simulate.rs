//! Arguments of `simulate`.

use std::path::PathBuf;

use clap::Args;

use super::values::{self, Pair};

#[derive(Debug, Args)]
#[command(after_help = "T is RFC 3339, a date and time on the clock of the home's zone, or a span. A span counts from
--from (`--to 7d --downtime 2d..3d`); as --from itself it is so long ago.

The rules are those of the daemon, with the limits of config.yaml. Runs take as long as the newest
20 that succeeded did (the median), 1 s where there are none. They succeed, unless their timeout or
a downtime ends them.

Examples:
  sched simulate
  sched simulate backup sync --to 7d --duration backup=40m
  sched simulate --downtime \"2026-11-22 02:00..2026-11-22 09:00\" --svg night.svg
  sched simulate --clock-step 3h=-1h --json
  sched simulate --speed 3600")]
pub(crate) struct SimulateArgs {
    /// Ids or unique names; all jobs without any
    #[arg(value_name = "JOB")]
    pub(crate) jobs: Vec<String>,
    /// The beginning [default: now]
    #[arg(long, value_name = "T")]
    pub(crate) from: Option<String>,
    /// The end, at most 366 days later
    #[arg(long, value_name = "T", default_value = "24h")]
    pub(crate) to: String,
    /// Print each fire as it comes, at so many times the speed of time
    #[arg(long, value_name = "X", conflicts_with = "json", value_parser = values::speed)]
    pub(crate) speed: Option<f64>,
    /// No daemon runs from A to B: it dies with its runs, and another one starts
    #[arg(long, value_name = "A..B")]
    pub(crate) downtime: Vec<String>,
    /// The wall clock is set at T, by a span such as +1h or -30m
    #[arg(long, value_name = "T=SPAN")]
    pub(crate) clock_step: Vec<String>,
    /// How long runs of a job take
    #[arg(long, value_name = "JOB=SPAN", value_parser = values::pair)]
    pub(crate) duration: Vec<Pair>,
    /// Draw the load into this file
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
}
