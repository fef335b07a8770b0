//! Gate 2: a plugin answers `hello`, with the nonce that it was given, within its time. Anything else is a failure; so is
//! exiting with success.

use std::time::Instant;

use super::{
    log,
    pipes::{Pipes, Silence},
};
use crate::{
    manifest::Manifest,
    protocol::{Hello, HostCall, MOST_WORDS, Message, PluginCall, Ready, Unread, Welcome, brief},
};

/// What a plugin said to `hello`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Introduced {
    /// It waits for `start`.
    Ready(Ready),
    /// It can't work here, and why.
    Unavailable(String),
}

/// The id of `hello`, the first call.
const HELLO: u64 = 1;

/// A plugin that prints and prints is not on its way to an answer.
const MOST_LOG: usize = 1000;

pub(super) fn listen(
    manifest: &Manifest,
    pipes: &mut Pipes,
    hello: &Hello,
    until: Instant,
) -> Result<Introduced, Silence> {
    let call = Message::Call { id: Some(HELLO), call: HostCall::Hello(hello.clone()) };
    let line =
        call.to_line().map_err(|fault| Silence::Breach(format!("its `config` can't be handed over: {fault}")))?;
    let late = || Silence::Late(manifest.timeouts.ready);
    if !pipes.write_all(line.as_bytes(), until)? {
        return Err(late());
    }
    for _ in 0..MOST_LOG {
        let line = pipes.next_line(until)?.ok_or_else(late)?;
        match Message::<PluginCall>::read(&line) {
            Ok(Message::Call { call: PluginCall::Log { level, message }, .. }) => {
                log::line(&manifest.name, level, &message);
            }
            Ok(Message::Answer { id: HELLO, answer: Ok(value) }) => {
                return match serde_json::from_value(value) {
                    Ok(Welcome::Ready(ready)) => checked(manifest, hello, ready).map_err(Silence::Breach),
                    Ok(Welcome::Unavailable { reason }) => Ok(Introduced::Unavailable(brief(&reason, MOST_WORDS))),
                    Err(why) => Err(Silence::Breach(format!(
                        "its answer to `hello` is neither `ready` nor `unavailable`: {why}"
                    ))),
                };
            }
            Ok(Message::Answer { id: HELLO, answer: Err(fault) }) => {
                return Err(Silence::Refused(fault));
            }
            Ok(_) => return Err(Silence::Breach("it said something else before `ready`".into())),
            Err(Unread::Garbage(why) | Unread::Call { fault: crate::protocol::Fault { message: why, .. }, .. }) => {
                return Err(Silence::Breach(why));
            }
        }
    }
    Err(Silence::Breach(format!("{MOST_LOG} lines of log before `ready`")))
}

fn checked(manifest: &Manifest, hello: &Hello, ready: Ready) -> Result<Introduced, String> {
    if ready.nonce != hello.nonce {
        return Err("its `ready` has another nonce than `hello`".into());
    }
    if ready.name != manifest.name {
        return Err(format!(
            "it calls itself `{}`, and plugin.yaml `{}`",
            brief(&ready.name, MOST_WORDS),
            manifest.name
        ));
    }
    Ok(Introduced::Ready(ready))
}
