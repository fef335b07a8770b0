//! What trigger providers for sched are written with, in Rust.
//!
//! A plugin decides *when* a job fires, and nothing else: it asks the [`Host`] to fire, and the daemon's store sees to it that
//! every occurrence fires at most once, whatever the plugin does. It is a library that sched loads into a process of its own.
//!
//! ```
//! #![forbid(unsafe_code)]
//! use std::time::Duration;
//!
//! use sched_plugin::{BoxError, Config, Host, SchedulerPlugin, export_scheduler, log};
//!
//! /// Looks for due jobs at a fixed interval.
//! struct Metronome {
//!     every: Duration,
//! }
//!
//! impl SchedulerPlugin for Metronome {
//!     fn from_config(config: Config) -> Result<Self, BoxError> {
//!         let seconds = config.get("every_seconds").and_then(|value| value.as_u64()).unwrap_or(30);
//!         Ok(Self { every: Duration::from_secs(seconds) })
//!     }
//!
//!     fn start(&self, host: &Host) -> Result<(), BoxError> {
//!         while !host.is_stopping() {
//!             // What the store can't take now stays due.
//!             if let Err(error) = host.tick() {
//!                 log::warn!("{error}");
//!             }
//!             host.wait_for(self.every);
//!         }
//!         Ok(())
//!     }
//! }
//!
//! export_scheduler!("metronome", Metronome);
//! # fn main() {}
//! ```
//!
//! Its crate is of type `cdylib`, and beside the library lies a `plugin.yaml` that names it. Nothing here is async, and nothing
//! needs a runtime; a plugin may start threads of its own, and call the host from all of them.
//!
//! # Map
//! - [`SchedulerPlugin`] (`plugin.rs`): what there is to write. Start reading here.
//! - [`Host`] (`host.rs`): what a plugin may ask. [`Job`] (`job.rs`), [`FireOutcome`], [`HostError`] (`outcome.rs`): the answers.
//! - [`Config`] (`config.rs`): what the operator has set.
//! - [`export_scheduler!`] (`export.rs`): the symbol that sched looks for. `trampolines.rs`: from C to the trait.
//!   `caught.rs`: panics end here. `logging.rs`: the `log` crate's records and panics go to the daemon's log.
//! - [`testing`]: a host that takes notes, for tests without sched.
//!
//! **Invariant:** no panic leaves a trampoline, not even one in the drop of another panic's payload.

mod caught;
mod config;
mod export;
mod host;
mod job;
mod logging;
mod outcome;
mod plugin;
pub mod testing;
mod trampolines;

pub use config::Config;
pub use host::{Host, Wake};
pub use job::Job;
pub use log::{self, Level};
pub use outcome::{ErrorKind, FireOutcome, HostError, Unavailable};
pub use plugin::{BoxError, Hooks, Liveness, SchedulerPlugin};
pub use serde_json;

/// What [`export_scheduler!`] needs and nobody else.
#[doc(hidden)]
pub mod private {
    pub use sched_plugin_abi::SchedPlugin;

    pub use crate::export::table;
}
