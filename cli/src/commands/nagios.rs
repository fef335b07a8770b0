//! `sched status --nagios`: the verdict as a plugin of Nagios, Icinga and their kin tells it. One line, and their exit codes.

use std::cmp::max;

use jiff::Timestamp;
use scheduler_core::liveness::{Facts, Verdict, VerdictKind, verdict};

use super::Done;
use crate::{context::Context, facts, failure::Failure, output::Output};

pub(crate) async fn run(context: &Context, out: &mut Output) -> Done {
    let (line, level) = match context.home() {
        Ok(home) => {
            let facts = facts::collect(context, &home).await.facts;
            let verdict = verdict(&facts);
            (line(&verdict, &facts), Level::of(verdict.kind))
        }
        Err(why) => (unknown(&why), Level::Unknown),
    };
    out.line(line)?;
    Ok(level as u8)
}

/// How bad it is, by the exit code.
#[derive(Debug, Clone, Copy)]
enum Level {
    Ok = 0,
    Warning = 1,
    Critical = 2,
    Unknown = 3,
}

impl Level {
    fn of(kind: VerdictKind) -> Self {
        match kind.exit_code() {
            0 => Self::Ok,
            3 => Self::Warning,
            4 => Self::Critical,
            _ => Self::Unknown,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }
}

fn line(verdict: &Verdict, facts: &Facts) -> String {
    let level = Level::of(verdict.kind).word();
    format!("SCHED {level} - {}: {} | {}", verdict.kind.word(), plain(&verdict.summary), measures(facts))
}

/// There is not even a home to look at.
fn unknown(why: &Failure) -> String {
    format!("SCHED {} - {}: {}", Level::Unknown.word(), VerdictKind::Unknown.word(), plain(&why.message))
}

/// The numbers, as `label=value[unit];warn;critical;least`; `U` is a number that can't be known.
fn measures(facts: &Facts) -> String {
    let jobs = &facts.jobs;
    let counts = match facts.store_error {
        None => format!("jobs={};;;0 open_runs={};;;0", jobs.total, jobs.open.len()),
        Some(_) => "jobs=U open_runs=U".into(),
    };
    // Of a daemon's beat and a tick's, the one that is in force is the newer.
    let beats = [&facts.beat, &facts.tick].map(|beat| beat.as_ref().ok().map(|beat| beat.at));
    let age = |at: Timestamp| max(facts.now.duration_since(at).as_secs(), 0);
    let age = beats.into_iter().flatten().max().map_or_else(|| "U".into(), |at| format!("{}s;;;0", age(at)));
    format!("{counts} heartbeat_age={age}")
}

/// On one line, and without the bar that begins the numbers.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).map(|c| if c == '|' { '/' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::SignedDuration;
    use scheduler_core::{ErrorKind, liveness::Heartbeat};

    use super::*;

    #[test]
    fn what_cannot_be_known_is_no_number() {
        let mut facts = Facts::default();
        assert_eq!(measures(&facts), "jobs=0;;;0 open_runs=0;;;0 heartbeat_age=U");
        facts.tick = Ok(Heartbeat::new("a", facts.now, Duration::from_secs(1)));
        facts.now += SignedDuration::from_millis(12_900);
        assert_eq!(measures(&facts), "jobs=0;;;0 open_runs=0;;;0 heartbeat_age=12s;;;0");
        facts.beat = Ok(Heartbeat::new("b", facts.now + SignedDuration::from_secs(5), Duration::from_secs(1)));
        facts.store_error = Some("torn".into());
        assert_eq!(measures(&facts), "jobs=U open_runs=U heartbeat_age=0s;;;0");
    }

    #[test]
    fn the_text_cannot_end_the_line_or_begin_the_numbers() {
        let why = Failure::new(ErrorKind::Invalid, "a|b\nc");
        assert_eq!(unknown(&why), "SCHED UNKNOWN - UNKNOWN: a/b c");
    }
}
