//! Definitions come into force, change and go; jobs are paused and resumed.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    super::{
        Admission, Edit, JobView, Limits,
        definition::Definition,
        edit::with_remarks_of,
        event::{Defined, Event, Paused},
        record::{JobRecord, Terms},
    },
    Transaction,
    housekeeping::next_instant,
    look,
};
use crate::{
    Error, ErrorKind, Job, JobId, Result, RunId,
    job::{EntryError, JobDefaults, build, parse_definition},
    occurrence::{Change, SkipReason},
    plan::{Gap, settle},
};

/// Where definitions are written for people, beside the book.
pub(crate) trait Paper {
    /// The entry of `id`.
    fn entry(&self, id: &JobId) -> Option<&Value>;
    /// Writes an entry, in the place of the one with its id if there is one.
    fn put(&mut self, id: &JobId, entry: Value);
    /// Takes every entry of `id` away.
    fn remove(&mut self, id: &JobId);
}

/// None: the book is all there is.
impl Paper for () {
    fn entry(&self, _: &JobId) -> Option<&Value> {
        None
    }

    fn put(&mut self, _: &JobId, _: Value) {}

    fn remove(&mut self, _: &JobId) {}
}

impl Transaction<'_> {
    /// Brings `candidate` into force. Answers whether that changed anything.
    pub(crate) fn define(&mut self, candidate: Candidate) -> bool {
        let Candidate { id, definition, job, zone, anchor } = candidate;
        let known = self.book.record(&id);
        let old = known.filter(|record| !record.removed);
        if old.is_some_and(|old| old.definition == definition || old.definition.value() == definition.value()) {
            return false;
        }
        let terms = Terms::of(&job);
        if old.is_some_and(|old| delay(old.terms.as_deref()) != delay(terms.as_deref())) {
            // What the old jitter puts off now is neither late nor early by the new one.
            self.settle_under_old_definition(&id);
        }
        let known = self.book.record(&id);
        let old = known.filter(|record| !record.removed);
        let same_schedule = old.filter(|old| {
            *old.zone == *zone && self.book.check(old, &id).is_ok_and(|before| owes_the_same(&before, &job))
        });
        let (anchor, next_at, moved) = match same_schedule {
            Some(old) => (old.anchor, old.next_at, false),
            // A job never owes anything for the time before it was defined, nor twice what was claimed ahead of its instant.
            None => {
                let settled = old.map_or(self.now, |old| old.settled_through().max(self.now));
                (anchor, next_instant(&job, settled, old.map_or(0, JobRecord::started)), old.is_some())
            }
        };
        let (incarnation, revision) = match (old, known) {
            (Some(old), _) => (old.incarnation, old.revision + 1),
            (None, Some(removed)) => (removed.incarnation + 1, 1),
            (None, None) => (1, 1),
        };
        if moved {
            self.settle_under_old_definition(&id);
        }
        let schedule_hash = definition.cursor_hash(&zone);
        self.emit(Event::Defined(Box::new(Defined {
            job: id.clone(),
            incarnation,
            revision,
            definition,
            zone,
            anchor,
            at: self.now,
            schedule_hash,
            build: build(),
            next_at,
            terms,
        })));
        if !job.enabled {
            self.skip_waiting(&id, SkipReason::Disabled);
        }
        true
    }

    /// Carries `edit` out, whole or (with an error) not to be kept. `paper` is what people read and write.
    pub(crate) fn edit(&mut self, paper: &mut impl Paper, edit: &Edit) -> Result<Vec<JobView>> {
        let parts = edit.parts();
        let ids = parts.ids()?;
        for (id, seen) in parts.seen {
            if self.entry(paper, id) != *seen {
                let what = format!("job `{id}` has been changed by somebody else meanwhile");
                return Err(Error::new(ErrorKind::Changed, what).hint(format!("look at it again: `sched show {id}`")));
            }
        }
        let mut removed = Vec::new();
        for id in parts.remove {
            if self.entry(paper, id).is_none() {
                return Err(Error::new(ErrorKind::NotFound, format!("no job `{id}`")).hint("see `sched list`"));
            }
            removed.extend(self.views(std::slice::from_ref(id)));
            paper.remove(id);
            if self.book.job(id).is_some() {
                self.remove(id);
            }
        }
        for (id, entry) in ids.iter().zip(parts.put) {
            let old = self.entry(paper, id);
            match (&old, parts.there) {
                (Some(_), Some(false)) => return Err(exists(id)),
                (None, Some(true)) => {
                    return Err(Error::new(ErrorKind::NotFound, format!("no job `{id}`")).hint("see `sched list`"));
                }
                _ => {}
            }
            let entry = with_remarks_of(old.as_ref(), entry);
            let invalid = |error: EntryError| Error::new(ErrorKind::Invalid, format!("job `{id}`: {error}"));
            self.define(Candidate::check(&entry, self.book.defaults(), self.now).map_err(invalid)?);
            if old.as_ref() != Some(&entry) || paper.entry(id).is_none() {
                paper.put(id, entry);
            }
        }
        let mut views = self.views(&ids);
        views.append(&mut removed);
        Ok(views)
    }

    /// The entry of `id` as people have it: on paper, where one that could not be taken in counts too, or else in force.
    fn entry(&self, paper: &impl Paper, id: &JobId) -> Option<Value> {
        paper.entry(id).cloned().or_else(|| self.book.job(id).map(|record| record.definition.value()))
    }

    /// Instants that came before an edit are owed by the definition they came under: an edit alone drops nothing.
    fn settle_under_old_definition(&mut self, id: &JobId) {
        let Some(record) = self.book.job(id).filter(|record| record.paused.is_none()) else { return };
        let Ok(job) = self.book.check(record, id) else { return };
        let cursor = self.book.cursor(id, record);
        let (incarnation, revision, expected) = (record.incarnation, record.revision, record.next_at);
        if let Some(plan) = settle(&job, &cursor, self.now) {
            let _ = self.admit(Admission { job: id.clone(), incarnation, revision, expected, plan }, &Limits::NO_PLACE);
        }
    }

    fn skip_waiting(&mut self, id: &JobId, reason: SkipReason) {
        let waiting: Vec<RunId> = self.book.open_of(id).filter(|o| !o.is_running()).map(|o| o.run.clone()).collect();
        for run in waiting {
            self.change(&run, Change::Skip(reason));
        }
    }

    pub(crate) fn remove(&mut self, id: &JobId) {
        // What was due by now closes as removed, with a record of its own.
        self.settle_under_old_definition(id);
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
            let paused = self.record(id)?.paused.as_deref();
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
            let (next_at, gap) = match self.book.check(record, id) {
                Ok(job) => after_pause(&job, record, self.now),
                Err(_) => (None, None),
            };
            self.emit(Event::Resumed { job: id.clone(), at: self.now, next_at, gap });
            changed.push(id.clone());
        }
        Ok(changed)
    }

    /// Views of `jobs`, as they are after this change.
    pub(crate) fn views(&self, jobs: &[JobId]) -> Vec<JobView> {
        jobs.iter().filter_map(|id| self.book.job(id).map(|record| look::view(self.book, id, record))).collect()
    }
}

