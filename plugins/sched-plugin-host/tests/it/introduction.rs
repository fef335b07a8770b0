//! Gate 2: whoever doesn't answer `hello` as it should is refused, with the reason, and is gone.

use sched_plugin_host::Standing;

use crate::support::{Place, eventually};

#[track_caller]
fn refused(script: &str, want: &str) {
    let place = Place::script(script);
    let resolved = place.resolve();
    assert_eq!(resolved.provider.name(), "builtin", "{script}");
    assert_eq!(resolved.reason.as_deref(), Some(place.told(&format!("provider `bells` {want}")).as_str()), "{script}");
    assert!(place.is_gone(), "{script}");
}

#[test]
fn what_does_not_get_ready_is_refused_and_gone() {
    refused("exit 0", "could not be made: % exited with status 0 before it was ready");
    refused("exit 3", "could not be made: % exited with status 3 before it was ready");
    refused("kill -SEGV $$", "could not be made: % was killed by signal 11 (SIGSEGV) before it was ready");
    refused("exec >&-; exec sleep 60", "could not be made: % closed its output before it was ready");
    refused("exec sleep 60", "could not be made: % was not ready within 2s");
    refused("trap '' TERM HUP INT; while :; do :; done", "could not be made: % was not ready within 2s");
    refused("echo Hello", "could not be made: % broke the protocol: a line is not JSON: Hello");
    refused(
        "say '{\"id\":1,\"ok\":{}}'; sleep 60",
        "could not be made: % broke the protocol: its answer to `hello` is neither `ready` nor `unavailable`: it has neither member",
    );
    refused(
        "say '{\"id\":1,\"error\":{\"code\":\"generic\",\"message\":\"no\"}}'",
        "could not be made: % can't be started: no",
    );
    refused(
        "nonce=mine; ready ticks; sleep 60",
        "could not be made: % broke the protocol: its `ready` has another nonce than `hello`",
    );
    refused(
        "say '{\"id\":1,\"call\":\"tick\"}'; sleep 60",
        "could not be made: % broke the protocol: it said something else before `ready`",
    );
    refused("head -c 2000000 /dev/zero", "could not be made: % broke the protocol: a line is longer than 1 MiB");
    refused(
        "yes '{\"call\":\"log\",\"level\":\"trace\",\"message\":\"x\"}'",
        "could not be made: % broke the protocol: 1000 lines of log before `ready`",
    );
    refused(
        "say '{\"id\":1,\"ok\":{\"unavailable\":{\"reason\":\"no bus\"}}}'; sleep 60",
        "is not available here: no bus",
    );
}

#[tokio::test]
async fn what_a_plugin_started_is_gone_with_it() {
    let place = Place::script("sleep 60 & echo $! > pid; wait");
    let reason = place.resolve().reason.expect("a reason");
    assert!(reason.ends_with("code was not ready within 2s"), "{reason}");
    // The kernel ends it, in its own time.
    eventually("the grandchild is gone", || place.is_gone().then_some(())).await;
}

#[test]
fn what_passes_has_a_clean_environment_and_leads_a_session() {
    let place = Place::script(
        r#"
        env | grep -c SECRET > secret
        echo "$SCHED_PLUGIN $(pwd)" > where
        cut -d' ' -f1,5,6 /proc/$$/stat > session
        grep 'Max core file size' /proc/$$/limits | tr -s ' ' > core
        ls /proc/$$/fd | tr '\n' ' ' > open
        say "$hello" > hello
        ready external
        cat
        "#,
    );
    let resolved = place.resolve();
    assert_eq!((resolved.provider.name(), resolved.reason), ("bells", None));
    assert_eq!(place.left("secret"), "0\n");
    let folder = place.folder().canonicalize().expect("a folder");
    assert_eq!(place.left("where"), format!("bells {}\n", folder.display()));
    let pid = place.left("pid").trim().to_owned();
    assert_eq!(place.left("session"), format!("{pid} {pid} {pid}\n"), "pid, group and session");
    assert_eq!(place.left("core"), "Max core file size 0 0 bytes \n");
    let open = place.left("open");
    assert!(open.split_whitespace().all(|fd| ["0", "1", "2", "10", "255"].contains(&fd)), "{open}");
    let hello = place.left("hello");
    for part in [r#"{"id":1,"call":"hello","protocol":1,"sched":""#, r#""config":{"every":5}"#, r#""interval_ms":1000"#]
    {
        assert!(hello.contains(part), "{hello}");
    }
    drop(resolved.provider);
    assert!(place.is_gone(), "it ends with the provider");
}

#[test]
fn only_the_one_that_is_asked_for_is_started_and_looking_starts_none() {
    let place = Place::script("ready ticks; sleep 60");
    let [found] = place.found().try_into().expect("one");
    assert!(matches!(found.standing, Standing::Usable(_)), "{found:?}");
    assert_eq!(place.left("pid"), "");
    let resolved = scheduler_core::provider::resolve("none-such", &place.plugins().factories());
    assert!(resolved.reason.is_some());
    let resolved = scheduler_core::provider::resolve("bells", &place.plugins().dry_factories());
    assert_eq!((resolved.provider.name(), resolved.reason), ("bells", None));
    assert_eq!(place.left("pid"), "");
}

#[test]
fn bundled_wins_a_collision_of_names() {
    use sched_plugin_host::with_bundled;
    let place = Place::script("exit 0");
    let own = place.plugins().factories();
    assert_eq!(with_bundled(Vec::new(), own).len(), 1);
    let both = with_bundled(place.plugins().dry_factories(), place.plugins().factories());
    assert_eq!(both.len(), 1, "the second of one name is left out");
    let [found] = place.plugins().look(&["bells"]).try_into().expect("one");
    assert_eq!(found.standing, Standing::Hidden);
}

#[test]
fn whatever_lies_in_the_folder_has_an_entry_and_a_reason() {
    let place = Place::script("exit 0");
    let beside = place.folder().join("../stray");
    std::fs::write(&beside, "").expect("a file");
    std::fs::create_dir(place.folder().join("../empty")).expect("a folder");
    std::fs::write(place.folder().join("../.keep"), "").expect("a file");
    let found = place.found();
    let names: Vec<&str> = found.iter().map(|found| found.name.as_str()).collect();
    assert_eq!(names, ["bells", "empty", "stray"]);
    let Standing::Refused(why, Some(_)) = &found[1].standing else { panic!("{:?}", found[1]) };
    assert!(why.ends_with("/plugins/empty has no plugin.yaml"), "{why}");
    let Standing::Refused(why, Some(_)) = &found[2].standing else { panic!("{:?}", found[2]) };
    assert!(why.ends_with("/plugins/stray is not a folder"), "{why}");
}
