//! The entries of `notify`: what is taken, and what is wrong where.

use super::*;
use crate::config::sinks::{Event, Forge, Preset, Sink, Tracker, Via};

fn webhook(name: &str, url: &str) -> Sink {
    Sink::new(name, Via::Webhook { url: Secret::new(url), preset: Preset::Json, token: None, chat: None })
}

#[test]
fn every_type_is_taken() {
    taken("notify: [{name: a, type: webhook, url: 'https://example.org/x'}]", |c| {
        c.notify = vec![webhook("a", "https://example.org/x")];
    });
    taken(
        "notify:\n  - name: a\n    type: webhook\n    preset: telegram\n    url: 'http://x'\n    chat: -100\n    token: t\n",
        |c| {
            let (url, token) = (Secret::new("http://x"), Some(Secret::new("t")));
            c.notify =
                vec![Sink::new("a", Via::Webhook { url, preset: Preset::Telegram, token, chat: Some("-100".into()) })];
        },
    );
    taken("notify: [{name: m, type: email, to: [a@b.c, 'Ann <d@e.f>'], from: s@b.c, smtp: 'smtps://b.c'}]", |c| {
        let to = vec!["a@b.c".into(), "Ann <d@e.f>".into()];
        c.notify = vec![Sink::new("m", Via::Email { to, from: "s@b.c".into(), smtp: Secret::new("smtps://b.c") })];
    });
    taken("notify: [{name: p, type: command, command: [page, x], timeout: 5s, on: [failure, skipped]}]", |c| {
        let via = Via::Command { command: vec!["page".into(), "x".into()], timeout: Duration::from_secs(5) };
        let mut sink = Sink::new("p", via);
        sink.on = [Event::Failure, Event::Skipped].into();
        c.notify = vec![sink];
    });
    taken("notify: [{name: t, type: github, repo: a/b, token: t, label: x, max_issues: 2, assignees: [ann]}]", |c| {
        let mut tracker = Tracker::new(Forge::GitHub, "https://api.github.com", "a/b", Secret::new("t"));
        (tracker.label, tracker.max_issues, tracker.assignees) = ("x".into(), 2, vec!["ann".into()]);
        c.notify = vec![Sink::new("t", Via::Tracker(tracker))];
    });
    taken("notify: [{name: t, type: forgejo, url: 'https://g.org/', repo: a/b, token: t, on: null}]", |c| {
        let tracker = Tracker::new(Forge::Forgejo, "https://g.org", "a/b", Secret::new("t"));
        c.notify = vec![Sink::new("t", Via::Tracker(tracker))];
    });
    taken("notify: [{name: a, type: webhook, url: 'http://x'}]\nwatchdog: {rate_limit: 5m, notify: [a]}", |c| {
        c.notify = vec![webhook("a", "http://x")];
        c.watchdog.rate_limit = Duration::from_mins(5);
        c.watchdog.notify = Some(vec!["a".into()]);
    });
}

#[test]
fn an_address_that_is_not_known_before_it_is_used_is_taken() {
    for url in ["${URL}", "${SCHEME}://x", "file:/etc/sched/url", "HTTPS://x", "https://u:${PASS}@x"] {
        taken(&format!("notify: [{{name: a, type: webhook, url: '{url}'}}]"), |c| c.notify = vec![webhook("a", url)]);
    }
}

