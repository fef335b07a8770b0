//! Key by key: what is taken, what is refused and in which words, and that the template knows them all.

use super::*;
use crate::{
    job::{MisfirePolicy, Retries},
    liveness::beats::{BeatName, Expected},
    schedule::zone,
};

#[test]
fn every_key_is_taken() {
    let seconds = Duration::from_secs;
    taken("", |_| {});
    taken("\u{feff}# nothing\n", |_| {});
    taken("---\n", |_| {});
    taken("---\n# nothing\n...\n", |_| {});
    taken("{}", |_| {});
    taken("\u{feff}agent: a", |c| c.agent = Some("a".into()));
    taken("provider: chronos", |c| c.provider = "chronos".into());
    taken("provider: none", |c| c.provider = "none".into());
    taken("provider: ' none '", |c| c.provider = "none".into());
    // Text in YAML 1.2, whatever it was in 1.1; the resolver will not find it and say so.
    taken("provider: no", |c| c.provider = "no".into());
    taken("provider: null", |_| {});
    taken("provider: ~", |_| {});
    taken("provider:", |_| {});
    taken("provider: ''", |_| {});
    taken("agent: ''", |_| {});
    taken("agent: '12'", |c| c.agent = Some("12".into()));
    taken("timezone: europe/berlin", |c| c.timezone = "Europe/Berlin".into());
    taken("timezone: System", |_| {});
    taken("ticker: {interval: 1s}", |c| c.interval = seconds(1));
    taken("ticker:\n  interval: 1h\n", |c| c.interval = seconds(3600));
    taken("ticker:", |_| {});
    taken("ticker: {}", |_| {});
    taken("max_parallel: 1", |c| c.max_parallel = 1);
    let groups = |c: &mut Config| c.groups = [("backups".into(), 2), ("a.b".into(), 1)].into_iter().collect();
    taken("groups: {backups: {max_parallel: 2}, a.b: {max_parallel: 1}}", groups);
    taken("groups:\n  backups:\n    max_parallel: 2\n  a.b: {max_parallel: 1}\n", groups);
    taken("groups:", |_| {});
    taken("drain_timeout: 0", |c| c.drain_timeout = Duration::ZERO);
    taken("drain_timeout: 1h30m", |c| c.drain_timeout = seconds(5400));
    taken("misfire: {grace: 5m, policy: all, max: 3}", |c| {
        c.misfire = Misfire { grace: Some(seconds(300)), policy: MisfirePolicy::All, max: 3 };
    });
    taken("misfire: {grace: auto, policy: skip}", |c| c.misfire.policy = MisfirePolicy::Skip);
    taken("history: {keep_days: 7, max_bytes: 1MiB, logs_per_job: 0, logs_max_bytes: 5, output_limit: 64KiB}", |c| {
        c.history =
            History { keep_days: 7, max_bytes: 1 << 20, logs_per_job: 0, logs_max_bytes: 5, output_limit: 65536 };
    });
    taken("defaults: {timeout: 90s, overlap: allow, inherit_env: false, shell: bash}", |c| {
        c.defaults.timeout = Some(seconds(90));
        c.defaults.overlap = Overlap::Allow;
        c.defaults.inherit_env = false;
        c.defaults.shell = "bash".into();
    });
    taken("defaults: {timeout: 0}", |_| {});
    taken("defaults: {retries: {max: 3, max_backoff: null}}", |c| c.defaults.retries.max = 3);
    taken("defaults: {retries: {max: 0, backoff: 0, max_backoff: 5m}}", |c| {
        c.defaults.retries = Retries { max: 0, backoff: seconds(0), max_backoff: seconds(300) };
    });
    taken("defaults:\n  env:\n    A: text\n    V: 1.10\n    N: 007\n    T: True\n    E: ''\n", |c| {
        let pairs = [("A", "text"), ("V", "1.10"), ("N", "007"), ("T", "True"), ("E", "")];
        c.defaults.env = pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    });
    let expected = |name: &str, every, max_age| Expected { name: BeatName::new(name), every, max_age };
    taken("heartbeats: [{name: agent, every: 15m, max_age: 20m}, {name: ../x, every: 1d, max_age: ~}]", |c| {
        c.heartbeats =
            vec![expected("agent", seconds(900), Some(seconds(1200))), expected("../x", seconds(86_400), None)];
    });
    taken("heartbeats: []\nheartbeats_dir: ~", |_| {});
    taken("heartbeats_dir: /var/lib/beats", |c| c.heartbeats_dir = Some("/var/lib/beats".into()));
    taken("report: {schedule: ~, timezone: Europe/Berlin, since: 7d}", |c| {
        c.report.timezone = Some("Europe/Berlin".into());
        c.report.since = seconds(7 * 86_400);
    });
    // Asked for nothing: as good as not written.
    taken("store: json\nnotify: []\nwatchdog: {}\ngateway: {listen: null}\nreport:\nmonitor: {ping_url: ''}", |_| {});
    taken("$schema: https://example.org/config.json\n_note: by hand", |_| {});
}

