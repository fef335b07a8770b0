//! What is allowed: each store operation as a function over a [`Transaction`], which compares with the book and emits events.
//!
//! Pure but for the ids it draws. A store runs these one after the other under its lock, writes what they emitted as one
//! frame, and answers only when that is durable.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::{
    Abandoned, Admission, Ask, Asked, Cancelled, Claim, DueJob, Finding, JobView, LedgerEntry, Limits, Lost, Open,
    Recovery, Start,
    book::{Book, JobRecord},
    event::{Admitted, AdmittedRun, AdmittedSkip, Defined, Event, Paused},
};
use crate::{
    Error, ErrorKind, Job, JobId, OccurrenceId, OccurrenceKind, Orphan, Outcome, OwnerId, ProcessRef, Result, RunId,
    Token,
    job::{EntryError, MisfirePolicy, Overlap, parse_definition, schedule_hash},
    occurrence::{Cause, Change, Claimed, Occurrence, SkipReason, State, transition},
    plan::{CLOCK_SLACK, Gap, ON_TIME, Plan, Planned, grace, plan},
    schedule::Kind,
};

/// A change in the making: the book as it already is after this change's own events.
pub(crate) struct Transaction<'a> {
    pub(crate) book: &'a mut Book,
    pub(crate) now: Timestamp,
    pub(crate) owner: &'a OwnerId,
    /// What the change consists of.
    pub(crate) events: Vec<Event>,
    /// What it closed.
    pub(crate) closed: Vec<LedgerEntry>,
    /// Whether it must be durable before it is answered.
    pub(crate) durable: bool,
    /// Whether this process has taken claims by it.
    pub(crate) claimed: bool,
}

impl<'a> Transaction<'a> {
    pub(crate) fn new(book: &'a mut Book, now: Timestamp, owner: &'a OwnerId) -> Self {
        Self { book, now, owner, events: Vec::new(), closed: Vec::new(), durable: true, claimed: false }
    }

    pub(crate) fn emit(&mut self, event: Event) {
        let closed = &mut self.closed;
        self.book.apply(&event, &mut |entry| closed.push(entry));
        self.events.push(event);
    }

    /// Changes an occurrence, if that is a step from where it stands.
    fn change(&mut self, run: &RunId, change: Change) -> bool {
        let Some(occurrence) = self.book.occurrence(run) else { return false };
        if transition(occurrence, &change, self.now).is_err() {
            return false;
        }
        self.emit(Event::Run { id: run.clone(), at: self.now, change });
        true
    }

    fn record(&self, id: &JobId) -> Result<&JobRecord> {
        self.book
            .job(id)
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("no job `{id}`")).hint("see `sched list`"))
    }
}

