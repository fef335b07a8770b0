//! A plugin in a home: `provider: NAME` is all it takes, and whatever becomes of it, jobs fire.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    process::Command,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use super::bench::{Place, eventually};

/// Ticks four times a second, and leaves its pid.
const TICKS: &str = r#"
echo $$ > pid
IFS= read -r hello
nonce=${hello#*\"nonce\":\"}; nonce=${nonce%%\"*}
printf '{"id":1,"ok":{"ready":{"name":"bells","version":"1","nonce":"%s","liveness":"ticks"}}}\n' "$nonce"
IFS= read -r start
exec 3<&0
(while sleep 0.25; do echo '{"call":"tick"}'; done) &
while IFS= read -r line <&3; do
    case $line in
        *'"call":"stop"'*) id=${line#*\"id\":}; printf '{"id":%s,"ok":{}}\n' "${id%%,*}"; kill $!; echo bye > bye; exit ;;
    esac
done
"#;

/// A home whose config.yaml names the plugin `bells`, which is this script.
pub(super) fn with(script: &str) -> Place {
    let place = Place::empty();
    place.write("config.yaml", "ticker: {interval: 1s}\nprovider: bells\n");
    place.write_jobs(&[place.job("job", "* * * * * *", "")]);
    let folder = place.home().join("plugins/bells");
    fs::create_dir_all(&folder).expect("a folder");
    let manifest = "name: bells\nversion: '1'\nkind: exec\ncommand: [sh, code]\nprotocol: 1\ntimeouts: {ready: 2s}\n";
    place.write("plugins/bells/plugin.yaml", manifest);
    place.write("plugins/bells/code", script);
    let mode = |path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
    for folder in [place.home(), place.home().join("plugins"), folder.clone()] {
        mode(folder, 0o755);
    }
    for file in ["plugin.yaml", "code"] {
        mode(folder.join(file), 0o644);
    }
    place
}

pub(super) fn left(place: &Place, name: &str) -> String {
    fs::read_to_string(place.home().join("plugins/bells").join(name)).unwrap_or_default().trim().to_owned()
}

#[test]
fn jobs_fire_by_a_plugin_and_by_the_built_in_ticker_from_the_moment_it_is_killed() {
    let place = with(TICKS);
    let mut daemon = place.daemon();
    place.until_started("job", 2);
    let status = place.until_verdict("live", 0);
    assert_eq!(status["heartbeat"]["provider"], json!("bells"), "{status:#}");

    let pid: i32 = left(&place, "pid").parse().expect("a pid");
    kill_process(Pid::from_raw(pid).expect("a pid"), Signal::KILL).expect("a kill");
    let status = place.until_verdict("degraded", 3);
    let why = "/plugins/bells/code was killed by signal 9 (SIGKILL) while it was at work";
    assert!(status["problems"][0]["what"].as_str().is_some_and(|what| what.contains(why)), "{status:#}");
    let fired = place.effects("job").len();
    place.until_started("job", fired + 2);

    // Somebody who doesn't want to wait until it is started again says so.
    daemon.signal(Signal::HUP);
    place.until_verdict("live", 0);
    assert_ne!(left(&place, "pid"), pid.to_string());
    daemon.stop();
    assert_eq!(left(&place, "bye"), "bye");
}

#[test]
fn a_reload_starts_a_plugin_anew_only_if_it_is_another_one() {
    let place = with(TICKS);
    let mut daemon = place.daemon();
    place.until_started("job", 1);
    let first = left(&place, "pid");
    daemon.signal(Signal::HUP);
    daemon.until_logged("SIGHUP: config.yaml was read again");
    place.until_started("job", place.effects("job").len() + 2);
    assert_eq!(left(&place, "pid"), first);

    let manifest = fs::read_to_string(place.home().join("plugins/bells/plugin.yaml")).expect("a file");
    place.write("plugins/bells/plugin.yaml", format!("{manifest}config: {{every: 5}}\n"));
    daemon.signal(Signal::HUP);
    let second = eventually("another process", || {
        let pid = left(&place, "pid");
        if pid.is_empty() || pid == first { Err(pid) } else { Ok(pid) }
    });
    place.until_started("job", place.effects("job").len() + 2);
    assert_eq!(place.until_verdict("live", 0)["heartbeat"]["provider"], json!("bells"));
    daemon.stop();
    assert_eq!((left(&place, "pid"), left(&place, "bye")), (second, "bye".to_owned()));
}

#[test]
fn a_plugin_that_crashed_is_replaced_at_once_and_started_again() {
    let place = with(TICKS);
    let mut daemon = place.daemon();
    place.until_started("job", 1);
    let pid: i32 = left(&place, "pid").parse().expect("a pid");
    let killed = Instant::now();
    kill_process(Pid::from_raw(pid).expect("a pid"), Signal::SEGV).expect("a kill");
    daemon.until_logged("the built-in ticker fires instead");
    let fired = place.effects("job").len();
    place.until_started("job", fired + 1);
    // Two hundredths of a second, and up to one until the job is due again; more on a machine that is busy.
    let took = killed.elapsed();
    assert!(took < Duration::from_secs(4), "{took:?}");
    let status = place.until_verdict("degraded", 3);
    let why = "/plugins/bells/code was killed by signal 11 (SIGSEGV) while it was at work";
    assert!(status["problems"][0]["what"].as_str().is_some_and(|what| what.ends_with(why)), "{status:#}");
    let status = place.until_verdict("live", 0);
    assert_eq!(status["heartbeat"]["provider"], json!("bells"), "{status:#}");

    // Twice is too often, for this code.
    let pid: i32 = left(&place, "pid").parse().expect("a pid");
    kill_process(Pid::from_raw(pid).expect("a pid"), Signal::SEGV).expect("a kill");
    place.until_verdict("degraded", 3);
    daemon.signal(Signal::HUP);
    place.until_status("it is in quarantine", |status| {
        status["problems"][0]["what"].as_str().is_some_and(|what| what.contains("it is in quarantine after 2 crashes"))
    });
    assert!(place.ok(&["plugin", "allow", "bells"]).contains("may be started again"));
    daemon.signal(Signal::HUP);
    place.until_verdict("live", 0);
    daemon.stop();
    place.no_instant_twice("job");
}

const TICKS_IN_C: &str = r#"
#include "sched_plugin.h"
static const sched_host *host;
static sched_status create(const sched_host *h, sched_str c, void **s, sched_error *e) { (void)c; (void)e; host = h; *s = &host; return 0; }
static void destroy(void *s) { (void)s; }
static sched_status start(void *s, sched_error *e) {
    (void)s;
    while (!host->is_stopping(host->ctx)) {
        host->tick(host->ctx, e);
        host->wait_until(host->ctx, host->next_wakeup(host->ctx));
    }
    return 0;
}
const sched_plugin sched_plugin_v1 =
    { SCHED_PLUGIN_MAGIC, 1, 0, sizeof(sched_plugin), 0, 0, 0, "bells", "1", "", create, destroy, start, 0, 0, 0, 0, 0 };
"#;

#[test]
fn a_library_fires_from_a_process_of_its_own_and_its_copy_is_what_is_loaded() {
    let place = with("");
    let (code, library) = (place.path("bells.c"), place.home().join("plugins/bells/libbells.so"));
    fs::write(&code, TICKS_IN_C).expect("a file");
    let header = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins/sched-plugin-abi/include");
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-I", header, "-o"]).arg(&library).arg(&code);
    assert!(cc.status().expect("a C compiler").success());
    fs::set_permissions(&library, fs::Permissions::from_mode(0o644)).expect("a mode");
    let manifest = "name: bells\nversion: '1'\nkind: dylib\nlibrary: libbells.so\nabi: 1\n";
    place.write("plugins/bells/plugin.yaml", manifest);
    let mut daemon = place.daemon();
    place.until_started("job", 2);
    let status = place.until_verdict("live", 0);
    assert_eq!(status["heartbeat"]["provider"], json!("bells"), "{status:#}");

    // Cut off in place, which kills whoever has it loaded; nobody has.
    fs::write(&library, "").expect("a file");
    let fired = place.effects("job").len();
    place.until_started("job", fired + 2);
    let status = place.until_verdict("live", 0);
    assert_eq!(status["heartbeat"]["provider"], json!("bells"), "{status:#}");

    // Its child is a Rust program, which has a handler for this signal; once is enough all the same.
    let child = children(daemon.pid()).into_iter().find(|pid| command_line(*pid).contains("__plugin-host"));
    super::bench::signal(child.expect("a child"), Signal::SEGV);
    daemon.until_logged("libbells.so was killed by signal 11 (SIGSEGV) while it was at work");
    let fired = place.effects("job").len();
    place.until_started("job", fired + 1);
    daemon.stop();
    place.no_instant_twice("job");
}

/// The processes that `parent` has started, whichever of its threads did.
fn children(parent: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{parent}/task")).expect("its threads");
    let started = |thread: fs::DirEntry| fs::read_to_string(thread.path().join("children")).unwrap_or_default();
    let all: Vec<String> = threads.flatten().map(started).collect();
    all.iter().flat_map(|pids| pids.split_ascii_whitespace()).filter_map(|pid| pid.parse().ok()).collect()
}

fn command_line(pid: u32) -> String {
    String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default()).into_owned()
}

#[test]
fn a_plugin_goes_when_its_daemon_is_killed() {
    let place = with(TICKS);
    let mut daemon = place.daemon();
    place.until_started("job", 1);
    let pid = left(&place, "pid");
    daemon.kill();
    eventually("the plugin is gone", || {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        if stat.is_empty() || stat.contains(") Z ") { Ok(()) } else { Err(stat) }
    });
}

#[test]
fn a_plugin_that_cannot_be_used_degrades_and_says_why() {
    let check = |script: &str, mode: u32, want: &str| {
        let place = with(script);
        fs::set_permissions(place.home().join("plugins/bells/code"), fs::Permissions::from_mode(mode)).expect("a mode");
        let mut daemon = place.daemon();
        place.until_started("job", 1);
        let status = place.until_verdict("degraded", 3);
        assert!(status["problems"][0]["what"].as_str().is_some_and(|what| what.contains(want)), "{want}: {status:#}");
        daemon.stop();
    };
    check("exit 0", 0o644, "/plugins/bells/code exited with status 0 before it was ready");
    check(TICKS, 0o666, "/plugins/bells/code can be written by everybody (mode 0666)");
}
