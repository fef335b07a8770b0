//! The command line of `sched`: arguments in, text or JSON out, and an exit code that means the same everywhere.
//!
//! | file | job |
//! |---|---|
//! | `args` | what can be typed, and its help |
//! | [`exit`] | the exit codes |
//! | `env` | the environment variables |
//! | `context` | which home, which clock, and the store in it |
//! | `entries` | the entries of jobs.json as people have them |
//! | `settings` | from options to members of an entry |
//! | `difference` | what differs between two entries |
//! | `pings`, `probes` | push monitors that hear of a home, and what its daemon looks at |
//! | `alerts` | the desk of a home, and the sinks that are named |
//! | `beats` | the heartbeats of jobs: where they are, and how they are doing |
//! | `reporting` | everything that the morning report is made of |
//! | `syslog` | the system's log, for what must not only be on stderr |
//! | `selection` | "id or unique name" to a job |
//! | `output` | the one place that writes to stdout and stderr |
//! | `progress` | how far a long command is, on stderr |
//! | `facts` | what a verdict rests on, collected |
//! | `table` | tables, as wide as the terminal |
//! | `failure` | why a command failed, with the fix |
//! | `when` | instants and spans as people read them |
//! | `words` | command lines as they would be typed |
//! | `upcoming` | the next instants of a schedule |
//! | `next_fires` | the next fires of a job, and what keeps it from firing |
//! | `standing`, `past` | a job now, and what became of its occurrences: for the table and for JSON |
//! | `because` | an explanation of the past in words |
//! | `outages` | since when nobody has fired, by the last beats |
//! | `programs` | is there such a program |
//! | `unknown` | names that nothing has: the nearest, and whom it concerns |
//! | `deliveries` | what became of messages sent through sinks by hand |
//! | `foreign` | jobs that are an embedding program's to run |
//! | `daemon` | the engine of a home, for `run`, `tick` and `fire` |
//! | `home_setup`, `example` | what `init` puts into a home |
//! | `log` | diagnostics on stderr |
//! | `runtime` | the async runtime, a small one or a big one |
//! | `commands` | one file for each command |
//!
//! **Invariant:** this crate computes no instants and decides nothing about runs; it asks `scheduler-core` and prints.
#![forbid(unsafe_code)]

mod alerts;
mod args;
mod beats;
mod because;
mod commands;
mod context;
mod daemon;
mod deliveries;
mod difference;
mod entries;
mod env;
mod example;
pub mod exit;
mod facts;
mod failure;
mod foreign;
mod groups;
mod home_setup;
mod log;
mod next_fires;
mod outages;
mod output;
mod past;
mod pings;
mod probes;
mod programs;
mod progress;
mod reporting;
mod runtime;
mod selection;
mod settings;
mod standing;
mod syslog;
mod table;
mod unknown;
mod upcoming;
mod when;
mod words;

use std::{panic, process::ExitCode};

use self::{
    args::{Cli, Global},
    context::Context,
    failure::Failure,
    output::Output,
};

/// Runs the program with the arguments it was given.
pub fn main() -> ExitCode {
    // A plugin that is a library lives in this program too, as another process of it: before anything else, while there is
    // one thread.
    sched_plugin_host::library::serve_if_asked();
    if !args::is_heartbeat_write(std::env::args_os()) {
        return typed().into();
    }
    // A heartbeat must not break its job: neither by a limit on the sizes of files, whose signal would end it, nor by a
    // mistake of ours. What goes wrong has been said.
    commands::outlive_limits();
    let _ = panic::catch_unwind(typed);
    exit::OK.into()
}

/// Does what was typed, and answers the exit code.
fn typed() -> u8 {
    let cli = match args::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(refusal) => {
            let code = output::print_refusal(&refusal);
            if code != exit::OK && args::is_heartbeat_write(std::env::args_os()) {
                commands::tell_refused(&refusal);
            }
            return code;
        }
    };
    let _log = log::install(&cli);
    // Whoever reads a log as JSON reads the reason for its end as JSON too.
    let mut out = Output::new(&Global { json: cli.global.json || cli.command.logs_json(), ..cli.global.clone() });
    let done = run(&cli, &mut out);
    let done = done.and_then(|code| out.flush().map(|()| code));
    done.unwrap_or_else(|failure| out.fail(&failure))
}

/// All that can be typed, with its help: for what documents or tests it.
///
/// ```
/// assert!(sched_cli::grammar().find_subcommand("status").is_some());
/// ```
pub fn grammar() -> clap::Command {
    args::grammar()
}

fn run(cli: &Cli, out: &mut Output) -> Result<u8, Failure> {
    cli.command.check()?;
    let context = Context::new(cli.global.home.clone());
    commands::dispatch(&cli.command, &context, out)
}
