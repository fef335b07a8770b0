//! Is everything that was owed on record, and has anybody looked?

use super::*;

fn last(facts: &mut Facts) -> &mut Account {
    facts.account.last.as_mut().unwrap()
}

/// Nothing is on record of a minute at midnight, and it was found out an hour ago.
fn missing(facts: &mut Facts) {
    let (job, at) = ("backup".parse().unwrap(), ago(3 * 3600));
    last(facts).unrecorded.push(Unrecorded { job, from: at, to: at, count: 1 });
    last(facts).found_at = Some(ago(3600));
}

#[test]
fn what_is_on_no_record_is_degraded_until_somebody_takes_note_of_it() {
    let says = "nothing is on record of `backup@2026-11-22T00:00:00Z`, which was owed";
    check(live(), missing, V::Degraded, says);
    check(ticked(), missing, V::Degraded, says);
    let acknowledged = |f: &mut Facts, seconds: i64| {
        missing(f);
        f.account.acknowledged_at = Some(ago(seconds));
    };
    check(live(), |f| acknowledged(f, 1800), V::Live, "");
    check(live(), |f| acknowledged(f, 7200), V::Degraded, says);
    let several = |f: &mut Facts| {
        missing(f);
        last(f).more = 7;
    };
    check(live(), several, V::Degraded, "8 instants that were owed, the first `backup@2026-11-22T00:00:00Z`");
    let mut facts = live();
    missing(&mut facts);
    let problem = verdict(&facts).problems.remove(0);
    assert_eq!(
        (problem.key.as_str(), problem.job.as_ref().map(ToString::to_string).as_deref()),
        ("unrecorded", Some("backup"))
    );
    assert!(problem.hint.starts_with("`sched why backup@2026-11-22T00:00:00Z`"), "{}", problem.hint);
    // It is told of a scheduler that doesn't fire, too.
    facts.lock = LockFacts::default();
    assert!(verdict(&facts).problems.iter().any(|problem| problem.key == "unrecorded"), "{:#?}", verdict(&facts));
}

#[test]
fn nobody_is_well_whose_history_could_not_be_looked_at() {
    let failed = |f: &mut Facts| {
        let error = Failure { message: "cannot read state/ledger".into(), since: ago(7200), count: 2 };
        last(f).error = Some(error);
    };
    check(
        live(),
        failed,
        V::Degraded,
        "looking has failed since 2026-11-22T01:00:00Z (2h ago): cannot read state/ledger",
    );
    let unjudged = |f: &mut Facts| last(f).unjudged = Some(("backup".parse().unwrap(), "it is gone".into()));
    check(live(), unjudged, V::Degraded, "job `backup` can't be judged: it is gone");
    let garbage = |f: &mut Facts| f.account.last = Err(Unreadable::Garbage("no JSON".into()));
    check(live(), garbage, V::Degraded, "state/account.json: it makes no sense: no JSON");
}

#[test]
fn whoever_keeps_the_home_must_have_looked_in_its_time() {
    let silent = "nobody has looked for";
    // By the time that the machine was awake.
    let awake = |f: &mut Facts, seconds: u64| f.account.last = Ok(looked(f, seconds));
    check(live(), |f| awake(f, 3 * 3600), V::Live, "");
    check(live(), |f| awake(f, 3 * 3600 + 60), V::Degraded, silent);
    let slept = |f: &mut Facts| {
        awake(f, 60);
        last(f).at = ago(200_000);
    };
    check(live(), slept, V::Live, "");
    // A daemon that has just come has not looked yet; one that was there for hours has to.
    let never = |f: &mut Facts| f.account.last = Err(Unreadable::Missing);
    let young = |f: &mut Facts| f.beat.as_mut().unwrap().started_at = ago(60);
    check(live(), never, V::Degraded, silent);
    check(
        live(),
        |f| {
            never(f);
            young(f);
        },
        V::Live,
        "",
    );
    check(
        live(),
        |f| {
            awake(f, 20_000);
            young(f);
        },
        V::Live,
        "",
    );
    let before_the_boot = |f: &mut Facts| last(f).boot_id = "before".into();
    check(live(), before_the_boot, V::Degraded, silent);
    // Where nobody is meant to look, nobody is missed.
    check(
        live(),
        |f| {
            never(f);
            f.account.every = None;
        },
        V::Live,
        "",
    );
    // A tick looks if the last look is too old, however seldom ticks come.
    let before = |f: &mut Facts, seconds: i64| last(f).at = ago(seconds);
    check(ticked(), |f| before(f, 3 * 3600), V::Live, "");
    check(ticked(), |f| before(f, 4 * 3600), V::Degraded, silent);
}
