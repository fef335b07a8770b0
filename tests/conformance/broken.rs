//! A provider for each rule that breaks it, and keeps all others.

use std::{
    net::{TcpListener, TcpStream},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::Duration,
};

use async_trait::async_trait;
use scheduler_core::{
    Error, ErrorKind, JobId, Result,
    provider::{Availability, CronScheduler, FireOutcome, FireRequest, FireWhat, JobsChanged, SchedulerContext},
    testing::{Mark, ProviderSuite},
};
use tokio::task::JoinSet;

use super::{NO_SOCKETS, marked};

/// What it does that it shouldn't.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    // Before it is started.
    HangsWhenAsked,
    TakesItsTime,
    AsksTheNetwork,
    IsAway,
    // At work.
    ReturnsEarly,
    Panics,
    Fails,
    IgnoresStopping,
    CannotStop,
    FallsSilent,
    FiresOnce,
    FiresTwice,
    FailsOnAPause,
    FailsOnALoss,
    FailsWithTheStore,
    GivesUpOnTheStore,
    IgnoresRevocation,
    // Called.
    ReconcilesOnce,
    HangsInReconcile,
    PanicsOnChanges,
    FiresTooEarly,
    FiresEventsTwice,
    FiresInstantsTwice,
    FailsOnStrangers,
    HidesTheDrain,
}

struct Broken {
    fault: Fault,
    gave_up: AtomicBool,
    calls: AtomicU64,
}

fn failure(what: &str) -> Result<()> {
    Err(Error::new(ErrorKind::Foreign, what))
}

impl Broken {
    fn new(fault: Fault) -> Self {
        Self { fault, gave_up: AtomicBool::new(false), calls: AtomicU64::new(0) }
    }

    /// What is done each time that something may be due.
    async fn turn(&self, cx: &SchedulerContext) -> Result<()> {
        match self.fault {
            Fault::FallsSilent => Ok(()),
            Fault::FailsWithTheStore => cx.tick().await,
            Fault::GivesUpOnTheStore | Fault::FiresOnce if self.gave_up.load(Ordering::Relaxed) => {
                cx.beat();
                Ok(())
            }
            Fault::GivesUpOnTheStore => {
                self.gave_up.store(cx.tick().await.is_err(), Ordering::Relaxed);
                Ok(())
            }
            Fault::FiresOnce | Fault::FailsOnAPause | Fault::FailsOnALoss => self.one_by_one(cx).await,
            Fault::FiresTwice => {
                let due = due(cx).await;
                let _ = cx.tick().await;
                for (job, at) in due {
                    let _ = cx.fire(&FireRequest::event(job, at)).await;
                }
                Ok(())
            }
            _ => {
                let _ = cx.tick().await;
                Ok(())
            }
        }
    }

    async fn one_by_one(&self, cx: &SchedulerContext) -> Result<()> {
        cx.beat();
        let Ok(jobs) = cx.jobs().await else { return Ok(()) };
        for job in jobs {
            match (self.fault, cx.fire(&FireRequest::due(job.id)).await) {
                (Fault::FailsOnAPause, Ok(FireOutcome::Paused)) => return failure("somebody paused it"),
                (Fault::FailsOnALoss, Ok(FireOutcome::LostClaim)) => return failure("somebody else has it"),
                (Fault::FiresOnce, Ok(FireOutcome::Started(_))) => self.gave_up.store(true, Ordering::Relaxed),
                _ => {}
            }
        }
        Ok(())
    }

    fn another(&self) -> String {
        self.calls.fetch_add(1, Ordering::Relaxed).to_string()
    }
}

async fn due(cx: &SchedulerContext) -> Vec<(JobId, String)> {
    let now = cx.clock().now();
    let jobs = cx.jobs().await.unwrap_or_default().into_iter();
    jobs.filter_map(|job| Some((job.id, job.next_at.filter(|at| *at <= now)?.to_string()))).collect()
}

#[async_trait]
impl CronScheduler for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }

    async fn start(&self, cx: SchedulerContext) -> Result<()> {
        match self.fault {
            Fault::ReturnsEarly => return Ok(()),
            Fault::Panics => panic!("boom"),
            Fault::Fails => return failure("no bus"),
            _ => {}
        }
        loop {
            let told = cx.stopping().is_cancelled();
            match self.fault {
                // It ends for those alone who have replaced it.
                Fault::IgnoresStopping if !told => {}
                Fault::IgnoresStopping if cx.tick().await.is_err_and(|error| error.kind() == ErrorKind::Revoked) => {
                    return Ok(());
                }
                Fault::IgnoresRevocation if told && cx.tick().await.is_ok() => return Ok(()),
                Fault::IgnoresStopping | Fault::IgnoresRevocation => {}
                _ if told => return Ok(()),
                _ => {}
            }
            self.turn(&cx).await?;
            tokio::select! {
                () = cx.stopping().cancelled(), if !told => {}
                () = cx.clock().sleep_until(cx.clock().now() + cx.interval()) => {}
                () = tokio::time::sleep(Duration::from_millis(5)), if told => {}
            }
        }
    }

    fn is_available(&self) -> Availability {
        match self.fault {
            Fault::HangsWhenAsked => loop {
                thread::park();
            },
            Fault::TakesItsTime => thread::sleep(Duration::from_millis(150)),
            Fault::AsksTheNetwork => {
                let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
                drop(TcpStream::connect(listener.local_addr().expect("an address")));
                // For as long as somebody near takes to answer.
                thread::sleep(Duration::from_millis(40));
            }
            Fault::IsAway => return Availability::Unavailable("no bus here".into()),
            _ => {}
        }
        Availability::Available
    }

    async fn stop(&self) -> Result<()> {
        if self.fault == Fault::CannotStop { failure("the bus is stuck") } else { Ok(()) }
    }

    async fn fire_due(&self, cx: &SchedulerContext, fire: &FireRequest) -> Result<FireOutcome> {
        let event = || FireRequest::event(fire.job.clone(), self.another());
        match (self.fault, &fire.what) {
            (Fault::FiresTooEarly, FireWhat::Due)
            | (Fault::FiresEventsTwice, FireWhat::Event(_))
            | (Fault::FiresInstantsTwice, FireWhat::At(_)) => cx.fire(&event()).await,
            (Fault::FailsOnStrangers, _) if !cx.jobs().await?.iter().any(|job| job.id == fire.job) => {
                Err(Error::new(ErrorKind::Foreign, "who is that"))
            }
            (Fault::HidesTheDrain, _) => match cx.fire(fire).await? {
                FireOutcome::Draining => Ok(FireOutcome::NotDue),
                other => Ok(other),
            },
            _ => cx.fire(fire).await,
        }
    }

    async fn reconcile(&self, _: &SchedulerContext) -> Result<()> {
        match self.fault {
            Fault::ReconcilesOnce if self.gave_up.swap(true, Ordering::Relaxed) => failure("it is armed already"),
            // The engine's own call, at the start, is answered.
            Fault::HangsInReconcile if self.gave_up.swap(true, Ordering::Relaxed) => std::future::pending().await,
            _ => Ok(()),
        }
    }

    async fn on_jobs_changed(&self, _: &SchedulerContext, changed: &JobsChanged) -> Result<()> {
        let knows = |job: &JobId| job.as_str() != "never-was";
        assert!(self.fault != Fault::PanicsOnChanges || changed.jobs.iter().all(knows), "a job that isn't there");
        Ok(())
    }
}

