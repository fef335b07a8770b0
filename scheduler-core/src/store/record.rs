//! What a book keeps of one job. There is one of these for every job, due or not, so what most jobs don't have costs them a
//! pointer.

use std::{collections::BTreeSet, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    LedgerEntry,
    definition::Definition,
    event::{Admitted, Paused},
};
use crate::{Job, RunId, plan::CLOCK_SLACK};

/// One job of the book, alive or (while its runs are open, and for its incarnation) removed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct JobRecord {
    pub(crate) definition: Definition,
    /// Why this build can't take the definition, if it can't.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) invalid: Option<Box<str>>,
    pub(crate) incarnation: u32,
    pub(crate) revision: u64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) removed: bool,
    pub(crate) zone: Arc<str>,
    pub(crate) anchor: Timestamp,
    pub(crate) defined_at: Timestamp,
    pub(crate) schedule_hash: u32,
    pub(crate) next_at: Option<Timestamp>,
    /// What of its definition counts before that is checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) terms: Option<Box<Terms>>,
    /// What it has been through; a job that was never due has no past.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) past: Option<Box<Past>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) paused: Option<Box<Paused>>,
}

/// What of a definition must be known without checking it: the book sorts and counts by it. Most have none of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Terms {
    /// How much later than its instants it starts, in milliseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) delay_ms: u64,
    /// With whom it shares places.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) group: Option<Arc<str>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over like this")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Terms {
    /// Those of `job`, if it has any.
    pub(crate) fn of(job: &Job) -> Option<Box<Self>> {
        let delay_ms = u64::try_from(job.delay().as_millis()).unwrap_or(u64::MAX);
        (delay_ms > 0 || job.group.is_some()).then(|| Box::new(Self { delay_ms, group: job.group.clone() }))
    }
}

/// What a job has been through, and what it is going through.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Past {
    /// Instants up to here are settled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) through: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) suspect_through: Option<Timestamp>,
    /// Stretches of instants that were settled as they came, oldest first, over all lives: should the clock be taken back,
    /// these have really been.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) lived: Vec<(Timestamp, Timestamp)>,
    /// How many of its occurrences have started, in this life of it.
    pub(crate) started: u32,
    /// The last of its runs that is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last: Option<Arc<LedgerEntry>>,
    /// Its open occurrences. Not written down with the rest: the occurrences say whose they are.
    #[serde(skip)]
    pub(crate) open: BTreeSet<RunId>,
}

/// More stretches than a clock makes that is worth following.
const STRETCHES_KEPT: usize = 16;

impl JobRecord {
    /// The instant from which on this job's cursor was computed.
    pub(crate) fn settled_through(&self) -> Timestamp {
        self.through().map_or(self.defined_at, |through| through.max(self.defined_at))
    }

    /// When its next instant is due: when it is to start.
    pub(crate) fn due_at(&self) -> Option<Timestamp> {
        let delay = self.terms.as_ref().map_or(0, |terms| terms.delay_ms);
        let delay = SignedDuration::from_millis(i64::try_from(delay).unwrap_or(i64::MAX));
        self.next_at.map(|next_at| next_at.saturating_add(delay).unwrap_or(next_at))
    }

    /// With whom it shares places.
    pub(crate) fn group(&self) -> Option<&Arc<str>> {
        self.terms.as_ref().and_then(|terms| terms.group.as_ref())
    }

    pub(crate) fn through(&self) -> Option<Timestamp> {
        self.past.as_ref().and_then(|past| past.through)
    }

    pub(crate) fn started(&self) -> u32 {
        self.past.as_ref().map_or(0, |past| past.started)
    }

    pub(crate) fn last(&self) -> Option<&Arc<LedgerEntry>> {
        self.past.as_ref().and_then(|past| past.last.as_ref())
    }

    pub(crate) fn open(&self) -> impl Iterator<Item = &RunId> {
        self.past.iter().flat_map(|past| &past.open)
    }

    pub(crate) fn past_mut(&mut self) -> &mut Past {
        self.past.get_or_insert_default()
    }

    /// Extends the stretch of instants that were settled as they came, or begins another after a long leap: that may have
    /// been the clock's, and what it leapt over has not been.
    pub(crate) fn live(&mut self, admitted: &Admitted) {
        let settled = self.settled_through();
        let leapt = admitted.gaps.iter().any(|gap| gap.to.duration_since(gap.from) > CLOCK_SLACK);
        let landed = admitted.runs.iter().map(|run| run.at).chain(admitted.skips.iter().map(|skip| skip.at)).min();
        let past = self.past_mut();
        match past.lived.last_mut() {
            Some(stretch) if !leapt && past.through == Some(stretch.1) => stretch.1 = admitted.through,
            _ if leapt => past.lived.push((landed.unwrap_or(admitted.through), admitted.through)),
            _ => past.lived.push((settled, admitted.through)),
        }
        if past.lived.len() > STRETCHES_KEPT {
            past.lived.remove(0);
        }
        past.through = Some(admitted.through);
    }
}
