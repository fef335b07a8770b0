//! Whatever one thing is spoiled in the facts of a scheduler that is well, the verdict is never healthy.

use proptest::prelude::*;

use super::*;
use crate::{RunId, RunResult, store::Problem};

/// One thing gone wrong, by its number; `amount` is how badly.
fn spoil(facts: &mut Facts, what: usize, amount: u64) {
    let seconds = amount % 1_000_000_000;
    let job = || "j".parse().unwrap();
    let beat_of = |facts: &mut Facts, change: &dyn Fn(&mut Heartbeat)| {
        let beat = if facts.lock.held { &mut facts.beat } else { &mut facts.tick };
        if let Ok(beat) = beat {
            change(beat);
        }
    };
    let other = |name: &str| format!("{name}-{amount}");
    let unreadable = match amount % 4 {
        0 => Unreadable::Missing,
        1 => Unreadable::Empty,
        2 => Unreadable::Garbage("x".into()),
        _ => Unreadable::Failed("x".into()),
    };
    match what {
        0 => facts.lock = LockFacts { held: !facts.lock.held, ..LockFacts::default() },
        1 => facts.lock.unreadable = Some("x".into()),
        2 if facts.lock.held => facts.beat = Err(unreadable),
        2 => facts.tick = Err(unreadable),
        3 => beat_of(facts, &|beat| beat.boot_id = other("boot")),
        4 => beat_of(facts, &|beat| beat.machine_id = Some(other("machine"))),
        5 => facts.boot_id = amount.is_multiple_of(2).then(|| other("boot")),
        6 => facts.machine_id = Some(other("machine")),
        7 => facts.monotonic += Duration::from_secs(4000 + seconds),
        8 => facts.monotonic = Duration::from_secs(seconds % 28_000),
        9 => facts.boottime = Duration::from_secs(seconds % 35_000),
        10 => facts.now += SignedDuration::from_secs(90_000 + seconds as i64),
        11 => facts.now -= SignedDuration::from_secs(90_000 + seconds as i64),
        12 => beat_of(facts, &|beat| beat.boottime_ns = u64::MAX - amount % (1 << 60)),
        13 => beat_of(facts, &|beat| beat.monotonic_ns = u64::MAX - amount % (1 << 60)),
        14 => beat_of(facts, &|beat| beat.status = Status::Error),
        15 => beat_of(facts, &|beat| beat.last_success_at = None),
        16 => beat_of(facts, &|beat| beat.fallback_reason = Some("x".into())),
        17 => facts.home_exists = false,
        18 => facts.store_error = Some("x".into()),
        19 => facts.problems.push(Problem::new("x", "x", "x")),
        20 => facts.jobs.overdue.push((job(), now())),
        21 => facts.jobs.silent_until.push((job(), now())),
        22 => {
            let (job, run) = (job(), RunId::random(now()));
            facts.jobs.troubled.push(Troubled {
                job,
                run,
                result: RunResult::Unknown,
                at: now(),
                message: None,
                acknowledged: false,
            });
        }
        23 => facts.watchdog.every = Some(Duration::from_secs(seconds)),
        // What only a daemon's facts have.
        24 => facts.lock.holder = None,
        25 => facts.lock.holder.as_mut().unwrap().pid += 1 + (amount % 1000) as u32,
        26 => facts.lock.holder.as_mut().unwrap().start_time += 1 + amount,
        27 => facts.lock.holder.as_mut().unwrap().boot_id = other("boot"),
        28 => facts.holder_state = Some(['T', 'Z', 'X'][(amount % 3) as usize]),
        29 => beat_of(facts, &|beat| {
            beat.phase = [Phase::Starting, Phase::Draining, Phase::Stopped][(amount % 3) as usize];
        }),
        30 => beat_of(facts, &|beat| beat.progress_monotonic_ns = amount % 27_000_000_000_000),
        31 => beat_of(facts, &|beat| beat.provider_monotonic_ns = Some(amount % 27_000_000_000_000)),
        32 => beat_of(facts, &|beat| beat.provider_monotonic_ns = None),
        33 => {
            let account = facts.account.last.as_mut().unwrap();
            account.unrecorded.push(Unrecorded { job: job(), from: now(), to: now(), count: amount });
        }
        _ => unreachable!(),
    }
}

proptest! {
    #[test]
    fn a_daemon_with_anything_spoiled_is_not_healthy(what in 0usize..34, amount in 0..u64::MAX / 4) {
        let mut facts = live();
        spoil(&mut facts, what, amount);
        let verdict = verdict(&facts);
        prop_assert!(verdict.kind.exit_code() != 0, "{what}, {amount}: {verdict:#?}");
    }

    #[test]
    fn ticks_with_anything_spoiled_are_not_healthy(what in 0usize..24, amount in 0..u64::MAX / 4) {
        let mut facts = ticked();
        spoil(&mut facts, what, amount);
        let verdict = verdict(&facts);
        prop_assert!(verdict.kind.exit_code() != 0, "{what}, {amount}: {verdict:#?}");
    }

    /// No wall time, sane or not, makes the arithmetic give up.
    #[test]
    fn no_time_is_too_strange(
        seconds in Timestamp::MIN.as_second()..=Timestamp::MAX.as_second(),
        boot in any::<u64>(),
    ) {
        for mut facts in [live(), ticked()] {
            facts.now = Timestamp::from_second(seconds).unwrap();
            facts.boottime = Duration::from_nanos(boot);
            verdict(&facts);
            facts.beat = Ok(Heartbeat { at: facts.now, boottime_ns: boot, interval_s: f64::MAX, ..beat(&live(), 0) });
            verdict(&facts);
        }
    }
}
