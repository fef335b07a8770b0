//! The morning report goes out by itself: on its schedule, once, whoever looks after the home.

use std::fs;

use jiff::{SignedDuration, Timestamp, Unit};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::{
    alerts::mail,
    bench::{Place, eventually},
    push_monitor::PushMonitor,
};

/// A config.yaml whose report goes by `schedule` to a command that keeps every one it gets, a line each.
fn config(place: &Place, schedule: &str) -> String {
    let command = format!("cat >> {}", place.path("reports").display());
    let sink = json!({"name": "out", "type": "command", "command": ["/bin/sh", "-c", command]});
    let broken =
        json!({"name": "broken", "type": "command", "command": ["/bin/sh", "-c", "echo no paper >&2; exit 1"]});
    let report = json!({"schedule": schedule, "timezone": "UTC", "notify": ["out", "broken"]});
    json!({"ticker": {"interval": "1s"}, "timezone": "UTC", "notify": [sink, broken], "report": report}).to_string()
}

fn reports(place: &Place) -> Vec<Value> {
    let text = fs::read_to_string(place.path("reports")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect("a report is a line of JSON")).collect()
}

/// The second that begins so long from now.
fn in_seconds(seconds: i64) -> Timestamp {
    (Timestamp::now() + SignedDuration::from_secs(seconds)).round(Unit::Second).expect("a second")
}

fn until_reported(place: &Place) -> Value {
    eventually("a report", || reports(place).pop().ok_or_else(|| "none yet".into()))
}

#[test]
fn a_report_that_is_asked_for_on_sighup_comes_at_its_instant_and_once() {
    let place = Place::beating();
    place.write_jobs(&[place.job("job", "* * * * * *", "")]);
    let daemon = place.daemon();
    place.until_started("job", 1);
    let due = in_seconds(15);
    place.write("config.yaml", config(&place, &due.to_string()));
    daemon.signal(Signal::HUP);
    let report = until_reported(&place);
    assert_eq!((&report["schema"], &report["event"]), (&json!(1), &json!("report")), "{report:#}");
    let until: Timestamp = report["until"].as_str().and_then(|text| text.parse().ok()).expect("an instant");
    assert!(until >= due, "not before its instant: {until}");
    assert_eq!(report["jobs"][0]["job"], "job");
    // Others that look after the home find it settled.
    for _ in 0..3 {
        place.ok(&["tick"]);
    }
    assert_eq!(reports(&place).len(), 1);
    // What did not arrive is told by those who are asked how it is.
    place.until_status("the sink that failed", |status| {
        let problems = status["problems"].as_array().into_iter().flatten();
        let what = problems.filter(|problem| problem["key"] == "report-broken").filter_map(|one| one["what"].as_str());
        what.into_iter().any(|what| what.contains("no paper"))
    });
    place.no_instant_twice("job");
}

/// How far apart the instants are of a schedule that comes often.
const OFTEN: i64 = 10;

/// The instants that reports were sent for, by the ends of what they look back on.
fn instants<'t>(texts: impl Iterator<Item = &'t str>) -> Vec<i64> {
    let until = |text: &str| {
        let span = text.lines().find(|line| line.contains("from 20"))?;
        span.rsplit_once(" to ")?.1.parse().ok().map(Timestamp::as_second)
    };
    texts.map(|text| until(text).unwrap_or_else(|| panic!("no span in {text}")) / OFTEN).collect()
}

fn is_each_once(instants: &[i64]) -> bool {
    instants.windows(2).all(|two| two[0] < two[1])
}

