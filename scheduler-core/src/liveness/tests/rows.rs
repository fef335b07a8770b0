//! Every row of the verdict, and which of two rows wins.

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
    Troubled { job: "backup".parse().unwrap(), run: RunId::random(now()), result, at: ago(7200), message }
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
fn healthy_ones() {
    check(live(), |_| {}, V::Live, "the daemon is well and fires 2 jobs, the next at 2026-11-22T03:01:00Z (in 1m)");
    check(live(), |f| aged(f, 199), V::Live, "");
    check(live(), |f| f.jobs = JobFacts::default(), V::Live, "no enabled job");
    check(live(), |f| f.jobs.paused = 1, V::Live, "fires 1 job,");
    check(live(), |f| f.problems.push(Problem::remark("r", "w", "h")), V::Live, "");
    check(live(), |f| f.jobs.open.push(open("running", false)), V::Live, "");
    check(live(), |f| f.machine_id = None, V::Live, "");
    check(live(), |f| f.pid_ns = None, V::Live, "");
    check(live(), |f| f.holder_state = None, V::Live, "");
    check(live(), |f| f.tick = Err(Unreadable::Empty), V::Live, "");
    check(live(), |f| f.tick = Ok(beat(f, 20_000)), V::Live, "");
    check_beat(|b| b.phase = Phase::Ticking, V::Live, "");
    // Set by an hour either way: the time since boot says when it was.
    check_beat(|b| b.at = ago(3600), V::Live, "");
    check_beat(|b| b.at = ago(-3600), V::Live, "");
    // A longer interval is allowed longer silence.
    check(
        live(),
        |f| {
            aged(f, 900);
            f.beat.as_mut().unwrap().interval_s = 300.0;
        },
        V::Live,
        "",
    );
    check_beat(|b| b.provider = "none".into(), V::Standby, "provider is `none`");
    check(live(), |f| f.jobs.paused = 2, V::Standby, "paused: 2 enabled jobs, all of them");
    check_beat(
        |b| {
            b.provider = "crontab".into();
            b.provider_ticks = false;
        },
        V::External,
        "`crontab` decides when to fire 2 jobs",
    );
    check_beat(|b| b.provider = "chronos".into(), V::Live, "");
}

#[test]
fn starting() {
    check(
        live(),
        |f| {
            young(f);
            f.beat = Err(Unreadable::Missing);
        },
        V::Starting,
        "30s ago, and has not beaten yet",
    );
    check(
        live(),
        |f| {
            young(f);
            f.beat = Err(Unreadable::Empty);
        },
        V::Starting,
        "has not beaten yet",
    );
    check(
        live(),
        |f| {
            young(f);
            of_another(f.beat.as_mut().unwrap());
        },
        V::Starting,
        "of another process",
    );
    // A pid comes again; its start doesn't.
    check(live(), young, V::Starting, "of another process");
    check(
        live(),
        |f| {
            young(f);
            f.beat.as_mut().unwrap().phase = Phase::Stopped;
        },
        V::Starting,
        "",
    );
    check(
        live(),
        |f| {
            young(f);
            f.beat.as_mut().unwrap().boot_id = "before".into();
        },
        V::Starting,
        "",
    );
    let unticked = |f: &mut Facts| {
        young(f);
        let beat = f.beat.as_mut().unwrap();
        beat.proc_start = f.lock.holder.as_ref().unwrap().start_time;
        beat.last_success_at = None;
    };
    check(live(), unticked, V::Starting, "no tick has finished yet");
    check(
        live(),
        |f| {
            unticked(f);
            f.beat.as_mut().unwrap().phase = Phase::Ticking;
        },
        V::Starting,
        "",
    );
    check(
        live(),
        |f| {
            unticked(f);
            f.beat.as_mut().unwrap().phase = Phase::Draining;
        },
        V::Draining,
        "",
    );
    check(
        live(),
        |f| {
            unticked(f);
            f.beat.as_mut().unwrap().status = Status::Error;
        },
        V::Failing,
        "",
    );
    // For too long.
    check(live(), |f| of_another(f.beat.as_mut().unwrap()), V::Stalled, "another process");
    check_beat(|b| b.last_success_at = None, V::Stalled, "9h 51m 40s ago, and no tick has finished yet");
    check_beat(|b| b.phase = Phase::Starting, V::Stalled, "no tick has finished yet");
}

