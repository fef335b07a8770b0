//! The state that events add up to: [`Book`], and [`Book::apply`], which is all that ever changes it.
//!
//! Pure: no clock, no file, no schedule arithmetic. The same events give the same book in every process. What is over leaves
//! the book through the `closed` sink; the book keeps of it only each job's last result.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{
    LedgerEntry,
    event::{Admitted, Defined, Event, Paused},
};
use crate::{
    Job, JobId, OccurrenceId, RunId,
    job::{JobDefaults, parse_definition},
    occurrence::{Cause, Change, Closing, Occurrence, SkipReason, State, transition},
    plan::{CLOCK_SLACK, Cursor},
};

/// All jobs and open occurrences of a store.
#[derive(Debug, Clone, Default)]
pub(crate) struct Book {
    defaults: Arc<JobDefaults>,
    jobs: BTreeMap<JobId, JobRecord>,
    open: BTreeMap<RunId, Occurrence>,
    /// Cursors of jobs that may fire, earliest first.
    due: BTreeSet<(Timestamp, JobId)>,
    /// Ends of pauses, earliest first.
    expiries: BTreeSet<(Timestamp, JobId)>,
    queued: BTreeSet<(Timestamp, RunId)>,
    cancel_requested: BTreeSet<RunId>,
    active: usize,
    active_late: usize,
    /// Events seen, with when: a redelivered one is the same one.
    event_keys: BTreeMap<OccurrenceId, (Timestamp, RunId)>,
    definitions_hash: Option<String>,
    /// How often a job was defined or removed.
    definitions: u64,
    boot_key: Option<String>,
    clock_repaired: Option<(Timestamp, JobId)>,
    /// Records that made no sense when they were replayed; they change nothing and are reported.
    anomalies: u64,
}

/// One job of the book, alive or (while its runs are open, and for its incarnation) removed.
#[derive(Debug, Clone)]
pub(crate) struct JobRecord {
    pub(crate) definition: Arc<Value>,
    /// The checked definition, or why this build can't take it.
    pub(crate) job: Result<Arc<Job>, String>,
    pub(crate) incarnation: u32,
    pub(crate) revision: u64,
    pub(crate) removed: bool,
    pub(crate) zone: String,
    pub(crate) anchor: Timestamp,
    pub(crate) defined_at: Timestamp,
    pub(crate) schedule_hash: u32,
    pub(crate) next_at: Option<Timestamp>,
    /// Instants up to here are settled.
    pub(crate) through: Option<Timestamp>,
    pub(crate) suspect_through: Option<Timestamp>,
    /// Stretches of instants that were settled as they came, oldest first, over all lives: should the clock be taken back,
    /// these have really been.
    pub(crate) lived: Vec<(Timestamp, Timestamp)>,
    pub(crate) paused: Option<Paused>,
    pub(crate) open: BTreeSet<RunId>,
    pub(crate) last: Option<Arc<LedgerEntry>>,
}

/// More stretches than a clock makes that is worth following.
const STRETCHES_KEPT: usize = 16;
/// How long a redelivered event stays harmless.
const EVENT_KEYS_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

impl Book {
    pub(crate) fn new(defaults: Arc<JobDefaults>) -> Self {
        Self { defaults, ..Self::default() }
    }

    /// Takes in one event; what is over by it goes to `closed`.
    pub(crate) fn apply(&mut self, event: &Event, closed: &mut dyn FnMut(LedgerEntry)) {
        match event {
            Event::Defined(defined) => {
                self.definitions += 1;
                self.defined(defined);
            }
            Event::Removed { job, at } => {
                self.definitions += 1;
                self.removed(job, *at, closed);
            }
            Event::Definitions { hash } => self.definitions_hash = Some(hash.clone()),
            Event::Paused(paused) => self.with_job(&paused.job, |record| record.paused = Some(paused.clone())),
            Event::Resumed { job, at, next_at, gap } => {
                if let Some(gap) = gap {
                    closed(LedgerEntry::gap(job.clone(), *at, gap.clone()));
                }
                self.with_job(job, |record| {
                    record.paused = None;
                    record.next_at = *next_at;
                    record.through = gap.as_ref().map(|gap| gap.to).max(record.through);
                });
            }
            Event::Admitted(admitted) => self.admitted(admitted, closed),
            Event::Asked { id, run, at, cause, skip } => self.asked(id, run, *at, *cause, *skip, closed),
            Event::Run { id, at, change } => self.changed(id, *at, change, closed),
            Event::Cursor { job, zone, schedule_hash, next_at, .. } => {
                let defaults = Arc::clone(&self.defaults);
                self.with_job(job, |record| {
                    record.zone.clone_from(zone);
                    record.schedule_hash = *schedule_hash;
                    record.next_at = *next_at;
                    record.job = build(&record.definition, &defaults, zone, record.anchor);
                });
            }
            Event::ClockRepaired { job, at, incarnation, suspect_through, next_at } => {
                self.clock_repaired = Some((*at, job.clone()));
                self.with_job(job, |record| {
                    record.incarnation = *incarnation;
                    record.suspect_through = Some(*suspect_through).max(record.suspect_through);
                    record.through = None;
                    record.defined_at = *at;
                    record.next_at = *next_at;
                });
            }
            Event::Booted { key, .. } => self.boot_key = Some(key.clone()),
        }
    }