/// Definitions.
impl Transaction<'_> {
    /// Brings `definition` into force as what `id` is from now on. Answers whether that changed anything.
    pub(crate) fn define(&mut self, id: &JobId, definition: &Value) -> Result<bool, EntryError> {
        let defaults = Arc::clone(self.book.defaults());
        let old = self.book.job(id).cloned();
        if old.as_ref().is_some_and(|old| *old.definition == *definition) {
            return Ok(false);
        }
        let own_zone = definition.get("timezone").and_then(Value::as_str);
        let zone = own_zone.unwrap_or_else(|| defaults.zone_name()).to_owned();
        // Whole seconds: nobody wants to read `every 5m` as 10:00:07.602385757.
        let fresh = Timestamp::from_second(self.now.as_second()).unwrap_or(self.now);
        let job = parse_definition(definition, &defaults, &zone, fresh)?;
        let same_schedule = old.as_ref().filter(|old| {
            old.job.as_ref().is_ok_and(|before| {
                before.schedule.text() == job.schedule.text() && old.zone == zone && before.enabled == job.enabled
            })
        });
        let (anchor, hash, next_at) = match same_schedule {
            Some(old) => (old.anchor, old.schedule_hash, old.next_at),
            None => (fresh, schedule_hash(&job, &zone), first_instant(&job, self.now)),
        };
        if same_schedule.is_none() {
            self.settle_under_old_definition(id);
        }
        let (incarnation, revision) = match (&old, self.book.record(id)) {
            (Some(old), _) => (old.incarnation, old.revision + 1),
            (None, Some(removed)) => (removed.incarnation + 1, 1),
            (None, None) => (1, 1),
        };
        self.emit(Event::Defined(Box::new(Defined {
            job: id.clone(),
            incarnation,
            revision,
            definition: Arc::new(definition.clone()),
            zone,
            anchor,
            at: self.now,
            schedule_hash: hash,
            next_at,
        })));
        if !job.enabled {
            self.skip_waiting(id, SkipReason::Disabled);
        }
        Ok(true)
    }

    /// Instants that came before an edit are owed by the definition they came under: an edit alone drops nothing.
    fn settle_under_old_definition(&mut self, id: &JobId) {
        let Some(record) = self.book.job(id).filter(|record| record.paused.is_none()) else { return };
        let Ok(job) = record.job.clone() else { return };
        let cursor = self.book.cursor(id, record);
        let (incarnation, revision, expected) = (record.incarnation, record.revision, record.next_at);
        if let Some(plan) = plan(&job, &cursor, self.now) {
            let none = Limits { max_parallel: 0, catch_up: 0 };
            let _ = self.admit(Admission { job: id.clone(), incarnation, revision, expected, plan }, none);
        }
    }

    fn skip_waiting(&mut self, id: &JobId, reason: SkipReason) {
        let waiting: Vec<RunId> = self.book.open_of(id).filter(|o| !o.is_running()).map(|o| o.run.clone()).collect();
        for run in waiting {
            self.change(&run, Change::Skip(reason));
        }
    }

    pub(crate) fn remove(&mut self, id: &JobId) {
        self.emit(Event::Removed { job: id.clone(), at: self.now });
    }

    pub(crate) fn pause(
        &mut self,
        jobs: &[JobId],
        until: Option<Timestamp>,
        reason: Option<&str>,
    ) -> Result<Vec<JobId>> {
        let mut changed = Vec::new();
        for id in jobs {
            let paused = self.record(id)?.paused.clone();
            if paused.is_some_and(|paused| paused.until == until && paused.reason.as_deref() == reason) {
                continue;
            }
            let paused = Paused { job: id.clone(), at: self.now, until, reason: reason.map(str::to_owned) };
            self.emit(Event::Paused(paused));
            changed.push(id.clone());
        }
        Ok(changed)
    }

    pub(crate) fn resume(&mut self, jobs: &[JobId]) -> Result<Vec<JobId>> {
        let mut changed = Vec::new();
        for id in jobs {
            let record = self.record(id)?;
            if record.paused.is_none() {
                continue;
            }
            let (next_at, gap) = match &record.job {
                Ok(job) => after_pause(job, record, self.now),
                Err(_) => (None, None),
            };
            self.emit(Event::Resumed { job: id.clone(), at: self.now, next_at, gap });
            changed.push(id.clone());
        }
        Ok(changed)
    }

    /// Views of `jobs`, as they are after this change.
    pub(crate) fn views(&self, jobs: &[JobId]) -> Vec<JobView> {
        jobs.iter().filter_map(|id| self.book.job(id).map(|record| view(self.book, id, record))).collect()
    }
}

/// A job never owes anything for the time before it was defined.
fn first_instant(job: &Job, now: Timestamp) -> Option<Timestamp> {
    job.enabled.then(|| job.schedule.next_after(now, &job.time_zone)).flatten()
}

/// Resume never catches up: what passed is one gap, and the cursor moves behind now.
fn after_pause(job: &Job, record: &JobRecord, now: Timestamp) -> (Option<Timestamp>, Option<Gap>) {
    let gap = record.next_at.filter(|next_at| *next_at <= now).map(|from| {
        let to = job.schedule.newest(from, now, &job.time_zone).unwrap_or(from);
        Gap { reason: SkipReason::Paused, from, to }
    });
    let next_at = if gap.is_some() { job.schedule.next_after(now, &job.time_zone) } else { record.next_at };
    (next_at, gap)
}

