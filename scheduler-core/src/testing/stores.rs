//! What every [`JobStore`] must do, whatever it keeps things in.

use std::{future::Future, sync::Arc, time::Duration};

use jiff::Timestamp;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::{ManualClock, past, policies};
use crate::{
    Clock, ErrorKind, JobId, JobStore, OccurrenceKind, Outcome, RunResult,
    audit::AuditQuery,
    occurrence::{Cause, SkipReason},
    plan::plan,
    store::{
        Admission, Ask, Asked, Cancelled, Claim, DueJob, Edit, Groups, LedgerQuery, LedgerWhat, Limits, Lost, Settled,
        Start, Which,
    },
};

/// Runs the suite: `make` answers a new, empty store that reads `clock`.
///
/// # Panics
/// At the first promise that isn't kept, with its words.
///
/// ```
/// use scheduler_core::{job::JobDefaults, store::MemoryStore, testing::store_conformance};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// store_conformance(async |clock| MemoryStore::new(clock, JobDefaults::default())).await;
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
pub async fn store_conformance<S, M, F>(make: M)
where
    S: JobStore + 'static,
    M: Fn(Arc<ManualClock>) -> F,
    F: Future<Output = S>,
{
    let all = Mutex::new(Vec::new());
    let fresh = || async {
        let clock = Arc::new(ManualClock::at("2026-03-01T10:00:30Z"));
        let store: Arc<dyn JobStore> = Arc::new(make(Arc::clone(&clock)).await);
        all.lock().push(Arc::clone(&store));
        Bench { store, clock }
    };
    definitions(fresh().await).await;
    some_of_the_jobs(fresh().await).await;
    replacing(fresh().await).await;
    a_whole_set_at_once(fresh().await).await;
    nobodys_change_is_lost(fresh().await).await;
    an_instant_is_admitted_once(fresh().await).await;
    racers_share_what_is_due(fresh().await).await;
    the_fence_holds(fresh().await).await;
    overlap_and_limits(fresh().await).await;
    pause_owes_nothing(fresh().await).await;
    events_are_deduplicated(fresh().await).await;
    edits_drop_nothing(fresh().await).await;
    removal_and_a_new_life(fresh().await).await;
    cancelling(fresh().await).await;
    a_repaired_clock(fresh().await).await;
    policies::retries(fresh().await).await;
    policies::retries_that_are_not_made(fresh().await).await;
    policies::queueing(fresh().await).await;
    policies::replacing(fresh().await).await;
    policies::a_number_of_runs(fresh().await).await;
    policies::a_time_to_run_in(fresh().await).await;
    policies::jitter(fresh().await).await;
    policies::jitter_is_owed_through_edits(fresh().await).await;
    policies::groups(fresh().await).await;
    policies::a_group_of_its_own(fresh().await).await;
    past::looking_back(fresh().await).await;
    let all = std::mem::take(&mut *all.lock());
    for store in all {
        let audit = store.audit(AuditQuery::default()).await.expect("an audit");
        assert!(audit.is_complete(), "whatever happened, every instant is accounted for: {audit:#?}");
    }
}

pub(super) struct Bench {
    pub(super) store: Arc<dyn JobStore>,
    pub(super) clock: Arc<ManualClock>,
}

pub(super) const LIMITS: Limits = Limits { max_parallel: 8, catch_up: 4, groups: Groups::NONE };

impl Bench {
    pub(super) async fn add(&self, id: &str, schedule: &str, more: Value) {
        let mut entry = json!({"id": id, "schedule": schedule, "command": ["true"]});
        if let (Value::Object(entry), Value::Object(more)) = (&mut entry, more) {
            entry.extend(more);
        }
        self.store.define(Edit::Add(vec![entry])).await.expect("a valid job can be added");
    }

    pub(super) async fn due(&self) -> Vec<DueJob> {
        self.store.open(self.clock.now(), LIMITS).await.expect("open").due
    }

