//! A journal that is torn is read to where it was promised; one that is damaged is refused, with file, place and remedy.

use std::fs;

use super::bench::Place;

/// A home with some history, and its journal.
fn lived() -> (Place, std::path::PathBuf) {
    let place = Place::beating();
    place.write_jobs(&[place.job("job", "* * * * * *", "")]);
    let mut daemon = place.daemon();
    place.until_started("job", 3);
    daemon.stop();
    let journal = place.home().join("state/journal.1");
    (place, journal)
}

#[test]
fn a_torn_tail_costs_nothing_that_was_there_before_it() {
    let (place, journal) = lived();
    // From a byte of the last frame to more than the last two, which are of the end of the last run and of its process.
    for torn in [1, 2, 50, 150, 250, 400] {
        let history = place.history("job");
        let whole = fs::read(&journal).expect("a journal");
        fs::write(&journal, &whole[..whole.len() - torn]).expect("written");
        let before = place.effects("job").len();
        let mut daemon = place.daemon();
        place.until_started("job", before + 1);
        daemon.stop();
        let log = daemon.log();
        assert!(!log.contains("ERROR") && !log.contains("damaged"), "{torn}: {log}");
        let after = place.history("job");
        // What was written before the last run ended stands, and so does its start.
        let kept = history.len() - 1;
        assert_eq!(after[..kept], history[..kept], "{torn}");
        place.no_instant_twice("job");
    }
}

#[test]
fn a_flipped_byte_in_the_middle_is_refused_with_file_offset_and_remedy_and_nothing_fires() {
    let (place, journal) = lived();
    let whole = fs::read(&journal).expect("a journal");
    let before = place.effect_log();
    for at in [whole.len() / 4, whole.len() / 2] {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x40;
        fs::write(&journal, &damaged).expect("written");
        let place_of_it = format!("{} is damaged at byte ", journal.display());
        for command in [&["run"][..], &["tick"], &["fire", "job"], &["list"]] {
            place.fails(command, 1, &[&place_of_it, "hint: ", "`sched repair`", "from a backup"]);
        }
        let (code, status) = place.status();
        assert!(code >= 4, "{status:#}");
        let problems = status["problems"].to_string();
        assert!(problems.contains(&place_of_it) && problems.contains("from a backup"), "{status:#}");
        assert_eq!(fs::read(&journal).expect("a journal"), damaged, "it is left as it is, to be looked at");
        assert_eq!(place.effect_log(), before, "nothing fires");
    }
    fs::write(&journal, &whole).expect("written");
    let mut daemon = place.daemon();
    place.until_verdict("live", 0);
    daemon.stop();
}

#[test]
fn a_home_that_a_newer_version_wrote_is_left_as_it_is_and_says_so() {
    let (place, journal) = lived();
    let manifest = place.home().join("state/MANIFEST");
    let (format, records) = (fs::read(&manifest).expect("a manifest"), fs::read(&journal).expect("a journal"));
    let before = place.effect_log();
    let newer = String::from_utf8(format.clone()).expect("text").replace("\"format\":1", "\"format\":3");
    // A newer version knows how to make its own checksum fit.
    let newer = newer.split(",\"crc32\"").next().map(|rest| format!("{rest}}}\n")).expect("a manifest");
    assert_ne!(newer.as_bytes(), format, "it is another format now");
    fs::write(&manifest, &newer).expect("written");
    let writing = [
        &["run"][..],
        &["tick"],
        &["fire", "job"],
        &["add", "@daily", "--", "true"],
        &["edit", "job", "--clear", "tags"],
        &["remove", "job"],
        &["pause", "job"],
        &["resume", "job"],
        &["repair", "--yes"],
    ];
    let reading = [&["list"][..], &["show", "job"], &["next", "job"], &["history"], &["logs", "job"]];
    for command in writing.into_iter().chain(reading) {
        place.fails(
            command,
            1,
            &["MANIFEST has format 3; this build knows 2", "hint: use the newer sched that wrote it"],
        );
    }
    assert_eq!(fs::read_to_string(&manifest).expect("a manifest"), newer);
    assert_eq!(fs::read(&journal).expect("a journal"), records);
    assert_eq!(place.effect_log(), before, "nothing fires");
    let (code, status) = place.status();
    assert!(code >= 4 && status["problems"].to_string().contains("use the newer sched that wrote it"), "{status:#}");
    fs::write(&manifest, format).expect("written");
    place.ok(&["list"]);
}

#[test]
fn a_manifest_that_vanishes_under_a_daemon_is_named_and_its_return_is_all_it_takes() {
    let place = Place::beating();
    place.write_jobs(&[place.job("job", "* * * * * *", "")]);
    let mut daemon = place.daemon();
    place.until_started("job", 1);
    let (manifest, away) = (place.home().join("state/MANIFEST"), place.path("MANIFEST"));
    fs::rename(&manifest, &away).expect("taken away");
    let status = place.until_verdict("failing", 4);
    let named = format!("{} has been taken away", manifest.display());
    assert!(status["summary"].as_str().is_some_and(|summary| summary.contains(&named)), "{status:#}");
    daemon.until_logged(&named);
    fs::rename(&away, &manifest).expect("put back");
    place.until_started("job", place.effects("job").len() + 2);
    place.until_verdict("live", 0);
    daemon.stop();
    place.no_instant_twice("job");
}
