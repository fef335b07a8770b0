//! Plugins as real processes: what works, and a zoo of what doesn't.
#![expect(clippy::disallowed_methods, reason = "tests make the plugins that are found")]
#![cfg(target_os = "linux")]

mod introduction;
mod strikes;
mod support;
mod work;
mod zoo;
