//! Desks and sinks against servers that answer and programs that run.
#![expect(clippy::disallowed_methods, reason = "tests make the files that the code under test finds")]

mod bench;
mod command;
mod engine;
mod issues;
mod lifecycle;
mod post;
mod tracker;
mod webhooks;
