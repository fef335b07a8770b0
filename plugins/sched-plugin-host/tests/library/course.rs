//! From hello to the end.

use serde_json::{Value, json};

use crate::parent::{Plugin, probe, ready};

#[test]
fn it_is_ready_and_stops_when_it_is_told_to() {
    let (_folder, library) = probe(&[]);
    let mut plugin = Plugin::of_library(&library);
    let welcome = plugin.hello(&json!({"does": "wait"})).expect("ready");
    let expected = json!({"ready": {
        "name": "probe", "version": "1.2.3", "nonce": "5f3a", "liveness": "ticks",
        "hooks": ["jobs_changed", "reconcile", "fire_due"],
    }});
    assert_eq!(welcome, expected);

    let start = plugin.call("start", json!({}));
    for _ in 0..3 {
        plugin.next_call("beat");
    }
    let stop = plugin.call("stop", json!({}));
    let mut rest = vec![];
    while rest.last().is_none_or(|line: &Value| line["call"] != "stopped") {
        rest.push(plugin.line());
    }
    rest.retain(|line| line["call"] != "beat");
    let place = |what: &dyn Fn(&Value) -> bool| rest.iter().position(what).unwrap_or_else(|| panic!("{rest:?}"));
    let says = |text: &'static str| move |line: &Value| line["message"] == text;
    let answers = |id: u64| move |line: &Value| line["id"] == id && line["ok"] == json!({});
    // `stop` runs beside `start`, and nothing runs any more when the plugin is destroyed.
    assert!(place(&says("woken 1")) < place(&says("start returns")));
    assert!(place(&says("start returns")) < place(&says("destroyed 1")));
    assert!(place(&says("stop")) < place(&says("destroyed 1")));
    assert!(place(&answers(start)) > place(&says("start returns")));
    assert!(place(&answers(stop)) > place(&says("destroyed 1")));

    let (status, log) = plugin.end();
    assert!(status.success(), "{status}");
    assert_eq!(log, "noise of create, 0 bytes of input\n", "its output is log, and it ended without its destructors");
}

#[test]
fn what_it_lacks_is_no_fault_and_what_it_rejects_is() {
    let check = |does: &str, expected: Result<Value, Value>| {
        let (_folder, library) = probe(&[]);
        assert_eq!(Plugin::of_library(&library).hello(&json!({"does": does})), expected, "{does}");
    };
    check("lack", Ok(json!({"unavailable": {"reason": "there is no bus"}})));
    check("reject", Err(json!({"code": "invalid", "message": "config: no such word"})));
    check("say nothing", Err(json!({"code": "generic", "message": "`create` answered with status -1 and no message"})));
}

#[test]
fn before_it_is_ready_only_lines_for_the_log_come() {
    let (_folder, library) = probe(&[]);
    let mut plugin = Plugin::of_library(&library);
    let config = json!({"does": "ask in create"});
    let hello = plugin.call("hello", json!({"protocol": 1, "sched": "0", "nonce": "x", "config": config}));
    let early = "too early: -3 nothing can be asked before the plugin is ready";
    assert_eq!(plugin.line(), json!({"call": "log", "level": "info", "message": early}));
    assert_eq!(plugin.line()["id"], hello);
}

#[test]
fn a_start_that_ends_is_answered_with_how() {
    let (_folder, mut plugin) = ready("return");
    assert_eq!(plugin.ask("start", json!({})), Ok(json!({})));
    let (_folder, mut plugin) = ready("err in start");
    assert_eq!(plugin.ask("start", json!({})), Err(json!({"code": "generic", "message": "no luck"})));
    assert_eq!(plugin.ask("stop", json!({})), Ok(json!({})));
    assert!(plugin.end().0.success());
}

#[test]
fn to_hand_on_that_the_daemon_is_stopping_is_a_good_end() {
    let (_folder, mut plugin) = ready("hand on");
    let start = plugin.call("start", json!({}));
    plugin.next_call("beat");
    plugin.call("stop", json!({}));
    let tick = plugin.next_call("tick");
    plugin.refuse(&tick, "stopping", "the daemon is stopping");
    assert_eq!(plugin.until(|line| line["id"] == start && line["call"].is_null())["ok"], json!({}));
}

#[test]
fn a_stop_may_ask_and_may_fail() {
    let (_folder, mut plugin) = ready("ask in stop");
    let stop = plugin.call("stop", json!({}));
    let jobs = plugin.next_call("jobs");
    plugin.answer(&jobs, &json!([]));
    assert_eq!(plugin.next_log(), "stop sees []");
    assert_eq!(plugin.until(|line| line["id"] == stop && line["call"].is_null())["ok"], json!({}));

    let (_folder, mut plugin) = ready("err in stop");
    assert_eq!(plugin.ask("stop", json!({})), Err(json!({"code": "generic", "message": "still armed"})));
    plugin.next_call("stopped");
    assert!(plugin.end().0.success());
}

#[test]
fn a_daemon_that_is_gone_is_the_end() {
    let (_folder, mut plugin) = ready("wait");
    plugin.call("start", json!({}));
    plugin.next_call("beat");
    plugin.hang_up();
    let (status, log) = plugin.end();
    assert_eq!(status.code(), Some(1));
    assert_eq!(log, "noise of create, 0 bytes of input\n__plugin-host: the host is gone\n");
}

#[test]
fn a_daemon_that_hangs_up_after_stop_is_none() {
    let (_folder, mut plugin) = ready("wait");
    plugin.call("start", json!({}));
    plugin.next_call("beat");
    plugin.call("stop", json!({}));
    plugin.hang_up();
    plugin.next_call("stopped");
    assert!(plugin.end().0.success());
}

#[test]
fn whoever_does_not_keep_to_the_protocol_is_told() {
    let (_folder, mut plugin) = ready("wait");
    let unknown = json!({"code": "unknown", "message": "there is no call `sing`"});
    assert_eq!(plugin.ask("sing", json!({})), Err(unknown));
    assert_eq!(plugin.hello(&json!({})), Err(json!({"code": "invalid", "message": "hello was said before"})));
    plugin.say(&json!("Hello!"));
    let (status, log) = plugin.end();
    assert!(status.code() == Some(1) && log.contains("the host doesn't keep to the protocol"), "{status}: {log}");

    let (_folder, library) = probe(&[]);
    let mut plugin = Plugin::of_library(&library);
    let later = plugin.ask("hello", json!({"protocol": 2, "sched": "9", "nonce": "x"})).expect_err("refused");
    assert_eq!(later["message"], "the host speaks protocol 2, and this is protocol 1");
    let mut plugin = Plugin::of_library(&library);
    plugin.call("start", json!({}));
    assert!(plugin.end().1.contains("the host did not say hello first"));
}
