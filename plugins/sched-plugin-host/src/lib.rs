//! Trigger providers that don't come with sched: programs and libraries that somebody puts into a home's `plugins` folder.
//!
//! Every plugin runs in a process of its own. Foreign code in the daemon could kill it, hang it, or end it with success; in
//! a child it can do none of that, and whatever it does instead, cron keeps a trigger.
//!
//! # Map
//! - [`Plugins`] (`source.rs`): what is in the folder, and how the resolver of providers comes to it. Start reading here.
//! - [`library`] is the child of a plugin that is a library.
//! - [`manifest`] reads plugin.yaml.
//! - [`preflight`](preflight()): gate 1, before anything of a plugin runs.
//! - `child/`: gate 2, the process that introduces itself.
//! - [`PluginProvider`] (`provider/`): gate 3, a plugin at work, as the engine sees it.
//! - `conformance.rs`: the suite for providers, held against a plugin before anybody uses it.
//! - [`Strikes`]: which plugins crashed, and are not started again.
//! - [`protocol`]: what host and plugin say to each other, line by line. It is the same for programs and libraries.
//!
//! **Invariants**: no line of a plugin's code runs in the daemon's process. Nothing waits for a plugin without a bound. Every
//! refusal and every failure is one sentence, which `sched status` shows.
#![cfg(target_os = "linux")]

mod child;
mod conformance;
pub mod library;
pub mod manifest;
mod preflight;
pub mod protocol;
mod provider;
mod source;
mod strikes;

pub use preflight::{Cleared, Grounds, preflight};
pub use provider::PluginProvider;
/// What [`Plugins::conformance`] finds out.
pub use scheduler_core::testing::{Mark, Report, Row};
pub use source::{Found, Plugins, Standing, with_bundled};
pub use strikes::{Crash, LIMIT, Record, Strikes};
