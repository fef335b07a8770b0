//! The fields of a job in `jobs.json` as a table. What reads them is `entry`.

use serde_json::{Value, json};

use super::entry::NOT_HERE;
use crate::config::{MISFIRE, RETRIES};
use crate::reference::{self, Absent, Row, Shape, members, pattern_of};

/// Every field that this build carries out; [`FIELDS`](super::FIELDS) are their names.
///
/// ```
/// use scheduler_core::job::{FIELDS, ROWS};
/// assert!(ROWS.iter().map(|row| row.name).eq(FIELDS));
/// ```
pub static ROWS: [Row; 24] = TABLE;

pub(super) const TABLE: [Row; 24] = [
    Row::new(
        "id",
        Shape::Id,
        Absent::Words("made from `name`"),
        "What commands and files call it: lower-case letters, digits, `.`, `_` and `-`; at most 63. One id, one job.",
    )
    .examples(&[r#""backup""#]),
    Row::new("name", Shape::Text, Absent::Words("the id"), "What people call it; needed where there is no `id`.")
        .examples(&[r#""Nightly backup""#]),
    Row::new("description", Shape::Text, Absent::Words("none"), "What it is for.")
        .examples(&[r#""dumps the database""#]),
    Row::new("enabled", Shape::Truth, Absent::Value("true"), "A job that is not enabled owes nothing.")
        .examples(&["false"]),
    Row::new(
        "schedule",
        Shape::Schedule,
        Absent::Refused,
        "When it fires: crontab, a nickname, an interval, words, or one instant.",
    )
    .examples(&[
        r#""30 2 * * 1-5""#,
        r#""@hourly""#,
        r#""every 5m""#,
        r#""every weekday at 9am""#,
        r#""2026-12-24 18:00""#,
        r#""@reboot""#,
        r#""@manually""#,
    ]),
    Row::new(
        "timezone",
        Shape::Zone,
        Absent::Config("timezone"),
        "The zone its schedule is read in: an IANA name, or system.",
    )
    .examples(&[r#""Europe/Berlin""#]),
    Row::new(
        "command",
        Shape::Command,
        Absent::Words("the job has a `payload`"),
        "What to run: a list is a program and its arguments, a text is a line for the shell.",
    )
    .examples(&[r#"["pg_dump", "-f", "/b/db.sql"]"#, r#""echo hello""#]),
    Row::new(
        "payload",
        Shape::Anything,
        Absent::Words("the job has a `command`"),
        "What to do instead of a command, for a program that embeds scheduler-core; `sched` itself can't run it.",
    )
    .examples(&[r#"{"prompt": "summarise the day"}"#]),
    Row::new("env", Shape::Variables, Absent::Value("{}"), "Variables added to its environment.")
        .examples(&[r#"{"PGPASSFILE": "/etc/pgpass"}"#]),
    Row::new("workdir", Shape::Folder, Absent::Words("the home folder of the user"), "Where it runs; absolute.")
        .examples(&[r#""/b""#]),
    Row::new(
        "timeout",
        Shape::Duration,
        Absent::Config("defaults.timeout"),
        "How long a run may take; 0 is for ever. Then all its processes get SIGTERM, and SIGKILL 10 s later.",
    )
    .examples(&[r#""1h""#, "0"]),
    Row::new(
        "overlap",
        Shape::Word(&["forbid", "allow", "queue", "replace"]),
        Absent::Config("defaults.overlap"),
        "Due while a run is open: `forbid` skips, `allow` starts, `queue` waits, `replace` cancels that run first.",
    )
    .examples(&[r#""allow""#, r#""queue""#, r#""replace""#]),
    Row::new(
        "misfire",
        Shape::Section(&[
            MISFIRE[0].absent(Absent::Config("misfire.grace")).examples(&[r#""10m""#, r#""auto""#]),
            MISFIRE[1].absent(Absent::Config("misfire.policy")).examples(&[r#""all""#]),
            MISFIRE[2].absent(Absent::Config("misfire.max")),
        ]),
        Absent::Config("misfire"),
        "What becomes of instants that were missed.",
    )
    .examples(&[r#"{"policy": "skip"}"#]),
    Row::new(
        "retries",
        Shape::Section(&[
            RETRIES[0].absent(Absent::Config("defaults.retries.max")),
            RETRIES[1].absent(Absent::Config("defaults.retries.backoff")),
            RETRIES[2].absent(Absent::Config("defaults.retries.max_backoff")),
        ]),
        Absent::Config("defaults.retries"),
        "Tries again what failed or took too long, until a newer instant is due; only the last attempt counts.",
    )
    .examples(&[r#"{"max": 2, "backoff": "30s"}"#]),
    Row::new(
        "delivery",
        Shape::Word(&["at_most_once", "at_least_once"]),
        Absent::Value(r#""at_most_once""#),
        "Whether a run whose end nobody saw is made again, when nothing of it is left: `at_least_once`.",
    )
    .examples(&[r#""at_least_once""#]),
    Row::new(
        "max_runs",
        Shape::Count { least: 1, most: u32::MAX as u64 },
        Absent::Words("no limit"),
        "How many of its occurrences may start, retries not counted; then it is over.",
    )
    .examples(&["1"]),
    Row::new("start_at", Shape::Instant, Absent::Words("none"), "It owes nothing before this, in its `timezone`.")
        .examples(&[r#""2026-12-01 00:00""#, r#""2026-12-01T00:00:00Z""#]),
    Row::new("end_at", Shape::Instant, Absent::Words("none"), "It owes nothing after this, in its `timezone`.")
        .examples(&[r#""2026-12-24T18:00[Europe/Berlin]""#]),
    Row::new(
        "jitter",
        Shape::Duration,
        Absent::Value("0"),
        "Starts it later than its instants, by a part of this that is the job's own and stays the same.",
    )
    .examples(&[r#""5m""#]),
    Row::new(
        "max_parallel",
        Shape::Count { least: 1, most: u32::MAX as u64 },
        Absent::Words("no limit"),
        "How many runs of it may be open at once.",
    )
    .examples(&["2"]),
    Row::new(
        "group",
        Shape::Name,
        Absent::Words("none"),
        "Shares the places of this one of the `groups` in config.yaml; without a place it waits, oldest first.",
    )
    .examples(&[r#""backups""#]),
    Row::new("tags", Shape::Texts, Absent::Value("[]"), "Labels, for people and filters.").examples(&[r#"["db"]"#]),
    Row::new(
        "output_limit",
        Shape::Size,
        Absent::Config("history.output_limit"),
        "The most output kept of a run; of more, the middle is left out.",
    )
    .examples(&[r#""64KiB""#]),
    Row::new(
        "notify",
        Shape::Texts,
        Absent::Words("all sinks"),
        "Which of the sinks in config.yaml hear of it, by their names; an empty list is none.",
    )
    .examples(&[r#"["ops"]"#]),
];

/// The JSON Schema (draft 2020-12) of `jobs.json`, for editors; `#/$defs/job` is that of one entry.
///
/// It refuses no entry that [`parse_definition`](super::parse_definition) takes, and of the others all that can be told
/// without reading schedules, durations and time zones.
///
/// ```
/// let schema = scheduler_core::job::schema();
/// assert_eq!(schema["$defs"]["job"]["required"], serde_json::json!(["schedule"]));
/// ```
pub fn schema() -> Value {
    let mut job = members(&ROWS, true);
    // Fields that other builds carry out may stand there as long as they ask for nothing. A pattern, so that no editor
    // proposes them.
    job["patternProperties"][pattern_of(&NOT_HERE)] = json!({ "type": "null" });
    job["type"] = json!("object");
    job["description"] = json!("A job. Members that begin with `$` or `_` are yours.");
    job["anyOf"] = json!([
        { "required": ["id"] },
        { "required": ["name"], "properties": { "name": { "type": "string", "pattern": r"\S" } } },
    ]);
    let has = |field: &str| json!({ "required": [field], "properties": { field: { "not": { "type": "null" } } } });
    job["oneOf"] = json!([has("command"), has("payload")]);
    let description = "What the operator wants run. Members of the file that sched doesn't know are kept as they are.";
    reference::root(
        "jobs.json of sched",
        description,
        json!({
            "properties": {
                "$schema": { "type": "string", "description": "Where this schema is, for editors." },
                "format": { "description": "The version of the format.", "type": "integer", "minimum": 0, "maximum": 1,
                    "default": 1 },
                "jobs": { "description": "The jobs, in any order.", "type": "array", "items": { "$ref": "#/$defs/job" } },
            },
            "required": ["jobs"],
            "$defs": { "job": job },
        }),
    )
}
