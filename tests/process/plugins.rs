//! A plugin in a home: `provider: NAME` is all it takes, and whatever becomes of it, jobs fire.

use std::{fs, os::unix::fs::PermissionsExt};

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
fn with(script: &str) -> Place {
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

fn left(place: &Place, name: &str) -> String {
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
    let why = "provider `bells` failed: it was killed by signal 9 (SIGKILL) while it was at work";
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
    check("exit 0", 0o644, "provider `bells` could not be made: it exited with status 0 before it was ready");
    check(TICKS, 0o666, "/plugins/bells/code can be written by everybody (mode 0666)");
}
