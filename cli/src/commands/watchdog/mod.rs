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

use std::{sync::Arc, time::Duration};

use scheduler_core::{
    Clock, Error, Home,
    config::Watchdog,
    liveness::WatchdogBeat,
    vfs::{Lock, Open, RealFs, Vfs as _},
};
use tokio::signal::unix::{SignalKind, signal};

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

pub(crate) fn run(args: &WatchdogArgs, context: &Context, out: &mut Output) -> Done {
    let runtime = runtime::runtime(false)?;
    let done = runtime.block_on(course(args, context, out));
    // A thread that looks at a dead mount must not keep this process.
    runtime.shutdown_background();
    done
}

async fn course(args: &WatchdogArgs, context: &Context, out: &mut Output) -> Done {
    let home = context.home()?;
    if !home.path().is_dir() {
        return Err(no_home(&home));
    }
    let clock = Arc::clone(context.clock());
    let mut watch =
        Watch { home, clock, args, teller: Teller::default(), shown: None, starter: restart::Starter::default() };
    if args.retire {
        return watch.retire(out).await;
    }
    if !args.watch {
        return watch.evaluate(out).await.map(|(code, _)| code);
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
    Ok(exit::OK)
}

/// A watchdog at work.
struct Watch<'a> {
    home: Home,
    clock: Arc<dyn Clock>,
    args: &'a WatchdogArgs,
    teller: Teller,
    /// What was printed last.
    shown: Option<Vec<String>>,
    starter: restart::Starter,
}

impl Watch<'_> {
    /// Looks at everything once, tells of it, and answers the exit code and when to come again.
    async fn evaluate(&mut self, out: &mut Output) -> Result<(u8, Duration), Failure> {
        // config.yaml may be another one by now.
        let context = Context::new(Some(self.home.path().to_owned()));
        let config = context.config().config.clone();
        let interval = self.args.interval.or(config.watchdog.every).unwrap_or(Watchdog::EVERY);
        let (own, foreign) = tokio::join!(
            own::look(&self.home, self.args.dry_run),
            sched_monitor::checks::look(&config.watchdog.checks, &self.clock)
        );
        let mut lines = rows::of(&own);
        lines.extend(foreign.into_iter().map(Line::of_check));
        let code = rows::exit_code(own.kind(), &lines);
        let found = Findings {
            lines: &lines,
            troubled: &own.troubled(),
            knows_heartbeats: context.config().knows_heartbeats(),
        };
        let told = self.teller.tell(&self.home, &self.clock, &config, &found, self.args).await;
        let done = if self.args.restart { self.starter.consider(&self.home, &own, &self.clock).await } else { None };
        if !self.args.dry_run {
            self.teller.settle().await;
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
        // Two at once would write the same temporary file; either beat is as good as the other.
        let Some(_lock) = lock(&self.home)? else { return Ok(()) };
        let path = self.home.watchdog_json();
        let before = WatchdogBeat::read(&RealFs, &path).ok();
        let beat = WatchdogBeat::new(self.clock.now(), interval).found(problems, checks).after(before.as_ref());
        beat.in_boot(sched_runner::proc::boot_id(), self.clock.monotonic()).write(&RealFs, &path)
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

/// What watchdogs of `home` hold while they change something of theirs; `None` if another one does.
fn lock(home: &Home) -> scheduler_core::Result<Option<Box<dyn scheduler_core::vfs::VfsFile>>> {
    let path = home.watchdog_lock();
    let failed = |error| Error::io(format!("cannot take {}", path.display()), error);
    RealFs.create_dir_all(&home.state()).map_err(failed)?;
    let file = RealFs.open(&path, Open::Create).map_err(failed)?;
    let taken = file.try_lock(Lock::Exclusive).map_err(failed)?;
    Ok(taken.then_some(file))
}
