//! Two crashes put a plugin's code into quarantine, and only somebody's word or other code takes it out.

use sched_plugin_host::Standing;

use crate::support::{Place, Work, eventually};

fn standing(place: &Place) -> Standing {
    let [found] = place.found().try_into().expect("one");
    found.standing
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_crash_is_the_last() {
    let place = Place::script("ready ticks; IFS= read -r line; exit 1");
    for _ in 0..2 {
        assert!(matches!(standing(&place), Standing::Usable(_)));
        let work = Work::start(place.resolve(), "@yearly").await;
        work.fallen_back().await;
        work.stop().await;
    }
    let Standing::Refused(why, hint) = standing(&place) else { panic!("it is usable") };
    assert!(why.starts_with("it is in quarantine after 2 crashes, the last at 2"), "{why}");
    assert!(why.ends_with("/plugins/bells/code exited with status 1 while it was at work"), "{why}");
    assert!(hint.expect("a hint").contains("sched plugin allow bells"));
    let reason = place.resolve().reason.expect("a reason");
    assert!(reason.starts_with("provider `bells` could not be made: it is in quarantine after 2 crashes"), "{reason}");

    assert!(place.strikes().allow("bells").expect("a record"));
    assert!(!place.strikes().allow("bells").expect("a record"), "once is enough");
    assert!(matches!(standing(&place), Standing::Usable(_)));
}

#[test]
fn crashes_before_ready_count_and_other_code_begins_without_a_record() {
    let place = Place::script("exit 1");
    place.resolve();
    place.resolve();
    assert!(matches!(standing(&place), Standing::Refused(..)));
    place.write("code", "exit 0");
    assert!(matches!(standing(&place), Standing::Usable(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn to_be_unavailable_or_to_fail_in_due_form_is_no_crash() {
    let place = Place::script("say '{\"id\":1,\"ok\":{\"unavailable\":{\"reason\":\"no bus\"}}}'");
    for _ in 0..3 {
        place.resolve();
    }
    assert!(matches!(standing(&place), Standing::Usable(_)));
    let fault = r#"ready external; say '{"id":2,"error":{"code":"generic","message":"no bus"}}'; sleep 60"#;
    let place = Place::script(fault);
    for _ in 0..3 {
        let work = Work::start(place.resolve(), "@yearly").await;
        work.fallen_back().await;
        work.stop().await;
    }
    assert!(matches!(standing(&place), Standing::Usable(_)));
}

#[test]
fn a_record_that_cannot_be_read_refuses_and_says_what_to_do() {
    let place = Place::script("exit 0");
    place.strikes().record("5f3a", "bells", "x");
    std::fs::write(place.home().state().join("plugin-crashes.json"), "rot").expect("a file");
    let Standing::Refused(why, hint) = standing(&place) else { panic!("it is usable") };
    assert!(why.contains("plugin-crashes.json can't be read: "), "{why}");
    assert_eq!(hint.as_deref(), Some("remove it to forget all crashes of plugins"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_dies_with_the_daemon_whoever_started_it() {
    // The thread that asks for it ends at once; the plugin must not end with it.
    let place = Place::script("ready ticks; while IFS= read -r line; do say '{\"call\":\"beat\"}'; done");
    let resolve = || std::thread::scope(|scope| scope.spawn(|| place.resolve()).join().expect("no panic"));
    let work = Work::start(resolve(), "@yearly").await;
    eventually("the plugin fires", || Some(work.pulse.current()).filter(|beat| beat.provider == "bells")).await;
    assert!(!place.is_gone());
    work.stop().await;
}
