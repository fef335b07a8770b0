//! The command runner against real processes: one binary, a file for each promise.
#![cfg(target_os = "linux")]

mod environment;
mod orphan;
mod output;
mod prune;
mod run;
mod stop;
mod support;
