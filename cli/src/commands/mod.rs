//! The commands, a file each: `run(args, context, out)` does the work and answers the exit code.
//!
//! To add one: its arguments in `args`, a line in a group of `args::help`, its file here, and an arm in [`dispatch`].

mod add;
mod alerts;
mod apply;
mod audit;
mod backup;
mod batch;
mod cancel;
mod completions;
mod doctor;
mod edit;
mod editor;
mod fire;
mod follow;
mod heartbeat;
mod history;
mod init;
mod list;
mod logs;
mod man;
mod nagios;
mod next;
mod pause;
mod plugin;
mod providers;
mod remove;
mod repair;
mod report;
mod restore;
mod resume;
mod run;
mod schema;
mod service;
mod show;
mod simulate;
mod status;
mod tick;
mod validate;
mod watchdog;
mod why;

pub(crate) use heartbeat::{outlive_limits, tell_refused};

use crate::{args::Command, context::Context, failure::Failure, output::Output, runtime::block_on};

/// What a command answers: an exit code, or why it failed.
pub(crate) type Done = Result<u8, Failure>;

/// Does what was asked for.
///
/// # Errors
/// The command's.
pub(crate) fn dispatch(command: &Command, context: &Context, out: &mut Output) -> Done {
    match command {
        Command::Init(args) => block_on(init::run(args, context, out)),
        Command::Add(args) => block_on(add::run(args, context, out)),
        Command::Watchdog(args) => watchdog::run(args, context, out),
        Command::Alerts(args) => block_on(alerts::run(args, context, out)),
        Command::List(args) => block_on(list::run(args, context, out)),
        Command::Show(args) => block_on(show::run(args, context, out)),
        Command::Edit(args) => block_on(edit::run(args, context, out)),
        Command::Apply(args) => block_on(apply::run(args, context, out)),
        Command::Remove(args) => block_on(remove::run(args, context, out)),
        Command::Pause(args) => block_on(pause::run(args, context, out)),
        Command::Resume(args) => block_on(resume::run(args, context, out)),
        Command::Next(args) if args.batch => batch::run(context, out),
        Command::Next(args) => block_on(next::run(args, context, out)),
        Command::Simulate(args) => block_on(simulate::run(args, context, out)),
        Command::History(args) => block_on(history::run(args, context, out)),
        Command::Logs(args) if args.follow => block_on(follow::run(args, context, out)),
        Command::Logs(args) => block_on(logs::run(args, context, out)),
        Command::Audit(args) => block_on(audit::run(args, context, out)),
        Command::Why(args) => block_on(why::run(args, context, out)),
        Command::Report(args) => block_on(report::run(args, context, out)),
        Command::Validate(args) => block_on(validate::run(args, context, out)),
        Command::Doctor(args) => block_on(doctor::run(args, context, out)),
        Command::Providers(args) => providers::run(args, context, out),
        Command::Plugin(command) => plugin::run(command, context, out),
        Command::Service(command) => service::run(command, context, out),
        Command::Schema(args) => schema::run(args, out),
        Command::Run(args) => run::run(args, context, out),
        Command::Tick(args) => tick::run(args, context, out),
        Command::Fire(args) => fire::run(args, context, out),
        Command::Cancel(args) => cancel::run(args, context, out),
        Command::Backup(args) => backup::run(args, context, out),
        Command::Restore(args) => block_on(restore::run(args, context, out)),
        Command::Repair(args) => repair::run(args, context, out),
        Command::Heartbeat(command) => heartbeat::run(command, context, out),
        Command::Completions(args) => completions::run(args, out),
        Command::Man(args) => man::run(args, out),
        Command::Status(args) if args.nagios => block_on(nagios::run(context, out)),
        Command::Status(args) => block_on(status::run(args, context, out)),
    }
}
