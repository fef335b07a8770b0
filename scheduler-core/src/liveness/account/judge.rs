//! What of an account is a problem: pure.

use std::{fmt, time::Duration};

use jiff::Timestamp;

use super::look::Account;
use crate::{
    liveness::{
        facts::Facts,
        heartbeat::Unreadable,
        words::{moment, span},
    },
    store::Problem,
};

/// After how many of its intervals a look is missed.
const PATIENCE: u32 = 3;

/// What is known of the history of a home.
///
/// ```
/// use scheduler_core::liveness::{AccountFacts, Unreadable};
/// let AccountFacts { every, last, acknowledged_at, .. } = AccountFacts::default();
/// assert_eq!((every, last, acknowledged_at), (None, Err(Unreadable::Missing), None));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountFacts {
    /// How often it is looked at, if it is meant to be.
    pub every: Option<Duration>,
    /// What the last look found.
    pub last: Result<Account, Unreadable>,
    /// When somebody has taken note of what is missing.
    pub acknowledged_at: Option<Timestamp>,
}

impl Default for AccountFacts {
    /// Nobody is meant to look, and nobody has.
    fn default() -> Self {
        Self { every: None, last: Err(Unreadable::Missing), acknowledged_at: None }
    }
}

impl AccountFacts {
    /// Whether something is missing, and somebody has taken note of all of it.
    ///
    /// ```
    /// use scheduler_core::liveness::AccountFacts;
    /// assert!(!AccountFacts::default().is_acknowledged(), "nothing is missing");
    /// ```
    pub fn is_acknowledged(&self) -> bool {
        let found_at = self.last.as_ref().ok().and_then(|last| last.found_at);
        found_at.is_some_and(|found| self.acknowledged_at.is_some_and(|known| known >= found))
    }
}

/// What is missing, and why more can't be known.
pub(in crate::liveness) fn problems(facts: &Facts) -> Vec<Problem> {
    const KEY: &str = "account";
    let unknown = |why: &dyn fmt::Display, hint: &str| {
        Problem::new(KEY, format!("whether everything that was owed is on record is not known: {why}"), hint)
    };
    let mut problems = Vec::new();
    match &facts.account.last {
        Ok(last) => {
            problems.extend(missing(last, facts));
            if let Some(error) = &last.error {
                let why = format!("looking has failed since {}: {}", moment(error.since, facts.now), error.message);
                problems.push(unknown(&why, "put right what the message names; `sched audit` looks at once"));
            } else if let Some((job, why)) = &last.unjudged {
                let hint = "put the files in state/ledger back from a backup; or change the job, and it is judged from then on";
                problems.push(unknown(&format_args!("job `{job}` can't be judged: {why}"), hint).of_job(job));
            }
        }
        Err(Unreadable::Missing) => {}
        Err(why) => problems.push(unknown(
            &format_args!("state/account.json: {}", unreadable(why)),
            "remove the file; the next look writes it anew",
        )),
    }
    if problems.iter().all(|problem| problem.key != KEY)
        && let Some(silent) = silence(facts)
    {
        let why = format!("nobody has looked for {}", span(silent));
        problems.push(unknown(
            &why,
            "see the daemon's log; `kill -HUP` has it look again, and `sched audit` looks at once",
        ));
    }
    problems
}

fn unreadable(why: &Unreadable) -> String {
    match why {
        Unreadable::Missing | Unreadable::Empty => "it is empty".into(),
        Unreadable::Garbage(why) => format!("it makes no sense: {why}"),
        Unreadable::Failed(why) => format!("it {why}"),
    }
}

fn missing(last: &Account, facts: &Facts) -> Option<Problem> {
    let (what, first) = (last.sentence()?, last.unrecorded.first()?);
    let hint =
        format!("`sched why {}` and `sched audit` say more; then `sched alerts ack {}`", first.first(), Account::KEY);
    let problem = if facts.account.is_acknowledged() {
        Problem::remark(Account::KEY, format!("{what} (acknowledged)"), hint)
    } else {
        Problem::new(Account::KEY, what, hint)
    };
    let is_one = last.more == 0 && last.unrecorded.iter().all(|one| one.job == first.job);
    Some(if is_one { problem.of_job(&first.job) } else { problem })
}

/// For how long whoever keeps the home has not looked, if it should have. A daemon looks when it starts and by the time that it
/// is awake; every `sched tick` looks if the last look is too old.
fn silence(facts: &Facts) -> Option<Duration> {
    let patience = facts.account.every?.saturating_mul(PATIENCE);
    let last = facts.account.last.as_ref().ok();
    if facts.lock.held {
        let beat = facts.beat.as_ref().ok()?;
        let up = facts.now.duration_since(beat.started_at).unsigned_abs().min(facts.monotonic);
        let awake = match last {
            Some(last) if facts.boot_id.as_deref().unwrap_or_default() == last.boot_id => {
                facts.monotonic.saturating_sub(Duration::from_nanos(last.monotonic_ns))
            }
            _ => facts.monotonic,
        };
        return Some(up.min(awake)).filter(|silent| *silent > patience);
    }
    // Two ticks, so that one has ended.
    let tick = facts.tick.as_ref().ok()?;
    let before = tick.previous_at?;
    Duration::try_from(before.duration_since(last?.at)).ok().filter(|age| *age > patience)
}
