//! Who may do what next. One step is what happens without anybody else in between: a call of the store, whose lock makes it
//! one step; a spawn; a death.

use std::fmt;

use scheduler_core::{
    Job,
    job::Overlap,
    occurrence::{Occurrence, State as Stand},
    plan::{Cursor, plan},
    schedule::{ParseOptions, Schedule},
};
use stateright::{Model, Property};

use super::{
    book::{Book, Flaw},
    properties::properties,
    state::{Finding, Held, Judged, Left, Planned, Stage, State},
};

/// The protocol, with what it has to withstand.
#[derive(Debug, Clone)]
pub(super) struct Protocol {
    pub(super) nodes: usize,
    pub(super) minutes: u8,
    pub(super) crashes: u8,
    pub(super) lost_answers: u8,
    /// How often a claim that wasn't started is taken from a process that lives.
    pub(super) lapses: u8,
    pub(super) clock_steps: u8,
    pub(super) overlap: Overlap,
    pub(super) flaw: Option<Flaw>,
    pub(super) job: Job,
}

impl Default for Protocol {
    fn default() -> Self {
        let schedule = Schedule::parse("* * * * *", &ParseOptions::default()).expect("every minute");
        let job = Job::new("job".parse().expect("an id"), schedule, serde_json::json!("nothing"));
        let (overlap, flaw) = (Overlap::Forbid, None);
        Self { nodes: 2, minutes: 2, crashes: 1, lost_answers: 1, lapses: 1, clock_steps: 0, overlap, flaw, job }
    }
}

/// A step. The first number is the process, the second the occurrence; `true` loses the answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Step {
    MinutePasses,
    ClockIsSetBack,
    Plans(usize),
    Admits(usize, bool),
    Claims(usize, usize, bool),
    FindsItsClaim(usize, usize),
    Starts(usize, usize, bool),
    Spawns(usize, usize),
    NotesTheProcess(usize, usize),
    Finishes(usize, usize, bool),
    ChildEnds(usize),
    ClaimGetsOld(usize),
    Dies(usize),
    Rises(usize),
    Judges(usize, usize),
    Settles(usize),
}

