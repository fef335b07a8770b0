//! What a library may ask of the daemon, and the daemon of a library.

use serde_json::{Value, json};

use crate::parent::ready;

#[test]
fn every_call_arrives_and_so_does_every_answer() {
    let (_folder, mut plugin) = ready("ask");
    plugin.call("start", json!({}));
    // The arguments of a call, the answer to it, and what the library makes of that.
    let fires: &[(Value, &str, &str)] = &[
        (json!({"kind": "due", "job": "a"}), "not_due", "fire_due 2"),
        (json!({"kind": "at", "job": "b", "at": 1_767_225_600_000_i64}), "lost", "fire_at 3"),
        (json!({"kind": "event", "job": "c", "key": "key-1"}), "queued", "fire_event 1"),
    ];
    let tick = plugin.next_call("tick");
    plugin.answer(&tick, &json!({}));
    assert_eq!(plugin.next_log(), "tick 0");
    for (arguments, outcome, said) in fires {
        let mut fire = plugin.next_call("fire");
        plugin.answer(&fire, &json!({"outcome": outcome, "later": "ignored"}));
        let members = fire.as_object_mut().expect("an object");
        members.retain(|name, _| name != "id" && name != "call");
        assert_eq!((&fire, plugin.next_log().as_str()), (arguments, *said));
    }
    let gone = plugin.next_call("fire");
    plugin.refuse(&gone, "not_found", "no job `gone`");
    assert_eq!(plugin.next_log(), "gone -5 -5 no job `gone`");
    assert_eq!(plugin.next_log(), "not UTF-8 -4 a job id is not UTF-8");
    let gone = plugin.next_call("fire");
    plugin.refuse(&gone, "not_found", "no job `gone`");
    assert_eq!(plugin.next_log(), "nobody asks why -5");
    let jobs = plugin.next_call("jobs");
    assert_eq!(jobs["after"], "", "a library asks for pages");
    plugin.answer(&jobs, &json!({"jobs": [{"id": "a", "next_at": 7}, {"id": "b"}], "more": true}));
    let jobs = plugin.next_call("jobs");
    assert_eq!(jobs["after"], "b");
    plugin.answer(&jobs, &json!({"jobs": [{"id": "c"}], "more": false}));
    assert_eq!(plugin.next_log(), r#"jobs 0 [{"id":"a","next_at":7},{"id":"b"},{"id":"c"}]"#);
    for (answer, said) in [(json!(99), "next_wakeup 99"), (Value::Null, "next_wakeup -1")] {
        let next = plugin.next_call("next_wakeup");
        plugin.answer(&next, &answer);
        assert_eq!(plugin.next_log(), said);
    }
    assert_eq!(plugin.line(), json!({"call": "log", "level": "warn", "message": "a warning"}));
    assert_eq!(plugin.line(), json!({"call": "beat"}));
}

#[test]
fn answers_find_whoever_asked_in_whatever_order_they_come() {
    let (_folder, mut plugin) = ready("race");
    plugin.call("start", json!({}));
    let mut fires: Vec<Value> = (0..4).map(|_| plugin.next_call("fire")).collect();
    fires.reverse();
    for fire in &fires {
        let outcome = match fire["key"].as_str() {
            Some("one") => "started",
            Some("two") => "queued",
            Some("three") => "lost",
            _ => "draining",
        };
        plugin.answer(fire, &json!({"outcome": outcome}));
    }
    let mut said: Vec<String> = (0..4).map(|_| plugin.next_log()).collect();
    said.sort();
    assert_eq!(said, ["four: 6 ", "one: 0 ", "three: 3 ", "two: 1 "]);
}

#[test]
fn an_answer_that_makes_no_sense_is_an_error_of_the_call() {
    let (_folder, mut plugin) = ready("race");
    plugin.call("start", json!({}));
    for _ in 0..4 {
        let fire = plugin.next_call("fire");
        plugin.answer(&fire, &json!({"outcome": "eaten"}));
    }
    let said = plugin.next_log();
    assert!(said.contains("-1 the daemon's answer can't be read: unknown variant `eaten`"), "{said}");
}

#[test]
fn hooks_are_called_while_start_waits() {
    let (_folder, mut plugin) = ready("wait");
    plugin.call("start", json!({}));
    assert_eq!(plugin.ask("reconcile", json!({})), Err(json!({"code": "generic", "message": "three are not armed"})));
    let changed = plugin.call("jobs_changed", json!({"ids": ["a"]}));
    let mut said = [plugin.next_log(), plugin.next_log()];
    said.sort();
    assert_eq!(said, ["jobs changed", "woken 2"], "the hook, and the wait");
    // Its answer may have come before either.
    assert_eq!(changed, 4);
}

#[test]
fn a_hook_that_hands_a_fire_on_means_the_instant_it_was_asked_for() {
    let (_folder, mut plugin) = ready("wait");
    for (at, kind) in [(json!(1_767_225_600_000_i64), "at"), (Value::Null, "due")] {
        let asked = plugin.call("fire_due", json!({"job": "a", "at": at}));
        let fire = plugin.next_call("fire");
        assert_eq!((&fire["kind"], &fire["at"], &fire["job"]), (&json!(kind), &at, &json!("a")));
        plugin.answer(&fire, &json!({"outcome": "started"}));
        let answer = plugin.until(|line| line["id"] == asked && line["call"].is_null());
        assert_eq!(answer["ok"], json!({"outcome": "started"}));
    }
    let asked = plugin.call("fire_due", json!({"job": "gone"}));
    let fire = plugin.next_call("fire");
    plugin.refuse(&fire, "not_found", "no job `gone`");
    let answer = plugin.until(|line| line["id"] == asked && line["call"].is_null());
    assert_eq!(answer["error"], json!({"code": "not_found", "message": "no job `gone`"}));

    let (_folder, mut plugin) = ready("odd outcome");
    let odd = plugin.ask("fire_due", json!({"job": "a"})).expect_err("odd");
    assert_eq!(odd["message"], "`fire_due` answered with 42, which is no outcome");
}