#[test]
fn a_wrong_value_costs_its_key_only() {
    let default = "correct the value; until then its default holds";
    let nothing = "correct it; until then it counts for nothing";
    let missed = "correct it; until then nobody misses this one";
    let quotes = "put it in quotes if it is meant as a name";
    let cases = [
        ("\n\nprovider: [a]", 3, 11, "provider", "expected a name, found a list", default),
        ("provider: {a: b}", 1, 11, "provider", "expected a name, found a section of keys", default),
        ("provider: false", 1, 11, "provider", "expected a name, found `false`", quotes),
        ("provider: 7", 1, 11, "provider", "expected a name, found the number 7", quotes),
        ("provider: !x y", 1, 11, "provider", "expected a name, found a value tagged `!x`", default),
        (
            "timezone: Europe/Berlim",
            1,
            11,
            "timezone",
            "`Europe/Berlim` is not a time zone",
            "did you mean `Europe/Berlin`?",
        ),
        (
            "ticker: 60s",
            1,
            9,
            "ticker",
            "expected a section of keys, found the text \"60s\"",
            "its keys are `interval`, `abort_after`, one a line below it",
        ),
        ("ticker:\n  interval: 60", 2, 13, "ticker.interval", "`60` has no unit; write `60s`, `60m` or `60h`", default),
        ("ticker: {interval: 10ms}", 1, 20, "ticker.interval", "shorter than 1s", default),
        (
            "ticker: {interval: 2h}",
            1,
            20,
            "ticker.interval",
            "longer than 1h, so a stop would go unnoticed for hours",
            default,
        ),
        (
            "ticker: {interval: 1.5}",
            1,
            20,
            "ticker.interval",
            "`1.5` is not a duration; write `30s`, `5m`, `1h30m` or `2d`",
            default,
        ),
        (
            "max_parallel: 0",
            1,
            15,
            "max_parallel",
            "expected a whole number of at least 1, found the number 0",
            default,
        ),
        (
            "max_parallel: many",
            1,
            15,
            "max_parallel",
            "expected a whole number of at least 1, found the text \"many\"",
            default,
        ),
        (
            "groups: [backups]",
            1,
            9,
            "groups",
            "expected groups such as `{backups: {max_parallel: 2}}`, found a list",
            default,
        ),
        (
            "groups: {backups: 2}",
            1,
            19,
            "groups.backups",
            "expected a section such as `{max_parallel: 2}`, found the number 2",
            nothing,
        ),
        ("groups: {backups: {}}", 1, 19, "groups.backups", "it has no `max_parallel`", nothing),
        (
            "groups: {backups: {max_parallel: 0}}",
            1,
            19,
            "groups.backups",
            "max_parallel: expected a whole number of at least 1, found the number 0",
            nothing,
        ),
        (
            "groups: {backups: {max_paralel: 1}}",
            1,
            19,
            "groups.backups",
            "the text \"max_paralel\" is no key of it",
            "its only key is `max_parallel`",
        ),
        (
            "groups: {The backups: {max_parallel: 1}}",
            1,
            23,
            "groups.The backups",
            "the text \"The backups\" is no name of a group",
            "a name is a-z, 0-9, `.`, `_` or `-`, at most 63 long",
        ),
        ("drain_timeout: -5s", 1, 16, "drain_timeout", "`-5s` is negative; durations run forwards", default),
        (
            "drain_timeout: [1]",
            1,
            16,
            "drain_timeout",
            "expected a duration such as `30s` or `1h30m`, found a list",
            default,
        ),
        (
            "misfire: {policy: never}",
            1,
            19,
            "misfire.policy",
            "expected `latest`, `all` or `skip`, found the text \"never\"",
            default,
        ),
        (
            "misfire: {max: 5000000000}",
            1,
            16,
            "misfire.max",
            "expected a whole number of at least 1, found the number 5000000000",
            default,
        ),
        (
            "history: {output_limit: lots}",
            1,
            25,
            "history.output_limit",
            "`lots` is not a size; write `64KiB`, `1MiB` or a number of bytes",
            default,
        ),
        (
            "history: {logs_per_job: -1}",
            1,
            25,
            "history.logs_per_job",
            "expected a whole number of at least 0, found the number -1",
            default,
        ),
        (
            "defaults: {overlap: never}",
            1,
            21,
            "defaults.overlap",
            "expected `forbid`, `allow`, `queue` or `replace`, found the text \"never\"",
            default,
        ),
        (
            "defaults: {inherit_env: no}",
            1,
            25,
            "defaults.inherit_env",
            "expected true or false, found the text \"no\"",
            "write `false`",
        ),
        ("defaults: {shell: ''}", 1, 19, "defaults.shell", "it is empty", default),
        (
            "defaults: {env: [A=1]}",
            1,
            17,
            "defaults.env",
            "expected variables with their values, found a list",
            default,
        ),
        ("defaults: {env: {A: [1]}}", 1, 21, "defaults.env.A", "expected a text, found a list", nothing),
        (
            "defaults: {env: {A=B: x}}",
            1,
            23,
            "defaults.env.A=B",
            "the text \"A=B\" is not a name of a variable",
            nothing,
        ),
        (
            "gateway: {listen: '127.0.0.1:7373'}",
            1,
            10,
            "gateway",
            "this build of sched does not carry `gateway` out",
            "remove the key",
        ),
        ("store: postgres://db", 1, 8, "store", "this build of sched does not carry `store` out", "remove the key"),
        (
            "ticker: {abort_after: soon}",
            1,
            23,
            "ticker.abort_after",
            "`soon` is not a duration; write `30s`, `5m`, `1h30m` or `2d`",
            default,
        ),
        (
            "heartbeats: {name: a, every: 15m}",
            1,
            13,
            "heartbeats",
            "expected a list of heartbeats, found a section of keys",
            "begin each with `- name:`, one below the other",
        ),
        (
            "heartbeats: [agent]",
            1,
            14,
            "heartbeats.0",
            "expected a section such as `{name: agent, every: 15m}`, found the text \"agent\"",
            missed,
        ),
        ("heartbeats: [{name: a}]", 1, 14, "heartbeats.0", "it has no `every`", missed),
        ("heartbeats: [{every: 1h}]", 1, 14, "heartbeats.0", "it has no `name`", missed),
        ("heartbeats: [{name: ' ', every: 1h}]", 1, 21, "heartbeats.0.name", "it is empty", missed),
        (
            "heartbeats: [{name: a, every: 0}]",
            1,
            31,
            "heartbeats.0.every",
            "it is zero; a duration such as `15m` is needed",
            missed,
        ),
        (
            "heartbeats: [{name: a, every: 1h, max_age: soon}]",
            1,
            44,
            "heartbeats.0.max_age",
            "`soon` is not a duration; write `30s`, `5m`, `1h30m` or `2d`",
            missed,
        ),
        (
            "heartbeats: [{name: a, evry: 1h}]",
            1,
            14,
            "heartbeats.0",
            "the text \"evry\" is no key of it",
            "its keys are `name`, `every` and `max_age`",
        ),
        ("heartbeats_dir: beats", 1, 17, "heartbeats_dir", "`beats` is not an absolute path", default),
        (
            "defaults: {retries: 2}",
            1,
            21,
            "defaults.retries",
            "expected a section such as `{max: 2, backoff: 1m}`, found the number 2",
            default,
        ),
        (
            "defaults: {retries: {max: -1}}",
            1,
            21,
            "defaults.retries",
            "max: expected a whole number of at least 0, found the number -1",
            default,
        ),
        (
            "defaults: {retries: {backoff: soon}}",
            1,
            21,
            "defaults.retries",
            "backoff: `soon` is not a duration; write `30s`, `5m`, `1h30m` or `2d`",
            default,
        ),
        (
            "defaults: {retries: {often: 3}}",
            1,
            21,
            "defaults.retries",
            "the text \"often\" is no key of it",
            "its keys are `max`, `backoff` and `max_backoff`",
        ),
    ];
    for (text, line, column, key, what, hint) in cases {
        let place = format!("config.yaml: line {line}, column {column}");
        let name = key.replace([' ', '='], "-");
        refused(text, &format!("config-{name}: {place}: {key}: {what} [{hint}]"));
        assert!(fits(text) != Some(true) || needs_the_loader(text), "the schema takes {text}");
    }
}

