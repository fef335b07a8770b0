//! `sched heartbeat`: proof of life from any job, and what is made of it.

mod check;
mod expect;
mod forget;
mod jobs;
mod snippet;
mod write;

pub(crate) use write::{outlive_limits, tell_refused};

use super::Done;
use crate::{args::HeartbeatCommand, context::Context, output::Output, runtime::block_on};

pub(crate) fn run(command: &HeartbeatCommand, context: &Context, out: &mut Output) -> Done {
    match command {
        // Jobs wait for it: no runtime, no store.
        HeartbeatCommand::Write(args) => write::run(args, context, out),
        HeartbeatCommand::Check(args) => block_on(check::run(args, context, out)),
        HeartbeatCommand::Expect(args) => expect::run(args, context, out),
        HeartbeatCommand::Forget(args) => block_on(forget::run(args, context, out)),
        HeartbeatCommand::Snippet(args) => snippet::run(args, out),
    }
}
