//! What every [`CronScheduler`] must do, whatever makes it fire.
//!
//! - [`ProviderSuite`]: which checks there are, and their order. `report`: what they find out.
//! - `presence`: starts, lives, stops. `clock`: fires by the schedules. `trouble`: others are faster, the store fails, a job is
//!   paused. `hooks`: what the engine calls. `fires`: what a fire comes to.
//! - `life`: a provider at work in an engine of its own. `watched`: how it ends. `store`: trouble on order.
//!
//! A provider may fire at instants of its own, or for events, and owes nobody a tick at those of a job. So the suite looks
//! first whether it fires by the schedules, and what then can't be seen it calls not applicable, with the reason.

mod available;
mod clock;
mod fires;
mod hooks;
mod life;
mod presence;
mod report;
mod store;
mod trouble;
mod watched;

use std::{
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;

pub use report::{Mark, Report, Row};

use life::{Checked, Life, Not, applicable};

use crate::{JobId, Result, provider::CronScheduler};

/// Runs the suite by a clock set by hand: `make` answers a new provider, which asks its context what time it is.
///
/// Wants a runtime of several threads if the provider may block one.
///
/// # Panics
/// If a check failed, with all rows.
///
/// ```
/// use scheduler_core::{provider::Ticker, testing::provider_conformance};
/// # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
/// provider_conformance(async || Ticker).await;
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
pub async fn provider_conformance<P, M, F>(make: M)
where
    P: CronScheduler + 'static,
    M: Fn() -> F + Send + Sync + 'static,
    F: Future<Output = P> + Send + 'static,
{
    let suite = ProviderSuite::new(move || {
        let made = make();
        async move { Ok(made.await) }
    });
    let report = suite.run().await;
    assert!(report.passed(), "{report}");
}

type Making = Pin<Box<dyn Future<Output = Result<Arc<dyn CronScheduler>>> + Send>>;
/// What is armed outside, as the provider's own tests see it.
type Armed = dyn Fn() -> Vec<(JobId, Timestamp)> + Send + Sync;

/// The suite that every provider must pass, with what it has to know about this one.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use async_trait::async_trait;
/// use parking_lot::Mutex;
/// use scheduler_core::{JobId, Result, testing::{Mark, ProviderSuite}};
/// use scheduler_core::provider::{CronScheduler, JobsChanged, Liveness, SchedulerContext};
///
/// type Alarms = Arc<Mutex<Vec<(JobId, jiff::Timestamp)>>>;
///
/// /// Sets alarms somewhere else, and is called when one goes off.
/// struct AlarmClock(Alarms);
///
/// #[async_trait]
/// impl CronScheduler for AlarmClock {
///     fn name(&self) -> &str {
///         "alarm-clock"
///     }
///
///     async fn start(&self, cx: SchedulerContext) -> Result<()> {
///         self.reconcile(&cx).await
///     }
///
///     fn liveness(&self) -> Liveness {
///         Liveness::External
///     }
///
///     async fn reconcile(&self, cx: &SchedulerContext) -> Result<()> {
///         let jobs = cx.jobs().await?.into_iter().filter(|job| job.paused.is_none());
///         *self.0.lock() = jobs.filter_map(|job| Some((job.id, job.due_at?))).collect();
///         Ok(())
///     }
/// }
/// # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
/// let alarms = Alarms::default();
/// let suite = ProviderSuite::new({
///     let alarms = Arc::clone(&alarms);
///     move || std::future::ready(Ok(AlarmClock(Arc::clone(&alarms))))
/// });
/// let report = suite.armed(move || alarms.lock().clone()).run().await;
/// assert!(report.passed(), "{report}");
/// assert!(report.count(Mark::NotApplicable) > 0, "it turns no loop of its own");
///
/// // One that sleeps by another clock than its context's is watched in real time.
/// let suite = ProviderSuite::new(async || Ok(AlarmClock(Alarms::default()))).in_real_time();
/// let (call, stop) = (Duration::from_secs(5), Duration::from_secs(5));
/// let report = suite.jobs(["import".parse()?]).bounds(call, stop).run().await;
/// assert_eq!(report.failed().count(), 0, "{report}");
/// # Ok::<(), scheduler_core::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "nothing is looked at before `run`"]
pub struct ProviderSuite {
    make: Box<dyn Fn() -> Making + Send + Sync>,
    armed: Option<Box<Armed>>,
    jobs: Vec<JobId>,
    real_time: bool,
    call: Duration,
    stop: Duration,
}

impl ProviderSuite {
    /// For the provider that `make` makes: a new one each time, of which one at a time is at work.
    pub fn new<P, M, F>(make: M) -> Self
    where
        P: CronScheduler + 'static,
        M: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = Result<P>> + Send + 'static,
    {
        let make = move || {
            let made = make();
            Box::pin(async move {
                let provider: Arc<dyn CronScheduler> = Arc::new(made.await?);
                Ok(provider)
            }) as Making
        };
        let bound = Duration::from_secs(2);
        Self { make: Box::new(make), armed: None, jobs: Vec::new(), real_time: false, call: bound, stop: bound }
    }

    /// Tells what is armed outside at this moment, by any provider that `make` made: each job once, with its instant. Without
    /// it nobody can say whether `reconcile` arms the right things.
    pub fn armed(mut self, armed: impl Fn() -> Vec<(JobId, Timestamp)> + Send + Sync + 'static) -> Self {
        self.armed = Some(Box::new(armed));
        self
    }

    /// There are jobs with these ids, which nothing but the provider fires: those that it fires for events.
    pub fn jobs(mut self, jobs: impl IntoIterator<Item = JobId>) -> Self {
        self.jobs.extend(jobs);
        self
    }

    /// By the system's clocks, in some seconds: for what runs in another process, or sleeps by itself.
    pub fn in_real_time(mut self) -> Self {
        self.real_time = true;
        self
    }

    /// How long a hook may take, and how long it may take to stop. Two seconds each, if nothing is said.
    pub fn bounds(mut self, call: Duration, stop: Duration) -> Self {
        (self.call, self.stop) = (call, stop);
        self
    }

    /// Makes all checks, one after the other. As long as the provider passes they share a life of it; after a failure the next
    /// one begins with a new one.
    pub async fn run(&self) -> Report {
        let mut course =
            Course { suite: self, name: String::new(), life: None, by_clock: false, stops: true, lost: None };
        let mut rows = Vec::new();
        for check in Check::ALL {
            let began = Instant::now();
            let (mark, why) = match course.look(check).await {
                Ok(note) => (Mark::Passed, note.map(str::to_owned)),
                Err(Not::Applicable(why)) => (Mark::NotApplicable, Some(why)),
                Err(Not::Kept(why)) => {
                    course.failed(check).await;
                    (Mark::Failed, Some(why))
                }
            };
            rows.push(Row { check: check.words(), mark, took: began.elapsed(), why });
        }
        course.end().await;
        Report { provider: course.name, rows }
    }
}

/// The checks, in the order in which they are made: first those without which the others say nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Check {
    Available,
    Works,
    Stops,
    Beats,
    Again,
    Once,
    Paused,
    Lost,
    Failing,
    Reconciles,
    Arms,
    Hooks,
    NotDue,
    Event,
    Instant,
    Unknown,
    Draining,
    Revoked,
}