/// Whether `text` is wrong in a way that a schema can't tell.
fn needs_the_loader(text: &str) -> bool {
    ["Berlim", "10ms", "interval: 2h", "!x", "name: a, every: 2h"].iter().any(|part| text.contains(part))
}

#[test]
fn an_unknown_key_is_a_remark_with_the_nearest_one() {
    let cases = [
        ("privider: x", 1, 1, "privider", "did you mean `provider`?"),
        ("gatway: 1", 1, 1, "gatway", "did you mean `gateway`?"),
        ("ticker:\n  intervall: 5s", 2, 3, "ticker.intervall", "did you mean `ticker.interval`?"),
        (
            "logs_per_job: 5",
            1,
            1,
            "logs_per_job",
            "write `logs_per_job` on a line of its own, indented, below `history:`",
        ),
        ("zzzzzzzzzz: 5", 1, 1, "zzzzzzzzzz", "remove it"),
        ("'../x y': 5", 1, 1, "../x y", "remove it"),
        (
            "ticker.interval: 5s",
            1,
            1,
            "ticker.interval",
            "write `interval` on a line of its own, indented, below `ticker:`",
        ),
        (
            "history.keep_days: 5",
            1,
            1,
            "history.keep_days",
            "write `keep_days` on a line of its own, indented, below `history:`",
        ),
    ];
    for (text, line, column, key, hint) in cases {
        let name = key.replace(['/', ' '], "-");
        let place = format!("config.yaml: line {line}, column {column}");
        refused(text, &format!("remark config-{name}: {place}: no such key: `{key}` [{hint}]"));
    }
    refused("12: x", "remark config-key: config.yaml: the number 12 is no key [remove it]");
    refused("[a, b]: x", "remark config-key: config.yaml: a list is no key [remove it]");
}

