//! The heart of `sched`: when a job fires, who may fire it, what firing means and who is told.
#![forbid(unsafe_code)]

pub mod audit;
pub mod blocking;
mod clock;
pub mod config;
pub mod duration;
pub mod engine;
mod error;
mod home;
mod ids;
pub mod job;
pub mod liveness;
mod nearest;
pub mod notify;
pub mod occurrence;
mod panics;
mod ping_url;
pub mod plan;
pub mod provider;
pub mod reference;
pub mod runner;
pub mod schedule;
pub mod simulation;
pub mod size;
pub mod store;
#[cfg(any(test, feature = "conformance"))]
pub mod testing;
pub mod vfs;

pub use clock::{Clock, SystemClock};
pub use engine::{Engine, EngineBuilder};
pub use error::{Error, ErrorKind, Result};
pub use home::Home;
pub use ids::{JobId, OccurrenceId, OccurrenceKind, OwnerId, RunId, Token};
pub use job::Job;
pub use nearest::nearest;
pub use notify::{Alert, AlertFiles, AlertState, Notifier};
pub use ping_url::PingUrl;
pub use runner::{JobRunner, Orphan, Outcome, Output, ProcessRef, RunContext, RunResult, Usage};
pub use store::JobStore;
