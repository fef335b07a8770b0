//! A book made of what somebody saw of the jobs, for a look ahead.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Book, JobRecord, Past};
use crate::store::{JobView, definition::Definition, record::Terms};

impl Book {
    /// Takes in a job as it was seen, with its pause and how often it has started; what came before `from` is settled, and
    /// nothing of it is open. An invalid one is left out: it owes nothing.
    pub(crate) fn seed(&mut self, view: &JobView, from: Timestamp) {
        let Ok(job) = &view.job else { return };
        let settled = from.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(from);
        let definition = Definition::new(&view.definition);
        let owes = job.enabled && job.max_runs.is_none_or(|most| view.started < most);
        let record = JobRecord {
            terms: Terms::of(job),
            schedule_hash: definition.cursor_hash(&view.zone),
            definition,
            invalid: None,
            incarnation: view.incarnation,
            revision: view.revision,
            removed: false,
            zone: self.zone(&view.zone),
            anchor: view.anchor,
            defined_at: settled,
            next_at: owes.then(|| job.next_after(settled)).flatten(),
            past: Some(Box::new(Past { started: view.started, ..Past::default() })),
            paused: view.paused.clone().map(Box::new),
        };
        self.indexes.add(&view.id, &record);
        self.jobs.insert(view.id.clone(), Arc::new(record));
    }
}
