//! The engine's own turn, under every provider: recover what dead owners left, obey cancellations, do what time brings,
//! start what is queued, beat.

use std::{collections::HashMap, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};

use super::{
    Engine, Shared, Summary,
    pass::{Reach, panic_words},
};
use crate::{
    Error, ErrorKind, Outcome, Result, RunId, RunResult,
    audit::{Outage, OutageCause},
    liveness::{Failure, Phase, Status},
    occurrence::Occurrence,
    store::{Abandoned, Finding, Open, Recovery, Settled},
};

/// How often cursors are looked over though nothing hints at a reason.
const LOOK_OVER: Duration = Duration::from_mins(10);
/// How overdue a job must be before the engine fires it in a provider's place.
const BACKSTOP: SignedDuration = SignedDuration::from_mins(10);

/// What the turn before knew.
#[derive(Debug, Default)]
pub(super) struct Last {
    at: Option<Timestamp>,
    looked_over: Option<Duration>,
    booted: bool,
    /// When the next of what is queued may start.
    next_start: Option<Timestamp>,
}

impl Last {
    /// The next turn looks over everything, as the first one does.
    pub(super) fn look_over_again(&mut self) {
        self.looked_over = None;
    }
}

/// Turns until the engine stops.
pub(super) async fn run(engine: Engine) {
    let shared = Arc::clone(&engine.0);
    let mut store_changes = shared.options.store.subscribe();
    while !shared.stopping.is_cancelled() {
        store_changes.mark_unchanged();
        // Failures are in the pulse and in the log; the loop goes on.
        let failed = guarded(&engine).await.is_err();
        let pause = if failed { Duration::from_secs(1) } else { shared.settings.lock().interval };
        let now = shared.options.clock.now();
        let until = now.saturating_add(SignedDuration::try_from(pause).unwrap_or_default()).unwrap_or(now);
        // A retry is started on time under every provider, be it one that never ticks.
        let start = shared.last_turn.lock().next_start.filter(|_| !failed);
        let until = start.map_or(until, |start| until.min(start));
        tokio::select! {
            () = shared.stopping.cancelled() => {}
            () = shared.wake.notified(), if !failed && !shared.draining.is_cancelled() => {}
            // Not after a failure: what a failed write leaves behind looks like a change, and would be tried at once.
            _ = store_changes.changed(), if !failed => shared.changed(),
            () = shared.options.clock.sleep_until(until) => {}
        }
    }
}

async fn guarded(engine: &Engine) -> Result<Summary> {
    let turning = engine.clone();
    match tokio::spawn(async move { turning.turn().await }).await {
        Ok(answer) => answer,
        Err(panic) => {
            let error = Error::new(ErrorKind::Foreign, format!("the engine's turn panicked: {}", panic_words(panic)));
            engine.0.finished("turn", Some(&error));
            Err(error)
        }
    }
}

impl Engine {
    /// One turn.
    pub(super) async fn turn(&self) -> Result<Summary> {
        let answer = self.0.turn().await;
        self.0.finished("turn", answer.as_ref().err());
        answer
    }
}

impl Shared {
    async fn turn(self: &Arc<Self>) -> Result<Summary> {
        self.look_at_the_clocks();
        self.note_outages().await?;
        let mut summary = Summary { done: self.housekeep().await?, claimed: 0 };
        let now = self.options.clock.now();
        let mut open = self.options.store.open(now, self.limits()).await?;
        if open.housekeeping {
            summary.done.extend(self.options.store.housekeep(None).await?);
        }
        if !open.abandoned.is_empty() || !open.orphaned.is_empty() {
            self.recover(&open, &mut summary.done).await?;
            open = self.options.store.open(now, self.limits()).await?;
        }
        self.note_secrets(Some(open.definitions)).await?;
        self.close_alerts_of_removed_jobs(open.definitions).await?;
        self.cancel(&open.cancel_requested);
        for claim in std::mem::take(&mut open.claimed_here) {
            // Mostly on its way already. If the answer to its claiming was lost, this is where it is read back.
            self.dispatch(claim);
        }
        self.leave_to_the_plan(&mut open);
        if !self.draining.is_cancelled() && !open.startable.is_empty() {
            let startable = std::mem::take(&mut open.startable);
            let won = self.options.store.claim(startable, self.limits()).await?;
            for claim in won.into_iter().flatten() {
                summary.claimed += 1;
                self.dispatch(claim);
            }
        }
        self.last_turn.lock().next_start = open.next_start;
        let overdue = open.due.iter().any(|due| due.due_at().is_some_and(|at| now.duration_since(at) > BACKSTOP));
        if overdue && self.backstop() {
            summary.claimed += self.pass(Reach::Overdue(BACKSTOP)).await?;
        }
        if std::mem::replace(&mut *self.next_wakeup.lock(), open.next_wakeup) != open.next_wakeup {
            self.changed();
        }
        self.options.pulse.publish(|beat| {
            beat.next_wakeup = open.next_wakeup;
            beat.queue = open.queued as u64;
            beat.running = open.active as u64;
        });
        if self.options.pulse.current().provider_ticks {
            self.expect_at(open.next_wakeup);
        }
        Ok(summary)
    }

