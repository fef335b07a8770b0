//! From a claim to its end: start durably, run, finish, tell.

use std::{collections::hash_map::Entry, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{
    Here, Shared,
    pass::{caught, is_news, panic_words},
};
use crate::{
    Alert, AlertState, Job, JobId, Orphan, Outcome, ProcessRef, RunContext, RunId, RunResult,
    notify::{AlertKind, job_key},
    occurrence::SkipReason,
    plan::ON_TIME,
    store::{Abandoned, Claim, Finding, Limits, Recovery, Settled, Start, Which},
};

/// How soon a failed write is tried again, at first and at most.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

const START: &str = "record of a start";
const END: &str = "record of an end";

/// While it lives, the record of a step is yet to be written: for the store, the run is claimed, or open, still.
///
/// Meanwhile nothing is planned for the job. On a full disk the record may take as long as the disk is full, and what came due in
/// that time would all be skipped for a run that had long ended, instead of being caught up on.
struct Unrecorded<'s> {
    shared: &'s Shared,
    job: JobId,
}

impl<'s> Unrecorded<'s> {
    fn step_of(shared: &'s Shared, job: &JobId) -> Self {
        *shared.unrecorded.lock().entry(job.clone()).or_default() += 1;
        Self { shared, job: job.clone() }
    }
}

impl Drop for Unrecorded<'_> {
    fn drop(&mut self) {
        let mut unrecorded = self.shared.unrecorded.lock();
        if let Some(count) = unrecorded.get_mut(&self.job) {
            *count -= 1;
            if *count == 0 {
                unrecorded.remove(&self.job);
            }
        }
    }
}

/// What somebody is told of an occurrence that was skipped. It is over by itself.
fn skipped_alert(job: &Job, reason: SkipReason, now: Timestamp) -> Alert {
    let title = format!("job `{}` was skipped: {}", job.id, reason.words());
    let detail = format!("see `sched history {}`", job.id);
    let alert = Alert::passing(format!("skipped-{}", job.id), title, now).detail(detail).kind(AlertKind::Skipped);
    alert.about(job.id.clone()).to(job.notify.clone())
}

fn kind_of(result: RunResult) -> AlertKind {
    match result {
        RunResult::TimedOut => AlertKind::Timeout,
        RunResult::Unknown => AlertKind::Unknown,
        RunResult::Failed | RunResult::Succeeded | RunResult::Cancelled => AlertKind::Failure,
    }
}

/// What a job has done, in words that can be followed by how often.
fn words_for(result: RunResult) -> &'static str {
    match result {
        RunResult::TimedOut => "timed out",
        RunResult::Unknown => "ended unseen",
        RunResult::Failed | RunResult::Succeeded | RunResult::Cancelled => "failed",
    }
}

impl Shared {
    /// Takes responsibility for a claim. Returns at once.
    pub(super) fn dispatch(self: &Arc<Self>, claim: Claim) {
        let cancel = CancellationToken::new();
        match self.runs.lock().entry(claim.run.clone()) {
            // It is on its way already: a turn has found it before the pass that claimed it got here.
            Entry::Occupied(_) => return,
            Entry::Vacant(place) => drop(place.insert(Here { cancel: cancel.clone(), awaited: true })),
        }
        let (shared, at) = (Arc::clone(self), claim.starts_at());
        let run = Box::pin(async move {
            shared.execute(&claim, cancel).await;
            shared.over(&claim.run);
        });
        self.at_its_instant(at, run);
    }

