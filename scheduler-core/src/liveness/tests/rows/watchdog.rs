//! Does the watchdog still come?

use super::*;

const MINUTE: Duration = Duration::from_mins(1);

/// A watchdog that came `seconds` ago.
fn came(facts: &mut Facts, seconds: u64) {
    let awake = facts.monotonic.checked_sub(Duration::from_secs(seconds)).unwrap();
    let beat = WatchdogBeat::new(ago(seconds as i64), MINUTE).in_boot(Some("boot".into()), awake);
    facts.watchdog.beat = Ok(beat);
}

#[test]
fn one_that_comes_or_was_never_meant_to_is_no_problem() {
    check(live(), |_| {}, V::Live, "");
    check(live(), |f| came(f, 0), V::Live, "");
    check(live(), |f| came(f, 180), V::Live, "");
    check(ticked(), |f| came(f, 180), V::Live, "");
    // What config.yaml says counts more than what it said of itself.
    let five_minutes = |f: &mut Facts| {
        f.watchdog.every = Some(5 * MINUTE);
        came(f, 900);
    };
    check(live(), five_minutes, V::Live, "");
    // Asleep for two days: nobody could come.
    let slept = |f: &mut Facts| {
        came(f, 60);
        f.watchdog.beat.as_mut().unwrap().at = ago(200_000);
    };
    check(live(), slept, V::Live, "");
    // Just started: it has three intervals to come again.
    let other_boot = |f: &mut Facts| f.watchdog.beat.as_mut().unwrap().boot_id = "before".into();
    let rebooted = |f: &mut Facts| {
        came(f, 7000);
        other_boot(f);
        f.monotonic = Duration::from_secs(170);
        f.boottime = f.monotonic;
        f.lock = LockFacts::default();
        f.beat.as_mut().unwrap().boot_id = "before".into();
    };
    check(live(), rebooted, V::Crashed, "");
    let mut facts = live();
    rebooted(&mut facts);
    assert!(verdict(&facts).problems.iter().all(|problem| problem.key != "watchdog"), "{:#?}", verdict(&facts));
    facts.monotonic = Duration::from_secs(190);
    assert!(verdict(&facts).problems.iter().any(|problem| problem.key == "watchdog"), "{:#?}", verdict(&facts));
}

#[test]
fn a_silent_one_is_told_under_every_verdict() {
    check(
        live(),
        |f| came(f, 181),
        V::Degraded,
        "it fires, but: the watchdog has been silent for 3m 1s: it came last at",
    );
    check(ticked(), |f| came(f, 7000), V::Degraded, "the watchdog has been silent for 1h 56m 40s");
    let tight = |f: &mut Facts| {
        f.watchdog.every = Some(Duration::from_secs(10));
        came(f, 31);
    };
    check(live(), tight, V::Degraded, "should come every 10s");
    check(live(), |f| f.watchdog.every = Some(MINUTE), V::Degraded, "should come every 1m, and none has ever come");
    check(
        live(),
        |f| f.watchdog.beat = Err(Unreadable::Empty),
        V::Degraded,
        "can't be known: the heartbeat's file is empty",
    );
    let ahead = |f: &mut Facts| {
        came(f, 0);
        f.watchdog.beat.as_mut().unwrap().monotonic_ns += 6_000_000_000;
    };
    check(live(), ahead, V::Degraded, "can't be believed");
    let standby = |f: &mut Facts| {
        came(f, 181);
        f.beat.as_mut().unwrap().provider = "none".into();
    };
    check(live(), standby, V::Degraded, "silent");
    // Without a boot id there is only the clock on the wall.
    let no_boot = |seconds: u64| {
        move |f: &mut Facts| {
            came(f, seconds);
            f.watchdog.beat.as_mut().unwrap().boot_id.clear();
        }
    };
    check(live(), no_boot(170), V::Live, "");
    check(live(), no_boot(190), V::Degraded, "silent");
    let mut facts = live();
    came(&mut facts, 1000);
    facts.lock.held = false;
    let verdict = verdict(&facts);
    assert_eq!(verdict.kind, V::Crashed);
    assert!(verdict.problems.iter().any(|problem| problem.key == "watchdog"), "{verdict:#?}");
}