    /// Looks whether time passed as it should since the last time. The engine is at work now; it means to be again within the
    /// interval.
    pub(super) fn look_at_the_clocks(&self) {
        let clock = &*self.options.clock;
        let interval = SignedDuration::try_from(self.settings.lock().interval).unwrap_or(SignedDuration::MAX);
        let again = clock.now().saturating_add(interval).unwrap_or(Timestamp::MAX);
        self.witness.lock().look(clock, again);
    }

    /// Puts on record what kept time from passing as it should.
    async fn note_outages(&self) -> Result<()> {
        let unnoted = self.witness.lock().unnoted();
        if unnoted.is_empty() {
            return Ok(());
        }
        let noted = self.options.store.note(unnoted.clone()).await;
        if noted.is_err() {
            // Told when it is on record: a disk that is full for a night would have a line of it for every second.
            let mut witness = self.witness.lock();
            for outage in unnoted {
                witness.note(outage);
            }
        } else {
            unnoted.iter().for_each(tell_of);
        }
        noted
    }

    /// The next look at the clocks is to come by `next`, if that is still to come.
    pub(super) fn expect_at(&self, next: Option<Timestamp>) {
        if let Some(next) = next.filter(|next| *next > self.options.clock.now()) {
            self.witness.lock().expect(next);
        }
    }

    /// Looks for cancellations, and nothing else.
    pub(super) async fn obey_cancellations(&self) -> Result<()> {
        let open = self.options.store.open(self.options.clock.now(), self.limits()).await?;
        self.cancel(&open.cancel_requested);
        Ok(())
    }

    pub(super) fn cancel(&self, requested: &[RunId]) {
        let runs = self.runs.lock();
        requested.iter().filter_map(|run| runs.get(run)).for_each(|here| here.cancel.cancel());
    }

    /// What time alone brings, when there may be some of it: at first, after the clock went back, and now and then.
    async fn housekeep(&self) -> Result<Vec<String>> {
        let (now, awake) = (self.options.clock.now(), self.options.clock.monotonic());
        let boot = {
            let mut last = self.last_turn.lock();
            let went_back = last.at.is_some_and(|at| now < at);
            last.at = Some(now);
            let due = last.looked_over.is_none_or(|looked| awake.saturating_sub(looked) >= LOOK_OVER);
            if !went_back && !due {
                return Ok(Vec::new());
            }
            if went_back {
                tracing::warn!(%now, "the wall clock went back; what has fired does not fire again");
            }
            last.looked_over = Some(awake);
            self.options.boot_key.clone().filter(|_| !std::mem::replace(&mut last.booted, true))
        };
        self.options.store.housekeep(boot).await
    }

