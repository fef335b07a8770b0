//! The morning report: how a home is doing, and what happened in it, on one page.
//!
//! | file | holds |
//! |---|---|
//! | `model` | [`Report`]: what is told, as plain values; its JSON is what programs get |
//! | `make` | from [`Material`] to a report. Pure |
//! | `tally` | runs and what didn't run, counted |
//! | `words` | what the forms for people share: spans, counts, lines without what a terminal would obey |
//! | `text`, `markdown`, `html` | a form each |
//! | `letter` | a report as sinks deliver it |
//!
//! Nothing here asks for the time or touches a file: whoever collects the material does.

mod html;
mod letter;
mod make;
mod markdown;
mod model;
mod tally;
mod text;
mod words;

#[cfg(test)]
mod tests;

pub(crate) use letter::Letter;
pub use make::Material;
pub use model::{
    AlertLine, BeatLine, Blocker, Counts, JobLine, LastRun, Longest, Next, OutageLine, PausedLine, Report, Totals,
};