    async fn execute(self: &Arc<Self>, claim: &Claim, cancel: CancellationToken) {
        if !self.until(claim.starts_at()).await {
            return self.give_back(claim).await;
        }
        let step = Unrecorded::step_of(self, &claim.id.job);
        let mut tried = false;
        let start = || {
            // One that could not be recorded for so long is late: it goes back, for the plan to say what runs now.
            let late = self.options.clock.now().duration_since(claim.starts_at()) > ON_TIME;
            let limits = if std::mem::replace(&mut tried, true) && late { Limits::NO_PLACE } else { self.limits() };
            async move { self.options.store.start(claim, limits).await }
        };
        let started = self.retrying(START, start).await;
        let job = match started {
            Some(Start::Go(job)) => job,
            Some(Start::Requeued) => {
                self.given_back.lock().insert(claim.run.clone(), claim.id.job.clone());
                return tracing::debug!(run = %claim.run, "no place any more; it is queued again");
            }
            Some(Start::Skipped(reason)) => {
                tracing::info!(job = %claim.id.job, run = %claim.run, "skipped: {}", reason.words());
                return self.tell_skipped_claim(claim, reason).await;
            }
            Some(Start::Lost) | None => {
                return tracing::info!(job = %claim.id.job, run = %claim.run, "somebody else has it, or it was cancelled");
            }
        };
        drop(step);
        let outcome = self.run_one(claim, &job, cancel).await;
        self.log_end(&job.id, &claim.run, &outcome);
        let step = Unrecorded::step_of(self, &job.id);
        let finished = self.retrying(END, || self.options.store.finish(claim, outcome.clone())).await;
        drop(step);
        if !matches!(finished, Some(Settled::Done | Settled::Again { .. })) {
            tracing::error!(job = %job.id, run = %claim.run, "the end of this run could not be recorded as its owner");
        }
        self.tell_the_end(&job, &claim.run, &outcome, finished.as_ref()).await;
    }

    /// Tells of the end of an occurrence. That of an attempt which is followed by another is in the log and the history.
    async fn tell_the_end(&self, job: &Job, run: &RunId, outcome: &Outcome, settled: Option<&Settled>) {
        match settled {
            Some(Settled::Again { run: next, attempt, not_before }) => {
                tracing::info!(job = %job.id, run = %next, %not_before, "attempt {attempt} follows");
                self.options.runner.settled(job, run, outcome, true);
            }
            _ => self.tell(job, run, outcome).await,
        }
    }

    /// Puts a claim whose instant hasn't come back into the queue: what comes after the stop is for whoever runs then.
    async fn give_back(&self, claim: &Claim) {
        // Where nothing has a place, a start is refused and its claim returns to the queue.
        if let Err(error) = self.options.store.start(claim, Limits::NO_PLACE).await {
            tracing::debug!(run = %claim.run, %error, "not given back; the next process finds its owner dead");
        }
    }

    async fn run_one(self: &Arc<Self>, claim: &Claim, job: &Arc<Job>, cancel: CancellationToken) -> Outcome {
        let noted = (Arc::clone(self), claim.clone());
        let context = RunContext::new(Arc::clone(job), claim.run.clone(), claim.id.clone(), claim.at, claim.attempt)
            .with_timeout(job.timeout)
            .with_cancel(cancel)
            .with_secrets(self.secrets_for(job))
            .on_spawned(move |process| {
                let (shared, claim) = noted.clone();
                tracing::info!(job = %claim.id.job, run = %claim.run, owed_at = %claim.at, pid = process.pid, "started");
                shared.tasks.clone().spawn(async move { shared.note_process(&claim, process).await });
            });
        let runner = Arc::clone(&self.options.runner);
        // Not on a task of its own: whoever polls this may have been set apart for it.
        match caught(async move { runner.run(context).await }).await {
            Ok(outcome) => outcome,
            Err(panic) => Outcome::failed(format!("the runner panicked: {}", crate::panics::words_of(&*panic))),
        }
    }

    async fn note_process(&self, claim: &Claim, process: ProcessRef) {
        if let Err(error) = self.options.store.spawned(claim, process).await {
            tracing::warn!(run = %claim.run, %error, "the pid of this run could not be noted; after a crash it is searched for");
        }
    }