/// The report, if not exactly `check` fails and says `why`.
async fn unless_found_out(fault: Fault, check: &str, why: &str) -> Option<String> {
    let suite = ProviderSuite::new(move || std::future::ready(Ok(Broken::new(fault))));
    let report = suite.bounds(Duration::from_secs(2), Duration::from_secs(1)).run().await;
    let failed: Vec<_> = report.failed().map(|row| (row.check, row.why.as_deref().unwrap_or_default())).collect();
    let found_out = matches!(failed[..], [(found, said)] if found == check && said.contains(why));
    // Where it never gets to work, nothing else is said to be well.
    let early = ["says at once whether it is available", "works until it is told to stop"];
    let early_on = early.iter().position(|early| *early == check);
    let silent = early_on.is_none_or(|at| marked(&report, Mark::Passed) == early[..at]);
    (!found_out || !silent).then(|| format!("{fault:?}: {report}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_broken_provider_fails_the_check_that_it_should_and_no_other() {
    let _quiet = NO_SOCKETS.read().await;
    let mut tried = JoinSet::new();
    for (fault, check, why) in [
        (Fault::HangsWhenAsked, "says at once whether it is available", "did not answer within 2s"),
        (Fault::TakesItsTime, "says at once whether it is available", "and has 100ms"),
        (Fault::IsAway, "says at once whether it is available", "it is not available here: no bus here"),
        (Fault::ReturnsEarly, "works until it is told to stop", "returned though nobody told it to stop"),
        (Fault::Panics, "works until it is told to stop", "panicked: boom"),
        (Fault::Fails, "works until it is told to stop", "failed: no bus"),
        (Fault::IgnoresStopping, "stops when it is told to", "its `start` still runs 1s after it was told to stop"),
        (Fault::CannotStop, "stops when it is told to", "its `stop` failed: the bus is stuck"),
        (Fault::FallsSilent, "ticks or beats in every interval", "it neither ticked nor beat in an interval of 1s"),
        (Fault::FiresOnce, "fires a job again and again", "was fired once, and no more"),
        (Fault::FiresTwice, "fires an instant once", "events of its own besides"),
        (Fault::FailsOnAPause, "leaves a paused job alone", "failed: somebody paused it"),
        (Fault::FailsOnALoss, "goes on when somebody else was faster", "failed: somebody else has it"),
        (Fault::FailsWithTheStore, "goes on when the store has failed", "the store fails, to see what becomes of it"),
        (Fault::GivesUpOnTheStore, "goes on when the store has failed", "it fires no more"),
        (Fault::ReconcilesOnce, "reconciles from any state", "`reconcile` failed: it is armed already"),
        (Fault::HangsInReconcile, "reconciles from any state", "its `reconcile` did not answer within 2s"),
        (Fault::PanicsOnChanges, "takes changes of jobs", "its `on_jobs_changed` panicked"),
        (Fault::FiresTooEarly, "fire_due: nothing that isn't due", "fired before it is due, it answered "),
        (Fault::FiresEventsTwice, "fire_due: an event once", "fired for the same event again, it answered "),
        (Fault::FiresInstantsTwice, "fire_due: an instant once", "at the same instant again, it answered "),
        (Fault::FailsOnStrangers, "fire_due: no job that isn't there", "it answered the error \"who is that\""),
        (Fault::HidesTheDrain, "fire_due: nothing while draining", "it answered \"nothing is due\""),
        (Fault::IgnoresRevocation, "ends when it is replaced", "still runs 1s after another provider took over"),
    ] {
        tried.spawn(unless_found_out(fault, check, why));
    }
    let missed: Vec<String> = tried.join_all().await.into_iter().flatten().collect();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_asks_the_network_whether_it_is_available_is_found_out() {
    let _alone = NO_SOCKETS.write().await;
    let check = "says at once whether it is available";
    let missed = unless_found_out(Fault::AsksTheNetwork, check, "opens a socket to the network").await;
    assert_eq!(missed, None);
}
