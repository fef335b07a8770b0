use std::ops::ControlFlow;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::*;
use crate::{
    Job, OccurrenceId, Outcome, RunId,
    job::JobDefaults,
    occurrence::{Cause, Closing, Occurrence, State},
    plan::Gap,
    store::{
        Paused,
        definition::Definition,
        event::{Defined, Event},
    },
};

fn at(text: &str) -> Timestamp {
    format!("2026-11-{text}Z").parse().unwrap()
}

fn id() -> JobId {
    "a".parse().unwrap()
}

/// A record made by hand.
struct Record {
    lives: Lives,
    book: Book,
    entries: Vec<LedgerEntry>,
    kept_since: Option<Timestamp>,
}

impl Testimony for Record {
    fn lives(&self) -> &Lives {
        &self.lives
    }

    fn book(&self) -> &Book {
        &self.book
    }

    fn kept_since(&self) -> Option<Timestamp> {
        self.kept_since
    }

    fn entries(
        &self,
        since: Timestamp,
        _: Option<&JobId>,
        _: &dyn Fn(u64, u64),
        take: &mut dyn FnMut(Told<'_>) -> ControlFlow<()>,
    ) -> Result<()> {
        let _ = self.entries.iter().filter(|entry| entry.at >= since).try_for_each(|entry| take(Told::Entry(entry)));
        Ok(())
    }
}

impl Record {
    /// Of a job with this entry, defined at midnight on the first.
    fn of(entry: &Value) -> Self {
        let mut record = Self { lives: Lives::default(), book: Book::default(), entries: Vec::new(), kept_since: None };
        record.define(at("01T00:00:00"), entry);
        record
    }

    fn happens(&mut self, event: Event) -> &mut Self {
        self.book.apply(&event, &mut |entry| self.entries.push(entry));
        self.lives.take(event);
        self
    }

    fn define(&mut self, when: Timestamp, entry: &Value) -> &mut Self {
        let mut entry = entry.clone();
        entry["id"] = json!("a");
        entry["command"] = json!("true");
        let definition = Definition::new(&entry);
        let job: Job = definition.check(&JobDefaults::default(), "UTC", when).unwrap();
        let revision = self.book.record(&id()).map_or(1, |record| record.revision + 1);
        let next_at = if job.enabled { job.next_after(when) } else { None };
        self.happens(Event::Defined(Box::new(Defined {
            job: id(),
            incarnation: 1,
            revision,
            definition,
            zone: "UTC".into(),
            anchor: when,
            at: when,
            schedule_hash: 0,
            terms: None,
            build: 0,
            next_at,
        })))
    }

    fn ended(&mut self, instant: Timestamp, cause: Cause, end: Closing) -> &mut Self {
        let mut occurrence =
            Occurrence::queued(OccurrenceId::scheduled(id(), 1, instant), RunId::random(instant), instant, cause);
        occurrence.started_at = Some(instant);
        occurrence.state = State::Closed(end);
        // A late one ends later than what it is late for was settled.
        let late = if cause == Cause::Late { SignedDuration::from_mins(25) } else { SignedDuration::ZERO };
        self.entries.push(LedgerEntry::closed(&occurrence, instant + late));
        self
    }

    fn ran(&mut self, instants: &[&str]) -> &mut Self {
        for instant in instants {
            self.ended(at(instant), Cause::OnTime, Closing::Ran(Outcome::new(RunResult::Succeeded)));
        }
        self
    }

    fn gap(&mut self, written: &str, reason: SkipReason, from: &str, to: &str) -> &mut Self {
        self.entries.push(LedgerEntry::gap(id(), at(written), Gap { reason, from: at(from), to: at(to) }));
        self
    }

    /// The cursor gets to where everything before `next_at` is settled.
    fn cursor(&mut self, next_at: &str) -> &mut Self {
        let next_at = Some(at(next_at));
        self.book.apply(
            &Event::Cursor { job: id(), at: at("01T00:00:00"), zone: "UTC".into(), schedule_hash: 0, next_at },
            &mut |_| {},
        );
        self
    }

    fn audit(&self, since: &str, now: &str) -> Audit {
        let query = AuditQuery { since: Some(at(since)), ..AuditQuery::default() };
        judge(self, &query, at(now)).unwrap()
    }

    fn job(&self, since: &str, now: &str) -> JobAudit {
        self.audit(since, now).jobs.remove(0)
    }