    fn defined(&mut self, defined: &Defined) {
        let job = build(&defined.definition, &self.defaults, &defined.zone, defined.anchor);
        let fresh = JobRecord {
            definition: Arc::clone(&defined.definition),
            job,
            incarnation: defined.incarnation,
            revision: defined.revision,
            removed: false,
            zone: defined.zone.clone(),
            anchor: defined.anchor,
            defined_at: defined.at,
            schedule_hash: defined.schedule_hash,
            next_at: defined.next_at,
            through: None,
            suspect_through: None,
            lived: Vec::new(),
            paused: None,
            open: BTreeSet::new(),
            last: None,
        };
        let record = match self.jobs.get(&defined.job) {
            // The same life goes on under a new definition.
            Some(old) if old.incarnation == defined.incarnation && !old.removed => JobRecord {
                through: old.through,
                suspect_through: old.suspect_through,
                lived: old.lived.clone(),
                paused: old.paused.clone(),
                open: old.open.clone(),
                last: old.last.clone(),
                ..fresh
            },
            // Runs of an earlier life still count for overlap.
            Some(old) => JobRecord { open: old.open.clone(), ..fresh },
            None => fresh,
        };
        self.unindex(&defined.job);
        self.jobs.insert(defined.job.clone(), record);
        self.index(&defined.job);
    }

    fn removed(&mut self, job: &JobId, at: Timestamp, closed: &mut dyn FnMut(LedgerEntry)) {
        self.with_job(job, |record| {
            record.removed = true;
            record.paused = None;
            record.next_at = None;
        });
        let waiting: Vec<RunId> = self.open_of(job).filter(|o| !o.is_running()).map(|o| o.run.clone()).collect();
        for run in waiting {
            self.changed(&run, at, &Change::Skip(SkipReason::Removed), closed);
        }
    }

    fn admitted(&mut self, admitted: &Admitted, closed: &mut dyn FnMut(LedgerEntry)) {
        let (job, incarnation, at) = (&admitted.job, admitted.incarnation, admitted.at);
        for (run, reason) in &admitted.closed {
            self.changed(run, at, &Change::Skip(*reason), closed);
        }
        for gap in &admitted.gaps {
            closed(LedgerEntry::gap(job.clone(), at, gap.clone()));
        }
        for skip in &admitted.skips {
            let id = OccurrenceId::scheduled(job.clone(), incarnation, skip.at);
            let mut occurrence = Occurrence::queued(id, skip.run.clone(), skip.at, Cause::OnTime);
            occurrence.state = State::Closed(Closing::Skipped(skip.reason));
            occurrence.closed_at = Some(at);
            closed(LedgerEntry::closed(&occurrence, at));
        }
        for run in &admitted.runs {
            let id = OccurrenceId::scheduled(job.clone(), incarnation, run.at);
            self.insert(Occurrence::queued(id, run.run.clone(), run.at, run.cause));
            if let Some(claim) = &run.claim {
                self.changed(&run.run, at, &Change::Claim(claim.clone()), closed);
            }
        }
        self.with_job(job, |record| {
            record.live(admitted);
            record.through = Some(admitted.through);
            record.next_at = admitted.next_at;
        });
    }

    fn asked(
        &mut self,
        id: &OccurrenceId,
        run: &RunId,
        at: Timestamp,
        cause: Cause,
        skip: Option<SkipReason>,
        closed: &mut dyn FnMut(LedgerEntry),
    ) {
        if let Some(oldest) = at.checked_sub(EVENT_KEYS_KEPT).ok().filter(|_| self.event_keys.len() % 1024 == 1023) {
            self.event_keys.retain(|_, (seen, _)| *seen >= oldest);
        }
        self.event_keys.insert(id.clone(), (at, run.clone()));
        self.insert(Occurrence::queued(id.clone(), run.clone(), at, cause));
        if let Some(reason) = skip {
            self.changed(run, at, &Change::Skip(reason), closed);
        }
    }