impl Check {
    const ALL: [Self; 18] = [
        Self::Available,
        Self::Works,
        Self::Stops,
        Self::Beats,
        Self::Again,
        Self::Once,
        Self::Paused,
        Self::Lost,
        Self::Failing,
        Self::Reconciles,
        Self::Arms,
        Self::Hooks,
        Self::NotDue,
        Self::Event,
        Self::Instant,
        Self::Unknown,
        Self::Draining,
        Self::Revoked,
    ];

    fn words(self) -> &'static str {
        match self {
            Self::Available => "says at once whether it is available",
            Self::Works => "works until it is told to stop",
            Self::Stops => "stops when it is told to",
            Self::Beats => "ticks or beats in every interval",
            Self::Again => "fires a job again and again",
            Self::Once => "fires an instant once",
            Self::Paused => "leaves a paused job alone",
            Self::Lost => "goes on when somebody else was faster",
            Self::Failing => "goes on when the store has failed",
            Self::Reconciles => "reconciles from any state",
            Self::Arms => "arms what the jobs say",
            Self::Hooks => "takes changes of jobs",
            Self::NotDue => "fire_due: nothing that isn't due",
            Self::Event => "fire_due: an event once",
            Self::Instant => "fire_due: an instant once",
            Self::Unknown => "fire_due: no job that isn't there",
            Self::Draining => "fire_due: nothing while draining",
            Self::Revoked => "ends when it is replaced",
        }
    }
}

