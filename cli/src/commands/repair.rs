//! `sched repair`: a damaged home made whole again, with all that can be read of it. What is found is shown before anything
//! is done.

use sched_runner::CommandRunner;
use scheduler_core::{
    JobRunner as _,
    store::json::{Kept, Repair, Repaired},
};
use serde_json::{Value, json};

use super::Done;
use crate::{
    args::RepairArgs,
    context::{Context, no_home},
    daemon::{lock, machinery},
    exit,
    failure::Failure,
    output::{Output, Printed},
};

pub(crate) fn run(args: &RepairArgs, context: &Context, out: &mut Output) -> Done {
    let home = context.home()?;
    if !home.path().exists() {
        return Err(no_home(&home));
    }
    let _no_daemon = lock::hold(&home).map_err(|busy| Failure { hints: vec![STOP_IT.into()], ..busy })?;
    let Some(repair) = context.repair()? else {
        if out.wants_json() {
            out.json(json!({ "dry_run": args.dry_run, "repaired": false, "damages": [] }))?;
        } else {
            out.line("nothing to repair")?;
        }
        return Ok(exit::OK);
    };
    let (damages, kept) = (damages_json(&repair), repair.kept());
    if !out.wants_json() {
        print(&repair, &kept, out)?;
    }
    if args.dry_run {
        if out.wants_json() {
            let kept = kept_json(&kept);
            out.json(json!({ "dry_run": true, "repaired": false, "damages": damages, "kept": kept }))?;
        } else {
            out.line("nothing was changed")?;
        }
        return Ok(exit::ATTENTION);
    }
    if !args.yes && out.can_ask() && out.ask("do this? [y/N] ")? != Some('y') {
        out.line("nothing was changed")?;
        return Ok(exit::ERROR);
    }
    let runner: CommandRunner = machinery::runner(&home, &context.config().config);
    let done = repair.carry_out(machinery::boot_key().as_deref(), &|orphan| runner.find_orphan(orphan))?;
    // That it can be read now is shown by reading it.
    context.look()?;
    if out.wants_json() {
        let Repaired { unknown, orphaned, skipped, aside, .. } = &done;
        out.json(json!({
            "dry_run": false,
            "repaired": true,
            "damages": damages,
            "kept": kept_json(&done.kept),
            "unknown": unknown,
            "orphaned": orphaned,
            "skipped": skipped,
            "aside": aside,
        }))?;
    } else {
        report(&done, out)?;
    }
    Ok(exit::OK)
}

const STOP_IT: &str = "stop it first: a home is repaired while nobody is at work in it";

/// What is the matter, what can be kept, and what is to be done about the rest.
fn print(repair: &Repair, kept: &Kept, out: &mut Output) -> Printed {
    repair.damages().iter().try_for_each(|damage| out.line(damage))?;
    out.line(format_args!("can be read: {}", readable(kept)))?;
    if kept.frames_lost > 0 {
        out.line(format_args!("is lost: {}", plural(kept.frames_lost, "frame")))?;
    }
    out.line("what is lost may have said that something ran, so no instant up to now fires any more")?;
    if kept.open > 0 {
        out.line(format_args!(
            "{} ends: skipped if it waits, as unknown if it was started, unless its process lives",
            plural(kept.open as u64, "open run")
        ))?;
    }
    for job in &kept.held {
        out.line(format_args!("job `{job}` is paused: nothing proves that it is right"))?;
    }
    Ok(())
}

fn report(done: &Repaired, out: &mut Output) -> Printed {
    let Repaired { kept, unknown, orphaned, skipped, aside } = done;
    out.line(format_args!("repaired: {}; lost: {}", readable(kept), plural(kept.frames_lost, "frame")))?;
    let ends = [(*unknown, "ended as unknown"), (*orphaned, "goes on"), (*skipped, "skipped")];
    for (count, what) in ends.into_iter().filter(|(count, _)| *count > 0) {
        out.line(format_args!("{} {what}", plural(count, "run")))?;
    }
    out.line(format_args!("the damaged files are in {}", aside.display()))?;
    for job in &kept.held {
        out.line(format_args!("look at job `{job}` (`sched show {job}`), then `sched resume {job}`"))?;
    }
    Ok(())
}

fn plural(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn readable(kept: &Kept) -> String {
    let entries = match kept.entries {
        1 => "1 entry of the history".to_owned(),
        entries => format!("{entries} entries of the history"),
    };
    format!("{}, {entries}", plural(kept.jobs as u64, "job"))
}

fn damages_json(repair: &Repair) -> Vec<Value> {
    let damages = repair.damages().iter();
    damages.map(|damage| json!({ "file": damage.path, "at": damage.at, "what": damage.what })).collect()
}

fn kept_json(kept: &Kept) -> Value {
    json!({
        "jobs": kept.jobs,
        "paused": kept.held,
        "entries": kept.entries,
        "open": kept.open,
        "frames_lost": kept.frames_lost,
    })
}
