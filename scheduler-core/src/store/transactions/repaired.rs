//! What becomes of a store's jobs and runs when a part of its records is lost: whatever may have happened has happened.
//!
//! Nobody can say what the lost frames settled. An instant that has passed may have been claimed in one, so none of them
//! fires any more; an occurrence that waits may have been started, so it doesn't.

use jiff::Timestamp;

use super::{
    super::{
        event::{Admitted, Defined, Event},
        record::Terms,
    },
    Candidate, Transaction,
    housekeeping::next_instant,
    look,
};
use crate::{
    JobId, Orphan, Outcome, ProcessRef, RunResult,
    job::build,
    occurrence::{Change, Occurrence, SkipReason, State},
    plan::Gap,
};

/// What became of what was open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) unknown: u64,
    pub(crate) orphaned: u64,
    pub(crate) skipped: u64,
}

impl Transaction<'_> {
    /// Ends what is open, unless `lives` finds a process of it, and settles every instant up to now. `boot` names this start
    /// of the machine: what waits for one waits for the next.
    pub(crate) fn settle_everything(
        &mut self,
        boot: Option<&str>,
        lives: &dyn Fn(&Orphan) -> Option<ProcessRef>,
    ) -> Ended {
        let mut ended = Ended::default();
        let open: Vec<Occurrence> = self.book.open().cloned().collect();
        for occurrence in open {
            let process = look::orphan(self.book, &occurrence).and_then(|orphan| lives(&orphan));
            let (change, count) = match (occurrence.is_running(), process) {
                (false, _) => (Change::Skip(SkipReason::Repaired), &mut ended.skipped),
                (true, None) => {
                    let outcome = Outcome {
                        message: Some(
                            "the store was repaired and its process is gone; how it ended is not known".into(),
                        ),
                        ..Outcome::new(RunResult::Unknown)
                    };
                    (Change::Abandon { epoch: occurrence.epoch, outcome, retry: None }, &mut ended.unknown)
                }
                (true, process) => {
                    let change = Change::Orphan { epoch: occurrence.epoch, process };
                    (change, &mut ended.orphaned)
                }
            };
            *count += 1;
            if !matches!((&occurrence.state, &change), (State::Orphaned(_), Change::Orphan { .. })) {
                self.change(&occurrence.run, change);
            }
        }
        let jobs: Vec<JobId> = self.book.jobs().map(|(id, _)| id.clone()).collect();
        for id in &jobs {
            self.settle_up_to_now(id);
        }
        if let Some(boot) = boot.filter(|boot| self.book.boot_key() != Some(boot)) {
            self.emit(Event::Booted { key: boot.to_owned(), at: self.now });
        }
        ended
    }

    /// Brings `candidate` into force whatever is known of its job, of which nothing but the past is believed.
    pub(crate) fn define_anew(&mut self, candidate: Candidate) {
        let Some(record) = self.book.job(&candidate.id) else { return };
        let (incarnation, revision, next_at) = (record.incarnation, record.revision + 1, record.next_at);
        let Candidate { id: job, definition, job: checked, zone, anchor } = candidate;
        let terms = Terms::of(&checked);
        let schedule_hash = definition.cursor_hash(&zone);
        let (at, build) = (self.now, build());
        self.emit(Event::Defined(Box::new(Defined {
            job,
            incarnation,
            revision,
            definition,
            zone,
            anchor,
            at,
            schedule_hash,
            build,
            next_at,
            terms,
        })));
    }

    fn settle_up_to_now(&mut self, id: &JobId) {
        let Some(record) = self.book.job(id) else { return };
        let job = self.book.check_unkept(record).ok().filter(|_| record.invalid.is_none());
        let through = record.settled_through().max(self.now);
        let passed = record.next_at.filter(|next_at| *next_at <= self.now);
        let newest = |from: Timestamp| job.as_ref().and_then(|job| job.newest(from, self.now)).unwrap_or(from);
        let gaps = passed.map(|from| Gap { reason: SkipReason::Repaired, from, to: newest(from) });
        let next_at = job.as_ref().and_then(|job| next_instant(job, through, record.started()));
        let admitted = Admitted {
            job: id.clone(),
            incarnation: record.incarnation,
            at: self.now,
            through,
            next_at,
            runs: Vec::new(),
            skips: Vec::new(),
            gaps: gaps.into_iter().collect(),
            closed: Vec::new(),
        };
        self.emit(Event::Admitted(Box::new(admitted)));
    }
}
