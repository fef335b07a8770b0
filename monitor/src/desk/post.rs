//! One sink at work: what it is owed is claimed in the alert's file, delivered, and noted there.

mod ledger;

use std::{
    collections::HashSet,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use scheduler_core::{Error, ErrorKind, Result, config::sinks::Sink};
use tokio::sync::{Mutex, Notify, watch};

use self::ledger::{Claim, Ledger};
use super::{Shared, blocking, settings::Secrets};
use crate::{
    alert::OpenAlert,
    notice::{Notice, Sender},
    report::Letter,
    rules::{Moment, after, backoff},
    sinks::{Carrier, carrier},
};

/// A sink's alerts are looked through after this, whatever happens here: other processes write them too.
const LOOKS: Duration = Duration::from_secs(30);

/// Whether a post delivers, now that its process is about to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    /// It does.
    Open,
    /// What is under way is brought to its end, and nothing else is begun.
    Closing,
    /// What is under way is cut off, and noted as failed: the next process has to know.
    Shut,
}

/// A sink, and the way there.
#[derive(Debug)]
pub(crate) struct Post {
    ledger: Ledger,
    sender: Sender,
    carrier: Box<dyn Carrier>,
    /// One delivery at a time.
    round: Mutex<()>,
    /// Deliveries that failed in a row, whatever they were about.
    failures: AtomicU32,
    gate: watch::Sender<Gate>,
    retired: Notify,
}

impl Post {
    pub(crate) fn new(sink: Sink, sender: Sender, secrets: Secrets, patience: Duration) -> Self {
        let carrier = carrier(&sink, secrets, patience);
        let ledger = Ledger { sink, most: carrier.most(), patience: carrier.patience() };
        let (round, failures, gate) = (Mutex::default(), AtomicU32::new(0), watch::Sender::new(Gate::Open));
        Self { ledger, sender, carrier, round, failures, gate, retired: Notify::new() }
    }

    pub(crate) fn name(&self) -> &str {
        &self.ledger.sink.name
    }

    /// How long a delivery may take.
    pub(super) fn patience(&self) -> Duration {
        self.ledger.patience
    }

    pub(super) fn set_gate(&self, gate: Gate) {
        self.gate.send_replace(gate);
    }

    /// Delivers whatever there is to deliver, until it is retired.
    pub(super) async fn work(&self, shared: &Shared) {
        let mut changed = shared.changed.subscribe();
        loop {
            changed.mark_unchanged();
            let next = self.round(shared).await;
            let now = shared.clock.now();
            let failures = self.failures.load(Ordering::Relaxed);
            let look = next.map_or(after(now, LOOKS), |next| next.min(after(now, LOOKS)));
            // A sink that is down isn't asked anew with every alert.
            let (until, is_down) = if failures > 0 { (after(now, backoff(failures)), true) } else { (look, false) };
            tokio::select! {
                () = self.retired.notified() => return,
                _ = changed.changed(), if !is_down => {}
                () = shared.clock.sleep_until(until) => {}
            }
        }
    }

    /// Lets its task end, after the delivery that it may be in the middle of.
    pub(super) fn retire(&self) {
        self.retired.notify_one();
    }

    /// Delivers what is due, one after the other, up to the first failure. Answers when the next is due.
    pub(super) async fn round(&self, shared: &Shared) -> Option<Timestamp> {
        let _alone = self.round.lock().await;
        let mut delivered = HashSet::new();
        loop {
            if *self.gate.borrow() != Gate::Open {
                return None;
            }
            let (shelf, ledger) = (shared.shelf.clone(), self.ledger.clone());
            let (now, rate_limit) = (shared.clock.now(), *shared.rate_limit.lock());
            match blocking(move || ledger.claim(&shelf, rate_limit, now)).await {
                Ok(Claim::Won(alert, moment)) => {
                    // Whatever keeps it from being noted: the sink has heard it.
                    if !delivered.insert((alert.key.clone(), moment, alert.last_seen)) {
                        let (sink, alert) = (self.name(), &alert.key);
                        tracing::warn!(sink, alert, "delivered already, and owed all the same; the rest is told later");
                        return None;
                    }
                    if !self.deliver(shared, *alert, moment).await {
                        return None;
                    }
                }
                Ok(Claim::Nothing(next)) => return next,
                Err(error) => {
                    tracing::warn!(sink = self.name(), %error, "what this sink is owed is not known");
                    return None;
                }
            }
        }
    }

