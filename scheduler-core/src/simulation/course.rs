//! The events, one after the other: [`Simulation`].

use std::{
    cell::Cell,
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, VecDeque},
    mem,
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};

use super::{Load, Report, Scenario, scenario::Turn, tally::Tallies};
use crate::{
    JobId, OwnerId, RunId,
    occurrence::Cause,
    store::{Book, Claim, Transaction},
};

/// A scenario at play.
///
/// ```
/// use scheduler_core::{JobStore, simulation::{Scenario, Simulation}, store::{Edit, MemoryStore}};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MemoryStore::default();
/// store.define(Edit::Add(vec![serde_json::json!({"id": "a", "schedule": "*/20 * * * *", "payload": 1})])).await?;
/// let (from, to) = ("2026-11-22T10:00:00Z".parse()?, "2026-11-22T11:00:00Z".parse()?);
/// let mut simulation = Simulation::new(Scenario::new(store.jobs().await?, from, to));
/// let mut fires = Vec::new();
/// while let Some(step) = simulation.step() {
///     fires.extend(step.fires.iter().map(|fire| fire.owed_at.to_string()));
/// }
/// assert_eq!(fires, ["2026-11-22T10:00:00Z", "2026-11-22T10:20:00Z", "2026-11-22T10:40:00Z"]);
/// assert_eq!(simulation.report().jobs[0].fires, 3);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Simulation {
    pub(super) scenario: Scenario,
    pub(super) book: Book,
    /// The daemon of the moment; `None` while it is down.
    pub(super) owner: Option<OwnerId>,
    /// By the true clock.
    pub(super) now: Timestamp,
    /// By how much the wall clock is wrong.
    offset: SignedDuration,
    turns: VecDeque<(Timestamp, Turn)>,
    pub(super) running: HashMap<RunId, Running>,
    /// When they end if nothing happens to them.
    pub(super) ends: BinaryHeap<Reverse<(Timestamp, RunId)>>,
    /// Since when the queued ones wait.
    pub(super) waiting: HashMap<RunId, Timestamp>,
    pub(super) tallies: Tallies,
    pub(super) load: Load,
    pub(super) full_at: Option<Timestamp>,
    pub(super) fires: Vec<Fire>,
    /// How many runs have been named.
    named: Cell<u64>,
}

/// A run that is open.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) claim: Claim,
    /// Whether it is its timeout that ends it.
    pub(super) times_out: bool,
}

/// What happened at one moment.
///
/// ```
/// use scheduler_core::simulation::{Scenario, Simulation};
/// let (from, to) = ("2026-11-22T10:00:00Z".parse()?, "2026-11-22T11:00:00Z".parse()?);
/// let mut simulation = Simulation::new(Scenario::new(Vec::new(), from, to));
/// let step = simulation.step().expect("the start of the daemon");
/// assert!(step.at == from && step.fires.is_empty());
/// # Ok::<(), jiff::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Step<'a> {
    /// When, by the true clock.
    pub at: Timestamp,
    /// What started.
    pub fires: &'a [Fire],
}

/// A run that starts.
///
/// ```
/// use scheduler_core::simulation::Fire;
/// fn line(fire: &Fire) -> String {
///     format!("{} {}{}", fire.at, fire.job, if fire.attempt > 1 { ", again" } else { "" })
/// }
/// # let _ = line;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fire {
    /// When, by the true clock.
    pub at: Timestamp,
    /// Which job.
    pub job: JobId,
    /// The instant that it is the run of, by the wall clock.
    pub owed_at: Timestamp,
    /// On time or late.
    pub cause: Cause,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// How long it waited for a place.
    pub waited: SignedDuration,
}

