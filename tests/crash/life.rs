//! What happens on the disk: two processes that share a home, step by step, as the engine would take them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use scheduler_core::{
    Clock as _, Error, ErrorKind, JobId, JobStore as _, OccurrenceId, OccurrenceKind, Outcome, ProcessRef, Result,
    RunId, RunResult,
    plan::plan,
    store::{Admission, Ask, Claim, Edit, Groups, JsonStore, Limits, Start},
    testing::{CrashFs, ManualClock},
};
use serde_json::{Value, json};

use super::{after::Book, store_on};

pub(super) const LIMITS: Limits = Limits { max_parallel: 4, catch_up: 4, groups: Groups::NONE };

/// A life, as far as it got.
pub(super) struct Life {
    /// The first is the nothing before the first.
    pub(super) steps: Vec<Step>,
    /// Occurrences that somebody was told to run, with the step that told.
    pub(super) started: BTreeMap<OccurrenceId, (RunId, usize)>,
}

/// A call of a store, answered.
pub(super) struct Step {
    what: String,
    /// Whether its answer promises that it is durable.
    durable: bool,
    /// What the clock said.
    pub(super) now: String,
    /// What was written down by then.
    pub(super) book: Option<Book>,
    /// Runs whose asking was answered.
    pub(super) asked: Option<RunId>,
}

impl Life {
    /// The last step before or at `reached` that promised something.
    pub(super) fn durable_before(&self, reached: usize) -> usize {
        (0..=reached).rev().find(|step| self.steps[*step].durable).unwrap_or(0)
    }

    /// Where in it that is, in words.
    pub(super) fn place(&self, reached: usize) -> String {
        let next = self.steps.get(reached + 1).map_or("the end", |step| &step.what);
        format!("after step {reached} ({}), before the answer to the next ({next})", self.steps[reached].what)
    }
}

struct Living<'a> {
    disk: &'a CrashFs,
    clock: Arc<ManualClock>,
    stores: Vec<Arc<JsonStore>>,
    watched: bool,
    life: Life,
}

/// Lives on `disk`. `watched` notes what is written down after each step. `None` if the disk failed for good.
pub(super) async fn live(disk: &CrashFs, watched: bool) -> Option<Life> {
    let clock = Arc::new(ManualClock::at("2026-03-01T10:00:30Z"));
    let first = Step { what: "nothing".into(), durable: true, now: clock.now().to_string(), book: None, asked: None };
    let life = Life { steps: vec![first], started: BTreeMap::new() };
    let mut living = Living { disk, clock, stores: Vec::new(), watched, life };
    if watched {
        living.life.steps[0].book = Some(Book::default());
    }
    match living.whole_life().await {
        Ok(()) => Some(living.life),
        Err(error) => {
            assert!(!error.to_string().is_empty() && error.kind() != ErrorKind::Busy, "{error:#}");
            None
        }
    }
}

fn entry(id: &str, more: Value) -> Value {
    let mut entry = json!({"id": id, "schedule": "* * * * *", "command": ["true"]});
    if let (Value::Object(entry), Value::Object(more)) = (&mut entry, more) {
        entry.extend(more);
    }
    entry
}

fn id(text: &str) -> JobId {
    text.parse().expect("an id")
}

