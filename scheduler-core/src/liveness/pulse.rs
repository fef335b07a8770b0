//! The beat in memory. Whoever has something to say changes it and goes on; nobody waits for a disk here.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};

use super::heartbeat::{Heartbeat, Phase, Status};
use crate::Clock;

/// A heartbeat shared between those who change it and the [`PulseWriter`](super::PulseWriter) that keeps it. Cheap to
/// clone.
///
/// # Behavior
/// - Publishing takes a lock for the time of a copy in memory, and never touches a file.
/// - It wakes the writer only where there is something to write by now: an engine that idles causes no wake-ups.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use scheduler_core::{SystemClock, liveness::{Heartbeat, Phase, Pulse}};
/// let beat = Heartbeat::new("node", jiff::Timestamp::now(), Duration::from_secs(60));
/// let pulse = Pulse::new(beat, Arc::new(SystemClock));
/// pulse.progress(|beat| beat.phase = Phase::Ticking);
/// assert_eq!(pulse.current().phase, Phase::Ticking);
/// pulse.publish(|beat| beat.phase = Phase::Idle);
/// pulse.provider_progress();
/// assert!(pulse.current().provider_monotonic_ns.is_some());
/// ```
#[derive(Debug, Clone)]
pub struct Pulse(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    clock: Arc<dyn Clock>,
    cell: Mutex<Cell>,
    changed: Condvar,
}

#[derive(Debug)]
struct Cell {
    beat: Heartbeat,
    /// How much of it isn't on the disk.
    news: News,
    writer: Writer,
    finished: bool,
}

/// What the writer waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writer {
    /// Nothing: it is at work, or there is none.
    Awake,
    /// Anything at all.
    Idle,
    /// The end of its pause, or a turn of events.
    Pausing,
}

/// How urgently a change wants to be on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum News {
    /// There is none.
    None,
    /// A beat like many: within a second.
    Beat,
    /// A turn of events: now.
    Turn,
}

/// What the writer is to do.
#[derive(Debug)]
pub(super) enum Order {
    /// Write this.
    Write(Box<Heartbeat>),
    /// Write this and end; `None` if it is written already.
    Finish(Option<Box<Heartbeat>>),
}

impl Pulse {
    /// A pulse that begins with `beat`, stamped with the time by `clock`.
    pub fn new(mut beat: Heartbeat, clock: Arc<dyn Clock>) -> Self {
        stamp(&mut beat, &*clock);
        beat.progress_monotonic_ns = beat.monotonic_ns;
        let cell = Cell { beat, news: News::Turn, writer: Writer::Awake, finished: false };
        Self(Arc::new(Shared { clock, cell: Mutex::new(cell), changed: Condvar::new() }))
    }

    /// Changes the beat and dates it. Doesn't say that the engine got on: that is [`progress`](Self::progress)'s to
    /// say, so that somebody who only watches over it can publish too.
    pub fn publish(&self, change: impl FnOnce(&mut Heartbeat)) {
        let mut cell = self.0.cell.lock();
        let before = Turns::of(&cell.beat);
        change(&mut cell.beat);
        stamp(&mut cell.beat, &*self.0.clock);
        let news = if before == Turns::of(&cell.beat) { News::Beat } else { News::Turn };
        cell.news = cell.news.max(news);
        if cell.writer == Writer::Idle || news == News::Turn {
            self.0.changed.notify_one();
        }
    }

    /// The same from the engine's own loop: it got on with its work.
    pub fn progress(&self, change: impl FnOnce(&mut Heartbeat)) {
        let now = nanos(self.0.clock.monotonic());
        self.publish(|beat| {
            beat.progress_monotonic_ns = now;
            change(beat);
        });
    }

    /// The provider got on with its work.
    pub fn provider_progress(&self) {
        let now = nanos(self.0.clock.monotonic());
        self.publish(|beat| beat.provider_monotonic_ns = Some(now));
    }

    /// The beat as it is now, on the disk or not.
    pub fn current(&self) -> Heartbeat {
        self.0.cell.lock().beat.clone()
    }

    /// Tells the writer to write what is left and to end.
    pub(super) fn finish(&self) {
        self.0.cell.lock().finished = true;
        self.0.changed.notify_one();
    }

    /// Whether the writer waits out its pause, with something to write.
    #[cfg(test)]
    pub(super) fn writer_is_pausing(&self) -> bool {
        self.0.cell.lock().writer == Writer::Pausing
    }

    /// Puts a beat back that could not be written.
    pub(super) fn give_back(&self) {
        let mut cell = self.0.cell.lock();
        cell.news = cell.news.max(News::Beat);
    }

    /// Waits until there is something to write: a turn of events at once, a mere beat not before `not_before`.
    pub(super) fn next_order(&self, not_before: Option<Instant>) -> Order {
        let mut cell = self.0.cell.lock();
        loop {
            if cell.finished {
                let unwritten = cell.news > News::None;
                return Order::Finish(unwritten.then(|| Box::new(cell.beat.clone())));
            }
            match (cell.news, not_before) {
                (News::None, _) => {
                    cell.writer = Writer::Idle;
                    self.0.changed.wait(&mut cell);
                    cell.writer = Writer::Awake;
                    continue;
                }
                (News::Beat, Some(not_before)) => {
                    cell.writer = Writer::Pausing;
                    let wait = self.0.changed.wait_until(&mut cell, not_before);
                    cell.writer = Writer::Awake;
                    if !wait.timed_out() {
                        continue;
                    }
                }
                (News::Beat, None) | (News::Turn, _) => {}
            }
            cell.news = News::None;
            return Order::Write(Box::new(cell.beat.clone()));
        }
    }
}

/// What of a beat must be on the disk at once when it changes. Idle and ticking are one and the same here: with a job
/// every second they alternate twice a second.
#[derive(Debug, PartialEq)]
struct Turns {
    phase: Option<Phase>,
    status: Status,
    error: Option<String>,
}

impl Turns {
    fn of(beat: &Heartbeat) -> Self {
        let phase = Some(beat.phase).filter(|phase| !matches!(phase, Phase::Idle | Phase::Ticking));
        Self { phase, status: beat.status, error: beat.error.as_ref().map(|error| error.message.clone()) }
    }
}

fn stamp(beat: &mut Heartbeat, clock: &dyn Clock) {
    beat.at = clock.now();
    beat.at_unix = beat.at.as_second();
    beat.boottime_ns = nanos(clock.boottime());
    beat.monotonic_ns = nanos(clock.monotonic());
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
