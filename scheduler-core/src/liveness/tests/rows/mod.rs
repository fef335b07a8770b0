//! Every row of the verdict, and which of two rows wins: tables through one `check`.

mod account;
mod firing;
mod presence;
mod stalled;
mod watchdog;

use super::*;
use crate::{RunId, RunResult, store::Problem};
use VerdictKind as V;

/// `facts`, changed, are judged `kind`, in a summary that says `says`.
#[track_caller]
fn check(mut facts: Facts, change: impl FnOnce(&mut Facts), kind: V, says: &str) {
    change(&mut facts);
    let verdict = verdict(&facts);
    assert_eq!(verdict.kind, kind, "{verdict:#?}");
    assert!(verdict.summary.contains(says), "`{says}` is not in `{}`", verdict.summary);
    assert!(verdict.problems.iter().all(|problem| !problem.hint.is_empty()), "{verdict:#?}");
    assert!(!verdict.evidence.is_empty());
    // Whoever is woken by it must be told what to do.
    let calm = matches!(kind, V::Live | V::Standby | V::External | V::Starting | V::Draining);
    assert!(calm || verdict.problems.iter().any(|problem| !problem.remark), "{verdict:#?}");
}

/// The same for a change of the daemon's beat.
#[track_caller]
fn check_beat(change: impl FnOnce(&mut Heartbeat), kind: V, says: &str) {
    check(live(), |f| change(f.beat.as_mut().unwrap()), kind, says);
}

/// The same for a change of the last tick's beat.
#[track_caller]
fn check_tick(change: impl FnOnce(&mut Heartbeat), kind: V, says: &str) {
    check(ticked(), |f| change(f.tick.as_mut().unwrap()), kind, says);
}

fn problem() -> Problem {
    Problem::new("entry-x", "job `x` is invalid", "correct the entry")
}

fn trouble(result: RunResult) -> Troubled {
    let message = Some("exit status 2".to_owned());
    Troubled {
        job: "backup".parse().unwrap(),
        run: RunId::random(now()),
        result,
        at: ago(7200),
        message,
        acknowledged: false,
    }
}

fn open(state: &'static str, abandoned: bool) -> OpenRun {
    let job = "backup".parse().unwrap();
    OpenRun { job, run: RunId::random(now()), state, since: Some(ago(50)), pid: Some(99), abandoned }
}

fn young(facts: &mut Facts) {
    facts.lock.holder.as_mut().unwrap().start_time = 10 * 3600 * 100 - 3000;
}

fn of_another(beat: &mut Heartbeat) {
    beat.pid = 1;
}

fn aged(facts: &mut Facts, seconds: u64) {
    facts.beat = Ok(beat(facts, seconds));
}

#[test]
fn words_and_codes() {
    let all = [
        V::Starting,
        V::Stopped,
        V::Unknown,
        V::Crashed,
        V::Stalled,
        V::Failing,
        V::Draining,
        V::Degraded,
        V::Standby,
        V::External,
        V::Live,
    ];
    assert_eq!(all.map(V::exit_code), [4, 4, 5, 4, 4, 4, 4, 3, 0, 0, 0]);
    for kind in all {
        assert_eq!(serde_json::to_string(&kind).unwrap(), format!("{:?}", kind.word().to_lowercase()));
    }
}
