//! What stores write down: the closed set of events, one JSON line each.
//!
//! Events are facts with everything needed to replay them; nothing is computed from a clock or a schedule on replay.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{definition::Definition, record::Terms};
use crate::{
    JobId, OccurrenceId, RunId,
    audit::Outage,
    occurrence::{Cause, Change, Claimed, SkipReason},
    plan::Gap,
};

/// A fact about jobs and their occurrences.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub(crate) enum Event {
    /// A job came into force, or changed.
    Defined(Box<Defined>),
    /// A job was taken away.
    Removed {
        /// Which.
        job: JobId,
        /// When it was seen.
        at: Timestamp,
    },
    /// `jobs.json` with this hash has been taken in.
    Definitions {
        /// CRC-32 and length of the file, and the build that read it.
        hash: String,
        /// Whether nothing at all was wrong with it.
        #[serde(default)]
        flawless: bool,
    },
    /// A job doesn't fire until it is resumed.
    Paused(Paused),
    /// It fires again.
    Resumed {
        /// Which.
        job: JobId,
        /// When.
        at: Timestamp,
        /// Its next instant.
        next_at: Option<Timestamp>,
        /// What passed meanwhile.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        gap: Option<Gap>,
    },
    /// Instants of a job were settled: its cursor moves and its occurrences appear, in one step.
    Admitted(Box<Admitted>),
    /// An occurrence that is no instant of a schedule.
    Asked {
        /// Which.
        id: OccurrenceId,
        /// Its first attempt.
        run: RunId,
        /// When it was asked for.
        at: Timestamp,
        /// Why.
        cause: Cause,
        /// Set if it was refused at once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        skip: Option<SkipReason>,
    },
    /// An occurrence changed its state.
    Run {
        /// The attempt.
        id: RunId,
        /// When.
        at: Timestamp,
        /// How.
        change: Change,
    },
    /// A cursor was computed anew: its schedule, zone or the zone's rules changed, or it was absurd.
    Cursor {
        /// Of which job.
        job: JobId,
        /// When.
        at: Timestamp,
        /// The zone it is now read in.
        zone: String,
        /// What the new value was computed from.
        schedule_hash: u32,
        /// The new value.
        next_at: Option<Timestamp>,
    },
    /// A cursor stood in a future that the clock has since taken back: the job starts a new life from now.
    ClockRepaired {
        /// Which job.
        job: JobId,
        /// When it was noticed.
        at: Timestamp,
        /// Its new incarnation.
        incarnation: u32,
        /// How far the old one had got.
        suspect_through: Timestamp,
        /// The next instant from now on.
        next_at: Option<Timestamp>,
    },
    /// The machine was started: what `@reboot` waits for.
    Booted {
        /// Names the boot.
        key: String,
        /// When it was seen.
        at: Timestamp,
    },
    /// Something kept whoever fires from seeing time pass. Changes nothing: it is evidence.
    Outage(Outage),
}

impl Event {
    /// Whether it tells which instants a job owed, or why one was not settled in time: what a look at the past judges by.
    pub(crate) fn is_about_definitions(&self) -> bool {
        match self {
            Self::Defined(_)
            | Self::Removed { .. }
            | Self::Paused(_)
            | Self::Resumed { .. }
            | Self::Cursor { .. }
            | Self::ClockRepaired { .. }
            | Self::Booted { .. }
            | Self::Outage(_) => true,
            Self::Definitions { .. } | Self::Admitted(_) | Self::Asked { .. } | Self::Run { .. } => false,
        }
    }
}

/// A definition as it came into force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Defined {
    /// Which job.
    pub job: JobId,
    /// Which life of that id.
    pub incarnation: u32,
    /// Goes up with every change.
    pub revision: u64,
    /// The entry, word for word.
    pub definition: Definition,
    /// The zone its schedule is read in, by name.
    pub zone: String,
    /// Origin of intervals.
    pub anchor: Timestamp,
    /// When it was seen.
    pub at: Timestamp,
    /// What `next_at` was computed from.
    pub schedule_hash: u32,
    /// The build that found the definition good.
    #[serde(default)]
    pub build: u32,
    /// Its next instant.
    pub next_at: Option<Timestamp>,
    /// What counts of it before it is checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<Box<Terms>>,
}

/// A pause of one job.
///
/// ```
/// use scheduler_core::{JobStore, Result, store::{Edit, MemoryStore}};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let store = MemoryStore::default();
/// store.define(Edit::Add(vec![serde_json::json!({"id": "a", "schedule": "@daily", "command": "true"})])).await?;
/// store.pause(vec!["a".parse()?], None, Some("the network is being moved".into())).await?;
/// let paused = store.jobs().await?.remove(0).paused.expect("a pause");
/// assert_eq!((paused.until, paused.reason.as_deref()), (None, Some("the network is being moved")));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paused {
    /// Which.
    pub job: JobId,
    /// Since when.
    pub at: Timestamp,
    /// Until when; `None` is until somebody resumes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Why, in the operator's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What became of the instants of a job up to `through`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Admitted {
    /// Which job.
    pub job: JobId,
    /// Which life of it.
    pub incarnation: u32,
    /// When this was decided.
    pub at: Timestamp,
    /// Everything up to here is settled.
    pub through: Timestamp,
    /// The next one after that.
    pub next_at: Option<Timestamp>,
    /// Instants that became occurrences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<AdmittedRun>,
    /// Instants that are over at once, one record each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skips: Vec<AdmittedSkip>,
    /// Ranges of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
    /// Outstanding occurrences that end with this.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closed: Vec<(RunId, SkipReason)>,
}

/// An instant that became an occurrence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct AdmittedRun {
    /// The instant.
    pub at: Timestamp,
    /// Its first attempt.
    pub run: RunId,
    /// On time or late.
    pub cause: Cause,
    /// It doesn't start before this, where that is later than the instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Who has it already, if somebody does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claimed>,
}

/// An instant that is over at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct AdmittedSkip {
    /// The instant.
    pub at: Timestamp,
    /// Its only attempt.
    pub run: RunId,
    /// Why.
    pub reason: SkipReason,
}
