//! For tests of this crate, of stores, runners and providers: a clock that is set by hand, a runner that only takes notes,
//! disks that fail and disks that lose power, and the suites that every implementation of a trait must pass. Behind the
//! feature `testing`.

mod clock;
mod crash;
mod faults;
mod past;
mod policies;
mod runner;
mod stores;

pub use clock::ManualClock;
pub use crash::{CrashFs, Loss, Moment};
pub use faults::FaultyFs;
pub use runner::{Ran, RecordingRunner};
pub use stores::store_conformance;