/// An entry that has been checked and may come into force.
pub(crate) struct Candidate {
    pub(crate) id: JobId,
    pub(super) definition: Definition,
    pub(super) job: Job,
    pub(super) zone: String,
    pub(super) anchor: Timestamp,
}

impl Candidate {
    /// Checks an entry. Pure: it may be done ahead, beside a transaction.
    pub(crate) fn check(entry: &Value, defaults: &JobDefaults, now: Timestamp) -> Result<Self, EntryError> {
        let own_zone = entry.get("timezone").and_then(Value::as_str);
        let zone = own_zone.unwrap_or_else(|| defaults.zone_name()).to_owned();
        // Whole seconds: nobody wants to read `every 5m` as 10:00:07.602385757.
        let anchor = Timestamp::from_second(now.as_second()).unwrap_or(now);
        let job = parse_definition(entry, defaults, &zone, anchor)?;
        Ok(Self { id: job.id.clone(), definition: Definition::new(entry), job, zone, anchor })
    }

    /// What of a candidate that was checked on another thread outlives it, in memory of this thread: what another one's heap
    /// has given out for a moment is not given back while anything beside it stays.
    pub(crate) fn copied_here(self) -> Self {
        Self { id: self.id.copied_here(), definition: self.definition.copied_here(), ..self }
    }
}

fn delay(terms: Option<&Terms>) -> u64 {
    terms.map_or(0, |terms| terms.delay_ms)
}

/// Whether two definitions owe the same instants.
fn owes_the_same(one: &Job, other: &Job) -> bool {
    let bounds = |job: &Job| (job.enabled, job.max_runs, job.start_at, job.end_at);
    one.schedule.text() == other.schedule.text() && bounds(one) == bounds(other)
}

/// The refusal of an id that is taken.
fn exists(id: &JobId) -> Error {
    let error = Error::new(ErrorKind::Exists, format!("job `{id}` is there already"));
    error.hint(format!("choose another `--name`, or `sched remove {id}` first"))
}

/// Resume never catches up: what passed is one gap, and the cursor moves behind now.
fn after_pause(job: &Job, record: &JobRecord, now: Timestamp) -> (Option<Timestamp>, Option<Gap>) {
    // By the clock of the job: what its jitter has put off until after the pause is none of the past's.
    let now = job.own_time(now);
    let gap = record.next_at.filter(|next_at| *next_at <= now).map(|from| {
        let to = job.newest(from, now).unwrap_or(from);
        Gap { reason: SkipReason::Paused, from, to }
    });
    let next_at = if gap.is_some() { job.next_after(now) } else { record.next_at };
    (next_at, gap)
}