impl Model for Protocol {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let left = Left {
            minutes: self.minutes,
            crashes: self.crashes,
            lost_answers: self.lost_answers,
            lapses: self.lapses,
            clock_steps: self.clock_steps,
        };
        vec![State::first(self.nodes, left)]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        let answers = |lossy: bool| [false, true].into_iter().filter(move |lost| !lost || lossy);
        let lossy = state.left.lost_answers > 0;
        if state.left.minutes > 0 {
            steps.push(Step::MinutePasses);
        }
        if state.left.clock_steps > 0 && state.now > 0 {
            steps.push(Step::ClockIsSetBack);
        }
        for (n, node) in state.nodes.iter().enumerate() {
            let Some(owner) = &node.owner else {
                steps.push(Step::Rises(n));
                continue;
            };
            if state.left.crashes > 0 {
                steps.push(Step::Dies(n));
            }
            match &node.planned {
                None => steps.extend(self.planned(state).map(|_| Step::Plans(n))),
                Some(_) => steps.extend(answers(lossy).map(|lost| Step::Admits(n, lost))),
            }
            if node.judged.is_some() {
                steps.push(Step::Settles(n));
            }
            for (r, row) in state.rows.iter().enumerate() {
                let held = node.held.iter().any(|held| held.row == r);
                match &row.occurrence.state {
                    Stand::Queued => steps.extend(answers(lossy).map(|lost| Step::Claims(n, r, lost))),
                    Stand::Claimed(claimed) if claimed.owner == *owner && !held => {
                        steps.push(Step::FindsItsClaim(n, r));
                    }
                    _ => {}
                }
                if node.judged.is_none() && self.judged(state, &row.occurrence, r).is_some() {
                    steps.push(Step::Judges(n, r));
                }
            }
            for held in &node.held {
                self.steps_with(n, held, lossy, state, steps);
            }
        }
        for (r, row) in state.rows.iter().enumerate() {
            if row.living > 0 {
                steps.push(Step::ChildEnds(r));
            }
            let old = matches!(row.occurrence.state, Stand::Claimed(_))
                || (self.flaw == Some(Flaw::ReclaimRunning) && matches!(row.occurrence.state, Stand::Running(..)));
            if old && state.left.lapses > 0 {
                steps.push(Step::ClaimGetsOld(r));
            }
        }
    }

    fn next_state(&self, before: &State, step: Step) -> Option<State> {
        let mut state = before.clone();
        match step {
            Step::MinutePasses => {
                state.now += 1;
                state.left.minutes -= 1;
            }
            Step::ClockIsSetBack => {
                state.now -= 1;
                state.left.minutes += 1;
                state.left.clock_steps -= 1;
            }
            Step::Plans(n) => {
                state.nodes[n].planned = self.planned(&state);
                if self.flaw == Some(Flaw::CursorFirst)
                    && let Some(planned) = &state.nodes[n].planned
                {
                    state.next_at = planned.plan.next_at.expect("a minute is followed by another");
                }
            }
            Step::Admits(n, lost) => {
                let planned = state.nodes[n].planned.take()?;
                let owner = state.nodes[n].owner.clone()?;
                let held = self.book(&mut state).admit(&owner, &planned);
                state.learns(n, held, lost);
            }
            Step::Claims(n, r, lost) => {
                let owner = state.nodes[n].owner.clone()?;
                let held = self.book(&mut state).claim(&owner, r)?;
                state.learns(n, Some(held), lost);
            }
            Step::FindsItsClaim(n, r) => {
                let occurrence = &state.rows[r].occurrence;
                let Stand::Claimed(claimed) = occurrence.state.clone() else { return None };
                let (owner, token, epoch) = (claimed.owner, claimed.token, occurrence.epoch);
                state.nodes[n].held.push(Held { row: r, owner, token, epoch, stage: Stage::Claimed });
            }
            Step::Starts(n, r, lost) => {
                let held = state.held(n, r)?;
                let go = self.book(&mut state).start(&held);
                let already = held.stage == Stage::Spawned;
                match (lost, go) {
                    // Not knowing, it asks again.
                    (true, _) => state.left.lost_answers -= 1,
                    (false, true) if already => state.proceeds(n, r, Stage::Noted),
                    (false, true) => state.proceeds(n, r, Stage::Go),
                    (false, false) => state.forgets(n, r),
                }
            }
            Step::Spawns(n, r) => {
                state.rows[r].spawned += 1;
                state.rows[r].living += 1;
                state.proceeds(n, r, Stage::Spawned);
            }
            Step::NotesTheProcess(n, r) => {
                let held = state.held(n, r)?;
                self.book(&mut state).spawned(&held);
                state.proceeds(n, r, Stage::Noted);
            }
            Step::Finishes(n, r, lost) => {
                let held = state.held(n, r)?;
                self.book(&mut state).finish(&held);
                if lost {
                    state.left.lost_answers -= 1;
                } else {
                    state.forgets(n, r);
                }
            }
            Step::ChildEnds(r) => state.rows[r].living -= 1,
            Step::ClaimGetsOld(r) => {
                self.book(&mut state).lapse(r);
                state.left.lapses -= 1;
            }
            Step::Dies(n) => {
                state.nodes[n].die();
                state.left.crashes -= 1;
            }
            Step::Rises(n) => state.nodes[n].rise(n),
            Step::Judges(n, r) => {
                state.nodes[n].judged = self.judged(&state, &state.rows[r].occurrence, r);
            }
            Step::Settles(n) => {
                let judged = state.nodes[n].judged.take()?;
                self.book(&mut state).settle(judged);
            }
        }
        (state != *before).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties(self)
    }
}

