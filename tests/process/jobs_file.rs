//! `jobs.json` in the hands of people and editors: what was known fires on, and what is wrong is named with its place.

use std::{fs, time::Duration};

use super::bench::{Place, jobs_json, within};

/// Each way to lose `jobs.json`: what is left of it, and what `status` says of that.
const LOST: [(Option<&str>, &str); 4] = [
    (Some(""), "jobs.json: line 1, column 1: it is empty"),
    (
        Some("{\n  \"format\": 1,\n  \"jobs\": [\n    {\"id\": \"jo"),
        "jobs.json: line 4, column 14: EOF while parsing a string",
    ),
    (
        Some("{\n  \"format\": 1,\n  \"jobs\": [ {\"id\": \"job\",, } ]\n}"),
        "jobs.json: line 3, column 26: key must be a string",
    ),
    (None, "jobs.json: the file is missing"),
];

#[test]
fn a_lost_jobs_json_costs_no_fire_while_running_or_across_a_restart_and_is_named() {
    let place = Place::beating();
    let jobs = [place.job("job", "* * * * * *", "")];
    place.write_jobs(&jobs);
    let mut daemon = place.daemon();
    place.until_started("job", 1);
    for (left, what) in LOST {
        match left {
            Some(text) => place.write("jobs.json", text),
            None => fs::remove_file(place.home().join("jobs.json")).expect("it was there"),
        }
        let named = |how: &str| {
            let status = place.until_status(what, |status| status["problems"].to_string().contains(what));
            assert_eq!(status["verdict"], "degraded", "{how}: {status:#}");
            place.until_started("job", place.effects("job").len() + 1);
        };
        named("while running");
        daemon.stop();
        daemon = place.daemon();
        named("after a restart");
        assert!(daemon.log().contains(what), "{}", daemon.log());
        place.write_jobs(&jobs);
        place.until_verdict("live", 0);
    }
}

#[test]
fn an_empty_list_of_jobs_removes_them_and_the_log_says_so() {
    let place = Place::beating();
    place.write_jobs(&[place.job("job", "* * * * * *", "")]);
    let daemon = place.daemon();
    place.until_started("job", 1);
    place.write_jobs(&[]);
    place.until_status("no jobs", |status| status["jobs"]["total"] == 0);
    daemon.until_logged("jobs.json lists no jobs any more: all of them are removed");
}

#[test]
fn one_invalid_entry_is_named_and_kept_word_for_word_and_costs_the_others_nothing() {
    let place = Place::beating();
    let bad = "{ \"id\": \"bad\",   \"schedule\": \"every nonsense\", \"command\":\t\"true\" , \"$why\": [1,2] }";
    let good = place.job("good", "* * * * * *", "");
    place.write("jobs.json", format!("{{\"format\": 1, \"jobs\": [\n{good},\n  {bad}\n]}}\n"));
    let daemon = place.daemon();
    place.until_started("good", 2);
    let status = place.until_verdict("degraded", 3);
    let problem = &status["problems"][0];
    assert!(
        problem["what"].as_str().is_some_and(|what| what.contains("line 3, column 20: job `bad` is invalid")),
        "{problem}"
    );
    daemon.until_logged("job `bad` is invalid");
    assert!(place.ok(&["list"]).contains("invalid"));
    place.ok(&["add", "@daily", "--name", "another", "--", "true"]);
    let text = fs::read_to_string(place.home().join("jobs.json")).expect("jobs.json");
    assert!(text.contains(bad), "{text}");
    assert!(text.contains("\"another\""), "{text}");
    place.until_started("good", place.effects("good").len() + 1);
}

#[test]
fn a_hand_edit_is_taken_in_within_a_second_or_two_however_the_editor_saves() {
    // Turns rarely, so that it is the notice that counts.
    let place = Place::empty();
    place.write_jobs(&[]);
    let _daemon = place.daemon();
    let file = place.home().join("jobs.json");
    let in_place = |text: &str| fs::write(&file, text).expect("written");
    let by_rename = |text: &str| {
        let new = file.with_extension("json.tmp");
        fs::write(&new, text).expect("written");
        fs::rename(&new, &file).expect("renamed");
    };
    let beside_the_old_one = |text: &str| {
        fs::rename(&file, file.with_extension("json~")).expect("renamed");
        fs::write(&file, text).expect("written");
    };
    for how in ["in-place", "by-rename", "beside-the-old-one"] {
        let text = jobs_json(&[place.job(how, "* * * * * *", "")]);
        match how {
            "in-place" => in_place(&text),
            "by-rename" => by_rename(&text),
            _ => beside_the_old_one(&text),
        }
        // The next second is at most one away; the rest is for a busy machine.
        within(Duration::from_secs(10), how, || match place.effects(how).len() {
            0 => Err(place.effect_log()),
            _ => Ok(()),
        });
    }
}

#[test]
fn a_hint_names_the_version_before_only_if_there_is_one() {
    let place = Place::beating();
    let jobs = [place.job("job", "@yearly", "")];
    place.write_jobs(&jobs);
    place.ok(&["tick"]);
    let hint = || {
        place.write("jobs.json", "{");
        let (_, status) = place.status();
        let problem = status["problems"].as_array().and_then(|all| all.iter().find(|one| one["key"] == "jobs-json"));
        problem.and_then(|problem| problem["hint"].as_str()).expect("a hint").to_owned()
    };
    assert!(!hint().contains("jobs.json.bak.1"), "{}", hint());
    place.fails(&["add", "@daily", "--", "true"], 1, &["nothing was changed", "hint: correct the file first"]);
    place.write_jobs(&jobs);
    place.ok(&["add", "@daily", "--", "true"]);
    assert!(hint().contains("jobs.json.bak.1"), "{}", hint());
    let backup = place.home().join("jobs.json.bak.1");
    assert_eq!(fs::read_to_string(backup).expect("a backup"), jobs_json(&jobs), "and it is that");
}
