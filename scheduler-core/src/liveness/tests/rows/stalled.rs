//! Does what is there get on? The daemon, and ticks from outside.

use super::*;

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
    // Nor does a clock that was set forwards by a day between two ticks.
    let set = |seconds: u64| {
        move |f: &mut Facts| {
            let tick = beat(f, seconds);
            let before = Some(tick.boottime_ns - 300_000_000_000);
            f.tick = Ok(Heartbeat { previous_at: Some(ago(86_400)), previous_boottime_ns: before, ..tick });
        }
    };
    check(ticked(), set(919), V::Live, "");
    check(ticked(), set(920), V::Stalled, "");
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
