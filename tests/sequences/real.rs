//! A real store that takes the same steps, and what it shows in the model's words.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use scheduler_core::{
    Clock, Home, JobStore, OccurrenceId, OccurrenceKind, Outcome, RunId, RunResult,
    audit::AuditQuery,
    job::JobDefaults,
    occurrence::Closing,
    plan::plan,
    store::{
        Admission, Ask, Claim, Edit, Groups, JsonStore, JsonStoreOptions, LedgerQuery, LedgerWhat, Limits, MemoryStore,
        Settled,
    },
    testing::{CrashFs, ManualClock},
};
use serde_json::json;

use super::{
    IN_GROUP, JOBS, PLACES, Step,
    model::{View, sorted},
};

fn limits() -> Limits {
    let groups: Groups = [("group".to_owned(), PLACES)].into_iter().collect();
    Limits { max_parallel: 1000, catch_up: 1000, groups }
}

const BEGIN: &str = "2026-03-01T10:00:00Z";

/// A store, and others on the same disk, which must see the same.
pub(crate) struct Real {
    store: Arc<dyn JobStore>,
    beside: Vec<Arc<dyn JobStore>>,
    clock: Arc<ManualClock>,
    claims: BTreeMap<String, Claim>,
}

impl Real {
    pub(crate) fn in_memory() -> Self {
        let clock = Arc::new(ManualClock::at(BEGIN));
        let store = Arc::new(MemoryStore::new(Arc::clone(&clock) as _, JobDefaults::default()));
        Self { store, beside: Vec::new(), clock, claims: BTreeMap::new() }
    }

    /// The JSON store, with another process beside it.
    pub(crate) fn on_a_disk() -> Self {
        let (clock, disk) = (Arc::new(ManualClock::at(BEGIN)), CrashFs::default());
        let open = || -> Arc<dyn JobStore> {
            let options = JsonStoreOptions::new(Home::new("/home"), Arc::clone(&clock) as Arc<dyn Clock>);
            Arc::new(JsonStore::open(&options.with_fs(Arc::new(disk.clone()))).expect("a store"))
        };
        Self { store: open(), beside: vec![open()], clock, claims: BTreeMap::new() }
    }

