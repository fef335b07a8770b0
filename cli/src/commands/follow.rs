//! `sched logs --follow`: what runs print, as they print it.
//!
//! A run's file is read through the descriptor it was first opened with: when the output was bounded, the file is replaced at
//! the end of the run, and a reader that opened it anew would repeat or lose something. The record that a run is over is
//! written after its last byte, so it is looked for before reading on; what is read then is all there is.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use rustix::{
    event::{PollFd, PollFlags, poll},
    fs::SeekFrom,
    io::Errno,
};
use scheduler_core::{
    Error, Home, JobId, JobStore as _, RunId, size,
    store::{JobView, JsonStore, LedgerEntry, Which},
    vfs::{Open, RealFs, Vfs as _},
};
use tokio::{sync::watch, time::timeout};

use super::{Done, logs};
use crate::{args::LogsArgs, context::Context, exit, failure::Failure, output::Output, past, selection};

/// How often a file that is being written is looked at.
const TURN: Duration = Duration::from_millis(200);

/// How many turns go by between looks at the store that nothing gave cause for: a notice can be lost.
const PATIENCE: u32 = 5;

pub(crate) async fn run(args: &LogsArgs, context: &Context, out: &mut Output) -> Done {
    let store = context.look()?;
    let job = selection::find_or_former(&store, &args.job).await?;
    let mut watch = Watch { changes: store.subscribe(), home: context.home()?, store, job, turns: 0 };
    let known = watch.look(args.run.as_deref()).await?;
    let mut next = first(args, &known, &watch.job)?;
    let mut shown = None;
    let mut tail = args.tail;
    loop {
        if let Some((key, is_open)) = next {
            if shown.is_some() || (args.run.is_none() && is_open) {
                out.aside(format_args!("run {} of job `{}`", key.1, watch.job));
            }
            one(&mut watch, &key.1, tail.take(), context, out).await?;
            if args.run.is_some() {
                return Ok(exit::OK);
            }
            shown = Some(key);
        }
        next = loop {
            let known = watch.look(None).await?;
            let runs = logs::runs(&known.views, &watch.job, &known.entries);
            let later = |run: &&logs::Run<'_>| run.started_at.is_some() && Some(key(run)) > shown;
            if let Some(run) = runs.iter().find(later) {
                break Some((key(run), run.entry.is_none()));
            }
            if !known.views.iter().any(|view| view.id == watch.job) {
                out.aside(format_args!("job `{}` has been removed; no more of its runs will come", watch.job));
                return Ok(exit::OK);
            }
            if is_gone(&io::stdout()) {
                return Ok(exit::OK);
            }
            watch.wait().await;
        };
    }
}

/// What runs are ordered by: when they started.
type Key = (Option<Timestamp>, RunId);

fn key(run: &logs::Run<'_>) -> Key {
    (run.started_at, run.id.clone())
}

/// The run to begin with: the one that was named, the newest open one, or the newest. A job that has not run yet has none.
fn first(args: &LogsArgs, known: &Known, job: &JobId) -> Result<Option<(Key, bool)>, Failure> {
    let runs = logs::runs(&known.views, job, &known.entries);
    let run = match &args.run {
        Some(wanted) => Some(logs::named(&runs, job, wanted)?),
        None => {
            let started = || runs.iter().filter(|run| run.started_at.is_some());
            started().rfind(|run| run.entry.is_none()).or_else(|| started().next_back())
        }
    };
    Ok(run.map(|run| (key(run), run.entry.is_none())))
}

/// Prints what one run prints, until it is over, and then how it ended.
async fn one(
    watch: &mut Watch,
    run: &RunId,
    mut tail: Option<usize>,
    context: &Context,
    out: &mut Output,
) -> Result<(), Failure> {
    let mut reader = Reader::new(watch.home.run_log(&watch.job, run));
    let mut nothing = true;
    loop {
        // Whether it is over comes before its output, or the last of it might be missed.
        let end = watch.end_of(run).await?;
        if let Some(lines) = tail.take() {
            let bytes = reader.rest(out)?;
            nothing &= bytes.is_empty();
            out.raw(logs::tail(&bytes, lines))?;
        }
        while let Some(bytes) = reader.more(out)? {
            nothing = false;
            out.raw(&bytes)?;
        }
        out.flush()?;
        match end {
            End::Open => {}
            End::Over(entry) => {
                if nothing {
                    out.aside(format_args!("no output of run {run}: {}", logs::why_nothing_of(&entry)));
                }
                let word = past::last_cell(&entry, context.now()).text;
                out.aside(format_args!("run {run} of job `{}`: {word}", watch.job));
                return Ok(());
            }
            End::Forgotten => {
                out.aside(format_args!("run {run} of job `{}` is no longer known", watch.job));
                return Ok(());
            }
        }
        if is_gone(&io::stdout()) {
            return Err(Failure::printing(io::ErrorKind::BrokenPipe.into()));
        }
        watch.wait().await;
    }
}

