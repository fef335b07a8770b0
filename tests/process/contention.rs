//! Many processes on one home: an instant is one start, whoever is faster.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, thread,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::bench::{Place, eventually};

/// Instants that a job was started at more than once, and those between the first and the last second common to all jobs
/// that it was not started at.
fn faults(log: &str) -> (Vec<String>, Vec<String>) {
    let (mut seen, mut doubles) = (BTreeMap::<&str, BTreeSet<Timestamp>>::new(), Vec::new());
    for line in log.lines() {
        let (job, at) = line.split_once(' ').expect("job and instant");
        if !seen.entry(job).or_default().insert(at.parse().expect("an instant")) {
            doubles.push(line.to_owned());
        }
    }
    let first = seen.values().filter_map(|instants| instants.first().copied()).max();
    let last = seen.values().filter_map(|instants| instants.last().copied()).min();
    let mut holes = Vec::new();
    if let (Some(mut at), Some(last)) = (first, last) {
        while at <= last {
            holes.extend(seen.iter().filter(|(_, i)| !i.contains(&at)).map(|(job, _)| format!("{job} {at}")));
            at += SignedDuration::from_secs(1);
        }
    }
    (doubles, holes)
}

#[test]
fn the_oracle_sees_doubles_and_holes() {
    let honest = "a 2026-01-01T00:00:00Z\nb 2026-01-01T00:00:00Z\nb 2026-01-01T00:00:01Z\na 2026-01-01T00:00:01Z\na 2026-01-01T00:00:02Z\nb 2026-01-01T00:00:02Z\n";
    let check = |log: &str, doubles: &[&str], holes: &[&str]| {
        let (doubled, holed) = faults(log);
        assert_eq!((doubled, holed), (words(doubles), words(holes)), "{log}");
    };
    check(honest, &[], &[]);
    check(&format!("{honest}b 2026-01-01T00:00:01Z\n"), &["b 2026-01-01T00:00:01Z"], &[]);
    check(&honest.replace("b 2026-01-01T00:00:01Z\n", ""), &[], &["b 2026-01-01T00:00:01Z"]);
    check(&honest.replace("a 2026-01-01T00:00:02Z\n", ""), &[], &[]);
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn a_daemon_and_five_looping_ticks_start_every_instant_of_sixty_jobs_once() {
    let place = Place::beating();
    let jobs: Vec<_> = (0..60)
        .map(|n| {
            let mut job = place.job(&format!("job{n:02}"), "* * * * * *", "");
            // On a busy machine an instant may come late, but none may be left out.
            job["overlap"] = json!("allow");
            job["misfire"] = json!({"policy": "all", "max": 1000});
            job
        })
        .collect();
    place.write_jobs(&jobs);
    let go = place.path("go");
    fs::write(&go, "").expect("a file");
    let mut daemon = place.daemon();
    let script = format!("while [ -e {} ]; do sched tick || exit; done", go.display());
    let mut ticks: Vec<_> = (0..5).map(|_| place.start_script(&script)).collect();
    // How long they contend; nothing waits for anything here.
    thread::sleep(Duration::from_secs(10));
    fs::remove_file(&go).expect("the loops end");
    for tick in &mut ticks {
        assert_eq!(tick.wait().code(), Some(0), "{}", tick.log());
    }
    daemon.stop();
    // What was still queued is somebody's to start: nothing is lost with the process that admitted it.
    eventually("nothing is left in the queue", || {
        place.ok(&["tick"]);
        let (_, status) = place.status();
        let open = status["jobs"]["open"].as_array().map_or(0, Vec::len);
        if open == 0 { Ok(()) } else { Err(format!("{open} open")) }
    });
    let log = place.effect_log();
    let (doubles, holes) = faults(&log);
    assert_eq!((doubles, holes), (Vec::new(), Vec::new()), "{}", daemon.log());
    let starts = log.lines().count();
    assert!(starts >= 60 * 8, "only {starts} starts in 10 s");
}
