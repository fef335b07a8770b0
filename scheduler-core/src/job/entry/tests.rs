//! Entries as tables: what is taken, and what is refused with which words.

use serde_json::json;

use super::*;

fn parse(entry: &Value) -> Result<Job, EntryError> {
    parse_definition(entry, &JobDefaults::default(), "UTC", Timestamp::UNIX_EPOCH)
}

fn with(field: &str, value: Value) -> Value {
    let mut entry = json!({"id": "job", "schedule": "@daily", "command": ["true"]});
    entry[field] = value;
    entry
}

#[test]
fn a_full_entry_is_taken_field_by_field() {
    let job = parse(&json!({
        "id": "backup", "name": "Nightly backup", "description": "the database", "enabled": false,
        "schedule": "30 2 * * *", "timezone": "Europe/Berlin", "command": ["pg_dump", "-f", "/b/db.sql"],
        "env": {"PGPASSFILE": "/etc/pgpass", "LEVEL": 9}, "workdir": "/b", "timeout": "1h", "overlap": "allow",
        "misfire": {"grace": "5m", "policy": "all", "max": 3}, "max_parallel": 2, "tags": ["db"], "output_limit": "64KiB"
    }))
    .unwrap();
    assert_eq!((job.id.as_str(), job.name.as_str(), job.enabled), ("backup", "Nightly backup", false));
    assert_eq!(job.time_zone.iana_name(), Some("Europe/Berlin"));
    assert_eq!(job.env["LEVEL"], "9");
    assert_eq!((job.timeout, job.output_limit), (Some(Duration::from_hours(1)), Some(65536)));
    assert_eq!(job.misfire, Misfire { grace: Some(Duration::from_mins(5)), policy: MisfirePolicy::All, max: 3 });
    assert_eq!((job.overlap, job.max_parallel), (Overlap::Allow, Some(2)));
}

#[test]
fn a_slot_is_made_of_the_id_given_or_made() {
    let slot = |entry: Value| parse(&entry).unwrap().schedule.describe(None);
    let entry = |id: &str| json!({"id": id, "schedule": "H 3 * * *", "command": "true"});
    assert_eq!(slot(entry("backup")), "At 03:28, every day");
    assert_eq!(slot(json!({"name": "Backup", "schedule": "~ 3 * * *", "command": "true"})), slot(entry("backup")));
    assert_ne!(slot(entry("vacuum")), slot(entry("backup")));
}

#[test]
fn jitter_and_group_are_taken() {
    let job = parse(&with("jitter", json!("23h59m"))).unwrap();
    assert_eq!(job.jitter, Some(Duration::from_mins(24 * 60 - 1)));
    assert_eq!(parse(&with("jitter", json!(0))).unwrap().jitter, None, "0 is none");
    assert_eq!(parse(&with("group", json!("backups"))).unwrap().group.as_deref(), Some("backups"));
    let mut once = with("jitter", json!("10h"));
    once["schedule"] = json!("2026-12-24 18:00");
    assert!(parse(&once).unwrap().jitter.is_some(), "one instant is late into no other");
}

#[test]
fn what_is_absent_or_null_is_the_default() {
    let job = parse(&with("timeout", Value::Null)).unwrap();
    assert_eq!((job.name.as_str(), job.enabled, job.timeout), ("job", true, None));
    assert_eq!((job.overlap, job.misfire), (Overlap::Forbid, Misfire::default()));
    assert_eq!(parse(&with("timeout", json!(0))).unwrap().timeout, None, "0 is for ever");
    assert_eq!(parse(&with("command", json!("echo hi"))).unwrap().command(), Some(&Command::Shell("echo hi".into())));
}

#[test]
fn a_job_runs_a_command_or_a_payload_and_one_of_them() {
    let entry = |more: Value| {
        let mut entry = json!({"id": "job", "schedule": "@daily"});
        entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        parse(&entry)
    };
    for payload in [json!({"prompt": "hi"}), json!([]), json!(""), json!(0), json!(false)] {
        let job = entry(json!({ "payload": payload })).unwrap();
        assert_eq!((job.payload(), job.command()), (Some(&payload), None));
    }
    let job = entry(json!({"command": "true", "payload": null})).unwrap();
    assert_eq!((job.payload(), job.command()), (None, Some(&Command::Shell("true".into()))));
    let said = |more: Value| entry(more).unwrap_err().to_string();
    assert!(said(json!({"command": "true", "payload": 1})).starts_with("payload: it has a `command` as well"));
    assert!(said(json!({})).contains("command: missing;") && said(json!({"payload": null})).contains("or a `payload`"));
}