#[test]
fn a_wrong_entry_is_told_with_its_place_and_costs_itself_alone() {
    let check = |entry: &str, place: &str, what: &str, hint: &str| {
        let case = Case::with(format!("notify:\n  - {entry}\n  - {{name: fine, type: webhook, url: 'http://x'}}\n"));
        let problems: Vec<String> = case.problems();
        let hint = if hint.is_empty() { "correct it; until then nothing is sent to this sink" } else { hint };
        let path = if place.contains(": ") { place.to_owned() } else { format!("{place}: notify.0") };
        let key = path.split(": ").nth(1).expect("a path");
        assert_eq!(problems, [format!("config-{key}: config.yaml: {path}: {what} [{hint}]")], "{entry}");
        let names: Vec<String> = case.load().config.notify.iter().map(|sink| sink.name.clone()).collect();
        assert_eq!(names, ["fine"], "{entry}");
    };
    let own = "correct it; until then nothing is sent to this sink";
    check(
        "pager",
        "line 2, column 5",
        "expected a sink such as `{name: pager, type: command, command: [page]}`, found the text \"pager\"",
        own,
    );
    check("{type: webhook}", "line 2, column 5", "it has no `name`: what you call it", "");
    check(
        "{name: A b}",
        "line 2, column 12: notify.0.name",
        "the text \"A b\" is no name of a sink",
        "a name is a-z, 0-9, `.`, `_` or `-`, at most 63 long",
    );
    check(
        "{name: a, type: webhok}",
        "line 2, column 21: notify.0.type",
        "expected `webhook`, `email`, `command`, `gitea`, `forgejo` or `github`, found the text \"webhok\"",
        "did you mean `webhook`?",
    );
    check("{name: a, type: webhook}", "line 2, column 5", "it has no `url`: where it is posted to", "");
    check(
        "{name: a, type: webhook, url: 'http://x', tokn: y}",
        "line 2, column 5",
        "the text \"tokn\" is no key of a sink of type `webhook`",
        "did you mean `token`?",
    );
    check("{name: a, type: webhook, url: 5}", "line 2, column 35: notify.0.url", "expected a text", "put it in quotes");
    check(
        "{name: a, type: webhook, url: 'http://x', preset: telegram}",
        "line 2, column 5",
        "`chat` and `preset: telegram` belong together",
        "`chat` is the id of the chat that the bot writes to",
    );
    check(
        "{name: a, type: webhook, url: 'http://x', on: [failur]}",
        "line 2, column 51: notify.0.on",
        "`failur` is none of `failure`, `recovery`, `timeout`, `skipped`, `unknown`, `watchdog`",
        "did you mean `failure`?",
    );
    check(
        "{name: a, type: email, to: [ops], from: a@b.c, smtp: 'smtp://x'}",
        "line 2, column 32: notify.0.to",
        "`ops` is no address such as `ops@example.org`",
        "",
    );
    let no_mail = "it begins with none of `smtps://`, `smtp+starttls://`, `smtp://`";
    for smtp in ["http://hush@x", "mail.example.org", "imap://${PASS}@x"] {
        check(
            &format!("{{name: a, type: email, to: [a@b.c], from: a@b.c, smtp: '{smtp}'}}"),
            "line 2, column 60: notify.0.smtp",
            no_mail,
            "such as `smtps://user:${SMTP_PASS}@mail.example.org`",
        );
    }
    check(
        "{name: a, type: webhook, url: 'smtp://hush@x'}",
        "line 2, column 35: notify.0.url",
        "it begins with neither `https://` nor `http://`",
        "such as `https://hooks.example.org/...`",
    );
    check(
        "{name: a, type: command, command: [x], timeout: 1h}",
        "line 2, column 53: notify.0.timeout",
        "it is not between 1s and 10m",
        "",
    );
    check(
        "{name: a, type: gitea, repo: a/b, token: t}",
        "line 2, column 5",
        "it has no `url`: where the tracker is",
        "",
    );
    check(
        "{name: a, type: gitea, url: 'https://t@g.org', repo: a/b, token: t}",
        "line 2, column 33: notify.0.url",
        "a user or password doesn't belong into it",
        "write it as `token`",
    );
    check(
        "{name: a, type: github, repo: a, token: t}",
        "line 2, column 35: notify.0.repo",
        "`a` is not `owner/name`",
        "",
    );
    let twice = Case::with(
        "notify:\n- {name: a, type: webhook, url: 'http://x'}\n- {name: a, type: webhook, url: 'http://y'}\n",
    );
    assert_eq!(
        twice.problems(),
        [
            "config-notify.1.name: config.yaml: line 3, column 10: notify.1.name: a second sink with the name `a` [correct it; until then nothing is sent to this sink]"
        ]
    );
    refused(
        "notify: ops",
        "config-notify: config.yaml: line 1, column 9: notify: expected a list of sinks, found the text \"ops\" [begin each with `- name:`, one below the other]",
    );
    let unknown = Case::with("notify: [{name: ops, type: webhook, url: 'http://x'}]\nwatchdog: {notify: [opps]}\n");
    assert_eq!(
        unknown.problems(),
        [
            "config-watchdog.notify: config.yaml: line 2, column 20: watchdog.notify: there is no sink `opps` in `notify` [did you mean `ops`?]"
        ]
    );
}

#[test]
fn what_is_secret_is_printed_nowhere() {
    let config = configured(
        "notify:\n- {name: a, type: webhook, url: 'https://u:hush1@h/hush2', token: hush3}\n- {name: m, type: email, to: [a@b.c], from: a@b.c, smtp: 'smtps://u:${PASS}hush4@h'}\n",
    );
    let differences = Config::default().differences(&config);
    assert!(!format!("{config:?} {differences:?}").contains("hush"), "{config:?}");
    assert_eq!(config.secret_variables(), ["PASS"]);
    let other = configured("notify: [{name: a, type: webhook, url: 'http://hush'}]");
    let same = configured("notify: [{name: a, type: webhook, url: 'http://hash'}]");
    assert_eq!(other.differences(&same)[0].to_string(), "notify: old settings -> new ones");
}

#[test]
fn a_report_goes_out_by_a_schedule_to_sinks_that_take_it() {
    const SINKS: &str =
        "notify: [{name: ops, type: webhook, url: 'http://x'}, {name: t, type: github, repo: a/b, token: t}]\n";
    let plan = |report: &str| Case::with(format!("{SINKS}report: {report}\n"));
    let right = plan("{schedule: every day at 7:00, timezone: Asia/Kolkata, notify: [ops]}");
    assert_eq!(right.problems(), Vec::<String>::new());
    let check = |report: &str, expected: &str| assert_eq!(plan(report).problems(), [expected], "{report}");
    check(
        "{schedule: 0 7 * * 9, notify: [ops]}",
        "config-report.schedule: config.yaml: line 2, column 20: report.schedule: 9 is outside 0-7 [write `0` or `7` for sunday, `1` for monday, up to `6`]",
    );
    check(
        "{schedule: \"@manually\", notify: [ops]}",
        "config-report.schedule: config.yaml: line 2, column 20: report.schedule: `@manually` names no time at which a report could go out [write a time, `0 7 * * *` say; `sched report --to SINK` sends one at once]",
    );
    check(
        "{schedule: 0 7 * * *}",
        "config-report.schedule: config.yaml: line 2, column 20: report.schedule: nobody gets this report: `report.notify` names no sink [name sinks of `notify` in it, or take the schedule out]",
    );
    check(
        "{schedule: 0 7 * * *, notify: [opps]}",
        "config-report.notify: config.yaml: line 2, column 39: report.notify: there is no sink `opps` in `notify` [did you mean `ops`?]",
    );
    check(
        "{notify: [t]}",
        "config-report.notify: config.yaml: line 2, column 18: report.notify: `t` is a tracker, which keeps issues and takes no reports [name a sink of type webhook, email or command]",
    );
    check(
        "{since: 0}",
        "config-report.since: config.yaml: line 2, column 17: report.since: it looks back on no time at all [write `24h`, say]",
    );
}
