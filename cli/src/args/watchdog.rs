//! Arguments of `sched watchdog`.

use std::time::Duration;

use clap::Args;

use super::values;

#[derive(Debug, Args)]
#[command(
    after_help = "Looks whether the scheduler fires, whether every job could start if it were due now, and at what
watchdog.checks in config.yaml names. Problems become alerts, which the sinks under `notify` hear of: once when one opens,
again after watchdog.rate_limit, and when it is over. `sched status` is DEGRADED when a watchdog that has come once is
silent for three of its intervals.

Exits 0 if all is well, 3 if something is wrong, 4 if jobs don't fire, 5 if that can't be known.

Examples:
  * * * * * sched watchdog --restart        in a crontab
  sched watchdog --watch --interval 30s
  sched watchdog --dry-run"
)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub(crate) struct WatchdogArgs {
    /// Go on, an evaluation every interval, until SIGTERM or Ctrl-C
    #[arg(long)]
    pub(crate) watch: bool,
    /// How often it comes [default: watchdog.every of config.yaml, else 60s]
    #[arg(long, value_name = "SPAN", value_parser = interval)]
    pub(crate) interval: Option<Duration>,
    /// Write nothing, tell nobody, start nothing; print what would be told
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The most alerts that one evaluation opens
    #[arg(long, value_name = "N")]
    pub(crate) max_issues: Option<usize>,
    /// Start a daemon that has crashed; never one that was stopped
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) restart: bool,
    /// No watchdog comes any more: forget its beat, and close its alerts
    #[arg(long, conflicts_with_all = ["watch", "interval", "dry_run", "max_issues", "restart"])]
    pub(crate) retire: bool,
}

fn interval(text: &str) -> Result<Duration, String> {
    match values::span(text)? {
        short if short < Duration::from_secs(1) => Err("shorter than 1s".into()),
        long if long > Duration::from_hours(1) => Err("longer than 1h, so a stop would go unnoticed for hours".into()),
        interval => Ok(interval),
    }
}
