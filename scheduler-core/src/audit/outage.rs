//! Times at which nobody could fire, or the clock leapt: what the engine notes of itself, so that the past can be explained.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A stretch of time that nobody saw pass as it should, on record as evidence.
///
/// ```
/// use jiff::SignedDuration;
/// use scheduler_core::audit::{Outage, OutageCause};
/// let outage = Outage::new(OutageCause::Crashed, "2026-11-22T02:00:00Z".parse()?, "2026-11-22T06:00:00Z".parse()?);
/// assert_eq!(outage.lasted(), SignedDuration::from_hours(4));
/// assert!(outage.covers("2026-11-22T03:00:00Z".parse()?));
/// # Ok::<(), jiff::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Outage {
    /// Why.
    pub cause: OutageCause,
    /// Its begin: mostly the last sign of life before it.
    pub from: Timestamp,
    /// Its end. Of a clock that was set back, this is the earlier one.
    pub to: Timestamp,
    /// What there is to say besides: an error, say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Why nobody saw time pass.
///
/// ```
/// use scheduler_core::audit::OutageCause;
/// assert_eq!(OutageCause::ClockSet.word(), "clock set");
/// assert_eq!(OutageCause::Stopped.words(), "the daemon was stopped");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OutageCause {
    /// The daemon was told to stop, and started again at its end.
    Stopped,
    /// The daemon was gone without a word, and started again at its end.
    Crashed,
    /// The machine was started again.
    Rebooted,
    /// The machine slept.
    Suspended,
    /// The daemon was there and didn't get on: it was frozen, or the machine had no time for it.
    Stalled,
    /// The daemon got on and could do nothing: its disk was full, say.
    Failing,
    /// Nobody called `tick`.
    NoTick,
    /// The wall clock was set: from what it would have shown to what it showed.
    ClockSet,
}

impl OutageCause {
    /// The cause in a word or two.
    pub fn word(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Crashed => "crashed",
            Self::Rebooted => "rebooted",
            Self::Suspended => "suspended",
            Self::Stalled => "stalled",
            Self::Failing => "failing",
            Self::NoTick => "no tick",
            Self::ClockSet => "clock set",
        }
    }

    /// The cause as part of a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::Stopped => "the daemon was stopped",
            Self::Crashed => "the daemon had ended without stopping",
            Self::Rebooted => "the machine was down",
            Self::Suspended => "the machine was suspended",
            Self::Stalled => "the daemon was there and did not get on",
            Self::Failing => "the daemon could do nothing",
            Self::NoTick => "nobody called `sched tick`",
            Self::ClockSet => "the clock was set",
        }
    }
}

impl Outage {
    /// An outage about which nothing else is known.
    pub fn new(cause: OutageCause, from: Timestamp, to: Timestamp) -> Self {
        Self { cause, from, to, detail: None }
    }

    /// The same with something to say about it.
    ///
    /// ```
    /// use jiff::Timestamp;
    /// use scheduler_core::audit::{Outage, OutageCause};
    /// let outage = Outage::new(OutageCause::Failing, Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
    /// assert_eq!(outage.with_detail("no space").detail.as_deref(), Some("no space"));
    /// ```
    #[must_use]
    pub fn with_detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// How long it lasted; less than nothing for a clock that was set back.
    pub fn lasted(&self) -> SignedDuration {
        self.to.duration_since(self.from)
    }

    /// Whether `at` is within it, ends included. No instant is within a clock that was set back: each came twice.
    pub fn covers(&self, at: Timestamp) -> bool {
        self.from <= at && at <= self.to
    }

    /// Whether any of `from..=to` is.
    pub(crate) fn touches(&self, from: Timestamp, to: Timestamp) -> bool {
        self.from.min(self.to) <= to && self.to.max(self.from) >= from
    }
}
