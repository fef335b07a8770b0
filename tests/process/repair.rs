//! A home that is damaged under a daemon, and the way back: `sched repair`, and then everything fires again, nothing twice.

use std::{fs, path::Path};

use super::bench::Place;

/// Flips a bit in the first half of a file: in what came before the last run.
fn damage(path: &Path) {
    let mut bytes = fs::read(path).expect("a file of the store");
    let early = bytes.len() / 4;
    bytes[early] ^= 4;
    fs::write(path, bytes).expect("written");
}

#[test]
fn a_damaged_home_fires_again_after_a_repair_and_no_instant_of_it_twice() {
    let place = Place::beating();
    place.write_jobs(&[place.job("job", "* * * * * *", ""), place.job("long", "@manually", "sleep 1000")]);
    let mut daemon = place.daemon();
    place.until_started("job", 3);
    place.ok(&["fire", "long"]);
    place.until_started("long", 1);
    let refused = ["a daemon already runs on ", "(pid ", "hint: stop it first"];
    place.fails(&["repair", "--yes"], 75, &refused);
    daemon.kill();
    let journal = place.home().join("state/journal.1");
    damage(&journal);
    let damaged = fs::read(&journal).expect("a journal");
    let place_of_it = format!("{} is damaged at byte ", journal.display());
    for command in [&["run"][..], &["tick"], &["list"]] {
        place.fails(command, 1, &[&place_of_it, "hint: ", "`sched repair`"]);
    }
    let (code, status) = place.status();
    assert!(code >= 4 && status["problems"].to_string().contains("`sched repair`"), "{status:#}");

    let shown = place.run(&["repair", "--dry-run"]);
    assert!(shown.code == Some(3) && shown.out.contains(&place_of_it), "{shown:?}");
    assert_eq!(fs::read(&journal).expect("a journal"), damaged, "nothing is done yet");
    let before = place.effects("job");
    let said = place.ok(&["repair", "--yes"]);
    assert!(
        said.contains("repaired: 2 jobs") && said.contains("1 run goes on") && said.contains("state/damaged-"),
        "{said}"
    );
    assert!(!journal.exists());
    let aside =
        fs::read_dir(place.home().join("state")).expect("the state").filter_map(Result::ok).map(|entry| entry.path());
    let aside = aside.into_iter().find(|path| path.display().to_string().contains("/damaged-")).expect("a folder");
    assert_eq!(fs::read(aside.join("journal.1")).expect("the journal"), damaged);
    assert_eq!(place.ok(&["repair"]).trim(), "nothing to repair");

    let mut daemon = place.daemon();
    place.until_started("job", before.len() + 2);
    place.until_status("the daemon fires", |status| status["verdict"] == "live" || status["verdict"] == "degraded");
    place.no_instant_twice("job");
    place.ok(&["cancel", "long"]);
    place.until_status("its end", |_| place.ends("long") == ["cancelled"]);
    daemon.stop();
    assert_eq!(place.effects("long").len(), 1, "it is not made again");
}

#[test]
fn a_repair_is_refused_while_a_process_without_the_daemons_lock_owns_runs() {
    let place = Place::beating();
    place.write_jobs(&[place.job("job", "@manually", "sleep 1000")]);
    place.ok(&["list"]);
    let waiting = place.start(&["fire", "job", "--wait"]);
    place.until_started("job", 1);
    place.fails(&["repair"], 75, &["a process that runs jobs of this home is alive", "hint: ", "fuser -v"]);
    place.ok(&["cancel", "job"]);
    assert_eq!(waiting.ran().code, Some(1));
}
