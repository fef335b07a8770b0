//! What each job owed at any time: its definitions one after the other, and its pauses, as the events tell them.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use jiff::{SignedDuration, Timestamp};

use super::Outage;
use crate::{
    Job, JobId,
    job::JobDefaults,
    store::{
        Paused,
        definition::Definition,
        event::{Defined, Event},
    },
};

/// The lives of all jobs that ever were, and what happened to the scheduler meanwhile.
#[derive(Default)]
pub(crate) struct Lives {
    pub(crate) jobs: BTreeMap<JobId, Life>,
    pub(crate) outages: Vec<Outage>,
    defaults: Arc<JobDefaults>,
}

/// One job's.
#[derive(Default)]
pub(crate) struct Life {
    /// By the time they came into force.
    chapters: Vec<Chapter>,
    /// Oldest first; the last one may have no end.
    pauses: Vec<(Paused, Option<Timestamp>)>,
    /// Up to here instants may have come twice: a clock had run ahead.
    pub(crate) suspect_through: Option<Timestamp>,
}

/// A time during which one definition was in force.
pub(crate) struct Chapter {
    pub(crate) since: Timestamp,
    /// When another took its place, or none; `None` if it is in force.
    pub(crate) until: Option<Timestamp>,
    /// Whether the job was taken away then.
    pub(crate) removed: bool,
    pub(crate) incarnation: u32,
    pub(crate) revision: u64,
    definition: Definition,
    zone: String,
    anchor: Timestamp,
    defaults: Arc<JobDefaults>,
    /// The first instant that it owes and the last that it can owe, which may be before that one; none if it owes none.
    owes: Option<(Timestamp, Timestamp)>,
    job: OnceLock<Result<Job, String>>,
}

const NANO: SignedDuration = SignedDuration::from_nanos(1);
/// An edit leaves what was claimed ahead of its instant to the definition before.
const AHEAD: SignedDuration = SignedDuration::from_secs(1);

impl Lives {
    pub(crate) fn new(defaults: Arc<JobDefaults>) -> Self {
        Self { defaults, ..Self::default() }
    }

    /// Takes in the next event; those that tell nothing of this are passed over.
    pub(crate) fn take(&mut self, event: Event) {
        match event {
            Event::Defined(defined) => {
                let defaults = Arc::clone(&self.defaults);
                self.jobs.entry(defined.job.clone()).or_default().defined(*defined, defaults);
            }
            Event::Removed { job, at } => {
                let life = self.jobs.entry(job).or_default();
                life.end_chapter(at, None);
                if let Some(last) = life.chapters.last_mut() {
                    last.removed = true;
                }
                life.resumed(at);
            }
            Event::Paused(paused) => {
                let life = self.jobs.entry(paused.job.clone()).or_default();
                // A pause that takes the place of another begins where that one did.
                let since = life.pauses.last().filter(|(_, end)| end.is_none()).map(|(pause, _)| pause.at);
                if let Some(at) = since {
                    life.pauses.pop();
                    life.pauses.push((Paused { at, ..paused }, None));
                } else {
                    life.pauses.push((paused, None));
                }
            }
            Event::Resumed { job, at, .. } => self.jobs.entry(job).or_default().resumed(at),
            Event::Cursor { job, at, zone, next_at, .. } => {
                let life = self.jobs.entry(job).or_default();
                life.anew(at, next_at, |chapter| chapter.zone = zone);
            }
            Event::ClockRepaired { job, at, incarnation, suspect_through, next_at } => {
                let life = self.jobs.entry(job).or_default();
                life.suspect_through = life.suspect_through.max(Some(suspect_through));
                life.anew(at, next_at, |chapter| chapter.incarnation = incarnation);
            }
            Event::Outage(outage) => self.outages.push(outage),
            Event::Booted { .. }
            | Event::Definitions { .. }
            | Event::Admitted(_)
            | Event::Asked { .. }
            | Event::Run { .. } => {}
        }
    }
}

impl Life {
    fn defined(&mut self, defined: Defined, defaults: Arc<JobDefaults>) {
        self.end_chapter(defined.at, defined.next_at);
        self.chapters.push(Chapter {
            since: defined.at,
            until: None,
            removed: false,
            incarnation: defined.incarnation,
            revision: defined.revision,
            definition: defined.definition,
            zone: defined.zone,
            anchor: defined.anchor,
            defaults,
            owes: defined.next_at.map(|first| (first, Timestamp::MAX)),
            job: OnceLock::new(),
        });
    }

    /// The definition goes on, and its instants are others.
    fn anew(&mut self, at: Timestamp, next_at: Option<Timestamp>, change: impl FnOnce(&mut Chapter)) {
        self.end_chapter(at, next_at);
        let Some(last) = self.chapters.last() else { return };
        let mut chapter = Chapter {
            since: at,
            until: None,
            removed: false,
            incarnation: last.incarnation,
            revision: last.revision,
            definition: last.definition.clone(),
            zone: last.zone.clone(),
            anchor: last.anchor,
            defaults: Arc::clone(&last.defaults),
            owes: next_at.map(|first| (first, Timestamp::MAX)),
            job: OnceLock::new(),
        };
        change(&mut chapter);
        self.chapters.push(chapter);
    }