    fn changed(&mut self, run: &RunId, at: Timestamp, change: &Change, closed: &mut dyn FnMut(LedgerEntry)) {
        let Some(before) = self.open.get(run) else {
            self.anomalies += 1;
            return;
        };
        let Ok(after) = transition(before, change, at) else {
            self.anomalies += 1;
            return;
        };
        self.remove(run);
        if let State::Closed(closing) = &after.state {
            let entry = LedgerEntry::closed(&after, at);
            if matches!(closing, Closing::Ran(_))
                && let Some(record) = self.jobs.get_mut(&after.id.job)
            {
                record.last = Some(Arc::new(entry.clone()));
            }
            closed(entry);
        } else {
            self.insert(after);
        }
    }

    fn insert(&mut self, occurrence: Occurrence) {
        if occurrence.is_active() {
            self.active += 1;
            self.active_late += usize::from(occurrence.cause == Cause::Late);
        }
        if occurrence.state == State::Queued {
            self.queued.insert((occurrence.at, occurrence.run.clone()));
        }
        if occurrence.cancel_requested {
            self.cancel_requested.insert(occurrence.run.clone());
        }
        if let Some(record) = self.jobs.get_mut(&occurrence.id.job) {
            record.open.insert(occurrence.run.clone());
        }
        self.open.insert(occurrence.run.clone(), occurrence);
    }

    fn remove(&mut self, run: &RunId) {
        let Some(occurrence) = self.open.remove(run) else { return };
        if occurrence.is_active() {
            self.active -= 1;
            self.active_late -= usize::from(occurrence.cause == Cause::Late);
        }
        self.queued.remove(&(occurrence.at, run.clone()));
        self.cancel_requested.remove(run);
        if let Some(record) = self.jobs.get_mut(&occurrence.id.job) {
            record.open.remove(run);
        }
    }

    /// Changes a record and keeps the indexes true.
    fn with_job(&mut self, job: &JobId, change: impl FnOnce(&mut JobRecord)) {
        self.unindex(job);
        if let Some(record) = self.jobs.get_mut(job) {
            change(record);
        } else {
            self.anomalies += 1;
        }
        self.index(job);
    }

    fn unindex(&mut self, job: &JobId) {
        if let Some(record) = self.jobs.get(job) {
            if let Some(next_at) = record.next_at {
                self.due.remove(&(next_at, job.clone()));
            }
            if let Some(until) = record.paused.as_ref().and_then(|paused| paused.until) {
                self.expiries.remove(&(until, job.clone()));
            }
        }
    }

    fn index(&mut self, job: &JobId) {
        if let Some(record) = self.jobs.get(job).filter(|record| !record.removed) {
            match (&record.paused, record.next_at) {
                (Some(paused), _) => {
                    if let Some(until) = paused.until {
                        self.expiries.insert((until, job.clone()));
                    }
                }
                (None, Some(next_at)) if record.job.is_ok() => {
                    self.due.insert((next_at, job.clone()));
                }
                _ => {}
            }
        }
    }
}

fn build(definition: &Value, defaults: &JobDefaults, zone: &str, anchor: Timestamp) -> Result<Arc<Job>, String> {
    parse_definition(definition, defaults, zone, anchor).map(Arc::new).map_err(|error| error.to_string())
}

/// Looking.
impl Book {
    pub(crate) fn defaults(&self) -> &Arc<JobDefaults> {
        &self.defaults
    }

    /// Other defaults from now on; definitions are read anew with them. Cursors are housekeeping's.
    pub(crate) fn set_defaults(&mut self, defaults: Arc<JobDefaults>) {
        self.defaults = defaults;
        for record in self.jobs.values_mut() {
            record.job = build(&record.definition, &self.defaults, &record.zone, record.anchor);
        }
    }

    /// How often a job was defined or removed.
    pub(crate) fn definitions(&self) -> u64 {
        self.definitions
    }

    /// Jobs that are in force, by id.
    pub(crate) fn jobs(&self) -> impl Iterator<Item = (&JobId, &JobRecord)> {
        self.jobs.iter().filter(|(_, record)| !record.removed)
    }

    pub(crate) fn job(&self, id: &JobId) -> Option<&JobRecord> {
        self.jobs.get(id).filter(|record| !record.removed)
    }

