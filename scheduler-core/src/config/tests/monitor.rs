//! `monitor` and `probes`.

use super::*;
use crate::{PingUrl, job::Command};

#[test]
fn pings_and_probes_are_taken() {
    let url = |text: &str| PingUrl::parse(text).ok();
    taken("monitor: {ping_url: https://hc-ping.com/a, ping_interval: 90s, ping_body: 0}", |c| {
        c.monitor.ping_url = url("https://hc-ping.com/a");
        c.monitor.ping_interval = Duration::from_secs(90);
        c.monitor.ping_body = 0;
    });
    taken("monitor: {ping_url: 'file:/etc/ping'}", |c| c.monitor.ping_url = url("file:/etc/ping"));
    let every = Duration::from_mins(5);
    taken("probes: [{name: disk, command: [df, /], every: 5m}]", |c| {
        c.probes = vec![Probe::new("disk", Command::Argv(["df".into(), "/".into()].into()), every)];
    });
    let all =
        "probes:\n- name: api\n  command: curl -f x\n  every: 5m\n  timeout: 2s\n  notify: []\n  not_during: [a, b]\n";
    taken(all, |c| {
        let mut probe = Probe::new("api", Command::Shell("curl -f x".into()), every);
        probe.timeout = Duration::from_secs(2);
        probe.notify = Some(Vec::new());
        probe.not_during = vec!["a".parse().unwrap(), "b".parse().unwrap()];
        c.probes = vec![probe];
    });
}

#[test]
fn a_wrong_address_has_a_place_and_is_not_repeated() {
    let default = "correct the value; until then its default holds";
    let check = |value: &str, what: &str| {
        let problem =
            format!("config-monitor.ping_url: config.yaml: line 1, column 21: monitor.ping_url: {what} [{default}]");
        refused(&format!("monitor: {{ping_url: {value}}}"), &problem);
    };
    check("'ftp://s3cret.org/'", "it begins with neither `https://` nor `http://`");
    check("s3cret", "it begins with neither `https://` nor `http://`");
    check("'https:///s3cret'", "it names no host");
    check("[s3cret]", "expected the text of an address");
    let span = |value: &str, what: &str| {
        let key = "monitor.ping_interval";
        let problem = format!("config-{key}: config.yaml: line 1, column 26: {key}: {what} [{default}]");
        refused(&format!("monitor: {{ping_interval: {value}}}"), &problem);
    };
    span("10ms", "shorter than 1s");
    span("2d", "longer than 24h");
}

#[test]
fn a_wrong_probe_costs_itself_alone() {
    let good = "{name: good, command: x, every: 1m}";
    let check = |entry: &str, place: &str, what: &str| {
        let case = Case::with(format!("probes:\n- {entry}\n- {good}\n"));
        let problems = case.problems();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains(&format!("config.yaml: {place}: ")) && problems[0].contains(what), "{problems:?}");
        let names: Vec<String> = case.load().config.probes.into_iter().map(|probe| probe.name).collect();
        assert_eq!(names, ["good"], "{entry}");
    };
    check("7", "line 2, column 3", "expected a probe such as");
    check("{command: x, every: 1m}", "line 2, column 3", "it has no `name`");
    check("{name: A b, command: x, every: 1m}", "line 2, column 10", "is no name of a probe");
    check("{name: a, every: 1m}", "line 2, column 3", "it has no `command`");
    check("{name: a, command: [], every: 1m}", "line 2, column 22", "it names no program");
    check("{name: a, command: {}, every: 1m}", "line 2, column 22", "expected a list of texts or a line for the shell");
    check("{name: a, command: x}", "line 2, column 3", "it has no `every`");
    check("{name: a, command: x, every: 8d}", "line 2, column 32", "it is not between 1s and 7d");
    check("{name: a, command: x, every: 1m, timeout: 0}", "line 2, column 45", "it is not between 1s and 1h");
    check("{name: a, command: x, every: 1m, not_during: [A b]}", "line 2, column 48", "is no id of a job");
    check("{name: a, command: x, every: 1m, evry: 2m}", "line 2, column 3", "did you mean `every`?");
    let case = Case::with(format!("probes: [{good}, {good}]"));
    assert!(case.problems()[0].contains("a second probe with the name `good`"), "{:?}", case.problems());
}

#[test]
fn sinks_that_a_probe_names_must_be_there() {
    let case = Case::with("probes:\n- {name: a, command: x, every: 1m, notify: [ops]}\n");
    let problem = "config-probes.0.notify: config.yaml: line 2, column 44: probes.0.notify: there is no sink `ops` in `notify` \
                   [add it to `notify`, or take the name out]";
    assert_eq!(case.problems(), [problem]);
    assert_eq!(case.load().config.probes.len(), 1, "the rest of it holds");
}
