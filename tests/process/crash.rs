//! kill -9 at the worst moments: what ran is known, what was promised goes on, nothing starts twice.

use std::{fs, thread, time::Duration};

use serde_json::{Value, json};

use super::bench::{Gate, Place, eventually, processes_with, within};

/// The open runs of a job, as `status` lists them.
fn open<'a>(status: &'a Value, job: &str) -> Vec<&'a Value> {
    let open = status["jobs"]["open"].as_array().expect("a list");
    open.iter().filter(|run| run["job"] == job).collect()
}

#[test]
fn a_killed_daemon_is_seen_at_once_and_the_next_one_adopts_what_lives_and_admits_what_it_does_not_know() {
    let place = Place::beating();
    let (mut lives, mut ends) = (Gate::new(&place, "lives"), Gate::new(&place, "ends"));
    place.write_jobs(&[
        place.job("lives", "* * * * * *", &lives.wait()),
        place.job("ends", "* * * * * *", &ends.wait()),
        place.job("brief", "* * * * * *", ""),
    ]);
    let mut daemon = place.daemon();
    place.until_started("lives", 1);
    place.until_started("ends", 1);
    place.until_started("brief", 1);
    daemon.kill();

    let status = within(Duration::from_secs(1), "CRASHED", || match place.status() {
        (4, status) if status["verdict"] == "crashed" => Ok(status),
        (_, status) => Err(format!("{status:#}")),
    });
    for job in ["lives", "ends"] {
        let open = open(&status, job);
        assert_eq!(open.len(), 1, "{status:#}");
        assert_eq!(open[0]["owner_is_dead"], true, "{status:#}");
    }
    let run = |job: &str| open(&status, job)[0]["run"].as_str().expect("a run").to_owned();
    let (lives_run, ends_run) = (run("lives"), run("ends"));
    assert!(status["problems"][0]["hint"].as_str().is_some_and(|hint| hint.contains("sched run")), "{status:#}");

    // One of the two ends while nobody looks.
    ends.open();
    let gone = format!("SCHED_RUN_ID={ends_run}");
    eventually("the end of `ends`", || match processes_with(&gone) {
        left if left.is_empty() => Ok(()),
        left => Err(format!("{left:?}")),
    });
    let before = place.effects("brief").len();
    let mut daemon = place.daemon();
    let status = place.until_status("`lives` is adopted", |status| {
        open(status, "lives").first().is_some_and(|run| run["state"] == "orphaned")
    });
    assert_eq!(open(&status, "lives")[0]["run"], *lives_run);
    for part in [
        format!("run {lives_run} of job `lives` outlived its daemon"),
        format!("run {ends_run} of job `ends` ended while nobody watched: recorded as unknown"),
    ] {
        daemon.until_logged(&part);
    }
    assert_eq!(place.history("ends")[0]["verdict"], "unknown");
    let alert = place.home().join("alerts/job-ends.alert");
    let told = eventually("an alert", || fs::read_to_string(&alert).map_err(|error| error.to_string()));
    assert!(told.contains(&ends_run) && told.contains("unknown"), "{told}");
    place.until_started("brief", before + 3);
    assert_eq!(place.effects("lives").len(), 1, "while the orphan lives no other one starts");

    lives.open();
    place.until_started("lives", 2);
    let first = place.history("lives").into_iter().find(|entry| entry["run"] == *lives_run).expect("its record");
    assert_eq!(first["verdict"], "unknown", "{first:#}");
    lives.open();
    ends.open();
    daemon.kill();
    for job in ["lives", "ends", "brief"] {
        place.no_instant_twice(job);
    }
}

