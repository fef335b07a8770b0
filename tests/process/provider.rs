//! Whatever stands in `config.yaml`, cron has a trigger, and says which.

use serde_json::json;

use super::bench::Place;

/// With this config.yaml the job fires, the log says `reason` once, and `status` does too.
fn fires_anyway(config: &[u8], reason: &str) {
    let place = Place::empty();
    place.write("config.yaml", config);
    place.write_jobs(&[place.job("job", "* * * * * *", "")]);
    let mut daemon = place.daemon();
    place.until_started("job", 2);
    let (code, status) = place.status();
    assert_eq!((code, &status["verdict"]), (3, &json!("degraded")), "{status:#}");
    let problems = status["problems"].as_array().expect("a list");
    let naming: Vec<_> = problems.iter().filter(|problem| problem["remark"] != true).collect();
    assert_eq!(naming.len(), 1, "one cause, one problem: {status:#}");
    assert!(naming[0]["what"].as_str().is_some_and(|what| what.contains(reason)), "{status:#}");
    assert!(naming[0]["hint"].as_str().is_some_and(|hint| hint.contains("then send the daemon SIGHUP")), "{status:#}");
    assert!(status["summary"].as_str().is_some_and(|summary| summary.contains("it fires, but: ")), "{status:#}");
    daemon.stop();
    let warnings: Vec<_> = daemon.log().lines().filter(|line| line.contains(" WARN ")).map(str::to_owned).collect();
    assert_eq!(warnings.iter().filter(|line| line.contains(reason)).count(), 1, "{warnings:#?}");
}

#[test]
fn with_a_misspelt_provider_jobs_fire_and_the_nearest_name_is_told() {
    fires_anyway(b"provider: buitlin\n", "no provider is called `buitlin`; did you mean `builtin`?");
}

#[test]
fn with_a_provider_of_the_wrong_type_jobs_fire_and_the_place_is_told() {
    fires_anyway(
        b"agent: me\nprovider: 7\n",
        "config.yaml: line 2, column 11: provider: expected a name, found the number 7",
    );
}

#[test]
fn with_broken_yaml_jobs_fire_and_the_place_is_told() {
    fires_anyway(b"agent: me\nprovider: \"none\n", "config.yaml: line 3, column 1: found unexpected end of stream");
}

#[test]
fn with_a_config_that_is_not_utf_8_jobs_fire_and_the_place_is_told() {
    fires_anyway(b"agent: me\nprovider: \xff\xfe\n", "config.yaml: line 2, column 11: byte 0xff is not UTF-8");
}

#[test]
fn the_provider_none_stands_by_and_still_fires_by_hand() {
    let place = Place::empty();
    place.write("config.yaml", "ticker: {interval: 1s}\nprovider: none\n");
    place.write_jobs(&[place.job("job", "* * * * * *", "")]);
    let mut daemon = place.daemon();
    let before = place.until_verdict("standby", 0);
    assert_eq!(place.run(&["fire", "job", "--wait"]).code, Some(0));
    place.until_status("three more turns", |status| {
        status["heartbeat"]["cycle"].as_u64() > before["heartbeat"]["cycle"].as_u64().map(|cycle| cycle + 3)
    });
    assert_eq!(place.effects("job").len(), 1, "by hand, and not by the clock");
    let status = place.until_verdict("standby", 0);
    assert_eq!(status["next"], json!([]), "nothing is next that isn't going to happen");
    daemon.stop();
}
