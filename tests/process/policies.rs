//! Policies that are about processes: another attempt, and who is gone before it begins.

use serde_json::json;

use super::bench::Place;

#[test]
fn attempts_know_their_number_and_whoever_waits_gets_the_last_ones_end() {
    let place = Place::beating();
    let log = place.path("effects");
    let command = format!("echo job $SCHED_ATTEMPT $SCHED_OCCURRENCE >> {}; test $SCHED_ATTEMPT = 3", log.display());
    place.write_jobs(&[json!({
        "id": "job", "schedule": "@yearly", "command": command, "retries": {"max": 4, "backoff": "100ms"},
    })]);
    let check = |times: usize| {
        let ran = place.run(&["fire", "job", "--wait"]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let effects = place.effects("job");
        let last = &effects[3 * (times - 1)..];
        let (_, occurrence) = last[0].split_once(' ').expect("two words");
        assert_eq!(last, ["1", "2", "3"].map(|attempt| format!("{attempt} {occurrence}")));
        assert_eq!(place.ends("job")[3 * (times - 1)..], ["failed", "failed", "succeeded"]);
    };
    // Without a daemon, the command makes all attempts itself.
    check(1);
    let mut daemon = place.daemon();
    check(2);
    assert!(!place.home().join("alerts/job-job.alert").exists());
    daemon.stop();
}
