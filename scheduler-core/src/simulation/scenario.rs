//! What is played: [`Scenario`].

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp};

use crate::{
    JobId,
    job::JobDefaults,
    store::{JobView, Limits},
};

/// How long a run is taken to last of which nothing is known.
///
/// ```
/// assert_eq!(scheduler_core::simulation::ASSUMED.as_secs(), 1);
/// ```
pub const ASSUMED: Duration = Duration::from_secs(1);

/// Jobs, a stretch of time, and what happens in it.
///
/// All instants are told by a true clock. The wall clock shows the same until one of `clock_steps`.
///
/// ```
/// use std::time::Duration;
/// use scheduler_core::{JobStore, simulation::Scenario, store::{Edit, MemoryStore}};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MemoryStore::default();
/// store.define(Edit::Add(vec![serde_json::json!({"id": "a", "schedule": "* * * * *", "payload": 1})])).await?;
/// let at = |text: &str| text.parse::<jiff::Timestamp>();
/// let (from, to) = (at("2026-11-22T00:00:00Z")?, at("2026-11-23T00:00:00Z")?);
/// let mut scenario = Scenario::new(store.jobs().await?, from, to);
/// scenario.durations.insert("a".parse()?, Duration::from_secs(90));
/// scenario.downtime.push((at("2026-11-22T10:00:00Z")?, at("2026-11-22T11:00:00Z")?));
/// assert_eq!(scenario.duration(&"a".parse()?), Duration::from_secs(90));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Scenario {
    /// The jobs, with their pauses and how often they have started. Runs that are open are left out of account.
    pub jobs: Vec<JobView>,
    /// What holds for jobs that don't say otherwise.
    pub defaults: JobDefaults,
    /// What may run at once.
    pub limits: Limits,
    /// The beginning, itself part of it; all that came before is settled.
    pub from: Timestamp,
    /// The end, itself no part of it.
    pub to: Timestamp,
    /// How long runs take; [`ASSUMED`] for jobs that aren't in here.
    pub durations: BTreeMap<JobId, Duration>,
    /// When no daemon runs. It dies at the first of the two instants, and its runs with it; at the second another one starts.
    pub downtime: Vec<(Timestamp, Timestamp)>,
    /// When somebody sets the wall clock, and by how much.
    pub clock_steps: Vec<(Timestamp, SignedDuration)>,
}

impl Scenario {
    /// These jobs, from `from` up to `to`, with nothing out of the ordinary.
    pub fn new(jobs: Vec<JobView>, from: Timestamp, to: Timestamp) -> Self {
        Self {
            jobs,
            defaults: JobDefaults::default(),
            limits: Limits::default(),
            from,
            to,
            durations: BTreeMap::new(),
            downtime: Vec::new(),
            clock_steps: Vec::new(),
        }
    }

    /// How long a run of `job` takes, if nothing ends it.
    pub fn duration(&self, job: &JobId) -> Duration {
        self.durations.get(job).copied().unwrap_or(ASSUMED)
    }

    /// What happens from outside, in order: the first is the start of the daemon, unless it begins as downtime.
    pub(super) fn turns(&self) -> Vec<(Timestamp, Turn)> {
        let mut down: Vec<(Timestamp, Timestamp)> = self.downtime.iter().copied().filter(|(a, b)| a < b).collect();
        down.sort_unstable();
        let mut merged: Vec<(Timestamp, Timestamp)> = Vec::new();
        for (begin, end) in down {
            match merged.last_mut() {
                Some(last) if begin <= last.1 => last.1 = last.1.max(end),
                _ => merged.push((begin, end)),
            }
        }
        let steps = self.clock_steps.iter().map(|(at, by)| (*at, Turn::Step(*by)));
        let ends = merged.iter().flat_map(|(begin, end)| [(*begin, Turn::Death), (*end, Turn::Start)]);
        let begins_down = merged.iter().any(|(begin, end)| *begin <= self.from && self.from < *end);
        let first = (!begins_down).then_some((self.from, Turn::Start));
        let later = steps.chain(ends).filter(|(at, turn)| *at > self.from || matches!(turn, Turn::Step(_)));
        let mut turns: Vec<(Timestamp, Turn)> = first.into_iter().chain(later).collect();
        turns.sort_by_key(|(at, _)| (*at).max(self.from));
        turns
    }
}

/// What happens to the daemon from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// It starts.
    Start,
    /// It is killed, and its runs with it.
    Death,
    /// The wall clock is set.
    Step(SignedDuration),
}
