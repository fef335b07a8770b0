//! A scheduler in a home of its own: the real JSON store with real syncs, a clock set by hand, a runner that takes notes.

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;
use scheduler_core::{
    Clock, Engine, Home, JobStore,
    audit::AuditQuery,
    liveness::{Account, Heartbeat, Pulse},
    store::{Edit, JsonStore, JsonStoreOptions, LedgerQuery, LedgerWhat},
    testing::{ManualClock, RecordingRunner},
};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) struct Bench {
    pub(crate) home: Home,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) runner: Arc<RecordingRunner>,
    pub(crate) store: Arc<JsonStore>,
    pub(crate) engine: Engine,
    pub(crate) pulse: Pulse,
    _folder: TempDir,
}

impl Bench {
    pub(crate) fn at(wall: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let clock = Arc::new(ManualClock::at(wall));
        let home = Home::new(folder.path().join("home"));
        let runner = Arc::new(RecordingRunner::default());
        let (store, engine, pulse) = open(&home, &clock, &runner);
        Self { home, clock, runner, store, engine, pulse, _folder: folder }
    }

    /// As after a restart: a new process, the same home.
    pub(crate) async fn restart(&mut self) {
        self.store.close().await.expect("close");
        let (store, engine, pulse) = open(&self.home, &self.clock, &self.runner);
        self.store = store;
        self.pulse = pulse;
        self.engine = engine;
    }

    pub(crate) async fn add(&self, id: &str, schedule: &str, more: Value) {
        let mut entry = json!({"id": id, "schedule": schedule, "command": ["true"]});
        if let (Value::Object(entry), Value::Object(more)) = (&mut entry, more) {
            entry.extend(more);
        }
        self.store.define(Edit::Add(vec![entry])).await.expect("a valid job");
    }

    /// One pass, with all its runs waited for.
    pub(crate) async fn pass(&self) {
        self.engine.run_once().await.expect("a pass");
        self.audited().await;
    }

    /// Everything that was owed lately is accounted for, once, wherever the look begins; and `status` would say so.
    async fn audited(&self) {
        let now = self.clock.now();
        for since in [Account::looks_back_to(None, false, now), now - SignedDuration::from_mins(7)] {
            let query = AuditQuery { since: Some(since), ..AuditQuery::default() };
            let audit = self.store.audit(query).await.expect("an audit");
            assert!(audit.is_complete(), "since {since}: {audit:#?}");
            assert_eq!(Account::of(&audit, None, now).sentence(), None);
        }
    }

    /// Lets time pass in steps, with a pass after each.
    pub(crate) async fn live(&self, steps: u32, step: Duration) {
        for _ in 0..steps {
            self.clock.advance(step);
            self.pass().await;
        }
    }

    pub(crate) async fn store_problems(&self) -> Vec<String> {
        self.store.problems().await.expect("problems").into_iter().map(|problem| problem.what).collect()
    }

    pub(crate) fn ran(&self, job: &str) -> Vec<String> {
        self.runner.instants(job)
    }

    /// The ledger in short: `ran 10:01`, `gap coalesced 10:02..10:59`.
    pub(crate) async fn ledger(&self) -> Vec<String> {
        let entries = self.store.ledger(LedgerQuery::default()).await.expect("ledger");
        entries
            .into_iter()
            .map(|entry| match entry.what {
                LedgerWhat::Occurrence { owed_at, end, .. } => format!("{} {owed_at}", end.word()),
                LedgerWhat::Gap(gap) => format!("gap {} {}..{}", gap.reason.words(), gap.from, gap.to),
            })
            .collect()
    }
}

pub(crate) fn open(
    home: &Home,
    clock: &Arc<ManualClock>,
    runner: &Arc<RecordingRunner>,
) -> (Arc<JsonStore>, Engine, Pulse) {
    let as_clock: Arc<dyn Clock> = Arc::clone(clock) as Arc<dyn Clock>;
    let store =
        Arc::new(JsonStore::open(&JsonStoreOptions::new(home.clone(), Arc::clone(&as_clock))).expect("a store"));
    let pulse = Pulse::new(Heartbeat::new("test", as_clock.now(), Duration::from_mins(1)), Arc::clone(&as_clock));
    let engine = Engine::builder(Arc::clone(&store) as _, Arc::clone(runner) as _);
    let engine = engine.clock(as_clock).pulse(pulse.clone()).build();
    (store, engine, pulse)
}

/// Polls a fact about other threads or processes until it holds; panics with `what` after a generous while.
pub(crate) async fn eventually<T>(what: &str, mut fact: impl FnMut() -> Option<T>) -> T {
    let deadline = std::time::Instant::now() + Duration::from_mins(1);
    loop {
        if let Some(value) = fact() {
            return value;
        }
        assert!(std::time::Instant::now() < deadline, "never came true: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
