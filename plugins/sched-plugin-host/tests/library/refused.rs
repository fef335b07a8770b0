//! Libraries that can't be used, and what they can do at worst.

use std::path::Path;

use serde_json::json;

use crate::parent::{Plugin, probe, ready};

/// What a hello to a probe with these defines is refused with.
fn refusal(defines: &[&str]) -> String {
    let (_folder, library) = probe(defines);
    let refused = Plugin::of_library(&library).hello(&json!({})).expect_err("refused");
    assert_eq!(refused["code"], "invalid");
    refused["message"].as_str().expect("a sentence").to_owned()
}

#[test]
fn every_refusal_says_the_reason() {
    let check = |defines: &[&str], expected: &str| {
        let why = refusal(defines);
        assert!(why.contains(expected), "{why}\nlacks: {expected}");
    };
    check(&["-DNO_SYMBOL"], "it exports no `sched_plugin_v1`; the loader says: undefined symbol: sched_plugin_v1");
    check(&["-DSHORTER"], "its table says that it has 112 bytes");
    check(&["-DFLAGS=2"], "it sets flags that this version doesn't know (0x2)");
    // All symbols are looked for at once, and not when somebody calls.
    check(&["-DUNRESOLVED"], "the loader says: undefined symbol: nowhere_to_be_found");
}

#[test]
fn a_table_of_a_later_version_is_as_good_as_ours() {
    let (_folder, library) = probe(&["-DLONGER"]);
    let mut plugin = Plugin::of_library(&library);
    plugin.hello(&json!({"does": "return"})).expect("ready");
    assert_eq!(plugin.ask("start", json!({})), Ok(json!({})));
}

#[test]
fn a_plugin_of_a_later_version_does_without_what_this_host_has_not() {
    let (_folder, library) = probe(&["-DLONGER", "-DMINOR=1"]);
    let mut plugin = Plugin::of_library(&library);
    plugin.call(
        "hello",
        json!({"protocol": 1, "sched": "0", "nonce": "x", "config": {"does": "look for the later call"}}),
    );
    assert_eq!(plugin.next_log(), "a host of 1.0 has no sunrise");
    assert!(plugin.until(|line| line["id"] == 1)["ok"]["ready"].is_object());
}

#[test]
fn what_lives_outside_says_so() {
    let (_folder, library) = probe(&["-DFLAGS=0x70000001"]);
    let welcome = Plugin::of_library(&library).hello(&json!({})).expect("ready");
    assert_eq!(welcome["ready"]["liveness"], "external");
}

#[test]
fn a_path_must_be_absolute() {
    let refused = Plugin::of_library(Path::new("libprobe.so")).hello(&json!({})).expect_err("refused");
    assert!(refused["message"].as_str().is_some_and(|why| why.contains("is not an absolute path")), "{refused}");
}

#[test]
fn a_library_that_ends_its_process_ends_nothing_else() {
    let (_folder, library) = probe(&["-DEXIT_IN_CONSTRUCTOR"]);
    let mut plugin = Plugin::of_library(&library);
    plugin.call("hello", json!({"protocol": 1, "sched": "0", "nonce": "x"}));
    let (status, _) = plugin.end();
    assert!(status.success(), "the daemon sees an end without an answer: {status}");

    let (_folder, library) = probe(&[]);
    let mut plugin = Plugin::of_library(&library);
    let config = json!({"does": "crash in create"});
    plugin.call("hello", json!({"protocol": 1, "sched": "0", "nonce": "x", "config": config}));
    assert_eq!(plugin.end().0.code(), None, "it died of a signal");

    let (_folder, mut plugin) = ready("crash in start");
    plugin.call("start", json!({}));
    assert_eq!(plugin.end().0.code(), None, "it died of a signal");
}

#[test]
fn a_library_that_hangs_hangs_nothing_else() {
    let (_folder, library) = probe(&["-DHANG_IN_CONSTRUCTOR"]);
    let mut plugin = Plugin::of_library(&library);
    plugin.call("hello", json!({"protocol": 1, "sched": "0", "nonce": "x"}));
    // The loader's lock is held for ever; whoever reads from the daemon needs none of it.
    assert_eq!(plugin.ask("start", json!({})).expect_err("refused")["code"], "unavailable");
    assert_eq!(plugin.ask("stop", json!({})), Ok(json!({})));
    assert!(plugin.end().0.success());
}
