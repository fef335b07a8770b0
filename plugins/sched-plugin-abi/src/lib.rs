//! The C ABI between sched and the libraries that are its plugins: layouts and constants, and no code. Both sides depend on
//! it: the host that loads a library, and the SDK (`sched-plugin`) that most libraries in Rust are written with.
//!
//! # Map
//! - [`SchedPlugin`] (`plugin.rs`): what a library exports, as the data symbol [`SYMBOL`].
//! - [`SchedHost`] (`host.rs`): what it may ask of the host.
//! - `values.rs`: what both pass to each other. [`status`], [`flags`], [`level`], [`wake`]: the numbers.
//!
//! The same for C and C++ is in `include/sched_plugin.h`. Sizes and offsets are asserted on both sides, and a test has the
//! header compiled and compares every one of them.
//!
//! **Growth**: the structs grow at their end, with a new minor version; a field that a shorter struct doesn't have is NULL,
//! which means the default. What can't be done in that way is a new symbol beside this one.
//!
//! **Invariants**: no dependency at all, and nothing but what `core` has. Nothing that is allocated on one side is freed on
//! the other. No panic and no exception crosses a function of these tables.
//!
//! ```
//! use sched_plugin_abi::{MAGIC, SYMBOL, SchedPlugin};
//!
//! assert_eq!(&MAGIC.to_le_bytes(), b"SCHDPLG\0");
//! assert_eq!(SYMBOL, c"sched_plugin_v1");
//! assert_eq!(size_of::<SchedPlugin>(), 120);
//! ```
#![no_std]

mod host;
mod numbers;
mod plugin;
mod values;

pub use host::SchedHost;
pub use numbers::{ABI_MAJOR, ABI_MINOR, MAGIC, SYMBOL, Status, flags, level, status, wake};
pub use plugin::SchedPlugin;
pub use values::{SchedError, SchedSink, SchedStr};

const _: () = assert!(size_of::<usize>() == 8, "the plugin ABI is one of 64-bit platforms");
