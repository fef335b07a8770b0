//! How does it fire?

use super::*;

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
    check(live(), |f| f.holder_state = Some('t'), V::Live, "");
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
    // Who has taken note of it need not be told again and again.
    let acknowledged = || Troubled { acknowledged: true, ..trouble(RunResult::Failed) };
    check(live(), |f| f.jobs.troubled.push(acknowledged()), V::Live, "");
    check(
        live(),
        |f| f.jobs.troubled.extend([acknowledged(), trouble(RunResult::Unknown)]),
        V::Degraded,
        "was cut off",
    );
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
