//! `sched watchdog`: looks from outside whether all is well, tells who should know, and starts a daemon that crashed.
//!
//! | file | job |
//! |---|---|
//! | `own` | looks at this home: its scheduler, its files, its jobs |
//! | `scripts` | what of a job can be looked through before it is due. Reads only |
//! | `rows` | what was seen, as rows. Pure |
//! | `tell` | the rows that are problems, as alerts |
//! | `restart` | whether a daemon is started, and how |
//! | `show` | the table and the JSON |
//!
//! **Invariant:** no look is waited for without a bound, and one that fails is a row. Looks at files run on a thread that may
//! be left behind, programs in groups that are killed.

mod own;
mod restart;
mod rows;
mod scripts;
mod show;
mod tell;

use std::{sync::Arc, thread, time::Duration};

use scheduler_core::{
    Clock, Error, Home,
    config::{Config, Watchdog},
    liveness::WatchdogBeat,
    vfs::{Bounded, Lock, Open, RealFs, Vfs, VfsFile},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};

use self::{
    rows::Line,
    tell::{Findings, Teller},
};
use super::Done;
use crate::{
    args::WatchdogArgs,
    context::{Context, no_home},
    exit,
    failure::Failure,
    output::Output,
    runtime,
};

/// How long a call to the disk of the home may take, but for the look at it.
const DISK: Duration = Duration::from_secs(5);

pub(crate) fn run(args: &WatchdogArgs, context: &Context, out: &mut Output) -> Done {
    let runtime = runtime::runtime(false)?;
    let done = runtime.block_on(course(args, context, out));
    // A thread that looks at a dead mount must not keep this process.
    runtime.shutdown_background();
    done
}

async fn course(args: &WatchdogArgs, context: &Context, out: &mut Output) -> Done {
    let home = context.home()?;
    let path = home.path().to_owned();
    // Of one that doesn't answer more is said below.
    if in_time(move || path.is_dir()).await == Some(false) {
        return Err(no_home(&home));
    }
    let clock = Arc::clone(context.clock());
    let [disk, beats] = [(), ()].map(|()| Bounded::new(Arc::new(RealFs), DISK));
    let teller = Teller::new(disk.clone());
    let starter = restart::Starter::default();
    let mut watch = Watch {
        home,
        clock,
        args,
        disk,
        beats,
        config: None,
        looks: own::Looks::default(),
        teller,
        shown: None,
        starter,
    };
    if args.retire {
        return watch.retire(out).await;
    }
    if !args.watch {
        let evaluated = watch.evaluate(out).await;
        // Last: what was found is printed, and this watchdog has beaten.
        watch.teller.settle_patiently().await;
        return evaluated.map(|(code, _)| code);
    }
    let failed = |error| Error::io("cannot listen for signals", error);
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    // A terminal that closes must not end it, and to a daemon it says to look at its files anew.
    let mut hangup = signal(SignalKind::hangup()).map_err(failed)?;
    let turns = async {
        loop {
            let interval = match watch.evaluate(out).await {
                Ok((_, interval)) => interval,
                // One evaluation that fails is no reason to stop watching.
                Err(failure) => {
                    tracing::error!("this evaluation failed: {}", failure.message);
                    args.interval.unwrap_or(Watchdog::EVERY)
                }
            };
            tokio::select! {
                () = tokio::time::sleep(interval) => {}
                _ = hangup.recv() => {}
            }
        }
    };
    tokio::select! {
        biased;
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = turns => {}
    }
    // Between two looks the desk delivers by itself. What it is at now is brought to its end, or noted as failed.
    watch.teller.settle().await;
    Ok(exit::OK)
}

/// A watchdog at work.
struct Watch<'a> {
    home: Home,
    clock: Arc<dyn Clock>,
    args: &'a WatchdogArgs,
    /// Where alerts are.
    disk: Bounded,
    /// Where this watchdog beats.
    beats: Bounded,
    /// The configuration as it was read last.
    config: Option<Config>,
    looks: own::Looks,
    teller: Teller,
    /// What was printed last.
    shown: Option<Vec<String>>,
    starter: restart::Starter,
}

