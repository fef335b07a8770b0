//! Firing one job on somebody's word: what is due, one instant, or an event of its own.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{
    Shared,
    pass::{given_up, planned, settled},
};
use crate::{
    JobId, OccurrenceKind, Result, RunId,
    plan::ON_TIME,
    provider::{FireOutcome, FireRequest, FireWhat},
    store::{Ask, Asked, JobView, Which},
};

impl Shared {
    pub(super) async fn fire(self: &Arc<Self>, request: &FireRequest) -> Result<FireOutcome> {
        if self.draining.is_cancelled() {
            return Ok(FireOutcome::Draining);
        }
        let Some(job) = self.job(&request.job).await? else { return Ok(FireOutcome::NotFound) };
        match &request.what {
            FireWhat::Due => self.fire_due(&job, self.options.clock.now(), false).await,
            FireWhat::At(instant) => self.fire_at(&job, *instant).await,
            FireWhat::Event(key) => self.fire_event(&job, key).await,
        }
    }

    async fn job(&self, id: &JobId) -> Result<Option<JobView>> {
        Ok(self.options.store.select(Which::Job(id.clone())).await?.jobs.pop())
    }

    /// Fires what is due at `now`; with `put_off`, what the job's jitter still puts off is queued for its time.
    async fn fire_due(self: &Arc<Self>, job: &JobView, now: Timestamp, put_off: bool) -> Result<FireOutcome> {
        if job.paused.is_some() {
            return Ok(FireOutcome::Paused);
        }
        let horizon = job.job.as_ref().map_or(now, |job| if put_off { job.starts(now) } else { now });
        let open = self.options.store.open(horizon, self.limits()).await?;
        let due = open.due.into_iter().find(|due| due.job.id == job.id);
        let planned_at = if put_off { settled } else { planned };
        let planned = due.and_then(|due| Some((planned_at(&due, now)?, due)));
        let Some((admission, due)) = planned else { return Ok(FireOutcome::NotDue) };
        let given_up = given_up(due, &admission);
        let skipped = admission.plan.admit.iter().find_map(|(_, planned)| match planned {
            crate::plan::Planned::Skip(reason) => Some(*reason),
            crate::plan::Planned::Run(_) => None,
        });
        let runs = admission.plan.admit.iter().any(|(_, planned)| matches!(planned, crate::plan::Planned::Run(_)));
        match self.options.store.admit(vec![admission], self.limits()).await?.pop() {
            Some(Ok(claims)) => {
                self.tell_given_up(&given_up).await;
                match claims.into_iter().next() {
                    Some(claim) => {
                        let run = claim.run.clone();
                        self.dispatch(claim);
                        Ok(FireOutcome::Started(run))
                    }
                    None if runs => self.queued(&job.id).await,
                    None => Ok(skipped.map_or(FireOutcome::NotDue, FireOutcome::Skipped)),
                }
            }
            _ => Ok(FireOutcome::LostClaim),
        }
    }

    async fn queued(&self, job: &JobId) -> Result<FireOutcome> {
        self.wake.notify_one();
        let open = self.job(job).await?.map(|view| view.open).unwrap_or_default();
        let waiting =
            open.into_iter().filter(|occurrence| !occurrence.is_active()).map(|occurrence| occurrence.run).min();
        Ok(waiting.map_or(FireOutcome::LostClaim, FireOutcome::Queued))
    }

    async fn fire_at(self: &Arc<Self>, job: &JobView, instant: Timestamp) -> Result<FireOutcome> {
        let now = self.options.clock.now();
        if let Some(waiting) = job.open.iter().find(|o| o.id.instant() == Some(instant) && !o.is_active()) {
            return self.claim_one(&job.id, &waiting.run).await;
        }
        if instant <= job.settled_through {
            return Ok(FireOutcome::LostClaim);
        }
        let owes = job.job.as_ref().is_ok_and(|job| job.newest(instant, instant).is_some());
        if !owes || instant.duration_since(now) > ON_TIME {
            return Ok(FireOutcome::NotDue);
        }
        // A caller that is a moment early waits here for the instant: an occurrence never starts before it. What comes between
        // the instant and the start, its jitter, may be hours: that the store waits out.
        while self.options.clock.now() < instant {
            tokio::select! {
                () = self.options.clock.sleep_until(instant) => {}
                () = self.draining.cancelled() => return Ok(FireOutcome::Draining),
            }
            if self.options.clock.now().duration_since(now) < SignedDuration::ZERO {
                return Ok(FireOutcome::NotDue);
            }
        }
        self.fire_due(job, self.options.clock.now(), true).await.map(|outcome| match outcome {
            FireOutcome::NotDue => FireOutcome::LostClaim,
            other => other,
        })
    }

    async fn fire_event(self: &Arc<Self>, job: &JobView, key: &str) -> Result<FireOutcome> {
        let ask = Ask { job: job.id.clone(), kind: OccurrenceKind::External, key: key.to_owned(), force: false };
        match self.options.store.ask(ask).await? {
            Asked::Queued(run) => self.claim_one(&job.id, &run).await,
            Asked::Known(_) => Ok(FireOutcome::LostClaim),
            Asked::Skipped(_, crate::occurrence::SkipReason::Paused) => Ok(FireOutcome::Paused),
            Asked::Skipped(_, reason) => Ok(FireOutcome::Skipped(reason)),
        }
    }

    async fn claim_one(self: &Arc<Self>, job: &JobId, run: &RunId) -> Result<FireOutcome> {
        match self.options.store.claim(vec![run.clone()], self.limits()).await?.pop().flatten() {
            Some(claim) => {
                self.dispatch(claim);
                Ok(FireOutcome::Started(run.clone()))
            }
            None => {
                // The turn sees to what has to make room for it.
                self.wake.notify_one();
                let open = self.job(job).await?.map(|view| view.open).unwrap_or_default();
                let waits = open.iter().any(|occurrence| occurrence.run == *run && !occurrence.is_active());
                // The turn, which looks at every change of the store, may have been faster: then it is under way.
                let outcome = if waits { FireOutcome::Queued } else { FireOutcome::Started };
                Ok(outcome(run.clone()))
            }
        }
    }
}