    /// Judges what dead owners left: what had not started goes back to the queue, what still runs is watched over, and the
    /// end of the rest is unknown.
    async fn recover(self: &Arc<Self>, open: &Open, done: &mut Vec<String>) -> Result<()> {
        let unwatched = |one: &&Abandoned| !self.runs.lock().contains_key(&one.occurrence.run);
        let suspects: Vec<Abandoned> =
            open.abandoned.iter().chain(open.orphaned.iter().filter(unwatched)).cloned().collect();
        let runner = Arc::clone(&self.options.runner);
        let judged = suspects.clone();
        // Looking for processes reads /proc: not on the async threads.
        let looked = tokio::task::spawn_blocking(move || {
            judged.iter().map(|one| one.orphan.as_ref().map(|orphan| runner.find_orphan(orphan))).collect::<Vec<_>>()
        });
        let found = looked.await.map_err(|panic| Error::new(ErrorKind::Foreign, panic_words(panic)))?;
        let (mut recoveries, mut ended) = (Vec::new(), HashMap::new());
        for (one, found) in suspects.iter().zip(found) {
            let occurrence = &one.occurrence;
            let (job, run) = (&occurrence.id.job, &occurrence.run);
            let finding = match found {
                None if !occurrence.is_running() => {
                    done.push(format!(
                        "run {run} of job `{job}` had not started when its process died: it is queued again"
                    ));
                    Finding::NeverStarted
                }
                Some(Some(process)) => {
                    if open.abandoned.iter().any(|abandoned| abandoned.occurrence.run == *run) {
                        let pid = process.pid;
                        done.push(format!(
                            "run {run} of job `{job}` outlived its daemon (pid {pid}): adopted as orphaned"
                        ));
                        recoveries.push(recovery(occurrence, Finding::Alive(Some(process.clone()))));
                    }
                    let mut alive = one.clone();
                    if let Some(orphan) = &mut alive.orphan {
                        orphan.process = Some(process);
                    }
                    self.adopt(&alive);
                    continue;
                }
                Some(None) | None => {
                    done.push(format!("run {run} of job `{job}` ended while nobody watched: recorded as unknown"));
                    let mut outcome = Outcome::new(RunResult::Unknown);
                    outcome.message =
                        Some("its process was gone when the next one looked; how it ended is not known".into());
                    if let Some(orphan) = &one.orphan {
                        ended.insert(run.clone(), (Arc::clone(&orphan.job), outcome.clone()));
                    }
                    Finding::Over(outcome)
                }
            };
            recoveries.push(recovery(occurrence, finding));
        }
        if !recoveries.is_empty() {
            let runs: Vec<RunId> = recoveries.iter().map(|recovery| recovery.run.clone()).collect();
            for (run, settled) in runs.iter().zip(self.options.store.recover(recoveries).await?) {
                match (settled, ended.get(run)) {
                    (Settled::Again { run: next, attempt, .. }, ended) => {
                        if let Some((job, outcome)) = ended {
                            self.options.runner.settled(job, run, outcome, true);
                        }
                        done.push(format!("run {run} is followed by attempt {attempt}, {next}"));
                    }
                    (Settled::Done, Some((job, outcome))) => self.tell(job, run, outcome).await,
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Writes the end of a tick, a turn or a record into the pulse. An error stays until the same thing has succeeded.
    pub(super) fn finished(&self, what: &'static str, error: Option<&Error>) {
        let cycle = self.cycle.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        let now = self.options.clock.now();
        let worst = {
            let mut errors = self.errors.lock();
            match error {
                None => {
                    if let Some(failure) = errors.remove(what).filter(|_| errors.is_empty()) {
                        let outage = Outage::new(OutageCause::Failing, failure.since, now);
                        self.witness.lock().note(outage.with_detail(failure.message));
                    }
                }
                Some(error) => {
                    let (since, count) = errors.get(what).map_or((now, 0), |before| (before.since, before.count));
                    if count == 0 {
                        tracing::error!(%error, "the {what} failed; it is tried again");
                    }
                    let message = format!("{what}: {error}");
                    errors.insert(what, Failure { message, since, count: count + 1 });
                }
            }
            errors.values().min_by_key(|error| error.since).cloned()
        };
        self.options.pulse.progress(|beat| {
            beat.cycle = cycle;
            if matches!(beat.phase, Phase::Starting | Phase::Ticking) {
                beat.phase = Phase::Idle;
            }
            beat.status = if worst.is_some() { Status::Error } else { Status::Ok };
            if worst.is_none() {
                beat.last_success_at = Some(now);
            }
            beat.error = worst;
        });
    }

    /// The provider did something.
    pub(super) fn provider_progress(&self) {
        self.options.pulse.provider_progress();
    }

    /// Whether the engine stands in for a provider that lets jobs become overdue. Not for the built-in, which can't, and not
    /// for standby, which is meant to.
    fn backstop(&self) -> bool {
        !matches!(self.options.pulse.current().provider.as_str(), "builtin" | "none" | "")
    }
}

/// Writes what is now on record into the log.
fn tell_of(outage: &Outage) {
    let detail = outage.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
    let what = format!("{} from {:.0} to {:.0}{detail}", outage.cause.words(), outage.from, outage.to);
    match outage.cause {
        // Told where it was found out, if it is worth a line.
        OutageCause::Stopped | OutageCause::Crashed | OutageCause::Rebooted | OutageCause::NoTick => {
            tracing::info!("{what}");
        }
        _ => tracing::warn!("{what}"),
    }
}

fn recovery(occurrence: &Occurrence, finding: Finding) -> Recovery {
    Recovery { run: occurrence.run.clone(), epoch: occurrence.epoch, finding }
}
