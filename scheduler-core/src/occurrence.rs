//! The life of an occurrence: its states, and [`transition`], the one pure function that moves it between them.
//!
//! ```text
//! queued --claim--> claimed --start--> running --finish--> succeeded | failed | timed_out | cancelled
//!   ^                  |                  | owner dead
//!   +--requeue---------+                  +--orphan--> orphaned --finish--> unknown | timed_out | cancelled
//!   |                  |                  +--finish(unknown)----> unknown
//!   +--close-----------+----------------> skipped(reason) | gave up(reason, last attempt) | cancelled
//!   |
//!   +--retry: a finish, or the end of an orphan, that is bad and brings the next attempt with it
//! ```
//!
//! Stores call [`transition`] to decide *and* to replay, so a journal can't hold what it would refuse. It never asks for the
//! time, draws a number or touches a file.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{OccurrenceId, Outcome, OwnerId, ProcessRef, RunId, RunResult, Token};

/// One instant (or event) that a job owes a run, with where its current attempt stands.
///
/// ```
/// use jiff::Timestamp;
/// use scheduler_core::{OccurrenceId, RunId, occurrence::{Cause, Occurrence}};
/// let at: Timestamp = "2026-11-22T02:30:00Z".parse()?;
/// let id = OccurrenceId::scheduled("backup".parse()?, 1, at);
/// let occurrence = Occurrence::queued(id, RunId::random(at), at, Cause::OnTime);
/// assert_eq!(occurrence.word(), "queued");
/// assert!(!occurrence.is_active() && !occurrence.is_running());
/// assert!(occurrence.owner().is_none() && occurrence.process().is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Occurrence {
    /// Which one.
    pub id: OccurrenceId,
    /// The current attempt.
    pub run: RunId,
    /// When it is owed; for events, when they were asked for.
    pub at: Timestamp,
    /// Why it exists.
    pub cause: Cause,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// How often it was claimed: fences every later step.
    pub epoch: u32,
    /// Where it stands.
    pub state: State,
    /// Whether somebody asked for its end.
    pub cancel_requested: bool,
    /// Whether that was to make room for a newer occurrence.
    pub replaced: bool,
    /// It doesn't start before this, where that is later than what it is owed at: a retry waits.
    pub not_before: Option<Timestamp>,
    /// The attempt before this one.
    pub last: Option<Box<Attempt>>,
    /// When it was started.
    pub started_at: Option<Timestamp>,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
}

/// Why an occurrence exists.
///
/// ```
/// use scheduler_core::occurrence::Cause;
/// assert_eq!(serde_json::to_string(&Cause::OnTime)?, r#""on_time""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cause {
    /// Its instant came.
    OnTime,
    /// Its instant had passed when it was planned.
    Late,
    /// Somebody asked for it.
    Asked,
    /// Somebody asked for it, whatever pause and overlap say.
    Forced,
}

/// Where an occurrence stands.
///
/// ```
/// use scheduler_core::occurrence::{Closing, SkipReason, State};
/// let state = State::Closed(Closing::Skipped(SkipReason::Overlap));
/// assert_ne!(state, State::Queued);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody has it.
    Queued,
    /// Somebody may start it.
    Claimed(Claimed),
    /// It runs, as far as its owner knows.
    Running(Claimed, Option<ProcessRef>),
    /// It runs, and its owner is dead.
    Orphaned(Option<ProcessRef>),
    /// It is over.
    Closed(Closing),
}

/// Who has it, and with which secret.
///
/// ```
/// use jiff::Timestamp;
/// use scheduler_core::{OwnerId, Token, occurrence::Claimed};
/// let mine = Claimed { owner: OwnerId::random(Timestamp::UNIX_EPOCH), token: Token::random() };
/// assert_ne!(mine, Claimed { token: Token::random(), ..mine.clone() }, "nobody else draws this token");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claimed {
    /// The process that owns the claim.
    pub owner: OwnerId,
    /// The fence.
    pub token: Token,
}

/// An attempt that is over.
///
/// ```
/// use scheduler_core::{Outcome, RunId, occurrence::Attempt};
/// let attempt = Attempt { run: RunId::new("1"), outcome: Outcome::failed("no space") };
/// assert!(attempt.outcome.result.is_trouble());
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its run.
    pub run: RunId,
    /// How it ended.
    pub outcome: Outcome,
}

