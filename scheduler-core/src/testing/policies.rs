//! What every store must do about the policies of a job: part of the suite in `stores`.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::stores::{Bench, LIMITS, at, id};
use crate::{
    Clock, OccurrenceKind, Outcome, RunId, RunResult,
    occurrence::{Closing, SkipReason},
    store::{Ask, Asked, Claim, Edit, JobView, LedgerWhat, Limits, Open, Settled, Start},
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

impl Bench {
    async fn open(&self, limits: &Limits) -> Open {
        self.store.open(self.clock.now(), limits.clone()).await.expect("open")
    }

    async fn job(&self) -> JobView {
        self.store.jobs().await.expect("jobs").remove(0)
    }

    /// Starts what is queued and has a place within `limits`; by job.
    async fn start_queued(&self, limits: &Limits) -> Vec<Claim> {
        let startable = self.open(limits).await.startable;
        let claims: Vec<Claim> =
            self.store.claim(startable, limits.clone()).await.expect("claim").into_iter().flatten().collect();
        for claim in &claims {
            let start = self.store.start(claim, limits.clone()).await.expect("start");
            assert!(matches!(start, Start::Go(_)), "what has a place may start: {start:?}");
        }
        claims
    }
}

fn names(claims: &[Claim]) -> Vec<&str> {
    claims.iter().map(|claim| claim.id.job.as_str()).collect()
}

pub(super) async fn jitter(bench: Bench) {
    let hour = at("2026-03-01T11:00:00Z");
    bench.add("a", "0 * * * *", json!({"jitter": "30m"})).await;
    let due_at = bench.job().await.due_at.expect("it is owed");
    let delay = due_at.duration_since(hour);
    assert_eq!(bench.job().await.next_at, Some(hour), "its instants stay what they are");
    assert!(delay > SignedDuration::from_secs(2) && delay < SignedDuration::from_mins(30), "{delay}");
    let open = bench.open(&LIMITS).await;
    assert_eq!((open.next_wakeup, open.due.len()), (Some(due_at), 0));

    bench.clock.set(&(due_at - SignedDuration::from_millis(1)).to_string());
    assert!(bench.due().await.is_empty(), "not a millisecond early");
    // Claimed ahead, as its instant would be, and not started before.
    let ahead = bench.store.open(due_at, LIMITS).await.expect("open").due.remove(0);
    assert_eq!(ahead.due_at(), Some(due_at));
    let plan = crate::plan::plan(&ahead.job, &ahead.cursor, due_at).expect("it is due then");
    let admission = crate::store::Admission {
        job: id("a"),
        incarnation: ahead.incarnation,
        revision: ahead.revision,
        expected: ahead.cursor.next_at,
        plan,
    };
    let claim = bench.store.admit(vec![admission], LIMITS).await.expect("admit").remove(0).expect("won").remove(0);
    assert_eq!((claim.at, claim.starts_at()), (hour, due_at));
    assert!(matches!(bench.start(&claim).await, Start::Requeued), "the store itself lets nobody start it early");
    assert!(bench.claim_queued().await.is_empty());
    assert_eq!(bench.open(&LIMITS).await.next_start, Some(due_at));
    bench.clock.set(&due_at.to_string());
    let claim = bench.started(bench.claim_queued().await).await;
    assert_eq!((claim.at, claim.cause), (hour, crate::occurrence::Cause::OnTime), "it is not late for that");
    assert!(bench.finish(&claim).await);

    // With another jitter it is due at another time.
    let edited = json!({"id": "a", "schedule": "0 * * * *", "command": ["true"], "jitter": "2s"});
    bench.store.define(Edit::Replace(vec![edited])).await.expect("an edit");
    let job = bench.job().await;
    let (next_at, due_at) = (job.next_at.expect("owed"), job.due_at.expect("owed"));
    assert_eq!(next_at, at("2026-03-01T12:00:00Z"));
    assert!(due_at.duration_since(next_at) < SignedDuration::from_secs(2));
    assert_eq!(bench.open(&LIMITS).await.next_wakeup, Some(due_at));
    // Whoever asks by hand doesn't wait.
    assert!(matches!(bench.ask("1").await, Asked::Queued(_)));
    bench.started(bench.claim_queued().await).await;
}

pub(super) async fn jitter_is_owed_through_edits(bench: Bench) {
    let entry = |schedule: &str| json!({"id": "a", "schedule": schedule, "command": ["true"], "jitter": "30m"});
    bench.store.define(Edit::Add(vec![entry("0 * * * *")])).await.expect("a job");
    let due_at = bench.job().await.due_at.expect("it is owed");
    bench.clock.set("2026-03-01T11:00:01Z");
    // Under another schedule: what came under the old one is owed, and starts when it would have.
    bench.store.define(Edit::Replace(vec![entry("30 3 * * *")])).await.expect("an edit");
    assert_eq!(bench.job().await.next_at, Some(at("2026-03-02T03:30:00Z")));
    assert!(bench.claim_queued().await.is_empty(), "not before its time");
    assert_eq!(bench.open(&LIMITS).await.next_wakeup, Some(due_at));
    // A pause that is over by then keeps nothing from it.
    bench.store.pause(vec![id("a")], None, None).await.expect("pause");
    bench.store.resume(vec![id("a")]).await.expect("resume");
    bench.clock.set(&due_at.to_string());
    let claim = bench.started(bench.claim_queued().await).await;
    assert_eq!(claim.at, at("2026-03-01T11:00:00Z"));
    assert!(bench.finish(&claim).await);
    // Removed in between, it leaves a record.
    bench.clock.set("2026-03-02T03:30:01Z");
    bench.store.define(Edit::Remove(vec![id("a")])).await.expect("removed");
    assert_eq!(bench.told().await, ["1 succeeded", "1 skipped: removed"]);

    // A pause takes what was to start while it lasted, and no more.
    bench.store.define(Edit::Add(vec![entry("0 * * * *")])).await.expect("a job");
    let next = async || bench.job().await.next_at.map(clock_time);
    bench.store.pause(vec![id("a")], None, None).await.expect("pause");
    bench.clock.set("2026-03-02T04:00:01Z");
    bench.store.resume(vec![id("a")]).await.expect("resume");
    assert_eq!(next().await.as_deref(), Some("04:00:00"), "it starts after the pause");
    bench.store.pause(vec![id("a")], None, None).await.expect("pause");
    bench.clock.set("2026-03-02T04:30:00Z");
    bench.store.resume(vec![id("a")]).await.expect("resume");
    assert_eq!(next().await.as_deref(), Some("05:00:00"), "it would have started while it was paused");
    assert_eq!(bench.told().await[2..], ["gap paused"]);
}

/// Room for two of the group.
fn two() -> Limits {
    Limits { groups: [("g".to_owned(), 2)].into_iter().collect(), ..LIMITS }
}

pub(super) async fn groups(bench: Bench) {
    let two = two();
    for name in ["a", "b", "c", "d"] {
        bench.add(name, "* * * * *", json!({"group": "g"})).await;
    }
    bench.add("z", "* * * * *", json!({"group": "elsewhere"})).await;
    bench.minutes(1);
    let mut claims = bench.store.admit(bench.plans().await, two.clone()).await.expect("admit");
    let claims: Vec<Claim> = claims.drain(..).flatten().flatten().collect();
    assert_eq!(names(&claims), ["a", "b", "z"], "two of the group, and who is in none that has a limit");
    for claim in &claims {
        assert!(matches!(bench.store.start(claim, two.clone()).await.expect("start"), Start::Go(_)));
    }
    let open = bench.open(&two).await;
    assert_eq!((open.startable.len(), open.queued, open.active), (0, 2, 3), "the others wait, and are seen to");

    // A place that is free goes to the one that waits longest, and not to one that comes now.
    bench.add("e", "* * * * *", json!({"group": "g"})).await;
    bench.minutes(1);
    assert!(bench.finish(&claims[0]).await);
    let plans = bench.plans().await.into_iter().filter(|plan| plan.job == id("e")).collect();
    let new = bench.store.admit(plans, two.clone()).await.expect("admit").remove(0).expect("won");
    assert_eq!(names(&new), [""; 0], "it is the last in the queue");
    assert_eq!(bench.open(&two).await.startable.len(), 1, "no more are held out a place than there are places");
    let mut waited = bench.start_queued(&two).await;
    assert_eq!(waited.len(), 1);
    // By hand it has to wait as well, forced or not, as for max_parallel.
    let ask = Ask { job: id("a"), kind: OccurrenceKind::Manual, key: "1".into(), force: true };
    let Asked::Queued(forced) = bench.store.ask(ask).await.expect("ask") else { panic!("it is new") };
    assert!(bench.store.claim(vec![forced.clone()], two.clone()).await.expect("claim")[0].is_none());
    assert!(bench.finish(&claims[1]).await);
    waited.extend(bench.start_queued(&two).await);
    waited.sort_by(|one, other| one.id.job.cmp(&other.id.job));
    assert_eq!(names(&waited), ["c", "d"], "before those that came later");
    // Limits are those of whoever looks: with room for all, all start.
    assert_eq!(names(&bench.start_queued(&LIMITS).await), ["e", "a"]);
    assert!(bench.start_queued(&two).await.is_empty(), "and then there are more than two");
}

pub(super) async fn a_group_of_its_own(bench: Bench) {
    let two = two();
    let entry = |id: &str, group: &str| json!({"id": id, "schedule": "@yearly", "command": ["true"], "group": group});
    let run = async |job: &str, key: &str| {
        let ask = Ask { job: id(job), kind: OccurrenceKind::Manual, key: key.into(), force: false };
        assert!(matches!(bench.store.ask(ask).await.expect("ask"), Asked::Queued(_)));
        names(&bench.start_queued(&two).await).len()
    };
    for job in ["a", "b", "c"] {
        bench.store.define(Edit::Add(vec![entry(job, "other")])).await.expect("a job");
        assert_eq!(run(job, "1").await, 1);
    }
    bench.store.define(Edit::Add(vec![entry("d", "g"), entry("e", "g")])).await.expect("jobs");
    // What runs goes along with its job, and what was removed still runs.
    bench.store.define(Edit::Replace(vec![entry("a", "g")])).await.expect("an edit");
    bench.store.define(Edit::Replace(vec![entry("b", "g")])).await.expect("an edit");
    bench.store.define(Edit::Remove(vec![id("b")])).await.expect("removed");
    assert_eq!(run("d", "1").await, 0, "two of the group run");
    bench.store.define(Edit::Replace(vec![entry("a", "other")])).await.expect("an edit");
    assert_eq!(names(&bench.start_queued(&two).await), ["d"]);
    assert_eq!(run("e", "1").await, 0);
    // Created anew in another group, it takes what is open of its earlier life along.
    bench.store.define(Edit::Add(vec![entry("b", "other")])).await.expect("a new life");
    assert_eq!(names(&bench.start_queued(&two).await), ["e"]);
}