#[test]
fn a_report_goes_by_mail_and_webhook_at_each_instant_once_whichever_daemon_is_there() {
    let place = Place::empty();
    let Some(server) = mail::Server::start(&place, "tls") else { return };
    let hook = PushMonitor::new();
    let webhook = json!({"name": "hook", "type": "webhook", "url": hook.url("s3cret")});
    let report = json!({"schedule": format!("*/{OFTEN} * * * * *"), "timezone": "UTC", "notify": ["mail", "hook"]});
    let config = json!({
        "agent": "db-1", "timezone": "UTC", "ticker": {"interval": "1s"},
        "notify": [server.sink("smtps"), webhook], "report": report,
    });
    place.write("config.yaml", config.to_string());
    place.write_jobs(&[place.job("job", "@yearly", "")]);
    let start = || place.start_command(&mut mail::sched(&place, &server, &["run"]));
    let until = |count: usize, log: &dyn Fn() -> String| {
        eventually(&format!("{count} reports by each way"), || {
            if server.read().len() >= count && hook.heard().len() >= count { Ok(()) } else { Err(log()) }
        });
    };
    let mut first = start();
    until(1, &|| first.log());
    // It dies with the first instant settled, and the next daemon has that from the disk alone.
    first.kill();
    let mut second = start();
    until(3, &|| second.log());
    second.stop();

    let mails = server.read();
    for mail in &mails {
        assert_eq!(mail["type"], "multipart/alternative", "{mail:#}");
        let (text, page) = (&mail["parts"]["text/plain"], &mail["parts"]["text/html"]);
        let (text, page) = (text.as_str().expect("a text"), page.as_str().expect("a page"));
        let subject = mail["subject"].as_str().expect("a subject");
        assert!(subject.strip_prefix("[db-1] ").is_some_and(|summary| text.starts_with(summary)), "{mail:#}");
        assert!(page.starts_with("<!DOCTYPE html>") && page.trim_end().ends_with("</html>"), "{mail:#}");
        assert!(text.contains("+ job") && page.contains("job"), "{mail:#}");
    }
    let by_mail = instants(mails.iter().map(|mail| mail["parts"]["text/plain"].as_str().expect("a text")));
    let hooks: Vec<Value> =
        hook.heard().iter().map(|heard| serde_json::from_slice(&heard.body).expect("JSON")).collect();
    assert!(hook.heard().iter().all(|heard| heard.method == "POST" && heard.what == "/s3cret"));
    assert!(hooks.iter().all(|hook| hook["event"] == "report" && hook["schema"] == 1), "{hooks:#?}");
    let by_hook = instants(hooks.iter().map(|hook| hook["markdown"].as_str().expect("Markdown")));
    assert!(is_each_once(&by_mail) && is_each_once(&by_hook), "{by_mail:?} {by_hook:?}");
}

#[test]
fn a_tracker_takes_no_report_and_nobody_else_gets_it_then() {
    let place = Place::empty();
    let tracker = json!({"name": "issues", "type": "gitea", "url": "http://127.0.0.1:9", "repo": "a/b", "token": "t"});
    let out = json!({"name": "out", "type": "command", "command": ["cp", "/dev/stdin", place.path("reports")]});
    let mut config = json!({"notify": [out, tracker]});
    place.write("config.yaml", config.to_string());
    let refused =
        ["nothing was sent: the sink `issues` is a tracker, which keeps issues, and takes no reports", "hint: "];
    place.fails(&["report", "--to", "out", "--to", "issues"], 1, &refused);
    assert!(!place.path("reports").exists());

    place.write_jobs(&[]);
    config["report"] = json!({"schedule": "0 7 * * *", "notify": ["out", "issues"]});
    place.write("config.yaml", config.to_string());
    let column = config.to_string().find("[\"out\"").expect("it is there") + 1;
    let found = place.run(&["validate"]);
    let expected = format!(
        "line 1, column {column}: report.notify: `issues` is a tracker, which keeps issues and takes no reports"
    );
    assert!(found.code == Some(1) && found.out.contains(&expected), "{expected}: {found:?}");
}

#[test]
fn of_two_ticks_that_come_late_one_sends_the_report_that_was_missed() {
    let place = Place::empty();
    let missed = in_seconds(-3600);
    place.write("config.yaml", config(&place, &missed.to_string()));
    place.ok(&["tick"]);
    assert_eq!(reports(&place).len(), 0, "nothing is owed for the time before it was asked for");
    let file = place.home().join("state/report.json");
    let mut record: Value = serde_json::from_slice(&fs::read(&file).expect("it is settled")).expect("JSON");
    record["through"] = json!(missed - SignedDuration::from_secs(60));
    fs::write(&file, record.to_string()).expect("as if nobody had ticked since");
    let ticks = [place.start(&["tick"]), place.start(&["tick"])];
    for tick in ticks {
        let ran = tick.ran();
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
    assert_eq!(reports(&place).len(), 1);
    place.ok(&["tick"]);
    assert_eq!(reports(&place).len(), 1);
}

#[test]
fn a_report_is_sent_to_sinks_by_name_and_its_exit_code_says_whether_something_blocks() {
    let place = Place::empty();
    place.write("config.yaml", config(&place, "0 7 * * *"));
    place.write_jobs(&[place.job("job", "@manually", "exit 3")]);
    place.fails(&["report", "--to", "outt"], 1, &["there is no sink `outt`", "did you mean `out`?"]);
    assert_eq!(reports(&place).len(), 0);
    let sent = place.run(&["report", "--to", "out"]);
    assert_eq!(sent.code, Some(3), "no daemon runs: {sent:?}");
    assert_eq!(until_reported(&place)["clean"], json!(false));
    let refused = place.run(&["report", "--to", "out", "--to", "broken"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.out.contains("no paper"), "{refused:?}");
    let page = place.run(&["report", "--format", "html"]);
    assert!(page.code == Some(3) && page.out.starts_with("<!DOCTYPE html>"), "{page:?}");
}
