//! What `status` concludes: [`verdict()`], a pure function of [`Facts`]. The first row that matches is the verdict:
//!
//! | verdict | evidence | exit |
//! |---|---|---|
//! | STARTING | the lock is held, and the beat isn't its holder's or no tick has finished; for `stale_after` at most |
//! 4 |
//! | STOPPED | the lock is free, and the last beat says stopped, or there is none and no run was left open | 4 |
//! | UNKNOWN | the evidence is unreadable, of another machine, or dated where no clock can have been | 5 |
//! | CRASHED | the lock is free otherwise | 4 |
//! | STALLED | the process is frozen, or awake for `stale_after` since the engine or the provider got on | 4 |
//! | FAILING | the last tick that finished failed | 4 |
//! | DRAINING | told to stop, runs still open | 4 |
//! | DEGRADED | it fires, but something needs attention | 3 |
//! | STANDBY | provider `none`, or every job is paused | 0 |
//! | EXTERNAL | something outside decides when | 0 |
//! | LIVE | all of it is well | 0 |
//!
//! `presence` holds the rows that ask whether anything is there that could fire, this file those that ask how it does.

use std::time::Duration;

use serde::Serialize;

use super::{
    account,
    facts::Facts,
    heartbeat::{Heartbeat, Phase, Status},
    presence,
    words::{evidence, moment, plural},
};
use crate::{RunResult, store::Problem};

/// The conclusion, with what it rests on and what to do about it.
///
/// ```
/// use scheduler_core::liveness::{Facts, Verdict, verdict};
/// let Verdict { summary, problems, .. } = verdict(&Facts::default());
/// assert!(!summary.is_empty() && problems.iter().all(|problem| !problem.hint.is_empty()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Verdict {
    /// The verdict itself.
    pub kind: VerdictKind,
    /// One sentence, for a person at three in the morning.
    pub summary: String,
    /// What it rests on, a line each.
    pub evidence: Vec<String>,
    /// What an operator has to put right, the most pressing first; each with a hint.
    pub problems: Vec<Problem>,
}

/// A verdict in one word.
///
/// ```
/// use scheduler_core::liveness::VerdictKind;
/// assert_eq!((VerdictKind::Stalled.word(), VerdictKind::Stalled.exit_code()), ("STALLED", 4));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum VerdictKind {
    /// It has not fired yet, and is expected to soon.
    Starting,
    /// Nothing runs, and nothing is supposed to.
    Stopped,
    /// It can't be known.
    Unknown,
    /// It ended without saying so.
    Crashed,
    /// It is there and doesn't get on.
    Stalled,
    /// It turns, and every turn fails.
    Failing,
    /// It was told to stop and waits for its runs.
    Draining,
    /// It fires, but something needs attention.
    Degraded,
    /// It is well, and is meant to fire nothing.
    Standby,
    /// It is well, and something outside decides when.
    External,
    /// It is well.
    Live,
}

impl VerdictKind {
    /// All of them.
    ///
    /// ```
    /// use scheduler_core::liveness::VerdictKind;
    /// assert_eq!(VerdictKind::ALL.iter().filter(|kind| kind.exit_code() == 0).count(), 3);
    /// ```
    pub const ALL: [Self; 11] = [
        Self::Starting,
        Self::Stopped,
        Self::Unknown,
        Self::Crashed,
        Self::Stalled,
        Self::Failing,
        Self::Draining,
        Self::Degraded,
        Self::Standby,
        Self::External,
        Self::Live,
    ];

    /// The exit code of `sched status`: 0 healthy, 3 fires but needs attention, 4 doesn't fire, 5 can't know.
    ///
    /// ```
    /// use scheduler_core::liveness::VerdictKind;
    /// assert_eq!((VerdictKind::Live.exit_code(), VerdictKind::Crashed.exit_code()), (0, 4));
    /// ```
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Live | Self::External | Self::Standby => 0,
            Self::Degraded => 3,
            Self::Starting | Self::Stopped | Self::Crashed | Self::Stalled | Self::Failing | Self::Draining => 4,
            Self::Unknown => 5,
        }
    }

    /// The word people read: `LIVE`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Starting => "STARTING",
            Self::Stopped => "STOPPED",
            Self::Unknown => "UNKNOWN",
            Self::Crashed => "CRASHED",
            Self::Stalled => "STALLED",
            Self::Failing => "FAILING",
            Self::Draining => "DRAINING",
            Self::Degraded => "DEGRADED",
            Self::Standby => "STANDBY",
            Self::External => "EXTERNAL",
            Self::Live => "LIVE",
        }
    }
}

