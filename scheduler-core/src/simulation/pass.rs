//! One pass of the engine, without its tasks and its disk: what dead daemons left, what is due, what waits, what ends.

use std::cmp::Reverse;

use jiff::SignedDuration;

use super::{Fire, Simulation, course::Running};
use crate::{
    Outcome, OwnerId, RunId, RunResult,
    occurrence::Cause,
    plan::plan,
    store::{Admission, Claim, Finding, Limits, Open, Recovery, Start, look_at},
};

impl Simulation {
    /// A daemon starts: it does what time has brought, and judges the runs of the one before.
    pub(super) fn begin(&mut self) {
        self.owner = Some(OwnerId::random(self.now));
        self.transact(|transaction| transaction.housekeep(None));
        let judged: Vec<Recovery> = self.look().abandoned.into_iter().map(|left| judged(&left.occurrence)).collect();
        self.transact(|transaction| {
            for recovery in judged {
                // Nobody else is alive.
                transaction.recover(recovery, |_| true);
            }
        });
        self.note_waiting();
    }

    /// Plans, admits, claims and starts, until there is nothing more to do now.
    pub(super) fn pass(&mut self) {
        let mut open = self.look();
        if open.housekeeping {
            self.transact(|transaction| transaction.housekeep(None));
            open = self.look();
        }
        let (now, limits) = (self.wall(), self.limits());
        let due = std::mem::take(&mut open.due).into_iter();
        let plans: Vec<Admission> = due
            .filter_map(|due| {
                let plan = plan(&due.job, &due.cursor, now)?;
                let (job, expected) = (due.job.id.clone(), due.cursor.next_at);
                Some(Admission { job, incarnation: due.incarnation, revision: due.revision, expected, plan })
            })
            .collect();
        if !plans.is_empty() {
            let won = self.transact(|transaction| {
                plans.into_iter().filter_map(|plan| transaction.admit(plan, &limits).ok()).collect::<Vec<_>>()
            });
            self.note_waiting();
            self.start(won.into_iter().flatten().collect());
            open = self.look();
        }
        // Each time round something ends or starts, and nothing new is due.
        while !open.cancel_requested.is_empty() || !open.startable.is_empty() {
            self.cancel(&open.cancel_requested);
            let claims = self.transact(|transaction| {
                open.startable.iter().filter_map(|run| transaction.claim(run, &limits)).collect::<Vec<_>>()
            });
            if claims.is_empty() && open.cancel_requested.is_empty() {
                break;
            }
            self.start(claims);
            open = self.look();
        }
        if open.queued > 0 && open.active >= limits.max_parallel {
            self.full_at.get_or_insert(self.now);
        }
    }

    /// Ends the runs whose time has come. Answers whether there were any.
    pub(super) fn end_runs(&mut self) -> bool {
        let mut any = false;
        while self.ends.peek().is_some_and(|Reverse((at, _))| *at <= self.now) {
            let Some(Reverse((_, run))) = self.ends.pop() else { break };
            // One that was cancelled has ended before.
            let Some(running) = self.running.remove(&run) else { continue };
            self.finish(&running.claim, if running.times_out { RunResult::TimedOut } else { RunResult::Succeeded });
            any = true;
        }
        if any {
            self.note_waiting();
        }
        any
    }

    fn finish(&mut self, claim: &Claim, result: RunResult) {
        self.transact(|transaction| transaction.finish(claim, Outcome::new(result)));
        self.ended(&claim.id.job);
    }

    /// Ends what is to end at once: how long a run takes to obey is nobody's to know.
    fn cancel(&mut self, runs: &[RunId]) {
        for run in runs {
            if let Some(running) = self.running.remove(run) {
                self.finish(&running.claim, RunResult::Cancelled);
            }
        }
    }

    fn start(&mut self, claims: Vec<Claim>) {
        let limits = self.limits();
        for claim in claims {
            let Start::Go(job) = self.transact(|transaction| transaction.start(&claim, &limits)) else { continue };
            let takes = self.scenario.duration(&job.id);
            let times_out = job.timeout.is_some_and(|most| most < takes);
            let lasts = job.timeout.map_or(takes, |most| most.min(takes));
            let end = self.now.saturating_add(SignedDuration::try_from(lasts).unwrap_or(SignedDuration::MAX));
            self.ends.push(Reverse((end.unwrap_or(jiff::Timestamp::MAX), claim.run.clone())));
            self.load.start(self.now);
            let waited = self
                .waiting
                .remove(&claim.run)
                .map_or(SignedDuration::ZERO, |since| self.now.duration_since(since).max(SignedDuration::ZERO));
            if let Some(tally) = self.tallies.of(&job.id) {
                tally.fires += 1;
                tally.late += u64::from(claim.cause == Cause::Late && claim.attempt == 1);
                tally.retries += u64::from(claim.attempt > 1);
                tally.waited += u64::from(waited.is_positive());
                tally.longest_wait = tally.longest_wait.max(waited);
                tally.open += 1;
                tally.max_open = tally.max_open.max(tally.open);
            }
            let Claim { at: owed_at, cause, attempt, .. } = claim;
            self.fires.push(Fire { at: self.now, job: job.id.clone(), owed_at, cause, attempt, waited });
            self.running.insert(claim.run.clone(), Running { claim, times_out });
        }
    }

    /// Remembers since when the queued ones wait; one that is put off, from then.
    fn note_waiting(&mut self) {
        let wall = self.wall();
        for occurrence in self.book.queued() {
            if !self.waiting.contains_key(&occurrence.run) {
                let put_off = occurrence.not_before.map_or(SignedDuration::ZERO, |at| at.duration_since(wall));
                let since = self.now.saturating_add(put_off.max(SignedDuration::ZERO)).unwrap_or(self.now);
                self.waiting.insert(occurrence.run.clone(), since);
            }
        }
    }

    fn look(&mut self) -> Open {
        let (now, limits) = (self.wall(), self.limits());
        let nobody = OwnerId::new("");
        let me = self.owner.as_ref().unwrap_or(&nobody);
        look_at(&mut self.book, now, &limits, me, &|owner| owner != me)
    }

    fn limits(&self) -> Limits {
        self.scenario.limits.clone()
    }
}

/// What a daemon finds of a run whose daemon was killed, and its processes with it.
fn judged(occurrence: &crate::occurrence::Occurrence) -> Recovery {
    let finding =
        if occurrence.is_running() { Finding::Over(Outcome::new(RunResult::Unknown)) } else { Finding::NeverStarted };
    Recovery { run: occurrence.run.clone(), epoch: occurrence.epoch, finding }
}
