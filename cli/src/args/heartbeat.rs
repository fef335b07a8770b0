//! Arguments of `heartbeat`.

use std::{
    ffi::{OsStr, OsString},
    time::Duration,
};

use clap::{Args, Subcommand, ValueEnum};

use super::values::{self, Pair};

/// What can be done about heartbeats.
#[derive(Debug, Subcommand)]
pub(crate) enum HeartbeatCommand {
    /// Say that a job is alive; always exits 0
    Write(HeartbeatWriteArgs),
    /// How the heartbeats are doing, each by itself
    Check(HeartbeatCheckArgs),
    /// Miss a heartbeat that doesn't come
    Expect(HeartbeatExpectArgs),
    /// Miss a heartbeat no more, and take it away
    Forget(HeartbeatForgetArgs),
    /// Print a shell function that beats on hosts without sched
    Snippet(HeartbeatSnippetArgs),
}

#[derive(Debug, Args)]
#[command(
    after_help = "For the end of a script that sched doesn't run, or a loop of your own. Any name will do. The file is
replaced as a whole in $SCHED_HEARTBEAT_DIR, else `heartbeats_dir` of config.yaml, else
heartbeats/jobs in the home, which needn't have been made.

Exits 0 whatever happens, also if it makes no sense: a heartbeat must not break its job. What
went wrong is said on stderr and in the system's log, and the heartbeat gets stale.

Examples:
  sched heartbeat write agent --interval 15m
  sched heartbeat write agent --interval 15m --status error --action 'no route'
  sched heartbeat write agent --interval 1h --cycle 7 --set host=db-1"
)]
pub(crate) struct HeartbeatWriteArgs {
    /// What the heartbeat is called (one that begins with a dash: after `--`)
    pub(crate) name: OsString,
    /// How often it comes
    #[arg(long, value_name = "DURATION", value_parser = values::span)]
    pub(crate) interval: Duration,
    /// The oldest it may get [default: twice the interval]
    #[arg(long, value_name = "DURATION", value_parser = values::span)]
    pub(crate) max_age: Option<Duration>,
    /// How the job is doing
    #[arg(long, value_name = "WORD", default_value = "ok")]
    pub(crate) status: BeatStatus,
    /// What it did last, in words
    #[arg(long, value_name = "TEXT")]
    pub(crate) action: Option<OsString>,
    /// How often it has done so
    #[arg(long, value_name = "N")]
    pub(crate) cycle: Option<u64>,
    /// Anything else that it has to say; can be given more than once
    #[arg(long, value_name = "NAME=VALUE", value_parser = values::pair)]
    pub(crate) set: Vec<Pair>,
}

/// How a job says that it is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum BeatStatus {
    Ok,
    Error,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Those that jobs write, those that are expected, and jobs that sched runs, which need no file: their
last success is on record, and whether they are overdue, their schedule says.

A heartbeat that is stale, missing, corrupt, unreadable, from the future, or says that its job is
not well, is a line with `P1` on stderr and in the system's log, and a file in `alerts`, which
goes when it is well again. `sched status` tells of it too.

Exits 0 if all is well, 3 if not.

Examples:
  sched heartbeat check
  sched heartbeat check agent && echo it lives
  sched heartbeat check --json | jq -r '.heartbeats[] | select(.problem) | .name'"
)]
pub(crate) struct HeartbeatCheckArgs {
    /// Only these
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// How many intervals old one may get that names no age
    #[arg(long, value_name = "NUMBER", default_value = "2", value_parser = values::factor)]
    pub(crate) factor: f64,
}

#[derive(Debug, Args)]
#[command(after_help = "One that never comes is a problem as soon as its limit has passed from now. `heartbeats` in
config.yaml says the same for good, for machines that are set up from files.

Examples:
  sched heartbeat expect agent --every 15m
  sched heartbeat expect agent --every 15m --max-age 20m")]
pub(crate) struct HeartbeatExpectArgs {
    /// What the heartbeat is called
    pub(crate) name: String,
    /// How often it comes
    #[arg(long, value_name = "DURATION", value_parser = values::span)]
    pub(crate) every: Duration,
    /// The oldest it may get [default: twice that]
    #[arg(long, value_name = "DURATION", value_parser = values::span)]
    pub(crate) max_age: Option<Duration>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "For a job that is retired: its heartbeat, what was expected of it, and its alert go. It is back
as soon as somebody writes it again.

Examples:
  sched heartbeat forget agent"
)]
pub(crate) struct HeartbeatForgetArgs {
    /// What the heartbeat is called
    pub(crate) name: String,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Plain POSIX shell, to be put into a script or sourced. It writes the same file in the same place.

Examples:
  sched heartbeat snippet >>backup.sh
  . ./heartbeat.sh; sched_heartbeat backup 86400"
)]
pub(crate) struct HeartbeatSnippetArgs {}

/// Whether a command line, the program's name first, is one of `heartbeat write`, though it may be a wrong one.
pub(crate) fn is_heartbeat_write(words: impl IntoIterator<Item = OsString>) -> bool {
    let mut words = words.into_iter().skip(1);
    let mut next = || {
        loop {
            let word = words.next()?;
            if word == "--home" || word == "--color" {
                words.next()?;
            } else if !word.as_encoded_bytes().starts_with(b"-") {
                return Some(word);
            }
        }
    };
    next().as_deref() == Some(OsStr::new("heartbeat")) && next().as_deref() == Some(OsStr::new("write"))
}
