//! One pass: what is due is planned, admitted and claimed in one step, and what was claimed is dispatched.

use std::{
    any::Any,
    collections::HashSet,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use super::{Shared, turn::is_unanswered};
use crate::{
    Error, ErrorKind, Job, JobId, Result, RunId,
    job::Overlap,
    liveness::Phase,
    occurrence::{Attempt, SkipReason},
    plan::{Cursor, Plan, Planned, plan, settle},
    store::{Admission, Claim, DueJob, Open},
};

/// What a pass looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// What is due.
    Now,
    /// What is due, or will be within so long.
    Ahead(Duration),
    /// Only what is overdue by more than this.
    Overdue(SignedDuration),
}

impl Shared {
    /// A pass under a guard, with its result in the pulse. Never waits for a job.
    pub(super) async fn tick(self: &Arc<Self>) -> Result<()> {
        self.look_at_the_clocks();
        self.options.pulse.publish(|beat| {
            if beat.phase == Phase::Idle {
                beat.phase = Phase::Ticking;
            }
        });
        let shared = Arc::clone(self);
        // On a task of its own, so that a panic ends the pass and not the loop that asked for it.
        let answer =
            match tokio::spawn(async move { shared.pass(Reach::Ahead(shared.options.claim_ahead)).await }).await {
                Ok(answer) => answer,
                Err(panic) => Err(Error::new(ErrorKind::Foreign, format!("the tick panicked: {}", panic_words(panic)))),
            };
        if answer.is_ok() {
            self.expect_at(*self.next_wakeup.lock());
        }
        if !is_unanswered(answer.as_ref().err()) {
            self.provider_progress();
        }
        self.finished("tick", answer.as_ref().err());
        answer.map(drop)
    }

    /// Plans and claims what is within `reach` and dispatches it. Answers how much was claimed.
    pub(super) async fn pass(self: &Arc<Self>, reach: Reach) -> Result<usize> {
        if self.draining.is_cancelled() {
            return Ok(0);
        }
        let now = self.options.clock.now();
        let ahead = match reach {
            Reach::Ahead(ahead) => SignedDuration::try_from(ahead).unwrap_or_default(),
            Reach::Now | Reach::Overdue(_) => SignedDuration::ZERO,
        };
        let horizon = now.saturating_add(ahead).unwrap_or(now);
        // Asked before the store is: what is recorded in between, the store knows.
        let unrecorded: HashSet<JobId> = self.unrecorded.lock().keys().cloned().collect();
        let mut open = self.options.store.open(horizon, self.limits()).await?;
        self.leave_to_the_plan(&mut open);
        open.due.retain(|due| due.job.overlap == Overlap::Allow || !unrecorded.contains(&due.job.id));
        open.due.retain(|due| match (due.due_at(), reach) {
            (Some(due_at), Reach::Overdue(by)) => now.duration_since(due_at) > by,
            (Some(due_at), _) if due_at > now => may_be_ahead(due),
            _ => true,
        });
        let due = std::mem::take(&mut open.due).into_iter();
        let (plans, news): (Vec<Admission>, Vec<News>) = due
            .filter_map(|due| Some((planned(&due, now)?, due)))
            .map(|(plan, due)| {
                let skipped = skipped(&due.job, &plan);
                (plan.clone(), News { skipped, given_up: given_up(due, &plan) })
            })
            .unzip();
        let mut claims: Vec<Claim> = Vec::new();
        if !plans.is_empty() {
            let missed = catch_ups(&plans);
            // What others were faster with comes back as lost, and is theirs.
            let won = self.options.store.admit(plans, self.limits()).await?;
            for (_, news) in won.iter().zip(news).filter(|(won, _)| won.is_ok()) {
                self.tell_given_up(&news.given_up).await;
                if let Some((job, reason)) = news.skipped {
                    self.tell_skipped(job, reason);
                }
            }
            // Only now is it true: on a full disk it would be said many times a second, of nothing that happens.
            for line in &missed {
                tracing::warn!("{line}");
            }
            claims.extend(won.into_iter().flatten().flatten());
            open = self.options.store.open(self.options.clock.now(), self.limits()).await?;
            self.leave_to_the_plan(&mut open);
            // What is to make room for the new ones may be ours.
            self.cancel(&open.cancel_requested);
        }
        if !open.startable.is_empty() {
            let won = self.options.store.claim(open.startable, self.limits()).await?;
            let all = won.iter().all(Option::is_some);
            claims.extend(won.into_iter().flatten());
            if !all && horizon > now {
                // Looking ahead has shown some whose time is yet to come; it is not to be slept through.
                open = self.options.store.open(self.options.clock.now(), self.limits()).await?;
            }
        }
        *self.next_wakeup.lock() = open.next_wakeup;
        let (queued, running) = (open.queued, open.active);
        self.options.pulse.publish(|beat| {
            beat.next_wakeup = open.next_wakeup;
            beat.queue = queued as u64;
            beat.running = running as u64;
        });
        let claimed = claims.len();
        for claim in claims {
            self.dispatch(claim);
        }
        Ok(claimed)
    }
}

impl Shared {
    /// Takes what was given back out of what may start, as long as newer instants of its job are due: the plan says which of
    /// them runs. Started first, the old one would be in the way of all that it was late for.
    pub(super) fn leave_to_the_plan(&self, open: &mut Open) {
        let mut given_back = self.given_back.lock();
        given_back.retain(|run, _| open.startable.contains(run));
        open.startable.retain(|run| {
            let job = given_back.get(run);
            !job.is_some_and(|job| open.due.iter().any(|due| due.job.id == *job))
        });
    }
}