    /// Sends a message about nothing.
    pub(super) async fn test(&self, alert: OpenAlert) -> Result<()> {
        self.carry(&self.notice(alert, Moment::Test)).await.map(drop)
    }

    /// Delivers a report: at once, and without another try.
    pub(super) async fn report(&self, letter: &Letter) -> Result<()> {
        self.in_time(self.carrier.deliver_report(letter)).await
    }

    /// What that would be.
    pub(super) fn preview_test(&self, alert: OpenAlert) -> String {
        self.carrier.preview(&self.notice(alert, Moment::Test))
    }

    /// What would be sent now.
    pub(super) fn preview(&self, alerts: &[OpenAlert], rate_limit: Duration, now: Timestamp) -> Vec<String> {
        let due = self.ledger.due(alerts, rate_limit, now);
        due.into_iter().map(|(alert, moment)| self.carrier.preview(&self.notice(alert.clone(), moment))).collect()
    }

    async fn deliver(&self, shared: &Shared, alert: OpenAlert, moment: Moment) -> bool {
        let notice = self.notice(alert, moment);
        let answer = self.carry_unless_shut(&notice).await;
        match &answer {
            Ok(_) => {
                self.failures.store(0, Ordering::Relaxed);
                tracing::info!(sink = self.name(), alert = notice.alert.key, "told: {}", moment.word());
            }
            Err(error) => {
                let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
                let again = backoff(failures).as_secs();
                let (sink, alert) = (self.name(), &notice.alert.key);
                tracing::warn!(sink, alert, %error, hint = error.hint_text(), "not delivered; again in {again} s at the earliest");
            }
        }
        let (shelf, ledger, now) = (shared.shelf.clone(), self.ledger.clone(), shared.clock.now());
        let delivered = answer.is_ok();
        let noted = blocking(move || ledger.note(&shelf, &notice.alert, moment, answer, now)).await;
        if let Err(error) = noted {
            tracing::warn!(sink = self.name(), %error, "what this sink was told could not be noted; it may hear it twice");
        }
        delivered
    }

    async fn carry_unless_shut(&self, notice: &Notice) -> Result<Option<String>> {
        let (mut gate, begun) = (self.gate.subscribe(), Instant::now());
        tokio::select! {
            answer = self.carry(notice) => answer,
            _ = gate.wait_for(|gate| *gate == Gate::Shut) => {
                let waited = begun.elapsed().as_secs_f32();
                Err(Error::new(ErrorKind::Io, format!("cut off after {waited:.0} s, since the process that told it has ended")))
            }
        }
    }

    async fn carry(&self, notice: &Notice) -> Result<Option<String>> {
        self.in_time(self.carrier.deliver(notice)).await
    }

    async fn in_time<T>(&self, delivery: impl Future<Output = Result<T>>) -> Result<T> {
        let patience = self.carrier.patience();
        let late = || Error::new(ErrorKind::Io, format!("no answer within {} s", patience.as_secs()));
        tokio::time::timeout(patience, delivery).await.unwrap_or_else(|_| Err(late()))
    }

    fn notice(&self, alert: OpenAlert, moment: Moment) -> Notice {
        let thread = alert.sinks.get(self.name()).and_then(|told| told.thread.clone());
        Notice { moment, alert, sender: self.sender.clone(), thread }
    }
}
