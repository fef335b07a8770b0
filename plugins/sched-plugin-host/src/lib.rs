//! Trigger providers that don't come with sched: programs and libraries that somebody puts into a home's `plugins` folder.
//!
//! Every plugin runs in a process of its own. Foreign code in the daemon could kill it, hang it, or end it with success; in
//! a child it can do none of that, and whatever it does instead, cron keeps a trigger.
//!
//! # Map
//! - [`library`] is the child of a plugin that is a library.
//! - [`manifest`] reads plugin.yaml.
//! - [`preflight`](preflight()): gate 1, before anything of a plugin runs.
//! - [`protocol`]: what host and plugin say to each other, line by line. It is the same for programs and libraries.
//!
//! **Invariant:** no line of a plugin's code runs in the daemon's process.
#![cfg(target_os = "linux")]

pub mod library;
pub mod manifest;
mod preflight;
pub mod protocol;

pub use preflight::{Cleared, Grounds, preflight};
