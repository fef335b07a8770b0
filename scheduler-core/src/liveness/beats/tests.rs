//! Names, files and the rows of the verdict.
#![expect(clippy::disallowed_methods, reason = "tests make the files that the code under test finds")]

use std::{
    fs,
    sync::Arc,
    thread,
    time::{Duration, SystemTime},
};

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{
    super::heartbeat::{Status, Unreadable},
    *,
};
use crate::{
    ErrorKind, Home,
    config::{self, Config},
    testing::FaultyFs,
    vfs::{RealFs, Vfs as _},
};

fn now() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

fn minutes(count: u64) -> Duration {
    Duration::from_mins(count)
}

#[test]
fn every_name_is_a_file_of_its_own_in_its_folder() {
    let check = |name: &[u8], stem: &str, shown: &str| {
        let found = BeatName::new(name);
        assert_eq!((found.stem(), found.to_string().as_str()), (stem, shown));
        assert!(found.is_called(shown));
    };
    check(b"agent", "agent", "agent");
    check(b"Agent_1.v2-x", "Agent_1.v2-x", "Agent_1.v2-x");
    check(b"", "%", "(empty)");
    check(b"%", "%25", "%");
    check(b".", "%2E", ".");
    check(b"..", "%2E.", "..");
    check(b"a/b", "a%2Fb", "a/b");
    check(b"a~b", "a%7Eb", "a~b");
    check(b"a\nb\x1b[2J", "a%0Ab%1B%5B2J", "a\\nb\\u{1b}[2J");
    check("fünf".as_bytes(), "f%C3%BCnf", "fünf");
    check(b"\xff", "%FF", "\u{fffd}");
    check(b"\0", "%00", "\\u{0}");
    let long = BeatName::new("x".repeat(10_000));
    assert_eq!(long.stem().len(), BeatName::MAX_LEN);
    assert_ne!(long, BeatName::new("x".repeat(10_001)), "they begin alike");
    assert!(long.is_called(&"x".repeat(10_000)) && long.is_called(long.stem()));
    assert_eq!(BeatName::new("it's").typed(), r"'it'\''s'");
}

