//! Jitter and groups, where they are about processes: several that look at once, and some that die.

use std::fs;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::bench::{Place, eventually};

/// The most jobs at work at once, by a log in which each leaves a `+` when it begins and a `-` when it ends.
fn most_at_once(log: &str) -> usize {
    let (mut now, mut most) = (0_usize, 0);
    for line in log.lines() {
        now = if line == "+" { now + 1 } else { now - 1 };
        most = most.max(now);
    }
    most
}

/// A home with six jobs of a group that work for a second, and room for `most` of them.
fn six_in_a_group(most: usize) -> Place {
    let place = Place::empty();
    place.write("config.yaml", format!("ticker: {{interval: 1s}}\ngroups: {{g: {{max_parallel: {most}}}}}\n"));
    let log = place.path("work").display().to_string();
    let command = format!("echo + >> {log}; sleep 1; echo - >> {log}");
    let job = |n: usize| json!({"id": format!("job{n}"), "schedule": "@yearly", "command": command, "group": "g"});
    place.write_jobs(&(0..6).map(job).collect::<Vec<_>>());
    place
}

/// Waits until `count` have begun and ended; answers the log.
fn all_of(place: &Place, count: usize) -> String {
    eventually(&format!("{count} jobs have worked"), || {
        let log = fs::read_to_string(place.path("work")).unwrap_or_default();
        if log.lines().filter(|line| *line == "-").count() == count { Ok(log) } else { Err(log) }
    })
}

#[test]
fn a_group_of_two_never_has_three_at_work_and_all_have_their_turn() {
    // With room for all the oracle sees them all, so it can see a third.
    for (room, at_once) in [(6, 6), (2, 2)] {
        let place = six_in_a_group(room);
        let mut daemon = place.daemon();
        (0..6).for_each(|n| drop(place.ok(&["fire", &format!("job{n}")])));
        assert_eq!(most_at_once(&all_of(&place, 6)), at_once, "{}", daemon.log());
        let ran = |n: usize| place.ends(&format!("job{n}"));
        eventually("all are in the history", || {
            let ends: Vec<_> = (0..6).map(ran).collect();
            if ends.iter().all(|ends| ends == &["succeeded"]) { Ok(()) } else { Err(format!("{ends:?}")) }
        });
        daemon.stop();
    }
}

#[test]
fn a_group_holds_across_the_daemon_and_ticks() {
    let place = six_in_a_group(2);
    let mut daemon = place.daemon();
    let go = place.path("go");
    fs::write(&go, "").expect("a file");
    let script = format!("while [ -e {} ]; do sched tick || exit; done", go.display());
    let mut ticks: Vec<_> = (0..2).map(|_| place.start_script(&script)).collect();
    for _ in 0..2 {
        (0..6).for_each(|n| drop(place.ok(&["fire", &format!("job{n}"), "--force"])));
    }
    let log = all_of(&place, 12);
    fs::remove_file(&go).expect("the loops end");
    for tick in &mut ticks {
        assert_eq!(tick.wait().code(), Some(0), "{}", tick.log());
    }
    assert_eq!(most_at_once(&log), 2, "{}", daemon.log());
    daemon.stop();
}

#[test]
fn a_place_that_a_dead_daemon_held_is_free_again_and_that_of_an_orphan_is_not() {
    let place = Place::empty();
    place.write("config.yaml", "ticker: {interval: 1s}\ngroups: {g: {max_parallel: 1}}\n");
    let gate = super::bench::Gate::new(&place, "gate");
    let mut first = place.job("first", "@yearly", &gate.wait());
    let mut second = place.job("second", "@yearly", "");
    for job in [&mut first, &mut second] {
        job["group"] = json!("g");
    }
    place.write_jobs(&[first, second]);
    let mut daemon = place.daemon();
    place.ok(&["fire", "first"]);
    place.until_started("first", 1);
    place.ok(&["fire", "second"]);
    daemon.kill();
    let mut daemon = place.daemon();
    let is = |status: &Value, job: &str, state: &str| {
        let open = status["jobs"]["open"].as_array().expect("a list");
        open.iter().any(|run| run["job"] == job && run["state"] == state)
    };
    place.until_status("the orphan keeps its place", |status| {
        is(status, "first", "orphaned") && is(status, "second", "queued")
    });
    place.ok(&["cancel", "first"]);
    place.until_started("second", 1);
    daemon.stop();
}

#[test]
fn jitter_is_the_same_after_every_death_and_nothing_starts_early() {
    let place = Place::beating();
    let log = place.path("effects");
    // The time is taken by the process itself.
    let command = format!("echo job $SCHED_SCHEDULED_AT $(date -u +%Y-%m-%dT%H:%M:%S.%NZ) >> {}", log.display());
    let jitter = |id: &str| json!({"id": id, "schedule": "* * * * * *", "command": command, "jitter": "999ms"});
    place.write_jobs(&[jitter("job")]);
    let own = {
        let shown: Value = serde_json::from_str(&place.ok(&["show", "job", "--json"])).expect("JSON");
        shown["settings"]["jitter"]["own_s"].as_f64().expect("its part")
    };
    assert!(own > 0.05, "an early start would show: {own}");
    for round in 1..=3 {
        let mut daemon = place.daemon();
        place.until_started("job", 3 * round);
        daemon.kill();
    }
    let effects = place.effects("job");
    for effect in &effects {
        let (instant, started) = effect.split_once(' ').expect("two times");
        let (instant, started): (Timestamp, Timestamp) =
            (instant.parse().expect("an instant"), started.parse().expect("a time"));
        assert_eq!(instant.subsec_nanosecond(), 0, "instants stay what they are");
        let after = started.duration_since(instant);
        assert!(after >= SignedDuration::from_secs_f64(own), "{effect}: {after} after, and {own} s are its own");
    }
    let mut instants: Vec<&str> = effects.iter().filter_map(|effect| effect.split(' ').next()).collect();
    instants.dedup();
    assert_eq!(instants.len(), effects.len(), "no instant twice: {effects:?}");
}