#[test]
fn stopped() {
    let free = |f: &mut Facts| f.lock.held = false;
    let stopped = |f: &mut Facts| {
        free(f);
        f.beat.as_mut().unwrap().phase = Phase::Stopped;
    };
    check(Facts::default(), |_| {}, V::Stopped, "no home");
    check(
        live(),
        |f| {
            free(f);
            f.beat = Err(Unreadable::Missing);
        },
        V::Stopped,
        "none has run here; 2 enabled jobs don't fire",
    );
    check(live(), stopped, V::Stopped, "the daemon was stopped at 2026-11-22T02:59:50Z (10s ago); 2 enabled jobs");
    check(
        live(),
        |f| {
            stopped(f);
            f.jobs.paused = 1;
        },
        V::Stopped,
        "; 1 enabled job doesn't fire",
    );
    check(
        live(),
        |f| {
            stopped(f);
            f.problems.push(problem());
        },
        V::Stopped,
        "",
    );
    check(
        live(),
        |f| {
            stopped(f);
            f.beat.as_mut().unwrap().boot_id = "before".into();
        },
        V::Stopped,
        "",
    );
    check(
        live(),
        |f| {
            stopped(f);
            f.beat.as_mut().unwrap().machine_id = Some("other".into());
        },
        V::Stopped,
        "",
    );
    check(
        live(),
        |f| {
            stopped(f);
            f.jobs.open.push(open("running", true));
        },
        V::Stopped,
        "",
    );
    // One tick since the stop may have been by hand; two are a habit.
    check(
        ticked(),
        |f| {
            f.beat = Ok(beat(f, 100));
            f.beat.as_mut().unwrap().phase = Phase::Stopped;
        },
        V::Stopped,
        "",
    );
    // A run that `sched fire` waits for itself is nobody's crash.
    let fired = |f: &mut Facts| {
        free(f);
        f.beat = Err(Unreadable::Missing);
        f.jobs.open.push(open("running", false));
    };
    check(live(), fired, V::Stopped, "");
}

#[test]
fn unknown() {
    let free = |f: &mut Facts| f.lock.held = false;
    let garbage = || Err(Unreadable::Garbage("its checksum is wrong".into()));
    let failed = || Err(Unreadable::Failed("cannot be read: permission denied".into()));
    check(
        live(),
        |f| f.lock.unreadable = Some("cannot be opened: permission denied".into()),
        V::Unknown,
        "whether a daemon runs",
    );
    check(live(), |f| f.lock.holder = None, V::Unknown, "which process");
    check(live(), |f| f.lock.holder.as_mut().unwrap().boot_id = "other".into(), V::Unknown, "another machine or boot");
    check(live(), |f| f.lock.holder.as_mut().unwrap().start_time = u64::MAX, V::Unknown, "another machine or boot");
    check(live(), |f| f.lock.holder.as_mut().unwrap().start_time = 10 * 3600 * 100 + 600, V::Unknown, "");
    check(live(), |f| f.boot_id = None, V::Unknown, "another machine or boot");
    check(live(), |f| f.beat = Err(Unreadable::Missing), V::Unknown, "but there is no heartbeat");
    check(live(), |f| f.beat = Err(Unreadable::Empty), V::Unknown, "is empty");
    check(live(), |f| f.beat = garbage(), V::Unknown, "its checksum is wrong");
    check(live(), |f| f.beat = failed(), V::Unknown, "permission denied");
    check(
        live(),
        |f| {
            young(f);
            f.beat = garbage();
        },
        V::Unknown,
        "",
    );
    check_beat(|b| b.machine_id = Some("other".into()), V::Unknown, "is of another machine");
    check_beat(|b| b.at = "2099-01-01T00:00:00Z".parse().unwrap(), V::Unknown, "off by more than a day");
    check_beat(|b| b.at = ago(90_000), V::Unknown, "off by more than a day");
    check_beat(|b| b.boottime_ns += 60_000_000_000, V::Unknown, "from the future");
    check_beat(|b| b.progress_monotonic_ns = u64::MAX, V::Unknown, "from the future");
    check_beat(|b| b.provider_monotonic_ns = Some(u64::MAX), V::Unknown, "from the future");
    check(
        live(),
        |f| {
            free(f);
            f.beat = garbage();
        },
        V::Unknown,
        "how the last one ended",
    );
    check(
        live(),
        |f| {
            free(f);
            f.beat = Err(Unreadable::Empty);
        },
        V::Unknown,
        "",
    );
    check(
        live(),
        |f| {
            free(f);
            f.beat.as_mut().unwrap().machine_id = Some("other".into());
        },
        V::Unknown,
        "on this machine",
    );
    check(
        live(),
        |f| {
            free(f);
            f.beat.as_mut().unwrap().boottime_ns = u64::MAX;
        },
        V::Unknown,
        "from the future",
    );
    check(ticked(), |f| f.tick = garbage(), V::Unknown, "sched tick");
    check(ticked(), |f| f.beat = garbage(), V::Unknown, "");
    check(
        ticked(),
        |f| {
            f.tick = Err(Unreadable::Missing);
            f.store_error = Some("it is torn".into());
        },
        V::Unknown,
        "it is torn",
    );
    check_tick(|t| t.machine_id = Some("other".into()), V::Unknown, "is of another machine");
    check_tick(|t| t.monotonic_ns = u64::MAX, V::Unknown, "from the future");
    check_tick(|t| t.at = "2099-01-01T00:00:00Z".parse().unwrap(), V::Unknown, "off by more than a day");
}

