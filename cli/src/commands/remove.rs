//! `sched remove`: takes jobs away. What ran stays in the history.

use scheduler_core::{JobId, JobStore as _, store::Edit};
use serde_json::json;

use super::Done;
use crate::{
    alerts,
    args::RemoveArgs,
    context::{self, Context},
    exit,
    output::Output,
    selection,
};

pub(crate) async fn run(args: &RemoveArgs, context: &Context, out: &mut Output) -> Done {
    let store = context.change_existing()?;
    let ids = selection::several(&context::jobs(&store).await?, &args.jobs, false)?;
    let removed = store.define(Edit::Remove(ids)).await?;
    store.close().await?;
    let ids: Vec<JobId> = removed.iter().map(|view| view.id.clone()).collect();
    alerts::close(&context.home()?, &ids, context.now());

    if out.wants_json() {
        out.json(json!({ "removed": ids }))?;
        return Ok(exit::OK);
    }
    for view in &removed {
        out.line(format_args!("removed job `{}`", view.id))?;
        for open in view.open.iter().filter(|open| open.is_running()) {
            out.line(format_args!("  its run {} goes on to its end", open.run))?;
        }
    }
    Ok(exit::OK)
}
