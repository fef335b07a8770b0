//! `sched resume`: paused jobs fire again, from now on.

use std::collections::BTreeSet;

use scheduler_core::{JobId, JobStore as _};
use serde_json::json;

use super::Done;
use crate::{
    args::ResumeArgs,
    context::{self, Context},
    exit,
    output::Output,
    selection, standing, when,
};

pub(crate) async fn run(args: &ResumeArgs, context: &Context, out: &mut Output) -> Done {
    let now = context.now();
    let store = context.change_existing()?;
    let ids = selection::several(&context::jobs(&store).await?, &args.jobs, args.all)?;
    let resumed: BTreeSet<JobId> = store.resume(ids.clone()).await?.into_iter().collect();
    let views = context::jobs(&store).await?;
    store.close().await?;

    if out.wants_json() {
        let unchanged: Vec<&JobId> = ids.iter().filter(|id| !resumed.contains(id)).collect();
        out.json(json!({ "resumed": resumed, "unchanged": unchanged }))?;
        return Ok(exit::OK);
    }
    for view in views.iter().filter(|view| resumed.contains(&view.id)) {
        let next = standing::next(view).map(|next| when::both(next, &standing::zone_of(view), now));
        let next = next.map_or_else(String::new, |next| format!(", next at {next}"));
        out.line(format_args!("job `{}` resumed{next}", view.id))?;
    }
    // With --all, those that fire anyway are not worth a line each.
    for id in ids.iter().filter(|id| !args.all && !resumed.contains(id)) {
        out.line(format_args!("job `{id}` was not paused"))?;
    }
    if args.all && resumed.is_empty() {
        out.line("no job was paused")?;
    }
    Ok(exit::OK)
}