/// The next attempt at an occurrence, made in the same step that ends the one before.
///
/// ```
/// use scheduler_core::{RunId, occurrence::Retry};
/// let retry = Retry { run: RunId::new("2"), not_before: "2026-11-22T02:31:00Z".parse()? };
/// assert!(serde_json::to_string(&retry).is_ok_and(|line| line.contains("not_before")));
/// # Ok::<(), jiff::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// Its run.
    pub run: RunId,
    /// It doesn't start before this.
    pub not_before: Timestamp,
}

/// How an occurrence ended.
///
/// ```
/// use scheduler_core::{Outcome, RunResult, occurrence::{Closing, SkipReason}};
/// assert_eq!(Closing::Ran(Outcome::new(RunResult::TimedOut)).word(), "timed_out");
/// assert_eq!(Closing::Skipped(SkipReason::Coalesced).word(), "coalesced");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closing {
    /// It ran, or may have: the outcome says.
    Ran(Outcome),
    /// It never started.
    Skipped(SkipReason),
    /// An attempt ended badly, and the next one never started: what counts is how the last one ended.
    GaveUp {
        /// Why there was no other.
        reason: SkipReason,
        /// The last one that was made.
        last: Box<Attempt>,
    },
    /// It was cancelled before it started.
    Cancelled,
}

/// Why an occurrence never started.
///
/// ```
/// use scheduler_core::occurrence::SkipReason;
/// assert_eq!(SkipReason::Overlap.words(), "the previous run was still open");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SkipReason {
    /// Its policy for missed instants said so.
    Misfire,
    /// A later instant of the same job stands for it.
    Coalesced,
    /// A run of the job was open.
    Overlap,
    /// The job was paused.
    Paused,
    /// The job was disabled.
    Disabled,
    /// The job was removed.
    Removed,
    /// The wall clock was wrong when it passed.
    ClockRepaired,
    /// A newer occurrence of the job took its place.
    Superseded,
    /// The job has run as often as it may.
    Limit,
    /// It came before the job's `start_at` or after its `end_at`.
    Outside,
    /// What became of it was in files that were damaged: it may have run, so it doesn't run again.
    Repaired,
}

impl SkipReason {
    /// The reason in one word, as files have it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Misfire => "misfire",
            Self::Coalesced => "coalesced",
            Self::Overlap => "overlap",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
            Self::Removed => "removed",
            Self::ClockRepaired => "clock_repaired",
            Self::Superseded => "superseded",
            Self::Limit => "limit",
            Self::Outside => "outside",
            Self::Repaired => "repaired",
        }
    }

    /// The reason in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Misfire => "missed",
            Self::Coalesced => "coalesced into a later run",
            Self::Overlap => "the previous run was still open",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
            Self::Removed => "removed",
            Self::ClockRepaired => "the clock was wrong",
            Self::Limit => "it has run as often as it may",
            Self::Outside => "outside its start_at and end_at",
            Self::Superseded => "a newer run took its place",
            Self::Repaired => "the store was repaired, and it may have run",
        }
    }
}

/// What happens to an occurrence.
///
/// ```
/// use scheduler_core::occurrence::{Change, SkipReason};
/// let change = Change::Skip(SkipReason::Paused);
/// assert_eq!(serde_json::to_string(&change)?, r#"{"skip":"paused"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Change {
    /// Somebody takes it.
    Claim(Claimed),
    /// A claim is given back, or taken from a dead owner.
    Requeue {
        /// The claim's number.
        epoch: u32,
    },
    /// The owner is about to run it. Durable before anything is spawned.
    Start {
        /// The fence.
        token: Token,
        /// The claim's number.
        epoch: u32,
    },
    /// Which process does the work.
    Spawned {
        /// The fence.
        token: Token,
        /// The process.
        process: ProcessRef,
    },
    /// The owner says how it ended.
    Finish {
        /// The fence.
        token: Token,
        /// The claim's number.
        epoch: u32,
        /// The end.
        outcome: Outcome,
        /// The next attempt, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry: Option<Retry>,
    },
    /// The owner is dead and the work goes on.
    Orphan {
        /// The claim's number.
        epoch: u32,
        /// The process that does it.
        process: Option<ProcessRef>,
    },
    /// The owner is dead and so is the work, or it has been watched to its end.
    Abandon {
        /// The claim's number.
        epoch: u32,
        /// `unknown`, `timed_out` or `cancelled`.
        outcome: Outcome,
        /// The next attempt, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry: Option<Retry>,
    },
    /// Somebody wants it to end.
    RequestCancel,
    /// It is to end because a newer occurrence takes its place.
    Replace,
    /// It will never start.
    Skip(SkipReason),
}

