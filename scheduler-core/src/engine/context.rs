//! What a provider may do: [`SchedulerContext`], its only way to the engine.

use std::{
    fmt,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Engine;
use crate::{
    Clock, Error, ErrorKind, Result,
    provider::{FireOutcome, FireRequest},
    store::JobView,
};

/// A provider's way to the engine. Cheap to clone.
///
/// It carries the generation it was made for: a provider that has been replaced gets `Revoked`, whatever it asks.
///
/// ```
/// use std::sync::Arc;
/// use scheduler_core::{Engine, JobStore, provider::{FireOutcome, FireRequest}, store::{Edit, MemoryStore}};
/// use serde_json::json;
/// # use scheduler_core::{Job, JobRunner, Outcome, Result, RunContext, RunResult};
/// # struct MyRunner;
/// # #[async_trait::async_trait]
/// # impl JobRunner for MyRunner {
/// #     fn validate(&self, _: &Job) -> Result<()> { Ok(()) }
/// #     async fn run(&self, _: RunContext) -> Outcome { Outcome::new(RunResult::Succeeded) }
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let store = Arc::new(MemoryStore::default());
/// store.define(Edit::Add(vec![json!({"id": "door", "schedule": "@daily", "payload": 1})])).await?;
/// let engine = Engine::builder(store, Arc::new(MyRunner)).build();
///
/// // What a provider is given; a host that gets an event itself may take one.
/// let cx = engine.context();
/// assert!(cx.may_dispatch() && !cx.stopping().is_cancelled());
/// cx.tick().await?; // nothing is due before midnight
/// assert!(cx.next_wakeup().is_some_and(|next| next > cx.clock().now()));
/// cx.beat();
/// assert!(cx.claim_ahead() < cx.interval());
///
/// let ring = FireRequest::event(cx.jobs().await?[0].id.clone(), "ring-1");
/// let mut changes = cx.changes();
/// assert!(matches!(cx.fire(&ring).await?, FireOutcome::Started(_)));
/// assert_eq!(cx.fire(&ring).await?, FireOutcome::LostClaim, "the same ring is the same occurrence");
/// tokio::time::timeout(cx.interval(), changes.changed()).await.expect("the run ends").expect("the engine lives");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SchedulerContext {
    engine: Engine,
    generation: u64,
    stopping: CancellationToken,
}

impl SchedulerContext {
    pub(super) fn new(engine: Engine, generation: u64) -> Self {
        let stopping = engine.0.stopping.child_token();
        Self { engine, generation, stopping }
    }

    /// Cancelled when the provider is to end: the engine stops, or another provider takes over.
    pub fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }

    /// Plans, claims and dispatches all that is due now. Counts as beating.
    ///
    /// # Errors
    /// Why it failed; also kept for `sched status`. Nothing is lost: what was due still is.
    pub async fn tick(&self) -> Result<()> {
        self.allowed()?;
        self.engine.0.tick().await
    }

    /// Fires one job, if the store lets it.
    ///
    /// # Errors
    /// Why it could not be tried.
    pub async fn fire(&self, request: &FireRequest) -> Result<FireOutcome> {
        if self.allowed().is_err() {
            return Ok(FireOutcome::Revoked);
        }
        self.engine.0.fire(request).await
    }

    /// The jobs in force.
    ///
    /// # Errors
    /// Why they could not be read.
    pub async fn jobs(&self) -> Result<Vec<JobView>> {
        self.allowed()?;
        self.engine.0.options.store.jobs().await
    }

    /// When something is due next, as of the last tick or change.
    pub fn next_wakeup(&self) -> Option<Timestamp> {
        *self.engine.0.next_wakeup.lock()
    }

    /// Changes whenever something may have moved [`next_wakeup`](Self::next_wakeup).
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.engine.0.changes.subscribe()
    }

    /// What time it is.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.engine.0.options.clock
    }

    /// The longest a provider that ticks may be silent.
    pub fn interval(&self) -> Duration {
        self.engine.0.settings.lock().interval
    }

    /// How long before an instant a tick may claim it. A ticker that comes so early starts runs at their instants to the
    /// millisecond, whatever the disk does.
    pub fn claim_ahead(&self) -> Duration {
        self.engine.0.options.claim_ahead
    }

    /// False while the engine drains: what is due stays due.
    pub fn may_dispatch(&self) -> bool {
        !self.engine.0.draining.is_cancelled() && self.allowed().is_ok()
    }

    /// Says that the provider is alive though it had nothing to do.
    pub fn beat(&self) {
        if self.allowed().is_ok() {
            self.engine.0.provider_progress();
        }
    }

    /// Changes with every reload.
    pub(super) fn reloads(&self) -> watch::Receiver<u64> {
        self.engine.0.reloads.subscribe()
    }

    /// From now on this provider may ask for nothing.
    pub(super) fn revoke(&self) {
        self.engine.0.generation.fetch_add(1, Ordering::Relaxed);
    }

    fn allowed(&self) -> Result<()> {
        if self.engine.0.generation.load(Ordering::Relaxed) == self.generation {
            Ok(())
        } else {
            Err(Error::new(ErrorKind::Revoked, "this provider has been replaced"))
        }
    }
}

impl fmt::Debug for SchedulerContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SchedulerContext").field("generation", &self.generation).finish_non_exhaustive()
    }
}
