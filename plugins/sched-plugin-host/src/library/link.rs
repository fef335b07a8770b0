//! Calls to the daemon, and who waits for which answer.

use std::{
    collections::HashMap,
    fs::File,
    io::Write as _,
    sync::mpsc::{self, Sender},
};

use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::protocol::{Code, Fault, LogLevel, Message, PluginCall};

type Answer = Result<Value, Fault>;

/// The way to the daemon. Calls may be made from any thread.
pub(super) struct Link {
    answers: Mutex<File>,
    waiting: Mutex<Waiting>,
}

/// Whoever waits for an answer, by the id of the call.
struct Waiting {
    last: u64,
    /// Nothing any more once the daemon's side has ended.
    senders: Option<HashMap<u64, Sender<Answer>>>,
}

impl Link {
    pub(super) fn new(answers: File) -> Self {
        Self { answers: Mutex::new(answers), waiting: Mutex::new(Waiting { last: 0, senders: Some(HashMap::new()) }) }
    }

    /// Asks, and waits for the answer.
    pub(super) fn ask<T: DeserializeOwned>(&self, call: PluginCall) -> Result<T, Fault> {
        let (sender, answer) = mpsc::channel();
        let id = {
            let mut waiting = self.waiting.lock();
            waiting.last += 1;
            let id = waiting.last;
            waiting.senders.as_mut().ok_or_else(gone)?.insert(id, sender);
            id
        };
        if let Err(fault) = self.write(&Message::Call { id: Some(id), call }) {
            self.take(id);
            return Err(fault);
        }
        // The sender is dropped when the daemon's side has ended.
        let answer = answer.recv().unwrap_or_else(|_| Err(gone()))?;
        serde_json::from_value(answer)
            .map_err(|error| Fault::new(Code::Generic, format!("the daemon's answer can't be read: {error}")))
    }

    /// Says something that has no answer. If nobody is there any more, nobody needs it.
    pub(super) fn say(&self, call: PluginCall) {
        let _ = self.write(&Message::Call { id: None, call });
    }

    /// A line for the daemon's log.
    pub(super) fn log(&self, level: LogLevel, message: &str) {
        // Even if every character has to be escaped, a line stays below the protocol's bound.
        const LONGEST: usize = 64 << 10;
        let message = match message.floor_char_boundary(LONGEST) {
            end if end < message.len() => format!("{}... ({} bytes)", &message[..end], message.len()),
            _ => message.to_owned(),
        };
        self.say(PluginCall::Log { level, message });
    }

    /// Answers a call of the daemon.
    pub(super) fn answer(&self, id: Option<u64>, answer: Answer) {
        if let Some(id) = id {
            let _ = self.write(&Message::Answer { id, answer });
        }
    }

    /// An answer of the daemon has come.
    pub(super) fn deliver(&self, id: u64, answer: Answer) {
        if let Some(sender) = self.take(id) {
            let _ = sender.send(answer);
        }
    }

    /// No answer will ever come again.
    pub(super) fn close(&self) {
        self.waiting.lock().senders = None;
    }

    fn take(&self, id: u64) -> Option<Sender<Answer>> {
        self.waiting.lock().senders.as_mut()?.remove(&id)
    }

    fn write(&self, message: &Message<PluginCall>) -> Result<(), Fault> {
        let line = message.to_line()?;
        self.answers.lock().write_all(line.as_bytes()).map_err(|_| gone())
    }
}

fn gone() -> Fault {
    Fault::new(Code::Stopping, "the daemon is gone")
}
