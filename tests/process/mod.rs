//! The promises that are about processes, kept by the built `sched` with real jobs in homes of their own.
//!
//! `bench` has the home, the daemon and the waiting; every other file is a group of promises, a test each. Jobs leave their
//! instants in an append log, which is what counts: a record in the store could repeat the store's own mistake.

mod account;
mod alerts;
mod audit;
mod beats;
mod bench;
mod compaction;
mod conformance;
mod container;
mod contention;
mod crash;
mod disk;
mod doctor;
mod editors;
mod failing;
mod fire;
mod heartbeats;
mod jobs_file;
mod journal;
mod limits;
mod log_format;
mod logs;
pub(crate) mod matrix;
mod owners;
mod pings;
mod plugin_fires;
mod plugin_names;
mod plugin_new;
mod plugins;
mod policies;
mod probes;
mod provider;
mod push_monitor;
mod reload;
mod repair;
mod report;
mod soak;
mod stopping;
mod supervisor;
mod watchdog;
mod wedge;
mod zoo;
