//! The state that events add up to: [`Book`], and [`Book::apply`], which is all that ever changes it.
//!
//! Pure: no clock, no file, no schedule arithmetic. The same events give the same book in every process. What is over leaves
//! the book through the `closed` sink; the book keeps of it only each job's last result.

mod salvage;
mod seed;
mod still;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap, btree_map::Entry},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub(crate) use self::still::{Line, Still};
use super::{
    LedgerEntry,
    event::{Admitted, Defined, Event},
    record::{JobRecord, Past},
};
use crate::{
    Job, JobId, OccurrenceId, RunId,
    job::{JobDefaults, build},
    occurrence::{Cause, Change, Closing, Occurrence, SkipReason, State, transition},
    plan::Cursor,
};

/// All jobs and open occurrences of a store.
#[derive(Debug, Clone, Default)]
pub(crate) struct Book {
    defaults: Arc<JobDefaults>,
    /// Each in a place of its own: the nodes of the tree are not full, a record is large, and a [`Still`] of all of them
    /// costs a pointer each.
    jobs: BTreeMap<JobId, Arc<JobRecord>>,
    /// The names of zones in use, each once.
    zones: Vec<Arc<str>>,
    /// Definitions that were asked for lately, checked. A memory of what the records say, and nothing else.
    checked: RefCell<HashMap<JobId, Arc<Job>>>,
    open: BTreeMap<RunId, Occurrence>,
    indexes: Indexes,
    queued: BTreeSet<(Timestamp, RunId)>,
    /// Those of them that may not start before an instant, by that.
    starts: BTreeSet<(Timestamp, RunId)>,
    cancel_requested: BTreeSet<RunId>,
    active: usize,
    active_late: usize,
    /// What is open of each group that has any of it.
    groups: BTreeMap<Arc<str>, Tally>,
    /// Events seen, with when: a redelivered one is the same one.
    event_keys: BTreeMap<OccurrenceId, (Timestamp, RunId)>,
    taken_in: Option<TakenIn>,
    /// How often a job was defined or removed.
    definitions: u64,
    boot_key: Option<String>,
    clock_repaired: Option<(Timestamp, JobId)>,
    /// Records that made no sense when they were replayed; they change nothing and are reported.
    anomalies: u64,
    /// Keeps no jobs.
    only_occurrences: bool,
    /// Whether another build wrote what is being restored.
    checked_by_another: bool,
}

/// How many checked definitions are kept at hand. More jobs than that are rarely due within a minute.
const CHECKED_KEPT: usize = 4096;
/// How long a redelivered event stays harmless.
const EVENT_KEYS_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

impl Book {
    pub(crate) fn new(defaults: Arc<JobDefaults>) -> Self {
        Self { defaults, ..Self::default() }
    }

