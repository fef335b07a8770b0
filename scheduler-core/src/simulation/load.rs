//! Starts and open runs, minute by minute: [`Load`].

use jiff::{SignedDuration, Timestamp};

/// What one minute saw.
///
/// ```
/// use scheduler_core::simulation::Minute;
/// assert_eq!(Minute::default(), Minute { starts: 0, open: 0 });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Minute {
    /// Runs that started in it.
    pub starts: u32,
    /// The most runs that were open at once.
    pub open: u32,
}

/// The load over time.
///
/// ```
/// use scheduler_core::simulation::{Scenario, Simulation};
/// let at = |text: &str| text.parse::<jiff::Timestamp>();
/// let mut simulation =
///     Simulation::new(Scenario::new(Vec::new(), at("2026-11-22T10:00:30Z")?, at("2026-11-22T10:05:00Z")?));
/// while simulation.step().is_some() {}
/// let load = simulation.report().load;
/// assert_eq!((load.first(), load.minutes().len()), (at("2026-11-22T10:00:00Z")?, 5));
/// assert_eq!(load.busiest(), None, "nothing started");
/// assert_eq!(load.buckets(&[load.first(), at("2026-11-22T10:03:00Z")?]).len(), 2);
/// # Ok::<(), jiff::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    first: Timestamp,
    minutes: Vec<Minute>,
    open: u32,
}

impl Load {
    pub(super) fn new(from: Timestamp) -> Self {
        let second = from.as_second();
        let first = Timestamp::from_second(second - second.rem_euclid(60)).unwrap_or(from);
        Self { first, minutes: vec![Minute::default()], open: 0 }
    }

    /// When the first minute begins.
    pub fn first(&self) -> Timestamp {
        self.first
    }

    /// The minutes, without a gap.
    pub fn minutes(&self) -> &[Minute] {
        &self.minutes
    }

    /// The minute with the most starts, and the one with more open runs of those that have as many; `None` if nothing
    /// started.
    pub fn busiest(&self) -> Option<(Timestamp, Minute)> {
        let started = self.minutes.iter().enumerate().filter(|(_, minute)| minute.starts > 0);
        // Of equals the first.
        let (index, minute) = started.rev().max_by_key(|(_, minute)| (minute.starts, minute.open))?;
        Some((self.begin_of(index), *minute))
    }

    /// The minutes in buckets that begin at `begins`, in this order: starts together, and the most that were open. One for
    /// each; minutes before the first are left out.
    pub fn buckets(&self, begins: &[Timestamp]) -> Vec<Minute> {
        let mut buckets = vec![Minute::default(); begins.len()];
        for (index, minute) in self.minutes.iter().enumerate() {
            let at = self.begin_of(index);
            let Some(bucket) = begins.partition_point(|begin| *begin <= at).checked_sub(1) else { continue };
            let sum = &mut buckets[bucket];
            sum.starts += minute.starts;
            sum.open = sum.open.max(minute.open);
        }
        buckets
    }

    /// A run starts.
    pub(super) fn start(&mut self, at: Timestamp) {
        // The minutes up to here come first: in those it was not open.
        self.reach(at);
        self.open += 1;
        let open = self.open;
        let minute = self.reach(at);
        minute.starts += 1;
        minute.open = minute.open.max(open);
    }

    /// A run ends.
    pub(super) fn end(&mut self, at: Timestamp) {
        self.reach(at);
        self.open -= 1;
    }

    /// Up to `end`, itself no part of it.
    pub(super) fn close(&mut self, end: Timestamp) {
        if let Ok(last) = end.checked_sub(SignedDuration::from_nanos(1)) {
            self.reach(last);
        }
    }

    fn reach(&mut self, at: Timestamp) -> &mut Minute {
        let index = usize::try_from((at.as_second() - self.first.as_second()) / 60).unwrap_or(0);
        if index >= self.minutes.len() {
            // What is open now has been so all the while.
            self.minutes.resize(index + 1, Minute { starts: 0, open: self.open });
        }
        &mut self.minutes[index]
    }

    fn begin_of(&self, index: usize) -> Timestamp {
        self.first.saturating_add(SignedDuration::from_secs(60 * index as i64)).unwrap_or(self.first)
    }
}
