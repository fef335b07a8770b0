//! Is there anything that could fire?

use super::*;

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
        "none has left a heartbeat here; 2 enabled jobs don't fire",
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
            let beat = f.beat.as_mut().unwrap();
            let message = "it is stuck; it ended itself (exit code 70)".into();
            (beat.status, beat.error) = (Status::Error, Some(Failure { message, since: beat.at, count: 1 }));
        },
        V::Crashed,
        "died after its beat at 2026-11-22T02:59:50Z (10s ago), at cycle 500; its last word was: it is stuck; it ended itself",
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
