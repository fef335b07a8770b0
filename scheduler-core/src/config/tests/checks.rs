//! `watchdog.checks`: what is taken, and what a wrong entry costs.

use std::time::Duration;

use super::*;
use crate::config::checks::{Beat, Process, Syntax, Tcp};

#[test]
fn checks_of_every_kind_are_taken() {
    let text = "\
watchdog:
  every: 30s
  checks:
    tcp:
      - {name: gateway, address: '127.0.0.1:7373'}
      - {name: six, address: '[::1]:80', timeout: 1s}
      - {name: page, address: 'http://host:8080/health?x=1'}
    process: [{name: api, pidfile: /run/api.pid}, {name: think, pattern: nexus_think}]
    heartbeat: [{name: agent, file: /var/run/agent.json, max_age: 20m}, {name: other, file: /a}]
    syntax: [{name: think, file: /srv/think.py}, {name: pl, file: /a.pl, command: [perl, -c], timeout: 1m}]
";
    taken(text, |c| {
        c.watchdog.every = Some(Duration::from_secs(30));
        let checks = &mut c.watchdog.checks;
        checks.tcp = vec![
            Tcp::new("gateway", "127.0.0.1:7373"),
            Tcp { timeout: Duration::from_secs(1), ..Tcp::new("six", "[::1]:80") },
            Tcp::new("page", "http://host:8080/health?x=1"),
        ];
        checks.process = vec![
            Process::new("api", Some("/run/api.pid".into()), None),
            Process::new("think", None, Some("nexus_think".into())),
        ];
        let agent = Beat { max_age: Duration::from_mins(20), ..Beat::new("agent", "/var/run/agent.json") };
        checks.heartbeat = vec![agent, Beat::new("other", "/a")];
        let command = Some(vec!["perl".into(), "-c".into()]);
        let pl = Syntax { command, timeout: Duration::from_mins(1), ..Syntax::new("pl", "/a.pl") };
        checks.syntax = vec![Syntax::new("think", "/srv/think.py"), pl];
    });
    taken("watchdog: {every: null, checks: {tcp: [], process: null}}", |_| {});
    let expected = |text: &str| configured(text).watchdog.expected().map(|every| every.as_secs());
    assert_eq!(expected("watchdog: {rate_limit: 2h}"), None, "sinks alone ask for no watchdog");
    assert_eq!(expected("watchdog: {every: 5m}"), Some(300));
    assert_eq!(expected("watchdog: {checks: {tcp: [{name: a, address: 'b:1'}]}}"), Some(60));
}

#[test]
fn a_wrong_entry_costs_itself_and_is_named_with_its_place() {
    let good = "{name: good, address: 'a:1'}";
    let check = |entry: &str, column: usize, member: &str, what: &str| {
        let case = Case::with(format!("watchdog:\n  checks:\n    tcp: [{good}]\n    {entry}\n"));
        let problems = case.problems();
        let place = format!("config.yaml: line 4, column {column}: watchdog.checks{member}: {what}");
        assert!(problems.len() == 1 && problems[0].contains(&place), "{entry}: {problems:#?}\n{place}");
        assert_eq!(case.load().config.watchdog.checks.tcp.len(), 1, "{entry}");
    };
    check("process: [{name: a}]", 15, ".process.0", "it has neither `pidfile` nor `pattern`");
    check("process: [{name: a, patern: x}]", 15, ".process.0", "the text \"patern\" is no key of it");
    check("process: [{name: A, pattern: x}]", 22, ".process.0.name", "\"A\" is no name of a check");
    check("process: [{name: a, pidfile: run/a}]", 34, ".process.0.pidfile", "`run/a` is not an absolute path");
    check("process: [{pattern: x}]", 15, ".process.0", "it has no `name`");
    check("process: [a]", 15, ".process.0", "expected a check");
    check("process: {name: a}", 14, ".process", "expected a list of checks, found a section of keys");
    check("heartbeat: [{name: a, file: /a, max_age: 0}]", 46, ".heartbeat.0.max_age", "it is zero");
    check("syntax: [{name: a, file: /a.txt}]", 30, ".syntax.0.file", "what `/a.txt` is, its suffix doesn't say");
    check("syntax: [{name: a, file: /a.py, timeout: 2m}]", 46, ".syntax.0.timeout", "longer than 1m");
    check("syntax: [{name: a, file: /a, command: perl}]", 43, ".syntax.0.command", "expected a list of texts");
    check("tpc: []", 10, ".tpc", "the text \"tpc\" is no kind of check");
}

#[test]
fn addresses_that_can_be_tried() {
    let check = |address: &str, fine: bool| {
        let case = Case::with(format!("watchdog: {{checks: {{tcp: [{{name: a, address: '{address}'}}]}}}}"));
        assert_eq!(case.problems().is_empty(), fine, "{address}: {:?}", case.problems());
    };
    for fine in ["a:1", "127.0.0.1:65535", "[::1]:80", "http://a", "http://a:8/x", "http://[::1]:8/x", "http://[::1]/"]
    {
        check(fine, true);
    }
    for wrong in ["a", "a:0", ":80", "a:65536", "a b:1", "http://", "http://a:x/", "https://a", "http://u:p@a:1/"] {
        check(wrong, false);
    }
}