    fn why(&self, instant: &str, now: &str) -> Why {
        explain(self, &id(), at(instant), at(now)).unwrap().why
    }
}

fn hourly() -> Value {
    json!({"schedule": "0 * * * *"})
}

fn ends(job: &JobAudit) -> Vec<(&'static str, u64)> {
    job.ends.iter().map(|(end, count)| (end.word(), *count)).collect()
}

fn missing(job: &JobAudit) -> Vec<(Timestamp, Timestamp, u64)> {
    job.missing.iter().map(|missing| (missing.from, missing.to, missing.count)).collect()
}

#[test]
fn what_ran_and_what_was_skipped_is_accounted_for() {
    let mut record = Record::of(&hourly());
    record
        .ran(&["01T01:00:00", "01T02:00:00"])
        .ended(at("01T03:00:00"), Cause::OnTime, Closing::Skipped(SkipReason::Overlap))
        .gap("01T08:10:00", SkipReason::Coalesced, "01T04:00:00", "01T07:00:00")
        .ended(at("01T08:00:00"), Cause::Late, Closing::Ran(Outcome::failed("no")))
        .cursor("01T09:00:00");
    let job = record.job("01T00:00:00", "01T08:30:00");
    assert!(job.is_complete(), "{job:?}");
    assert_eq!((job.owed, job.late), (8, 1));
    assert_eq!(ends(&job), [("succeeded", 2), ("failed", 1), ("coalesced", 4), ("overlap", 1)]);
}

#[test]
fn an_instant_without_a_record_is_missing_and_those_that_end_later_are_not() {
    let mut record = Record::of(&hourly());
    // The second ends after the third, as a long run does; the fourth never.
    record.ran(&["01T01:00:00", "01T03:00:00", "01T02:00:00", "01T05:00:00"]).cursor("01T06:00:00");
    let job = record.job("01T00:00:00", "01T05:30:00");
    assert_eq!(missing(&job), [(at("01T04:00:00"), at("01T04:00:00"), 1)]);
    assert_eq!(job.owed, 5);
    assert!(!job.is_complete());
    assert_eq!(record.why("01T04:00:00", "01T05:30:00"), Why::Missing);
    assert_eq!(record.why("01T02:00:00", "01T05:30:00"), Why::Ran);
    assert_eq!(record.why("01T02:00:01", "01T05:30:00"), Why::NotOwed(NotOwed::NotInSchedule));
}

#[test]
fn what_is_missing_is_told_in_stretches_and_what_stands_in_its_middle_splits_them() {
    let mut record = Record::of(&hourly());
    record.ran(&["01T10:00:00", "01T05:00:00"]).gap("01T11:00:00", SkipReason::Misfire, "01T07:00:00", "01T08:00:00");
    record.cursor("01T11:00:00");
    let job = record.job("01T00:00:00", "01T10:30:00");
    let expected = [("01T01", "01T04", 4), ("01T06", "01T06", 1), ("01T09", "01T09", 1)];
    let hour = |text: &str| at(&format!("{text}:00:00"));
    assert_eq!(missing(&job), expected.map(|(from, to, count)| (hour(from), hour(to), count)));
    assert_eq!(ends(&job), [("succeeded", 2), ("misfire", 2)]);
    assert_eq!(job.owed, 10);
}

#[test]
fn one_end_is_right_and_two_are_not_and_neither_is_one_that_was_not_owed() {
    let mut record = Record::of(&hourly());
    record.ran(&["01T01:00:00", "01T01:00:00", "01T02:30:00", "01T02:00:00"]).cursor("01T03:00:00");
    let job = record.job("01T00:00:00", "01T02:45:00");
    assert_eq!((job.twice.as_slice(), job.stray.as_slice()), (&[at("01T01:00:00")][..], &[at("01T02:30:00")][..]));
    assert!(!job.is_complete() && job.missing.is_empty());
}

#[test]
fn each_instant_is_judged_by_the_definition_of_its_time() {
    let mut record = Record::of(&hourly());
    record.ran(&["01T01:00:00", "01T02:00:00"]).define(at("01T02:10:00"), &json!({"schedule": "30 * * * *"}));
    record.ran(&["01T02:30:00"]).define(at("01T03:00:00"), &json!({"schedule": "30 * * * *", "enabled": false}));
    record.define(at("01T05:00:00"), &hourly()).ran(&["01T06:00:00"]);
    record.happens(Event::Removed { job: id(), at: at("01T06:20:00") });
    let job = record.job("01T00:00:00", "01T12:00:00");
    assert!(job.is_complete(), "{job:?}");
    assert_eq!(job.owed, 4);
    let not = |instant: &str| match record.why(instant, "01T12:00:00") {
        Why::NotOwed(not) => not,
        why => panic!("{instant}: {why:?}"),
    };
    assert_eq!(not("01T02:15:00"), NotOwed::NotInSchedule);
    assert_eq!(not("01T04:30:00"), NotOwed::Disabled);
    assert_eq!(not("01T07:00:00"), NotOwed::Removed { at: at("01T06:20:00") });
    let before: Timestamp = "2026-10-01T00:00:00Z".parse().unwrap();
    let why = explain(&record, &id(), before, at("01T12:00:00")).unwrap().why;
    assert_eq!(why, Why::NotOwed(NotOwed::NotYetDefined { at: at("01T00:00:00") }));
}

#[test]
fn a_pause_stands_for_what_came_in_it() {
    let mut record = Record::of(&hourly());
    let pause = |when: &str| {
        Event::Paused(Paused { job: id(), at: at(when), until: None, reason: Some("the network is moved".into()) })
    };
    record.ran(&["01T01:00:00"]).happens(pause("01T01:30:00"));
    record.happens(Event::Resumed { job: id(), at: at("01T03:30:00"), next_at: Some(at("01T04:00:00")), gap: None });
    record.ran(&["01T04:00:00"]).happens(pause("01T04:30:00"));
    let job = record.job("01T00:00:00", "01T06:30:00");
    assert!(job.is_complete(), "{job:?}");
    assert_eq!(ends(&job), [("succeeded", 2), ("paused", 4)]);
    assert_eq!(record.why("01T05:00:00", "01T06:30:00"), Why::Paused);
    let explanation = explain(&record, &id(), at("01T02:00:00"), at("01T06:30:00")).unwrap();
    assert_eq!(explanation.resumed_at, Some(at("01T03:30:00")));
    assert!(explanation.paused.is_some_and(|paused| paused.reason.is_some()));
}

#[test]
fn what_is_due_and_what_is_open_is_not_missing() {
    let mut record = Record::of(&hourly());
    record.ran(&["01T01:00:00"]);
    let run = RunId::new("2");
    let admitted = json!({"admitted": {"job": "a", "incarnation": 1, "at": at("01T02:00:00"), "through": at("01T02:00:00"),
        "next_at": at("01T03:00:00"), "runs": [{"at": at("01T02:00:00"), "run": run, "cause": "on_time"}]}});
    record.happens(serde_json::from_value(admitted).unwrap());
    let audit = record.audit("01T00:00:00", "01T04:30:00");
    let job = &audit.jobs[0];
    assert!(job.is_complete(), "{job:?}");
    assert_eq!(ends(job), [("succeeded", 1), ("open", 1), ("waiting", 2)]);
    assert_eq!(job.waiting_since, Some(at("01T03:00:00")));
    let why = |instant: &str| record.why(instant, "01T04:30:00");
    assert_eq!((why("01T02:00:00"), why("01T03:00:00"), why("01T05:00:00")), (Why::Open, Why::Waiting, Why::ToCome));
}

#[test]
fn an_outage_is_the_cause_of_what_came_in_it() {
    let mut record = Record::of(&hourly());
    let outage = Outage::new(OutageCause::Crashed, at("01T01:30:00"), at("01T04:20:00"));
    record.ran(&["01T01:00:00"]).happens(Event::Outage(outage.clone()));
    record.gap("01T04:20:00", SkipReason::Coalesced, "01T02:00:00", "01T03:00:00");
    record.ended(at("01T04:00:00"), Cause::Late, Closing::Ran(Outcome::new(RunResult::Succeeded)));
    record.ran(&["01T05:00:00"]).cursor("01T06:00:00");
    let audit = record.audit("01T00:00:00", "01T05:30:00");
    assert_eq!(audit.outages, [OutageCost { outage: outage.clone(), skipped: 2, late: 1, waiting: 0 }]);
    assert!(record.audit("01T04:30:00", "01T05:30:00").outages.is_empty());
    let explanation = explain(&record, &id(), at("01T02:00:00"), at("01T05:30:00")).unwrap();
    assert_eq!((explanation.why, explanation.outages), (Why::Skipped(SkipReason::Coalesced), vec![outage]));
    let instead = explanation.in_its_place.expect("the late run stood for it");
    assert_eq!(instead.at, at("01T04:25:00"));
    assert!(explain(&record, &id(), at("01T05:00:00"), at("01T05:30:00")).unwrap().outages.is_empty());
}

#[test]
fn what_has_been_pruned_is_not_judged() {
    let mut record = Record::of(&hourly());
    record.ran(&["02T01:00:00"]).cursor("02T02:00:00");
    record.kept_since = Some(at("02T00:30:00"));
    let audit = record.audit("01T00:00:00", "02T01:30:00");
    assert!(audit.is_complete());
    // What was settled a little ahead of an instant may be filed under the day before.
    assert_eq!((audit.since, audit.pruned_before), (at("02T00:30:05"), record.kept_since));
    assert_eq!(record.why("01T05:00:00", "02T01:30:00"), Why::Pruned);
}

#[test]
fn a_job_that_has_run_as_often_as_it_may_owes_no_more() {
    let mut record = Record::of(&json!({"schedule": "0 * * * *", "max_runs": 2}));
    record.ran(&["01T01:00:00"]);
    let run = RunId::new("2");
    let admitted = json!({"admitted": {"job": "a", "incarnation": 1, "at": at("01T02:00:00"), "through": at("01T02:00:00"),
        "next_at": null, "runs": [{"at": at("01T02:00:00"), "run": run, "cause": "on_time"}]}});
    record.happens(serde_json::from_value(admitted).unwrap());
    let job = record.job("01T00:00:00", "01T04:30:00");
    assert!(job.is_complete(), "{job:?}");
    assert_eq!(ends(&job), [("succeeded", 1), ("limit", 2), ("open", 1)]);
    assert_eq!(record.why("01T03:00:00", "01T04:30:00"), Why::NotOwed(NotOwed::Limit));
}

#[test]
fn under_a_clock_that_was_taken_back_instants_may_come_again() {
    let mut record = Record::of(&hourly());
    // The clock stood at noon of the 9th; what was between is one gap.
    record.ran(&["01T01:00:00"]).gap("09T12:00:00", SkipReason::Coalesced, "01T02:00:00", "09T11:00:00");
    record.ran(&["09T12:00:00"]).happens(Event::ClockRepaired {
        job: id(),
        at: at("01T02:30:00"),
        incarnation: 2,
        suspect_through: at("09T12:00:00"),
        next_at: Some(at("01T03:00:00")),
    });
    record.ran(&["01T03:00:00"]).cursor("01T04:00:00");
    let job = record.job("01T00:00:00", "01T03:30:00");
    assert!(job.is_complete(), "{job:?}");
}

#[test]
fn what_a_clock_that_was_set_back_wrote_is_found_under_the_earlier_time() {
    let mut record = Record::of(&hourly());
    record.ran(&["01T01:00:00", "01T02:00:00"]);
    // Two runs were at work when the clock was set back across midnight, and then once more.
    for (from, to) in [("02T00:10:00", "01T22:40:00"), ("01T22:50:00", "01T20:50:00")] {
        record.happens(Event::Outage(Outage::new(OutageCause::ClockSet, at(from), at(to))));
    }
    record
        .gap("02T00:00:00", SkipReason::Overlap, "01T03:00:00", "01T23:00:00")
        .ran(&["02T00:00:00"])
        .cursor("02T01:00:00");
    let last = record.entries.last_mut().unwrap();
    last.at = at("01T20:55:00");
    let audit = record.audit("02T00:00:00", "02T00:30:00");
    assert!(audit.is_complete() && audit.jobs[0].owed == 1, "{audit:#?}");
    // Where that time has been pruned, it can't be known.
    record.entries.pop();
    record.kept_since = Some(at("01T21:00:00"));
    let audit = record.audit("01T00:00:00", "02T00:30:00");
    assert!(audit.is_complete() && audit.since == at("02T00:10:05"), "{audit:#?}");
    record.kept_since = None;
    assert!(!record.audit("01T00:00:00", "02T00:30:00").is_complete());
}

#[test]
fn a_job_whose_definition_is_not_on_record_can_not_be_judged() {
    let mut record = Record::of(&hourly());
    record.ran(&["01T01:00:00"]).cursor("01T02:00:00");
    assert!(record.audit("01T00:00:00", "01T01:30:00").is_complete());
    // As if the first file of definitions were gone, and then all of them.
    let first = std::mem::take(&mut record.lives);
    let unjudged = |record: &Record| {
        let audit = record.audit("01T00:00:00", "01T01:30:00");
        assert_eq!(audit.is_complete(), audit.jobs[0].unjudged.is_none());
        !audit.is_complete()
    };
    assert!(unjudged(&record));
    record.lives = first;
    assert!(!unjudged(&record));
    let mut book = record.book.clone();
    record.define(at("01T01:10:00"), &hourly());
    assert!(!unjudged(&record));
    std::mem::swap(&mut record.book, &mut book);
    assert!(unjudged(&record), "the record tells of another revision than is in force");
}
