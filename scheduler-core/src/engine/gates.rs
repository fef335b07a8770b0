//! Gates in time: what was claimed ahead waits here for its instant.
//!
//! A lone claim has a thread set apart for it, which sleeps until the instant and begins the run itself: between the instant
//! and the process there is then no other thread to be woken. Claims that share an instant wait at one gate, since what counts
//! for them is that their starts are made durable together.

use std::{
    collections::{HashMap, hash_map::Entry},
    pin::Pin,
    sync::Arc,
};

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::Shared;
use crate::blocking;

/// What waits, by the instant it waits for.
#[derive(Debug, Default)]
pub(super) struct Gates {
    /// Threads that wait with one claim each; cancelled when another claim for the same instant has come.
    threads: Mutex<HashMap<Timestamp, CancellationToken>>,
    /// Gates that open for any number of claims.
    closed: Mutex<HashMap<Timestamp, CancellationToken>>,
}

impl Shared {
    /// Sees to it that `run` begins when it is `at` by the wall clock. `run` looks for itself what time it is, and waits with
    /// [`until`](Self::until) if it is begun early.
    pub(super) fn at_its_instant(self: &Arc<Self>, at: Timestamp, run: Pin<Box<dyn Future<Output = ()> + Send>>) {
        if self.options.clock.now() >= at {
            self.tasks.spawn(run);
            return;
        }
        let alone = CancellationToken::new();
        match self.gates.threads.lock().entry(at) {
            Entry::Occupied(other) => {
                other.get().cancel();
                self.tasks.spawn(run);
                return;
            }
            Entry::Vacant(place) => drop(place.insert(alone.clone())),
        }
        let shared = Arc::clone(self);
        self.tasks.spawn_blocking(move || {
            let is_early = || shared.options.clock.now() < at;
            while is_early() && !shared.draining.is_cancelled() && shared.options.clock.block_until(at) {}
            shared.gates.threads.lock().remove(&at);
            if is_early() || alone.is_cancelled() {
                shared.tasks.spawn(run);
            } else {
                blocking::begin(run, |rest| drop(shared.tasks.spawn(rest)));
            }
        });
    }

    /// Waits until it is `at` by the wall clock, which may be set meanwhile. False if the engine is told to stop first.
    pub(super) async fn until(self: &Arc<Self>, at: Timestamp) -> bool {
        while self.options.clock.now() < at && !self.draining.is_cancelled() {
            let gate = self.gate(at);
            tokio::select! {
                () = gate.cancelled() => {}
                () = self.draining.cancelled() => {}
            }
        }
        !self.draining.is_cancelled()
    }

    fn gate(self: &Arc<Self>, at: Timestamp) -> CancellationToken {
        let mut closed = self.gates.closed.lock();
        if let Some(gate) = closed.get(&at) {
            return gate.clone();
        }
        let gate = CancellationToken::new();
        closed.insert(at, gate.clone());
        let (shared, opens) = (Arc::clone(self), gate.clone());
        self.tasks.spawn(async move {
            tokio::select! {
                () = shared.options.clock.sleep_until(at) => {}
                () = shared.draining.cancelled() => {}
            }
            shared.gates.closed.lock().remove(&at);
            opens.cancel();
        });
        gate
    }
}
