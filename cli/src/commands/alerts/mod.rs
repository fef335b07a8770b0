//! `sched alerts`: what is open and who was told; `ack` takes note of one, `test` tries the sinks.

mod ack;
mod list;
mod test;

use super::Done;
use crate::{
    args::{AlertsArgs, AlertsCommand},
    context::Context,
    output::Output,
};

pub(crate) async fn run(args: &AlertsArgs, context: &Context, out: &mut Output) -> Done {
    match &args.command {
        None => list::run(context, out),
        Some(AlertsCommand::Ack(args)) => ack::run(args, context, out).await,
        Some(AlertsCommand::Test(args)) => test::run(args, context, out).await,
    }
}
