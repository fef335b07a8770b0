//! `sched cancel JOB|RUN`: stops what is queued or runs.

use scheduler_core::{ErrorKind, JobStore as _, RunId, occurrence::Occurrence, store::Cancelled};
use serde_json::json;

use crate::{
    args::CancelArgs,
    context::{self, Context},
    daemon::lock,
    exit,
    failure::Failure,
    output::Output,
    runtime, selection,
};

pub(crate) fn run(args: &CancelArgs, context: &Context, out: &mut Output) -> Result<u8, Failure> {
    runtime::block_on(cancel(args, context, out))
}

async fn cancel(args: &CancelArgs, context: &Context, out: &mut Output) -> Result<u8, Failure> {
    let home = context.home()?;
    let store = context.change_existing()?;
    let views = context::jobs(&store).await?;
    let open: Vec<&Occurrence> = views.iter().flat_map(|view| &view.open).collect();
    let by_run: Vec<&&Occurrence> = open.iter().filter(|o| o.run.as_str().starts_with(&args.target)).collect();
    let wanted: Vec<RunId> = match by_run.as_slice() {
        [one] => vec![one.run.clone()],
        // The id of a job may begin like that of a run; a job that is there is meant.
        _ => {
            let job = selection::one(&views, &args.target)?;
            job.open.iter().map(|occurrence| occurrence.run.clone()).collect()
        }
    };
    if wanted.is_empty() {
        return Err(Failure::new(ErrorKind::NotFound, format!("job `{}` has no open runs", args.target))
            .hint("see `sched history`"));
    }
    let mut answers = Vec::new();
    for run in wanted {
        let state = match store.cancel(run.clone()).await? {
            Cancelled::Closed => "cancelled",
            Cancelled::Requested => "stopping",
        };
        answers.push((run, state));
    }
    let asked = answers.iter().any(|(_, state)| *state == "stopping");
    if out.wants_json() {
        let runs: Vec<_> = answers.iter().map(|(run, state)| json!({"run": run, "state": state})).collect();
        out.json(json!({"runs": runs}))?;
    } else {
        for (run, state) in &answers {
            match *state {
                "stopping" => out.line(format_args!("run {run} is told to stop: SIGTERM, and SIGKILL 10 s later"))?,
                _ => out.line(format_args!("run {run} is cancelled; it had not started"))?,
            }
        }
    }
    if asked && !lock::look(&home).held {
        out.warn(
            "no daemon runs: a run whose owner is dead is stopped by the next tick",
            Some("`sched tick`, or `sched run`"),
        );
    }
    Ok(exit::OK)
}
