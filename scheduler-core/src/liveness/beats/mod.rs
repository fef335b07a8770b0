//! Heartbeats of any job, also of those that sched doesn't run: what they are, where they lie, and what is made of them.
//!
//! - [`BeatName`] turns any name into that of a file, so that no heartbeat is lost because of its name.
//! - [`Beat`] is what one says, and the format of its file; [`write()`] and [`read()`] bring it to the disk and back.
//! - [`Expected`] is one that must come; [`Expectations`] has all of them, from config.yaml and from `heartbeat expect`.
//! - [`judge()`] is the one pure function that says how one is doing; [`survey()`] puts all that there are before it.
//!
//! The daemon's own beat is another thing, with evidence of its process: [`heartbeat`](super::heartbeat).
//!
//! **Invariant:** a file that can't be read is a verdict of its own and never hides another. Age is judged by wall time,
//! since a job's beat may come from any machine, and a date that no clock can have shown is a problem, not freshness.

mod beat;
mod expected;
mod files;
mod judge;
mod name;
mod survey;

pub use beat::{Beat, FORMAT, MAX_LEN};
pub use expected::{Expectation, Expectations, Expected, ExpectedBy};
pub use files::{forget, read, tidy, write};
pub use judge::{BeatVerdict, Judged, judge};
pub use name::BeatName;
pub use survey::{Survey, survey};

#[cfg(test)]
mod tests;
