//! What an operator is told of a night with real processes in it: every instant accounted for, and each explained.

use std::{fs, thread, time::Duration};

use jiff::Timestamp;
use rustix::process::Signal;
use scheduler_core::{
    Home, SystemClock,
    store::{JsonStore, JsonStoreOptions},
};
use serde_json::{Value, json};

use super::bench::{Gate, Place, eventually};

impl Place {
    fn audit(&self, code: i32) -> Value {
        let ran = self.run(&["audit", "--json"]);
        assert_eq!(ran.code, Some(code), "{ran:?}");
        serde_json::from_str(&ran.out).expect("JSON")
    }

    /// The answer about one instant of a job.
    fn why(&self, job: &str, instant: &str) -> Value {
        let told = self.ok(&["why", &format!("{job}@{instant}"), "--json"]);
        let mut told: Value = serde_json::from_str(&told).expect("JSON");
        told["answers"][0].take()
    }
}

fn count(audit: &Value, job: &str, end: &str) -> u64 {
    let jobs = audit["jobs"].as_array().expect("a list");
    let job = jobs.iter().find(|entry| entry["job"] == job).expect("the job is in the audit");
    job["ends"][end].as_u64().unwrap_or(0)
}

/// The causes on record, oldest first.
fn causes(audit: &Value) -> Vec<&str> {
    let outages = audit["outages"].as_array().expect("a list");
    outages.iter().filter_map(|outage| outage["cause"].as_str()).collect()
}

/// The first entry of `job` that ended so, as the history has it.
fn entry(place: &Place, job: &str, verdict: &str) -> Value {
    eventually(&format!("`{job}` {verdict}"), || {
        let history = place.history(job);
        history.iter().find(|entry| entry["verdict"] == verdict).cloned().ok_or_else(|| format!("{history:#?}"))
    })
}

#[test]
fn a_night_with_everything_in_it_is_accounted_for_and_each_instant_explained() {
    let place = Place::beating();
    let mut gate = Gate::new(&place, "long");
    place.write_jobs(&[
        place.job("often", "* * * * * *", ""),
        place.job("long", "* * * * * *", &gate.wait()),
        place.job("paused", "* * * * * *", ""),
    ]);
    let mut daemon = place.daemon();
    place.until_started("often", 2);
    place.until_started("long", 1);
    place.ok(&["pause", "paused", "--reason", "the network is moved"]);

    // While one run goes on, its job's next instants are skipped.
    let skipped = entry(&place, "long", "skipped");
    let ran = entry(&place, "often", "succeeded");

    daemon.kill();
    // Nobody is there while some seconds pass; the runs go on, or end unseen.
    let gone = Timestamp::now();
    eventually("three seconds without anybody", || {
        let passed = Timestamp::now().duration_since(gone);
        if passed.as_secs() >= 3 { Ok(()) } else { Err(format!("{passed}")) }
    });
    let during = gone + Duration::from_secs(1);
    let waiting = place.why("often", &during.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    assert_eq!(waiting["verdict"], "waiting", "{waiting:#}");
    assert_eq!(waiting["outages"][0]["cause"], "crashed", "{waiting:#}");
    let audit = place.audit(0);
    assert!(count(&audit, "often", "waiting") >= 2, "{audit:#}");

    let mut daemon = place.daemon();
    let before = place.effects("often").len();
    place.until_started("often", before + 2);
    let coalesced = entry(&place, "often", "coalesced");
    // One that stands still for longer than anybody would call on time; that is the deed, not a wait.
    daemon.signal(Signal::STOP);
    thread::sleep(Duration::from_secs(7));
    daemon.signal(Signal::CONT);
    let before = place.effects("often").len();
    place.until_started("often", before + 2);
    let audit = eventually("a record of it", || {
        let audit = place.audit(0);
        if causes(&audit).contains(&"stalled") { Ok(audit) } else { Err(format!("{audit:#}")) }
    });
    assert_eq!(causes(&audit), ["crashed", "stalled"], "{audit:#}");
    for outage in audit["outages"].as_array().expect("a list") {
        assert!(outage["skipped"].as_u64() >= Some(1), "what came meanwhile is its cost: {outage:#}");
    }
    assert!(count(&audit, "paused", "paused") >= 1, "{audit:#}");
    assert!(count(&audit, "long", "overlap") >= 1, "{audit:#}");

    // The kill left a run that nobody saw the end of.
    gate.open_for_good();
    let unknown = entry(&place, "long", "unknown");
    daemon.stop();
    let instant = |entry: &Value, field: &str| entry[field].as_str().expect("an instant").to_owned();
    let check = |job: &str, instant: &str, verdict: &str, holds: &dyn Fn(&Value) -> bool| {
        let answer = place.why(job, instant);
        assert!(answer["verdict"] == verdict && holds(&answer), "{job}@{instant}: {answer:#}");
    };
    check("often", &instant(&ran, "owed_at"), "ran", &|answer| answer["outages"] == json!([]));
    check("long", &instant(&skipped, "owed_at"), "skipped", &|answer| {
        answer["reason"] == "overlap" && answer["in_the_way"]["verdict"] == "unknown"
    });
    check("often", &instant(&coalesced, "from"), "coalesced", &|answer| {
        answer["outages"][0]["cause"] == "crashed" && answer["in_its_place"]["job"] == "often"
    });
    check("long", &instant(&unknown, "owed_at"), "ran", &|answer| {
        answer["attempts"][0]["verdict"] == "unknown" && answer["outages"][0]["cause"] == "crashed"
    });
    check("paused", &during.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), "paused", &|answer| {
        answer["paused_at"].is_string() && answer["resumed_at"].is_null()
    });
    check("often", "2020-01-01T00:00:00Z", "not_owed", &|answer| answer["reason"] == "not_yet_defined");
    let between = instant(&ran, "owed_at").replace("+00:00", ".5+00:00");
    check("often", &between, "not_owed", &|answer| answer["reason"] == "not_in_schedule");
}