#[test]
fn crashed() {
    let free = |f: &mut Facts| f.lock.held = false;
    check(
        live(),
        free,
        V::Crashed,
        "died without a word after its beat at 2026-11-22T02:59:50Z (10s ago), at cycle 500",
    );
    check(
        live(),
        |f| {
            free(f);
            f.beat.as_mut().unwrap().boot_id = "before".into();
        },
        V::Crashed,
        "since the machine was restarted",
    );
    check(
        live(),
        |f| {
            free(f);
            f.beat = Err(Unreadable::Missing);
            f.jobs.open.push(open("running", true));
        },
        V::Crashed,
        "one that died left 1 run open",
    );
    check(
        live(),
        |f| {
            free(f);
            aged(f, 20_000);
            f.problems.push(problem());
        },
        V::Crashed,
        "",
    );
    check(
        live(),
        |f| {
            free(f);
            f.beat.as_mut().unwrap().status = Status::Error;
        },
        V::Crashed,
        "",
    );
    check(
        live(),
        |f| {
            free(f);
            f.beat.as_mut().unwrap().phase = Phase::Draining;
        },
        V::Crashed,
        "",
    );
    check(live(), |f| f.holder_state = Some('Z'), V::Crashed, "still holds its lock");

    let mut facts = live();
    free(&mut facts);
    facts.jobs.open = vec![open("running", true), open("queued", false)];
    let evidence = verdict(&facts).evidence.join("\n");
    assert!(
        evidence
            .contains("of job `backup` is running since 2026-11-22T02:59:10Z (50s ago), process 99, its owner is dead"),
        "{evidence}"
    );
}

#[test]
fn stalled() {
    check(live(), |f| f.holder_state = Some('T'), V::Stalled, "frozen");
    check(
        live(),
        |f| {
            young(f);
            f.holder_state = Some('T');
        },
        V::Stalled,
        "frozen",
    );
    check(
        live(),
        |f| {
            f.holder_state = Some('T');
            f.beat = Err(Unreadable::Empty);
        },
        V::Stalled,
        "frozen",
    );
    // The state of whatever has that pid in another namespace is no evidence.
    check(
        live(),
        |f| {
            f.holder_state = Some('T');
            f.pid_ns = Some(2);
        },
        V::Live,
        "",
    );
    check(live(), |f| aged(f, 200), V::Stalled, "stuck for 3m 20s (phase idle, cycle 500)");
    // The beat goes on, the engine doesn't: somebody else published.
    check_beat(|b| b.progress_monotonic_ns -= 300_000_000_000, V::Stalled, "stuck for 5m 10s");
    check_beat(|b| b.provider_monotonic_ns = Some(0), V::Stalled, "the provider `builtin` has been stuck for 8h");
    check_beat(|b| b.provider_monotonic_ns = None, V::Stalled, "the provider");
    check_beat(
        |b| {
            b.provider_monotonic_ns = Some(0);
            b.provider_ticks = false;
        },
        V::Live,
        "",
    );
    // A beat can't ask for a week of patience.
    check(
        live(),
        |f| {
            aged(f, 20_000);
            f.beat.as_mut().unwrap().interval_s = 1e12;
        },
        V::Stalled,
        "",
    );
    check(
        live(),
        |f| {
            aged(f, 200);
            f.beat.as_mut().unwrap().interval_s = -1.0;
        },
        V::Stalled,
        "",
    );
    check(
        live(),
        |f| {
            aged(f, 300);
            f.beat.as_mut().unwrap().status = Status::Error;
        },
        V::Stalled,
        "",
    );
    check(
        live(),
        |f| {
            aged(f, 300);
            f.beat.as_mut().unwrap().phase = Phase::Draining;
        },
        V::Stalled,
        "",
    );
    check(
        live(),
        |f| {
            aged(f, 300);
            f.problems.push(problem());
        },
        V::Stalled,
        "",
    );
}

