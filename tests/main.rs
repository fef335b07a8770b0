//! One binary over all crates: every line of "must show" has a test here that carries its name.

mod clock;
mod harness;
mod layering;
mod providers;
