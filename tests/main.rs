//! One binary over all crates: every line of "must show" has a test here that carries its name.
#![expect(clippy::disallowed_methods, reason = "tests make the files that the program finds")]

mod ahead;
mod clock;
mod conformance;
mod crash;
mod documented;
mod examples;
mod harness;
mod layering;
mod limits;
mod locks;
mod model;
mod policies;
mod process;
mod providers;
mod readme;
mod sequences;
mod simulation;
mod states;