impl Simulation {
    /// At its beginning.
    pub fn new(scenario: Scenario) -> Self {
        let mut book = Book::new(Arc::new(scenario.defaults.clone()));
        for view in &scenario.jobs {
            book.seed(view, scenario.from);
        }
        Self {
            book,
            owner: None,
            now: scenario.from,
            offset: SignedDuration::ZERO,
            turns: scenario.turns().into(),
            running: HashMap::new(),
            ends: BinaryHeap::new(),
            waiting: HashMap::new(),
            tallies: Tallies::new(&scenario),
            load: Load::new(scenario.from),
            full_at: None,
            fires: Vec::new(),
            named: Cell::new(0),
            scenario,
        }
    }

    /// Goes on to the next moment at which something happens; `None` if there is none before the end.
    pub fn step(&mut self) -> Option<Step<'_>> {
        let at = self.next_moment().filter(|at| *at < self.scenario.to)?;
        self.now = at;
        self.fires.clear();
        while let Some((_, turn)) = self.turns.pop_front_if(|(at, _)| *at <= self.now) {
            self.turn(turn);
        }
        loop {
            if self.owner.is_some() {
                self.pass();
            }
            if !self.end_runs() {
                break;
            }
        }
        Some(Step { at, fires: &self.fires })
    }

    /// What it has come to.
    pub fn report(mut self) -> Report {
        for occurrence in self.book.queued() {
            if let Some(tally) = self.tallies.of(&occurrence.id.job).filter(|_| occurrence.attempt == 1) {
                tally.waiting += 1;
            }
        }
        self.load.close(self.scenario.to);
        Report { jobs: self.tallies.into_all(), load: self.load, full_at: self.full_at }
    }

    fn next_moment(&self) -> Option<Timestamp> {
        let turn = self.turns.front().map(|(at, _)| (*at).max(self.now));
        let end = self.ends.peek().map(|Reverse((at, _))| *at);
        let wakeup = self.book.next_wakeup(self.wall()).filter(|_| self.owner.is_some());
        let wakeup = wakeup.and_then(|at| at.checked_sub(self.offset).ok()).map(|at| {
            // What is due and could not be settled is looked at again a moment later, as the ticker does.
            if at > self.now { at } else { self.now.saturating_add(SignedDuration::from_secs(1)).unwrap_or(at) }
        });
        // What an outside turn brings about comes first: until the first one there is no daemon.
        [turn, end, wakeup].into_iter().flatten().min()
    }

    fn turn(&mut self, turn: Turn) {
        match turn {
            Turn::Start => self.begin(),
            Turn::Death => {
                self.owner = None;
                self.ends.clear();
                for (_, run) in mem::take(&mut self.running) {
                    let job = run.claim.id.job;
                    self.ended(&job);
                    if let Some(tally) = self.tallies.of(&job) {
                        tally.killed += 1;
                    }
                }
            }
            Turn::Step(by) => {
                self.offset = self.offset.saturating_add(by);
                if by.is_negative() && self.owner.is_some() {
                    self.transact(|transaction| transaction.housekeep(None));
                }
            }
        }
    }

    /// What the wall clock shows.
    pub(super) fn wall(&self) -> Timestamp {
        self.now.saturating_add(self.offset).unwrap_or(self.now)
    }

    /// Changes the book, and counts what that closes.
    pub(super) fn transact<T>(&mut self, change: impl FnOnce(&mut Transaction<'_>) -> T) -> T {
        let now = self.wall();
        let nobody = OwnerId::new("");
        let mut transaction = Transaction::new(&mut self.book, now, self.owner.as_ref().unwrap_or(&nobody));
        transaction.numbers = Some(&self.named);
        let answer = change(&mut transaction);
        for entry in mem::take(&mut transaction.closed) {
            self.tallies.enter(&entry);
            if let Some(run) = entry.run() {
                self.waiting.remove(run);
            }
        }
        answer
    }

    /// A place becomes free.
    pub(super) fn ended(&mut self, job: &JobId) {
        self.load.end(self.now);
        if let Some(tally) = self.tallies.of(job) {
            tally.open -= 1;
        }
    }
}
