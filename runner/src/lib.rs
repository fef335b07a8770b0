//! What firing means for a command: spawn its process, keep its output within bounds, wait for its end, stop all of it
//! when its time is up, and find it again after the daemon that started it has died.
//!
//! # Map
//! - [`CommandRunner`] (`runner.rs`): the course of a run, from the engine's call to the outcome. Start reading here.
//! - `config.rs`: what the operator can set. `environment.rs`: what the child finds in its environment, and where it runs.
//! - `prepare.rs`: a command made ready to be started. `program.rs`: which file a program's name means. `spawn.rs`: the
//!   system call that starts it. `diagnose.rs`: why it could not be started, in words.
//! - `child.rs`: waiting for the end of a process, and its exit status. `outcome.rs`: what that means for the run.
//! - `output.rs`: the file a run writes to. `bound.rs`: keeps it small. `prune.rs`: which of them are kept.
//! - `terminate.rs`: SIGTERM, grace, SIGKILL, until nothing is left. `scan.rs`: who belongs to a run.
//! - `executable.rs`: which file a job would execute, for whoever looks at it before it is due.
//! - [`detached()`]: a child of the host's own that outlives it, with nothing of its caller left open.
//! - `orphan.rs`: runs whose owner died. [`proc`]: facts about one process. [`ntp`]: whether the clock is kept right.
//!
//! **Invariants**, mostly about what is absent: no signal handler, no `waitpid(-1)`, no subreaper, no process-wide
//! setting: this crate is a guest in its host's process. No pipe between a job and the daemon, so a daemon that dies
//! breaks nobody's output. No signal to a process whose start time wasn't checked, but for a group whose leader is our
//! own unreaped child. No values of argv or of the environment in a log line.
#![cfg(target_os = "linux")]

mod bound;
mod child;
mod config;
mod detached;
mod diagnose;
mod environment;
mod executable;
pub mod ntp;
mod orphan;
mod outcome;
mod output;
mod prepare;
pub mod proc;
mod program;
mod prune;
mod runner;
mod scan;
mod spawn;
mod terminate;

pub use config::RunnerConfig;
pub use detached::detached;
pub use executable::Executable;
pub use runner::CommandRunner;
