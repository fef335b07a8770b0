//! What a store does to what is written down, each step whole or not at all: it compares, and moves occurrences by the real
//! `transition`. A [`Flaw`] leaves one comparison out.

use scheduler_core::{
    JobId, OccurrenceId, Outcome, OwnerId, ProcessRef, RunId, RunResult, Token,
    job::Overlap,
    occurrence::{Cause, Change, Claimed, Closing, Occurrence, State as Stand, transition},
    plan::Planned as What,
};

use super::state::{Finding, Held, Judged, Planned, Row, Stage, State};

/// A rule of the protocol that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// A process spawns as soon as it has a claim, and writes the start down afterwards.
    SpawnBeforeStart,
    /// A running occurrence goes back to the queue when its claim has got old.
    ReclaimRunning,
    /// The end of a run is taken from whoever tells it.
    UnfencedFinish,
    /// A start is granted to whoever asks.
    UnfencedStart,
    /// Occurrences are admitted, and the cursor stays.
    CursorStays,
    /// Occurrences are admitted wherever the cursor stands by then.
    CursorNotCompared,
    /// The cursor is moved in a step of its own, before the occurrences are written.
    CursorFirst,
    /// Who recovers a dead owner's run doesn't look for its process.
    ChildNotLookedFor,
}

/// A store: its rules, around what is written down.
pub(super) struct Book<'a> {
    pub(super) state: &'a mut State,
    pub(super) overlap: Overlap,
    pub(super) flaw: Option<Flaw>,
}

impl Book<'_> {
    fn is(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn change(&mut self, row: usize, change: &Change) -> bool {
        let now = self.state.clock();
        match transition(&self.state.rows[row].occurrence, change, now) {
            Ok(after) => {
                self.state.rows[row].occurrence = after;
                true
            }
            Err(_) => false,
        }
    }

    /// Whether no other run of the job is in the way.
    fn has_place(&self, row: usize) -> bool {
        let others = self.state.rows.iter().enumerate().filter(|(n, other)| *n != row && other.occurrence.is_active());
        self.overlap != Overlap::Forbid || others.count() == 0
    }

    /// Settles what was planned, if the cursor still stands where it was planned from.
    pub(super) fn admit(&mut self, owner: &OwnerId, planned: &Planned) -> Option<Held> {
        if self.state.next_at != planned.expected && !self.is(Flaw::CursorNotCompared) && !self.is(Flaw::CursorFirst) {
            return None;
        }
        let plan = &planned.plan;
        for (run, reason) in &plan.close {
            let row = self.state.rows.iter().position(|row| row.occurrence.run == *run && !row.occurrence.is_active());
            if let Some(row) = row {
                self.change(row, &Change::Skip(*reason));
            }
        }
        self.state.add_gaps(&plan.gaps);
        let before = self.state.rows.len();
        for (at, what) in &plan.admit {
            let job: JobId = "job".parse().expect("an id");
            let run = RunId::new(format!("run{}", self.state.rows.len()));
            let cause = if let What::Run(cause) = what { *cause } else { Cause::OnTime };
            let occurrence = Occurrence::queued(OccurrenceId::scheduled(job, 1, *at), run, *at, cause);
            self.state.rows.push(Row::new(occurrence));
            if let What::Skip(reason) = what {
                self.change(self.state.rows.len() - 1, &Change::Skip(*reason));
            }
        }
        if !self.is(Flaw::CursorStays) {
            self.state.next_at = plan.next_at.expect("a minute is followed by another");
        }
        (self.state.rows.len() > before).then(|| self.claim(owner, before)).flatten()
    }

    pub(super) fn claim(&mut self, owner: &OwnerId, row: usize) -> Option<Held> {
        let epoch = self.state.rows[row].occurrence.epoch + 1;
        let token = Token::new(format!("{owner}/{row}/{epoch}"));
        let claimed = Claimed { owner: owner.clone(), token: token.clone() };
        (self.has_place(row) && self.change(row, &Change::Claim(claimed))).then(|| Held {
            row,
            owner: owner.clone(),
            token,
            epoch,
            stage: Stage::Claimed,
        })
    }

    /// Whether `held` may spawn now: from here on it has started, whatever becomes of its holder.
    pub(super) fn start(&mut self, held: &Held) -> bool {
        let shown = self.shown(held, Flaw::UnfencedStart);
        let occurrence = &self.state.rows[held.row].occurrence;
        if let Stand::Running(claimed, None) = &occurrence.state
            && claimed.token == shown.0
            && occurrence.epoch == shown.1
        {
            // The answer to the first asking was lost; nobody else has this token.
            return true;
        }
        let start = Change::Start { token: shown.0, epoch: shown.1 };
        if transition(occurrence, &start, self.state.clock()).is_err() {
            return false;
        }
        if !self.has_place(held.row) {
            self.change(held.row, &Change::Requeue { epoch: held.epoch });
            return false;
        }
        self.state.rows[held.row].started_by = Some((held.owner.clone(), held.epoch));
        self.change(held.row, &start)
    }

    /// What a claim shows as its right; with `flaw`, whatever is asked for.
    fn shown(&self, held: &Held, flaw: Flaw) -> (Token, u32) {
        let occurrence = &self.state.rows[held.row].occurrence;
        match &occurrence.state {
            Stand::Claimed(claimed) | Stand::Running(claimed, _) if self.is(flaw) => {
                (claimed.token.clone(), occurrence.epoch)
            }
            _ => (held.token.clone(), held.epoch),
        }
    }

    pub(super) fn spawned(&mut self, held: &Held) {
        let process = ProcessRef { pid: 1, start_time: 1, boot_id: "boot".into() };
        self.change(held.row, &Change::Spawned { token: held.token.clone(), process });
    }

    pub(super) fn finish(&mut self, held: &Held) -> bool {
        let (token, epoch) = self.shown(held, Flaw::UnfencedFinish);
        let outcome = Outcome::new(RunResult::Succeeded);
        let finished = self.change(held.row, &Change::Finish { token, epoch, outcome, retry: None });
        if finished {
            self.state.rows[held.row].ended_by = Some((held.owner.clone(), held.epoch));
        }
        finished
    }

    /// A claim got too old. That never says anything about what runs.
    pub(super) fn lapse(&mut self, row: usize) {
        let occurrence = &mut self.state.rows[row].occurrence;
        let epoch = occurrence.epoch;
        if self.flaw == Some(Flaw::ReclaimRunning) && occurrence.is_running() {
            occurrence.state = Stand::Queued;
        } else {
            self.change(row, &Change::Requeue { epoch });
        }
    }

    /// Writes down what was found of a dead owner's run, if it is still that run and its owner still dead.
    pub(super) fn settle(&mut self, judged: Judged) -> bool {
        let Judged { row, epoch, finding } = judged;
        if self.state.rows[row].occurrence.owner().is_some_and(|owner| !self.state.is_dead(owner)) {
            return false;
        }
        let change = match finding {
            Finding::NeverStarted => Change::Requeue { epoch },
            Finding::Alive => Change::Orphan { epoch, process: None },
            Finding::Over => Change::Abandon { epoch, outcome: Outcome::new(RunResult::Unknown), retry: None },
        };
        self.change(row, &change)
    }
}

/// Whether it ended as a run whose end somebody told.
pub(super) fn was_told(row: &Row) -> bool {
    matches!(&row.occurrence.state, Stand::Closed(Closing::Ran(outcome)) if outcome.result == RunResult::Succeeded)
}