impl Protocol {
    fn book<'a>(&self, state: &'a mut State) -> Book<'a> {
        Book { state, overlap: self.overlap, flaw: self.flaw }
    }

    /// What the job owes by now, as the real planner sees it.
    fn planned(&self, state: &State) -> Option<Planned> {
        let occurrences = || state.rows.iter().map(|row| &row.occurrence);
        let queued = occurrences().filter(|occurrence| occurrence.state == Stand::Queued);
        let cursor = Cursor {
            next_at: Some(state.next_at),
            outstanding: queued.map(|occurrence| (occurrence.run.clone(), occurrence.at)).collect(),
            busy: occurrences().any(Occurrence::is_active),
            ..Cursor::default()
        };
        let mut job = self.job.clone();
        job.overlap = self.overlap;
        plan(&job, &cursor, state.clock()).map(|plan| Planned { expected: state.next_at, plan })
    }

    /// What somebody who looks at a dead owner's run finds.
    fn judged(&self, state: &State, occurrence: &Occurrence, row: usize) -> Option<Judged> {
        let alive = state.rows[row].living > 0 && self.flaw != Some(Flaw::ChildNotLookedFor);
        let dead = occurrence.owner().is_some_and(|owner| state.is_dead(owner));
        let finding = match &occurrence.state {
            Stand::Claimed(_) if dead => Finding::NeverStarted,
            Stand::Running(..) if dead && alive => Finding::Alive,
            Stand::Running(..) if dead => Finding::Over,
            Stand::Orphaned(_) if !alive => Finding::Over,
            _ => return None,
        };
        Some(Judged { row, epoch: occurrence.epoch, finding })
    }

    /// What a process may do with a claim that it believes to have.
    fn steps_with(&self, n: usize, held: &Held, lossy: bool, state: &State, steps: &mut Vec<Step>) {
        let r = held.row;
        let one_phase = self.flaw == Some(Flaw::SpawnBeforeStart);
        let answers = [false, true].into_iter().filter(|lost| !lost || lossy);
        match held.stage {
            Stage::Claimed if one_phase => steps.push(Step::Spawns(n, r)),
            Stage::Claimed => {
                steps.extend(answers.map(|lost| Step::Starts(n, r, lost)));
                // A zombie may say anything.
                steps.push(Step::Finishes(n, r, false));
            }
            Stage::Go => steps.push(Step::Spawns(n, r)),
            Stage::Spawned if one_phase => steps.push(Step::Starts(n, r, false)),
            Stage::Spawned => {
                steps.push(Step::NotesTheProcess(n, r));
                if state.rows[r].living == 0 {
                    steps.extend(answers.map(|lost| Step::Finishes(n, r, lost)));
                }
            }
            Stage::Noted if state.rows[r].living == 0 => {
                steps.extend(answers.map(|lost| Step::Finishes(n, r, lost)));
            }
            Stage::Noted => {}
        }
    }
}

/// What a process remembers.
impl State {
    fn held(&self, n: usize, r: usize) -> Option<Held> {
        self.nodes[n].held.iter().find(|held| held.row == r).cloned()
    }

    fn learns(&mut self, n: usize, held: Option<Held>, lost: bool) {
        if lost {
            self.left.lost_answers -= 1;
        } else if let Some(held) = held {
            // A claim of an earlier epoch that it still believes in is in the way of nothing: its start will fail.
            self.nodes[n].held.retain(|other| other.row != held.row);
            self.nodes[n].held.push(held);
        }
    }

    fn proceeds(&mut self, n: usize, r: usize, stage: Stage) {
        self.nodes[n].held.iter_mut().filter(|held| held.row == r).for_each(|held| held.stage = stage);
    }

    fn forgets(&mut self, n: usize, r: usize) {
        self.nodes[n].held.retain(|held| held.row != r);
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unheard = |lost: &bool| if *lost { ", unanswered" } else { "" };
        match self {
            Self::MinutePasses => f.write_str("a minute passes"),
            Self::ClockIsSetBack => f.write_str("the clock is set back"),
            Self::Plans(n) => write!(f, "{n} plans"),
            Self::Admits(n, lost) => write!(f, "{n} admits{}", unheard(lost)),
            Self::Claims(n, r, lost) => write!(f, "{n} claims #{r}{}", unheard(lost)),
            Self::FindsItsClaim(n, r) => write!(f, "{n} finds its claim of #{r}"),
            Self::Starts(n, r, lost) => write!(f, "{n} starts #{r}{}", unheard(lost)),
            Self::Spawns(n, r) => write!(f, "{n} spawns #{r}"),
            Self::NotesTheProcess(n, r) => write!(f, "{n} notes the process of #{r}"),
            Self::Finishes(n, r, lost) => write!(f, "{n} finishes #{r}{}", unheard(lost)),
            Self::ChildEnds(r) => write!(f, "the child of #{r} ends"),
            Self::ClaimGetsOld(r) => write!(f, "the claim of #{r} gets old"),
            Self::Dies(n) => write!(f, "{n} dies"),
            Self::Rises(n) => write!(f, "{n} rises"),
            Self::Judges(n, r) => write!(f, "{n} judges #{r}"),
            Self::Settles(n) => write!(f, "{n} settles"),
        }
    }
}
