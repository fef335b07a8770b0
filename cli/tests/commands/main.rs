//! The program as people use it: the built binary, in homes of its own, judged by its exit code and by what it prints.
//!
//! `support` has the home and the checks; every other file is about a command or two. Nothing here sleeps: what must have
//! happened in the past is written by a store whose clock stands there.
#![expect(clippy::disallowed_methods, reason = "tests make the files that the program finds, and have no other clock")]
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod add;
mod apply;
mod backup;
mod doctor;
mod edit;
mod history;
mod init;
mod list;
mod mishaps;
mod next;
mod pause;
mod plugin;
mod remove;
mod service;
mod shell;
mod show;
mod simulate;
mod snapshots;
mod status;
mod support;
mod validate;
