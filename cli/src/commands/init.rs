//! `sched init`: makes the home and says what to do next. Never overwrites; run again, it does nothing.

use scheduler_core::{JobStore as _, store::Edit};
use serde_json::json;

use super::Done;
use crate::{
    args::InitArgs,
    context::{self, Context},
    example, exit, home_setup,
    output::Output,
};

pub(crate) async fn run(args: &InitArgs, context: &Context, out: &mut Output) -> Done {
    let made = home_setup::make(context)?;
    let before = context::jobs(&made.store).await?;
    let wants_examples = args.example && before.is_empty();
    let added = if wants_examples { made.store.define(Edit::Add(example::jobs())).await? } else { Vec::new() };
    made.store.close().await?;

    let home = made.home.path().display();
    let ids: Vec<&str> = added.iter().map(|view| view.id.as_str()).collect();
    if out.wants_json() {
        let jobs = before.len() + added.len();
        out.json(json!({ "home": home.to_string(), "created": made.created, "added": ids, "jobs": jobs }))?;
        return Ok(exit::OK);
    }
    if made.created.is_empty() && added.is_empty() {
        out.line(format_args!("{home} is there already; nothing was changed"))?;
    }
    for created in &made.created {
        out.line(format_args!("made {created}"))?;
    }
    for view in &added {
        let description = view.job.as_ref().ok().and_then(|job| job.description.clone()).unwrap_or_default();
        out.line(format_args!("added job `{}`: {description}", view.id))?;
    }
    if args.example && !wants_examples {
        out.line("it has jobs already, so no examples were added")?;
    }
    out.line("")?;
    out.line("next:")?;
    if before.is_empty() && added.is_empty() {
        out.line("  sched add \"30 2 * * *\" --name backup -- /path/to/backup   adds a job")?;
    } else {
        out.line("  sched list       shows the jobs")?;
    }
    out.line("  sched validate   checks the files")?;
    out.line("  sched run        runs the daemon")?;
    Ok(exit::OK)
}
