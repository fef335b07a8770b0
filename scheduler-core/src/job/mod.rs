//! What a job is: the checked, ready-to-run form of one entry of `jobs.json`.
//!
//! [`Job`] is a plain value. Reading entries from text, with their errors, is the file `entry`'s; whole files are the
//! JSON store's. `reference` is the table of all fields, of which come [`schema()`] and `docs/configuration.md`.

mod entry;
mod reference;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

pub use entry::{EntryError, FIELDS, JobDefaults, entry_id, parse_definition, schedule_hash, unknown_fields};
pub use reference::{ROWS, schema};

use crate::{JobId, schedule::Schedule};

/// A job: a definition that has been checked and can be planned and run.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Job {
    /// Its id, unique in the store.
    pub id: JobId,
    /// What people call it; the id where no name was given.
    pub name: String,
    /// What it is for, in the operator's words.
    pub description: Option<String>,
    /// The definition's own switch: a disabled job owes nothing.
    pub enabled: bool,
    /// When it is owed.
    pub schedule: Schedule,
    /// The zone its schedule is read in.
    pub time_zone: TimeZone,
    /// What to run.
    pub command: Command,
    /// Added to the child's environment.
    pub env: BTreeMap<String, String>,
    /// Where it runs; the user's home if unset.
    pub workdir: Option<PathBuf>,
    /// How long a run may take; `None` is for ever.
    pub timeout: Option<Duration>,
    /// What happens when it is due while a run of it is open.
    pub overlap: Overlap,
    /// What happens to instants that were missed.
    pub misfire: Misfire,
    /// How many runs of it may be open at once.
    pub max_parallel: Option<u32>,
    /// The most output kept of a run, in bytes; `None` is the configured default.
    pub output_limit: Option<u64>,
    /// Labels, for people and filters.
    pub tags: Vec<String>,
}

impl Job {
    /// A job with everything but these three at its default.
    pub fn new(id: JobId, schedule: Schedule, command: Command) -> Self {
        Self {
            name: id.to_string(),
            id,
            description: None,
            enabled: true,
            schedule,
            time_zone: TimeZone::UTC,
            command,
            env: BTreeMap::new(),
            workdir: None,
            timeout: None,
            overlap: Overlap::default(),
            misfire: Misfire::default(),
            max_parallel: None,
            output_limit: None,
            tags: Vec::new(),
        }
    }
}

/// What a job runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A program and its arguments, as they are; never empty.
    Argv(Arc<[String]>),
    /// A line for the configured shell.
    Shell(Arc<str>),
}

/// What happens when a job is due while a run of it is open (orphans included).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Overlap {
    /// The new occurrence is skipped, and recorded as such.
    #[default]
    Forbid,
    /// They run side by side.
    Allow,
}

/// What happens to instants that were missed: the daemon was down, or the clock jumped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Misfire {
    /// How late an instant may be and still run as itself; `None` is half the period, between 120 s and 2 h.
    pub grace: Option<Duration>,
    /// What is done with those beyond the grace, or with more than two.
    pub policy: MisfirePolicy,
    /// The most runs that `all` catches up on.
    pub max: u32,
}

/// What is done with missed instants beyond the grace, or with more than two of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MisfirePolicy {
    /// One catch-up run for the newest; the rest is one gap record.
    #[default]
    Latest,
    /// All of them run, at most `max`, newest kept.
    All,
    /// None of them runs.
    Skip,
}

impl Default for Misfire {
    fn default() -> Self {
        Self { grace: None, policy: MisfirePolicy::Latest, max: Self::DEFAULT_MAX }
    }
}

impl Misfire {
    /// How many missed instants `all` runs when `max` is not given.
    pub const DEFAULT_MAX: u32 = 10;
}
