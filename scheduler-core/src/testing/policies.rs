//! What every store must do about the policies of a job: part of the suite in `stores`.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::stores::{Bench, LIMITS, at, id};
use crate::{
    Clock, OccurrenceKind, Outcome, RunId, RunResult,
    occurrence::{Closing, SkipReason},
    store::{Ask, Asked, Claim, Edit, LedgerWhat, Settled, Start},
};

impl Bench {
    /// What is queued and has a place now is claimed.
    async fn claim_queued(&self) -> Vec<Claim> {
        let open = self.store.open(self.clock.now(), LIMITS).await.expect("open");
        self.store.claim(open.startable, LIMITS).await.expect("claim").into_iter().flatten().collect()
    }

    /// Takes the one claim there must be, and starts it.
    async fn started(&self, mut claims: Vec<Claim>) -> Claim {
        assert_eq!(claims.len(), 1, "one has a place");
        let claim = claims.remove(0);
        assert!(matches!(self.start(&claim).await, Start::Go(_)), "and may start");
        claim
    }

    /// Lets the run of `claim` fail.
    async fn fail(&self, claim: &Claim) -> Settled {
        self.end(claim, Outcome::failed("no space")).await
    }

    async fn ask(&self, key: &str) -> Asked {
        let ask = Ask { job: id("a"), kind: OccurrenceKind::Manual, key: key.into(), force: false };
        self.store.ask(ask).await.expect("ask")
    }