/// Why a change was refused: somebody else was faster, or the state doesn't allow it.
///
/// ```
/// use jiff::Timestamp;
/// use scheduler_core::{OccurrenceId, RunId, Token, occurrence::{Cause, Change, Occurrence, Refused, transition}};
/// let at = Timestamp::UNIX_EPOCH;
/// let id = OccurrenceId::scheduled("a".parse()?, 1, at);
/// let queued = Occurrence::queued(id, RunId::random(at), at, Cause::OnTime);
/// let start = Change::Start { token: Token::random(), epoch: 0 };
/// assert_eq!(transition(&queued, &start, at), Err(Refused::WrongState), "nobody has claimed it");
/// # Ok::<(), scheduler_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The fence doesn't fit: this claim was lost.
    Fenced,
    /// Not a step from this state.
    WrongState,
    /// Its end was asked for.
    CancelRequested,
}

/// The occurrence after `change`, at `now`.
///
/// # Errors
/// Why the change isn't a step from here; the occurrence then stays as it is.
///
/// ```
/// use jiff::Timestamp;
/// use scheduler_core::{OccurrenceId, OwnerId, RunId, Token};
/// use scheduler_core::occurrence::{Cause, Change, Claimed, Occurrence, Refused, transition};
/// let at = Timestamp::UNIX_EPOCH;
/// let id = OccurrenceId::scheduled("a".parse()?, 1, at);
/// let queued = Occurrence::queued(id, RunId::random(at), at, Cause::OnTime);
/// let token = Token::random();
/// let claim = Change::Claim(Claimed { owner: OwnerId::random(at), token: token.clone() });
/// let claimed = transition(&queued, &claim, at).expect("it was free");
///
/// let stolen = Change::Start { token: Token::random(), epoch: claimed.epoch };
/// assert_eq!(transition(&claimed, &stolen, at), Err(Refused::Fenced));
/// let start = Change::Start { token, epoch: claimed.epoch };
/// assert!(transition(&claimed, &start, at).is_ok_and(|running| running.is_running()));
/// # Ok::<(), scheduler_core::Error>(())
/// ```
pub fn transition(before: &Occurrence, change: &Change, now: Timestamp) -> Result<Occurrence, Refused> {
    let mut after = before.clone();
    let closed = |mut after: Occurrence, closing: Closing| {
        after.state = State::Closed(closing);
        after.closed_at = Some(now);
        Ok(after)
    };
    let ended = |after: Occurrence, outcome: &Outcome, retry: Option<&Retry>| match retry {
        None => closed(after, Closing::Ran(outcome.clone())),
        Some(_) if before.cancel_requested || !outcome.result.is_trouble() => Err(Refused::WrongState),
        Some(retry) => Ok(after.again(outcome.clone(), retry)),
    };
    match (&before.state, change) {
        (State::Queued, Change::Claim(_)) | (State::Claimed(_), Change::Start { .. }) if before.cancel_requested => {
            Err(Refused::CancelRequested)
        }
        (State::Queued, Change::Claim(claimed)) => {
            after.state = State::Claimed(claimed.clone());
            after.epoch += 1;
            Ok(after)
        }
        (State::Claimed(_), Change::Requeue { epoch }) => {
            fence_epoch(before, *epoch)?;
            after.state = State::Queued;
            Ok(after)
        }
        (State::Claimed(claimed), Change::Start { token, epoch }) => {
            fence(claimed, token)?;
            fence_epoch(before, *epoch)?;
            after.state = State::Running(claimed.clone(), None);
            after.started_at = Some(now);
            Ok(after)
        }
        (State::Running(claimed, None), Change::Spawned { token, process }) => {
            fence(claimed, token)?;
            after.state = State::Running(claimed.clone(), Some(process.clone()));
            Ok(after)
        }
        (State::Running(claimed, _), Change::Finish { token, epoch, outcome, retry }) => {
            fence(claimed, token)?;
            fence_epoch(before, *epoch)?;
            ended(after, outcome, retry.as_ref())
        }
        (State::Running(..), Change::Orphan { epoch, process }) => {
            fence_epoch(before, *epoch)?;
            after.state = State::Orphaned(process.clone());
            Ok(after)
        }
        (State::Running(..) | State::Orphaned(_), Change::Abandon { epoch, outcome, retry }) => {
            fence_epoch(before, *epoch)?;
            match outcome.result {
                RunResult::Succeeded | RunResult::Failed => Err(Refused::WrongState),
                _ => ended(after, outcome, retry.as_ref()),
            }
        }
        (State::Queued | State::Claimed(_), Change::RequestCancel) => closed(after, Closing::Cancelled),
        (State::Running(..) | State::Orphaned(_), Change::RequestCancel) => {
            after.cancel_requested = true;
            Ok(after)
        }
        (State::Running(..) | State::Orphaned(_), Change::Replace) => {
            after.cancel_requested = true;
            after.replaced = true;
            Ok(after)
        }
        (State::Queued | State::Claimed(_), Change::Skip(reason)) => {
            let reason = *reason;
            let closing = match before.last.clone() {
                Some(last) => Closing::GaveUp { reason, last },
                None => Closing::Skipped(reason),
            };
            closed(after, closing)
        }
        _ => Err(Refused::WrongState),
    }
}

