//! One job's instants against its entries, in the order in which these were written.
//!
//! Instants are passed one by one as entries name them. What is passed without an entry is missing for as long as none comes:
//! runs end in another order than they were owed in. Missing instants are kept as stretches, so a night without a record
//! costs as much as a minute.

use jiff::{SignedDuration, Timestamp};

use super::{
    End, JobAudit, Missing, OutageCost,
    life::{Life, Owed},
    record::What,
};
use crate::{JobId, occurrence::SkipReason, plan::Gap};

/// The counting of one job.
pub(super) struct Tally<'l> {
    life: &'l Life,
    owed: Owed<'l>,
    from: Timestamp,
    to: Timestamp,
    /// Stretches of instants without an entry, oldest first; the first and the last instant of each.
    missing: Vec<(Timestamp, Timestamp)>,
    /// Whether the instant that was passed last is one of them.
    last_is_missing: bool,
    audit: JobAudit,
}

const NANO: SignedDuration = SignedDuration::from_nanos(1);
/// More examples of what should not be than anybody looks at.
const EXAMPLES: usize = 100;

impl<'l> Tally<'l> {
    /// Of the instants that `life` owed in `from..=to`.
    pub(super) fn new(job: JobId, life: &'l Life, from: Timestamp, to: Timestamp) -> Self {
        let owed = Owed::new(life, from, to);
        let mut audit = JobAudit::new(job);
        let mut unread = life.chapters().iter().filter(|chapter| chapter.owes_within(from, to));
        audit.unjudged = unread.find_map(|chapter| chapter.job().err()).map(str::to_owned);
        Self { life, owed, from, to, missing: Vec::new(), last_is_missing: false, audit }
    }

    /// Takes in what an entry says.
    pub(super) fn take(&mut self, what: What, costs: &mut Costs) {
        match what {
            What::Attempt => self.audit.retried += 1,
            What::Other => self.audit.asked += 1,
            What::Gap(gap) => self.gap(&gap, costs),
            What::Instant { at, end, late, .. } if self.from <= at && at <= self.to => {
                self.instant(at, end);
                if late && matches!(end, End::Ran(_)) {
                    self.audit.late += 1;
                    costs.late(at);
                }
            }
            What::Instant { .. } => {}
        }
    }

    fn instant(&mut self, at: Timestamp, end: End) {
        self.pass_until(at);
        if self.owed.peek() == Some(at) {
            self.account(end, 1);
            self.audit.owed += 1;
            self.owed.advance();
            self.last_is_missing = false;
        } else if self.found(at) {
            self.account(end, 1);
        } else if !self.life.owed(at) {
            if self.life.settled_ahead(at) {
                self.account(end, 1);
                self.audit.owed += 1;
            } else {
                note(&mut self.audit.stray, at);
            }
        } else if self.life.suspect_through.is_none_or(|suspect| at > suspect) {
            // Under a clock that was taken back, instants come again.
            note(&mut self.audit.twice, at);
        }
    }

    fn gap(&mut self, gap: &Gap, costs: &mut Costs) {
        let (from, to) = (gap.from.max(self.from), gap.to.min(self.to));
        if from > to {
            return;
        }
        let end = End::Skipped(gap.reason);
        for (first, last) in self.take_missing(from, to) {
            let mut owed = Owed::new(self.life, first, last);
            while let Some(at) = owed.peek() {
                self.account(end, 1);
                costs.skipped(at, gap.reason);
                owed.advance();
            }
        }
        self.pass_until(from);
        while let Some(at) = self.owed.peek().filter(|at| *at <= to) {
            self.account(end, 1);
            self.audit.owed += 1;
            costs.skipped(at, gap.reason);
            self.last_is_missing = false;
            self.owed.advance();
        }
    }

    fn account(&mut self, end: End, count: u64) {
        *self.audit.ends.entry(end).or_default() += count;
    }

    /// Passes the instants before `at`: nothing is on record of them so far.
    fn pass_until(&mut self, at: Timestamp) {
        while let Some(passed) = self.owed.peek().filter(|next| *next < at) {
            self.audit.owed += 1;
            match self.missing.last_mut().filter(|_| self.last_is_missing) {
                Some((_, last)) => *last = passed,
                None => self.missing.push((passed, passed)),
            }
            self.last_is_missing = true;
            self.owed.advance();
        }
    }

    /// Takes `at` out of what is missing, if it is among it.
    fn found(&mut self, at: Timestamp) -> bool {
        self.life.owed(at) && !self.take_missing(at, at).is_empty()
    }

