//! Plugins that do what they should, in shell and in Python.

use std::time::Duration;

use scheduler_core::provider::{FireOutcome, FireRequest, Liveness};

use serde_json::json;

use crate::support::{Place, Work, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_script_fires_events_and_stops_when_told() {
    let place = Place::script(
        r#"
        ready ticks '"reconcile"'
        while IFS= read -r line; do
            say "$line" >> heard
            case $line in
                *'"call":"start"'*)
                    say '{"id":1,"call":"fire","kind":"event","job":"job","key":"ring"}'
                    say '{"id":2,"call":"fire","kind":"event","job":"job","key":"ring"}'
                    say '{"id":3,"call":"fire","kind":"event","job":"nobody","key":"ring"}'
                    say '{"id":4,"call":"fire","kind":"at","job":"job"}'
                    say '{"id":5,"call":"sing"}'
                    say '{"id":6,"call":"jobs"}' ;;
                *'"call":"reconcile"'*) answer ;;
                *'"call":"stop"'*) answer; say '{"call":"stopped"}'; echo bye > bye; exit ;;
            esac
            say '{"call":"beat"}'
        done
        "#,
    );
    let work = Work::start(place.resolve(), "@yearly").await;
    work.runner.until(|ran| ran.len() == 1).await;
    let heard = eventually("all answers", || {
        Some(place.left("heard")).filter(|heard| heard.contains(r#""id":6,"#) && heard.lines().count() >= 8)
    })
    .await;
    for line in [
        r#"{"id":2,"call":"start"}"#,
        r#""ok":{"outcome":"started","run":""#,
        r#""code":"not_found","message":"no such job"}}"#,
        r#"{"id":4,"error":{"code":"invalid","message":"`fire` of the kind `at` has no `at`"}}"#,
        r#"{"id":5,"error":{"code":"unknown","message":"there is no call `sing`"}}"#,
        r#"{"id":6,"ok":[{"id":"job","next_at":"#,
        r#""call":"reconcile"}"#,
    ] {
        assert!(heard.contains(line), "{line} is missing in:\n{heard}");
    }
    // Which of the two came first isn't said; that it was one of them is.
    let fired = |word: &str| heard.matches(&format!(r#""outcome":"{word}""#)).count();
    assert_eq!((fired("started"), fired("lost")), (1, 1), "{heard}");
    work.stop().await;
    assert_eq!(place.left("bye"), "bye\n");
    assert!(place.is_gone());
    assert_eq!(place.strikes().quarantine("").expect("a record"), None);
}

const TICKS_IN_PYTHON: &str = r#"
import json, os, sys, threading
open("pid", "w").write(str(os.getpid()))
lock, stopping = threading.Lock(), threading.Event()
def say(**message):
    with lock:
        print(json.dumps(message), flush=True)
def tick():
    number = 0
    while not stopping.is_set():
        number += 1
        say(id=number, call="tick")
        stopping.wait(0.2)
    say(id=start, ok=None)
for line in sys.stdin:
    message = json.loads(line)
    if message.get("call") == "hello":
        say(id=message["id"], ok={"ready": {"name": "bells", "version": "1", "nonce": message["nonce"], "liveness": "ticks"}})
    elif message.get("call") == "start":
        start = message["id"]
        threading.Thread(target=tick).start()
    elif message.get("call") == "stop":
        stopping.set()
        say(id=message["id"], ok={})
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_python_program_ticks_and_jobs_fire_at_their_instants() {
    let place = Place::with("python3", TICKS_IN_PYTHON);
    let resolved = place.resolve();
    assert_eq!(resolved.provider.liveness(), Liveness::Ticks);
    let work = Work::start(resolved, "* * * * * *").await;
    work.runner.until(|ran| ran.len() >= 3).await;
    assert_eq!(work.pulse.current().provider, "bells");
    assert_eq!(work.pulse.current().fallback_reason, None);
    work.stop().await;
    assert!(place.is_gone());
}

/// Asks for all jobs at once, and then for pages of them.
const LISTS_IN_PYTHON: &str = r#"
import json, os, sys
open("pid", "w").write(str(os.getpid()))
def say(**message):
    print(json.dumps(message), flush=True)
def ask(**call):
    say(id=1, **call)
    return json.loads(sys.stdin.readline())
hello = json.loads(sys.stdin.readline())
say(id=1, ok={"ready": {"name": "bells", "version": "1", "nonce": hello["nonce"], "liveness": "external"}})
start = json.loads(sys.stdin.readline())
whole, ids, pages, after = ask(call="jobs"), [], 0, ""
while True:
    page = ask(call="jobs", after=after)["ok"]
    ids += [job["id"] for job in page["jobs"]]
    pages += 1
    if not page["more"]:
        break
    after = ids[-1]
print(json.dumps(whole["error"]), pages, len(ids), ids == sorted(set(ids)), file=open("seen.new", "w"), flush=True)
os.rename("seen.new", "seen")
say(id=start["id"], ok={})
stop = json.loads(sys.stdin.readline())
say(id=stop["id"], ok={})
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_jobs_that_is_too_long_for_a_line_is_had_in_pages() {
    let place = Place::with("python3", LISTS_IN_PYTHON);
    let manifest = place.left("plugin.yaml").replace("call: 1s", "call: 30s");
    place.write("plugin.yaml", &manifest);
    let job = |n| json!({"id": format!("job-{n}-{}", "x".repeat(50)), "schedule": "@yearly", "payload": 1});
    let work = Work::start_with(place.resolve(), (0..12_000).map(job).collect()).await;
    let seen = eventually("the plugin has seen all", || Some(place.left("seen")).filter(|seen| !seen.is_empty())).await;
    let (fault, rest) = seen.trim().split_once("} ").expect("a fault and numbers");
    assert!(fault.contains(r#""code": "invalid", "message": "the answer can't be given: a message of "#), "{seen}");
    assert_eq!(rest, "3 12000 True", "{seen}");
    work.stop().await;
    assert!(place.is_gone());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fire_from_inside_fire_due_goes_to_the_engine_and_its_outcome_counts() {
    let place = Place::script(
        r#"
        ready external '"fire_due","jobs_changed"'
        while IFS= read -r line; do
            case $line in
                *'"call":"start"'*) answer ;;
                *'"call":"fire_due","job":"job"}'*)
                    due=$line
                    say '{"id":1,"call":"fire","kind":"due","job":"job"}'
                    IFS= read -r fired; say "$fired" >> fired
                    line=$due; answer '{"outcome":"lost"}' ;;
                *'"call":"fire_due","job":"liar"}'*) answer '{"outcome":"started","run":"none"}' ;;
                *'"call":"fire_due","job":"gone"}'*)
                    id=${line#*\"id\":}; say "{\"id\":${id%%,*},\"error\":{\"code\":\"not_found\",\"message\":\"what?\"}}" ;;
                *'"call":"fire_due"'*) answer '{"outcome":"paused"}' ;;
                *'"call":"stop"'*) answer; exit ;;
            esac
        done
        "#,
    );
    let resolved = place.resolve();
    let provider = resolved.provider.clone();
    assert_eq!(provider.liveness(), Liveness::External);
    let work = Work::start(resolved, "@yearly").await;
    eventually("the plugin fires", || Some(work.pulse.current()).filter(|beat| beat.provider == "bells")).await;
    let cx = work.engine.context();
    let due = |job: &str| FireRequest::due(job.parse().expect("an id"));
    assert_eq!(provider.fire_due(&cx, &due("job")).await.expect("an answer"), FireOutcome::NotDue);
    assert_eq!(place.left("fired"), "{\"id\":1,\"ok\":{\"outcome\":\"not_due\"}}\n");
    assert_eq!(provider.fire_due(&cx, &due("gone")).await.expect("an answer"), FireOutcome::NotFound);
    assert_eq!(provider.fire_due(&cx, &due("other")).await.expect("an answer"), FireOutcome::Paused);
    let error = provider.fire_due(&cx, &due("liar")).await.expect_err("it fired nothing");
    assert_eq!(error.to_string(), "`bells` says that it fired `liar`, and fired nothing");
    let event = FireRequest::event("job".parse().expect("an id"), "ring");
    assert!(matches!(provider.fire_due(&cx, &event).await.expect("an answer"), FireOutcome::Started(_)));
    work.stop().await;
    assert!(place.is_gone());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ignores_stop_is_killed_in_its_time() {
    let place = Place::script("ready external; trap '' TERM; while :; do IFS= read -r line && answer; done");
    let work = Work::start(place.resolve(), "@yearly").await;
    eventually("the plugin fires", || Some(work.pulse.current()).filter(|beat| beat.provider == "bells")).await;
    let began = std::time::Instant::now();
    work.stop().await;
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    assert!(place.is_gone());
}
