//! `sched completions SHELL`: the script that teaches a shell what can be typed.

use serde_json::json;

use super::Done;
use crate::{
    args::{self, CompletionsArgs},
    exit,
    output::Output,
};

pub(crate) fn run(args: &CompletionsArgs, out: &mut Output) -> Done {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut args::grammar(), "sched", &mut script);
    if out.wants_json() {
        out.json(json!({"shell": args.shell.to_string(), "script": String::from_utf8_lossy(&script)}))?;
    } else {
        out.raw(&script)?;
    }
    Ok(exit::OK)
}
