use serde_json::{Value, json};

use super::*;

/// Every message there is, as it stands on the wire.
fn all() -> Vec<(&'static str, &'static str)> {
    vec![
        (
            "host",
            r#"{"id":1,"call":"hello","protocol":1,"sched":"0.1.0","nonce":"5f3a","config":{"every":5},"interval_ms":60000}"#,
        ),
        ("host", r#"{"id":2,"call":"start"}"#),
        ("host", r#"{"id":3,"call":"jobs_changed","ids":["a","b"],"only_next_at":true}"#),
        ("host", r#"{"id":4,"call":"reconcile"}"#),
        ("host", r#"{"id":5,"call":"fire_due","job":"a"}"#),
        ("host", r#"{"id":6,"call":"fire_due","job":"a","at":1767225600000}"#),
        ("host", r#"{"id":7,"call":"stop"}"#),
        ("host", r#"{"id":1,"ok":{"outcome":"started","run":"01J"}}"#),
        ("host", r#"{"id":2,"error":{"code":"not_found","message":"no such job"}}"#),
        ("plugin", r#"{"id":1,"call":"fire","kind":"due","job":"a"}"#),
        ("plugin", r#"{"id":2,"call":"fire","kind":"at","job":"a","at":1767225600000}"#),
        ("plugin", r#"{"id":3,"call":"fire","kind":"event","job":"a","key":"ring-1"}"#),
        ("plugin", r#"{"id":4,"call":"tick"}"#),
        ("plugin", r#"{"id":5,"call":"jobs"}"#),
        ("plugin", r#"{"id":5,"call":"jobs","after":"a"}"#),
        ("host", r#"{"id":5,"ok":{"jobs":[{"id":"b","next_at":1,"due_at":1,"paused":false}],"more":false}}"#),
        ("plugin", r#"{"id":6,"call":"next_wakeup"}"#),
        ("plugin", r#"{"call":"beat"}"#),
        ("plugin", r#"{"call":"log","level":"info","message":"armed"}"#),
        ("plugin", r#"{"call":"stopped"}"#),
        (
            "plugin",
            r#"{"id":1,"ok":{"ready":{"name":"a","version":"1","nonce":"5f3a","liveness":"ticks","hooks":["reconcile"]}}}"#,
        ),
        ("plugin", r#"{"id":1,"ok":{"unavailable":{"reason":"no bus"}}}"#),
        ("plugin", r#"{"id":7,"ok":{}}"#),
    ]
}

fn rewritten<C: Call>(line: &str) -> String {
    Message::<C>::read(line).unwrap_or_else(|why| panic!("{line}: {why}")).to_line().unwrap()
}

fn schema() -> jsonschema::Validator {
    let text = include_str!("../../../../docs/plugin-protocol.schema.json");
    jsonschema::validator_for(&serde_json::from_str(text).unwrap()).unwrap()
}

#[test]
fn every_message_is_read_as_it_is_written_and_the_schema_agrees() {
    let schema = schema();
    for (side, line) in all() {
        let again = if side == "host" { rewritten::<HostCall>(line) } else { rewritten::<PluginCall>(line) };
        assert_eq!(again.trim_end(), line);
        let mut value: Value = serde_json::from_str(line).unwrap();
        assert!(schema.is_valid(&value), "{line}");
        value["of_a_later_version"] = json!(1);
        assert!(schema.is_valid(&value), "unknown fields are let through: {line}");
    }
}

#[test]
fn every_call_is_in_the_table_and_in_the_schema() {
    let text = include_str!("../../../../docs/plugin-protocol.schema.json");
    let document: Value = serde_json::from_str(text).unwrap();
    for (side, names) in [("host_call", HostCall::NAMES), ("plugin_call", PluginCall::NAMES)] {
        assert_eq!(document["$defs"][side]["properties"]["call"]["enum"], json!(names), "{side}");
        for name in names {
            let short = side.split('_').next().unwrap();
            let quoted = format!(r#""call":"{name}""#);
            assert!(all().iter().any(|(by, line)| *by == short && line.contains(&quoted)), "{name} has no row");
        }
    }
    assert_eq!(document["$defs"]["fault"]["properties"]["code"]["examples"], json!(Code::ALL.map(Code::name)));
    assert_eq!(
        document["$defs"]["ready"]["properties"]["hooks"]["items"]["examples"],
        json!(Hook::ALL.map(Hook::name))
    );
}

#[test]
fn what_is_no_message_is_told_apart() {
    let check = |line: &str, want: &str| {
        let got = match Message::<PluginCall>::read(line) {
            Err(Unread::Garbage(why)) => format!("garbage: {why}"),
            Err(Unread::Call { id, fault }) => format!("{id:?} {}: {fault}", fault.code.name()),
            Ok(message) => panic!("{message:?}"),
        };
        assert!(got.starts_with(want), "{line}: {got}");
    };
    check("", "garbage: a line is not JSON: ");
    check("Hello!", "garbage: a line is not JSON: Hello!");
    check(&"x".repeat(100), &format!("garbage: a line is not JSON: {}...", "x".repeat(60)));
    check("[1]", "garbage: a line is no JSON object: [1]");
    check("{}", "garbage: a line is neither a call nor an answer: {}");
    check(r#"{"id":1}"#, "garbage: a line is neither a call nor an answer");
    check(r#"{"id":-1,"ok":1}"#, "garbage: an id is not a whole number");
    check(r#"{"id":1,"error":"no"}"#, "garbage: an error is no object");
    check(r#"{"id":1,"call":"sing"}"#, "Some(1) unknown: there is no call `sing`");
    check(r#"{"id":1,"call":7}"#, "Some(1) unknown: there is no call `7`");
    check(r#"{"id":1,"call":"start"}"#, "Some(1) unknown: there is no call `start`");
    check(r#"{"call":"log","level":"info"}"#, "None invalid: `log`: missing field `message`");
    check(r#"{"id":2,"call":"fire","kind":"soon","job":"a"}"#, "Some(2) invalid: `fire`: unknown variant `soon`");
    let schema = schema();
    for line in [r#"{"id":1}"#, r#"{"call":"log","level":"info"}"#, r#"{"call":"fire","kind":"at","job":"a"}"#] {
        assert!(!schema.is_valid(&serde_json::from_str(line).unwrap()), "{line}");
    }
}

#[test]
fn an_answer_that_is_null_is_one_and_an_empty_error_still_says_something() {
    let read = Message::<PluginCall>::read;
    assert_eq!(read(r#"{"id":3,"ok":null}"#), Ok(Message::Answer { id: 3, answer: Ok(Value::Null) }));
    let Ok(Message::Answer { answer: Err(fault), .. }) = read(r#"{"id":3,"error":{}}"#) else { panic!() };
    assert_eq!(fault.to_string(), "generic");
}

#[test]
fn lines_are_bounded_whether_they_end_or_not() {
    let mut lines = LineBuffer::default();
    lines.push(&vec![b'x'; MAX_LINE - 1]);
    assert_eq!(lines.next_line().unwrap(), None);
    lines.push(b"\n{}\r\n");
    assert_eq!(lines.next_line().unwrap().unwrap().len(), MAX_LINE - 1);
    assert_eq!(lines.next_line().unwrap().as_deref(), Some("{}"));
    assert_eq!((lines.next_line().unwrap(), lines.pending()), (None, 0));

    for text in [vec![b'x'; MAX_LINE], [vec![b'x'; MAX_LINE], vec![b'\n']].concat()] {
        let mut lines = LineReader::new(text.as_slice());
        assert_eq!(lines.next_line().unwrap_err().to_string(), "a line is longer than 1 MiB");
    }
    let error = LineReader::new(&b"ab\xff\n"[..]).next_line().unwrap_err();
    assert_eq!(error.to_string(), "a line is not UTF-8 (byte 0xff)");
    let error = LineReader::new(&b"{}"[..]).next_line().unwrap_err();
    assert_eq!(error.to_string(), "the last line has no end");

    let long = Message::Answer::<HostCall> { id: 1, answer: Ok(json!("x".repeat(MAX_LINE))) };
    assert!(long.to_line().unwrap_err().to_string().starts_with("a message of 1048593 bytes"));
}
