//! What time alone brings: pauses run out, the machine was started, a cursor was written by a clock that was wrong or under
//! rules that have changed.

use jiff::Timestamp;

use super::{
    super::{Ask, Asked, event::Event, record::JobRecord},
    Transaction,
};
use crate::{Job, JobId, OccurrenceKind, audit::Outage, plan::CLOCK_SLACK, schedule::Kind};

impl Transaction<'_> {
    pub(crate) fn housekeep(&mut self, boot: Option<&str>) -> Vec<String> {
        let mut done = Vec::new();
        let expired: Vec<JobId> = self.book.expired_pauses(self.now).cloned().collect();
        for id in self.resume(&expired).unwrap_or_default() {
            done.push(format!("the pause of job `{id}` is over"));
        }
        self.repair_cursors(&mut done);
        if let Some(boot) = boot.filter(|boot| self.book.boot_key() != Some(boot)) {
            self.emit(Event::Booted { key: boot.to_owned(), at: self.now });
            let reboot: Vec<JobId> =
                self.book.jobs().filter(|(_, record)| self.is_reboot(record)).map(|(id, _)| id.clone()).collect();
            for job in reboot {
                let ask = Ask { job: job.clone(), kind: OccurrenceKind::Reboot, key: boot.to_owned(), force: false };
                if let Ok(Asked::Queued(run)) = self.ask(ask) {
                    done.push(format!("the machine was started: job `{job}` runs as {run}"));
                }
            }
        }
        done
    }

    /// Puts outages on record.
    pub(crate) fn note(&mut self, outages: Vec<Outage>) {
        for outage in outages {
            self.emit(Event::Outage(outage));
        }
    }

    fn is_reboot(&self, record: &JobRecord) -> bool {
        // The word is looked for first: one start of the machine must not check a hundred thousand definitions.
        record.definition.text().contains("@reboot")
            && self.book.check_unkept(record).is_ok_and(|job| job.enabled && job.schedule.kind() == Kind::Reboot)
    }

    fn repair_cursors(&mut self, done: &mut Vec<String>) {
        let mut repairs = Vec::new();
        for (id, record) in self.book.jobs().filter(|(_, record)| record.invalid.is_none()) {
            repairs.extend(self.repaired_cursor(id, record, done));
        }
        for repair in repairs {
            self.emit(repair);
        }
    }

    /// What puts the cursor of a job right, if it isn't. Nearly all are, and cost a checksum.
    fn repaired_cursor(&self, id: &JobId, record: &JobRecord, done: &mut Vec<String>) -> Option<Event> {
        let settled = record.settled_through();
        if settled.duration_since(self.now) > CLOCK_SLACK {
            let job = self.book.check_unkept(record).ok()?;
            done.push(format!(
                "the clock once stood at {settled} or later and was taken back: job `{id}` starts afresh from now"
            ));
            return Some(Event::ClockRepaired {
                job: id.clone(),
                at: self.now,
                incarnation: record.incarnation + 1,
                suspect_through: settled,
                next_at: next_instant(&job, self.now, record.started()),
            });
        }
        let default = self.book.defaults().zone_name();
        let zone =
            if *record.zone == *default || record.definition.has_its_own_zone() { &*record.zone } else { default };
        let hash = record.definition.cursor_hash(zone);
        if hash == record.schedule_hash && record.next_at.is_some() {
            return None;
        }
        let job = record.definition.check(self.book.defaults(), zone, record.anchor).ok()?;
        let next_at = next_instant(&job, settled, record.started());
        if hash == record.schedule_hash && next_at.is_none() {
            // It owes none, and that is right.
            return None;
        }
        if hash != record.schedule_hash && next_at != record.next_at {
            done.push(format!(
                "the next instant of job `{id}` was computed anew: its zone or that zone's rules changed"
            ));
        }
        let zone = zone.to_owned();
        Some(Event::Cursor { job: id.clone(), at: self.now, zone, schedule_hash: hash, next_at })
    }
}

/// Whether a job of which `started` occurrences have started may start no more.
pub(super) fn is_over(job: &Job, started: u32) -> bool {
    job.max_runs.is_some_and(|most| started >= most)
}

/// The first instant after `after` that the job owes, if it owes any; `started` of its occurrences have started.
pub(super) fn next_instant(job: &Job, after: Timestamp, started: u32) -> Option<Timestamp> {
    (job.enabled && !is_over(job, started)).then(|| job.next_after(after)).flatten()
}
