//! `sched heartbeat snippet`: the same heartbeat from a shell, for hosts without sched.

use serde_json::json;

use crate::{args::HeartbeatSnippetArgs, commands::Done, exit, output::Output};

/// The function. A test runs it with every shell there is, and compares.
const SNIPPET: &str = include_str!("snippet.sh");

pub(super) fn run(_: &HeartbeatSnippetArgs, out: &mut Output) -> Done {
    if out.wants_json() {
        out.json(json!({ "shell": SNIPPET }))?;
    } else {
        out.raw(SNIPPET.as_bytes())?;
    }
    Ok(exit::OK)
}
