//! The child of a plugin that is a library, as a process, with a test that plays the daemon on its pipes.
//!
//! - `parent.rs`: the daemon's part. `probe.c`: a library that does what its configuration says.
//! - `course.rs`: from hello to the end. `calls.rs`: what a library may ask. `refused.rs`: libraries that can't be used.
//! - `examples.rs`: the example plugins, as they are. `engine.rs`: two of them at work for an engine.
#![cfg(target_os = "linux")]

mod calls;
mod course;
mod engine;
mod examples;
mod parent;
mod refused;
