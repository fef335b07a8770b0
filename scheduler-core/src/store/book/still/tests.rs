//! A book that was written down in the middle of its life and read again goes on like one that never was.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use proptest::{collection::vec, prelude::*};
use serde_json::json;

use super::{
    super::super::{
        LedgerEntry,
        definition::Definition,
        event::{Admitted, AdmittedRun, AdmittedSkip, Defined, Event, Paused},
        record::Terms,
    },
    *,
};
use crate::{
    OccurrenceKind, Outcome, OwnerId, ProcessRef, RunResult, Token,
    occurrence::{Cause, Change, Claimed, Retry, SkipReason},
    plan::Gap,
};

/// Numbers that an event is made of: which kind, which job, which of the last runs, and two that are anything.
type Seed = (u8, u8, u8, u8, bool);

fn at(n: usize) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_mins(i64::try_from(n).unwrap())
}

/// The event of `seed` as the `n`th of a history. Few jobs, and runs of late, so that much of it makes sense.
fn event(n: usize, (kind, job, run, number, flag): Seed) -> Event {
    let now = at(n);
    let id: JobId = format!("job-{}", job % 3).parse().unwrap();
    let new_run = RunId::new(format!("run-{n}"));
    let run = RunId::new(format!("run-{}", n.saturating_sub(1 + usize::from(run % 6))));
    let incarnation = u32::from(number % 2) + 1;
    let owner = OwnerId::new(format!("owner-{}", number % 2));
    let claimed = Claimed { owner, token: Token::new("token") };
    let gap = Gap { reason: SkipReason::Coalesced, from: at(n.saturating_sub(5)), to: now };
    let next_at = flag.then(|| at(n + usize::from(number % 4)));
    let outcome = Outcome::new(if flag { RunResult::Unknown } else { RunResult::TimedOut });
    let retry = (number % 3 != 0).then(|| Retry { run: RunId::new(format!("run-{n}")), not_before: at(n + 1) });
    let process = ProcessRef { pid: 1, start_time: 2, boot_id: "boot".into() };
    let zone = ["UTC", "Europe/Berlin"][usize::from(number % 2)].to_owned();
    let changed = |change: Change| Event::Run { id: run.clone(), at: now, change };
    let group = (number % 4 > 1).then(|| ["even", "odd"][usize::from(number % 2)].into());
    let terms = (number % 4 > 0).then(|| Terms { delay_ms: u64::from(number) * 1000, group });
    let schedule = if number % 3 == 0 { "every blue moon" } else { "* * * * *" };
    match kind % 20 {
        0 | 1 => Event::Defined(Box::new(Defined {
            job: id.clone(),
            incarnation,
            revision: u64::from(number),
            definition: Definition::new(&json!({"id": id, "schedule": schedule, "command": ["true"]})),
            zone,
            anchor: now,
            at: now,
            schedule_hash: u32::from(number),
            build: if flag { build() } else { 0 },
            next_at,
            terms: terms.map(Box::new),
        })),
        2 => Event::Removed { job: id, at: now },
        3 => Event::Definitions { hash: format!("{number}"), flawless: flag },
        4 => {
            let until = flag.then(|| at(n + 9));
            Event::Paused(Paused { job: id, at: now, until, reason: flag.then(|| "moving".into()) })
        }
        5 => Event::Resumed { job: id, at: now, next_at, gap: flag.then_some(gap) },
        6..=8 => Event::Admitted(Box::new(Admitted {
            job: id,
            incarnation,
            at: now,
            through: now,
            next_at,
            runs: vec![AdmittedRun {
                at: now,
                run: new_run,
                cause: if flag { Cause::OnTime } else { Cause::Late },
                not_before: (number % 3 == 0).then(|| at(n + 2)),
                claim: flag.then_some(claimed),
            }],
            skips: (!flag)
                .then(|| AdmittedSkip { at: now, run: RunId::new(format!("skip-{n}")), reason: SkipReason::Overlap })
                .into_iter()
                .collect(),
            gaps: flag.then_some(gap).into_iter().collect(),
            closed: vec![(run, SkipReason::Coalesced)],
        })),
        9 => Event::Asked {
            id: OccurrenceId { job: id, incarnation, kind: OccurrenceKind::Manual, key: format!("{number}").into() },
            run: new_run,
            at: now,
            cause: Cause::Asked,
            skip: flag.then_some(SkipReason::Paused),
        },
        10 | 11 => changed(Change::Claim(claimed)),
        12 => changed(Change::Start { token: Token::new("token"), epoch: 1 }),
        13 => changed(Change::Spawned { token: Token::new("token"), process }),
        14 => changed(Change::Finish { token: Token::new("token"), epoch: 1, outcome, retry }),
        15 => changed(if flag {
            Change::Orphan { epoch: 1, process: Some(process) }
        } else {
            Change::Abandon { epoch: 1, outcome, retry }
        }),
        16 => changed(if flag { Change::RequestCancel } else { Change::Requeue { epoch: 1 } }),
        17 => Event::Cursor { job: id, at: now, zone, schedule_hash: u32::from(number), next_at },
        18 => Event::ClockRepaired {
            job: id,
            at: now,
            incarnation: incarnation + 1,
            suspect_through: at(n + 99),
            next_at,
        },
        _ => Event::Booted { key: format!("boot-{number}"), at: now },
    }
}