    fn seconds(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// The history in short: `1 failed, again at 10:01:10`, `3 failed: superseded`.
    async fn told(&self) -> Vec<String> {
        let told = |what: LedgerWhat| match what {
            LedgerWhat::Occurrence { attempt, end, retry_at, .. } => {
                let again = retry_at.map(|at| format!(", again at {}", clock_time(at))).unwrap_or_default();
                let reason = match end {
                    Closing::GaveUp { reason, .. } | Closing::Skipped(reason) => format!(": {reason:?}").to_lowercase(),
                    _ => String::new(),
                };
                format!("{attempt} {}{again}{reason}", end.word())
            }
            LedgerWhat::Gap(gap) => format!("gap {:?}", gap.reason).to_lowercase(),
        };
        self.ledger().await.into_iter().map(told).collect()
    }
}

fn clock_time(at: Timestamp) -> String {
    at.to_string().split_once('T').map(|(_, time)| time.trim_end_matches('Z').to_owned()).unwrap_or_default()
}

pub(super) async fn retries(bench: Bench) {
    let retries = json!({"max": 3, "backoff": "10s", "max_backoff": "25s"});
    bench.add("a", "0 * * * *", json!({"retries": retries, "timeout": "1m"})).await;
    bench.minutes(60);
    let first = bench.started(bench.pass().await).await;
    let Settled::Again { run, attempt, not_before } = bench.fail(&first).await else {
        panic!("the next attempt is made in the record of the end")
    };
    assert_eq!((attempt, not_before), (2, bench.clock.now() + SignedDuration::from_secs(10)));
    assert_ne!(run, first.run, "each attempt is a run of its own");
    assert_eq!(bench.fail(&first).await, Settled::Lost, "the first is over");
    assert!(matches!(bench.start(&first).await, Start::Lost), "and never starts again");

    bench.seconds(9);
    assert!(bench.claim_queued().await.is_empty(), "it waits");
    assert!(bench.store.claim(vec![run.clone()], LIMITS).await.expect("claim")[0].is_none(), "whoever wants it");
    let open = bench.store.open(bench.clock.now(), LIMITS).await.expect("open");
    assert_eq!((open.next_start, open.next_wakeup), (Some(not_before), Some(not_before)));
    assert!(bench.store.select(crate::store::Which::Troubled).await.expect("select").jobs.is_empty(), "so far");

    bench.seconds(1);
    let open = bench.store.open(bench.clock.now(), LIMITS).await.expect("open");
    assert_eq!(open.next_start, None, "what could start is nothing to wake up for");
    let second = bench.started(bench.claim_queued().await).await;
    assert_eq!((&second.run, second.attempt, &second.id, second.at), (&run, 2, &first.id, first.at));
    assert!(second.epoch > first.epoch, "nothing of the first attempt counts for the second");
    let timed_out = Outcome::new(RunResult::TimedOut);
    assert!(matches!(bench.end(&second, timed_out).await, Settled::Again { attempt: 3, .. }));
    bench.seconds(20);
    let third = bench.started(bench.claim_queued().await).await;
    assert!(matches!(bench.fail(&third).await, Settled::Again { attempt: 4, .. }));
    bench.seconds(24);
    assert!(bench.claim_queued().await.is_empty(), "twice as long each time, up to the longest");
    bench.seconds(1);
    let fourth = bench.started(bench.claim_queued().await).await;
    assert_eq!(bench.fail(&fourth).await, Settled::Done, "that was the last");
    assert!(bench.claim_queued().await.is_empty());
    let told = bench.told().await;
    let expected =
        ["1 failed, again at 11:00:40", "2 timed_out, again at 11:01:00", "3 failed, again at 11:01:25", "4 failed"];
    assert_eq!(told, expected, "an entry for each attempt, and only one is the end");
    assert_eq!(bench.store.select(crate::store::Which::Troubled).await.expect("select").jobs.len(), 1);
}

pub(super) async fn retries_that_are_not_made(bench: Bench) {
    let often = json!({"retries": {"max": 9, "backoff": "90s"}});
    bench.add("a", "* * * * *", often.clone()).await;
    let due = async || {
        bench.minutes(1);
        bench.started(bench.pass().await).await
    };
    // Superseded by a newer instant.
    let claim = due().await;
    assert!(matches!(bench.fail(&claim).await, Settled::Again { .. }));
    let claim = due().await;
    assert_eq!(bench.told().await[1..], ["2 failed: superseded"]);
    // Told to stop: whoever does that wants no other.
    bench.store.cancel(claim.run.clone()).await.expect("cancel");
    assert_eq!(bench.fail(&claim).await, Settled::Done);
    // Succeeded, or cancelled.
    let claim = due().await;
    assert_eq!(bench.end(&claim, Outcome::new(RunResult::Cancelled)).await, Settled::Done);
    // Cancelled while it waits.
    let claim = due().await;
    let Settled::Again { run, .. } = bench.fail(&claim).await else { panic!("it has retries") };
    bench.store.cancel(run).await.expect("cancel");
    assert_eq!(bench.told().await.last().map(String::as_str), Some("2 cancelled"));
    // Paused when its time comes; and a bad end while paused has no retry.
    let claim = due().await;
    assert!(matches!(bench.fail(&claim).await, Settled::Again { .. }));
    bench.store.pause(vec![id("a")], None, None).await.expect("pause");
    bench.seconds(89);
    assert!(bench.claim_queued().await.is_empty());
    assert_ne!(bench.told().await.last().map(String::as_str), Some("2 failed: paused"), "it may be resumed in time");
    bench.seconds(1);
    assert!(bench.claim_queued().await.is_empty());
    assert_eq!(bench.told().await.last().map(String::as_str), Some("2 failed: paused"));
    bench.store.resume(vec![id("a")]).await.expect("resume");
    let claim = due().await;
    bench.store.pause(vec![id("a")], None, None).await.expect("pause");
    assert_eq!(bench.fail(&claim).await, Settled::Done);
    bench.store.resume(vec![id("a")]).await.expect("resume");
    // Disabled, and removed.
    for end in ["disabled", "removed"] {
        let claim = due().await;
        let Settled::Again { run, .. } = bench.fail(&claim).await else { panic!("it has retries") };
        let edit = match end {
            "disabled" => {
                let mut entry = json!({"id": "a", "schedule": "* * * * *", "command": ["true"], "enabled": false});
                entry["retries"] = often["retries"].clone();
                Edit::Replace(vec![entry])
            }
            _ => Edit::Remove(vec![id("a")]),
        };
        bench.store.define(edit).await.expect("a change");
        assert_eq!(bench.told().await.last(), Some(&format!("2 failed: {end}")));
        assert!(bench.store.claim(vec![run], LIMITS).await.expect("claim")[0].is_none());
        let _ = bench.store.define(Edit::Remove(vec![id("a")])).await;
        bench.add("a", "* * * * *", often.clone()).await;
    }
    assert!(bench.store.cancel(RunId::new("nobody's")).await.is_err());
    assert_eq!(
        bench.store.jobs().await.expect("jobs")[0].next_at.map(|next| next > at("2026-03-01T10:00:00Z")),
        Some(true)
    );
}

pub(super) async fn queueing(bench: Bench) {
    bench.add("a", "* * * * *", json!({"overlap": "queue"})).await;
    bench.minutes(1);
    let first = bench.started(bench.pass().await).await;
    bench.minutes(1);
    assert!(bench.pass().await.is_empty() && bench.claim_queued().await.is_empty(), "it waits for the open run");
    bench.minutes(1);
    assert!(bench.pass().await.is_empty());
    assert_eq!(bench.told().await, ["1 skipped: overlap"], "one waits, and no more");
    assert!(matches!(bench.ask("1").await, Asked::Skipped(..)), "nor one that was asked for");
    assert!(bench.finish(&first).await);
    let second = bench.started(bench.claim_queued().await).await;
    assert_eq!(second.at, at("2026-03-01T10:02:00Z"));
    assert!(matches!(bench.ask("2").await, Asked::Queued(_)), "the place is free again");
}

pub(super) async fn replacing(bench: Bench) {
    bench.add("a", "* * * * *", json!({"overlap": "replace", "retries": {"max": 3}})).await;
    bench.minutes(1);
    let first = bench.started(bench.pass().await).await;
    bench.minutes(1);
    assert!(bench.pass().await.is_empty(), "the new one waits until nothing of the old is left");
    let open = bench.store.open(bench.clock.now(), LIMITS).await.expect("open");
    assert_eq!((open.cancel_requested.as_slice(), open.startable.len()), (std::slice::from_ref(&first.run), 0));
    // What waits is replaced, too; what ends meanwhile by itself ends as it would have.
    let Asked::Queued(asked) = bench.ask("1").await else { panic!("it replaces what waits") };
    assert_eq!(bench.told().await, ["1 skipped: superseded"]);
    assert_eq!(bench.end(&first, Outcome::new(RunResult::Cancelled)).await, Settled::Done, "and is not tried again");
    let entries = bench.store.ledger(crate::store::LedgerQuery::default()).await.expect("ledger");
    let why = entries.last().and_then(|entry| entry.outcome()?.message.clone());
    assert_eq!(why.as_deref(), Some("a newer run took its place"));
    let second = bench.started(bench.claim_queued().await).await;
    assert_eq!(second.run, asked);
    // What was claimed and not started makes room at once.
    assert!(bench.finish(&second).await);
    bench.minutes(1);
    let claimed = bench.pass().await.remove(0);
    assert!(matches!(bench.ask("2").await, Asked::Queued(_)));
    assert!(matches!(bench.start(&claimed).await, Start::Lost));
    assert_eq!(bench.claim_queued().await.len(), 1);
    // A run of an earlier life of the job makes room as well.
    let third = bench.store.open(bench.clock.now(), LIMITS).await.expect("open").claimed_here.remove(0);
    assert!(matches!(bench.start(&third).await, Start::Go(_)));
    bench.store.define(Edit::Remove(vec![id("a")])).await.expect("remove");
    bench.add("a", "* * * * *", json!({"overlap": "replace"})).await;
    bench.minutes(1);
    assert!(bench.pass().await.is_empty());
    let open = bench.store.open(bench.clock.now(), LIMITS).await.expect("open");
    assert_eq!(open.cancel_requested, [third.run]);
}

pub(super) async fn a_number_of_runs(bench: Bench) {
    let twice = json!({"max_runs": 2, "overlap": "allow", "retries": {"max": 1, "backoff": "0"}});
    bench.add("a", "* * * * *", twice).await;
    bench.minutes(1);
    let first = bench.started(bench.pass().await).await;
    assert!(matches!(bench.fail(&first).await, Settled::Again { .. }));
    let again = bench.started(bench.claim_queued().await).await;
    assert!(bench.finish(&again).await, "a retry is no run more");
    bench.minutes(1);
    let claimed = bench.pass().await;
    assert!(matches!(bench.ask("1").await, Asked::Queued(_)));
    let second = bench.started(claimed).await;
    assert!(bench.claim_queued().await.is_empty(), "it counts at the start");
    assert_eq!(bench.told().await.last().map(String::as_str), Some("1 skipped: limit"));
    assert!(bench.finish(&second).await);
    let job = bench.store.jobs().await.expect("jobs").remove(0);
    assert_eq!((job.started, job.next_at), (2, None), "it is over");
    assert!(matches!(bench.ask("2").await, Asked::Skipped(_, SkipReason::Limit)));
    bench.store.housekeep(None).await.expect("housekeep");
    bench.minutes(9);
    assert!(bench.due().await.is_empty(), "and stays so");
    // Who raises the number lets it go on from now.
    let more = json!({"id": "a", "schedule": "* * * * *", "command": ["true"], "max_runs": 3});
    bench.store.define(Edit::Replace(vec![more])).await.expect("an edit");
    bench.minutes(1);
    let third = bench.started(bench.pass().await).await;
    assert_eq!(third.at, at("2026-03-01T10:12:00Z"));
    assert!(bench.finish(&third).await);
    assert_eq!(bench.store.jobs().await.expect("jobs")[0].next_at, None);
    // A new life of the job counts anew.
    bench.store.define(Edit::Remove(vec![id("a")])).await.expect("remove");
    bench.add("a", "* * * * *", json!({"max_runs": 1})).await;
    assert!(bench.store.jobs().await.expect("jobs")[0].next_at.is_some());
}

pub(super) async fn a_time_to_run_in(bench: Bench) {
    let bounds = json!({"start_at": "2026-03-01T10:05:00Z", "end_at": "2026-03-01T10:06:00Z"});
    bench.add("a", "* * * * *", bounds).await;
    let next = async || bench.store.jobs().await.expect("jobs")[0].next_at;
    assert_eq!(next().await, Some(at("2026-03-01T10:05:00Z")));
    let event = |key: &str| Ask { job: id("a"), kind: OccurrenceKind::External, key: key.into(), force: false };
    let early = bench.store.ask(event("1")).await.expect("ask");
    assert!(matches!(early, Asked::Skipped(_, SkipReason::Outside)), "nothing from outside");
    assert!(matches!(bench.ask("1").await, Asked::Queued(_)), "but whoever asks by hand means it");
    for claim in bench.claim_queued().await {
        assert!(matches!(bench.start(&claim).await, Start::Go(_)) && bench.finish(&claim).await);
    }
    bench.minutes(5);
    for expected in ["2026-03-01T10:05:00Z", "2026-03-01T10:06:00Z"] {
        let claim = bench.started(bench.pass().await).await;
        assert_eq!(claim.at, at(expected));
        assert!(bench.finish(&claim).await);
        bench.minutes(1);
    }
    assert_eq!(next().await, None);
    let earlier = json!({"id": "a", "schedule": "* * * * *", "command": ["true"]});
    bench.store.define(Edit::Replace(vec![earlier])).await.expect("an edit");
    assert_eq!(next().await, Some(at("2026-03-01T10:08:00Z")), "without its bounds it goes on from now");
}
