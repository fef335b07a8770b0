//! An entry of the history, read only as far as an audit needs it: there may be millions.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, de::IgnoredAny};

use super::End;
use crate::{
    OccurrenceKind, RunResult,
    occurrence::{Cause, Closing, SkipReason},
    plan::Gap,
    store::{LedgerEntry, LedgerWhat},
};

/// What an entry says.
pub(super) struct Record<'a> {
    pub(super) job: Cow<'a, str>,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    /// An instant's one and only end.
    Instant {
        at: Timestamp,
        end: End,
        late: bool,
    },
    /// The end of something that no schedule asked for.
    Other,
    /// An attempt that another follows.
    Attempt,
    Gap(Gap),
}

impl<'a> Record<'a> {
    /// An entry as it lies in a file.
    pub(super) fn parse(line: &'a [u8]) -> Result<Self, serde_json::Error> {
        let line: Line<'a> = serde_json::from_slice(line)?;
        let what = match (line.occurrence, line.gap) {
            (Some(occurrence), _) => {
                let Occurrence { id, cause, end, retry_at } = occurrence;
                what(id.kind, &id.key, cause, retry_at.is_some(), end.end())
            }
            (None, Some(gap)) => What::Gap(gap),
            (None, None) => return Err(serde::de::Error::custom("it is neither an occurrence nor a gap")),
        };
        Ok(Self { job: line.job, what })
    }

    pub(super) fn of(entry: &'a LedgerEntry) -> Self {
        let what = match &entry.what {
            LedgerWhat::Gap(gap) => What::Gap(gap.clone()),
            LedgerWhat::Occurrence { id, cause, end, retry_at, .. } => {
                what(id.kind, &id.key, *cause, retry_at.is_some(), End::of(end))
            }
        };
        Self { job: entry.job.as_str().into(), what }
    }
}

fn what(kind: OccurrenceKind, key: &str, cause: Cause, goes_on: bool, end: End) -> What {
    match key.parse() {
        _ if goes_on => What::Attempt,
        Ok(at) if kind == OccurrenceKind::Scheduled => What::Instant { at, end, late: cause == Cause::Late },
        _ => What::Other,
    }
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    job: Cow<'a, str>,
    #[serde(borrow)]
    occurrence: Option<Occurrence<'a>>,
    gap: Option<Gap>,
}

#[derive(Deserialize)]
struct Occurrence<'a> {
    #[serde(borrow)]
    id: Id<'a>,
    cause: Cause,
    end: Ended,
    retry_at: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Id<'a> {
    kind: OccurrenceKind,
    #[serde(borrow)]
    key: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ended {
    Ran(Outcome),
    Skipped(SkipReason),
    GaveUp { last: Attempt },
    Cancelled,
}

#[derive(Deserialize)]
struct Attempt {
    outcome: Outcome,
}

#[derive(Deserialize)]
struct Outcome {
    result: RunResult,
}

impl Ended {
    fn end(self) -> End {
        match self {
            Self::Ran(outcome) | Self::GaveUp { last: Attempt { outcome } } => End::Ran(outcome.result),
            Self::Skipped(reason) => End::Skipped(reason),
            Self::Cancelled => End::Ran(RunResult::Cancelled),
        }
    }
}

impl End {
    fn of(closing: &Closing) -> Self {
        match closing {
            Closing::Ran(outcome) => Self::Ran(outcome.result),
            Closing::GaveUp { last, .. } => Self::Ran(last.outcome.result),
            Closing::Skipped(reason) => Self::Skipped(*reason),
            Closing::Cancelled => Self::Ran(RunResult::Cancelled),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        OccurrenceId, Outcome, RunId,
        occurrence::{Attempt, Occurrence, State},
    };

    #[test]
    fn an_entry_read_from_a_file_says_what_the_entry_says() {
        let at: Timestamp = "2026-11-22T02:30:00Z".parse().unwrap();
        let failed = || Outcome::failed("it said: \"no\"");
        let ends = [
            Closing::Ran(Outcome::new(RunResult::Succeeded)),
            Closing::Ran(failed()),
            Closing::Skipped(SkipReason::Overlap),
            Closing::Cancelled,
            Closing::GaveUp {
                reason: SkipReason::Superseded,
                last: Box::new(Attempt { run: RunId::new("1"), outcome: failed() }),
            },
        ];
        let mut entries: Vec<LedgerEntry> = Vec::new();
        for end in ends {
            let id = OccurrenceId::scheduled("a".parse().unwrap(), 3, at);
            let mut occurrence = Occurrence::queued(id, RunId::new("2"), at, Cause::Late);
            occurrence.started_at = Some(at);
            occurrence.state = State::Closed(end);
            entries.push(LedgerEntry::closed(&occurrence, at));
            entries.push(LedgerEntry::attempt(&occurrence, failed(), at, at));
            occurrence.id.kind = OccurrenceKind::External;
            occurrence.id.key = "with \"quotes\"\n".into();
            entries.push(LedgerEntry::closed(&occurrence, at));
        }
        let gap = Gap { reason: SkipReason::Paused, from: at, to: at };
        entries.push(LedgerEntry::gap("a".parse().unwrap(), at, gap));
        for entry in &entries {
            let line = serde_json::to_vec(entry).unwrap();
            let (read, told) = (Record::parse(&line).unwrap(), Record::of(entry));
            assert_eq!((read.job, format!("{:?}", read.what)), (told.job, format!("{:?}", told.what)), "{entry:?}");
        }
        assert!(Record::parse(br#"{"job":"a","at":"2026-11-22T02:30:00Z"}"#).is_err());
    }
}
