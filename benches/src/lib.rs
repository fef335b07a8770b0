//! What the benchmarks measure on: stores with many jobs in them, made through the public API of the core.
//!
//! | file | job |
//! |---|---|
//! | `home` | a home folder on a real disk, and a store in it |
//! | `jobs` | entries of jobs.json by the thousand |
//! | `work` | one pass and one fire, as the engine does them, without an engine |
//! | `unsynced` | a file system on which a sync costs nothing |
//!
//! Nothing here is part of the program, and no test runs it: `just bench-micro` does, and `scripts/bench`.
#![forbid(unsafe_code)]

mod home;
mod jobs;
mod unsynced;
mod work;

pub use home::BenchHome;
pub use jobs::{NOON, daily, due_each_minute, manual};
pub use unsynced::Unsynced;
pub use work::{WIDE, carry_out, fire, plans};