    pub(crate) fn name(&self) -> &'static str {
        if self.beside.is_empty() { "the store in memory" } else { "the JSON store" }
    }

    pub(crate) async fn take(&mut self, step: Step, choice: Option<&String>) {
        let id = |job: usize| JOBS[job].parse().expect("an id");
        match step {
            Step::Add(job) => {
                let overlap = if job == 0 { "allow" } else { "forbid" };
                let group = IN_GROUP[job].then_some("group");
                let entry = json!({"id": JOBS[job], "schedule": "* * * * *", "command": "true", "overlap": overlap,
                    "group": group});
                let _ = self.store.define(Edit::Add(vec![entry])).await;
            }
            Step::Remove(job) => drop(self.store.define(Edit::Remove(vec![id(job)])).await),
            Step::Pause(job) => drop(self.store.pause(vec![id(job)], None, None).await),
            Step::Resume(job) => drop(self.store.resume(vec![id(job)]).await),
            Step::Minute => self.minute().await,
            Step::Ask(job, key) => {
                let (kind, key) = (OccurrenceKind::External, format!("key{key}"));
                let _ = self.store.ask(Ask { job: id(job), kind, key, force: false }).await;
            }
            Step::Claim(_) => {
                if let Some(run) = self.run(choice).await {
                    let claimed = self.store.claim(vec![run], limits()).await.expect("claim").remove(0);
                    self.keep(claimed);
                }
            }
            Step::Start(_) => {
                if let Some(claim) = choice.map(|name| &self.claims[name]) {
                    self.store.start(claim, limits()).await.expect("start");
                }
            }
            Step::Finish(_, well) => {
                if let Some(claim) = choice.map(|name| &self.claims[name]) {
                    let result = if well { RunResult::Succeeded } else { RunResult::Failed };
                    let finish = async || self.store.finish(claim, Outcome::new(result)).await.expect("finish");
                    assert_eq!(finish().await, Settled::Done);
                    assert_eq!(finish().await, Settled::Lost, "it ends once");
                }
            }
            Step::Cancel(_) => {
                if let Some(run) = self.run(choice).await {
                    self.store.cancel(run).await.expect("cancel");
                }
            }
        }
    }

    async fn minute(&mut self) {
        self.clock.advance(Duration::from_mins(1));
        let now = self.clock.now();
        let due = self.store.open(now, limits()).await.expect("open").due;
        let plans = due.into_iter().filter_map(|due| {
            let plan = plan(&due.job, &due.cursor, now)?;
            let (job, incarnation, revision) = (due.job.id.clone(), due.incarnation, due.revision);
            Some(Admission { job, incarnation, revision, expected: due.cursor.next_at, plan })
        });
        let won = self.store.admit(plans.collect(), limits()).await.expect("admit");
        self.keep(won.into_iter().flatten().flatten());
    }

    fn keep(&mut self, claims: impl IntoIterator<Item = Claim>) {
        self.claims.extend(claims.into_iter().map(|claim| (name(&claim.id), claim)));
    }

    /// Runs are named at random, so one is found by its occurrence.
    async fn run(&self, choice: Option<&String>) -> Option<RunId> {
        let choice = choice?;
        let jobs = self.store.jobs().await.expect("jobs");
        if let Some(open) = jobs.iter().flat_map(|job| &job.open).find(|open| name(&open.id) == *choice) {
            return Some(open.run.clone());
        }
        // A run of a job that was removed is known to whoever runs it.
        Some(self.claims[choice].run.clone())
    }

    /// What was owed by now is accounted for.
    pub(crate) async fn audited(&self, steps: &[Step]) {
        let whole = self.store.audit(AuditQuery::default()).await.expect("an audit");
        // Whoever looks at the last part of it only must miss nothing either.
        let since =
            [None, Some(1), Some(60), Some(3601)].map(|secs| Some(whole.until - SignedDuration::from_secs(secs?)));
        for since in since {
            let audit = self.store.audit(AuditQuery { since, ..AuditQuery::default() }).await.expect("an audit");
            assert!(audit.is_complete(), "{} since {since:?} after {steps:?}: {audit:#?}", self.name());
        }
    }

    /// What this store shows, and what those beside it do.
    pub(crate) async fn views(&self) -> Vec<View> {
        let mut views = Vec::new();
        for store in [&self.store].into_iter().chain(&self.beside) {
            views.push(view(&**store).await);
        }
        views
    }
}

async fn view(store: &dyn JobStore) -> View {
    let (mut jobs, mut open) = (Vec::new(), Vec::new());
    for job in store.jobs().await.expect("jobs") {
        let paused = if job.paused.is_some() { " paused" } else { "" };
        let next = job.next_at.map_or_else(|| "never".to_owned(), |at| minute(at).to_string());
        jobs.push(format!("{}/{} next {next}{paused}", job.id, job.incarnation));
        open.extend(job.open.iter().map(|occurrence| {
            let cancel = if occurrence.cancel_requested { " to be cancelled" } else { "" };
            format!("{} {} {}{cancel}", name(&occurrence.id), occurrence.word(), occurrence.epoch)
        }));
    }
    let ledger = store.ledger(LedgerQuery::default()).await.expect("the ledger");
    let history = ledger.into_iter().map(|entry| match entry.what {
        LedgerWhat::Gap(gap) => {
            format!("{} {}: {} to {}", entry.job, gap.reason.words(), minute(gap.from), minute(gap.to))
        }
        LedgerWhat::Occurrence { id, end: Closing::Skipped(reason), .. } => {
            format!("{} skipped: {}", name(&id), reason.words())
        }
        LedgerWhat::Occurrence { id, end, .. } => format!("{} {}", name(&id), end.word()),
    });
    sorted(jobs, open, history.collect())
}

fn name(id: &OccurrenceId) -> String {
    let key = id.instant().map_or_else(|| id.key.to_string(), |at| minute(at).to_string());
    format!("{}/{}/{key}", id.job, id.incarnation)
}

fn minute(at: Timestamp) -> i64 {
    at.duration_since(BEGIN.parse().expect("an instant")).as_mins()
}