#[test]
fn a_record_that_is_gone_is_missed() {
    let place = Place::beating();
    place.write_jobs(&[place.job("often", "* * * * * *", "")]);
    let mut daemon = place.daemon();
    place.until_started("often", 5);
    daemon.stop();
    place.audit(0);
    let options = JsonStoreOptions::new(Home::new(place.home()), std::sync::Arc::new(SystemClock));
    let store = JsonStore::open(&options).expect("a store");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(store.compact()).expect("a compaction");
    drop(store);
    assert!(place.audit(0)["owed"].as_u64() >= Some(4), "files of the history count as the journal did");

    let ledger = place.home().join("state/ledger");
    let names = fs::read_dir(&ledger).expect("a folder").map(|entry| entry.expect("a name").path());
    let mut days: Vec<_> = names.filter(|path| !path.to_string_lossy().contains("definitions")).collect();
    days.sort();
    let text = fs::read_to_string(&days[0]).expect("a day");
    let gone = text.lines().nth(2).expect("a third entry");
    let kept: Vec<&str> = text.lines().filter(|line| *line != gone).collect();
    fs::write(&days[0], format!("{}\n", kept.join("\n"))).expect("a day without an entry");

    let entry: Value = serde_json::from_str(gone).expect("JSON");
    let instant = entry["occurrence"]["id"]["key"].as_str().expect("an instant");
    let audit = place.audit(3);
    assert_eq!((&audit["missing"], &audit["complete"]), (&json!(1), &json!(false)), "{audit:#}");
    let missing = audit["jobs"][0]["missing"][0]["from"].as_str().expect("an instant");
    assert_eq!(missing.parse::<Timestamp>().ok(), instant.parse().ok());
    let told = |line: &[&str], parts: &[&str]| {
        let ran = place.run(line);
        assert!(ran.code == Some(3) && parts.iter().all(|part| ran.out.contains(part)), "{ran:?}");
    };
    told(&["audit"], &["incomplete", "1 without a record", "hint: sched why often@"]);
    told(&["why", &format!("often@{instant}")], &["missing", "nothing is on record"]);
    // And one line too many is one that was not owed.
    fs::write(&days[0], text.replacen(instant, &instant.replace('Z', ".25Z"), 1)).expect("a day with a wrong entry");
    let audit = place.audit(3);
    assert_eq!(audit["jobs"][0]["stray"].as_array().map(Vec::len), Some(1), "{audit:#}");
}