    /// What came by `at` is owed by the chapter that ends, but for what the next one goes on with.
    fn end_chapter(&mut self, at: Timestamp, next_owes_from: Option<Timestamp>) {
        let Some(last) = self.chapters.last_mut().filter(|last| last.until.is_none()) else { return };
        last.until = Some(at);
        let end = match next_owes_from.filter(|next| *next <= at) {
            Some(next) => next.checked_sub(NANO).unwrap_or(next),
            None => at,
        };
        last.owes = last.owes.map(|(first, _)| (first, end));
    }

    fn resumed(&mut self, at: Timestamp) {
        if let Some((_, end)) = self.pauses.last_mut() {
            end.get_or_insert(at);
        }
    }

    /// The chapters, oldest first.
    pub(crate) fn chapters(&self) -> &[Chapter] {
        &self.chapters
    }

    /// The one that was in force at `at`.
    pub(crate) fn in_force(&self, at: Timestamp) -> Option<&Chapter> {
        self.chapters.iter().rev().find(|chapter| chapter.since <= at && chapter.until.is_none_or(|until| at < until))
    }

    /// The pause during which `at` came.
    pub(crate) fn paused(&self, at: Timestamp) -> Option<&(Paused, Option<Timestamp>)> {
        self.pauses.iter().rev().find(|(pause, end)| pause.at <= at && end.is_none_or(|end| at <= end))
    }

    /// Whether the job owed the instant `at`.
    pub(crate) fn owed(&self, at: Timestamp) -> bool {
        self.chapters.iter().any(|chapter| chapter.owes.is_some_and(|owes| chapter.owed(at, owes)))
    }

    /// Whether the job owed it by a definition that went a moment before: it had been claimed by then.
    pub(crate) fn settled_ahead(&self, at: Timestamp) -> bool {
        let ahead = |last: Timestamp| Some((last.checked_add(NANO).ok()?, last.checked_add(AHEAD).ok()?));
        self.chapters.iter().any(|chapter| {
            let owes = chapter.owes.filter(|(first, _)| *first <= at).and_then(|(_, last)| ahead(last));
            owes.is_some_and(|owes| chapter.owed(at, owes))
        })
    }

    /// The first instant from `from` on that it owed, up to `to`.
    pub(crate) fn first(&self, from: Timestamp, to: Timestamp) -> Option<Timestamp> {
        Owed::new(self, from, to).peek()
    }

    /// The last instant up to `to` that it owed, from `from` on.
    pub(crate) fn last(&self, from: Timestamp, to: Timestamp) -> Option<Timestamp> {
        self.chapters.iter().rev().find_map(|chapter| {
            let (first, last) = chapter.owes?;
            let (first, last) = (first.max(from), last.min(to));
            if first > last { None } else { chapter.job().ok()?.newest(first, last) }
        })
    }
}

impl Chapter {
    /// The definition, checked; or why it can't be judged by.
    pub(crate) fn job(&self) -> Result<&Job, &str> {
        let check = || {
            let checked = self.definition.check(&self.defaults, &self.zone, self.anchor);
            checked.map_err(|error| error.to_string())
        };
        self.job.get_or_init(check).as_ref().map_err(String::as_str)
    }

    fn owed(&self, at: Timestamp, (first, last): (Timestamp, Timestamp)) -> bool {
        first <= at && at <= last && self.job().is_ok_and(|job| job.newest(at, at) == Some(at))
    }

    /// Whether it may owe something in `from..=to`.
    pub(crate) fn owes_within(&self, from: Timestamp, to: Timestamp) -> bool {
        self.owes.is_some_and(|(first, last)| first.max(from) <= last.min(to))
    }
}

/// The instants that a job owed within some time, one after the other.
pub(crate) struct Owed<'l> {
    life: &'l Life,
    /// The chapter that owes `next`, or the first that was not asked yet.
    chapter: usize,
    next: Option<Timestamp>,
    to: Timestamp,
}

impl<'l> Owed<'l> {
    pub(crate) fn new(life: &'l Life, from: Timestamp, to: Timestamp) -> Self {
        let mut owed = Self { life, chapter: 0, next: None, to };
        owed.find(from);
        owed
    }

    pub(crate) fn peek(&self) -> Option<Timestamp> {
        self.next
    }

    pub(crate) fn advance(&mut self) {
        let Some(next) = self.next else { return };
        if let Some(chapter) = self.life.chapters.get(self.chapter)
            && let (Ok(job), Some((_, last))) = (chapter.job(), chapter.owes)
            && let Some(at) = job.next_after(next).filter(|at| *at <= last.min(self.to))
        {
            self.next = Some(at);
            return;
        }
        self.chapter += 1;
        self.find(next.checked_add(NANO).unwrap_or(Timestamp::MAX));
    }

    /// The first instant at `from` or after it, in this chapter or a later one.
    fn find(&mut self, from: Timestamp) {
        self.next = None;
        while let Some(chapter) = self.life.chapters.get(self.chapter) {
            if let (Some((first, last)), Ok(job)) = (chapter.owes, chapter.job())
                && let Ok(before) = first.max(from).checked_sub(NANO)
                && let Some(at) = job.next_after(before).filter(|at| *at <= last.min(self.to))
            {
                self.next = Some(at);
                return;
            }
            self.chapter += 1;
        }
    }
}
