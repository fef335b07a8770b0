//! What became of messages that somebody had sent through sinks by hand, told as they come.

use scheduler_core::Result;
use serde_json::{Value, json};

use crate::{
    failure::Failure,
    output::Output,
    table::{Cell, Tone},
};

/// The answers of the sinks so far.
#[derive(Debug, Default)]
pub(crate) struct Deliveries {
    answers: Vec<Value>,
    failed: bool,
}

impl Deliveries {
    /// Takes what `sink` answered, and tells people of it.
    ///
    /// # Errors
    /// It can't be printed.
    pub(crate) fn take(&mut self, sink: &str, answer: &Result<()>, out: &mut Output) -> Result<(), Failure> {
        if !out.wants_json() {
            match answer {
                Ok(()) => out.toned(&Cell::new("ok", Tone::Good), format_args!("sink `{sink}` took it"))?,
                Err(error) => {
                    out.toned(&Cell::new("bad", Tone::Bad), format_args!("sink `{sink}`: {error}"))?;
                    if let Some(hint) = error.hint_text() {
                        out.line(format_args!("     hint: {hint}"))?;
                    }
                }
            }
        }
        self.failed |= answer.is_err();
        let error = answer.as_ref().err().map(ToString::to_string);
        self.answers.push(json!({ "sink": sink, "delivered": answer.is_ok(), "error": error }));
        Ok(())
    }

    /// Whether one was not delivered.
    pub(crate) fn failed(&self) -> bool {
        self.failed
    }

    /// All of them, for programs.
    pub(crate) fn into_json(self) -> Vec<Value> {
        self.answers
    }
}
