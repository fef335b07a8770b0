//! Gate 3: whatever a plugin does at work that it shouldn't, it is ended at once with one sentence, and the built-in ticker
//! fires.

use scheduler_core::provider::Resolved;

use crate::support::{Place, Work};

/// With this script after `ready`, jobs fire by the built-in ticker because of `want`.
async fn replaced(liveness_and_hooks: &str, script: &str, want: &str) {
    let place = Place::script(&format!("ready {liveness_and_hooks}\nIFS= read -r line\n{script}"));
    let resolved: Resolved = place.resolve();
    assert_eq!(resolved.reason, None, "{script}");
    let work = Work::start(resolved, "* * * * * *").await;
    let why = work.fallen_back().await;
    assert_eq!(why, place.told(&format!("provider `bells` failed: {want}")), "{script}");
    assert!(place.is_gone(), "{script}");
    work.runner.until(|ran| !ran.is_empty()).await;
    work.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_exits_is_replaced_even_with_success() {
    replaced("ticks", "exit 0", "% exited with status 0 while it was at work").await;
    replaced("external", "answer; exit 0", "% exited with status 0 while it was at work").await;
    replaced("ticks", "kill -ABRT $$", "% was killed by signal 6 (SIGABRT) while it was at work").await;
    // A child of its own holds its output open.
    replaced("ticks", "sleep 60 & exit 4", "% exited with status 4 while it was at work").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_closes_its_output_or_returns_is_replaced() {
    replaced("ticks", "exec >&-; exec sleep 60", "% closed its output while it was at work").await;
    replaced("ticks", "answer; sleep 60", "%: its `start` returned though nobody told it to stop").await;
    replaced("ticks", "say '{\"call\":\"stopped\"}'; sleep 60", "% stopped though nobody told it to").await;
    let fault = r#"say '{"id":2,"error":{"code":"generic","message":"no bus"}}'; sleep 60"#;
    replaced("external", fault, "%: its `start` failed: no bus").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_the_protocol_is_replaced() {
    replaced("ticks", "echo 'Traceback:'; sleep 60", "% broke the protocol: a line is not JSON: Traceback:").await;
    replaced("ticks", "head -c 3000000 /dev/zero; sleep 60", "% broke the protocol: a line is longer than 1 MiB").await;
    replaced("ticks", "printf 'caf\\351\\n'; sleep 60", "% broke the protocol: a line is not UTF-8 (byte 0xe9)").await;
    let unasked = "% broke the protocol: it answered a call that nobody made (id 99)";
    replaced("ticks", "say '{\"id\":99,\"ok\":{}}'; sleep 60", unasked).await;
    let flood = "% broke the protocol: more than 10000 lines within a second";
    replaced("ticks", "exec yes '{\"call\":\"beat\"}'", flood).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_hangs_is_replaced() {
    replaced("external", "exec sleep 60", "% did not answer `start` within 1s").await;
    replaced("external '\"reconcile\"'", "answer; exec sleep 60", "% did not answer `reconcile` within 1s").await;
    replaced("ticks", "exec sleep 60", "% was silent for 3s, and promised to tick or beat every 1s").await;
    // It asks and asks, and never reads an answer.
    let deaf = "exec yes '{\"id\":1,\"call\":\"jobs\"}'";
    replaced("ticks", deaf, "% did not read its input for 1s").await;
}