#[test]
fn a_night_asleep_is_no_stall() {
    let mut facts = live();
    facts.beat = Ok(beat(&facts, 10));
    facts.boottime += 9 * HOUR;
    facts.now += SignedDuration::from_hours(9);
    check(facts, |_| {}, V::Live, "");
}

#[test]
fn failing_and_draining() {
    let fail = |b: &mut Heartbeat| {
        b.status = Status::Error;
        b.error = Some(Failure { message: "cannot write journal: no space left".into(), since: ago(600), count: 7 });
    };
    check_beat(
        fail,
        V::Failing,
        "every tick has failed since 2026-11-22T02:50:00Z (10m ago) (7 so far): cannot write journal",
    );
    check_beat(|b| b.status = Status::Error, V::Failing, "did not say why");
    check_beat(
        |b| {
            fail(b);
            b.phase = Phase::Draining;
        },
        V::Failing,
        "",
    );
    check_beat(
        |b| {
            fail(b);
            b.fallback_reason = Some("x".into());
        },
        V::Failing,
        "",
    );
    check_beat(|b| b.phase = Phase::Draining, V::Draining, "about to end");
    check_beat(|b| b.phase = Phase::Stopped, V::Draining, "");
    check(
        live(),
        |f| {
            f.jobs.open = vec![open("running", false), open("queued", false)];
            f.beat.as_mut().unwrap().phase = Phase::Draining;
        },
        V::Draining,
        "waits for 1 open run;",
    );
    check(
        live(),
        |f| {
            f.problems.push(problem());
            f.beat.as_mut().unwrap().phase = Phase::Draining;
        },
        V::Draining,
        "",
    );
    // The provider has ended by then.
    check_beat(
        |b| {
            b.phase = Phase::Draining;
            b.provider_monotonic_ns = Some(0);
        },
        V::Draining,
        "",
    );
}

#[test]
fn degraded() {
    let job = || "backup".parse().unwrap();
    check_beat(
        |b| b.fallback_reason = Some("no provider `chrnos`".into()),
        V::Degraded,
        "`builtin` fires instead of the one that was asked for: no provider `chrnos`",
    );
    check(live(), |f| f.problems.push(problem()), V::Degraded, "it fires, but: job `x` is invalid");
    check(
        live(),
        |f| f.jobs.overdue.push((job(), ago(900))),
        V::Degraded,
        "was due at 2026-11-22T02:45:00Z (15m ago) and has not fired",
    );
    check(
        live(),
        |f| f.jobs.troubled.push(trouble(RunResult::Failed)),
        V::Degraded,
        "the last run of job `backup` failed at 2026-11-22T01:00:00Z (2h ago): exit status 2",
    );
    check(live(), |f| f.jobs.troubled.push(trouble(RunResult::TimedOut)), V::Degraded, "took too long");
    check(live(), |f| f.jobs.troubled.push(trouble(RunResult::Unknown)), V::Degraded, "was cut off");
    check(
        live(),
        |f| f.jobs.silent_until.push((job(), ago(-7200))),
        V::Degraded,
        "fires nothing until 2026-11-22T05:00:00Z (in 2h)",
    );
    check(
        live(),
        |f| f.store_error = Some("it is torn".into()),
        V::Degraded,
        "nothing is known of the jobs: it is torn",
    );
    check(
        live(),
        |f| {
            f.problems = vec![problem(), problem()];
        },
        V::Degraded,
        "2 things need attention, first: job `x`",
    );
    // It wins over the healthy rows.
    check(
        live(),
        |f| {
            f.jobs.paused = 2;
            f.problems.push(problem());
        },
        V::Degraded,
        "",
    );
    check(
        live(),
        |f| {
            f.beat.as_mut().unwrap().provider = "none".into();
            f.problems.push(problem());
        },
        V::Degraded,
        "",
    );
    let external = |f: &mut Facts| {
        let b = f.beat.as_mut().unwrap();
        b.provider = "crontab".into();
        b.provider_ticks = false;
    };
    check(
        live(),
        |f| {
            external(f);
            f.jobs.overdue.push((job(), ago(900)));
        },
        V::Degraded,
        "",
    );
    // In standby everything falls due, as it should.
    check(
        live(),
        |f| {
            f.beat.as_mut().unwrap().provider = "none".into();
            f.jobs.overdue.push((job(), ago(900)));
        },
        V::Standby,
        "",
    );
}