/// Occurrences.
impl Transaction<'_> {
    pub(crate) fn admit(&mut self, admission: Admission, limits: Limits) -> Result<Vec<Claim>, Lost> {
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
        let (mut runs, mut skips) = (Vec::new(), Vec::new());
        for (at, planned) in admit {
            let run = RunId::random(self.now);
            match planned {
                Planned::Run(cause) => runs.push(AdmittedRun { at, run, cause, claim: None }),
                Planned::Skip(reason) => skips.push(AdmittedSkip { at, run, reason }),
            }
        }
        // Admission and claim are one record where there is a place for the first of them; the rest waits its turn.
        let claims = self.claim_first(&id, incarnation, runs.first_mut(), limits);
        let closed = close.into_iter().filter(|(run, _)| self.book.occurrence(run).is_some_and(|o| !o.is_active()));
        let closed = closed.collect();
        let at = self.now;
        let admitted = Admitted { job: id, incarnation, at, through, next_at, runs, skips, gaps, closed };
        self.emit(Event::Admitted(Box::new(admitted)));
        Ok(claims)
    }

    fn claim_first(
        &mut self,
        id: &JobId,
        incarnation: u32,
        first: Option<&mut AdmittedRun>,
        limits: Limits,
    ) -> Vec<Claim> {
        let Some(first) = first else { return Vec::new() };
        let occurrence = Occurrence::queued(
            OccurrenceId::scheduled(id.clone(), incarnation, first.at),
            first.run.clone(),
            first.at,
            first.cause,
        );
        if self.place_for(&occurrence, limits) != Ok(()) {
            return Vec::new();
        }
        let claimed = self.new_claim();
        first.claim = Some(claimed.clone());
        vec![claim_of(&occurrence, claimed.token, 1)]
    }

    fn new_claim(&mut self) -> Claimed {
        self.claimed = true;
        Claimed { owner: self.owner.clone(), token: Token::random() }
    }

    /// Whether `occurrence` could run now, its own place not counted.
    fn place_for(&self, occurrence: &Occurrence, limits: Limits) -> Result<(), NoPlace> {
        let Some(record) = self.book.job(&occurrence.id.job) else { return Err(NoPlace::Never(SkipReason::Removed)) };
        if record.incarnation != occurrence.id.incarnation {
            // Removal closed what was waiting; only a repaired clock leaves some of an earlier life.
            return Err(NoPlace::Never(SkipReason::ClockRepaired));
        }
        let Ok(job) = &record.job else { return Err(NoPlace::NotNow) };
        if occurrence.cause != Cause::Forced {
            if !job.enabled {
                return Err(NoPlace::Never(SkipReason::Disabled));
            }
            if record.paused.is_some() {
                return Err(NoPlace::Never(SkipReason::Paused));
            }
            if job.misfire.policy == MisfirePolicy::Skip
                && occurrence.id.kind == OccurrenceKind::Scheduled
                && self.now.duration_since(occurrence.at) > grace(job, occurrence.at).max(ON_TIME)
            {
                return Err(NoPlace::Never(SkipReason::Misfire));
            }
            let others =
                self.book.open_of(&occurrence.id.job).filter(|o| o.run != occurrence.run && o.is_active()).count();
            let most = match job.overlap {
                Overlap::Forbid => 1,
                Overlap::Allow => job.max_parallel.map_or(usize::MAX, |most| most as usize),
            };
            if others >= most {
                return Err(NoPlace::NotNow);
            }
        }
        let own = usize::from(self.book.occurrence(&occurrence.run).is_some_and(Occurrence::is_active));
        if self.book.active() - own >= limits.max_parallel {
            return Err(NoPlace::NotNow);
        }
        let late = occurrence.cause == Cause::Late;
        if late && self.book.active_late() - own >= limits.catch_up {
            return Err(NoPlace::NotNow);
        }
        Ok(())
    }

    pub(crate) fn ask(&mut self, request: Ask) -> Result<Asked> {
        let Ask { job: id, kind, key, force } = request;
        let record = self.record(&id)?;
        let job = record.job.as_ref().map_err(|why| {
            Error::new(ErrorKind::Invalid, format!("job `{id}` is invalid: {why}")).hint("run `sched validate`")
        })?;
        let occurrence = OccurrenceId { job: id.clone(), incarnation: record.incarnation, kind, key: key.into() };
        if let Some(known) = self.book.event_run(&occurrence) {
            return Ok(Asked::Known(known.clone()));
        }
        let busy = self.book.open_of(&id).any(Occurrence::is_active);
        let reasons = [
            (!job.enabled, SkipReason::Disabled),
            (record.paused.is_some(), SkipReason::Paused),
            (busy && job.overlap == Overlap::Forbid, SkipReason::Overlap),
        ];
        let skip = reasons.into_iter().find(|(holds, _)| *holds && !force).map(|(_, reason)| reason);
        let run = RunId::random(self.now);
        let cause = if force { Cause::Forced } else { Cause::Asked };
        self.emit(Event::Asked { id: occurrence, run: run.clone(), at: self.now, cause, skip });
        Ok(skip.map_or(Asked::Queued(run.clone()), |reason| Asked::Skipped(run, reason)))
    }

    pub(crate) fn claim(&mut self, run: &RunId, limits: Limits) -> Option<Claim> {
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

    pub(crate) fn start(&mut self, claim: &Claim, limits: Limits) -> Start {
        let Some(occurrence) = self.book.occurrence(&claim.run).cloned() else { return Start::Lost };
        if let State::Running(claimed, None) = &occurrence.state
            && claimed.token == claim.token
            && occurrence.epoch == claim.epoch
        {
            // The answer to the first asking was lost on its way; only the holder of the token can ask again.
            let job = self.book.job(&claim.id.job).and_then(|record| record.job.clone().ok());
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
        let job = self.book.job(&claim.id.job).and_then(|record| record.job.clone().ok());
        let Some(job) = job else { return Start::Lost };
        self.change(&claim.run, start);
        Start::Go(job)
    }

    pub(crate) fn spawned(&mut self, claim: &Claim, process: ProcessRef) {
        self.durable = false;
        self.change(&claim.run, Change::Spawned { token: claim.token.clone(), process });
    }

    pub(crate) fn finish(&mut self, claim: &Claim, outcome: Outcome) -> bool {
        self.durable = false;
        self.change(&claim.run, Change::Finish { token: claim.token.clone(), epoch: claim.epoch, outcome })
    }

    pub(crate) fn cancel(&mut self, run: &RunId) -> Result<Cancelled> {
        let not_open =
            || Error::new(ErrorKind::NotFound, format!("run `{run}` is not open")).hint("see `sched history`");
        let running = self.book.occurrence(run).ok_or_else(not_open)?.is_running();
        self.change(run, Change::RequestCancel);
        Ok(if running { Cancelled::Requested } else { Cancelled::Closed })
    }

    /// Settles one abandoned run; `owner_is_dead` is asked again under the lock.
    pub(crate) fn recover(&mut self, recovery: Recovery, owner_is_dead: impl Fn(&OwnerId) -> bool) -> bool {
        let Recovery { run, epoch, finding } = recovery;
        let Some(occurrence) = self.book.occurrence(&run) else { return false };
        if occurrence.owner().is_some_and(|owner| !owner_is_dead(owner)) {
            return false;
        }
        self.change(
            &run,
            match finding {
                Finding::NeverStarted => Change::Requeue { epoch },
                Finding::Alive(process) => Change::Orphan { epoch, process },
                Finding::Over(outcome) => Change::Abandon { epoch, outcome },
            },
        )
    }
}

/// What time alone brings.
impl Transaction<'_> {
    pub(crate) fn housekeep(&mut self, boot: Option<&str>) -> Vec<String> {
        let mut done = Vec::new();
        let expired: Vec<JobId> = self.book.expired_pauses(self.now).cloned().collect();
        for id in self.resume(&expired).unwrap_or_default() {
            done.push(format!("the pause of job `{id}` is over"));
        }
        self.repair_cursors(&mut done);
        if let Some(boot) = boot.filter(|boot| self.book.boot_key() != Some(boot)) {
            self.emit(Event::Booted { key: boot.to_owned(), at: self.now });
            let reboot: Vec<JobId> = self.book.jobs().filter(|(_, r)| is_reboot(r)).map(|(id, _)| id.clone()).collect();
            for job in reboot {
                let ask = Ask { job: job.clone(), kind: OccurrenceKind::Reboot, key: boot.to_owned(), force: false };
                if let Ok(Asked::Queued(run)) = self.ask(ask) {
                    done.push(format!("the machine was started: job `{job}` runs as {run}"));
                }
            }
        }
        done
    }

    fn repair_cursors(&mut self, done: &mut Vec<String>) {
        let mut repairs = Vec::new();
        for (id, record) in self.book.jobs() {
            let Ok(job) = &record.job else { continue };
            let settled = record.settled_through();
            if settled.duration_since(self.now) > CLOCK_SLACK {
                let next_at = job.schedule.next_after(self.now, &job.time_zone);
                let next_at = next_at.filter(|_| job.enabled);
                repairs.push(Event::ClockRepaired {
                    job: id.clone(),
                    at: self.now,
                    incarnation: record.incarnation + 1,
                    suspect_through: settled,
                    next_at,
                });
                done.push(format!(
                    "the clock once stood at {settled} or later and was taken back: job `{id}` starts afresh from now"
                ));
                continue;
            }
            let zone = match record.definition.get("timezone") {
                Some(_) => record.zone.as_str(),
                None => self.book.defaults().zone_name(),
            };
            let job = if zone == record.zone {
                Arc::clone(job)
            } else {
                match parse_definition(&record.definition, self.book.defaults(), zone, record.anchor) {
                    Ok(job) => Arc::new(job),
                    Err(_) => continue,
                }
            };
            let hash = schedule_hash(&job, zone);
            let lost = record.next_at.is_none() && job.enabled && owes_by_the_clock(&job);
            let computed = || job.schedule.next_after(settled, &job.time_zone).filter(|_| job.enabled);
            if hash != record.schedule_hash || lost && computed().is_some() {
                let next_at = computed();
                if hash != record.schedule_hash {
                    done.push(format!(
                        "the next instant of job `{id}` was computed anew: its zone or that zone's rules changed"
                    ));
                }
                let (zone, at) = (zone.to_owned(), self.now);
                repairs.push(Event::Cursor { job: id.clone(), at, zone, schedule_hash: hash, next_at });
            }
        }
        for repair in repairs {
            self.emit(repair);
        }
    }
}

