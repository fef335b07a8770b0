//! Who is told: alerts with one lifecycle, and the sinks they go to.
//!
//! - [`Desk`] is where every problem is reported to: by the engine (it is a `Notifier`), by a watchdog
//!   ([`Desk::reconcile`]), by commands. It opens an alert once, updates it, closes it, and tells the sinks.
//! - [`Shelf`] is the folder `alerts/`, the one durable truth of what is open and of what each sink was told ([`OpenAlert`],
//!   [`Told`]). It works without a runtime, for those who only look or close.
//! - [`checks`] is what a watchdog looks at beside its scheduler.
//! - `spare` is where alerts are kept while that folder takes none.
//! - `rules` says what a sink is owed: a pure function of an alert, a sink and the time.
//! - [`Report`] is the morning report: how a home is doing on one page, as text, Markdown, HTML and JSON. Made of
//!   [`Material`] by a pure function, delivered by [`Desk::deliver`].
//! - `program` runs one with a bound, for sinks, checks and probes.
//! - `notice` is what a sink gets to deliver; `sinks` has a file for each kind of sink, `http` the client they share.
//! - [`Pings`] tells push monitors that the daemon fires and how runs go; [`Pinging`] is the runner that has it told.
//! - [`probes`] are commands that the daemon runs to see whether something is well.
//!
//! **Invariant:** the files are the queue. What a sink has not been told is in the file of the alert, so any process that has
//! sinks delivers it, and nothing is lost with the process that noticed.
//!
//! **Invariant:** nobody waits for a sink. [`Desk`] takes an alert into a bounded queue and answers; files and sinks have tasks
//! of their own.
#![forbid(unsafe_code)]

mod alert;
pub mod checks;
mod desk;
#[cfg(test)]
mod ended;
mod http;
mod notice;
mod pings;
pub mod probes;
mod program;
pub mod report;
mod rules;
mod scrub;
mod shelf;
mod sinks;
mod spare;
mod trouble;

pub use alert::{Acknowledged, Closed, OpenAlert, State, Told};
pub use desk::{Changes, Desk, Settings};
pub use pings::{PingSettings, Pinging, Pings};
pub use report::{Material, Report};
pub use shelf::{Shelf, Shelved};
