//! Which output files are kept: the newest of each job, and all together within a bound.
//!
//! Runs after a run that left output, on a thread that may block. Never removes a file that is still written to, or that
//! a run of this process is open for; never anything that isn't an output file.
#![expect(
    clippy::disallowed_methods,
    reason = "output is expendable: a file that stays or goes too early costs no fire"
)]

use std::{
    ffi::OsStr,
    fs::{self, DirEntry, Metadata},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use parking_lot::Mutex;

use crate::output::{Logs, is_held, without_waiting};

/// All files are looked at this rarely, or when this part of the bound was written since.
const RUNS_BETWEEN: u32 = 100;
const BYTES_BETWEEN: u64 = 16;

/// A shortened file that was never finished: its maker has died.
const ABANDONED: Duration = Duration::from_hours(1);

pub(crate) struct Pruner {
    logs: Arc<Logs>,
    keep_per_job: usize,
    max_bytes: u64,
    since: Mutex<Since>,
}

/// What happened since all files were looked at.
struct Since {
    runs: u32,
    bytes: u64,
}

impl Pruner {
    pub(crate) fn new(logs: Arc<Logs>, keep_per_job: usize, max_bytes: u64) -> Self {
        // The first run looks: nobody knows what happened before.
        let since = Mutex::new(Since { runs: RUNS_BETWEEN, bytes: 0 });
        Self { logs, keep_per_job, max_bytes, since }
    }

    /// To be called when a run has left `bytes` of output in `path`.
    pub(crate) fn after(&self, path: &Path, bytes: u64) {
        if let Some(folder) = path.parent() {
            self.prune_job(folder);
        }
        if self.is_time_for_all(bytes) {
            self.prune_all();
        }
    }

    fn is_time_for_all(&self, bytes: u64) -> bool {
        let mut since = self.since.lock();
        since.runs += 1;
        since.bytes = since.bytes.saturating_add(bytes);
        let due = since.runs > RUNS_BETWEEN || since.bytes > self.max_bytes / BYTES_BETWEEN;
        if due {
            *since = Since { runs: 0, bytes: 0 };
        }
        due
    }

    /// Run ids sort by time, and with them the names of the files.
    fn prune_job(&self, folder: &Path) {
        let mut logs = Vec::new();
        for path in entries(folder).map(|entry| entry.path()) {
            match path.extension().and_then(OsStr::to_str) {
                Some("log") => logs.push(path),
                Some("tmp") if is_abandoned(&path) => _ = remove(&path),
                _ => {}
            }
        }
        logs.sort_unstable_by(|a, b| b.cmp(a));
        for path in logs.iter().skip(self.keep_per_job) {
            self.remove_if_closed(path);
        }
    }

    fn prune_all(&self) {
        let folders = entries(&self.logs.dir).filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let mut logs: Vec<_> =
            folders.flat_map(|folder| entries(&folder.path())).filter_map(|entry| log_with_facts(&entry)).collect();
        // By when they were last written to: a long run's output is as young as its end.
        logs.sort_unstable_by_key(|(_, facts)| (facts.mtime(), facts.mtime_nsec()));
        let mut room: u64 = logs.iter().map(|(_, facts)| on_disk(facts)).sum();
        for (path, facts) in &logs {
            if room <= self.max_bytes {
                break;
            }
            if self.remove_if_closed(path) {
                room -= on_disk(facts);
            }
        }
    }

    /// Whether the file is gone. One that can't be removed keeps none of the others.
    fn remove_if_closed(&self, path: &Path) -> bool {
        if self.logs.is_open(path) {
            return false;
        }
        match without_waiting(path) {
            Ok(file) if is_held(&file) => false,
            Ok(_) => remove(path),
            // Another process prunes too.
            Err(error) if error.kind() == io::ErrorKind::NotFound => true,
            Err(error) => complain(path, &error),
        }
    }
}

/// What is in `folder`; nothing, with a warning, if that can't be read.
fn entries(folder: &Path) -> impl Iterator<Item = DirEntry> + use<> {
    fs::read_dir(folder).inspect_err(|error| _ = complain(folder, error)).into_iter().flatten().flatten()
}

fn complain(path: &Path, error: &io::Error) -> bool {
    tracing::warn!(path = %path.display(), %error, "old output can't be removed");
    false
}

fn log_with_facts(entry: &DirEntry) -> Option<(PathBuf, Metadata)> {
    let path = entry.path();
    (path.extension() == Some(OsStr::new("log"))).then(|| Some((path, entry.metadata().ok()?))).flatten()
}

/// The size says nothing: a file that was bounded has a hole.
fn on_disk(facts: &Metadata) -> u64 {
    facts.blocks() * 512
}

fn is_abandoned(path: &Path) -> bool {
    let written = fs::metadata(path).and_then(|facts| facts.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    written.elapsed().is_ok_and(|age| age > ABANDONED)
}

fn remove(path: &Path) -> bool {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => complain(path, &error),
        _ => true,
    }
}