impl Living<'_> {
    async fn whole_life(&mut self) -> Result<()> {
        self.open().await?;
        let three = vec![
            entry("alone", json!({})),
            entry("beside", json!({"overlap": "allow", "misfire": {"policy": "all"}})),
            entry("never", json!({"schedule": "@manually"})),
        ];
        self.step("define", true, |store| {
            let three = three.clone();
            async move { store.define(Edit::Add(three)).await.map(drop) }
        })
        .await?;
        self.open().await?;

        self.minute();
        let mut running = self.fire(0).await?;
        self.minute();
        running.extend(self.fire(1).await?);
        self.end(0, &running.remove(0)).await?;
        let asked = Ask { job: id("never"), kind: OccurrenceKind::Manual, key: "1".into(), force: false };
        self.ask(asked).await?;
        self.step("pause", true, |store| async move { store.pause(vec![id("beside")], None, None).await.map(drop) })
            .await?;
        self.minute();
        running.extend(self.fire(0).await?);
        let longer = entry("alone", json!({"timeout": "1h"}));
        self.step("replace", true, |store| {
            let longer = longer.clone();
            async move { store.define(Edit::Replace(vec![longer])).await.map(drop) }
        })
        .await?;
        for run in running.drain(..).rev().take(2).collect::<Vec<_>>() {
            self.end(1, &run).await?;
        }
        self.step("resume", true, |store| async move { store.resume(vec![id("beside")]).await.map(drop) }).await?;
        self.minute();
        self.minute();
        let claims = self.pass(1).await?;
        if let Some(claim) = claims.first() {
            let run = claim.run.clone();
            self.step("cancel", true, |store| {
                let run = run.clone();
                async move { store.cancel(run).await.map(drop) }
            })
            .await?;
        }
        self.step("remove", true, |store| async move { store.define(Edit::Remove(vec![id("never")])).await.map(drop) })
            .await?;
        self.minute();
        // One is left running, one claimed, and one whose end is not synced.
        let last = self.fire(0).await?;
        if let Some(run) = last.first() {
            self.end(0, run).await?;
        }
        self.minute();
        self.pass(1).await?;
        Ok(())
    }

    fn minute(&self) {
        self.clock.advance(Duration::from_mins(1));
    }

    async fn open(&mut self) -> Result<()> {
        let mut opened = store_on(self.disk, &self.clock);
        for _ in 0..5 {
            if opened.is_err() {
                opened = store_on(self.disk, &self.clock);
            }
        }
        self.stores.push(opened?);
        self.note("open", true, None).await
    }

    /// Calls the first store until it answers, and notes that it has.
    async fn step<T, F>(&mut self, what: &str, durable: bool, call: impl Fn(Arc<JsonStore>) -> F) -> Result<Option<T>>
    where
        F: Future<Output = Result<T>>,
    {
        self.step_of(0, what, durable, call).await
    }

    async fn step_of<T, F>(
        &mut self,
        n: usize,
        what: &str,
        durable: bool,
        call: impl Fn(Arc<JsonStore>) -> F,
    ) -> Result<Option<T>>
    where
        F: Future<Output = Result<T>>,
    {
        let answer = self.answered(n, call).await?;
        self.note(what, durable, None).await?;
        Ok(answer)
    }

    /// The answer of a call; `None` if it has been done by a call that was answered with an error.
    async fn answered<T, F>(&self, n: usize, call: impl Fn(Arc<JsonStore>) -> F) -> Result<Option<T>>
    where
        F: Future<Output = Result<T>>,
    {
        let mut failed: Option<Error> = None;
        for _ in 0..6 {
            match call(Arc::clone(&self.stores[n])).await {
                Ok(answer) => return Ok(Some(answer)),
                Err(error) if failed.is_some() && matches!(error.kind(), ErrorKind::Exists | ErrorKind::NotFound) => {
                    return Ok(None);
                }
                Err(error) => failed = Some(error),
            }
            // The engine's next turn looks first, and that is what brings a store back that lost hold of its files.
            let _ = self.stores[n].open(self.clock.now(), LIMITS).await;
        }
        Err(failed.expect("six failures"))
    }

    async fn note(&mut self, what: &str, durable: bool, asked: Option<RunId>) -> Result<()> {
        let book = if self.watched { Some(Book::read(&self.stores[0]).await?) } else { None };
        let now = self.clock.now().to_string();
        self.life.steps.push(Step { what: what.into(), durable, now, book, asked });
        self.disk.mark(self.life.steps.len() as u64 - 1);
        Ok(())
    }

    async fn ask(&mut self, ask: Ask) -> Result<()> {
        use scheduler_core::store::Asked::{Known, Queued, Skipped};
        let asked = self
            .answered(0, |store| {
                let ask = ask.clone();
                async move { store.ask(ask).await }
            })
            .await?;
        let run = asked.map(|asked| match asked {
            Queued(run) | Known(run) | Skipped(run, _) => run,
        });
        self.note("ask", true, run).await
    }

    /// What the engine's turn and pass do: takes what waits, plans what is due. Answers the claims that are this process's.
    async fn pass(&mut self, n: usize) -> Result<Vec<Claim>> {
        let now = self.clock.now();
        let open = self.answered(n, |store| async move { store.open(now, LIMITS).await }).await?.expect("an answer");
        if !open.startable.is_empty() {
            let startable = open.startable.clone();
            self.step_of(n, "claim", true, |store| {
                let startable = startable.clone();
                async move { store.claim(startable, LIMITS).await }
            })
            .await?;
        }
        let plans: Vec<Admission> = open
            .due
            .iter()
            .filter_map(|due| {
                let plan = plan(&due.job, &due.cursor, now)?;
                let (job, incarnation, revision) = (due.job.id.clone(), due.incarnation, due.revision);
                Some(Admission { job, incarnation, revision, expected: due.cursor.next_at, plan })
            })
            .collect();
        if !plans.is_empty() {
            self.step_of(n, "admit", true, |store| {
                let plans = plans.clone();
                async move { store.admit(plans, LIMITS).await }
            })
            .await?;
        }
        // Read back, so that those whose answer was lost are among them.
        let open = self.answered(n, |store| async move { store.open(now, LIMITS).await }).await?.expect("an answer");
        let mut claims = open.claimed_here;
        // Runs are named at random; a life is the same every time.
        claims.sort_by_key(|claim| (claim.id.job.clone(), claim.at));
        Ok(claims)
    }

    /// A pass, and a start of everything it brought.
    async fn fire(&mut self, n: usize) -> Result<Vec<Claim>> {
        let mut running = Vec::new();
        for claim in self.pass(n).await? {
            let started = self
                .answered(n, |store| {
                    let claim = claim.clone();
                    async move { store.start(&claim, LIMITS).await }
                })
                .await?;
            if let Some(Start::Go(_)) = started {
                let step = self.life.steps.len();
                let twice = self.life.started.insert(claim.id.clone(), (claim.run.clone(), step));
                assert!(twice.is_none(), "{} is started twice: {twice:?} and {claim:?}", claim.id);
                running.push(claim.clone());
            }
            self.note("start", true, None).await?;
            let process = ProcessRef { pid: 1, start_time: 1, boot_id: "boot".into() };
            self.step_of(n, "note the process", false, |store| {
                let (claim, process) = (claim.clone(), process.clone());
                async move { store.spawned(&claim, process).await }
            })
            .await?;
        }
        Ok(running)
    }

    /// Whose run it is doesn't matter to the store: the claim is the right.
    async fn end(&mut self, n: usize, claim: &Claim) -> Result<()> {
        self.step_of(n, "finish", false, |store| {
            let claim = claim.clone();
            async move { store.finish(&claim, Outcome::new(RunResult::Succeeded)).await }
        })
        .await
        .map(drop)
    }
}