proptest! {
    #[test]
    fn no_two_names_share_a_file_and_none_leaves_its_folder(one: Vec<u8>, other: Vec<u8>) {
        let (a, b) = (BeatName::new(&one), BeatName::new(&other));
        prop_assert_eq!(one == other, a == b);
        for stem in [a.stem(), b.stem()] {
            prop_assert!(stem.len() <= BeatName::MAX_LEN && !stem.is_empty() && !stem.starts_with('.'));
            prop_assert!(stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.%~".contains(&byte)), "{}", stem);
        }
    }

    #[test]
    fn whatever_is_in_a_file_is_a_beat_or_a_reason(content: Vec<u8>) {
        if let Ok(beat) = Beat::decode(&content) {
            prop_assert_eq!(beat.format, FORMAT);
        }
    }

    #[test]
    fn what_is_written_is_read(action: Option<String>, cycle: Option<u64>, set: std::collections::BTreeMap<String, String>) {
        let mut beat = Beat::new(now(), minutes(1));
        (beat.action, beat.cycle, beat.set) = (action, cycle, set);
        prop_assert_eq!(Beat::decode(&beat.encode()), Ok(beat));
    }
}

#[test]
fn a_beat_that_says_too_much_is_cut_and_not_lost() {
    let mut beat = Beat::new(now(), minutes(1));
    beat.action = Some("\u{1}ü".repeat(100_000));
    beat.set = (0..50).map(|n| (format!("{n:02}"), "\u{1}".repeat(9000))).collect();
    let file = beat.encode();
    assert!(file.len() <= MAX_LEN, "{}", file.len());
    let read = Beat::decode(&file).unwrap();
    assert!(read.action.is_some_and(|action| action.ends_with("...")));
    assert_eq!(read.set.keys().next().map(String::as_str), Some("00"), "the first are kept");
}

/// What becomes of a beat `age` old with these words about it.
#[track_caller]
fn check(beat: &Beat, age: SignedDuration, expectation: Option<&Expectation>, expected: BeatVerdict) {
    let judged = judge(&BeatName::new("a"), Ok(beat.clone()), expectation, beat.at + age, 2.0);
    assert_eq!(judged.verdict, expected, "{beat:?} {age}");
    assert_eq!(judged.problem().is_some(), expected.is_problem());
}

fn expectation(every: u64, max_age: Option<u64>) -> Expectation {
    let (every, max_age) = (minutes(every), max_age.map(minutes));
    let expected = Expected { name: BeatName::new("a"), every, max_age };
    Expectation { expected, by: ExpectedBy::Command, since: now() }
}

#[test]
fn a_beat_is_judged_by_the_first_row_that_matches() {
    let beat = Beat::new(now(), minutes(15));
    let (min, sec) = (SignedDuration::from_mins, SignedDuration::from_secs);
    check(&beat, min(0), None, BeatVerdict::Fresh);
    check(&beat, min(30), None, BeatVerdict::Fresh);
    check(&beat, min(30) + sec(1), None, BeatVerdict::Stale);
    check(&beat, sec(-60), None, BeatVerdict::Fresh);
    check(&beat, sec(-61), None, BeatVerdict::Future);
    let own = beat.clone().with_max_age(Some(minutes(20)));
    check(&own, min(20), None, BeatVerdict::Fresh);
    check(&own, min(21), None, BeatVerdict::Stale);
    // Whoever expects it decides, whatever its writer says.
    check(&own, min(59), Some(&expectation(30, None)), BeatVerdict::Fresh);
    check(&own, min(61), Some(&expectation(30, None)), BeatVerdict::Stale);
    check(&own, min(6), Some(&expectation(30, Some(5))), BeatVerdict::Stale);
    let mut sick = beat.clone();
    (sick.status, sick.action) = (Status::Error, Some("no\nroute".into()));
    check(&sick, min(1), None, BeatVerdict::Error);
    check(&sick, min(31), None, BeatVerdict::Stale);
    check(&sick, min(-5), None, BeatVerdict::Future);
    let judged = judge(&BeatName::new("a"), Ok(sick), None, now(), 2.0);
    assert!(judged.problem().unwrap().what.ends_with("that its job is not well: no route"));
    // A limit beyond all bounds is one.
    check(&Beat { interval_s: u64::MAX, ..beat }, min(10_000), None, BeatVerdict::Fresh);
}

#[test]
fn one_that_never_came_has_as_long_as_its_limit() {
    let check = |expectation: Option<&Expectation>, after: i64, expected: BeatVerdict| {
        let later = now() + SignedDuration::from_mins(after);
        let judged = judge(&BeatName::new("a"), Err(Unreadable::Missing), expectation, later, 2.0);
        assert_eq!(judged.verdict, expected, "{expectation:?} {after}");
    };
    check(None, 0, BeatVerdict::Missing);
    check(Some(&expectation(15, None)), 0, BeatVerdict::Waiting);
    check(Some(&expectation(15, None)), 30, BeatVerdict::Waiting);
    check(Some(&expectation(15, None)), 31, BeatVerdict::Missing);
    check(Some(&expectation(15, Some(20))), 21, BeatVerdict::Missing);
    // A clock that was ahead when it was said must not put the alarm off.
    check(Some(&expectation(15, None)), -2, BeatVerdict::Missing);
}

#[test]
fn one_bad_file_hides_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let good = Beat::new(now(), minutes(15));
    for name in ["a", "z"] {
        write(&RealFs, folder, &BeatName::new(name), &good).unwrap();
    }
    fs::create_dir(folder.join("folder.last")).unwrap();
    fs::write(folder.join("empty.last"), "").unwrap();
    fs::write(folder.join("garbage.last"), [0xff; 300]).unwrap();
    fs::write(folder.join("huge.last"), vec![b' '; MAX_LEN + 1]).unwrap();
    fs::write(folder.join("newer.last"), good_text(&good).replace("\"format\":1", "\"format\":2")).unwrap();
    fs::write(folder.join("nodate.last"), good_text(&good).replace("2026-11-22", "2026-13-22")).unwrap();
    fs::write(folder.join("torn.last"), &good.encode()[..20]).unwrap();
    std::os::unix::fs::symlink("/nonexistent", folder.join("link.last")).unwrap();
    fs::write(folder.join(".half.last.00000000.tmp"), "{").unwrap();
    fs::write(folder.join("README"), "not a beat").unwrap();
    let found = survey(&RealFs, folder, &Expectations::default(), now(), 2.0);
    let verdicts: Vec<(String, &str)> =
        found.beats.iter().map(|judged| (judged.name.to_string(), judged.verdict.word())).collect();
    let expected = [
        ("a", "fresh"),
        ("empty", "corrupt"),
        ("folder", "unreadable"),
        ("garbage", "corrupt"),
        ("huge", "corrupt"),
        ("link", "missing"),
        ("newer", "corrupt"),
        ("nodate", "corrupt"),
        ("torn", "corrupt"),
        ("z", "fresh"),
    ];
    assert_eq!(verdicts, expected.map(|(name, word)| (name.to_owned(), word)));
    assert_eq!(found.problems().len(), 8);
    assert!(found.problems().iter().all(|problem| !problem.hint.is_empty()));
    // A folder that is none is a problem too, and what is expected in it is unreadable.
    let file = folder.join("README");
    let all = Expectations { all: vec![expectation(15, None)], ..Expectations::default() };
    let found = survey(&RealFs, &file, &all, now(), 2.0);
    assert_eq!((found.hidden.len(), found.beats[0].verdict), (1, BeatVerdict::Unreadable));
}

