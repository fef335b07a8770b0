//! `sched logs`: what a run printed, byte for byte; or why there is nothing to see. `follow` has `--follow`.

use std::{fs, io};

use jiff::Timestamp;
use scheduler_core::{
    Error, ErrorKind, JobId, JobStore, RunId,
    occurrence::Closing,
    store::{JobView, LedgerEntry, LedgerQuery, LedgerWhat, Which},
    vfs::{Open, RealFs, Vfs as _},
};
use serde_json::json;

use super::Done;
use crate::{args::LogsArgs, context::Context, exit, failure::Failure, output::Output, selection};

pub(crate) async fn run(args: &LogsArgs, context: &Context, out: &mut Output) -> Done {
    let home = context.home()?;
    let store = context.look()?;
    let job = selection::find_or_former(&store, &args.job).await?;
    let views = store.select(Which::Job(job.clone())).await?.jobs;
    let entries = entries(&store, &job, args.run.as_deref()).await?;
    let runs = runs(&views, &job, &entries);
    let run = match &args.run {
        Some(wanted) => named(&runs, &job, wanted)?,
        None => newest(&runs, &job)?,
    };
    let path = home.run_log(&job, &run.id);
    // However long it is: `output_limit` bounds it. In the place of a file there may be what would never end.
    let output = match RealFs.open(&path, Open::Read).and_then(|_| fs::read(&path)) {
        Ok(bytes) => Some(bytes),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => None,
        Err(cause) => return Err(Error::io(format!("cannot read {}", path.display()), cause).into()),
    };
    let shown = output.as_deref().map(|bytes| args.tail.map_or(bytes, |lines| tail(bytes, lines)));
    let nothing = shown.is_none_or(<[u8]>::is_empty).then(|| why_nothing(run));
    if out.wants_json() {
        let text = shown.map(String::from_utf8_lossy);
        out.json(
            json!({ "job": job, "run": run.id, "path": path.display().to_string(), "output": text, "note": nothing }),
        )?;
        return Ok(exit::OK);
    }
    if let Some(why) = nothing {
        out.warn(format_args!("no output of run {}: {why}", run.id), None);
    }
    out.raw(shown.unwrap_or_default())?;
    Ok(exit::OK)
}

/// So far back the newest run is looked for: runs that overlap don't end in the order of their starts.
const RECENT: usize = 1000;

/// As much of the history of `job` as it takes to find the run that is wanted, or the newest.
pub(super) async fn entries(
    store: &impl JobStore,
    job: &JobId,
    wanted: Option<&str>,
) -> Result<Vec<LedgerEntry>, Failure> {
    let of_job = LedgerQuery { job: Some(job.clone()), ..LedgerQuery::default() };
    let found = match wanted {
        Some(wanted) => {
            let run = Some(RunId::new(wanted.trim().to_ascii_lowercase()));
            store.ledger(LedgerQuery { run, last: Some(1), ..of_job.clone() }).await?
        }
        None => store.ledger(LedgerQuery { last: Some(RECENT), ..of_job.clone() }).await?,
    };
    let ran = |entry: &LedgerEntry| matches!(entry.what, LedgerWhat::Occurrence { started_at: Some(_), .. });
    // The beginning of an id, or a job that has been skipped for long: then all of it is looked through.
    let is_enough = match wanted {
        Some(_) => !found.is_empty(),
        None => found.len() < RECENT || found.iter().any(ran),
    };
    if is_enough {
        return Ok(found);
    }
    Ok(store.ledger(of_job).await?)
}

/// A run of the job, over or not.
pub(super) struct Run<'a> {
    pub(super) id: RunId,
    pub(super) started_at: Option<Timestamp>,
    /// Its entry, once it is over.
    pub(super) entry: Option<&'a LedgerEntry>,
}

