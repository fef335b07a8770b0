//! For tests of this crate, of stores, runners and providers: a clock that is set by hand, a runner that only takes notes,
//! disks that fail and disks that lose power, and the suites that every implementation of a trait must pass. Behind the
//! feature `testing`; what the suite for providers needs also behind `conformance`, since a program may hold the plugins of
//! others against it, and needs no failing disks for that.

mod clock;
#[cfg(any(test, feature = "testing"))]
mod crash;
#[cfg(any(test, feature = "testing"))]
mod faults;
#[cfg(any(test, feature = "testing"))]
mod past;
#[cfg(any(test, feature = "testing"))]
mod policies;
mod providers;
mod runner;
#[cfg(any(test, feature = "testing"))]
mod stores;

pub use clock::ManualClock;
#[cfg(any(test, feature = "testing"))]
pub use crash::{CrashFs, Loss, Moment};
#[cfg(any(test, feature = "testing"))]
pub use faults::FaultyFs;
pub use providers::{Mark, ProviderSuite, Report, Row, provider_conformance};
pub use runner::{Ran, RecordingRunner};
#[cfg(any(test, feature = "testing"))]
pub use stores::store_conformance;
