//! What can be said about a job, by `add` and by `edit` alike.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::values::{self, Pair};

#[derive(Debug, Args)]
pub(crate) struct Settings {
    /// What people call it [default: of a new job, the program's name]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    /// The time zone its schedule is read in, such as Europe/Berlin
    #[arg(long = "tz", visible_alias = "timezone", value_name = "ZONE")]
    pub(crate) time_zone: Option<String>,
    /// A variable for its environment (may be repeated)
    #[arg(long, value_name = "NAME=VALUE", value_parser = values::pair)]
    pub(crate) env: Vec<Pair>,
    /// Where it runs
    #[arg(long, value_name = "DIR")]
    pub(crate) workdir: Option<PathBuf>,
    /// How long a run may take, such as 1h; 0 is for ever
    #[arg(long, value_name = "DURATION", value_parser = values::duration_text)]
    pub(crate) timeout: Option<String>,
    /// What happens when it is due while a run of it is open [default: forbid]
    #[arg(long)]
    pub(crate) overlap: Option<OverlapArg>,
    /// What happens to instants that were missed [default: latest]
    #[arg(long)]
    pub(crate) misfire: Option<MisfireArg>,
    /// How late an instant may be and still run as itself
    #[arg(long, value_name = "DURATION", value_parser = values::duration_text)]
    pub(crate) grace: Option<String>,
    /// How often to try again what failed or took too long [default: 0]
    #[arg(long, value_name = "N")]
    pub(crate) retries: Option<u32>,
    /// How long to wait before the second attempt, such as 30s; each time twice as long [default: 1m]
    #[arg(long, value_name = "DURATION", value_parser = values::duration_text)]
    pub(crate) backoff: Option<String>,
    /// The longest to wait before another attempt [default: 1h]
    #[arg(long, value_name = "DURATION", value_parser = values::duration_text)]
    pub(crate) max_backoff: Option<String>,
    /// Whether a run whose end nobody saw is made again [default: at-most-once]
    #[arg(long)]
    pub(crate) delivery: Option<DeliveryArg>,
    /// How many of its occurrences may start, retries not counted; then it is over
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_runs: Option<u32>,
    /// It owes nothing before this, such as "2026-12-01 00:00" in its time zone
    #[arg(long, value_name = "TIME")]
    pub(crate) start_at: Option<String>,
    /// It owes nothing after this
    #[arg(long, value_name = "TIME")]
    pub(crate) end_at: Option<String>,
    /// Start it later than its instants, by a part of this, such as 5m, that is the job's own; 0 is not at all
    #[arg(long, value_name = "DURATION", value_parser = values::duration_text)]
    pub(crate) jitter: Option<String>,
    /// How many runs of it may be open at once
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_parallel: Option<u32>,
    /// Share the places of this one of the groups in config.yaml
    #[arg(long, value_name = "NAME")]
    pub(crate) group: Option<String>,
    /// A label (may be repeated)
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<String>,
    /// The most output kept of a run, such as 1MiB
    #[arg(long, value_name = "SIZE", value_parser = values::size_text)]
    pub(crate) output_limit: Option<String>,
    /// The push monitor that hears of its starts and ends, such as https://hc-ping.com/your-uuid
    #[arg(long, value_name = "URL")]
    pub(crate) ping_url: Option<String>,
    /// Write it down, but let it owe nothing
    #[arg(long)]
    pub(crate) disabled: bool,
    /// A line for the shell, instead of a program and its arguments
    #[arg(long, value_name = "LINE", conflicts_with = "command")]
    pub(crate) shell: Option<String>,
    /// The program and its arguments, after `--`
    #[arg(last = true)]
    pub(crate) command: Vec<String>,
}

impl Settings {
    /// Whether nothing is said.
    pub(crate) fn is_empty(&self) -> bool {
        let Self { name, description, time_zone, env, workdir, timeout, overlap, misfire, grace, .. } = self;
        let Self { max_parallel, tags, output_limit, disabled, shell, command, .. } = self;
        let Self {
            retries, backoff, max_backoff, delivery, max_runs, start_at, end_at, jitter, group, ping_url, ..
        } = self;
        let texts = [name, description, time_zone, timeout, grace, output_limit, shell, backoff, max_backoff];
        let more = [start_at, end_at, jitter, group, ping_url];
        let lists = env.is_empty() && tags.is_empty() && command.is_empty();
        let words = overlap.is_none() && misfire.is_none() && max_parallel.is_none() && workdir.is_none();
        let numbers = retries.is_none() && delivery.is_none() && max_runs.is_none();
        texts.iter().chain(&more).all(|text| text.is_none()) && lists && words && numbers && !disabled
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OverlapArg {
    /// The new one is skipped, and recorded as such
    Forbid,
    /// They run side by side
    Allow,
    /// The new one waits for the end of the open one
    Queue,
    /// The open one is cancelled for the new one
    Replace,
}

impl OverlapArg {
    /// The word in `jobs.json`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Forbid => "forbid",
            Self::Allow => "allow",
            Self::Queue => "queue",
            Self::Replace => "replace",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DeliveryArg {
    /// No: it may have done its work
    AtMostOnce,
    /// Yes, when nothing of it is left: its work may be done twice
    AtLeastOnce,
}

impl DeliveryArg {
    /// The word in `jobs.json`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::AtMostOnce => "at_most_once",
            Self::AtLeastOnce => "at_least_once",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MisfireArg {
    /// One run for the newest
    Latest,
    /// All of them, up to ten
    All,
    /// None
    Skip,
}

impl MisfireArg {
    /// The word in `jobs.json`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Latest => "latest",
            Self::All => "all",
            Self::Skip => "skip",
        }
    }
}
