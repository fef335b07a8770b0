//! Whether an attempt that ended badly is followed by another: decided in the record of its end, by the definition in force.

use super::Transaction;
use crate::{
    Outcome, RunResult,
    job::{Delivery, Overlap},
    occurrence::{Occurrence, Retry, State},
};

impl Transaction<'_> {
    /// The attempt that follows `occurrence`, which ends with `outcome`; `None` if this is its end.
    pub(super) fn retry_of(&self, occurrence: &Occurrence, outcome: &Outcome) -> Option<Retry> {
        let id = &occurrence.id;
        let record = self.book.job(&id.job)?;
        if record.incarnation != id.incarnation || record.paused.is_some() || occurrence.cancel_requested {
            return None;
        }
        let job = self.book.check(record, &id.job).ok().filter(|job| job.enabled)?;
        let most = match outcome.result {
            RunResult::Failed | RunResult::TimedOut => job.retries.max,
            RunResult::Unknown if job.delivery == Delivery::AtLeastOnce => job.retries.max.max(1),
            RunResult::Succeeded | RunResult::Cancelled | RunResult::Unknown => 0,
        };
        let newer = |o: &Occurrence| o.state == State::Queued && o.last.is_none() && o.at > occurrence.at;
        let superseded = job.overlap != Overlap::Allow && self.book.open_of(&id.job).any(newer);
        if occurrence.attempt > most || superseded {
            return None;
        }
        let not_before = self.now.checked_add(job.retries.pause_after(occurrence.attempt)).unwrap_or(self.now);
        Some(Retry { run: self.new_run(), not_before })
    }
}