    /// A book without jobs, for whoever wants only what ends: the same events close the same occurrences.
    pub(crate) fn of_occurrences() -> Self {
        Self { only_occurrences: true, ..Self::default() }
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
            Event::Definitions { hash, flawless } => {
                self.taken_in = Some(TakenIn { hash: hash.clone(), flawless: *flawless });
            }
            Event::Paused(paused) => {
                self.with_job(&paused.job, |record| record.paused = Some(Box::new(paused.clone())));
            }
            Event::Resumed { job, at, next_at, gap } => {
                if let Some(gap) = gap {
                    closed(LedgerEntry::gap(job.clone(), *at, gap.clone()));
                }
                self.with_job(job, |record| {
                    record.paused = None;
                    record.next_at = *next_at;
                    if let Some(gap) = gap {
                        let past = record.past_mut();
                        past.through = past.through.max(Some(gap.to));
                    }
                });
            }
            Event::Admitted(admitted) => self.admitted(admitted, closed),
            Event::Asked { id, run, at, cause, skip } => self.asked(id, run, *at, *cause, *skip, closed),
            Event::Run { id, at, change } => self.changed(id, *at, change, closed),
            Event::Cursor { job, zone, schedule_hash, next_at, .. } => {
                let zone = self.zone(zone);
                self.checked.get_mut().remove(job);
                self.with_job(job, |record| {
                    record.zone = zone;
                    record.schedule_hash = *schedule_hash;
                    record.next_at = *next_at;
                });
            }
            Event::ClockRepaired { job, at, incarnation, suspect_through, next_at } => {
                self.clock_repaired = Some((*at, job.clone()));
                self.with_job(job, |record| {
                    record.incarnation = *incarnation;
                    let past = record.past_mut();
                    past.suspect_through = past.suspect_through.max(Some(*suspect_through));
                    past.through = None;
                    record.defined_at = *at;
                    record.next_at = *next_at;
                });
            }
            Event::Booted { key, .. } => self.boot_key = Some(key.clone()),
            Event::Outage(_) => {}
        }
    }

    fn defined(&mut self, defined: &Defined) {
        if self.only_occurrences {
            return;
        }
        self.checked.get_mut().remove(&defined.job);
        // What this very build has taken in once needs no second look: it is checked when it is asked for.
        let invalid = (defined.build != build())
            .then(|| defined.definition.check(&self.defaults, &defined.zone, defined.anchor).err())
            .flatten();
        let fresh = JobRecord {
            definition: defined.definition.clone(),
            invalid: invalid.map(|error| error.to_string().into()),
            incarnation: defined.incarnation,
            revision: defined.revision,
            removed: false,
            zone: self.zone(&defined.zone),
            anchor: defined.anchor,
            defined_at: defined.at,
            schedule_hash: defined.schedule_hash,
            next_at: defined.next_at,
            terms: defined.terms.clone(),
            past: None,
            paused: None,
        };
        // What is open goes along into another group.
        let regrouped = self.record(&defined.job).filter(|old| old.group() != fresh.group());
        let regrouped: Vec<RunId> = regrouped.into_iter().flat_map(JobRecord::open).cloned().collect();
        let regrouped: Vec<Occurrence> = regrouped.iter().filter_map(|run| self.remove(run)).collect();
        match self.jobs.entry(defined.job.clone()) {
            Entry::Vacant(place) => {
                let record = place.insert(Arc::new(fresh));
                self.indexes.add(&defined.job, record);
            }
            Entry::Occupied(mut place) => {
                self.indexes.remove(&defined.job, place.get());
                let old = JobRecord::clone(place.get());
                *place.get_mut() = Arc::new(if old.incarnation == defined.incarnation && !old.removed {
                    // The same life goes on under a new definition.
                    JobRecord { past: old.past, paused: old.paused, ..fresh }
                } else {
                    // Runs of an earlier life still count for overlap.
                    let past = old.past.map(|past| Box::new(Past { open: past.open, ..Past::default() }));
                    JobRecord { past, ..fresh }
                });
                self.indexes.add(&defined.job, place.get());
            }
        }
        for occurrence in regrouped {
            self.insert(occurrence);
        }
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
            let queued = Occurrence::queued(id, run.run.clone(), run.at, run.cause);
            self.insert(Occurrence { not_before: run.not_before, ..queued });
            if let Some(claim) = &run.claim {
                self.changed(&run.run, at, &Change::Claim(claim.clone()), closed);
            }
        }
        self.with_job(job, |record| {
            record.live(admitted);
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
        let over = after
            .last
            .as_deref()
            .filter(|_| after.attempt > before.attempt)
            .map(|last| LedgerEntry::attempt(before, last.outcome.clone(), at, after.not_before.unwrap_or(at)));
        if matches!(change, Change::Start { .. })
            && before.attempt == 1
            && let Some(record) = self.jobs.get_mut(&before.id.job).filter(|r| r.incarnation == before.id.incarnation)
        {
            Arc::make_mut(record).past_mut().started += 1;
        }
        let _ = self.remove(run);
        if let Some(entry) = over {
            closed(entry);
        }
        if let State::Closed(closing) = &after.state {
            let entry = LedgerEntry::closed(&after, at);
            if matches!(closing, Closing::Ran(_) | Closing::GaveUp { .. })
                && let Some(record) = self.jobs.get_mut(&after.id.job)
            {
                Arc::make_mut(record).past_mut().last = Some(Arc::new(entry.clone()));
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
            self.starts.extend(occurrence.not_before.map(|at| (at, occurrence.run.clone())));
        }
        if occurrence.cancel_requested {
            self.cancel_requested.insert(occurrence.run.clone());
        }
        if let Some(record) = self.jobs.get_mut(&occurrence.id.job) {
            Arc::make_mut(record).past_mut().open.insert(occurrence.run.clone());
            if let Some(group) = record.group() {
                let tally = self.groups.entry(Arc::clone(group)).or_default();
                *tally.of(&occurrence) += 1;
            }
        }
        self.open.insert(occurrence.run.clone(), occurrence);
    }

    fn remove(&mut self, run: &RunId) -> Option<Occurrence> {
        let occurrence = self.open.remove(run)?;
        if occurrence.is_active() {
            self.active -= 1;
            self.active_late -= usize::from(occurrence.cause == Cause::Late);
        }
        self.queued.remove(&(occurrence.at, run.clone()));
        if let Some(at) = occurrence.not_before {
            self.starts.remove(&(at, run.clone()));
        }
        self.cancel_requested.remove(run);
        if let Some(record) = self.jobs.get_mut(&occurrence.id.job).filter(|record| record.past.is_some()) {
            Arc::make_mut(record).past_mut().open.remove(run);
            if let Some(group) = record.group()
                && let Some(tally) = self.groups.get_mut(group)
            {
                *tally.of(&occurrence) -= 1;
                if *tally == Tally::default() {
                    self.groups.remove(group);
                }
            }
        }
        Some(occurrence)
    }

    /// Changes a record and keeps the indexes true.
    fn with_job(&mut self, job: &JobId, change: impl FnOnce(&mut JobRecord)) {
        if let Some(record) = self.jobs.get_mut(job) {
            self.indexes.remove(job, record);
            change(Arc::make_mut(record));
            self.indexes.add(job, record);
        } else {
            self.anomalies += 1;
        }
    }
}

/// What is open of a group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// How many hold a place.
    pub(crate) active: usize,
    /// How many are queued.
    pub(crate) queued: usize,
}

