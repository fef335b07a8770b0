//! What there is to know of a moment: what is written down, what each process remembers, which children live.

use std::hash::{Hash, Hasher};

use jiff::{SignedDuration, Timestamp};
use scheduler_core::{
    OwnerId, Token,
    occurrence::{Occurrence, State as Stand},
    plan::{Gap, Plan},
};

/// The first instant that the job owes.
const FIRST: Timestamp = Timestamp::UNIX_EPOCH;

/// A moment.
#[derive(Debug, Clone, PartialEq, Hash)]
pub(super) struct State {
    /// What everybody's clock says, in minutes after the instant before the first.
    pub(super) now: i8,
    /// Written down: the first instant that isn't settled.
    pub(super) next_at: Timestamp,
    /// Written down: every occurrence, those that are over too.
    pub(super) rows: Vec<Row>,
    /// Written down: instants settled without one, first and last.
    pub(super) gaps: Vec<(Timestamp, Timestamp)>,
    pub(super) nodes: Vec<Node>,
    /// How often each of these may still happen.
    pub(super) left: Left,
}

/// How often what is rare may still happen: what keeps the model finite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Left {
    pub(super) minutes: u8,
    pub(super) crashes: u8,
    pub(super) lost_answers: u8,
    pub(super) lapses: u8,
    pub(super) clock_steps: u8,
}

/// An occurrence, and what really happened, which nobody can read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) occurrence: Occurrence,
    /// How many processes were started for it.
    pub(super) spawned: u8,
    /// How many of these live.
    pub(super) living: u8,
    /// Whose start was written down, by owner and epoch.
    pub(super) started_by: Option<(OwnerId, u32)>,
    /// Who told its end.
    pub(super) ended_by: Option<(OwnerId, u32)>,
}

/// A process that may fire the job.
#[derive(Debug, Clone, PartialEq, Hash)]
pub(super) struct Node {
    /// `None` while it is dead.
    pub(super) owner: Option<OwnerId>,
    /// How often it has been started.
    pub(super) lives: u8,
    pub(super) planned: Option<Planned>,
    pub(super) held: Vec<Held>,
    pub(super) judged: Option<Judged>,
}

/// A plan, made at some time and not admitted yet.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Planned {
    pub(super) expected: Timestamp,
    pub(super) plan: Plan,
}

/// A claim that a process believes to have.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Held {
    /// Place among the rows.
    pub(super) row: usize,
    pub(super) owner: OwnerId,
    pub(super) token: Token,
    pub(super) epoch: u32,
    pub(super) stage: Stage,
}

/// How far a process is with a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Stage {
    Claimed,
    /// It may spawn.
    Go,
    Spawned,
    /// The process is noted in the store.
    Noted,
}

/// What a process has found of a dead owner's run, and not yet written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Judged {
    pub(super) row: usize,
    pub(super) epoch: u32,
    pub(super) finding: Finding,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Finding {
    NeverStarted,
    Alive,
    Over,
}

impl State {
    pub(super) fn first(nodes: usize, left: Left) -> Self {
        let node = |n| {
            let mut node = Node { owner: None, lives: 0, planned: None, held: Vec::new(), judged: None };
            node.rise(n);
            node
        };
        let nodes = (0..nodes).map(node).collect();
        Self { now: 0, next_at: FIRST, rows: Vec::new(), gaps: Vec::new(), nodes, left }
    }

    pub(super) fn clock(&self) -> Timestamp {
        FIRST + SignedDuration::from_mins(i64::from(self.now) - 1)
    }

    pub(super) fn is_dead(&self, owner: &OwnerId) -> bool {
        !self.nodes.iter().any(|node| node.owner.as_ref() == Some(owner))
    }

    /// Nothing that was admitted is open.
    pub(super) fn is_all_over(&self) -> bool {
        self.rows.iter().all(Row::is_over)
    }

    /// How often each instant before the cursor was settled, and then how often each one from there on.
    pub(super) fn settlements(&self) -> impl Iterator<Item = (Timestamp, usize)> {
        let instants = (0..=i64::from(self.now.max(0)) + 4).map(|n| FIRST + SignedDuration::from_mins(n));
        instants.map(|at| {
            let rows = self.rows.iter().filter(|row| row.occurrence.at == at).count();
            let gaps = self.gaps.iter().filter(|(from, to)| (*from..=*to).contains(&at)).count();
            (at, rows + gaps)
        })
    }

    pub(super) fn add_gaps(&mut self, gaps: &[Gap]) {
        self.gaps.extend(gaps.iter().map(|gap| (gap.from, gap.to)));
    }
}

impl Node {
    /// A new process in the place of a dead one.
    pub(super) fn rise(&mut self, n: usize) {
        self.lives += 1;
        self.owner = Some(OwnerId::new(format!("{n}.{}", self.lives)));
    }

    pub(super) fn die(&mut self) {
        *self = Self { owner: None, lives: self.lives, planned: None, held: Vec::new(), judged: None };
    }
}

impl Row {
    pub(super) fn new(occurrence: Occurrence) -> Self {
        Self { occurrence, spawned: 0, living: 0, started_by: None, ended_by: None }
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.occurrence.state, Stand::Closed(_))
    }
}

// Times at which something was written are no part of what decides: leaving them out makes equal states equal.
impl Hash for Row {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let Occurrence { at, epoch, state, cancel_requested, .. } = &self.occurrence;
        (at, epoch, cancel_requested, self.occurrence.word(), self.spawned, self.living).hash(hasher);
        (&self.started_by, &self.ended_by, self.occurrence.process().is_some()).hash(hasher);
        if let Stand::Claimed(claimed) | Stand::Running(claimed, _) = state {
            (&claimed.owner, &claimed.token).hash(hasher);
        }
    }
}

impl Hash for Planned {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let Plan { admit, gaps, close, through, next_at } = &self.plan;
        (self.expected, through, next_at, close.len()).hash(hasher);
        for (at, planned) in admit {
            (at, format!("{planned:?}")).hash(hasher);
        }
        for gap in gaps {
            (gap.from, gap.to).hash(hasher);
        }
    }
}
