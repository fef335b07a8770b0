//! Desks and sinks against servers that answer and programs that run.

mod bench;
mod command;
mod issues;
mod lifecycle;
mod post;
mod tracker;
mod webhooks;