    /// The record of `id`, be it of a removed job.
    pub(crate) fn record(&self, id: &JobId) -> Option<&JobRecord> {
        self.jobs.get(id)
    }

    pub(crate) fn occurrence(&self, run: &RunId) -> Option<&Occurrence> {
        self.open.get(run)
    }

    pub(crate) fn open(&self) -> impl Iterator<Item = &Occurrence> {
        self.open.values()
    }

    pub(crate) fn open_of(&self, job: &JobId) -> impl Iterator<Item = &Occurrence> {
        self.jobs.get(job).into_iter().flat_map(|record| &record.open).filter_map(|run| self.open.get(run))
    }

    /// Queued occurrences, longest waiting first.
    pub(crate) fn queued(&self) -> impl Iterator<Item = &Occurrence> {
        self.queued.iter().filter_map(|(_, run)| self.open.get(run))
    }

    /// Jobs whose cursor is at or before `now`, earliest first.
    pub(crate) fn due(&self, now: Timestamp) -> impl Iterator<Item = (&JobId, &JobRecord)> {
        self.due
            .iter()
            .take_while(move |(next_at, _)| *next_at <= now)
            .filter_map(|(_, id)| self.jobs.get(id).map(|record| (id, record)))
    }

    pub(crate) fn expired_pauses(&self, now: Timestamp) -> impl Iterator<Item = &JobId> {
        self.expiries.iter().take_while(move |(until, _)| *until <= now).map(|(_, id)| id)
    }

    /// The next instant at which something happens by the clock.
    pub(crate) fn next_wakeup(&self) -> Option<Timestamp> {
        let due = self.due.first().map(|(at, _)| *at);
        let expiry = self.expiries.first().map(|(at, _)| *at);
        due.into_iter().chain(expiry).min()
    }

    /// Runs whose end was asked for.
    pub(crate) fn cancel_requested(&self) -> impl Iterator<Item = &RunId> {
        self.cancel_requested.iter()
    }

    pub(crate) fn active(&self) -> usize {
        self.active
    }

    pub(crate) fn active_late(&self) -> usize {
        self.active_late
    }

    /// The run that an event with this identity has had already.
    pub(crate) fn event_run(&self, id: &OccurrenceId) -> Option<&RunId> {
        self.event_keys.get(id).map(|(_, run)| run)
    }

    pub(crate) fn definitions_hash(&self) -> Option<&str> {
        self.definitions_hash.as_deref()
    }

    pub(crate) fn boot_key(&self) -> Option<&str> {
        self.boot_key.as_deref()
    }

    pub(crate) fn clock_repaired(&self) -> Option<&(Timestamp, JobId)> {
        self.clock_repaired.as_ref()
    }

    pub(crate) fn anomalies(&self) -> u64 {
        self.anomalies
    }

    /// What planning needs to know of a job's past.
    pub(crate) fn cursor(&self, id: &JobId, record: &JobRecord) -> Cursor {
        let mut outstanding: Vec<(RunId, Timestamp)> = self
            .open_of(id)
            .filter(|o| o.state == State::Queued && o.id.instant().is_some())
            .map(|o| (o.run.clone(), o.at))
            .collect();
        outstanding.sort_by_key(|(_, at)| *at);
        Cursor {
            next_at: record.next_at,
            suspect_through: record.suspect_through,
            lived: if record.suspect_through.is_some() { record.lived.clone() } else { Vec::new() },
            outstanding,
            busy: self.open_of(id).any(Occurrence::is_active),
        }
    }
}

impl JobRecord {
    /// The instant from which on this job's cursor was computed.
    pub(crate) fn settled_through(&self) -> Timestamp {
        self.through.map_or(self.defined_at, |through| through.max(self.defined_at))
    }

    /// Extends the stretch of instants that were settled as they came, or begins another after a long leap: that may have
    /// been the clock's, and what it leapt over has not been.
    fn live(&mut self, admitted: &Admitted) {
        let leapt = admitted.gaps.iter().any(|gap| gap.to.duration_since(gap.from) > CLOCK_SLACK);
        let landed = admitted.runs.iter().map(|run| run.at).chain(admitted.skips.iter().map(|skip| skip.at)).min();
        match self.lived.last_mut() {
            Some(stretch) if !leapt && self.through == Some(stretch.1) => stretch.1 = admitted.through,
            _ if leapt => self.lived.push((landed.unwrap_or(admitted.through), admitted.through)),
            _ => self.lived.push((self.settled_through(), admitted.through)),
        }
        if self.lived.len() > STRETCHES_KEPT {
            self.lived.remove(0);
        }
    }
}
