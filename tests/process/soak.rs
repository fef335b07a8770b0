//! kill -9 over and over, among ticks that contend: what children wrote must agree with what is on record, run by run.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::Arc,
    thread,
    time::Duration,
};

use scheduler_core::{
    Home, JobStore as _, SystemClock,
    store::{JsonStore, JsonStoreOptions, LedgerQuery, LedgerWhat},
};
use serde_json::json;

use super::bench::{Place, eventually};

/// How many cycles, unless `SCHED_SOAK_CYCLES` says another number, as `scripts/soak` does.
const CYCLES: u64 = 5;

/// How many jobs are due each second.
const JOBS: usize = 20;

/// What is wrong with a log of `begin JOB RUN` and `end JOB RUN`, in the order in which children wrote it: runs that began
/// twice, and runs that began while another of their job went on.
fn faults(log: &str) -> Vec<String> {
    let (mut seen, mut open) = (BTreeSet::new(), BTreeMap::<&str, &str>::new());
    let mut faults = Vec::new();
    for line in log.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["begin", job, run] => {
                if !seen.insert(run) {
                    faults.push(format!("{line}: twice"));
                }
                if let Some(other) = open.insert(job, run) {
                    faults.push(format!("{line}: while {other} goes on"));
                }
            }
            ["end", job, run] => {
                if open.remove(job) != Some(run) {
                    faults.push(format!("{line}: it had not begun"));
                }
            }
            _ => faults.push(format!("{line}: no such line")),
        }
    }
    faults
}

#[test]
fn the_oracle_sees_doubles_and_overlaps() {
    assert_eq!(faults("begin a 1\nbegin b 2\nend b 2\nend a 1\nbegin a 3\nend a 3\n"), Vec::<String>::new());
    assert_eq!(faults("begin a 1\nend a 1\nbegin a 1\n"), ["begin a 1: twice"]);
    assert_eq!(faults("begin a 1\nbegin a 2\n"), ["begin a 2: while 1 goes on"]);
    assert_eq!(faults("end a 1\n"), ["end a 1: it had not begun"]);
}

#[test]
fn daemons_and_ticks_killed_over_and_over_leave_a_record_that_agrees_with_what_children_did() {
    let cycles = std::env::var("SCHED_SOAK_CYCLES").map_or(CYCLES, |cycles| cycles.parse().expect("a number"));
    let place = Place::beating();
    let log = place.path("log");
    let job = |id: &str, work: &str| {
        let note = |what: &str| format!("echo {what} $SCHED_JOB_ID $SCHED_RUN_ID >> {}", log.display());
        let command = format!("{}; {work}; {}", note("begin"), note("end"));
        json!({"id": id, "schedule": "* * * * * *", "command": command})
    };
    // Those that take longer outlive their daemons.
    let work = [":", "sleep 0.4", ":", "sleep 1.3"];
    let jobs: Vec<_> = (0..JOBS).map(|n| job(&format!("job{n}"), work[n % work.len()])).collect();
    place.write_jobs(&jobs);
    place.ok(&["tick"]);
    let go = place.path("go");
    fs::write(&go, "").expect("a file");
    let script = format!("while [ -e {} ]; do sched tick; done", go.display());
    let mut ticks: Vec<_> = (0..2).map(|_| place.start_script(&script)).collect();
    let mut moment: u64 = 0x2545_f491;
    let mut next = || {
        moment = moment.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // A moment, not a wait: every step of a fire is hit sometimes.
        thread::sleep(Duration::from_millis(50 + (moment >> 33) % 1200));
    };
    for _ in 0..cycles {
        let (mut daemon, mut tick) = (place.start(&["run"]), place.start(&["tick"]));
        next();
        if tick.is_running() {
            tick.kill();
        }
        next();
        daemon.kill();
    }
    fs::remove_file(&go).expect("the loops end");
    for tick in &mut ticks {
        tick.wait();
    }
    place.ok(&["pause", "--all"]);
    eventually("nothing is open", || {
        place.ok(&["tick"]);
        let (_, status) = place.status();
        let open = status["jobs"]["open"].as_array().map_or(0, Vec::len);
        if open == 0 { Ok(()) } else { Err(format!("{open} open")) }
    });

    let audit = place.ok(&["audit"]);
    let log = fs::read_to_string(&log).expect("a log");
    assert_eq!(faults(&log), Vec::<String>::new(), "{log}");
    let begun: BTreeSet<&str> = log.lines().filter_map(|line| line.strip_prefix("begin ")?.split(' ').nth(1)).collect();
    let (mut started, mut told, mut unknown) = (BTreeSet::new(), 0, 0);
    for (run, end) in ends(&place) {
        assert!(begun.contains(run.as_str()) || end == "unknown", "{run} is recorded as {end}, and did nothing");
        *(if end == "unknown" { &mut unknown } else { &mut told }) += 1;
        assert!(started.insert(run), "a run ends once");
    }
    let unrecorded: Vec<_> = begun.iter().filter(|run| !started.contains(**run)).collect();
    assert!(unrecorded.is_empty(), "{unrecorded:?} ran, and no start is on record");
    println!("{audit}");
    println!("{cycles} cycles: {} runs, {told} ends told, {unknown} unknown", started.len());
    assert!(told as u64 >= cycles, "{told} runs that ended well are too few to mean anything");
}

/// Every run on record that was started, and how it ended.
fn ends(place: &Place) -> Vec<(String, String)> {
    let options = JsonStoreOptions::new(Home::new(place.home()), Arc::new(SystemClock)).to_look();
    let store = JsonStore::open(&options).expect("the store");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let ledger = runtime.block_on(store.ledger(LedgerQuery::default())).expect("the ledger");
    let ends = ledger.into_iter().filter_map(|entry| match entry.what {
        LedgerWhat::Occurrence { run, started_at: Some(_), end, .. } => Some((run.to_string(), end.word().to_owned())),
        _ => None,
    });
    ends.collect()
}
