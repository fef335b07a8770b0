//! Liveness: proof that the loops turn, and what `status` concludes from it.
//!
//! - [`heartbeat`] is the proof: what a beat says, how it lies in its file, and how it is read without being fooled.
//! - [`Pulse`] is the beat in memory, which the engine changes and never waits for; [`PulseWriter`] brings it to the
//!   disk.
//! - [`WatchdogBeat`] is that of whoever watches from outside.
//! - [`Account`] is what the last look at the history found: whether anything that was owed is on no record.
//! - [`beats`] are the heartbeats of any other job: their files, which of them must come, and what is made of them.
//! - [`Facts`] is everything a verdict may rest on; [`verdict()`] is the one pure function that concludes.
//!
//! **Invariant:** nothing is healthy for want of evidence. A beat that is missing, unreadable, of another boot or
//! machine, or dated where no clock can have been, ends in a verdict that isn't.

mod account;
pub mod beats;
mod facts;
pub mod heartbeat;
mod presence;
mod pulse;
mod record;
mod verdict;
mod watchdog;
mod words;
mod writer;

pub use account::{Account, AccountFacts, Unrecorded};
pub use facts::{Facts, JobFacts, LockFacts, OpenRun, Troubled};
pub use heartbeat::{Failure, Heartbeat, Phase, Status, Unreadable};
pub use presence::tick_period;
pub use pulse::Pulse;
pub use verdict::{Verdict, VerdictKind, stale_after, verdict};
pub use watchdog::{WatchdogBeat, WatchdogFacts};
pub use writer::PulseWriter;

#[cfg(test)]
mod tests;
