//! One pass: what is due is planned, admitted and claimed in one step, and what was claimed is dispatched.

use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::SignedDuration;

use super::Shared;
use crate::{
    Error, ErrorKind, Result,
    liveness::Phase,
    occurrence::SkipReason,
    plan::{Planned, plan},
    store::{Admission, Claim, DueJob},
};

impl Shared {
    /// A pass under a guard, with its result in the pulse. Never waits for a job.
    pub(super) async fn tick(self: &std::sync::Arc<Self>) -> Result<()> {
        self.options.pulse.publish(|beat| {
            if beat.phase == Phase::Idle {
                beat.phase = Phase::Ticking;
            }
        });
        let shared = std::sync::Arc::clone(self);
        // On a task of its own, so that a panic ends the pass and not the loop that asked for it.
        let answer = match tokio::spawn(async move { shared.pass(None).await }).await {
            Ok(answer) => answer,
            Err(panic) => Err(Error::new(ErrorKind::Foreign, format!("the tick panicked: {}", panic_words(panic)))),
        };
        self.provider_progress();
        self.finished("tick", answer.as_ref().err());
        answer.map(drop)
    }

    /// Plans and claims what is due (only what is overdue by more than `overdue_by`, if given) and dispatches it. Answers
    /// how much was claimed.
    pub(super) async fn pass(self: &std::sync::Arc<Self>, overdue_by: Option<SignedDuration>) -> Result<usize> {
        if self.draining.is_cancelled() {
            return Ok(0);
        }
        let now = self.options.clock.now();
        let mut open = self.options.store.open(now, self.limits()).await?;
        if let Some(by) = overdue_by {
            open.due.retain(|due| due.cursor.next_at.is_some_and(|next_at| now.duration_since(next_at) > by));
        }
        let plans: Vec<Admission> = open.due.into_iter().filter_map(|due| planned(due, now)).collect();
        let mut claims: Vec<Claim> = Vec::new();
        if !plans.is_empty() {
            let missed = catch_ups(&plans);
            // What others were faster with comes back as lost, and is theirs.
            let won = self.options.store.admit(plans, self.limits()).await?;
            // Only now is it true: on a full disk it would be said many times a second, of nothing that happens.
            for line in &missed {
                tracing::warn!("{line}");
            }
            claims.extend(won.into_iter().flatten().flatten());
            open = self.options.store.open(self.options.clock.now(), self.limits()).await?;
        }
        if !open.startable.is_empty() {
            let won = self.options.store.claim(open.startable, self.limits()).await?;
            claims.extend(won.into_iter().flatten());
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

/// What a due job owes. One job whose plan panics must not keep the others from theirs.
pub(super) fn planned(due: DueJob, now: jiff::Timestamp) -> Option<Admission> {
    let DueJob { job, incarnation, revision, cursor } = due;
    match catch_unwind(AssertUnwindSafe(|| plan(&job, &cursor, now))) {
        Ok(plan) => {
            Some(Admission { job: job.id.clone(), incarnation, revision, expected: cursor.next_at, plan: plan? })
        }
        Err(_) => {
            tracing::error!(job = %job.id, schedule = job.schedule.text(), "planning this job panicked; it does not fire");
            None
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
        Ok(payload) => match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
            (Some(text), _) => (*text).to_owned(),
            (_, Some(text)) => text.clone(),
            _ => "without words".to_owned(),
        },
        Err(_) => "it was aborted".to_owned(),
    }
}
