//! The kinds of sinks, a file each, and what they have in common.

mod command;
mod email;
mod issues;
mod webhook;

use std::{fmt, time::Duration};

use async_trait::async_trait;
use scheduler_core::{
    Error, ErrorKind, Result,
    config::sinks::{Sink, Via},
};

use crate::{desk::Secrets, http::Http, notice::Notice, report::Letter};

/// What brings a message to where somebody reads it.
///
/// # Behavior
/// - May take as long as `patience`, and may be dropped then.
/// - An error says what failed and why, and never what is secret.
#[async_trait]
pub(crate) trait Carrier: Send + Sync + fmt::Debug {
    /// Delivers it. Answers what the sink calls the thread that it belongs to, if it has those.
    async fn deliver(&self, notice: &Notice) -> Result<Option<String>>;

    /// Delivers a report, if reports are for it.
    async fn deliver_report(&self, letter: &Letter) -> Result<()> {
        let _ = letter;
        let what = "a tracker keeps issues, and takes no reports";
        Err(Error::new(ErrorKind::Invalid, what).hint("name a sink of type webhook, email or command"))
    }

    /// What would be delivered, without what is secret.
    fn preview(&self, notice: &Notice) -> String;

    /// How long a delivery may take.
    fn patience(&self) -> Duration {
        Duration::from_secs(30)
    }

    /// The most that it opens within a `rate_limit`, if it keeps something open that has to be closed.
    fn most(&self) -> Option<usize> {
        None
    }
}

/// The carrier for `sink`, which waits for one answer by HTTP for as long as `patience`.
pub(crate) fn carrier(sink: &Sink, secrets: Secrets, patience: Duration) -> Box<dyn Carrier> {
    let http = Http::new(patience);
    match sink.via.clone() {
        Via::Webhook { url, preset, token, chat } => {
            Box::new(webhook::Webhook { url, preset, token, chat, secrets, http })
        }
        Via::Email { to, from, smtp } => Box::new(email::Mail { to, from, smtp, secrets }),
        Via::Command { command, timeout } => {
            Box::new(command::Program::new(command, timeout, secrets.into_variables()))
        }
        Via::Tracker(tracker) => Box::new(issues::Issues::new(tracker, secrets, http)),
    }
}