    /// Tries until it works. Gives up only when the engine is stopping and the disk still refuses: then the next start finds
    /// the run and calls it unknown, which is what it is.
    async fn retrying<T, F>(&self, what: &'static str, mut attempt: impl FnMut() -> F) -> Option<T>
    where
        F: Future<Output = crate::Result<T>>,
    {
        let mut pause = RETRY.0;
        loop {
            match attempt().await {
                Ok(answer) => {
                    if pause > RETRY.0 {
                        self.finished(what, None);
                    }
                    return Some(answer);
                }
                Err(error) => {
                    self.finished(what, Some(&error));
                    if self.draining.is_cancelled() && (what == START || pause == RETRY.1) {
                        return None;
                    }
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(RETRY.1);
        }
    }

    /// Watches over a run that outlived its owner.
    pub(super) fn adopt(self: &Arc<Self>, abandoned: &Abandoned) {
        let occurrence = abandoned.occurrence.clone();
        let Some(orphan) = abandoned.orphan.clone() else { return };
        let cancel = CancellationToken::new();
        let left = orphan.job.timeout.map(|timeout| self.left_of(timeout, occurrence.started_at));
        let awaited = occurrence.cancel_requested || left == Some(Duration::ZERO);
        match self.runs.lock().entry(occurrence.run.clone()) {
            Entry::Occupied(_) => return,
            Entry::Vacant(place) => drop(place.insert(Here { cancel: cancel.clone(), awaited })),
        }
        tracing::warn!(
            job = %occurrence.id.job, run = %occurrence.run, pid = orphan.process.as_ref().map(|process| process.pid),
            "watching over a run whose daemon died; its timeout and cancellation still count"
        );
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            let job = Arc::clone(&orphan.job);
            let (run, id) = (occurrence.run.clone(), occurrence.id.clone());
            let context =
                RunContext::new(job, run, id, occurrence.at, occurrence.attempt).with_timeout(left).with_cancel(cancel);
            let outcome = tokio::select! {
                outcome = shared.watch_orphan(orphan.clone(), context) => outcome,
                () = shared.stopping.cancelled() => return,
            };
            shared.log_end(&occurrence.id.job, &occurrence.run, &outcome);
            let finding = Finding::Over(outcome.clone());
            let recovery = Recovery { run: occurrence.run.clone(), epoch: occurrence.epoch, finding };
            let step = Unrecorded::step_of(&shared, &orphan.job.id);
            let settled = shared.retrying(END, || shared.options.store.recover(vec![recovery.clone()])).await;
            drop(step);
            let settled = settled.as_deref().and_then(<[_]>::first);
            shared.tell_the_end(&orphan.job, &occurrence.run, &outcome, settled).await;
            shared.over(&occurrence.run);
        });
    }

    async fn watch_orphan(&self, orphan: Orphan, context: RunContext) -> Outcome {
        let runner = Arc::clone(&self.options.runner);
        match tokio::spawn(async move { runner.adopt(orphan, context).await }).await {
            Ok(outcome) => outcome,
            Err(panic) => Outcome { message: Some(panic_words(panic)), ..Outcome::new(RunResult::Unknown) },
        }
    }

    /// What is left of a timeout that began at `started_at`.
    fn left_of(&self, timeout: Duration, started_at: Option<Timestamp>) -> Duration {
        let now = self.options.clock.now();
        let gone =
            started_at.map_or(Duration::ZERO, |at| Duration::try_from(now.duration_since(at)).unwrap_or_default());
        timeout.saturating_sub(gone)
    }

    fn over(&self, run: &RunId) {
        self.runs.lock().remove(run);
        self.wake.notify_one();
        self.changed();
    }

    fn log_end(&self, job: &JobId, run: &RunId, outcome: &Outcome) {
        let (code, signal, message) = (outcome.exit_code, outcome.signal, outcome.message.as_deref());
        if outcome.result == RunResult::Succeeded {
            tracing::info!(%job, %run, "succeeded");
        } else {
            tracing::warn!(%job, %run, code, signal, message, "{}", outcome.result.word());
        }
        self.options.pulse.publish(|beat| beat.last_action = Some(format!("job {job}: {}", outcome.result.word())));
    }

    /// Tells the runner of the last end of an occurrence; the notifiers of a bad one, and of the first good one after it.
    pub(super) async fn tell(&self, job: &Job, run: &RunId, outcome: &Outcome) {
        self.options.runner.settled(job, run, outcome, false);
        let now = self.options.clock.now();
        let key = job_key(&job.id);
        let alert = match outcome.result {
            RunResult::Succeeded if self.troubled.lock().remove(&job.id) => {
                Alert::closed(key, format!("job `{}` succeeded again", job.id), now)
            }
            // It went well before, too; and whoever cancelled it knows.
            RunResult::Succeeded | RunResult::Cancelled => return,
            result => {
                let why = outcome.reason().unwrap_or_default();
                let title = format!("job `{}` {}", job.id, words_for(result));
                let detail = format!("run {run}: {why}\nsee `sched logs {} --run {run}`", job.id);
                Alert::open(key, title, now).detail(detail).kind(kind_of(result))
            }
        };
        let is_open = alert.state == AlertState::Open;
        self.notify(&alert.about(job.id.clone()).to(job.notify.clone())).await;
        if is_open {
            // Only now: a turn that finds it must not close what is yet to be opened. And the job may have been removed while
            // this run was open, so that turn has to look.
            self.troubled.lock().insert(job.id.clone());
            *self.looked_for_in.lock() = None;
        }
    }

    /// Tells of an instant of `job` that doesn't run, beside the work of whoever found out.
    pub(super) fn tell_skipped(self: &Arc<Self>, job: Arc<Job>, reason: SkipReason) {
        let shared = Arc::clone(self);
        self.tasks.spawn(async move { shared.notify(&skipped_alert(&job, reason, shared.options.clock.now())).await });
    }

    /// The same of one that was claimed already.
    async fn tell_skipped_claim(&self, claim: &Claim, reason: SkipReason) {
        if !is_news(reason) {
            return;
        }
        let found = self.options.store.select(Which::Job(claim.id.job.clone())).await;
        let job = found.ok().and_then(|found| found.jobs.into_iter().next()).and_then(|view| view.job.ok());
        if let Some(job) = job {
            self.notify(&skipped_alert(&job, reason, self.options.clock.now())).await;
        }
    }

    async fn notify(&self, alert: &Alert) {
        for notifier in &self.options.notifiers {
            if let Err(error) = notifier.notify(alert).await {
                tracing::warn!(%error, alert = alert.key, "an alert could not be delivered");
            }
        }
    }

    /// A job that is gone can't succeed any more, so what is open about it is closed with it. Looks for the jobs only when
    /// `definitions` says that there may be others than the last time.
    pub(super) async fn close_alerts_of_removed_jobs(&self, definitions: u64) -> crate::Result<()> {
        if self.looked_for_in.lock().replace(definitions) == Some(definitions) || self.troubled.lock().is_empty() {
            return Ok(());
        }
        let troubled: Vec<JobId> = self.troubled.lock().iter().cloned().collect();
        for job in troubled {
            let found = self.options.store.select(Which::Job(job.clone())).await;
            if !found.inspect_err(|_| *self.looked_for_in.lock() = None)?.jobs.is_empty() {
                continue;
            }
            self.troubled.lock().remove(&job);
            let title = format!("job `{job}` has been removed");
            self.notify(&Alert::closed(job_key(&job), title, self.options.clock.now()).about(job)).await;
        }
        Ok(())
    }

    /// Which jobs the notifiers have been told of already, by an earlier process; and what no run may be told.
    pub(super) async fn note_troubled(&self) -> crate::Result<()> {
        self.note_secrets(None).await?;
        let troubled = self.options.store.select(Which::Troubled).await?;
        self.troubled.lock().extend(troubled.jobs.into_iter().map(|job| job.id));
        for notifier in &self.options.notifiers {
            match notifier.open_about().await {
                Ok(jobs) => self.troubled.lock().extend(jobs),
                Err(error) => tracing::warn!(%error, "which alerts are open from before is not known"),
            }
        }
        Ok(())
    }
}
