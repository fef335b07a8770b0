//! What a look finds, and when the next one is due.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::{
    Error, ErrorKind, Home, JobId,
    audit::{Audit, JobAudit, Missing},
    liveness::heartbeat::Unreadable,
    vfs::{RealFs, Vfs as _, atomic_write},
};

fn at(minute: i64) -> Timestamp {
    "2026-11-22T03:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minute)
}

/// An audit in which these stretches of a job each are missing, minute by minute.
fn audit(missing: &[(&str, i64, i64)]) -> Audit {
    let jobs = missing.iter().map(|(job, from, to)| {
        let mut job = JobAudit::new(job.parse::<JobId>().unwrap());
        job.missing.push(Missing { from: at(*from), to: at(*to), count: u64::try_from(to - from + 1).unwrap() });
        job
    });
    let (jobs, until) = (jobs.collect(), at(0));
    Audit { since: at(-1440), until, pruned_before: None, jobs, outages: Vec::new(), unreadable: 0, unknown_jobs: 0 }
}

#[test]
fn what_was_not_known_before_is_news() {
    let check = |before: &[(&str, i64, i64)], after: &[(&str, i64, i64)], is_news: bool| {
        let first = Account::of(&audit(before), None, at(0));
        assert_eq!(first.has_news(at(0)), !before.is_empty());
        let second = Account::of(&audit(after), Some(&first), at(60));
        assert_eq!(second.has_news(at(60)), is_news, "{before:?} and then {after:?}");
        assert_eq!(second.found_at.is_some(), !after.is_empty(), "{second:?}");
        let third = Account::of(&audit(after), Some(&second), at(120));
        assert!(!third.has_news(at(120)) && third.found_at == second.found_at, "it is the same: {third:?}");
    };
    check(&[], &[], false);
    check(&[], &[("a", -60, -50)], true);
    check(&[("a", -60, -50)], &[], false);
    // Some of it is too old by now, or was put back.
    check(&[("a", -60, -50)], &[("a", -55, -50)], false);
    check(&[("a", -60, -50)], &[("a", -60, -49)], true);
    check(&[("a", -60, -50)], &[("b", -60, -50)], true);
    check(&[("a", -60, -50)], &[("a", -60, -50), ("b", -10, -10)], true);
}

#[test]
fn the_first_one_is_named_and_all_are_counted() {
    let account = Account::of(&audit(&[("late", -5, -5), ("early", -60, -59)]), None, at(0));
    let sentence = account.sentence().unwrap();
    assert_eq!(sentence, "nothing is on record of 3 instants that were owed, the first `early@2026-11-22T02:00:00Z`");
    let many: Vec<String> = (0..300).map(|n| format!("j{n:03}")).collect();
    let many: Vec<(&str, i64, i64)> = many.iter().map(|job| (job.as_str(), -10, -9)).collect();
    let account = Account::of(&audit(&many), None, at(0));
    assert_eq!((account.count(), account.unrecorded.len()), (600, 200), "the file stays small");
    assert!(!Account::of(&audit(&many), Some(&account), at(1)).has_news(at(1)));
    let fewer = Account::of(&audit(&many[1..]), Some(&account), at(1));
    assert!(Account::of(&audit(&many), Some(&fewer), at(2)).has_news(at(2)));
}

#[test]
fn a_look_goes_back_to_what_is_missing_until_somebody_knows() {
    let mut account = Account::of(&audit(&[("a", -3000, -3000)]), None, at(0));
    assert_eq!(Account::looks_back_to(Some(&account), false, at(60)), at(-3000));
    assert_eq!(Account::looks_back_to(Some(&account), true, at(60)), at(60 - 1440));
    account = Account::of(&audit(&[("a", -30, -30)]), None, at(0));
    assert_eq!(Account::looks_back_to(Some(&account), false, at(60)), at(60 - 1440));
}

#[test]
fn a_look_that_fails_forgets_nothing_and_the_next_one_is_well() {
    let before = Account::of(&audit(&[("a", -5, -5)]), None, at(0));
    let why = Error::new(ErrorKind::Io, "cannot read it");
    let failed = Account::failed(&why, Some(&before), at(60));
    assert_eq!((&failed.unrecorded, failed.since, failed.at), (&before.unrecorded, before.since, at(60)));
    let failed = Account::failed(&why, Some(&failed), at(120));
    let error = failed.error.clone().unwrap();
    assert_eq!((error.since, error.count), (at(60), 2));
    assert!(failed.is_old(at(121), &failed.files), "it is tried again soon");
    assert!(Account::of(&audit(&[]), Some(&failed), at(180)).error.is_none());
}

#[test]
fn a_look_is_due_after_a_while_and_when_files_have_changed() {
    let account = Account::of(&audit(&[]), None, at(0)).of_files("mark".into());
    let check = |account: &Account, minute: i64, mark: &str, is_old: bool| {
        assert_eq!(account.is_old(at(minute), mark), is_old, "after {minute} minutes");
    };
    check(&account, 0, "mark", false);
    check(&account, 59, "mark", false);
    check(&account, 60, "mark", true);
    check(&account, 0, "other", true);
    check(&account, -1, "mark", true);
    // One that took two minutes is not followed by another within forty.
    let slow = account.took(Duration::from_mins(2));
    check(&slow, 39, "other", false);
    check(&slow, 40, "other", true);
}

#[test]
fn it_is_read_as_it_was_written_and_a_file_that_has_changed_has_another_mark() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::new(folder.path());
    assert_eq!(Account::read(&RealFs, &home.account()), Err(Unreadable::Missing));
    let account = Account::of(&audit(&[("a", -5, -5)]), None, at(0));
    account.write(&RealFs, &home.account()).unwrap();
    assert_eq!(Account::read(&RealFs, &home.account()), Ok(account));
    let write = |text: &[u8]| atomic_write(&RealFs, &home.account(), text, None).unwrap();
    write(b"");
    assert_eq!(Account::read(&RealFs, &home.account()), Err(Unreadable::Empty));
    write(br#"{"format": 2, "at": "2026-11-22T03:00:00Z", "since": null}"#);
    assert!(
        matches!(Account::read(&RealFs, &home.account()), Err(Unreadable::Garbage(why)) if why.contains("format 2"))
    );

    let mut marks = vec![Account::mark(&RealFs, &home)];
    RealFs.create_dir_all(&home.ledger()).unwrap();
    let day = home.ledger().join("2026-11-22.2.jsonl");
    for text in [&b"one\n"[..], b"one\ntwo\n"] {
        atomic_write(&RealFs, &day, text, None).unwrap();
        marks.push(Account::mark(&RealFs, &home));
    }
    RealFs.remove(&day).unwrap();
    assert_eq!(Account::mark(&RealFs, &home), marks[0]);
    marks.dedup();
    assert_eq!(marks.len(), 3);
}
