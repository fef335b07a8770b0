//! Gates in time: what was claimed ahead waits here for its instant, and a thousand claims for one instant wait at one gate.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::Shared;

/// The gates that are closed, by when they open.
#[derive(Debug, Default)]
pub(super) struct Gates(Mutex<HashMap<Timestamp, CancellationToken>>);

impl Shared {
    /// Waits until it is `at` by the wall clock, which may be set meanwhile. False if the engine is told to stop first.
    pub(super) async fn until(self: &Arc<Self>, at: Timestamp) -> bool {
        if self.options.clock.now() >= at {
            return true;
        }
        let gate = self.gate(at);
        tokio::select! {
            biased;
            () = gate.cancelled() => true,
            () = self.draining.cancelled() => false,
        }
    }

    fn gate(self: &Arc<Self>, at: Timestamp) -> CancellationToken {
        let mut gates = self.gates.0.lock();
        if let Some(gate) = gates.get(&at) {
            return gate.clone();
        }
        let gate = CancellationToken::new();
        gates.insert(at, gate.clone());
        let (shared, opens) = (Arc::clone(self), gate.clone());
        self.tasks.spawn(async move {
            while shared.options.clock.now() < at && !shared.draining.is_cancelled() {
                tokio::select! {
                    () = shared.options.clock.sleep_until(at) => {}
                    () = shared.draining.cancelled() => {}
                }
            }
            shared.gates.0.lock().remove(&at);
            if shared.options.clock.now() >= at {
                opens.cancel();
            }
        });
        gate
    }
}