    /// Plans everything that is due, as the engine does.
    pub(super) async fn plans(&self) -> Vec<Admission> {
        let now = self.clock.now();
        let admission = |due: DueJob| {
            let plan = plan(&due.job, &due.cursor, now)?;
            let (job, incarnation, revision) = (due.job.id.clone(), due.incarnation, due.revision);
            Some(Admission { job, incarnation, revision, expected: due.cursor.next_at, plan })
        };
        self.due().await.into_iter().filter_map(admission).collect()
    }

    pub(super) async fn pass(&self) -> Vec<Claim> {
        let plans = self.plans().await;
        let won = self.store.admit(plans, LIMITS).await.expect("admit");
        won.into_iter().flatten().flatten().collect()
    }

    pub(super) async fn start(&self, claim: &Claim) -> Start {
        self.store.start(claim, LIMITS).await.expect("start")
    }

    pub(super) async fn finish(&self, claim: &Claim) -> bool {
        self.end(claim, Outcome::new(RunResult::Succeeded)).await != Settled::Lost
    }

    pub(super) async fn end(&self, claim: &Claim, outcome: Outcome) -> Settled {
        self.store.finish(claim, outcome).await.expect("finish")
    }

    pub(super) async fn ledger(&self) -> Vec<LedgerWhat> {
        let entries = self.store.ledger(LedgerQuery::default()).await.expect("ledger");
        entries.into_iter().map(|entry| entry.what).collect()
    }

    pub(super) fn minutes(&self, minutes: u64) {
        self.clock.advance(Duration::from_secs(60 * minutes));
    }
}

pub(super) fn id(text: &str) -> JobId {
    text.parse().expect("a job id")
}

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().expect("a timestamp")
}

async fn definitions(bench: Bench) {
    bench.add("a", "* * * * *", json!({})).await;
    let again = bench.store.define(Edit::Add(vec![json!({"id": "a", "schedule": "@daily", "command": "x"})])).await;
    assert_eq!(again.expect_err("an id is there once").kind(), ErrorKind::Exists);
    let both =
        vec![json!({"id": "b", "schedule": "@daily", "command": "x"}), json!({"id": "c", "schedule": "99 * * * *"})];
    let half = bench.store.define(Edit::Add(both)).await;
    assert_eq!(half.expect_err("an edit is whole or not at all").kind(), ErrorKind::Invalid);
    let jobs = bench.store.jobs().await.expect("jobs");
    assert_eq!(jobs.iter().map(|job| job.id.as_str()).collect::<Vec<_>>(), ["a"]);
    assert_eq!(
        jobs[0].next_at,
        Some(at("2026-03-01T10:01:00Z")),
        "a job owes nothing for the time before it was defined"
    );
    let gone = bench.store.define(Edit::Remove(vec![id("nobody")])).await;
    assert_eq!(gone.expect_err("what isn't there can't be removed").kind(), ErrorKind::NotFound);
}

