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
    out: Mutex<Out>,
    waiting: Mutex<Waiting>,
}

/// The daemon's end. Whoever writes a line has it alone.
struct Out {
    answers: File,
    /// Whether the daemon knows that the plugin is ready. Until then it takes lines for its log, and nothing else.
    is_open: bool,
}

/// Whoever waits for an answer, by the id of the call.
struct Waiting {
    last: u64,
    /// Nothing any more once the daemon's side has ended.
    senders: Option<HashMap<u64, Sender<Answer>>>,
}

impl Link {
    pub(super) fn new(answers: File) -> Self {
        let waiting = Mutex::new(Waiting { last: 0, senders: Some(HashMap::new()) });
        Self { out: Mutex::new(Out { answers, is_open: false }), waiting }
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
        if let Err(fault) = self.call(Some(id), call) {
            self.take(id);
            return Err(fault);
        }
        // The sender is dropped when the daemon's side has ended.
        let answer = answer.recv().unwrap_or_else(|_| Err(gone()))?;
        serde_json::from_value(answer)
            .map_err(|error| Fault::new(Code::Generic, format!("the daemon's answer can't be read: {error}")))
    }

    /// Shows that the plugin is at work. If nobody is there any more, or yet, nobody needs it.
    pub(super) fn beat(&self) {
        let _ = self.call(None, PluginCall::Beat);
    }

    /// A line for the daemon's log.
    pub(super) fn log(&self, level: LogLevel, message: &str) {
        // Even if every character has to be escaped, a line stays below the protocol's bound.
        const LONGEST: usize = 64 << 10;
        let message = match message.floor_char_boundary(LONGEST) {
            end if end < message.len() => format!("{}... ({} bytes)", &message[..end], message.len()),
            _ => message.to_owned(),
        };
        let _ = write(&mut self.out.lock(), &Message::Call { id: None, call: PluginCall::Log { level, message } });
    }

    /// Answers `hello`. From then on the daemon may be asked: it may say `start` before this returns.
    pub(super) fn welcome(&self, id: Option<u64>, answer: Answer) {
        let mut out = self.out.lock();
        out.is_open = answer.is_ok();
        answer_to(&mut out, id, answer);
    }

    /// Answers another call of the daemon.
    pub(super) fn answer(&self, id: Option<u64>, answer: Answer) {
        answer_to(&mut self.out.lock(), id, answer);
    }

    /// Says that nothing else will come.
    pub(super) fn stopped(&self) {
        let _ = write(&mut self.out.lock(), &Message::Call { id: None, call: PluginCall::Stopped });
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

    fn call(&self, id: Option<u64>, call: PluginCall) -> Result<(), Fault> {
        let mut out = self.out.lock();
        if !out.is_open {
            return Err(Fault::new(Code::Unavailable, "nothing can be asked before the plugin is ready"));
        }
        write(&mut out, &Message::Call { id, call })
    }
}

fn answer_to(out: &mut Out, id: Option<u64>, answer: Answer) {
    if let Some(id) = id {
        // An answer that doesn't fit into a line is answered with that. Beyond it nobody is left to be told.
        if let Err(fault) = write(out, &Message::Answer { id, answer }) {
            let _ = write(out, &Message::Answer { id, answer: Err(fault) });
        }
    }
}

fn write(out: &mut Out, message: &Message<PluginCall>) -> Result<(), Fault> {
    let line = message.to_line()?;
    out.answers.write_all(line.as_bytes()).map_err(|_| gone())
}

fn gone() -> Fault {
    Fault::new(Code::Stopping, "the daemon is gone")
}
