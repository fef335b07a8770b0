//! The command runner against real processes: one binary, a file for each promise.
#![cfg(target_os = "linux")]
#![expect(clippy::disallowed_methods, reason = "tests make the files that the program finds, and have no other clock")]
#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests are tests too; clippy.toml knows only the functions marked so"
)]

mod environment;
mod orphan;
mod output;
mod prune;
mod run;
mod stop;
mod support;
