//! Writes down what comes in, in its order, and lets pass what passes.

use std::{sync::Arc, time::Duration};

use scheduler_core::{Alert, AlertState, Result};
use tokio::sync::{mpsc, oneshot};

use super::{Shared, blocking};
use crate::{
    alert::{OpenAlert, State},
    rules::{self, has_passed},
};

/// How often it looks for what has passed.
const LOOKS: Duration = Duration::from_mins(5);

/// What waits in the queue.
#[derive(Debug)]
pub(super) enum News {
    /// Something happened.
    Alert(Box<Alert>),
    /// The sinks are others, or may have been put right: what failed is tried again at once.
    Forgive,
    /// Somebody waits until everything before this is written down.
    Mark(oneshot::Sender<()>),
}

pub(super) struct Clerk {
    shared: Arc<Shared>,
    news: mpsc::Receiver<News>,
}

impl Clerk {
    pub(super) fn new(shared: Arc<Shared>, news: mpsc::Receiver<News>) -> Self {
        Self { shared, news }
    }

    pub(super) async fn work(mut self) {
        loop {
            self.let_pass().await;
            let look = rules::after(self.shared.clock.now(), LOOKS);
            let news = tokio::select! {
                news = self.news.recv() => news,
                () = self.shared.clock.sleep_until(look) => continue,
            };
            match news {
                Some(News::Alert(alert)) => self.write(*alert).await,
                Some(News::Forgive) => self.forgive().await,
                Some(News::Mark(done)) => drop(done.send(())),
                None => return,
            }
        }
    }

    async fn write(&self, alert: Alert) {
        let (shelf, key, is_open) = (self.shared.shelf.clone(), alert.key.clone(), alert.state == AlertState::Open);
        match blocking(move || shelf.take(&alert)).await {
            Ok(()) => {
                if is_open && self.shared.posts.lock().is_empty() {
                    tracing::info!(alert = key, "an alert, and no sink is configured: nobody is told");
                }
                self.shared.has_changed();
            }
            Err(error) => tracing::error!(%error, alert = key, "an alert could not be written down"),
        }
    }

    async fn forgive(&self) {
        let shelf = self.shared.shelf.clone();
        let forgiven = blocking(move || {
            let waits = |alert: &OpenAlert| alert.sinks.values().any(|told| told.not_before.is_some());
            if !shelf.read()?.alerts.iter().any(waits) {
                return Ok(());
            }
            let forgive = |alert: &mut OpenAlert| {
                let waited = waits(alert);
                alert.sinks.values_mut().for_each(|told| told.not_before = None);
                waited.then_some(())
            };
            shelf.change(forgive).map(drop)
        });
        if let Err(error) = forgiven.await {
            tracing::warn!(%error, "what failed so far is tried again when its time has come");
        }
        self.shared.has_changed();
    }

    /// Ends what only passed, and forgets what has been over for days.
    async fn let_pass(&self) {
        let shared = Arc::clone(&self.shared);
        let passed = blocking(move || {
            let (now, rate_limit) = (shared.clock.now(), *shared.rate_limit.lock());
            let is_due = |alert: &OpenAlert| has_passed(alert, rate_limit, now);
            if !shared.shelf.read()?.alerts.iter().any(is_due) {
                return Ok(false);
            }
            shared.shelf.change(|alert| {
                if !is_due(alert) {
                    return None;
                }
                if alert.state == State::Closed {
                    alert.sinks.clear();
                } else {
                    alert.close(&format!("not seen again: {}", alert.title), now, true);
                }
                Some(())
            })?;
            Ok(true)
        });
        let passed: Result<bool> = passed.await;
        match passed {
            Ok(true) => self.shared.has_changed(),
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "alerts that have passed stay for now"),
        }
    }
}
