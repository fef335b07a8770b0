//! `sched restore`: a version of jobs.json that a command displaced, or a home from a backup.

use std::{collections::BTreeMap, path::Path};

use scheduler_core::{
    Error, ErrorKind, Home, JobStore as _, size,
    store::json::{Examined, copy_home},
    vfs::{RealFs, Vfs as _},
};
use serde_json::json;

use super::{Done, apply::Plan};
use crate::{
    alerts,
    args::RestoreArgs,
    context::{self, Context},
    entries, exit,
    failure::Failure,
    output::Output,
};

pub(crate) async fn run(args: &RestoreArgs, context: &Context, out: &mut Output) -> Done {
    match &args.from {
        Some(backup) => home_from(backup, context, out).await,
        None => version(args, context, out).await,
    }
}

/// Puts a version of jobs.json back; what that changes is shown first.
async fn version(args: &RestoreArgs, context: &Context, out: &mut Output) -> Done {
    let home = context.home()?;
    let path = home.path().join(format!("jobs.json.bak.{}", args.version));
    let bytes = RealFs.read(&path).map_err(|cause| {
        let hint = "`sched show JOB` has what is in force; versions are kept when a command changes jobs.json";
        Error::io(format!("cannot read {}", path.display()), cause).hint(hint)
    })?;
    let Examined { problems, jobs, .. } = entries::examine_file(context, &path, &bytes);
    if let Some(unreadable) = problems.iter().find(|problem| problem.key == "jobs-json") {
        let what = format!("{}; nothing was changed", unreadable.what);
        return Err(Failure::new(ErrorKind::Invalid, what).hint("restore another version"));
    }
    for problem in &problems {
        out.warn(&problem.what, Some(&problem.hint));
    }
    let views = context::jobs(&context.look()?).await?;
    // A file that can't be read is what this is for: then it is compared with what is in force.
    let in_force =
        || views.iter().map(|view| (view.id.clone(), (*view.definition).clone())).collect::<BTreeMap<_, _>>();
    let current = entries::current(context, &views).unwrap_or_else(|_| in_force());
    let wanted = jobs.into_iter().map(|one| (one.job.id.clone(), one.definition().clone())).collect();
    let plan = Plan::new(&wanted, &current, true);
    if !out.wants_json() {
        plan.print(args.dry_run, out)?;
    }
    let mut restored = false;
    if !args.dry_run {
        if !args.yes && out.can_ask() && out.ask("do this? [y/N] ")? != Some('y') {
            out.line("nothing was changed")?;
            return Ok(exit::ERROR);
        }
        let store = context.change_existing()?;
        store.restore(args.version.into()).await?;
        store.close().await?;
        alerts::close(&home, plan.removed(), context.now());
        restored = true;
    }
    if out.wants_json() {
        out.json(plan.to_json(args.dry_run, restored))?;
    } else if restored {
        out.line("done; what it displaced is jobs.json.bak.1 now, and `sched restore` brings it back")?;
    }
    Ok(if args.dry_run && !plan.is_empty() { exit::ATTENTION } else { exit::OK })
}

/// Makes a home of a backup.
async fn home_from(backup: &Path, context: &Context, out: &mut Output) -> Done {
    let home = context.home()?;
    let copied = copy_home(&RealFs, &Home::new(backup), &home)?;
    let jobs = context::jobs(&context.look()?).await?.len();
    if out.wants_json() {
        out.json(json!({ "home": home.path(), "files": copied.files, "bytes": copied.bytes, "jobs": jobs }))?;
    } else {
        let size = size::format(copied.bytes);
        let jobs = if jobs == 1 { "1 job".to_owned() } else { format!("{jobs} jobs") };
        out.line(format_args!("put {} files, {size}, back at {}: {jobs}", copied.files, home.path().display()))?;
        out.line("never run it beside its original: every job would fire twice")?;
    }
    Ok(exit::OK)
}