fn good_text(beat: &Beat) -> String {
    String::from_utf8(beat.encode()).unwrap()
}

#[test]
fn a_full_disk_leaves_the_beat_before() {
    let folder = tempfile::tempdir().unwrap();
    let disk = FaultyFs::default();
    let name = BeatName::new("a");
    let first = Beat::new(now(), minutes(15));
    let path = write(&disk, folder.path(), &name, &first).unwrap();
    let later = Beat::new(now() + SignedDuration::from_mins(15), minutes(15));
    disk.fill(true);
    assert_eq!(write(&disk, folder.path(), &name, &later).unwrap_err().kind(), ErrorKind::NoSpace);
    assert_eq!(read(&disk, &path), Ok(first));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing half written is left");
    disk.fill(false);
    write(&disk, folder.path(), &name, &later).unwrap();
    assert_eq!(read(&disk, &path), Ok(later));
}

#[test]
fn whoever_reads_while_many_write_sees_a_whole_beat() {
    let folder = tempfile::tempdir().unwrap();
    let path = Arc::new(folder.path().to_owned());
    let name = BeatName::new("a");
    write(&RealFs, &path, &name, &Beat::new(now(), minutes(1))).unwrap();
    let writers: Vec<_> = (1..=4)
        .map(|writer| {
            let (path, name) = (Arc::clone(&path), name.clone());
            thread::spawn(move || {
                for cycle in 0..50 {
                    let mut beat = Beat::new(now(), minutes(writer));
                    (beat.cycle, beat.action) = (Some(cycle), Some("x".repeat(cycle as usize * 40)));
                    write(&RealFs, &path, &name, &beat).unwrap();
                }
            })
        })
        .collect();
    let mut looks = 0;
    while looks < 50 || writers.iter().any(|writer| !writer.is_finished()) {
        let read = read(&RealFs, &path.join("a.last"));
        assert!(read.is_ok(), "{read:?}");
        looks += 1;
    }
    for writer in writers {
        writer.join().unwrap();
    }
    assert_eq!(RealFs.list(&path).unwrap(), ["a.last"]);
}

