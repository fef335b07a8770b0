//! What time alone brings: pauses run out, the machine was started, a cursor was written by a clock that was wrong or under
//! rules that have changed.

use std::sync::Arc;

use super::{
    super::{Ask, Asked, book::JobRecord, event::Event},
    Transaction,
};
use crate::{
    Job, JobId, OccurrenceKind,
    job::{parse_definition, schedule_hash},
    plan::CLOCK_SLACK,
    schedule::Kind,
};

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
            let reboot: Vec<JobId> = self.book.jobs().filter(|(_, r)| is_reboot(r)).map(|(id, _)| id.clone()).collect();
            for job in reboot {
                let ask = Ask { job: job.clone(), kind: OccurrenceKind::Reboot, key: boot.to_owned(), force: false };
                if let Ok(Asked::Queued(run)) = self.ask(ask) {
                    done.push(format!("the machine was started: job `{job}` runs as {run}"));
                }
            }
        }
        done
    }

    fn repair_cursors(&mut self, done: &mut Vec<String>) {
        let mut repairs = Vec::new();
        for (id, record) in self.book.jobs() {
            let Ok(job) = &record.job else { continue };
            let settled = record.settled_through();
            if settled.duration_since(self.now) > CLOCK_SLACK {
                let next_at = job.schedule.next_after(self.now, &job.time_zone);
                let next_at = next_at.filter(|_| job.enabled);
                repairs.push(Event::ClockRepaired {
                    job: id.clone(),
                    at: self.now,
                    incarnation: record.incarnation + 1,
                    suspect_through: settled,
                    next_at,
                });
                done.push(format!(
                    "the clock once stood at {settled} or later and was taken back: job `{id}` starts afresh from now"
                ));
                continue;
            }
            let zone = match record.definition.get("timezone") {
                Some(_) => record.zone.as_str(),
                None => self.book.defaults().zone_name(),
            };
            let job = if zone == record.zone {
                Arc::clone(job)
            } else {
                match parse_definition(&record.definition, self.book.defaults(), zone, record.anchor) {
                    Ok(job) => Arc::new(job),
                    Err(_) => continue,
                }
            };
            let hash = schedule_hash(&job, zone);
            let lost = record.next_at.is_none() && job.enabled && owes_by_the_clock(&job);
            let computed = || job.schedule.next_after(settled, &job.time_zone).filter(|_| job.enabled);
            if hash != record.schedule_hash || lost && computed().is_some() {
                let next_at = computed();
                if hash != record.schedule_hash {
                    done.push(format!(
                        "the next instant of job `{id}` was computed anew: its zone or that zone's rules changed"
                    ));
                }
                let (zone, at) = (zone.to_owned(), self.now);
                repairs.push(Event::Cursor { job: id.clone(), at, zone, schedule_hash: hash, next_at });
            }
        }
        for repair in repairs {
            self.emit(repair);
        }
    }
}

fn owes_by_the_clock(job: &Job) -> bool {
    !matches!(job.schedule.kind(), Kind::Reboot | Kind::Manual)
}

fn is_reboot(record: &JobRecord) -> bool {
    record.job.as_ref().is_ok_and(|job| job.enabled && job.schedule.kind() == Kind::Reboot)
}
