//! Wire protocol 1: what host and plugin say to each other.
//!
//! - A message is one line of JSON, at most [`MAX_LINE`] bytes with its end, in UTF-8 ([`LineBuffer`], [`LineReader`]).
//! - The plugin reads from its standard input and writes to its standard output. What it writes to its standard error is
//!   log. The child of a library is started the same way, and moves both to descriptors of its own before it loads
//!   anything, so that what the library prints ends in the log as well.
//! - A message is a call, `{"id": 1, "call": "tick"}`, or the answer to one, `{"id": 1, "ok": ...}` or
//!   `{"id": 1, "error": {"code": "...", "message": "..."}}` ([`Message`]). Each side counts the ids of its own calls. A call
//!   without an id gets no answer.
//! - The first call is `hello`, from the host ([`Hello`]); its answer is [`Welcome::Ready`] with the same nonce, or
//!   [`Welcome::Unavailable`]. Then comes `start`, and after it whatever there is to say, in both directions, in any order:
//!   nobody may wait with reading until their own call is answered.
//! - `start` is answered when the plugin has armed what fires (liveness `external`), or when it has ended (`ticks`).
//! - `stop` is always sent, and once. A plugin has its time for it, answers, may say `stopped`, and exits. When its input
//!   ends, the host is gone, and it exits too.
//! - A list of jobs that doesn't fit into a line is had in pages ([`PluginCall::Jobs`]); any other answer that doesn't is an error.
//! - Instants are milliseconds since 1970-01-01T00:00:00Z.
//! - It grows by new fields, calls and hooks only. Fields that somebody doesn't know are ignored, calls are answered with
//!   the error `unknown`, and a hook that the plugin doesn't list is never called.
//!
//! The same as a JSON Schema: `docs/plugin-protocol.schema.json`.

mod calls;
mod fault;
mod lines;
mod message;
#[cfg(test)]
mod tests;

pub use calls::{
    Fire, FireKind, Fired, Hello, Hook, HostCall, JobItem, JobPage, LONGEST_PAGE, LogLevel, Outcome, PluginCall, Ready,
    Welcome, WireLiveness,
};
pub use fault::{Code, Fault};
pub use lines::{LineBuffer, LineReader, MAX_LINE};
pub(crate) use message::brief;
pub use message::{Call, Message, Unread};

/// The protocol's number, as `hello` says it.
pub const VERSION: u32 = 1;

/// A plugin's reasons are shown up to here, in characters: `sched status` is no place for a megabyte.
pub(crate) const MOST_WORDS: usize = 300;