#[test]
fn what_is_expected_is_kept_a_file_each_and_configs_word_counts() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::new(folder.path());
    let of = |every| expectation(every, None).expected;
    let later = now() + SignedDuration::from_hours(1);
    Expectations::put(&RealFs, &home, &of(15), now()).unwrap();
    let again = Expectations::put(&RealFs, &home, &of(20), later).unwrap();
    assert_eq!((again.since, again.expected.every), (now(), minutes(20)), "saying it again puts nothing off");
    let earlier = Expectations::put(&RealFs, &home, &of(20), now() - SignedDuration::from_hours(1)).unwrap();
    assert!(earlier.since < now(), "a clock that was ahead is corrected");
    fs::write(home.expected_beats().join("b.json"), "{").unwrap();
    let mut config = Config::default();
    let found = Expectations::load(&RealFs, &home, &config);
    assert_eq!((found.all.len(), found.problems.len()), (1, 1));
    assert!(found.problems[0].hint.contains("sched heartbeat expect b --every"));
    config.heartbeats = vec![of(5)];
    let found = Expectations::load(&RealFs, &home, &config);
    assert_eq!((found.all.len(), found.all[0].by), (1, ExpectedBy::Config));
    assert!(Expectations::remove(&RealFs, &home, &BeatName::new("a")).unwrap());
    assert!(!Expectations::remove(&RealFs, &home, &BeatName::new("a")).unwrap());
}

#[test]
fn what_config_expects_is_expected_since_it_says_so_and_not_since_its_file_changed() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::new(folder.path());
    let at = |seconds: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let day = Duration::from_hours(24).as_secs();
    let now = Timestamp::from_second(100 * day as i64).unwrap();
    // What the file says, changed on which day; and since which day the first one then is expected.
    let check = |text: &str, changed: u64, since: Option<u64>| {
        fs::write(home.config_yaml(), text).unwrap();
        fs::File::options().append(true).open(home.config_yaml()).unwrap().set_modified(at(changed * day)).unwrap();
        let loaded = config::load(&RealFs, &home, false);
        Expectations::note(&RealFs, &home, &loaded, now).unwrap();
        let found = Expectations::load(&RealFs, &home, &loaded.config);
        let first = found.all.first().map(|first| first.since.as_second() as u64 / day);
        assert_eq!(first, since, "{text}");
    };
    check("heartbeats: [{name: a, every: 1d}]", 10, Some(10));
    check("heartbeats: [{name: a, every: 1d}]", 20, Some(10));
    check("agent: other\nheartbeats: [{name: a, every: 24h}, {name: b, every: 1h}]", 30, Some(10));
    check("heartbeats: [{name: b, every: 1h}, {name: a, every: 1d}]", 40, Some(30));
    // An entry that says something else says so from then on.
    check("heartbeats: [{name: a, every: 2d}, {name: b, every: 1h}]", 50, Some(50));
    // While it can't be known what is expected, nothing is forgotten.
    check("heartbeats: [{name: b, every: 1x}]", 60, None);
    check("heartbeats: [{", 60, None);
    check("heartbeats: [{name: b, every: 1h}]", 70, Some(30));
    // And one that was taken out is another one when it is back.
    check("heartbeats: [{name: a, every: 2d}]", 80, Some(80));
    assert_eq!(RealFs.list(&home.expected_beats()).unwrap(), ["a.config"]);
    // A note of a clock that was ahead, or that can't be read, puts nothing off.
    let note = home.expected_beats().join("a.config");
    for spoiled in [r#"{"format":1,"every_s":172800.0,"since":"2099-01-01T00:00:00Z"}"#, "{"] {
        fs::write(&note, spoiled).unwrap();
        check("heartbeats: [{name: a, every: 2d}]", 90, Some(if spoiled == "{" { 90 } else { 100 }));
    }
}
