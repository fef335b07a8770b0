//! Calls to a plugin: lines on their way to it, and who waits for which answer.

use std::{collections::HashMap, time::Duration};

use parking_lot::Mutex;
use scheduler_core::{Error, ErrorKind, JobId, Result, duration, provider::FireOutcome};
use serde_json::Value;
use tokio::{
    sync::{Mutex as AsyncMutex, mpsc, oneshot, watch},
    time::timeout,
};

use super::failure::Failure;
use crate::protocol::{Call, Fault, HostCall, MOST_WORDS, Message, brief};

/// Lines that wait to be written. More wait with whoever writes them.
const WAITING: usize = 16;

pub(super) type Answer = Result<Value, Fault>;

/// The way to a plugin, shared by its course and the hooks.
#[derive(Debug)]
pub(super) struct Link {
    limit: Duration,
    lines: mpsc::Sender<String>,
    outgoing: Mutex<Option<mpsc::Receiver<String>>>,
    pending: Mutex<Pending>,
    /// Whether `start` was sent; hooks wait for that. `None` once all is over.
    open: watch::Sender<Option<bool>>,
    failed: watch::Sender<Option<Failure>>,
    /// The job that `fire_due` was called for, and what came of a fire of it since.
    firing: Mutex<Option<(JobId, Option<FireOutcome>)>>,
    /// Held by the hook that is under way: a plugin hears of one at a time.
    turn: AsyncMutex<()>,
}

#[derive(Debug)]
struct Pending {
    next: u64,
    answers: HashMap<u64, oneshot::Sender<Answer>>,
}

impl Link {
    /// A link whose calls are to be answered within `limit`.
    pub(super) fn new(limit: Duration) -> Self {
        let (lines, outgoing) = mpsc::channel(WAITING);
        // The first was `hello`.
        let pending = Pending { next: 2, answers: HashMap::new() };
        Self {
            limit,
            lines,
            outgoing: Mutex::new(Some(outgoing)),
            pending: Mutex::new(pending),
            open: watch::Sender::new(Some(false)),
            failed: watch::Sender::new(None),
            firing: Mutex::new(None),
            turn: AsyncMutex::new(()),
        }
    }

    /// What is to be written, for whoever writes.
    pub(super) fn outgoing(&self) -> Option<mpsc::Receiver<String>> {
        self.outgoing.lock().take()
    }

    /// From here on hooks may call.
    pub(super) fn open(&self) {
        self.open.send_replace(Some(true));
    }

    /// Nobody will answer any more.
    pub(super) fn close(&self) {
        self.open.send_replace(None);
        self.pending.lock().answers.clear();
    }

    /// Ends the plugin, because of what it did to a caller.
    pub(super) fn fail(&self, failure: Failure) {
        self.failed.send_if_modified(|failed| {
            let is_first = failed.is_none();
            failed.get_or_insert(failure);
            is_first
        });
    }

    /// Completes when a caller had to [`fail`](Self::fail) it.
    pub(super) async fn failed(&self) -> Failure {
        let mut failed = self.failed.subscribe();
        loop {
            if let Some(failure) = failed.borrow_and_update().clone() {
                return failure;
            }
            if failed.changed().await.is_err() {
                // The sender is our own, and lives as long as we are borrowed.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Puts a call on its way; the answer comes through the receiver.
    pub(super) async fn send(&self, call: HostCall) -> Result<oneshot::Receiver<Answer>> {
        let (answer, answered) = oneshot::channel();
        let id = {
            let mut pending = self.pending.lock();
            let id = pending.next;
            pending.next += 1;
            pending.answers.insert(id, answer);
            id
        };
        if let Err(error) = self.write(&Message::Call { id: Some(id), call }).await {
            self.pending.lock().answers.remove(&id);
            return Err(error);
        }
        Ok(answered)
    }

    /// Puts a line on its way, when there is room for it.
    pub(super) async fn write<C: Call>(&self, message: &Message<C>) -> Result<()> {
        let line = message.to_line().map_err(|fault| Error::new(ErrorKind::Invalid, fault.to_string()))?;
        self.lines.send(line).await.map_err(|_| over())
    }

    /// Hands an answer to whoever waits for it; `false` if nobody asked.
    pub(super) fn answered(&self, id: u64, answer: Answer) -> bool {
        let waiting = self.pending.lock().answers.remove(&id);
        // Whoever asked may have given up since; that the plugin was asked is what counts.
        waiting.map(|waiting| drop(waiting.send(answer))).is_some()
    }

    /// Calls a hook that answers nothing.
    pub(super) async fn hook(&self, call: HostCall) -> Result<()> {
        let _turn = self.turn.lock().await;
        match self.call(call).await? {
            Ok(_) => Ok(()),
            Err(fault) => Err(Error::new(ErrorKind::Foreign, brief(&fault.to_string(), MOST_WORDS))),
        }
    }

    /// Calls `fire_due`, and answers what the plugin did, and what came of its own fire of `job` meanwhile.
    pub(super) async fn fire_due(&self, job: &JobId, call: HostCall) -> Result<(Answer, Option<FireOutcome>)> {
        let _turn = self.turn.lock().await;
        *self.firing.lock() = Some((job.clone(), None));
        let answer = self.call(call).await;
        let fired = self.firing.lock().take().and_then(|(_, outcome)| outcome);
        Ok((answer?, fired))
    }

    /// Notes what came of a fire that the plugin asked for.
    pub(super) fn fired(&self, job: &JobId, outcome: &FireOutcome) {
        if let Some((_, fired)) = self.firing.lock().as_mut().filter(|(firing, _)| firing == job) {
            *fired = Some(outcome.clone());
        }
    }

    /// Calls the plugin, which has its time to answer; one that doesn't is ended.
    async fn call(&self, call: HostCall) -> Result<Answer> {
        let name = name(&call);
        let asked = async {
            let mut open = self.open.subscribe();
            open.wait_for(|open| *open != Some(false)).await.map_err(|_| over())?;
            if open.borrow().is_none() {
                return Err(over());
            }
            self.send(call).await?.await.map_err(|_| over())
        };
        timeout(self.limit, asked).await.unwrap_or_else(|_| {
            let what = format!("it did not answer `{name}` within {}", duration::format(self.limit));
            self.fail(Failure::crash(what.clone()));
            Err(Error::new(ErrorKind::Foreign, what))
        })
    }
}

fn name(call: &HostCall) -> &'static str {
    match call {
        HostCall::Hello(_) => "hello",
        HostCall::Start => "start",
        HostCall::Stop => "stop",
        HostCall::JobsChanged { .. } => "jobs_changed",
        HostCall::Reconcile => "reconcile",
        HostCall::FireDue { .. } => "fire_due",
    }
}

fn over() -> Error {
    Error::new(ErrorKind::Foreign, "the plugin has ended")
}