impl Tally {
    fn of(&mut self, occurrence: &Occurrence) -> &mut usize {
        if occurrence.is_active() { &mut self.active } else { &mut self.queued }
    }
}

/// What is sorted by time and counted, beside the records that it comes from.
#[derive(Debug, Clone, Default)]
struct Indexes {
    /// When jobs that may fire are due, earliest first.
    due: BTreeSet<(Timestamp, JobId)>,
    /// Ends of pauses, earliest first.
    expiries: BTreeSet<(Timestamp, JobId)>,
    /// How many jobs are in force.
    in_force: usize,
}

impl Indexes {
    fn remove(&mut self, job: &JobId, record: &JobRecord) {
        self.in_force -= usize::from(!record.removed);
        if let Some(due_at) = record.due_at() {
            self.due.remove(&(due_at, job.clone()));
        }
        if let Some(until) = record.paused.as_ref().and_then(|paused| paused.until) {
            self.expiries.remove(&(until, job.clone()));
        }
    }

    fn add(&mut self, job: &JobId, record: &JobRecord) {
        if record.removed {
            return;
        }
        self.in_force += 1;
        match (&record.paused, record.due_at()) {
            (Some(paused), _) => {
                if let Some(until) = paused.until {
                    self.expiries.insert((until, job.clone()));
                }
            }
            (None, Some(due_at)) if record.invalid.is_none() => {
                self.due.insert((due_at, job.clone()));
            }
            _ => {}
        }
    }
}

/// A text of `jobs.json` that has been taken in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TakenIn {
    pub(crate) hash: String,
    /// Nothing was wrong with it, by the judgement of the build that is part of the hash.
    pub(crate) flawless: bool,
}

/// Definitions, checked when they are asked for.
impl Book {
    /// The checked definition of `record`, or why this build can't take it.
    pub(crate) fn check(&self, record: &JobRecord, id: &JobId) -> Result<Arc<Job>, String> {
        if let Some(why) = &record.invalid {
            return Err(why.to_string());
        }
        if let Some(job) = self.checked.borrow().get(id) {
            return Ok(Arc::clone(job));
        }
        let job = Arc::new(self.check_unkept(record)?);
        let mut checked = self.checked.borrow_mut();
        if checked.len() == CHECKED_KEPT {
            checked.clear();
        }
        checked.insert(id.clone(), Arc::clone(&job));
        Ok(job)
    }

    /// The same for whoever goes over all jobs once.
    pub(crate) fn check_unkept(&self, record: &JobRecord) -> Result<Job, String> {
        let checked = record.definition.check(&self.defaults, &record.zone, record.anchor);
        checked.map_err(|error| error.to_string())
    }

    /// A definition that was good once is so no longer: its zone has gone from the machine, say. It is due no more.
    pub(crate) fn spoil(&mut self, id: &JobId, why: &str) {
        self.with_job(id, |record| record.invalid = Some(why.into()));
    }

    fn zone(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.zones.iter().find(|zone| &***zone == name) {
            return Arc::clone(known);
        }
        self.zones.push(name.into());
        name.into()
    }
}

/// Looking.
impl Book {
    pub(crate) fn defaults(&self) -> &Arc<JobDefaults> {
        &self.defaults
    }

    /// Other defaults from now on; definitions are read anew with them. Cursors are housekeeping's.
    pub(crate) fn set_defaults(&mut self, defaults: Arc<JobDefaults>) {
        self.defaults = defaults;
        self.checked.get_mut().clear();
    }

    /// How often a job was defined or removed.
    pub(crate) fn definitions(&self) -> u64 {
        self.definitions
    }

    /// Jobs that are in force, by id.
    pub(crate) fn jobs(&self) -> impl Iterator<Item = (&JobId, &JobRecord)> {
        self.jobs.iter().map(|(id, record)| (id, &**record)).filter(|(_, record)| !record.removed)
    }

