//! What must be true of what a power cut left: it opens, nobody's claim stays behind, everything that is owed comes to an end,
//! and nothing that was started starts again.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use scheduler_core::{
    Clock as _, Error, JobId, JobStore as _, OccurrenceId, Outcome, Result, RunResult,
    audit::AuditQuery,
    occurrence::{Closing, Occurrence},
    plan::plan,
    store::{Admission, Claim, Finding, JsonStore, LedgerEntry, LedgerQuery, LedgerWhat, Recovery, Settled, Start},
    testing::{CrashFs, ManualClock},
};

use super::{
    life::{LIMITS, Life},
    store_on,
};

/// What is written down in a store.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Book {
    jobs: Vec<Job>,
    ledger: Vec<LedgerEntry>,
}

#[derive(Debug, Clone, PartialEq)]
struct Job {
    id: JobId,
    incarnation: u32,
    revision: u64,
    definition: serde_json::Value,
    next_at: Option<Timestamp>,
    settled_through: Timestamp,
    paused: bool,
    open: Vec<Occurrence>,
}

impl Book {
    pub(super) async fn read(store: &JsonStore) -> Result<Self> {
        let jobs = store.jobs().await?.into_iter().map(|view| Job {
            id: view.id,
            incarnation: view.incarnation,
            revision: view.revision,
            definition: (*view.definition).clone(),
            next_at: view.next_at,
            settled_through: view.settled_through,
            paused: view.paused.is_some(),
            open: view.open,
        });
        Ok(Self { jobs: jobs.collect(), ledger: store.ledger(LedgerQuery::default()).await? })
    }

    /// The jobs as they are in force.
    fn definitions(&self) -> Vec<(&JobId, u32, u64, &serde_json::Value)> {
        self.jobs.iter().map(|job| (&job.id, job.incarnation, job.revision, &job.definition)).collect()
    }

    /// Whether this is `before` with the definitions of `edit`: the file was replaced, and its frame is yet to be written.
    pub(super) fn is_edited(&self, before: &Self, edit: &Self) -> bool {
        let mut as_edited = before.clone();
        for job in &mut as_edited.jobs {
            let edited = edit.jobs.iter().find(|edited| edited.id == job.id && edited.revision != job.revision);
            if let Some(edited) = edited.cloned() {
                *job = Job { open: std::mem::take(&mut job.open), ..edited };
            }
        }
        self.definitions() == edit.definitions() && as_edited == *self
    }

    /// What somebody who died had taken.
    fn taken(&self) -> usize {
        self.jobs.iter().flat_map(|job| &job.open).filter(|occurrence| occurrence.owner().is_some()).count()
    }
}

/// What a power cut left.
pub(super) enum Found {
    Opened(Recovered),
    Refused(Error),
}

/// A store that opened.
pub(super) struct Recovered {
    /// As it was found.
    pub(super) book: Book,
}

