//! `sched plugin allow`: a plugin that crashed twice gets another chance.

use scheduler_core::ErrorKind;
use serde_json::json;

use crate::{
    args::PluginAllowArgs, commands::Done, context::Context, daemon::plugins, exit, failure::Failure, output::Output,
};

pub(super) fn run(args: &PluginAllowArgs, context: &Context, out: &mut Output) -> Done {
    let home = context.home()?;
    let name = &args.name;
    if !plugins::strikes(&home).allow(name)? {
        let what = format!("no crash of a plugin `{name}` is on record");
        let hint = "`sched plugin list` says what keeps one from being used";
        return Err(Failure::new(ErrorKind::NotFound, what).hint(hint));
    }
    if out.wants_json() {
        out.json(json!({ "allowed": name }))?;
    } else {
        out.line(format_args!(
            "plugin `{name}` may be started again; a daemon that runs tries it with the next SIGHUP"
        ))?;
    }
    Ok(exit::OK)
}