#[test]
fn refusals_name_the_field_what_was_found_and_what_could_stand_there() {
    let check = |entry: &Value, expected: &str| {
        let error = parse(entry).unwrap_err().to_string();
        assert!(error.contains(expected), "{entry}\n  said: {error}\n  not:  {expected}");
    };
    check(&json!("backup"), "expected a job ({...}), found the text \"backup\"");
    check(&json!({"schedule": "@daily"}), "it has neither `id` nor `name`");
    check(&with("id", json!("Nightly Backup")), "id: invalid job id `Nightly Backup`: `N` is a capital letter");
    check(&with("id", json!("Nightly Backup")), "`nightly-backup`");
    check(&with("id", json!(7)), "id: expected a text, found the number 7");
    check(&json!({"id": "job", "command": "x"}), "schedule: missing");
    check(&json!({"id": "job", "schedule": "@daily"}), "command: missing");
    check(&with("schedule", json!("61 * * * *")), "schedule: ");
    check(&with("schedule", json!(["@daily"])), "schedule: expected a text, found a list");
    check(&with("timezone", json!("Europe/Berlim")), "did you mean `Europe/Berlin`?");
    check(&with("command", json!([])), "command: it names no program");
    check(&with("command", json!([""])), "command: it names no program");
    check(&with("command", json!(" ")), "command: it is empty");
    check(&with("command", json!(["a", 1])), "command: expected texts, found the number 1 in the list");
    check(&with("command", json!({"run": "x"})), "command: expected a list of texts or a shell line, found an object");
    check(&with("env", json!(["A=1"])), "env: expected an object of texts, found a list");
    check(&with("env", json!({"A": []})), "env.A: expected a text, found a list");
    check(&with("env", json!({"A=B": "x"})), "env.A=B: not a name of a variable");
    check(&with("workdir", json!("b")), "workdir: `b` is not absolute");
    check(&with("timeout", json!("10")), "timeout: `10` has no unit; write `10s`");
    check(
        &with("timeout", json!(10)),
        "timeout: expected a duration such as \"30s\" or \"1h30m\", found the number 10",
    );
    check(&with("timeout", json!("-5s")), "timeout: `-5s` is negative");
    check(&with("overlap", json!("never")), "overlap: `never` is none of `forbid`, `allow`");
    check(&with("misfire", json!("latest")), "misfire: expected an object");
    check(&with("misfire", json!({"policy": "some"})), "misfire.policy: `some` is none of");
    check(&with("misfire", json!({"graze": "5m"})), "misfire.graze: no such setting");
    check(&with("delivery", json!("twice")), "delivery: `twice` is neither `at_most_once` nor");
    check(&with("max_runs", json!(0)), "max_runs: expected a whole number of at least 1");
    check(
        &with("start_at", json!("tomorrow")),
        "start_at: `tomorrow` is not a date and time; write `2026-06-01 09:00`",
    );
    check(&with("end_at", json!("@daily")), "end_at: `@daily` is not a date and time");
    let mut never = with("start_at", json!("2026-06-01 09:00"));
    never["end_at"] = json!("2026-06-01T08:59:59Z");
    check(&never, "end_at: it is before `start_at`");
    check(&with("retries", json!(3)), "retries: expected an object such as {\"max\": 2}, found the number 3");
    check(&with("retries", json!({"max": 1.5})), "retries.max: expected a whole number, found the number 1.5");
    check(&with("retries", json!({"backoff": "10"})), "retries.backoff: `10` has no unit");
    check(&with("retries", json!({"often": 2})), "retries.often: no such setting; there are `max`");
    check(&with("max_parallel", json!(0)), "max_parallel: expected a whole number of at least 1");
    check(&with("jitter", json!("5")), "jitter: `5` has no unit");
    check(&with("jitter", json!("25h")), "jitter: 25h is longer than a day; choose less");
    check(&with("jitter", json!("24h")), "jitter: 24h is not shorter than the 24h between two of its instants");
    let on = |schedule: &str, jitter: &str| {
        let mut entry = with("jitter", json!(jitter));
        entry["schedule"] = json!(schedule);
        entry
    };
    check(&on("every 5m", "5m"), "jitter: 5m is not shorter than the 5m between two of its instants");
    // It is the shortest time that counts, however far away it is.
    check(&on("0 9,10,18 * * 1", "1h"), "jitter: 1h is not shorter than the 1h between two of its instants");
    for none in ["@reboot", "@manually"] {
        check(&on(none, "1m"), &format!("jitter: `{none}` has no instants that could be spread; remove it"));
    }
    check(&with("group", json!("My backups")), "group: `My backups` is no name of a group; it is a-z");
    check(&with("group", json!(1)), "group: expected a text, found the number 1");
    check(&with("tags", json!("db")), "tags: expected a list of texts");
    check(&with("ping_url", json!("ftp://s3cret")), "ping_url: it begins with neither `https://` nor `http://`");
    check(&with("ping_url", json!(["s3cret"])), "ping_url: expected the text of an address");
    check(&with("output_limit", json!("1 parsec")), "output_limit: `1 parsec` is not a size");
    check(&with("enabled", json!("yes")), "enabled: expected true or false, found the text \"yes\"");
    check(&with("command", json!("a\0b")), "command: it contains a NUL character");
}

#[test]
fn a_field_that_this_build_does_not_carry_out_is_never_ignored() {
    for field in NOT_HERE {
        let error = parse(&with(field, json!("x"))).unwrap_err();
        assert_eq!(error.field.as_deref(), Some(field));
        assert!(error.message.contains("does not carry this field out"), "{error}");
        assert!(parse(&with(field, Value::Null)).is_ok(), "{field}: null is the same as absent");
    }
}

#[test]
fn fields_that_mean_nothing_are_found_with_the_nearest_that_does() {
    let mut entry = with("timout", json!("1h"));
    entry["$schema"] = json!("x");
    entry["qqqqqq"] = json!(1);
    let unknown = unknown_fields(&entry);
    assert_eq!(unknown, [("timout".to_owned(), Some("timeout")), ("qqqqqq".to_owned(), None)]);
}