/// How long a loop that should turn every `interval` may go without getting on: three turns, and 20 s for a busy
/// machine.
///
/// ```
/// use std::time::Duration;
/// use scheduler_core::liveness::stale_after;
/// assert_eq!(stale_after(Duration::from_mins(1)), Duration::from_secs(200));
/// ```
pub fn stale_after(interval: Duration) -> Duration {
    interval.saturating_mul(3).saturating_add(Duration::from_secs(20))
}

/// What the facts amount to.
///
/// # Behavior
/// - Pure: the same facts, the same verdict.
/// - Healthy (exit code 0) only on evidence for every part of it.
///
/// ```
/// use scheduler_core::liveness::{Facts, VerdictKind, verdict};
/// assert_eq!(verdict(&Facts::default()).kind, VerdictKind::Stopped);
/// ```
pub fn verdict(facts: &Facts) -> Verdict {
    let mut verdict = presence::judge(facts);
    for problem in lasting_problems(facts).into_iter().chain(facts.problems.iter().cloned()) {
        if verdict.problems.iter().all(|told| told.key != problem.key) {
            verdict.problems.push(problem);
        }
    }
    // A store that can't be read is news under every verdict: whoever starts the daemon next will be refused.
    if let Some((problem, why)) = unread_store(facts)
        && !verdict.summary.contains(why)
        && verdict.problems.iter().all(|told| told.key != problem.key)
    {
        verdict.problems.push(problem);
    }
    verdict.evidence.extend(evidence(facts));
    // Remarks last: they are no reason to get up for.
    verdict.problems.sort_by_key(|problem| problem.remark);
    verdict
}

impl Verdict {
    pub(super) fn new(kind: VerdictKind, summary: impl Into<String>) -> Self {
        Self { kind, summary: summary.into(), evidence: Vec::new(), problems: Vec::new() }
    }

    /// The same with its summary as a problem, and the way out of it.
    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.problems.push(Problem::new(self.kind.word().to_lowercase(), self.summary.clone(), hint));
        self
    }
}

/// The rows from FAILING on, for what is known to turn: the daemon with this beat, or (`by_tick`) ticks from outside.
pub(super) fn firing(facts: &Facts, beat: &Heartbeat, by_tick: bool, also: Vec<Problem>) -> Verdict {
    if beat.status == Status::Error {
        let summary = match &beat.error {
            Some(error) => format!(
                "every tick has failed since {} ({} so far): {}",
                moment(error.since, facts.now),
                error.count,
                error.message
            ),
            None => "the last tick failed, and did not say why".into(),
        };
        return Verdict::new(VerdictKind::Failing, summary).with_hint("put right what the message names; see its log");
    }
    if !by_tick && matches!(beat.phase, Phase::Draining | Phase::Stopped) {
        let open = facts.jobs.open.iter().filter(|run| run.state != "queued").count();
        let summary = match open {
            0 => "the daemon was told to stop, and is about to end".into(),
            open => format!(
                "the daemon was told to stop, and waits for {}; nothing new fires",
                plural(open, "open run", "open runs")
            ),
        };
        return Verdict::new(VerdictKind::Draining, summary);
    }
    let standby = beat.provider == "none";
    let mut problems = also;
    problems.extend(shortcomings(facts, beat, standby));
    problems.extend(lasting_problems(facts));
    let all = problems.iter().chain(untold(facts, &problems));
    let pressing: Vec<&Problem> = all.filter(|problem| !problem.remark).collect();
    let verdict = match pressing.as_slice() {
        [] => well(facts, beat, standby, by_tick),
        [only] => Verdict::new(VerdictKind::Degraded, format!("it fires, but: {}", only.what)),
        [first, rest @ ..] => {
            let summary = format!("it fires, but {} things need attention, first: {}", rest.len() + 1, first.what);
            Verdict::new(VerdictKind::Degraded, summary)
        }
    };
    Verdict { problems, ..verdict }
}

/// The healthy rows.
fn well(facts: &Facts, beat: &Heartbeat, standby: bool, by_tick: bool) -> Verdict {
    let jobs = &facts.jobs;
    if standby {
        return Verdict::new(VerdictKind::Standby, "the provider is `none`: no job fires by itself");
    }
    if jobs.enabled > 0 && jobs.paused >= jobs.enabled {
        return Verdict::new(
            VerdictKind::Standby,
            format!("paused: {}", plural(jobs.enabled, "enabled job", "enabled jobs, all of them")),
        );
    }
    let firing = plural(jobs.enabled.saturating_sub(jobs.paused), "job", "jobs");
    let next = jobs.next.map_or_else(String::new, |next| format!(", the next at {}", moment(next, facts.now)));
    if !by_tick && !beat.provider_ticks && !is_builtin(&beat.provider) {
        let summary = format!("`{}` decides when to fire {firing}{next}", beat.provider);
        return Verdict::new(VerdictKind::External, summary);
    }
    let summary = match (jobs.enabled, by_tick) {
        (0, _) => "it turns, and there is no enabled job to fire".into(),
        (_, true) => format!("`sched tick` comes regularly, for {firing}{next}"),
        (_, false) => format!("the daemon is well and fires {firing}{next}"),
    };
    Verdict::new(VerdictKind::Live, summary)
}