    pub(crate) fn job(&self, id: &JobId) -> Option<&JobRecord> {
        self.record(id).filter(|record| !record.removed)
    }

    /// The record of `id`, be it of a removed job.
    pub(crate) fn record(&self, id: &JobId) -> Option<&JobRecord> {
        self.jobs.get(id).map(|record| &**record)
    }

    pub(crate) fn occurrence(&self, run: &RunId) -> Option<&Occurrence> {
        self.open.get(run)
    }

    pub(crate) fn open(&self) -> impl Iterator<Item = &Occurrence> {
        self.open.values()
    }

    pub(crate) fn open_of<'a>(&'a self, job: &'a JobId) -> impl Iterator<Item = &'a Occurrence> {
        let of_its_record = self.record(job).into_iter().flat_map(JobRecord::open).filter_map(|run| self.open.get(run));
        let all = self.only_occurrences.then(|| self.open.values()).into_iter().flatten();
        of_its_record.chain(all.filter(move |occurrence| occurrence.id.job == *job))
    }

    /// Queued occurrences, longest waiting first.
    pub(crate) fn queued(&self) -> impl Iterator<Item = &Occurrence> {
        self.queued.iter().filter_map(|(_, run)| self.open.get(run))
    }

    /// Jobs that are due at `now`, earliest first.
    pub(crate) fn due(&self, now: Timestamp) -> impl Iterator<Item = (&JobId, &JobRecord)> {
        self.soonest().take_while(move |(_, record)| record.due_at().is_some_and(|due_at| due_at <= now))
    }

    pub(crate) fn expired_pauses(&self, now: Timestamp) -> impl Iterator<Item = &JobId> {
        self.indexes.expiries.iter().take_while(move |(until, _)| *until <= now).map(|(_, id)| id)
    }

    /// The next instant after `now` at which something happens by the clock; what is due by now counts until it is settled.
    pub(crate) fn next_wakeup(&self, now: Timestamp) -> Option<Timestamp> {
        let due = self.indexes.due.first().map(|(at, _)| *at);
        let expiry = self.indexes.expiries.first().map(|(at, _)| *at);
        due.into_iter().chain(expiry).chain(self.next_start(now)).min()
    }

    /// The next instant after `now` before which something queued may not start. One that has passed is no news: it waits
    /// for a place.
    pub(crate) fn next_start(&self, now: Timestamp) -> Option<Timestamp> {
        let after = now.checked_add(SignedDuration::from_nanos(1)).ok()?;
        self.starts.range((after, RunId::new(""))..).next().map(|(at, _)| *at)
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

    /// The group of `job`, be it a removed one.
    pub(crate) fn group_of(&self, job: &JobId) -> Option<&str> {
        self.record(job).and_then(JobRecord::group).map(|group| &**group)
    }

    /// What is open of `group`.
    pub(crate) fn tally(&self, group: &str) -> Tally {
        self.groups.get(group).copied().unwrap_or_default()
    }

    /// The run that an event with this identity has had already.
    pub(crate) fn event_run(&self, id: &OccurrenceId) -> Option<&RunId> {
        self.event_keys.get(id).map(|(_, run)| run)
    }

    /// The text of `jobs.json` that was taken in last.
    pub(crate) fn taken_in(&self) -> Option<&TakenIn> {
        self.taken_in.as_ref()
    }

    /// How many jobs are in force.
    pub(crate) fn in_force(&self) -> usize {
        self.indexes.in_force
    }

    /// How many jobs wait for an instant.
    pub(crate) fn waiting(&self) -> usize {
        self.indexes.due.len()
    }

    /// Jobs that wait for an instant, earliest first.
    pub(crate) fn soonest(&self) -> impl Iterator<Item = (&JobId, &JobRecord)> {
        self.indexes.due.iter().filter_map(|(_, id)| self.record(id).map(|record| (id, record)))
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
            .filter(|o| o.state == State::Queued && o.last.is_none() && o.id.instant().is_some())
            .map(|o| (o.run.clone(), o.at))
            .collect();
        outstanding.sort_by_key(|(_, at)| *at);
        let waiting = self.open_of(id).filter(|o| o.state == State::Queued);
        let retries = waiting.filter_map(|o| Some((o.run.clone(), o.last.as_deref()?.clone()))).collect();
        let suspect = record.past.as_ref().filter(|past| past.suspect_through.is_some());
        Cursor {
            next_at: record.next_at,
            suspect_through: suspect.and_then(|past| past.suspect_through),
            lived: suspect.map(|past| past.lived.clone()).unwrap_or_default(),
            outstanding,
            retries,
            busy: self.open_of(id).any(Occurrence::is_active),
        }
    }
}