fn owes_by_the_clock(job: &Job) -> bool {
    !matches!(job.schedule.kind(), Kind::Reboot | Kind::Manual)
}

fn is_reboot(record: &JobRecord) -> bool {
    record.job.as_ref().is_ok_and(|job| job.enabled && job.schedule.kind() == Kind::Reboot)
}

/// Why there is no place for an occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NoPlace {
    /// Something else is in the way; it waits.
    NotNow,
    /// It will never run.
    Never(SkipReason),
}

fn claim_of(occurrence: &Occurrence, token: Token, epoch: u32) -> Claim {
    Claim {
        run: occurrence.run.clone(),
        id: occurrence.id.clone(),
        at: occurrence.at,
        cause: occurrence.cause,
        attempt: occurrence.attempt,
        token,
        epoch,
    }
}

/// What is open in `book` at `now`; `is_dead` says which owners are gone.
pub(crate) fn open(
    book: &mut Book,
    now: Timestamp,
    limits: Limits,
    owner: &OwnerId,
    is_dead: &dyn Fn(&OwnerId) -> bool,
) -> Open {
    let mut open = Open { active: book.active(), next_wakeup: book.next_wakeup(), ..Open::default() };
    for (id, record) in book.due(now) {
        if let Ok(job) = &record.job {
            open.due.push(DueJob {
                job: Arc::clone(job),
                incarnation: record.incarnation,
                revision: record.revision,
                cursor: book.cursor(id, record),
            });
        }
    }
    for occurrence in book.open() {
        let abandoned = || Abandoned { occurrence: occurrence.clone(), orphan: orphan(book, occurrence) };
        match (&occurrence.state, occurrence.owner()) {
            (State::Claimed(claimed), Some(us)) if us == owner => {
                open.claimed_here.push(claim_of(occurrence, claimed.token.clone(), occurrence.epoch));
            }
            (State::Orphaned(_), _) => open.orphaned.push(abandoned()),
            (_, Some(other)) if other != owner && is_dead(other) => open.abandoned.push(abandoned()),
            _ => {}
        }
    }
    open.cancel_requested = book.cancel_requested().cloned().collect();
    open.housekeeping = book.expired_pauses(now).next().is_some();
    let queued: Vec<Occurrence> = book.queued().cloned().collect();
    open.queued = queued.len();
    let look = Transaction::new(book, now, owner);
    let room = limits.max_parallel.saturating_sub(open.active);
    // A claim that turns out to be `Never` closes the occurrence, so those are handed out too.
    open.startable = queued
        .iter()
        .filter(|occurrence| look.place_for(occurrence, limits) != Err(NoPlace::NotNow))
        .map(|occurrence| occurrence.run.clone())
        .take(room)
        .collect();
    open
}

fn orphan(book: &Book, occurrence: &Occurrence) -> Option<Orphan> {
    let job = book.record(&occurrence.id.job)?.job.clone().ok()?;
    occurrence.is_running().then(|| Orphan::new(occurrence.run.clone(), job, occurrence.process().cloned()))
}

/// A job for people.
pub(crate) fn view(book: &Book, id: &JobId, record: &JobRecord) -> JobView {
    JobView {
        id: id.clone(),
        job: record.job.clone(),
        definition: Arc::clone(&record.definition),
        incarnation: record.incarnation,
        revision: record.revision,
        zone: record.zone.clone(),
        defined_at: record.defined_at,
        next_at: record.next_at,
        settled_through: record.settled_through(),
        paused: record.paused.clone(),
        open: book.open_of(id).cloned().collect(),
        last: record.last.clone(),
    }
}