#[test]
fn homes_driven_by_ticks() {
    check(ticked(), |_| {}, V::Live, "`sched tick` comes regularly, for 2 jobs");
    check(ticked(), |f| f.lock = LockFacts { held: true, ..LockFacts::default() }, V::Unknown, "");
    check(
        ticked(),
        |f| {
            f.beat = Ok(beat(f, 9000));
            f.beat.as_mut().unwrap().phase = Phase::Stopped;
        },
        V::Live,
        "",
    );
    check(
        ticked(),
        |f| {
            f.beat = Ok(beat(f, 9000));
        },
        V::Degraded,
        "it fires, but: the daemon died after its beat",
    );
    check_tick(|t| t.previous_at = None, V::Stopped, "");
    check_tick(|t| t.status = Status::Error, V::Failing, "");
    check_tick(|t| t.last_success_at = None, V::Stalled, "none has come to its end");
    check_tick(|t| t.last_success_at = Some(ago(5000)), V::Stalled, "none has come to its end");
    check_tick(|t| t.provider = "none".into(), V::Standby, "");
    check_tick(|t| t.phase = Phase::Draining, V::Live, "");
    check(ticked(), |f| f.jobs.troubled.push(trouble(RunResult::Failed)), V::Degraded, "");
    // 3 x 300 s + 20 s of being awake.
    let old = |seconds: u64| {
        move |f: &mut Facts| f.tick = Ok(Heartbeat { previous_at: Some(ago(seconds as i64 + 300)), ..beat(f, seconds) })
    };
    check(ticked(), old(919), V::Live, "");
    check(ticked(), old(920), V::Stalled, "came 15m 20s ago; one is expected every 5m");
    // A gap of a day doesn't buy three days of patience.
    let rare = |seconds: u64| {
        move |f: &mut Facts| f.tick = Ok(Heartbeat { previous_at: Some(ago(86_400)), ..beat(f, seconds) })
    };
    check(ticked(), rare(10_819), V::Live, "");
    check(ticked(), rare(10_820), V::Stalled, "");
    check(
        ticked(),
        |f| {
            f.tick.as_mut().unwrap().boot_id = "before".into();
        },
        V::Stalled,
        "since the machine started 8h ago",
    );
    check(
        ticked(),
        |f| {
            f.tick.as_mut().unwrap().boot_id = "before".into();
            f.monotonic = Duration::from_mins(1);
        },
        V::Starting,
        "since the machine started 1m ago",
    );
    check(ticked(), |f| f.boot_id = None, V::Stalled, "");
}

#[test]
fn a_provider_that_was_changed_since_is_a_remark() {
    let remarks = |configured: &str| {
        let mut facts = live();
        facts.provider_configured = configured.into();
        let verdict = verdict(&facts);
        assert_eq!(verdict.kind, V::Live);
        verdict.problems.into_iter().map(|problem| problem.what).collect::<Vec<_>>()
    };
    assert_eq!(remarks("none"), ["config.yaml asks for the provider `none`, `builtin` is in force"]);
    assert_eq!(remarks("in-process"), [""; 0]);
    assert_eq!(remarks(""), [""; 0]);
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