fn fence(claimed: &Claimed, token: &Token) -> Result<(), Refused> {
    if claimed.token == *token { Ok(()) } else { Err(Refused::Fenced) }
}

fn fence_epoch(before: &Occurrence, epoch: u32) -> Result<(), Refused> {
    if before.epoch == epoch { Ok(()) } else { Err(Refused::Fenced) }
}

impl Occurrence {
    /// A fresh, queued first attempt.
    pub fn queued(id: OccurrenceId, run: RunId, at: Timestamp, cause: Cause) -> Self {
        Self {
            id,
            run,
            at,
            cause,
            attempt: 1,
            epoch: 0,
            state: State::Queued,
            cancel_requested: false,
            replaced: false,
            not_before: None,
            last: None,
            started_at: None,
            closed_at: None,
        }
    }

    /// Its next attempt, after one that ended with `outcome`. The epoch goes on counting, so nothing that was promised to the
    /// attempt before counts any more.
    fn again(self, outcome: Outcome, retry: &Retry) -> Self {
        Self {
            run: retry.run.clone(),
            attempt: self.attempt + 1,
            state: State::Queued,
            not_before: Some(retry.not_before),
            last: Some(Box::new(Attempt { run: self.run, outcome })),
            started_at: None,
            ..self
        }
    }

    /// Whether it holds one of its job's places: it runs, or is about to.
    pub fn is_active(&self) -> bool {
        matches!(self.state, State::Claimed(_) | State::Running(..) | State::Orphaned(_))
    }

    /// Whether it has started and not ended.
    pub fn is_running(&self) -> bool {
        matches!(self.state, State::Running(..) | State::Orphaned(_))
    }

    /// The process that owns it.
    pub fn owner(&self) -> Option<&OwnerId> {
        match &self.state {
            State::Claimed(claimed) | State::Running(claimed, _) => Some(&claimed.owner),
            _ => None,
        }
    }

    /// The process noted for it.
    pub fn process(&self) -> Option<&ProcessRef> {
        match &self.state {
            State::Running(_, process) | State::Orphaned(process) => process.as_ref(),
            _ => None,
        }
    }

    /// Its state in one word, as `history` shows it.
    pub fn word(&self) -> &'static str {
        match &self.state {
            State::Queued => "queued",
            State::Claimed(_) => "claimed",
            State::Running(..) => "running",
            State::Orphaned(_) => "orphaned",
            State::Closed(closing) => closing.word(),
        }
    }
}

impl Closing {
    /// The ledger verdict in one word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Ran(outcome) => outcome.result.word(),
            Self::Skipped(SkipReason::Coalesced) => "coalesced",
            Self::Skipped(_) => "skipped",
            Self::GaveUp { last, .. } => last.outcome.result.word(),
            Self::Cancelled => "cancelled",
        }
    }
}

impl RunResult {
    /// The result in one word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
            Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests;