/// Whether nobody reads what is written there any more (`sched logs -f | head -1`).
fn is_gone(stdout: &io::Stdout) -> bool {
    let mut fds = [PollFd::new(stdout, PollFlags::empty())];
    poll(&mut fds, Some(&rustix::time::Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|count| count > 0)
        && fds[0].revents().intersects(PollFlags::ERR)
}

/// The store, looked at when something may have changed.
struct Watch {
    store: JsonStore,
    home: Home,
    job: JobId,
    changes: watch::Receiver<u64>,
    turns: u32,
}

/// What is known of the job's runs.
struct Known {
    views: Vec<JobView>,
    entries: Vec<LedgerEntry>,
}

/// How a run stands.
enum End {
    Open,
    Over(Box<LedgerEntry>),
    /// Neither open nor in the history: somebody pruned that, or restored another.
    Forgotten,
}

impl Watch {
    /// The runs, as far as it takes to find the one that is wanted, or the newest.
    async fn look(&mut self, wanted: Option<&str>) -> Result<Known, Failure> {
        self.changes.mark_unchanged();
        self.turns = 0;
        let views = self.store.select(Which::Job(self.job.clone())).await?.jobs;
        let entries = logs::entries(&self.store, &self.job, wanted).await?;
        Ok(Known { views, entries })
    }

    /// How the run stands; open, while nothing gives cause to look.
    async fn end_of(&mut self, run: &RunId) -> Result<End, Failure> {
        self.turns += 1;
        if !self.changes.has_changed().unwrap_or(true) && self.turns < PATIENCE {
            return Ok(End::Open);
        }
        let known = self.look(Some(run.as_str())).await?;
        if known.views.iter().flat_map(|view| &view.open).any(|open| open.run == *run) {
            return Ok(End::Open);
        }
        let entry = known.entries.into_iter().rev().find(|entry| entry.run() == Some(run));
        Ok(entry.map_or(End::Forgotten, |entry| End::Over(Box::new(entry))))
    }

    /// Until somebody changed something, or for a turn.
    async fn wait(&mut self) {
        let _ = timeout(TURN, self.changes.changed()).await;
    }
}

/// Reads a file that is written meanwhile: only what is new, holes left out.
struct Reader {
    path: PathBuf,
    file: Option<File>,
    at: u64,
}

impl Reader {
    fn new(path: PathBuf) -> Self {
        Self { path, file: None, at: 0 }
    }

    /// All that is there now.
    fn rest(&mut self, out: &mut Output) -> Result<Vec<u8>, Failure> {
        let mut all = Vec::new();
        while let Some(bytes) = self.more(out)? {
            all.extend(bytes);
        }
        Ok(all)
    }

    /// The next piece, if there is one now.
    fn more(&mut self, out: &mut Output) -> Result<Option<Vec<u8>>, Failure> {
        let failed = |path: &Path, cause| Failure::from(Error::io(format!("cannot read {}", path.display()), cause));
        if self.file.is_none() {
            self.file = match RealFs.open(&self.path, Open::Read).and_then(|_| File::open(&self.path)) {
                Ok(file) => Some(file),
                Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(cause) => return Err(failed(&self.path, cause)),
            };
        }
        let Some(file) = &self.file else { return Ok(None) };
        match piece(file, &mut self.at) {
            Ok(Piece { bytes, skipped }) => {
                match skipped {
                    Skipped::Nothing => {}
                    Skipped::Hole(bytes) => out.aside(format_args!(
                        "{} left out here: the output of this run is bounded (output_limit)",
                        size::format(bytes)
                    )),
                    Skipped::Back => out.aside("the job has truncated its output"),
                }
                Ok((!bytes.is_empty()).then_some(bytes))
            }
            Err(cause) => Err(failed(&self.path, cause)),
        }
    }
}

/// What was read.
#[derive(Debug, PartialEq)]
struct Piece {
    bytes: Vec<u8>,
    skipped: Skipped,
}

/// What lay between it and the piece before.
#[derive(Debug, PartialEq)]
enum Skipped {
    Nothing,
    /// So many bytes that are no longer there.
    Hole(u64),
    /// The file has been cut and begins anew.
    Back,
}

/// Reads from `at` on, up to a hole at most, and moves `at` behind what was read.
fn piece(file: &File, at: &mut u64) -> io::Result<Piece> {
    const MOST: u64 = 256 * 1024;
    let size = file.metadata()?.len();
    let mut skipped = Skipped::Nothing;
    if size < *at {
        skipped = Skipped::Back;
        *at = 0;
    }
    // A file system that knows no holes answers an error or where we are; both mean that there are none.
    match rustix::fs::seek(file, SeekFrom::Data(*at)) {
        Err(Errno::NXIO) => return Ok(Piece { bytes: Vec::new(), skipped }),
        Ok(data) if data > *at => {
            skipped = Skipped::Hole(data - *at);
            *at = data;
        }
        _ => {}
    }
    let end = rustix::fs::seek(file, SeekFrom::Hole(*at)).unwrap_or(size).min(size);
    let mut bytes = vec![0; end.saturating_sub(*at).min(MOST) as usize];
    let read = file.read_at(&mut bytes, *at)?;
    bytes.truncate(read);
    *at += read as u64;
    Ok(Piece { bytes, skipped })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use rustix::fs::{FallocateFlags, fallocate};

    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "what is read here is cut as a job cuts its own output")]
    fn only_what_is_new_is_read_and_holes_are_left_out() {
        let mut file = tempfile::tempfile().unwrap();
        let mut at = 0;
        let mut check = |file: &File, bytes: &[u8], skipped| {
            assert_eq!(piece(file, &mut at).unwrap(), Piece { bytes: bytes.to_vec(), skipped });
        };
        check(&file, b"", Skipped::Nothing);
        file.write_all(b"one").unwrap();
        check(&file, b"one", Skipped::Nothing);
        check(&file, b"", Skipped::Nothing);
        file.write_all(&vec![b'x'; 64 * 1024 - 3]).unwrap();
        file.write_all(b"end").unwrap();
        let punched = fallocate(&file, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, 0, 64 * 1024);
        if punched.is_ok() && rustix::fs::seek(&file, SeekFrom::Data(3)) == Ok(64 * 1024) {
            check(&file, b"end", Skipped::Hole(64 * 1024 - 3));
        }
        file.set_len(0).unwrap();
        file.write_at(b"again", 0).unwrap();
        check(&file, b"again", Skipped::Back);
    }
}