/// The store that can't be read, as a problem, and why.
fn unread_store(facts: &Facts) -> Option<(Problem, &str)> {
    let why = facts.store_error.as_deref()?;
    let what = format!("the store can't be read here, so nothing is known of the jobs: {why}");
    let hint = facts.store_hint.as_deref().unwrap_or("run `sched validate` as the user that owns the home");
    Some((Problem::new("store", what, hint), why))
}

/// What was found beside the verdict and isn't among these problems.
fn untold<'a>(facts: &'a Facts, told: &[Problem]) -> impl Iterator<Item = &'a Problem> {
    facts.problems.iter().filter(move |problem| !told.iter().any(|told| told.key == problem.key))
}

/// What is wrong with a scheduler that fires.
fn shortcomings(facts: &Facts, beat: &Heartbeat, standby: bool) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Some(why) = &beat.fallback_reason {
        let what = format!("the provider `{}` fires instead of the one that was asked for: {why}", beat.provider);
        // What is wrong with config.yaml and what came of it are one problem, under the key of its cause.
        let cause = facts.problems.iter().find(|problem| problem.what == *why);
        let (key, hint) = cause.map_or(("fallback", "correct `provider` in config.yaml"), |it| (&it.key, &it.hint));
        problems.push(Problem::new(key, what, format!("{hint}, then send the daemon SIGHUP")));
    } else if beat.provider != TICK && !same_provider(&beat.provider, &facts.provider_configured) {
        let what = format!(
            "config.yaml asks for the provider `{}`, `{}` is in force",
            facts.provider_configured, beat.provider
        );
        problems.push(Problem::remark("provider-changed", what, "send the daemon SIGHUP to bring it into force"));
    }
    problems.extend(unread_store(facts).map(|(problem, _)| problem));
    // In standby everything falls due and nothing fires: that is what was asked for.
    for (job, at) in facts.jobs.overdue.iter().filter(|_| !standby) {
        let what = format!("job `{job}` was due at {} and has not fired", moment(*at, facts.now));
        problems.push(Problem::new(format!("overdue-{job}"), what, format!("see `sched history {job}` and the log")));
    }
    problems
}

/// What is wrong with jobs themselves, whether anything fires them or not, and with who watches over that.
fn lasting_problems(facts: &Facts) -> Vec<Problem> {
    let mut problems = Vec::new();
    for trouble in &facts.jobs.troubled {
        let job = &trouble.job;
        let ended = match trouble.result {
            RunResult::TimedOut => "took too long and was stopped",
            RunResult::Unknown => "was cut off, and nobody saw how it ended",
            RunResult::Cancelled => "was cancelled",
            RunResult::Failed | RunResult::Succeeded => "failed",
        };
        let why = trouble.message.as_ref().map_or_else(String::new, |why| format!(": {why}"));
        let what = format!("the last run of job `{job}` {ended} at {}{why}", moment(trouble.at, facts.now));
        let (key, hint) = (format!("job-{job}"), format!("see `sched logs {job} --run {}`", trouble.run));
        problems.push(if trouble.acknowledged {
            // Somebody is at it: no reason for alarm, until it fails anew.
            Problem::remark(key, format!("{what} (acknowledged)"), hint)
        } else {
            Problem::new(key, what, hint)
        });
    }
    for (job, until) in &facts.jobs.silent_until {
        let what = format!("the clock was set back: job `{job}` fires nothing until {}", moment(*until, facts.now));
        problems.push(Problem::new(format!("silent-{job}"), what, "check the machine's time source"));
    }
    problems.extend(account::problems(facts));
    problems.extend(facts.missed_watchdog());
    problems
}

fn is_builtin(provider: &str) -> bool {
    provider.is_empty() || crate::provider::BUILTIN_ALIASES.contains(&provider)
}

/// What `sched tick` calls itself: it fires whatever provider is configured for a daemon.
const TICK: &str = "tick";

fn same_provider(one: &str, other: &str) -> bool {
    one == other || is_builtin(one) && is_builtin(other)
}