#[test]
fn one_wrong_member_costs_no_other() {
    let check = |text: &str, problem: &str, change: fn(&mut Config)| {
        let case = Case::with(text);
        let mut expected = Config::default();
        change(&mut expected);
        assert_eq!(case.problems(), [problem], "{text}");
        assert_eq!(case.load().config, expected, "{text}");
    };
    let heartbeats = |c: &mut Config| {
        let every = Duration::from_secs(1);
        c.heartbeats = vec![Expected { name: BeatName::new("a"), every, max_age: None }];
    };
    check(
        "heartbeats: [{name: a, every: 1s}, {name: b, every: 1x}]",
        "config-heartbeats.1.every: config.yaml: line 1, column 53: heartbeats.1.every: `1x` is not a duration; write `30s`, \
         `5m`, `1h30m` or `2d` [correct it; until then nobody misses this one]",
        heartbeats,
    );
    check(
        "heartbeats: [{name: a, every: 1s}, {name: a, every: 2h}]",
        "config-heartbeats.1.name: config.yaml: line 1, column 43: heartbeats.1.name: a second heartbeat with the name `a` \
         [correct it; until then nobody misses this one]",
        heartbeats,
    );
    check(
        "groups: {a: {max_parallel: 2}, b: 3}",
        "config-groups.b: config.yaml: line 1, column 35: groups.b: expected a section such as `{max_parallel: 2}`, found the \
         number 3 [correct it; until then it counts for nothing]",
        |c| c.groups = [("a".into(), 2)].into_iter().collect(),
    );
    check(
        "defaults: {env: {A: x, B: [y]}}",
        "config-defaults.env.B: config.yaml: line 1, column 27: defaults.env.B: expected a text, found a list \
         [correct it; until then it counts for nothing]",
        |c| c.defaults.env = [("A".into(), "x".into())].into_iter().collect(),
    );
}

#[test]
fn the_template_uncommented_says_what_an_empty_file_says() {
    taken(&TEMPLATE, |_| {});
    let lines: Vec<&str> = TEMPLATE.lines().map(|line| line.strip_prefix('#').unwrap_or(line)).collect();
    let uncommented = lines.join("\n");
    taken(&uncommented, |_| {});
    // And it does hold every key: another value for each of them is taken from it.
    let root: serde_yaml::Mapping = serde_yaml::from_str(&uncommented).unwrap();
    let sections = ["ticker", "misfire", "history", "defaults", "watchdog", "monitor", "report"];
    let paths: Vec<String> = root
        .iter()
        .flat_map(|(key, value)| {
            let key = key.as_str().unwrap().to_owned();
            match value.as_mapping().filter(|_| sections.contains(&key.as_str())) {
                Some(members) => members.keys().map(|member| format!("{key}.{}", member.as_str().unwrap())).collect(),
                None => vec![key],
            }
        })
        .collect();
    assert_eq!(paths, reader::known());
}

#[test]
fn the_defaults_of_jobs_carry_the_zone_by_name() {
    let loaded = Case::with("timezone: utc\ndefaults: {timeout: 5s}\nmisfire: {max: 2}").load();
    let defaults = loaded.config.job_defaults();
    assert_eq!((defaults.zone_name(), defaults.timeout), ("UTC", Some(Duration::from_secs(5))));
    assert_eq!((defaults.misfire.max, defaults.overlap), (2, Overlap::Forbid));
    // Whatever `system` is on this machine, a store can write it down.
    let zone = Config::default().job_defaults().zone;
    assert!(zone::parse(&zone).is_ok(), "{zone}");
}