fn history(seeds: Vec<Seed>) -> Vec<Event> {
    let mut defined = BTreeSet::new();
    let events = seeds.into_iter().enumerate().map(|(n, seed)| event(n, seed));
    // Of a job that was never defined there are no occurrences: no transaction makes any.
    let makes_sense = |event: &Event| match event {
        Event::Defined(job) => {
            defined.insert(job.job.clone());
            true
        }
        Event::Admitted(admitted) => defined.contains(&admitted.job),
        Event::Asked { id, .. } => defined.contains(&id.job),
        _ => true,
    };
    events.filter(makes_sense).collect()
}

/// All that a book says of itself, indexes included; what it only remembers having checked apart.
fn essence(book: &Book) -> String {
    let mut book = book.clone();
    book.checked.get_mut().clear();
    book.zones.sort();
    book.checked_by_another = false;
    format!("{book:#?}")
}

/// Where two books differ.
fn difference(one: &Book, other: &Book) -> Option<String> {
    let (one, other) = (essence(one), essence(other));
    let at = one.lines().zip(other.lines()).position(|(one, other)| one != other);
    let at = at.or_else(|| (one.lines().count() != other.lines().count()).then_some(0))?;
    let around = |text: &str| text.lines().skip(at.saturating_sub(30)).take(40).collect::<Vec<_>>().join("\n");
    Some(format!("{}\n------- and restored:\n{}", around(&one), around(&other)))
}

fn written_and_read(book: &Book, mut into: Book) -> Book {
    for line in book.still().lines() {
        let text = serde_json::to_string(&line).unwrap();
        assert!(!text.contains('\n'));
        into.restore(serde_json::from_str(&text).unwrap());
    }
    into
}

proptest! {
    #[test]
    fn a_restored_book_goes_on_like_the_one_that_was_written_down(
        seeds in vec(any::<Seed>(), 0..120),
        cut in any::<prop::sample::Index>(),
    ) {
        let events = history(seeds);
        let (before, after) = events.split_at(cut.index(events.len() + 1));
        let mut whole = Book::default();
        for event in before {
            whole.apply(event, &mut |_| {});
        }
        let mut restored = written_and_read(&whole, Book::default());
        // Zones are remembered for as long as a process lives, in use or not.
        whole.zones.clone_from(&restored.zones);
        prop_assert_eq!(difference(&whole, &restored), None);
        let (mut expected, mut found): (Vec<LedgerEntry>, Vec<LedgerEntry>) = Default::default();
        for event in after {
            whole.apply(event, &mut |entry| expected.push(entry));
            restored.apply(event, &mut |entry| found.push(entry));
        }
        prop_assert_eq!(difference(&whole, &restored), None);
        prop_assert_eq!(expected, found);
    }

    #[test]
    fn a_book_of_occurrences_closes_what_the_whole_book_closes(
        seeds in vec(any::<Seed>(), 0..120),
        cut in any::<prop::sample::Index>(),
    ) {
        let events = history(seeds);
        let (before, after) = events.split_at(cut.index(events.len() + 1));
        let mut whole = Book::default();
        for event in before {
            whole.apply(event, &mut |_| {});
        }
        let mut lean = written_and_read(&whole, Book::of_occurrences());
        let (mut expected, mut found): (Vec<LedgerEntry>, Vec<LedgerEntry>) = Default::default();
        for event in after {
            whole.apply(event, &mut |entry| expected.push(entry));
            lean.apply(event, &mut |entry| found.push(entry));
        }
        prop_assert_eq!(expected, found);
    }
}
