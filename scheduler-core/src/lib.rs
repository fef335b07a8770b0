//! The heart of `sched`: when a job fires, who may fire it, what firing means and who is told.
#![forbid(unsafe_code)]

pub mod duration;
mod nearest;
pub mod schedule;

pub use nearest::nearest;
