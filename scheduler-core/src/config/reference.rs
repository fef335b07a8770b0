//! The keys of `config.yaml` as a table. What reads them is `keys`; a test holds that it reads just these.

use serde_json::{Value, json};

use super::keys::NOT_HERE;
use crate::reference::{self, Absent, Row, Shape, members, pattern_of};

/// Every key that this build carries out, in the order of the file that `sched init` writes.
///
/// ```
/// use scheduler_core::config::KEYS;
/// assert_eq!(KEYS.iter().find(|row| row.name == "ticker").unwrap().inside()[0].name, "interval");
/// ```
pub static KEYS: [Row; 17] = [
    Row::new(
        "provider",
        Shape::Text,
        Absent::Value(r#""""#),
        "What decides when jobs fire: empty for the built-in ticker, `none` for standby, else a plugin by name.",
    )
    .examples(&[r#""none""#]),
    Row::new(
        "agent",
        Shape::Text,
        Absent::Value("null"),
        "The name in heartbeats and reports; null is the name of the machine.",
    )
    .examples(&[r#""db-1""#]),
    Row::new(
        "timezone",
        Shape::Zone,
        Absent::Value(r#""system""#),
        "The zone of schedules that name none: an IANA name such as Europe/Berlin, or system.",
    )
    .examples(&[r#""Europe/Berlin""#, r#""UTC""#]),
    Row::new(
        "ticker",
        Shape::Section(&[
            Row::new(
                "interval",
                Shape::Duration,
                Absent::Value(r#""60s""#),
                "The longest it sleeps, and how often its heart beats; between 1s and 1h.",
            )
            .examples(&[r#""30s""#]),
            Row::new(
                "abort_after",
                Shape::Duration,
                Absent::Value(r#""5m""#),
                "How long the daemon may be stuck before it ends itself, so that it is started anew; 0 is never.",
            )
            .examples(&[r#""2m""#, "0"]),
        ]),
        Absent::Value("{}"),
        "The built-in ticker.",
    ),
    Row::new(
        "max_parallel",
        Shape::Count { least: 1, most: u64::MAX },
        Absent::Value("256"),
        "The most runs open at once, over all jobs.",
    )
    .examples(&["16"]),
    Row::new(
        "groups",
        Shape::Named(&[Row::new(
            "max_parallel",
            Shape::Count { least: 1, most: u64::MAX },
            Absent::Refused,
            "The most runs of its jobs open at once.",
        )
        .examples(&["2"])]),
        Absent::Value("{}"),
        "Limits for groups of jobs, by name; a job is in the one that its `group` names.",
    )
    .examples(&[r#"{"backups": {"max_parallel": 2}}"#]),
    Row::new(
        "drain_timeout",
        Shape::Duration,
        Absent::Value(r#""60s""#),
        "How long a stop waits for open runs before it ends them; 0 doesn't wait.",
    )
    .examples(&[r#""5m""#, "0"]),
    Row::new(
        "misfire",
        Shape::Section(&MISFIRE),
        Absent::Value("{}"),
        "What happens to instants that were missed while nothing could fire.",
    ),
    Row::new(
        "history",
        Shape::Section(&[
            Row::new(
                "keep_days",
                Shape::Count { least: 0, most: u32::MAX as u64 },
                Absent::Value("30"),
                "Days that the history goes back; the last 20 runs of every job stay, however old.",
            )
            .examples(&["90"]),
            Row::new(
                "max_bytes",
                Shape::Size,
                Absent::Value(r#""256MiB""#),
                "The files of the history together; beyond that the oldest days go first.",
            )
            .examples(&[r#""1GiB""#]),
            Row::new(
                "logs_per_job",
                Shape::Count { least: 0, most: u64::MAX },
                Absent::Value("20"),
                "Output files for each job.",
            )
            .examples(&["5"]),
            Row::new("logs_max_bytes", Shape::Size, Absent::Value(r#""1GiB""#), "All output files together.")
                .examples(&[r#""200MiB""#]),
            Row::new(
                "output_limit",
                Shape::Size,
                Absent::Value(r#""1MiB""#),
                "The most output kept of one run; of more, the middle is left out.",
            )
            .examples(&[r#""64KiB""#]),
        ]),
        Absent::Value("{}"),
        "How much of the past is kept.",
    ),
    Row::new(
        "defaults",
        Shape::Section(&[
            Row::new("timeout", Shape::Duration, Absent::Value("0"), "How long a run may take; 0 is for ever.")
                .examples(&[r#""1h""#]),
            Row::new(
                "overlap",
                Shape::Word(&["forbid", "allow", "queue", "replace"]),
                Absent::Value(r#""forbid""#),
                "What happens when a job is due while a run of it is open: forbid, allow, queue or replace.",
            )
            .examples(&[r#""allow""#, r#""queue""#]),
            Row::new(
                "retries",
                Shape::Section(&RETRIES),
                Absent::Value(r#"{"max": 0, "backoff": "1m", "max_backoff": "1h"}"#),
                "Tries again what failed or took too long, until a newer instant is due; only the last attempt counts.",
            )
            .examples(&[r#"{"max": 2, "backoff": "30s"}"#]),
            Row::new("inherit_env", Shape::Truth, Absent::Value("true"), "Whether runs get the daemon's environment.")
                .examples(&["false"]),
            Row::new("env", Shape::Variables, Absent::Value("{}"), "Variables added to the environment of every run.")
                .examples(&[r#"{"LANG": "C.UTF-8"}"#]),
            Row::new(
                "shell",
                Shape::Filled,
                Absent::Value(r#""/bin/sh""#),
                "What runs a command that is one line of text.",
            )
            .examples(&[r#""/bin/bash""#]),
        ]),
        Absent::Value("{}"),
        "What holds for jobs that don't say otherwise.",
    ),
    Row::new(
        "notify",
        Shape::Entries(&SINK),
        Absent::Value("[]"),
        "The sinks: who is told when a job fails or a check finds something, and when that is over.",
    )
    .examples(&[r#"[{"name": "pager", "type": "command", "command": ["/usr/local/bin/page"]}]"#]),
    Row::new(
        "watchdog",
        Shape::Section(&[
            Row::new(
                "every",
                Shape::Duration,
                Absent::Value("null"),
                "How often a watchdog comes, from 1s to 1h: `status` tells when none has come for three times as long.",
            )
            .examples(&[r#""60s""#]),
            Row::new(
                "rate_limit",
                Shape::Duration,
                Absent::Value(r#""1h""#),
                "How soon a sink hears of the same open alert again, at the earliest.",
            )
            .examples(&[r#""6h""#]),
            Row::new(
                "notify",
                Shape::Texts,
                Absent::Value("null"),
                "The sinks that hear of what checks find, by their names; null is all of them.",
            )
            .examples(&["[]"]),
            Row::new("checks", Shape::Section(&CHECKS), Absent::Value("{}"), "What it looks at beside its scheduler.")
                .examples(&[r#"{"tcp": [{"name": "gateway", "address": "127.0.0.1:7373"}]}"#]),
        ]),
        Absent::Value("{}"),
        "What a watchdog looks at, and whom it tells.",
    ),
    Row::new(
        "heartbeats",
        Shape::Entries(&[
            Row::new("name", Shape::Filled, Absent::Refused, "What its job calls it.").examples(&[r#""agent""#]),
            Row::new("every", Shape::Span, Absent::Refused, "How often it comes.").examples(&[r#""15m""#]),
            Row::new(
                "max_age",
                Shape::Span,
                Absent::Words("twice `every`"),
                "The oldest it may get before it is a problem.",
            )
            .examples(&[r#""20m""#]),
        ]),
        Absent::Value("[]"),
        "Heartbeats of jobs, also of those that sched doesn't run, that must come.",
    )
    .examples(&[r#"[{"name": "agent", "every": "15m"}]"#]),
    Row::new(
        "heartbeats_dir",
        Shape::Folder,
        Absent::Value("null"),
        "The folder of the heartbeats of jobs, for jobs of other users; null is heartbeats/jobs in the home.",
    )
    .examples(&[r#""/var/lib/heartbeats""#]),
    Row::new(
        "monitor",
        Shape::Section(&[
            Row::new(
                "ping_url",
                Shape::Text,
                Absent::Value("null"),
                "The push monitor that hears that jobs fire; `${NAME}` and `file:PATH` keep it out of this file.",
            )
            .examples(&[r#""https://hc-ping.com/${HC_UUID}""#, r#""file:/etc/sched/ping""#]),
            Row::new("ping_interval", Shape::Duration, Absent::Value(r#""5m""#), "How often; between 1s and 24h.")
                .examples(&[r#""1m""#]),
            Row::new(
                "ping_body",
                Shape::Size,
                Absent::Value(r#""10kB""#),
                "The most output sent along with the ping of a job's `ping_url`, the end of it; 0 is none.",
            )
            .examples(&["0", r#""1kB""#]),
        ]),
        Absent::Value("{}"),
        "Signs of life for somebody outside: who no longer gets them knows that nothing fires.",
    ),
    Row::new(
        "probes",
        Shape::Entries(&PROBE),
        Absent::Value("[]"),
        "Commands that the daemon runs to see whether something is well; it tells when that changes.",
    )
    .examples(&[r#"[{"name": "api", "command": ["curl", "-fsS", "http://127.0.0.1:8080/health"], "every": "1m"}]"#]),
    Row::new(
        "report",
        Shape::Section(&[
            Row::new("schedule", Shape::Schedule, Absent::Value("null"), "When it goes out by itself; null is never.")
                .examples(&[r#""0 7 * * *""#]),
            Row::new(
                "timezone",
                Shape::Zone,
                Absent::Value("null"),
                "The zone of its schedule and its times; null is `timezone`.",
            )
            .examples(&[r#""Europe/Berlin""#]),
            Row::new("since", Shape::Span, Absent::Value(r#""24h""#), "How far it looks back.").examples(&[r#""7d""#]),
            Row::new(
                "notify",
                Shape::Texts,
                Absent::Value("[]"),
                "The sinks that get it, by their names: webhooks, mail and commands.",
            )
            .examples(&[r#"["ops"]"#]),
        ]),
        Absent::Value("{}"),
        "The morning report: what blocks, how each job is doing, and what ran.",
    ),
];

/// What a watchdog can look at, and how each is said.
const CHECKS: [Row; 4] = [
    Row::new("tcp", Shape::Entries(&TCP), Absent::Value("[]"), "Servers that must answer.")
        .examples(&[r#"[{"name": "gateway", "address": "127.0.0.1:7373"}]"#]),
    Row::new("process", Shape::Entries(&PROCESS), Absent::Value("[]"), "Processes that must be there.")
        .examples(&[r#"[{"name": "api", "pidfile": "/run/api.pid"}]"#]),
    Row::new("heartbeat", Shape::Entries(&BEAT), Absent::Value("[]"), "Files that must be fresh.")
        .examples(&[r#"[{"name": "agent", "file": "/var/run/agent.json", "max_age": "20m"}]"#]),
    Row::new("syntax", Shape::Entries(&SYNTAX), Absent::Value("[]"), "Files that must make sense.")
        .examples(&[r#"[{"name": "think", "file": "/srv/think.py"}]"#]),
];

const CHECK_NAME: Row = Row::new("name", Shape::Name, Absent::Refused, "What you call it.").examples(&[r#""gateway""#]);

const TCP: [Row; 3] = [
    CHECK_NAME,
    Row::new(
        "address",
        Shape::Filled,
        Absent::Refused,
        "`host:port`, which must take a connection, or an `http://` URL, which must answer with a status below 400.",
    )
    .examples(&[r#""127.0.0.1:7373""#, r#""http://127.0.0.1:7373/health""#]),
    Row::new("timeout", Shape::Duration, Absent::Value(r#""5s""#), "How long it may take, up to 1m.")
        .examples(&[r#""1s""#]),
];

const PROCESS: [Row; 3] = [
    CHECK_NAME,
    Row::new("pidfile", Shape::Folder, Absent::Words("none; one of the two is needed"), "The file that has its pid.")
        .examples(&[r#""/run/api.pid""#]),
    Row::new(
        "pattern",
        Shape::Filled,
        Absent::Words("none"),
        "What its command line has in it. With `pidfile` too, the process of that pid must have it.",
    )
    .examples(&[r#""nexus_think""#]),
];

const BEAT: [Row; 3] = [
    CHECK_NAME,
    Row::new(
        "file",
        Shape::Folder,
        Absent::Refused,
        "The file. Its age is that of the time in it if it is JSON and has one, else since it was last changed.",
    )
    .examples(&[r#""/var/run/agent.json""#]),
    Row::new("max_age", Shape::Duration, Absent::Value(r#""5m""#), "How old it may get.").examples(&[r#""20m""#]),
];

const SYNTAX: [Row; 4] = [
    CHECK_NAME,
    Row::new(
        "file",
        Shape::Folder,
        Absent::Refused,
        "The file: .py, .sh, .bash, .dash, .json, .yaml or .yml, others with `command`.",
    )
    .examples(&[r#""/srv/nexus_think.py""#]),
    Row::new(
        "command",
        Shape::Texts,
        Absent::Words("by the suffix"),
        "Who judges the file: program and arguments, to which its path is added. It is fine if that exits with 0.",
    )
    .examples(&[r#"["perl", "-c"]"#]),
    Row::new("timeout", Shape::Duration, Absent::Value(r#""10s""#), "How long that may take, up to 1m.")
        .examples(&[r#""30s""#]),
];

/// A probe.
const PROBE: [Row; 6] = [
    Row::new("name", Shape::Name, Absent::Refused, "What you call it.").examples(&[r#""disk""#]),
    Row::new(
        "command",
        Shape::Command,
        Absent::Refused,
        "What is run: a program with its arguments, or a line for the shell. Exit code 0 is well, all else is not.",
    )
    .examples(&[r#"["check-disk", "/srv"]"#, r#""test $(df --output=pcent / | tail -1 | tr -d ' %') -lt 90""#]),
    Row::new("every", Shape::Duration, Absent::Refused, "How often; between 1s and 7d.").examples(&[r#""5m""#]),
    Row::new(
        "timeout",
        Shape::Duration,
        Absent::Value(r#""30s""#),
        "How long it may take, up to 1h; then all its processes are ended, and that is not well.",
    )
    .examples(&[r#""5s""#]),
    Row::new(
        "notify",
        Shape::Texts,
        Absent::Value("null"),
        "The sinks that hear of it, by their names; null is all of them.",
    )
    .examples(&["[]"]),
    Row::new(
        "not_during",
        Shape::Texts,
        Absent::Value("[]"),
        "It is put off to its next time while one of these jobs runs.",
    )
    .examples(&[r#"["backup"]"#]),
];

/// A sink. What it may have beyond its name depends on its type.
const SINK: [Row; 16] = [
    Row::new("name", Shape::Name, Absent::Refused, "What you call it.").examples(&[r#""ops""#]),
    Row::new(
        "type",
        Shape::Word(&["webhook", "email", "command", "gitea", "forgejo", "github"]),
        Absent::Refused,
        "How it is reached.",
    )
    .examples(&[r#""webhook""#]),
    Row::new(
        "on",
        Shape::Texts,
        Absent::Words("all but `skipped`"),
        "What it is told of: failure, timeout, unknown, skipped, recovery, watchdog.",
    )
    .examples(&[r#"["failure", "timeout"]"#]),
    Row::new(
        "url",
        Shape::Filled,
        Absent::Words("required, but for github"),
        "webhook: where it is posted to; a tracker: where it is.",
    )
    .examples(&[r#""https://hooks.slack.com/services/${SLACK_HOOK}""#, r#""https://git.example.org""#]),
    Row::new(
        "preset",
        Shape::Word(&["slack", "discord", "telegram", "ntfy", "json"]),
        Absent::Value(r#""json""#),
        "webhook: what is posted.",
    )
    .examples(&[r#""slack""#]),
    Row::new(
        "token",
        Shape::Filled,
        Absent::Words("none; a tracker needs one"),
        "What lets us in: `${NAME}` and `file:PATH` keep it out of this file.",
    )
    .examples(&[r#""file:/etc/sched/token""#, r#""${NTFY_TOKEN}""#]),
    Row::new(
        "chat",
        Shape::Anything,
        Absent::Words("none"),
        "webhook with preset telegram: the chat that it is sent to.",
    )
    .examples(&[r#""-1001234567890""#]),
    Row::new("to", Shape::Texts, Absent::Words("none"), "email: to whom.").examples(&[r#"["ops@example.org"]"#]),
    Row::new("from", Shape::Filled, Absent::Words("none"), "email: from whom.").examples(&[r#""sched@example.org""#]),
    Row::new(
        "smtp",
        Shape::Filled,
        Absent::Words("none"),
        "email: the server, as smtps://, smtp+starttls:// or smtp://, with user and password.",
    )
    .examples(&[r#""smtps://sched:${SMTP_PASS}@mail.example.org""#]),
    Row::new(
        "command",
        Shape::Texts,
        Absent::Words("none"),
        "command: program and arguments; the alert comes on its stdin.",
    )
    .examples(&[r#"["/usr/local/bin/page"]"#]),
    Row::new("timeout", Shape::Duration, Absent::Value(r#""30s""#), "command: how long it may take, up to 10m.")
        .examples(&[r#""1m""#]),
    Row::new("repo", Shape::Filled, Absent::Words("none"), "gitea, forgejo, github: where the issues go.")
        .examples(&[r#""ops/cron""#]),
    Row::new("assignees", Shape::Texts, Absent::Value("[]"), "gitea, forgejo, github: who gets the issues.")
        .examples(&[r#"["ops"]"#]),
    Row::new(
        "label",
        Shape::Filled,
        Absent::Value(r#""sched-watchdog""#),
        "gitea, forgejo, github: marks our issues; it is made if it isn't there.",
    )
    .examples(&[r#""cron""#]),
    Row::new(
        "max_issues",
        Shape::Count { least: 1, most: u32::MAX as u64 },
        Absent::Value("5"),
        "gitea, forgejo, github: the most issues opened within one `watchdog.rate_limit`.",
    )
    .examples(&["20"]),
];

/// What becomes of missed instants, here and in a job.
pub(crate) const MISFIRE: [Row; 3] = [
    Row::new(
        "grace",
        Shape::Grace,
        Absent::Value(r#""auto""#),
        "How late a run may be and still count as itself; auto is half the period, between 120s and 2h.",
    )
    .examples(&[r#""10m""#]),
    Row::new(
        "policy",
        Shape::Word(&["latest", "all", "skip"]),
        Absent::Value(r#""latest""#),
        "Beyond that: latest (one catch-up run), all (at most max) or skip.",
    )
    .examples(&[r#""skip""#]),
    Row::new(
        "max",
        Shape::Count { least: 1, most: u32::MAX as u64 },
        Absent::Value("10"),
        "The most runs that `all` catches up on.",
    )
    .examples(&["3"]),
];

/// How often, and when, it is tried again, here and in a job.
pub(crate) const RETRIES: [Row; 3] = [
    Row::new(
        "max",
        Shape::Count { least: 0, most: u32::MAX as u64 },
        Absent::Value("0"),
        "The most attempts after the first.",
    )
    .examples(&["2"]),
    Row::new(
        "backoff",
        Shape::Duration,
        Absent::Value(r#""1m""#),
        "How long to wait before the second attempt; before each further one twice as long.",
    )
    .examples(&[r#""30s""#]),
    Row::new("max_backoff", Shape::Duration, Absent::Value(r#""1h""#), "The longest to wait.").examples(&[r#""10m""#]),
];

/// The JSON Schema (draft 2020-12) of `config.yaml`, for editors.
///
/// It refuses no file that [`load`](super::load()) takes without a problem, and of the others all that can be told
/// without the machine: not whether a time zone or a provider exists, nor how long a duration is.
///
/// ```
/// let schema = scheduler_core::config::schema();
/// assert_eq!(schema["properties"]["misfire"]["properties"]["max"]["default"], 10);
/// ```
pub fn schema() -> Value {
    let mut keywords = members(&KEYS, true);
    // Keys that other builds carry out may stand there as long as they ask for nothing. Patterns, so that no editor
    // proposes them.
    let (inside, at_top): (Vec<&str>, Vec<&str>) = NOT_HERE.iter().partition(|key| key.contains('.'));
    let nothing = json!({ "$ref": "#/$defs/nothing" });
    let others: Vec<&str> = at_top.into_iter().filter(|key| *key != "store").collect();
    keywords["patternProperties"][pattern_of(&others)] = nothing.clone();
    keywords["patternProperties"]["^store$"] = json!({ "enum": [null, "", "json", [], {}] });
    for (section, key) in inside.iter().filter_map(|path| path.split_once('.')) {
        keywords["properties"][section]["patternProperties"][pattern_of(&[key])] = nothing.clone();
    }
    keywords["$defs"] = json!({ "nothing": {
        "type": ["null", "string", "array", "object"],
        "maxLength": 0,
        "maxItems": 0,
        "additionalProperties": { "$ref": "#/$defs/nothing" },
    }});
    let description = "What the operator wants from the daemon; every key is optional.";
    reference::root("config.yaml of sched", description, keywords)
}