/// Opens what is left of `life` on `disk`, brings it to an end, and checks all that must hold whatever was lost.
pub(super) async fn recover(disk: &CrashFs, life: &Life, reached: usize) -> Found {
    let now = &life.steps[(reached + 1).min(life.steps.len() - 1)].now;
    let clock = Arc::new(ManualClock::at(now));
    let store = match store_on(disk, &clock) {
        Ok(store) => store,
        Err(error) => return Found::Refused(error),
    };
    let book = match Book::read(&store).await {
        Ok(book) => book,
        Err(error) => return Found::Refused(error),
    };
    let context = || life.place(reached);

    let open = store.open(clock.now(), LIMITS).await.expect("open");
    assert_eq!(open.abandoned.len(), book.taken(), "{}: what the dead had taken is everybody's", context());
    let judged = open.abandoned.iter().map(|abandoned| Recovery {
        run: abandoned.occurrence.run.clone(),
        epoch: abandoned.occurrence.epoch,
        finding: if abandoned.occurrence.is_running() {
            Finding::Over(Outcome::new(RunResult::Unknown))
        } else {
            Finding::NeverStarted
        },
    });
    let settled = store.recover(judged.collect()).await.expect("recover");
    assert_eq!(settled.iter().filter(|settled| **settled != Settled::Lost).count(), book.taken(), "{}", context());

    let started = live_on(&store, &clock).await;
    for id in &started {
        let before = life.started.get(id).filter(|(_, step)| *step <= reached);
        assert!(before.is_none(), "{}: {id} is started twice", context());
    }
    let ledger = store.ledger(LedgerQuery::default()).await.expect("the ledger");
    for (id, (run, step)) in &life.started {
        if *step <= reached {
            let ends: Vec<_> = ledger.iter().filter(|entry| entry.run() == Some(run)).collect();
            assert!(
                matches!(ends[..], [LedgerEntry { what: LedgerWhat::Occurrence { end: Closing::Ran(_), .. }, .. }]),
                "{}: the start of {id} was answered, and its end is {ends:?}",
                context()
            );
        }
    }
    for run in life.steps[..=reached].iter().filter_map(|step| step.asked.as_ref()) {
        let ends = ledger.iter().filter(|entry| entry.run() == Some(run)).count();
        assert_eq!(ends, 1, "{}: what was asked for as {run} is lost", context());
    }
    nothing_twice_and_nothing_left_out(&ledger, &context);
    let audit = store.audit(AuditQuery::default()).await.expect("an audit");
    assert!(audit.is_complete(), "{}: {audit:#?}", context());
    Found::Opened(Recovered { book })
}

/// Runs everything that is owed within the next minute, to its end. Answers what was started.
async fn live_on(store: &JsonStore, clock: &ManualClock) -> BTreeSet<OccurrenceId> {
    clock.advance(Duration::from_mins(1));
    let now = clock.now();
    let mut started = BTreeSet::new();
    for _ in 0..20 {
        let open = store.open(now, LIMITS).await.expect("open");
        let plans = open.due.iter().filter_map(|due| {
            let plan = plan(&due.job, &due.cursor, now)?;
            let (job, incarnation, revision) = (due.job.id.clone(), due.incarnation, due.revision);
            Some(Admission { job, incarnation, revision, expected: due.cursor.next_at, plan })
        });
        let plans: Vec<Admission> = plans.collect();
        if plans.is_empty() && open.queued + open.active == 0 {
            return started;
        }
        let won = store.admit(plans, LIMITS).await.expect("admit");
        let mut claims: Vec<Claim> = won.into_iter().flatten().flatten().collect();
        claims.extend(store.claim(open.startable, LIMITS).await.expect("claim").into_iter().flatten());
        for claim in claims {
            if let Start::Go(_) = store.start(&claim, LIMITS).await.expect("start") {
                assert!(started.insert(claim.id.clone()), "{} is started twice in a row", claim.id);
                let settled = store.finish(&claim, Outcome::new(RunResult::Succeeded)).await.expect("finish");
                assert_eq!(settled, Settled::Done);
            }
        }
    }
    panic!("what is open never ends: {:#?}", store.open(now, LIMITS).await);
}

/// Every instant of a job between the first and the last on record is on record, and once.
fn nothing_twice_and_nothing_left_out(ledger: &[LedgerEntry], context: &impl Fn() -> String) {
    let mut settled = BTreeMap::<&JobId, Vec<Timestamp>>::new();
    for entry in ledger {
        let instants = settled.entry(&entry.job).or_default();
        match &entry.what {
            LedgerWhat::Occurrence { id, .. } => instants.extend(id.instant()),
            LedgerWhat::Gap(gap) => {
                let mut at = gap.from;
                while at <= gap.to {
                    instants.push(at);
                    at += SignedDuration::from_mins(1);
                }
            }
        }
    }
    for (job, mut instants) in settled {
        instants.sort();
        for pair in instants.windows(2) {
            let apart = pair[1].duration_since(pair[0]);
            assert_eq!(apart, SignedDuration::from_mins(1), "{}: of `{job}`, after {}", context(), pair[0]);
        }
    }
}
