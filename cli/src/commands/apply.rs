//! `sched apply`: the jobs as a file says. What that changes is shown first, and done in one step or not at all.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read as _},
};

use scheduler_core::{
    Error, ErrorKind, JobId, JobStore as _,
    store::{Edit, json::Examined, with_remarks_of},
};
use serde_json::{Value, json};

use super::Done;
use crate::{
    alerts,
    args::ApplyArgs,
    context::{self, Context},
    difference::{self, Change},
    entries, exit,
    failure::Failure,
    home_setup,
    output::{Output, Printed},
    programs,
};

pub(crate) async fn run(args: &ApplyArgs, context: &Context, out: &mut Output) -> Done {
    let Some(wanted) = read(args, context, out)? else { return Ok(exit::ERROR) };
    // To look only: nothing is made, not even a home, before it is known that something is to be done.
    let views = context::jobs(&context.look()?).await?;
    let current = entries::current(context, &views)?;
    let plan = Plan::new(&wanted, &current, args.prune);
    let mut applied = false;
    if !out.wants_json() {
        plan.print(args.dry_run, out)?;
    }
    if !plan.is_empty() && !args.dry_run {
        if !args.yes && out.can_ask() && out.ask("do this? [y/N] ")? != Some('y') {
            out.line("nothing was changed")?;
            return Ok(exit::ERROR);
        }
        let made = home_setup::make(context)?;
        made.store.define(plan.edit(&wanted, &current)).await?;
        made.store.close().await?;
        alerts::close(&made.home, &plan.removed, context.now());
        applied = true;
    }
    if out.wants_json() {
        out.json(plan.to_json(args.dry_run, applied))?;
    } else if applied {
        out.line("done")?;
    }
    Ok(if args.dry_run && !plan.is_empty() { exit::ATTENTION } else { exit::OK })
}

/// The jobs of the file by id, or `None` if it has told what is wrong with it.
fn read(args: &ApplyArgs, context: &Context, out: &mut Output) -> Result<Option<BTreeMap<JobId, Value>>, Failure> {
    let is_stdin = args.file.as_os_str() == "-";
    let mut bytes = Vec::new();
    let read = if is_stdin {
        io::stdin().read_to_end(&mut bytes).map(drop)
    } else {
        fs::read(&args.file).map(|content| bytes = content)
    };
    let name = if is_stdin { "stdin".into() } else { args.file.clone() };
    read.map_err(|cause| Error::io(format!("cannot read {}", name.display()), cause))?;
    let Examined { problems, jobs, .. } = entries::examine_file(context, &name, &bytes);
    let (remarks, wrong): (Vec<_>, Vec<_>) = problems.into_iter().partition(|problem| problem.remark);
    for remark in &remarks {
        out.warn(&remark.what, Some(&remark.hint));
    }
    if wrong.is_empty() {
        for examined in &jobs {
            for (field, what) in programs::obstacles(&examined.job) {
                let (place, id) = (examined.place_of(field), &examined.job.id);
                out.warn(format_args!("{}: {place}: job `{id}`: {what}", name.display()), None);
            }
        }
        return Ok(Some(jobs.into_iter().map(|one| (one.job.id.clone(), one.definition().clone())).collect()));
    }
    if out.wants_json() {
        out.json(json!({ "applied": false, "problems": wrong }))?;
        return Ok(None);
    }
    for problem in &wrong {
        out.fail(&Failure::new(ErrorKind::Invalid, &problem.what).hint(&problem.hint));
    }
    out.line("nothing was changed")?;
    Ok(None)
}

/// What is to be done.
pub(super) struct Plan {
    added: Vec<(JobId, String)>,
    changed: Vec<(JobId, Vec<Change>)>,
    removed: Vec<JobId>,
    unchanged: usize,
    /// Not in the file, and not to be removed.
    left_alone: Vec<JobId>,
}

impl Plan {
    pub(super) fn new(wanted: &BTreeMap<JobId, Value>, current: &BTreeMap<JobId, Value>, prune: bool) -> Self {
        let others = current.keys().filter(|id| !wanted.contains_key(*id)).cloned().collect();
        let (removed, left_alone) = if prune { (others, Vec::new()) } else { (Vec::new(), others) };
        let mut plan = Self { added: Vec::new(), changed: Vec::new(), removed, unchanged: 0, left_alone };
        for (id, entry) in wanted {
            let Some(old) = current.get(id) else {
                let schedule = entry.get("schedule").and_then(Value::as_str).unwrap_or_default();
                plan.added.push((id.clone(), schedule.to_owned()));
                continue;
            };
            match difference::between(old, &with_remarks_of(Some(old), entry)) {
                none if none.is_empty() => plan.unchanged += 1,
                changes => plan.changed.push((id.clone(), changes)),
            }
        }
        plan
    }

    pub(super) fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }

    pub(super) fn removed(&self) -> &[JobId] {
        &self.removed
    }

    /// The edit that does it, if everything still is as it was shown.
    fn edit(&self, wanted: &BTreeMap<JobId, Value>, current: &BTreeMap<JobId, Value>) -> Edit {
        let puts = self.added.iter().map(|(id, _)| id).chain(self.changed.iter().map(|(id, _)| id));
        let put = puts.filter_map(|id| wanted.get(id).cloned()).collect();
        let seen = wanted.keys().chain(&self.removed).map(|id| (id.clone(), current.get(id).cloned()));
        Edit::Apply { put, remove: self.removed.clone(), seen: seen.collect() }
    }

    pub(super) fn print(&self, dry_run: bool, out: &mut Output) -> Printed {
        for (id, schedule) in &self.added {
            out.line(format_args!("add `{id}`: {schedule}"))?;
        }
        for (id, changes) in &self.changed {
            out.line(format_args!("change `{id}`"))?;
            changes.iter().try_for_each(|change| out.line(format_args!("  {}", change.line())))?;
        }
        for id in &self.removed {
            out.line(format_args!("remove `{id}`"))?;
        }
        let (added, changed, removed) = (self.added.len(), self.changed.len(), self.removed.len());
        let left = match self.left_alone.len() {
            0 => String::new(),
            count => format!("; {count} not in the file, left alone (`--prune` removes them)"),
        };
        let counts =
            format!("{added} to add, {changed} to change, {removed} to remove, {} as they are", self.unchanged);
        let dry = if dry_run { "; nothing was changed" } else { "" };
        out.line(format_args!("{counts}{left}{dry}"))
    }

    pub(super) fn to_json(&self, dry_run: bool, applied: bool) -> Value {
        let changed = |(id, changes): &(JobId, Vec<Change>)| json!({ "id": id, "changes": changes.iter().map(Change::to_json).collect::<Vec<_>>() });
        json!({
            "dry_run": dry_run,
            "applied": applied,
            "added": self.added.iter().map(|(id, schedule)| json!({"id": id, "schedule": schedule})).collect::<Vec<_>>(),
            "changed": self.changed.iter().map(changed).collect::<Vec<_>>(),
            "removed": self.removed,
            "unchanged": self.unchanged,
            "left_alone": self.left_alone,
        })
    }
}