impl Watch<'_> {
    /// Looks at everything once, tells of it, and answers the exit code and when to come again.
    async fn evaluate(&mut self, out: &mut Output) -> Result<(u8, Duration), Failure> {
        // config.yaml may be another one by now, unless the home doesn't answer at all.
        let context = Context::new(Some(self.home.path().to_owned()));
        let read = move || (context.config().config.clone(), context.config().knows_heartbeats());
        let read = if self.looks.hang() { None } else { in_time(read).await };
        let knows_heartbeats = read.as_ref().is_some_and(|(_, knows)| *knows);
        let read = read.map(|(config, _)| config);
        let is_known = read.is_some() || self.config.is_some();
        self.config = read.or_else(|| self.config.take());
        let config = self.config.clone().unwrap_or_default();
        let interval = self.args.interval.or(config.watchdog.every).unwrap_or(Watchdog::EVERY);
        let checks = sched_monitor::checks::look(&config.watchdog.checks, &self.clock);
        let (own, foreign) = tokio::join!(self.looks.look(&self.home, self.args.dry_run), checks);
        if matches!(own, own::Own::Seen(_)) {
            self.disk.try_again();
            self.beats.try_again();
        }
        let mut lines = rows::of(&own);
        lines.extend(foreign.into_iter().map(Line::of_check));
        let code = rows::exit_code(own.kind(), &lines);
        let found = Findings { lines: &lines, own: &own, knows_heartbeats };
        let mut told = self.teller.tell(&self.home, &self.clock, &config, &found, self.args).await;
        if !is_known {
            told.error = Some("config.yaml, which says who is to be told, has not answered".into());
        }
        let done = if self.args.restart { self.starter.consider(&self.home, &own, &self.clock).await } else { None };
        if !self.args.dry_run {
            let problems = lines.iter().filter(|line| line.row.found.verdict.is_problem()).count();
            if let Err(error) = self.beat(interval, problems, lines.len()) {
                tracing::error!("this watchdog can't beat, so `status` will call it silent: {error}");
            }
        }
        let report = show::Report { home: &self.home, lines: &lines, code, told: &told, done: done.as_deref() };
        let summary = report.summary();
        // Whoever watches a watchdog for hours wants to see what changed.
        if self.args.watch && !out.wants_json() && self.shown.as_ref() == Some(&summary) {
            return Ok((code, interval));
        }
        show::print(&report, self.args.dry_run, out)?;
        out.flush()?;
        self.shown = Some(summary);
        Ok((code, interval))
    }

    /// Says that it came.
    fn beat(&self, interval: Duration, problems: usize, checks: usize) -> scheduler_core::Result<()> {
        // A folder of its own may answer where that of the alerts doesn't.
        let disk = &self.beats;
        // Two at once would write the same temporary file; either beat is as good as the other.
        let Some(_lock) = lock(disk, &self.home)? else { return Ok(()) };
        let path = self.home.watchdog_json();
        let before = WatchdogBeat::read(disk, &path).ok();
        let beat = WatchdogBeat::new(self.clock.now(), interval).found(problems, checks).after(before.as_ref());
        beat.in_boot(sched_runner::proc::boot_id(), self.clock.monotonic()).write(disk, &path)
    }

    async fn retire(&mut self, out: &mut Output) -> Done {
        let context = Context::new(Some(self.home.path().to_owned()));
        let path = self.home.watchdog_json();
        let was = RealFs.remove(&path).is_ok();
        let _ = RealFs.remove(&self.home.restarts());
        self.teller.close_all(&self.home, &self.clock, &context.config().config).await?;
        self.teller.settle().await;
        if out.wants_json() {
            out.json(serde_json::json!({ "retired": was }))?;
        } else {
            out.line(if was {
                "the watchdog is retired: nobody expects it any more"
            } else {
                "no watchdog has come here"
            })?;
        }
        if context.config().config.watchdog.expected().is_some() {
            out.warn("config.yaml still asks for one", Some("take `every` and `checks` out of its section `watchdog`"));
        }
        Ok(exit::OK)
    }
}

/// What `look` finds, unless the disk that it asks doesn't answer: then its thread is left behind.
async fn in_time<T: Send + 'static>(look: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (answer, answered) = oneshot::channel();
    thread::Builder::new().name("sched-look".into()).spawn(move || drop(answer.send(look()))).ok()?;
    tokio::time::timeout(DISK, answered).await.ok()?.ok()
}

/// What watchdogs of `home` hold while they change something of theirs; `None` if another one does.
fn lock(fs: &dyn Vfs, home: &Home) -> scheduler_core::Result<Option<Box<dyn VfsFile>>> {
    let path = home.watchdog_lock();
    let failed = |error| Error::io(format!("cannot take {}", path.display()), error);
    fs.create_dir_all(&home.state()).map_err(failed)?;
    let file = fs.open(&path, Open::Create).map_err(failed)?;
    let taken = file.try_lock(Lock::Exclusive).map_err(failed)?;
    Ok(taken.then_some(file))
}