#[test]
fn fifteen_kills_at_any_moment_and_no_instant_starts_twice() {
    let ids = ["a", "b", "c", "d"];
    let place = Place::beating();
    place.write_jobs(&ids.map(|id| place.job(id, "* * * * * *", "")));
    let mut moment: u64 = 0x2545_f491;
    for _ in 0..15 {
        let mut daemon = place.start(&["run"]);
        // A moment, not a wait: spread over more than a whole period, so that every step of a fire is hit sometimes.
        moment = moment.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        thread::sleep(Duration::from_millis(50 + (moment >> 33) % 1000));
        daemon.kill();
    }
    let before = place.effects("a").len();
    let mut daemon = place.daemon();
    place.until_started("a", before + 2);
    daemon.stop();
    for id in ids {
        place.no_instant_twice(id);
        assert!(place.effects(id).len() > 5, "it did fire in between: {}", place.effect_log());
    }
}

#[test]
fn a_tick_killed_between_claim_and_end_is_recovered_by_the_next_one() {
    let place = Place::beating();
    let mut gate = Gate::new(&place, "gate");
    let mut job = place.job("job", "* * * * * *", &gate.wait());
    job["misfire"] = json!({"policy": "skip"});
    place.write_jobs(&[job]);
    let mut tick = eventually("a tick that starts it", || {
        let mut tick = place.start(&["tick"]);
        let started =
            within(Duration::from_secs(20), "start or end", || match (place.effects("job").len(), tick.is_running()) {
                (0, true) => Err(String::new()),
                (started, _) => Ok(started > 0),
            });
        if started { Ok(tick) } else { Err(tick.log()) }
    });
    tick.kill();

    let next = place.ok(&["tick"]);
    assert!(next.contains("of job `job` outlived its daemon") && next.contains("adopted as orphaned"), "{next}");
    assert_eq!(place.effects("job").len(), 1, "while it lives no other one starts");
    gate.open_for_good();
    let done = eventually("a tick that finds it gone", || {
        let said = place.ok(&["tick"]);
        if said.contains("recorded as unknown") { Ok(said) } else { Err(said) }
    });
    assert!(done.contains("of job `job`"), "{done}");
    assert_eq!(place.ends("job").iter().filter(|end| *end == "unknown").count(), 1);
    place.no_instant_twice("job");
}

#[test]
fn a_daemon_whose_lock_is_taken_away_ends_and_nobody_starts_another_beside_it() {
    let place = Place::empty();
    // A minute is how long it takes to notice; so long there is time to look.
    place.write("config.yaml", "ticker: {interval: 30s}\n");
    place.write_jobs(&[place.job("job", "* * * * * *", "")]);
    let mut daemon = place.daemon();
    place.until_started("job", 1);
    fs::remove_dir_all(place.home().join("state")).expect("it was there");
    let status = place.until_verdict("stalled", 4);
    assert!(status["summary"].to_string().contains("runs without its lock"), "{status:#}");
    let ran = place.run(&["watchdog", "--restart"]);
    assert!(ran.code == Some(4) && !ran.out.contains("started the daemon"), "{ran:?}");
    assert_eq!(daemon.wait().code(), Some(70), "{}", daemon.log());
    assert!(daemon.log().contains("state/daemon.lock was taken away: another daemon could start"), "{}", daemon.log());
    place.until_verdict("crashed", 4);
    place.no_instant_twice("job");
}

#[test]
fn a_home_that_is_moved_away_ends_its_daemon_which_leaves_nothing_in_its_place() {
    let place = Place::beating();
    place.write_jobs(&[place.job("job", "* * * * * *", "")]);
    let mut daemon = place.daemon();
    place.until_started("job", 1);
    let away = place.path("away");
    fs::rename(place.home(), &away).expect("moved");
    assert_eq!(daemon.wait().code(), Some(70), "{}", daemon.log());
    assert!(!place.home().exists(), "what comes back must find its place free");
    fs::rename(&away, place.home()).expect("moved back");
    place.until_verdict("crashed", 4);
    let before = place.effects("job").len();
    let mut next = place.daemon();
    place.until_started("job", before + 2);
    next.stop();
    place.no_instant_twice("job");
}