    /// Takes what is missing in `from..=to` out of there.
    fn take_missing(&mut self, from: Timestamp, to: Timestamp) -> Vec<(Timestamp, Timestamp)> {
        // What is missing is mostly what came last.
        let begin = self.missing.iter().rposition(|(_, last)| *last < from).map_or(0, |index| index + 1);
        let end = self.missing.iter().skip(begin).position(|(first, _)| *first > to);
        let end = end.map_or(self.missing.len(), |count| begin + count);
        let at_the_end = end == self.missing.len();
        let mut kept = Vec::new();
        let mut taken = Vec::new();
        for (first, last) in &self.missing[begin..end] {
            if *first < from
                && let Ok(before) = from.checked_sub(NANO)
                && let Some(last) = self.life.last(*first, before)
            {
                kept.push((*first, last));
            }
            taken.push(((*first).max(from), (*last).min(to)));
            if *last > to
                && let Ok(after) = to.checked_add(NANO)
                && let Some(first) = self.life.first(after, *last)
            {
                kept.push((first, *last));
            }
        }
        if at_the_end && kept.last().map(|kept| kept.1) != self.missing.last().map(|missing| missing.1) {
            self.last_is_missing = false;
        }
        self.missing.splice(begin..end, kept);
        taken.retain(|(first, last)| first <= last);
        taken
    }

    /// Closes the account: `open` are instants that are queued or run, and from `cursor` on nobody has settled any yet; `None`
    /// is a job that owes no more after `through`.
    pub(super) fn close(mut self, standing: &Standing, costs: &mut Costs) -> JobAudit {
        self.pass_until(self.to.checked_add(NANO).unwrap_or(Timestamp::MAX));
        for at in &standing.open {
            if self.found(*at) {
                self.account(End::Open, 1);
            }
        }
        for (first, last) in std::mem::take(&mut self.missing) {
            self.settle(first, last, standing, costs);
        }
        self.audit
    }

    /// What stands for instants that have no entry: a pause that lasts, a cursor that has not got there, a limit.
    fn settle(&mut self, first: Timestamp, last: Timestamp, standing: &Standing, costs: &mut Costs) {
        let mut missing: Option<Missing> = None;
        let mut owed = Owed::new(self.life, first, last);
        while let Some(at) = owed.peek() {
            owed.advance();
            let stands = if self.life.paused(at).is_some() {
                Some(End::Skipped(SkipReason::Paused))
            } else if standing.exhausted_after.is_some_and(|through| at > through) {
                Some(End::Skipped(SkipReason::Limit))
            } else if standing.cursor.is_some_and(|cursor| at >= cursor) {
                Some(End::Waiting)
            } else {
                None
            };
            match stands {
                Some(end) => {
                    self.account(end, 1);
                    if end == End::Waiting {
                        self.audit.waiting_since.get_or_insert(at);
                        costs.waiting(at);
                    }
                    self.audit.missing.extend(missing.take());
                }
                None => {
                    let stretch = missing.get_or_insert(Missing { from: at, to: at, count: 0 });
                    stretch.to = at;
                    stretch.count += 1;
                }
            }
        }
        self.audit.missing.extend(missing);
    }
}

fn note(examples: &mut Vec<Timestamp>, at: Timestamp) {
    if examples.len() < EXAMPLES {
        examples.push(at);
    }
}

/// Where a job stands now.
#[derive(Default)]
pub(super) struct Standing {
    /// Instants that are queued or run.
    pub(super) open: Vec<Timestamp>,
    /// The first instant that is not settled.
    pub(super) cursor: Option<Timestamp>,
    /// It has run as often as it may, and this was its last instant.
    pub(super) exhausted_after: Option<Timestamp>,
}

/// What outages cost, told instant by instant.
pub(super) struct Costs(pub(super) Vec<OutageCost>);

impl Costs {
    fn skipped(&mut self, at: Timestamp, reason: SkipReason) {
        if matches!(reason, SkipReason::Coalesced | SkipReason::Misfire)
            && let Some(cost) = self.of(at)
        {
            cost.skipped += 1;
        }
    }

    fn late(&mut self, at: Timestamp) {
        if let Some(cost) = self.of(at) {
            cost.late += 1;
        }
    }

    fn waiting(&mut self, at: Timestamp) {
        if let Some(cost) = self.of(at) {
            cost.waiting += 1;
        }
    }

    /// The outage during which `at` came: of several the one that began last.
    fn of(&mut self, at: Timestamp) -> Option<&mut OutageCost> {
        let begun = self.0.partition_point(|cost| cost.outage.from <= at);
        self.0[..begun].iter_mut().rev().take(8).find(|cost| cost.outage.covers(at))
    }
}
