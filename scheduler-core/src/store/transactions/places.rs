//! Whether there is a place for an occurrence now: its time, pause, overlap, the job's own limit, its group's, all jobs', and
//! the bound on catch-up runs.

use jiff::Timestamp;

use super::{super::Limits, Transaction, housekeeping::is_over};
use crate::{
    JobId, OccurrenceKind, RunId,
    job::{MisfirePolicy, Overlap},
    occurrence::{Cause, Change, Occurrence, SkipReason},
    plan::{ON_TIME, grace},
};

impl Transaction<'_> {
    /// Whether `occurrence` could run now, its own place not counted.
    pub(super) fn place_for(&self, occurrence: &Occurrence, limits: &Limits) -> Result<(), NoPlace> {
        self.place_at(occurrence, limits, self.now)
    }

    /// The same for one that would start at `now`, a moment ahead maybe.
    pub(super) fn place_at(&self, occurrence: &Occurrence, limits: &Limits, now: Timestamp) -> Result<(), NoPlace> {
        let Some(record) = self.book.job(&occurrence.id.job) else { return Err(NoPlace::Never(SkipReason::Removed)) };
        if record.incarnation != occurrence.id.incarnation {
            // Removal closed what was waiting; only a repaired clock leaves some of an earlier life.
            return Err(NoPlace::Never(SkipReason::ClockRepaired));
        }
        if occurrence.not_before.is_some_and(|at| at > now) {
            // First of what may have changed by then: a pause that is over when its time comes was none of its business.
            return Err(NoPlace::NotNow);
        }
        let Ok(job) = self.book.check(record, &occurrence.id.job) else { return Err(NoPlace::NotNow) };
        if occurrence.cause != Cause::Forced {
            if !job.enabled {
                return Err(NoPlace::Never(SkipReason::Disabled));
            }
            if record.paused.is_some() {
                return Err(NoPlace::Never(SkipReason::Paused));
            }
            if occurrence.last.is_none() && is_over(&job, record.started()) {
                return Err(NoPlace::Never(SkipReason::Limit));
            }
            // What was put off on purpose is not late for that.
            let wanted_at = occurrence.not_before.map_or(occurrence.at, |at| at.max(occurrence.at));
            if job.misfire.policy == MisfirePolicy::Skip
                && occurrence.id.kind == OccurrenceKind::Scheduled
                && now.duration_since(wanted_at) > grace(&job, occurrence.at).max(ON_TIME)
            {
                return Err(NoPlace::Never(SkipReason::Misfire));
            }
            let others =
                self.book.open_of(&occurrence.id.job).filter(|o| o.run != occurrence.run && o.is_active()).count();
            let most = match job.overlap {
                Overlap::Forbid | Overlap::Queue | Overlap::Replace => 1,
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
        if let Some(group) = record.group()
            && limits.groups.most(group).is_some_and(|most| self.book.tally(group).active - own >= most)
        {
            return Err(NoPlace::NotNow);
        }
        let late = occurrence.cause == Cause::Late;
        if late && self.book.active_late() - own >= limits.catch_up {
            return Err(NoPlace::NotNow);
        }
        Ok(())
    }
}

impl Transaction<'_> {
    /// Makes room for new occurrences of a job that replaces what is open: what runs is to end, of whatever life and owner
    /// it is, and what has not started never will. The new ones have their place when nothing of the old is left.
    pub(super) fn make_room(&mut self, job: &JobId, new: &[RunId]) {
        let others = self.book.open_of(job).filter(|o| !new.contains(&o.run) && !o.replaced);
        let others: Vec<(RunId, bool)> = others.map(|o| (o.run.clone(), o.is_running())).collect();
        for (run, runs) in others {
            self.change(&run, if runs { Change::Replace } else { Change::Skip(SkipReason::Superseded) });
        }
    }
}

/// Why there is no place for an occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoPlace {
    /// Something else is in the way; it waits.
    NotNow,
    /// It will never run.
    Never(SkipReason),
}
