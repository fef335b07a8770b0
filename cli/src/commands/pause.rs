//! `sched pause`: jobs stop firing, for a while or until they are resumed.

use std::collections::BTreeSet;

use scheduler_core::{JobId, JobStore as _};
use serde_json::json;

use super::Done;
use crate::{
    args::PauseArgs,
    context::{self, Context},
    exit,
    failure::Failure,
    output::Output,
    selection, standing, when,
};

pub(crate) async fn run(args: &PauseArgs, context: &Context, out: &mut Output) -> Done {
    let now = context.now();
    let until = match args.length {
        Some(length) => {
            Some(now.checked_add(length).map_err(|_| Failure::usage("--for: that is after the year 9999"))?)
        }
        None => None,
    };
    let store = context.change_existing()?;
    let views = context::jobs(&store).await?;
    let ids = selection::several(&views, &args.jobs, args.all)?;
    let paused: BTreeSet<JobId> = store.pause(ids.clone(), until, args.reason.clone()).await?.into_iter().collect();
    store.close().await?;
    let ids: BTreeSet<JobId> = ids.into_iter().collect();

    if out.wants_json() {
        let until = until.map(|until| until.to_string());
        let unchanged: Vec<&JobId> = ids.difference(&paused).collect();
        out.json(json!({ "paused": paused, "unchanged": unchanged, "until": until, "reason": args.reason }))?;
        return Ok(exit::OK);
    }
    for view in views.iter().filter(|view| ids.contains(&view.id)) {
        let until = match until {
            Some(until) => format!("until {}", when::both(until, &standing::zone_of(view), now)),
            None => format!("until `sched resume {}`", view.id),
        };
        let done = if paused.contains(&view.id) { "paused" } else { "was paused like this already:" };
        out.line(format_args!("job `{}` {done} {until}", view.id))?;
    }
    if ids.is_empty() {
        out.line("there are no jobs to pause")?;
    }
    Ok(exit::OK)
}
