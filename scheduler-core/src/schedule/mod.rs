//! When a job fires: text in, instants out.
//!
//! Everything here is pure. Parsing never reads the clock, [`Schedule::next_after`] depends on its arguments alone, and
//! nothing but [`zone`] ever looks at the machine (for its time zone data).
//!
//! | file | job |
//! |---|---|
//! | `schedule` | [`Schedule`]: which form a text has, and the questions every form answers |
//! | `crontab`, `field`, `item`, `foreign`, `years` | crontab text to bitsets, cronie to the letter |
//! | `spread` | `H`, `~` and jitter: a slot of the job's own |
//! | `never` | proof that an expression can never fire |
//! | `calendar` | the bitsets and their day rule |
//! | `matching` | the next match in naive local time, read off the bitsets; knows no zone |
//! | `engine` | the same by the `cron` crate, for schedules with a list of years |
//! | `dst`, `stretch` | naive local matches to real instants, through gaps and overlaps |
//! | `newest` | the newest match of a span, by galloping |
//! | `phrase`, `interval`, `once` | the other written forms |
//! | `relative` | what a command stores for `in 30m`, and the one-shots it refuses |
//! | `describe` | a calendar in plain English |
//! | [`zone`] | time zone names |
//! | `text`, `bits`, `error` | a text that knows its place, small sets, the one error |
//!
//! **Invariant:** the `cron` crate never sees the user's text, a time zone, or a weekday number of the user's.

mod bits;
mod calendar;
mod crontab;
mod describe;
mod dst;
mod engine;
mod error;
mod field;
mod foreign;
mod interval;
mod item;
mod matching;
mod never;
mod newest;
mod once;
mod phrase;
mod relative;
#[expect(clippy::module_inception, reason = "the file is about the type `Schedule`, the folder about schedules")]
mod schedule;
mod spread;
mod stretch;
mod text;
mod years;
pub mod zone;

#[cfg(test)]
mod tests;

pub use error::ScheduleError;
pub use field::Field;
pub use schedule::{Kind, ParseOptions, Schedule};
pub(crate) use spread::share;
