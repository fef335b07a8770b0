//! How much of the history is kept: whole days, oldest first to go, but of every job its last runs.

use std::{collections::HashMap, ops::ControlFlow};

use jiff::{Timestamp, ToSpan as _, civil::Date};

use super::{
    ledger_files::{self, LedgerFile, day_of},
    manifest::Manifest,
};
use crate::{
    Error, Home, Result,
    vfs::{Vfs, atomic_write},
};

/// Bounds on the history that compaction keeps. What is in the journal is kept besides.
///
/// ```
/// use scheduler_core::store::json::Retention;
/// assert_eq!(Retention::default(), Retention { keep_days: 30, max_bytes: 256 << 20 });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Whole days, today not counted.
    pub keep_days: u32,
    /// All files of the history together, in bytes.
    pub max_bytes: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Self { keep_days: 30, max_bytes: 256 << 20 }
    }
}

/// So many runs of every job are kept, however old.
const RUNS_KEPT: usize = 20;

/// The first day that is kept whole from now on, as `retention` asks for it.
pub(super) fn kept_from(
    fs: &dyn Vfs,
    home: &Home,
    manifest: &Manifest,
    retention: Retention,
    now: Timestamp,
) -> Result<Option<Date>> {
    let files = ledger_files::list(fs, home, manifest.compacted)?;
    let Some(kept_from) = first_kept(fs, home, &files, retention, now) else { return Ok(manifest.kept_from) };
    // A day to come was written by a clock that has been taken back since.
    let tomorrow = day_of(now).tomorrow().unwrap_or(Date::MAX);
    // What is left of the days before has been looked through already.
    let is_old_news = manifest.kept_from.is_some_and(|before| (kept_from..=tomorrow).contains(&before));
    Ok(if is_old_news { manifest.kept_from } else { Some(kept_from) })
}

/// Prunes what was written before `kept_from`.
///
/// A file goes whole, but for runs that are among the last of their job: these stay in it.
pub(super) fn prune(fs: &dyn Vfs, home: &Home, compacted: Option<u64>, kept_from: Date) -> Result<()> {
    let mut runs = Runs::default();
    for file in ledger_files::list(fs, home, compacted)?.iter().rev() {
        if file.day >= kept_from {
            let _ = file.last_first(fs, home, |line| {
                runs.count(line);
                ControlFlow::Continue(())
            })?;
        } else {
            thin_out(fs, home, file, &mut runs)?;
        }
    }
    Ok(())
}

/// The first day that fits, if some don't.
fn first_kept(fs: &dyn Vfs, home: &Home, files: &[LedgerFile], retention: Retention, now: Timestamp) -> Option<Date> {
    let oldest = day_of(now).checked_sub(i64::from(retention.keep_days).days()).unwrap_or(Date::MIN);
    let mut bytes: HashMap<Date, u64> = HashMap::new();
    for file in files {
        *bytes.entry(file.day).or_default() += fs.stat(&file.path(home)).map_or(0, |stat| stat.len);
    }
    let mut days: Vec<(Date, u64)> = bytes.into_iter().collect();
    days.sort_unstable();
    let mut total: u64 = days.iter().map(|(_, bytes)| bytes).sum();
    let mut kept_from = (days.first()?.0 < oldest).then_some(oldest);
    if total > retention.max_bytes {
        // A little more than must be, so that this isn't to be done again at once.
        let enough = retention.max_bytes / 4 * 3;
        for (day, bytes) in &days {
            if total <= enough {
                break;
            }
            total -= bytes;
            kept_from = kept_from.max(day.tomorrow().ok());
        }
    }
    kept_from
}

/// Leaves in `file` the runs that are among the last of their job.
fn thin_out(fs: &dyn Vfs, home: &Home, file: &LedgerFile, runs: &mut Runs) -> Result<()> {
    let mut kept: Vec<Vec<u8>> = Vec::new();
    let mut lines = 0;
    let _ = file.last_first(fs, home, |line| {
        lines += 1;
        if runs.count(line) {
            kept.push(line.to_vec());
        }
        ControlFlow::Continue(())
    })?;
    if kept.len() == lines {
        return Ok(());
    }
    let path = file.path(home);
    let failed = |error| Error::io(format!("cannot prune {}", path.display()), error);
    if kept.is_empty() {
        return fs.remove(&path).map_err(failed);
    }
    kept.reverse();
    let mut bytes = kept.join(&b'\n');
    bytes.push(b'\n');
    atomic_write(fs, &path, &bytes, None).map(|_| ()).map_err(failed)
}

/// The runs of each job that were met, newest first.
#[derive(Default)]
struct Runs(HashMap<Box<[u8]>, usize>);

impl Runs {
    /// Whether `line` is one of the last runs of its job; counts it if so.
    fn count(&mut self, line: &[u8]) -> bool {
        let Some(job) = job_of_run(line) else { return false };
        match self.0.get_mut(job) {
            Some(count) if *count == RUNS_KEPT => false,
            Some(count) => {
                *count += 1;
                true
            }
            None => {
                self.0.insert(job.into(), 1);
                true
            }
        }
    }
}

/// The job of an entry that is a run, told by its text: `{"job":"ID",...,"end":{"ran":...`.
fn job_of_run(line: &[u8]) -> Option<&[u8]> {
    let text = line.strip_prefix(b"{\"job\":\"")?;
    let job = text.split(|byte| *byte == b'"').next()?;
    let is_run = std::str::from_utf8(text).is_ok_and(|text| text.contains("\"end\":{\"ran\":"));
    is_run.then_some(job)
}
