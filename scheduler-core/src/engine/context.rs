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
