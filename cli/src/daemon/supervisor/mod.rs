//! The supervisor: a plain thread beside the async runtime that notices when the daemon doesn't get on. It says so, stops
//! vouching for the daemon to whoever listens outside, and in the end ends the process, so that somebody starts it anew.
//!
//! **Invariant:** nothing that can block stands between it and the end: no disk, no pipe, no runtime. Its log lines are
//! written by threads that nobody waits for, since what blocks the daemon may be the reader of its log.

mod systemd;
mod watch;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use jiff::SignedDuration;
use parking_lot::{Condvar, Mutex};
use sched_runner::proc;
use scheduler_core::{
    Clock, Error, duration,
    liveness::{Failure, Heartbeat, Phase, Pulse, Status, stale_after},
};

use self::{
    systemd::Systemd,
    watch::{Step, Watch},
};
use crate::{exit, log};

/// The pause between two looks, at most and at least.
const LONGEST: Duration = Duration::from_secs(5);
const SHORTEST: Duration = Duration::from_millis(100);

/// How long the last word has, to get onto the disk and into the log.
const LAST_WORD: Duration = Duration::from_secs(1);

/// Watches the daemon until it is dropped.
#[derive(Debug)]
pub(crate) struct Supervisor {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// The daemon as its supervisor sees it, for whoever vouches for it to others.
#[derive(Debug)]
pub(crate) struct Shared {
    abort_after_ms: AtomicU64,
    finished: Mutex<bool>,
    wake: Condvar,
}

impl Shared {
    /// Brings a changed `ticker.abort_after` into force.
    pub(crate) fn abort_after(&self, abort_after: Duration) {
        let millis = u64::try_from(abort_after.as_millis()).unwrap_or(u64::MAX);
        self.abort_after_ms.store(millis, Ordering::Relaxed);
    }

    /// Waits for `pause`; answers whether it is over.
    fn finished_within(&self, pause: Duration) -> bool {
        let mut finished = self.finished.lock();
        self.wake.wait_while_for(&mut finished, |finished| !*finished, pause);
        *finished
    }
}

impl Supervisor {
    /// Watches over whoever publishes `pulse`, and ends the process when that has not got on for `abort_after`, if that isn't
    /// zero.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub(crate) fn start(pulse: Pulse, clock: Arc<dyn Clock>, abort_after: Duration) -> Result<Self, Error> {
        let shared =
            Arc::new(Shared { abort_after_ms: AtomicU64::new(0), finished: Mutex::new(false), wake: Condvar::new() });
        shared.abort_after(abort_after);
        let theirs = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("supervisor".into())
            .spawn(move || watch_over(&pulse, &*clock, &theirs))
            .map_err(|error| Error::io("cannot start the supervisor's thread", error))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// What it knows, and what may be changed while it watches.
    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        *self.shared.finished.lock() = true;
        self.shared.wake.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn watch_over(pulse: &Pulse, clock: &dyn Clock, shared: &Shared) {
    let (mut watch, mut systemd) = (Watch::default(), Systemd::of_the_environment());
    let mut lost = 0;
    loop {
        let beat = pulse.current();
        let abort_after = Duration::from_millis(shared.abort_after_ms.load(Ordering::Relaxed));
        let pause = pause(&beat, &systemd);
        let step = watch.look(&beat, clock.monotonic(), pause, abort_after);
        match step {
            Step::Well => systemd.well(&beat),
            Step::Recovered(after) => {
                say(move || tracing::warn!("the daemon gets on again, after {}", words(after)));
                systemd.well(&beat);
            }
            Step::Wedged(stuck) => {
                let what = predicament(&beat, stuck);
                systemd.unwell(&what);
                put_on_record(pulse, clock, stuck, &what);
                say(move || tracing::error!("{what}; see `sched status`"));
            }
            Step::StillWedged(stuck) => systemd.unwell(&predicament(&beat, stuck)),
            Step::GiveUp(stuck) => {
                let what = format!("{}; it ended itself (exit code {})", predicament(&beat, stuck), exit::ABORTED);
                systemd.unwell(&what);
                put_on_record(pulse, clock, stuck, &what);
                say(move || tracing::error!("{what}, for a service manager to start it again"));
                thread::sleep(LAST_WORD);
                proc::exit_now(exit::ABORTED);
            }
        }
        lost = tell_of_lost_lines(lost);
        if shared.finished_within(pause) {
            // What is still to be told: that it stops.
            systemd.well(&pulse.current());
            return;
        }
    }
}

/// Ends this process, with `what` as its last word.
pub(crate) fn end(pulse: &Pulse, clock: &dyn Clock, what: &str) -> ! {
    put_on_record(pulse, clock, Duration::ZERO, what);
    let line = what.to_owned();
    say(move || tracing::error!("{line}"));
    thread::sleep(LAST_WORD);
    proc::exit_now(exit::ABORTED)
}

fn pause(beat: &Heartbeat, systemd: &Systemd) -> Duration {
    let interval = Duration::try_from_secs_f64(beat.interval_s).unwrap_or_default();
    let pause = (stale_after(interval) / 20).clamp(SHORTEST, LONGEST);
    systemd.pause().map_or(pause, |theirs| pause.min(theirs.max(Duration::from_millis(10))))
}

/// Puts what happened where `status` and the next start find it. The engine's own next success takes it away.
fn put_on_record(pulse: &Pulse, clock: &dyn Clock, stuck: Duration, what: &str) {
    let now = clock.now();
    let since = SignedDuration::try_from(stuck).ok().and_then(|stuck| now.checked_sub(stuck).ok()).unwrap_or(now);
    let message = what.to_owned();
    pulse.publish(|beat| {
        beat.status = Status::Error;
        beat.error = Some(Failure { message, since, count: 1 });
    });
}

/// What is wrong, and what was in progress.
fn predicament(beat: &Heartbeat, stuck: Duration) -> String {
    let (cycle, runs) = (beat.cycle, beat.running);
    let doing = match beat.phase {
        Phase::Idle => "between two ticks",
        Phase::Ticking => "in a tick",
        Phase::Starting => "before its first tick",
        Phase::Draining => "while it waited for its runs",
        _ => "while it stopped",
    };
    let waits: Vec<String> = proc::blocked_threads()
        .into_iter()
        .take(3)
        .map(|thread| format!("thread `{}` waits in {}", thread.name, thread.waits_in))
        .collect();
    let waits = if waits.is_empty() { String::new() } else { format!(" ({})", waits.join(", ")) };
    let stuck = words(stuck);
    format!("the daemon has not got on for {stuck}, {doing}, at cycle {cycle} with {runs} open runs{waits}")
}

fn words(span: Duration) -> String {
    duration::format(Duration::from_secs(span.as_secs()))
}

/// Says how many lines of the log are missing, once some more are.
fn tell_of_lost_lines(told: usize) -> usize {
    let lost = log::lost();
    if lost > told {
        let more = lost - told;
        say(move || tracing::warn!("{more} lines of this log were lost: they were not read fast enough"));
    }
    lost
}

/// Logs without waiting for it.
fn say(line: impl FnOnce() + Send + 'static) {
    let _ = thread::Builder::new().name("supervisor-log".into()).spawn(line);
}