/// The suite on its way.
struct Course<'s> {
    suite: &'s ProviderSuite,
    name: String,
    life: Option<Life>,
    /// Whether it was seen to fire by the schedules.
    by_clock: bool,
    /// Whether it ends by itself.
    stops: bool,
    /// Why no life of it is of any use.
    lost: Option<&'static str>,
}

impl Course<'_> {
    async fn look(&mut self, check: Check) -> Checked {
        if let Some(why) = self.lost {
            return Err(applicable(why));
        }
        let (by_clock, bound) = (self.by_clock, self.suite.stop);
        match check {
            Check::Available => {
                let provider = life::made(self.suite).await?;
                provider.name().clone_into(&mut self.name);
                available::at_once(provider).await
            }
            Check::Works => presence::works(self.life().await?).await,
            Check::Stops => {
                let checked = presence::stops(self.life().await?, bound).await;
                self.end().await;
                checked
            }
            Check::Beats => presence::beats(self.life().await?).await,
            Check::Again => {
                let checked = clock::again(self.life().await?).await;
                self.by_clock = checked.is_ok();
                checked
            }
            Check::Once => clock::once(self.life().await?, by_clock),
            Check::Paused => trouble::paused(self.life().await?, by_clock).await,
            Check::Lost => trouble::lost(self.life().await?, by_clock).await,
            Check::Failing => trouble::failing(self.life().await?, by_clock).await,
            Check::Reconciles => hooks::reconciles(self.life().await?).await,
            Check::Arms => {
                let Some(armed) = &self.suite.armed else {
                    return Err(applicable("what it arms outside, if anything, can't be seen from here"));
                };
                // One that has no other jobs than those it is to be armed for.
                self.end().await;
                let checked = hooks::arms(self.life().await?, armed).await;
                self.end().await;
                checked
            }
            Check::Hooks => hooks::changes(self.life().await?).await,
            Check::NotDue => fires::nothing_is_due(self.life().await?).await,
            Check::Event => fires::an_event_once(self.life().await?).await,
            Check::Instant => fires::an_instant_once(self.life().await?).await,
            Check::Unknown => fires::no_such_job(self.life().await?).await,
            Check::Draining => {
                let checked = fires::nothing_while_draining(self.life().await?).await;
                self.end().await;
                checked
            }
            Check::Revoked if !self.stops => {
                Err(applicable("it doesn't stop when it is told to, be it for another or not"))
            }
            Check::Revoked => presence::is_replaced(self.life().await?, bound).await,
        }
    }

    /// What a failure means for the checks that follow.
    async fn failed(&mut self, check: Check) {
        match check {
            Check::Available => self.lost = Some("it can't be used here"),
            Check::Works => self.lost = Some("it doesn't stay at work"),
            Check::Stops => self.stops = false,
            _ => {}
        }
        self.end().await;
    }

    /// The life that the checks share, or a new one.
    async fn life(&mut self) -> Result<&Life, Not> {
        let life = match self.life.take() {
            Some(life) => life,
            None => Life::begin(self.suite).await?,
        };
        Ok(self.life.insert(life))
    }

    async fn end(&mut self) {
        if let Some(life) = self.life.take() {
            life.end(if self.stops { self.suite.stop } else { Duration::ZERO }).await;
        }
    }
}