/// All runs of the job that are known, oldest first.
pub(super) fn runs<'a>(views: &[JobView], job: &JobId, entries: &'a [LedgerEntry]) -> Vec<Run<'a>> {
    let over = entries.iter().filter_map(|entry| match &entry.what {
        LedgerWhat::Occurrence { run, started_at, .. } => {
            Some(Run { id: run.clone(), started_at: *started_at, entry: Some(entry) })
        }
        LedgerWhat::Gap(_) => None,
    });
    let open = views.iter().filter(|view| view.id == *job).flat_map(|view| &view.open);
    let open = open.map(|open| Run { id: open.run.clone(), started_at: open.started_at, entry: None });
    let mut runs: Vec<Run<'a>> = over.chain(open).collect();
    runs.sort_by(|a, b| (a.started_at, &a.id).cmp(&(b.started_at, &b.id)));
    runs
}

fn newest<'r, 'a>(runs: &'r [Run<'a>], job: &JobId) -> Result<&'r Run<'a>, Failure> {
    runs.iter().rfind(|run| run.started_at.is_some()).ok_or_else(|| {
        Failure::new(ErrorKind::NotFound, format!("job `{job}` has not run yet"))
            .hint(format!("`sched next {job}` says when it will"))
    })
}

/// The run whose id begins with `wanted`.
pub(super) fn named<'r, 'a>(runs: &'r [Run<'a>], job: &JobId, wanted: &str) -> Result<&'r Run<'a>, Failure> {
    let wanted = wanted.trim().to_ascii_lowercase();
    let fitting: Vec<&Run<'a>> = runs.iter().filter(|run| run.id.as_str().starts_with(&wanted)).collect();
    match fitting.as_slice() {
        [run] => Ok(run),
        [] => Err(Failure::new(ErrorKind::NotFound, format!("job `{job}` has no run `{wanted}`"))
            .hint(format!("`sched history {job}` shows its runs"))),
        several => {
            let what = format!("{} runs of job `{job}` begin with `{wanted}`", several.len());
            Err(Failure::new(ErrorKind::Ambiguous, what).hint("give more of the run's id"))
        }
    }
}

fn why_nothing(run: &Run<'_>) -> String {
    let Some(entry) = run.entry else {
        return if run.started_at.is_some() {
            "it runs and has printed nothing so far"
        } else {
            "it has not started yet"
        }
        .into();
    };
    why_nothing_of(entry)
}

/// Why a run that is over left no output.
pub(super) fn why_nothing_of(entry: &LedgerEntry) -> String {
    match &entry.what {
        LedgerWhat::Occurrence { end: Closing::Skipped(reason), .. } => format!("it never started: {}", reason.words()),
        LedgerWhat::Occurrence { end: Closing::GaveUp { reason, last }, .. } => {
            format!("it never started: {}; the attempt before it was run {}", reason.words(), last.run)
        }
        LedgerWhat::Occurrence { started_at: None, .. } => "it never started".into(),
        _ => match entry.outcome().and_then(|outcome| outcome.output.as_ref()) {
            Some(output) if output.written > 0 => {
                format!("it printed {}, which were deleted since", scheduler_core::size::format(output.written))
            }
            _ => "it printed nothing".into(),
        },
    }
}

/// The last `lines` lines.
pub(super) fn tail(bytes: &[u8], lines: usize) -> &[u8] {
    let content = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    if lines == 0 {
        return &[];
    }
    let breaks = content.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n');
    let start = breaks.map(|(at, _)| at + 1).nth(lines - 1).unwrap_or(0);
    &bytes[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_whole_lines() {
        let check = |text: &str, lines, expected: &str| assert_eq!(tail(text.as_bytes(), lines), expected.as_bytes());
        check("a\nb\nc\n", 2, "b\nc\n");
        check("a\nb\nc", 2, "b\nc");
        check("a\nb\n", 9, "a\nb\n");
        check("a\n", 0, "");
        check("\n\n", 1, "\n");
        check("", 3, "");
    }
}
