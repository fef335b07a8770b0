//! Occurrences from their admission to their end.

use std::sync::Arc;

use super::{
    super::{
        Admission, Ask, Asked, Cancelled, Claim, Finding, Limits, Lost, Recovery, Settled, Start,
        event::{Admitted, AdmittedRun, AdmittedSkip, Event},
    },
    Transaction,
    housekeeping::is_over,
    places::NoPlace,
};
use crate::{
    Error, ErrorKind, Job, JobId, OccurrenceId, OccurrenceKind, Outcome, OwnerId, ProcessRef, Result, RunId, RunResult,
    Token,
    job::Overlap,
    occurrence::{Cause, Change, Claimed, Occurrence, Retry, SkipReason, State, transition},
    plan::{CLAIM_AHEAD, Plan, Planned},
};

impl Transaction<'_> {
    pub(crate) fn admit(&mut self, admission: Admission, limits: &Limits) -> Result<Vec<Claim>, Lost> {
        let Admission { job: id, incarnation, revision, expected, plan } = admission;
        let Some(record) = self.book.job(&id) else { return Err(Lost::Gone) };
        if record.incarnation != incarnation || record.revision != revision {
            return Err(Lost::Redefined);
        }
        if record.paused.is_some() {
            return Err(Lost::Paused);
        }
        if record.next_at != expected {
            return Err(Lost::Moved);
        }
        let Plan { admit, gaps, close, through, next_at } = plan;
        let in_force = self.definition_in_force(&id);
        let delayed = in_force.as_ref().filter(|job| job.jitter.is_some());
        let (mut runs, mut skips) = (Vec::new(), Vec::new());
        for (at, planned) in admit {
            let run = self.new_run();
            match planned {
                Planned::Run(cause) => {
                    let not_before = delayed.map(|job| job.starts(at));
                    runs.push(AdmittedRun { at, run, cause, not_before, claim: None });
                }
                Planned::Skip(reason) => skips.push(AdmittedSkip { at, run, reason }),
            }
        }
        // Admission and claim are one record where there is a place for the first of them; the rest waits its turn.
        let claims = self.claim_first(&id, incarnation, runs.first_mut(), limits);
        let closed = close.into_iter().filter(|(run, _)| self.book.occurrence(run).is_some_and(|o| !o.is_active()));
        let closed = closed.collect();
        let at = self.now;
        let replaces = !runs.is_empty() && in_force.is_some_and(|job| job.overlap == Overlap::Replace);
        let new: Vec<RunId> = runs.iter().filter(|_| replaces).map(|run| run.run.clone()).collect();
        let job = id.clone();
        let admitted = Admitted { job: id, incarnation, at, through, next_at, runs, skips, gaps, closed };
        self.emit(Event::Admitted(Box::new(admitted)));
        if replaces {
            self.make_room(&job, &new);
        }
        Ok(claims)
    }

    fn claim_first(
        &mut self,
        id: &JobId,
        incarnation: u32,
        first: Option<&mut AdmittedRun>,
        limits: &Limits,
    ) -> Vec<Claim> {
        let Some(first) = first else { return Vec::new() };
        let occurrence = Occurrence::queued(
            OccurrenceId::scheduled(id.clone(), incarnation, first.at),
            first.run.clone(),
            first.at,
            first.cause,
        );
        let occurrence = Occurrence { not_before: first.not_before, ..occurrence };
        // Who comes to a group in which others wait, waits behind them.
        let queue = self
            .book
            .group_of(id)
            .is_some_and(|group| limits.groups.most(group).is_some() && self.book.tally(group).queued > 0);
        // As the first instant is, so its start may be a moment ahead; no longer than that is a place held for it.
        let soon = self.now.saturating_add(CLAIM_AHEAD).unwrap_or(self.now);
        let start = first.not_before.map_or(self.now, |at| at.clamp(self.now, soon));
        if queue || self.place_at(&occurrence, limits, start) != Ok(()) {
            return Vec::new();
        }
        let claimed = self.new_claim();
        first.claim = Some(claimed.clone());
        vec![claim_of(&occurrence, claimed.token, 1)]
    }

    fn new_claim(&mut self) -> Claimed {
        self.claimed = true;
        Claimed { owner: self.owner.clone(), token: self.new_token() }
    }

    pub(crate) fn ask(&mut self, request: Ask) -> Result<Asked> {
        let Ask { job: id, kind, key, force } = request;
        let record = self.record(&id)?;
        let job = self.book.check(record, &id).map_err(|why| {
            Error::new(ErrorKind::Invalid, format!("job `{id}` is invalid: {why}")).hint("run `sched validate`")
        })?;
        let occurrence = OccurrenceId { job: id.clone(), incarnation: record.incarnation, kind, key: key.into() };
        if let Some(known) = self.book.event_run(&occurrence) {
            return Ok(Asked::Known(known.clone()));
        }
        let busy = self.book.open_of(&id).any(Occurrence::is_active);
        let waits = self.book.open_of(&id).any(|o| o.state == State::Queued && o.last.is_none());
        let outside =
            job.start_at.is_some_and(|start| self.now < start) || job.end_at.is_some_and(|end| self.now > end);
        let reasons = [
            (!job.enabled, SkipReason::Disabled),
            (is_over(&job, record.started()), SkipReason::Limit),
            (outside && kind != OccurrenceKind::Manual, SkipReason::Outside),
            (record.paused.is_some(), SkipReason::Paused),
            (busy && job.overlap == Overlap::Forbid, SkipReason::Overlap),
            (busy && job.overlap == Overlap::Queue && waits, SkipReason::Overlap),
        ];
        let skip = reasons.into_iter().find(|(holds, _)| *holds && !force).map(|(_, reason)| reason);
        let run = self.new_run();
        let cause = if force { Cause::Forced } else { Cause::Asked };
        self.emit(Event::Asked { id: occurrence, run: run.clone(), at: self.now, cause, skip });
        if skip.is_none() && !force && job.overlap == Overlap::Replace {
            self.make_room(&id, std::slice::from_ref(&run));
        }
        Ok(skip.map_or(Asked::Queued(run.clone()), |reason| Asked::Skipped(run, reason)))
    }

    pub(crate) fn claim(&mut self, run: &RunId, limits: &Limits) -> Option<Claim> {
        let occurrence = self.book.occurrence(run)?.clone();
        if occurrence.state != State::Queued {
            return None;
        }
        match self.place_for(&occurrence, limits) {
            Ok(()) => {
                let claimed = self.new_claim();
                let claim = claim_of(&occurrence, claimed.token.clone(), occurrence.epoch + 1);
                self.change(run, Change::Claim(claimed)).then_some(claim)
            }
            Err(NoPlace::Never(reason)) => {
                self.change(run, Change::Skip(reason));
                None
            }
            Err(NoPlace::NotNow) => None,
        }
    }

    pub(crate) fn start(&mut self, claim: &Claim, limits: &Limits) -> Start {
        let Some(occurrence) = self.book.occurrence(&claim.run).cloned() else { return Start::Lost };
        if let State::Running(claimed, None) = &occurrence.state
            && claimed.token == claim.token
            && occurrence.epoch == claim.epoch
        {
            // The answer to the first asking was lost on its way; only the holder of the token can ask again.
            let job = self.definition_in_force(&claim.id.job);
            return job.map_or(Start::Lost, Start::Go);
        }
        let start = Change::Start { token: claim.token.clone(), epoch: claim.epoch };
        if transition(&occurrence, &start, self.now).is_err() {
            return Start::Lost;
        }
        match self.place_for(&occurrence, limits) {
            Ok(()) => {}
            Err(NoPlace::NotNow) => {
                self.change(&claim.run, Change::Requeue { epoch: claim.epoch });
                return Start::Requeued;
            }
            Err(NoPlace::Never(reason)) => {
                self.change(&claim.run, Change::Skip(reason));
                return Start::Skipped(reason);
            }
        }
        let job = self.definition_in_force(&claim.id.job);
        let Some(job) = job else { return Start::Lost };
        self.change(&claim.run, start);
        self.end_if_over(&job);
        Start::Go(job)
    }

    /// A job that has started as often as it may owes nothing from here on.
    fn end_if_over(&mut self, job: &Job) {
        let Some(record) = self.book.job(&job.id) else { return };
        if record.next_at.is_some() && is_over(job, record.started()) {
            let (zone, schedule_hash) = (record.zone.to_string(), record.schedule_hash);
            self.emit(Event::Cursor { job: job.id.clone(), at: self.now, zone, schedule_hash, next_at: None });
        }
    }

    fn definition_in_force(&self, id: &JobId) -> Option<Arc<Job>> {
        self.book.job(id).and_then(|record| self.book.check(record, id).ok())
    }

    pub(crate) fn spawned(&mut self, claim: &Claim, process: ProcessRef) {
        self.durable = false;
        self.change(&claim.run, Change::Spawned { token: claim.token.clone(), process });
    }

    pub(crate) fn finish(&mut self, claim: &Claim, outcome: Outcome) -> Settled {
        self.durable = false;
        let Some(occurrence) = self.book.occurrence(&claim.run) else { return Settled::Lost };
        let outcome = explained(occurrence, outcome);
        let retry = self.retry_of(occurrence, &outcome);
        let settled = settled(occurrence, retry.as_ref());
        let finish = Change::Finish { token: claim.token.clone(), epoch: claim.epoch, outcome, retry };
        if self.change(&claim.run, finish) { settled } else { Settled::Lost }
    }

    pub(crate) fn cancel(&mut self, run: &RunId) -> Result<Cancelled> {
        let not_open =
            || Error::new(ErrorKind::NotFound, format!("run `{run}` is not open")).hint("see `sched history`");
        let running = self.book.occurrence(run).ok_or_else(not_open)?.is_running();
        self.change(run, Change::RequestCancel);
        Ok(if running { Cancelled::Requested } else { Cancelled::Closed })
    }

    /// Settles one abandoned run; `owner_is_dead` is asked again under the lock.
    pub(crate) fn recover(&mut self, recovery: Recovery, owner_is_dead: impl Fn(&OwnerId) -> bool) -> Settled {
        let Recovery { run, epoch, finding } = recovery;
        let Some(occurrence) = self.book.occurrence(&run) else { return Settled::Lost };
        if occurrence.owner().is_some_and(|owner| !owner_is_dead(owner)) {
            return Settled::Lost;
        }
        let (change, settled) = match finding {
            Finding::NeverStarted => (Change::Requeue { epoch }, Settled::Done),
            Finding::Alive(process) => (Change::Orphan { epoch, process }, Settled::Done),
            Finding::Over(outcome) => {
                let outcome = explained(occurrence, outcome);
                let retry = self.retry_of(occurrence, &outcome);
                let settled = settled(occurrence, retry.as_ref());
                (Change::Abandon { epoch, outcome, retry }, settled)
            }
        };
        if self.change(&run, change) { settled } else { Settled::Lost }
    }
}

/// Says of a run that was cancelled for a newer one that it was.
fn explained(occurrence: &Occurrence, mut outcome: Outcome) -> Outcome {
    if occurrence.replaced && outcome.result == RunResult::Cancelled {
        let why = SkipReason::Superseded.words();
        outcome.message = Some(outcome.message.map_or_else(|| why.to_owned(), |message| format!("{message}; {why}")));
    }
    outcome
}

fn settled(occurrence: &Occurrence, retry: Option<&Retry>) -> Settled {
    retry.map_or(Settled::Done, |Retry { run, not_before }| Settled::Again {
        run: run.clone(),
        attempt: occurrence.attempt + 1,
        not_before: *not_before,
    })
}

/// The right that a claimed occurrence gives.
pub(super) fn claim_of(occurrence: &Occurrence, token: Token, epoch: u32) -> Claim {
    Claim {
        run: occurrence.run.clone(),
        id: occurrence.id.clone(),
        at: occurrence.at,
        not_before: occurrence.not_before,
        cause: occurrence.cause,
        attempt: occurrence.attempt,
        token,
        epoch,
    }
}