async fn some_of_the_jobs(bench: Bench) {
    for (name, schedule) in
        [("daily", "@daily"), ("hourly", "@hourly"), ("minutely", "* * * * *"), ("hand", "@manually")]
    {
        bench.add(name, schedule, json!({})).await;
    }
    let theirs =
        json!({"id": "theirs", "schedule": "@daily", "payload": {"command": "think"}, "ping_url": "http://a/b"});
    bench.store.define(Edit::Add(vec![theirs])).await.expect("a payload is as good as a command");
    let named = async |which: Which| {
        let selected = bench.store.select(which).await.expect("select");
        assert_eq!((selected.in_force, selected.waiting), (5, 4), "`hand` waits for no instant");
        selected.jobs.iter().map(|job| job.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(named(Which::Job(id("hand"))).await, ["hand"]);
    assert!(named(Which::Job(id("nobody"))).await.is_empty());
    assert_eq!(named(Which::Soonest(2)).await, ["minutely", "hourly"]);
    assert_eq!(named(Which::Payload).await, ["theirs"]);
    assert_eq!(named(Which::Pinging).await, ["theirs"]);
    assert!(named(Which::Troubled).await.is_empty());
    bench.minutes(1);
    let claim = bench.pass().await.pop().expect("a claim");
    bench.start(&claim).await;
    bench.store.finish(&claim, Outcome::failed("no space")).await.expect("finish");
    assert_eq!(named(Which::Troubled).await, ["minutely"]);
}

async fn replacing(bench: Bench) {
    let entry = |id: &str, more: Value| {
        let mut entry = json!({"id": id, "schedule": "* * * * *", "command": ["true"]});
        entry.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        entry
    };
    bench.add("a", "* * * * *", json!({"$why": "mine", "_by": "ann", "timeout": "1m"})).await;
    bench.minutes(1);
    let next = json!({"timeout": "2m", "_by": null});
    let answer = bench.store.define(Edit::Replace(vec![entry("a", next)])).await.expect("a replacement");
    assert_eq!((answer[0].incarnation, answer[0].revision), (1, 2), "the same life under another definition");
    assert_eq!(*answer[0].definition, entry("a", json!({"$why": "mine", "timeout": "2m"})), "remarks stay");
    assert_eq!(bench.pass().await.len(), 1, "what was due still is");
    let refused = async |edit: Edit, kind: ErrorKind| {
        let before: Vec<Value> = definitions_of(&bench).await;
        assert_eq!(bench.store.define(edit).await.expect_err("refused").kind(), kind);
        assert_eq!(definitions_of(&bench).await, before, "and nothing was changed");
    };
    let good = entry("a", json!({"timeout": "3m"}));
    refused(Edit::Replace(vec![good.clone(), entry("b", json!({}))]), ErrorKind::NotFound).await;
    refused(Edit::Replace(vec![good.clone(), good.clone()]), ErrorKind::Invalid).await;
    refused(Edit::Replace(vec![entry("a", json!({"schedule": "99 * * * *"}))]), ErrorKind::Invalid).await;
    refused(Edit::Replace(vec![json!({"schedule": "@daily", "command": "x"})]), ErrorKind::Invalid).await;
    let again = bench.store.define(Edit::Replace(vec![entry("a", json!({"timeout": "2m"}))])).await.expect("the same");
    assert_eq!(again[0].revision, 2, "what changes nothing is no change");
}

async fn a_whole_set_at_once(bench: Bench) {
    bench.add("a", "@daily", json!({})).await;
    bench.add("b", "@daily", json!({})).await;
    let put = |id: &str, schedule: &str| json!({"id": id, "schedule": schedule, "command": ["true"]});
    let apply = |put: Vec<Value>, remove: &[&str]| {
        let remove = remove.iter().map(|text| id(text)).collect();
        bench.store.define(Edit::Apply { put, remove, seen: Vec::new() })
    };
    for (edit, kind) in [
        (apply(vec![put("c", "@daily"), put("d", "99 * * * *")], &["b"]), ErrorKind::Invalid),
        (apply(vec![put("c", "@daily")], &["b", "nobody"]), ErrorKind::NotFound),
        (apply(vec![put("c", "@daily"), put("b", "@daily")], &["b"]), ErrorKind::Invalid),
    ] {
        assert_eq!(edit.await.expect_err("refused").kind(), kind);
        let ids: Vec<String> = bench.store.jobs().await.expect("jobs").iter().map(|view| view.id.to_string()).collect();
        assert_eq!(ids, ["a", "b"], "a set is applied whole or not at all");
    }
    let answer = apply(vec![put("c", "@daily"), put("a", "@hourly")], &["b"]).await.expect("a set");
    let told: Vec<(&str, u64)> = answer.iter().map(|view| (view.id.as_str(), view.revision)).collect();
    assert_eq!(told, [("c", 1), ("a", 2), ("b", 1)], "what was put as it is, then what was removed as it was");
    let left = definitions_of(&bench).await;
    assert_eq!(left, [put("a", "@hourly"), put("c", "@daily")]);
}

async fn nobodys_change_is_lost(bench: Bench) {
    let entry = |schedule: &str| json!({"id": "a", "schedule": schedule, "command": ["true"]});
    bench.add("a", "@daily", json!({})).await;
    let apply = |put: Vec<Value>, remove: Vec<JobId>, seen: Option<Value>| {
        bench.store.define(Edit::Apply { put, remove, seen: vec![(id("a"), seen)] })
    };
    apply(vec![entry("@hourly")], vec![], Some(entry("@daily"))).await.expect("it is what was seen");
    for (put, remove, seen) in [
        (vec![entry("@weekly")], vec![], Some(entry("@daily"))),
        (vec![entry("@weekly")], vec![], None),
        (vec![], vec![id("a")], Some(entry("@daily"))),
    ] {
        let refused = apply(put, remove, seen).await.expect_err("somebody else was faster");
        assert_eq!(refused.kind(), ErrorKind::Changed);
    }
    assert_eq!(definitions_of(&bench).await, [entry("@hourly")]);
    bench.store.define(Edit::Remove(vec![id("a")])).await.expect("remove");
    let refused = apply(vec![entry("@weekly")], vec![], Some(entry("@hourly"))).await.expect_err("it is gone");
    assert_eq!(refused.kind(), ErrorKind::Changed);
    apply(vec![entry("@weekly")], vec![], None).await.expect("it is not there, as was seen");
}

async fn definitions_of(bench: &Bench) -> Vec<Value> {
    let mut views = bench.store.jobs().await.expect("jobs");
    views.sort_by(|a, b| a.id.cmp(&b.id));
    views.iter().map(|view| (*view.definition).clone()).collect()
}

async fn an_instant_is_admitted_once(bench: Bench) {
    bench.add("a", "* * * * *", json!({})).await;
    assert!(bench.due().await.is_empty());
    bench.minutes(1);
    let plans = bench.plans().await;
    assert_eq!(plans.len(), 1);
    let first = bench.store.admit(plans.clone(), LIMITS).await.expect("admit").remove(0).expect("the first wins");
    assert_eq!(first.len(), 1);
    assert_eq!((first[0].at, first[0].cause), (at("2026-03-01T10:01:00Z"), Cause::Late), "30 s late");
    let second = bench.store.admit(plans, LIMITS).await.expect("admit").remove(0);
    assert_eq!(second.expect_err("the same plan again is lost"), Lost::Moved);
    assert!(bench.due().await.is_empty());
    assert!(matches!(bench.start(&first[0]).await, Start::Go(_)));
    assert!(bench.finish(&first[0]).await);
    assert!(!bench.finish(&first[0]).await, "an occurrence ends once");
    assert_eq!(bench.ledger().await.len(), 1);
}

async fn racers_share_what_is_due(bench: Bench) {
    for n in 0..20 {
        bench.add(&format!("job{n}"), "* * * * *", json!({})).await;
    }
    bench.minutes(1);
    let plans = bench.plans().await;
    let wide = Limits { max_parallel: 1000, catch_up: 1000, groups: Groups::NONE };
    let racers: Vec<_> = (0..8)
        .map(|_| {
            let (store, plans, wide) = (Arc::clone(&bench.store), plans.clone(), wide.clone());
            tokio::spawn(async move { store.admit(plans, wide).await.expect("admit") })
        })
        .collect();
    let mut won = Vec::new();
    for racer in racers {
        won.extend(racer.await.expect("no panic").into_iter().flatten().flatten().map(|claim| claim.id));
    }
    won.sort();
    let all = won.len();
    won.dedup();
    assert_eq!((all, won.len()), (20, 20), "eight racers for twenty jobs: every one claimed, none twice");
}

async fn the_fence_holds(bench: Bench) {
    bench.add("a", "* * * * *", json!({})).await;
    bench.minutes(1);
    let claim = bench.pass().await.remove(0);
    let mut forged = claim.clone();
    forged.token = crate::Token::new("forged");
    assert!(matches!(bench.start(&forged).await, Start::Lost));
    let mut stale = claim.clone();
    stale.epoch += 1;
    assert!(matches!(bench.start(&stale).await, Start::Lost));
    assert!(matches!(bench.start(&claim).await, Start::Go(_)));
    assert!(!bench.finish(&forged).await);
    assert!(bench.finish(&claim).await);
    assert!(matches!(bench.start(&claim).await, Start::Lost), "what is over never starts");
}

async fn overlap_and_limits(bench: Bench) {
    bench.add("forbid", "* * * * *", json!({})).await;
    bench.add("allow", "* * * * *", json!({"overlap": "allow", "max_parallel": 2})).await;
    bench.minutes(1);
    for claim in bench.pass().await {
        assert!(matches!(bench.start(&claim).await, Start::Go(_)));
    }
    for expected in [1, 0, 0] {
        bench.minutes(1);
        let claims = bench.pass().await;
        assert_eq!(claims.len(), expected, "one more of `allow`, then its own limit; none of `forbid`");
        for claim in claims {
            assert_eq!(claim.id.job, id("allow"));
            assert!(matches!(bench.start(&claim).await, Start::Go(_)));
        }
    }
    let skipped = |what: &LedgerWhat| match what {
        LedgerWhat::Occurrence { id: one, end: crate::occurrence::Closing::Skipped(SkipReason::Overlap), .. } => {
            one.job == id("forbid")
        }
        _ => false,
    };
    assert_eq!(bench.ledger().await.iter().filter(|what| skipped(what)).count(), 3, "each with its reason");
    for n in 0..10 {
        bench.add(&format!("one{n}"), "* * * * *", json!({})).await;
    }
    bench.clock.advance(Duration::from_secs(31));
    let open = bench.store.open(bench.clock.now(), LIMITS).await.expect("open").active;
    let claimed = bench.pass().await.len();
    assert_eq!(open + claimed, LIMITS.max_parallel, "no more than all places are given away");
}

async fn pause_owes_nothing(bench: Bench) {
    bench.add("a", "* * * * *", json!({})).await;
    assert_eq!(bench.store.pause(vec![id("a")], None, None).await.expect("pause"), [id("a")]);
    assert!(
        bench.store.pause(vec![id("a")], None, None).await.expect("pause").is_empty(),
        "it is paused like this already"
    );
    bench.minutes(10);
    assert!(bench.due().await.is_empty());
    let ask = Ask { job: id("a"), kind: OccurrenceKind::Manual, key: "1".into(), force: false };
    assert!(matches!(bench.store.ask(ask).await.expect("ask"), Asked::Skipped(_, SkipReason::Paused)));
    assert_eq!(bench.store.resume(vec![id("a")]).await.expect("resume"), [id("a")]);
    assert!(bench.due().await.is_empty(), "resume never catches up");
    let gaps: Vec<_> = bench.ledger().await.into_iter().filter(|what| matches!(what, LedgerWhat::Gap(_))).collect();
    assert!(
        matches!(&gaps[..], [LedgerWhat::Gap(gap)] if gap.reason == SkipReason::Paused
            && (gap.from, gap.to) == (at("2026-03-01T10:01:00Z"), at("2026-03-01T10:10:00Z"))),
        "what passed is one gap: {gaps:?}"
    );
    let until = bench.clock.now() + Duration::from_mins(2);
    bench.store.pause(vec![id("a")], Some(until), Some("lunch".into())).await.expect("pause");
    bench.minutes(3);
    bench.store.housekeep(None).await.expect("housekeep");
    bench.minutes(1);
    assert_eq!(bench.pass().await.len(), 1, "a pause ends by itself");
}

async fn events_are_deduplicated(bench: Bench) {
    bench.add("a", "@manually", json!({"overlap": "allow"})).await;
    let ask = |key: &str| Ask { job: id("a"), kind: OccurrenceKind::External, key: key.into(), force: false };
    let Asked::Queued(run) = bench.store.ask(ask("1")).await.expect("ask") else { panic!("the first is queued") };
    assert_eq!(bench.store.ask(ask("1")).await.expect("ask"), Asked::Known(run.clone()));
    let claim =
        bench.store.claim(vec![run.clone()], LIMITS).await.expect("claim").remove(0).expect("it is claimed once");
    assert!(bench.store.claim(vec![run.clone()], LIMITS).await.expect("claim").remove(0).is_none());
    assert!(matches!(bench.start(&claim).await, Start::Go(_)));
    assert!(bench.finish(&claim).await);
    assert_eq!(bench.store.ask(ask("1")).await.expect("ask"), Asked::Known(run), "also when it is over");
    assert!(matches!(bench.store.ask(ask("2")).await.expect("ask"), Asked::Queued(_)));
}

async fn edits_drop_nothing(bench: Bench) {
    bench.add("a", "* * * * *", json!({})).await;
    bench.minutes(1);
    // The job is taken away and made anew while an instant is due: the new life starts from now.
    let stale = bench.plans().await;
    bench.store.define(Edit::Remove(vec![id("a")])).await.expect("remove");
    assert_eq!(bench.store.admit(stale.clone(), LIMITS).await.expect("admit").remove(0).expect_err("gone"), Lost::Gone);
    bench.add("a", "*/5 * * * *", json!({})).await;
    assert_eq!(
        bench.store.admit(stale, LIMITS).await.expect("admit").remove(0).expect_err("another life"),
        Lost::Redefined
    );
    assert_eq!(bench.store.jobs().await.expect("jobs")[0].next_at, Some(at("2026-03-01T10:05:00Z")));
}

async fn removal_and_a_new_life(bench: Bench) {
    bench.add("a", "* * * * *", json!({})).await;
    bench.minutes(1);
    let running = bench.pass().await.remove(0);
    assert!(matches!(bench.start(&running).await, Start::Go(_)));
    bench.store.define(Edit::Remove(vec![id("a")])).await.expect("remove");
    bench.add("a", "* * * * *", json!({})).await;
    assert_eq!(bench.store.jobs().await.expect("jobs")[0].incarnation, 2);
    bench.minutes(1);
    assert!(bench.pass().await.is_empty(), "a run of the earlier life still counts for overlap");
    assert!(bench.finish(&running).await, "and ends as it would have");
    bench.minutes(1);
    assert_eq!(bench.pass().await.len(), 1);
}

async fn cancelling(bench: Bench) {
    bench.add("a", "* * * * *", json!({"overlap": "allow"})).await;
    bench.minutes(1);
    let claim = bench.pass().await.remove(0);
    assert_eq!(bench.store.cancel(claim.run.clone()).await.expect("cancel"), Cancelled::Closed);
    assert!(matches!(bench.start(&claim).await, Start::Lost), "what was cancelled never starts");
    bench.minutes(1);
    let claim = bench.pass().await.remove(0);
    assert!(matches!(bench.start(&claim).await, Start::Go(_)));
    assert_eq!(bench.store.cancel(claim.run.clone()).await.expect("cancel"), Cancelled::Requested);
    let open = bench.store.open(bench.clock.now(), LIMITS).await.expect("open");
    assert_eq!(open.cancel_requested, std::slice::from_ref(&claim.run), "its owner is told");
    let cancelled = Outcome::new(RunResult::Cancelled);
    assert_eq!(bench.end(&claim, cancelled).await, Settled::Done);
    assert_eq!(bench.store.cancel(claim.run).await.expect_err("it is over").kind(), ErrorKind::NotFound);
}

async fn a_repaired_clock(bench: Bench) {
    bench.add("a", "* * * * *", json!({})).await;
    bench.minutes(1);
    let claim = bench.pass().await.remove(0);
    assert!(matches!(bench.start(&claim).await, Start::Go(_)) && bench.finish(&claim).await);
    bench.clock.set("2099-01-01T00:00:10Z");
    for claim in bench.pass().await {
        assert!(matches!(bench.start(&claim).await, Start::Go(_)) && bench.finish(&claim).await);
    }
    bench.clock.set("2026-03-01T10:00:50Z");
    assert_eq!(bench.store.housekeep(None).await.expect("housekeep").len(), 1);
    bench.minutes(1);
    assert!(bench.pass().await.is_empty(), "10:01 has been fired, before the clock jumped");
    bench.clock.advance(Duration::from_secs(12));
    let claims = bench.pass().await;
    assert_eq!(
        claims.iter().map(|claim| claim.at).collect::<Vec<_>>(),
        [at("2026-03-01T10:02:00Z")],
        "and 10:02 has not"
    );
}