/// Whether what is owed a moment later can be decided now. What is open may be over by then, and with it the reason to skip.
fn may_be_ahead(due: &DueJob) -> bool {
    !due.cursor.busy && due.cursor.outstanding.is_empty() && due.cursor.retries.is_empty()
}

/// What a due job owes, now or when it is due if that is yet to come. One job whose plan panics must not keep the others from
/// theirs.
pub(super) fn planned(due: &DueJob, now: Timestamp) -> Option<Admission> {
    planned_by(plan, due, due.due_at().map_or(now, |due_at| due_at.max(now)))
}

/// The same for the instants up to now, those included that its jitter still puts off.
pub(super) fn settled(due: &DueJob, now: Timestamp) -> Option<Admission> {
    planned_by(settle, due, now)
}

fn planned_by(
    plan: impl Fn(&Job, &Cursor, Timestamp) -> Option<Plan>,
    due: &DueJob,
    at: Timestamp,
) -> Option<Admission> {
    let DueJob { job, incarnation, revision, cursor } = due;
    let (incarnation, revision) = (*incarnation, *revision);
    match catch_unwind(AssertUnwindSafe(|| plan(job, cursor, at))) {
        Ok(plan) => {
            Some(Admission { job: job.id.clone(), incarnation, revision, expected: cursor.next_at, plan: plan? })
        }
        Err(_) => {
            tracing::error!(job = %job.id, schedule = job.schedule.text(), "planning this job panicked; it does not fire");
            None
        }
    }
}

/// What there is to tell of a plan, once it is admitted.
struct News {
    skipped: Option<(Arc<Job>, SkipReason)>,
    given_up: Vec<GivenUp>,
}

/// Why an instant of this plan doesn't run, if that is news: who paused or removed a job knows, and what is coalesced is run
/// by a later instant.
fn skipped(job: &Arc<Job>, admission: &Admission) -> Option<(Arc<Job>, SkipReason)> {
    let Plan { admit, gaps, .. } = &admission.plan;
    let alone =
        admit.iter().filter_map(|(_, planned)| if let Planned::Skip(reason) = planned { Some(*reason) } else { None });
    let reason = alone.chain(gaps.iter().map(|gap| gap.reason)).find(|reason| is_news(*reason))?;
    Some((Arc::clone(job), reason))
}

/// Whether somebody may want to hear of an occurrence that is skipped for this.
pub(super) fn is_news(reason: SkipReason) -> bool {
    matches!(reason, SkipReason::Overlap | SkipReason::Misfire)
}

/// An occurrence that ends with a bad attempt, because a newer one takes its place.
pub(super) struct GivenUp {
    job: Arc<Job>,
    last: Attempt,
}

/// The retries that `admission` of `due` puts an end to.
pub(super) fn given_up(due: DueJob, admission: &Admission) -> Vec<GivenUp> {
    let DueJob { job, cursor, .. } = due;
    let ends = |run: &RunId| admission.plan.close.iter().any(|(closed, _)| closed == run);
    let ended = cursor.retries.into_iter().filter(|(run, _)| ends(run));
    ended.map(|(_, last)| GivenUp { job: Arc::clone(&job), last }).collect()
}

impl Shared {
    /// A job whose every retry is overtaken by the next instant must not fail in silence.
    pub(super) async fn tell_given_up(&self, given_up: &[GivenUp]) {
        for GivenUp { job, last } in given_up {
            self.tell(job, &last.run, &last.outcome).await;
        }
    }
}

/// How many catch-ups are listed one by one.
const LISTED: usize = 20;

/// What was missed, and what becomes of it, in words.
fn catch_ups(plans: &[Admission]) -> Vec<String> {
    let is_missed = |reason| matches!(reason, SkipReason::Misfire | SkipReason::Coalesced);
    let missed: Vec<&Admission> =
        plans.iter().filter(|admission| admission.plan.gaps.iter().any(|gap| is_missed(gap.reason))).collect();
    let mut lines = Vec::new();
    for Admission { job, plan, .. } in missed.iter().take(LISTED) {
        let runs = plan.admit.iter().filter(|(_, planned)| matches!(planned, Planned::Run(_))).count();
        if let (Some(first), Some(last)) = (plan.gaps.first(), plan.gaps.last()) {
            lines.push(format!(
                "job `{job}` missed its instants from {} to {}; {runs} run in their place",
                first.from, last.to
            ));
        }
    }
    if missed.len() > LISTED {
        lines.push(format!("so did {} more jobs: see `sched history`", missed.len() - LISTED));
    }
    lines
}

/// What a panic said.
pub(super) fn panic_words(error: tokio::task::JoinError) -> String {
    match error.try_into_panic() {
        Ok(payload) => crate::panics::words_of(&*payload),
        Err(_) => "it was aborted".to_owned(),
    }
}

/// The answer of `future`, or what it panicked with.
pub(super) async fn caught<T>(future: impl Future<Output = T>) -> Result<T, Box<dyn Any + Send>> {
    let mut future = pin!(future);
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(Poll::Ready(answer)) => Poll::Ready(Ok(answer)),
        Ok(Poll::Pending) => Poll::Pending,
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}
