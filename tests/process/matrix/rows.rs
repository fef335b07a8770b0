//! The faults: how each is brought about and put right, and what is to be seen of it.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown},
    path::PathBuf,
    process::Command,
    time::Duration,
};

use rustix::process::Signal;
use serde_json::{Value, json};

use super::scene::Scene;
use crate::process::{
    bench::{eventually, sched},
    disk::{Mounted, fill, skipped},
    heartbeats::{in_2099, rewrite},
    supervisor::Frozen,
    wedge::DeadMount,
    zoo,
};

/// One way to die unnoticed.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// As docs/liveness.md calls it.
    pub(crate) fault: &'static str,
    /// The verdict, or several if one follows the other.
    pub(crate) verdict: &'static str,
    /// How long it may take until then, with an interval of 1 s.
    pub(super) within: Duration,
    /// What the sink is told.
    pub(super) says: &'static str,
    pub(super) told_by: By,
    pub(super) home: fn() -> Option<Scene>,
    /// Until all is well.
    pub(super) begin: fn(&mut Scene),
    /// False where that isn't allowed.
    pub(super) bring: fn(&mut Scene) -> bool,
    pub(super) mend: fn(&mut Scene),
}

/// Who tells a sink.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Daemon,
    Watchdog,
}

impl Row {
    /// Whether `status` says what is expected.
    pub(super) fn is_called(&self, status: &Value) -> bool {
        let word = status["verdict"].as_str().unwrap_or_default().to_uppercase();
        self.verdict.split(", ").any(|verdict| verdict == word)
    }
}

/// After this the next tick has failed, and the next look has seen it.
const NEXT: Duration = Duration::from_secs(10);
/// Three intervals and 20 s, and the time that one look takes, which waits for a store for 10 s.
const STALE: Duration = Duration::from_secs(40);
/// A look takes a fraction of this, however busy the machine is.
const AT_ONCE: Duration = Duration::from_secs(5);

/// All of them, the slow ones first: nobody waits for the last one alone then.
pub(crate) fn all() -> Vec<Row> {
    let mut all = stuck();
    all.extend(gone());
    all.extend(refused());
    all.extend(beats());
    all.extend(jobs());
    all
}

fn row(
    name: &'static str,
    fault: &'static str,
    (verdict, within): (&'static str, Duration),
    says: &'static str,
) -> Row {
    Row {
        name,
        fault,
        verdict,
        within,
        says,
        told_by: By::Watchdog,
        home: || Some(Scene::new("")),
        begin: Scene::start,
        bring: |_| true,
        mend: |_| (),
    }
}

/// A daemon that is there and doesn't get on.
fn stuck() -> Vec<Row> {
    vec![
        Row {
            bring: |scene| {
                let dead = DeadMount::over_jobs(&scene.place);
                dead.map(|dead| scene.held.push(Box::new(dead))).is_some()
            },
            mend: |scene| scene.held.clear(),
            ..row("store_blocks", "the store never answers", ("STALLED, FAILING", STALE), "the store")
        },
        Row {
            bring: |scene| {
                let frozen = Frozen::new(scene.daemon(), "tokio");
                frozen.map(|frozen| scene.held.push(Box::new(frozen))).is_some()
            },
            mend: |scene| scene.held.clear(),
            ..row("threads_blocked", "all threads of the runtime are blocked", ("STALLED", STALE), "STALLED")
        },
        Row {
            begin: |scene| {
                let go = scene.place.path("go");
                fs::write(&go, "").expect("a file");
                let shell = format!("while [ -e {} ]; do sched tick; sleep 0.3; done", go.display());
                scene.held.push(Box::new(scene.place.start_script(&shell)));
                scene.is_live();
            },
            bring: |scene| fs::remove_file(scene.place.path("go")).is_ok(),
            mend: |scene| {
                scene.held.clear();
                scene.start();
            },
            ..row(
                "ticks_stop",
                "ticks from a system cron stop coming",
                ("STALLED", STALE),
                "the last `sched tick` came",
            )
        },
        Row {
            bring: |scene| {
                scene.daemon().signal(Signal::STOP);
                true
            },
            mend: |scene| scene.daemon().signal(Signal::CONT),
            ..row("stopped", "SIGSTOP", ("STALLED", AT_ONCE), "STALLED")
        },
        Row {
            begin: |scene| {
                let program = sched().with_file_name("examples").join("stumbles");
                assert!(program.is_file(), "{} is missing: `cargo build --workspace --examples`", program.display());
                let like = scene.place.command(&[]);
                let mut command = Command::new(program);
                command.env_clear().envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
                scene.daemon = Some(scene.place.start_command(&mut command));
                scene.is_live();
            },
            bring: |scene| fs::write(scene.place.path("stumble"), "").is_ok(),
            mend: |scene| fs::remove_file(scene.place.path("stumble")).expect("it was there"),
            ..row("tick_panics", "each tick panics", ("FAILING", NEXT), "panicked")
        },
        Row {
            home: || {
                let scene = Scene::new("");
                let disk = Mounted::new(&scene.place, &["-t", "tmpfs", "-o", "size=1m", "tmpfs"])?;
                scene.furnish("");
                Some(Scene { held: vec![Box::new(disk)], ..scene })
            },
            bring: |scene| {
                fill(&scene.place);
                true
            },
            mend: |scene| fs::remove_file(scene.place.home().join("ballast")).expect("space again"),
            ..row("disk_full", "the disk is full", ("FAILING", NEXT), "no space left on device")
        },
    ]
}

/// Somebody isn't there any more.
fn gone() -> Vec<Row> {
    vec![
        Row {
            bring: |scene| {
                scene.daemon().kill();
                true
            },
            mend: Scene::start,
            ..row("killed", "`kill -9`", ("CRASHED", AT_ONCE), "CRASHED")
        },
        Row {
            begin: |scene| {
                scene.start();
                let watch = scene.start_command(&["watchdog", "--watch", "--interval", "1s"]);
                let beat = scene.place.home().join("heartbeats/watchdog.json");
                eventually("it came", || if beat.exists() { Ok(()) } else { Err(watch.log()) });
                scene.held.push(Box::new(watch));
            },
            bring: |scene| {
                // Dropped is killed.
                scene.held.clear();
                true
            },
            mend: |scene| drop(scene.run(&["watchdog", "--retire"])),
            told_by: By::Daemon,
            ..row(
                "watchdog_dies",
                "the watchdog itself is dead",
                ("DEGRADED", NEXT),
                "the watchdog has been silent for",
            )
        },
        Row {
            bring: |scene| scene.run(&["heartbeat", "write", "backup", "--interval", "1s"]).code == Some(0),
            mend: |scene| drop(scene.run(&["heartbeat", "write", "backup", "--interval", "1h"])),
            ..row(
                "beat_stops",
                "a job that sched doesn't run has died",
                ("DEGRADED", NEXT),
                "heartbeat `backup` is stale",
            )
        },
        Row {
            bring: |scene| is_done(scene, "dies"),
            ..plugin("plugin_dies", "a plugin dies by SIGSEGV", "was killed by signal 11 (SIGSEGV)")
        },
        Row {
            bring: |scene| is_done(scene, "returns"),
            ..plugin(
                "provider_returns",
                "a provider returns early",
                "its `start` returned though nobody told it to stop",
            )
        },
    ]
}

/// A plugin that does what there is a file for beside the home.
fn plugin(name: &'static str, fault: &'static str, says: &'static str) -> Row {
    Row {
        begin: |scene| {
            let file = |name: &str| format!("!access(\"{}\", F_OK)", scene.place.path(name).display());
            let turn = format!("IN_TURN=if ({}) CRASH; else if ({}) return 0", file("dies"), file("returns"));
            zoo::in_c(&scene.place, &turn);
            scene.furnish("provider: zoo\n");
            scene.start();
        },
        mend: |scene| {
            scene.furnish("");
            scene.daemon().signal(Signal::HUP);
        },
        ..row(name, fault, ("DEGRADED", NEXT), says)
    }
}

fn is_done(scene: &mut Scene, file: &str) -> bool {
    fs::write(scene.place.path(file), "").is_ok()
}

/// What it needs can't be used.
fn refused() -> Vec<Row> {
    vec![
        Row {
            home: of_nobody,
            bring: |scene| {
                fs::set_permissions(scene.place.home().join("state"), fs::Permissions::from_mode(0o000)).is_ok()
            },
            mend: |scene| {
                let ours = fs::Permissions::from_mode(0o700);
                fs::set_permissions(scene.place.home().join("state"), ours).expect("it is there");
            },
            ..row("store_unreadable", "the store can't be read", ("UNKNOWN", AT_ONCE), "permission denied")
        },
        Row {
            home: of_nobody,
            bring: |scene| {
                // As an editor of root's saves it: another file, whose modes are root's.
                let (path, saved) = (scene.place.home().join("jobs.json"), scene.place.path("saved"));
                fs::copy(&path, &saved).expect("a copy");
                fs::set_permissions(&saved, fs::Permissions::from_mode(0o600)).expect("a mode");
                fs::rename(saved, path).is_ok()
            },
            mend: |scene| chown(scene.place.home().join("jobs.json"), NOBODY, NOBODY).expect("we are root"),
            ..row(
                "jobs_json_of_root",
                "jobs.json is root's, and the daemon isn't",
                ("DEGRADED", NEXT),
                "permission denied",
            )
        },
        Row {
            bring: |scene| fs::rename(scene.place.home().join("jobs.json"), scene.place.path("lost")).is_ok(),
            mend: |scene| {
                fs::rename(scene.place.path("lost"), scene.place.home().join("jobs.json")).expect("it comes back");
            },
            ..row("jobs_json_lost", "jobs.json is lost", ("DEGRADED", NEXT), "jobs.json")
        },
        Row {
            bring: |scene| {
                scene.place.write("config.yaml", "ticker: {interval: 1s");
                // The sinks are in it, too: those in force are the daemon's.
                scene.daemon().signal(Signal::HUP);
                true
            },
            mend: |scene| {
                scene.furnish("");
                scene.daemon().signal(Signal::HUP);
            },
            ..row("config_broken", "config.yaml can't be read", ("DEGRADED", NEXT), "config.yaml")
        },
    ]
}

const NOBODY: Option<u32> = Some(65534);

/// A home of somebody who has no rights of root's. `None` for who isn't root.
fn of_nobody() -> Option<Scene> {
    if !rustix::process::geteuid().is_root() {
        return skipped("only root can be somebody else");
    }
    let mut scene = Scene::new("");
    let path = |name: &str| scene.place.path(name);
    // Nobody may look into the folder of the build, but a link to the program is as good.
    let copied = fs::hard_link(sched(), path("sched")).or_else(|_| fs::copy(sched(), path("sched")).map(drop));
    copied.expect("the program");
    fs::set_permissions(path("."), fs::Permissions::from_mode(0o777)).expect("the folder is ours");
    for name in ["home", "home/config.yaml", "home/jobs.json"] {
        chown(path(name), NOBODY, NOBODY).expect("we are root");
    }
    let user = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    scene.user = user.into_iter().map(str::to_owned).chain([path("sched").display().to_string()]).collect();
    Some(scene)
}

/// What the last beat of a daemon that was killed is found to be.
fn beats() -> Vec<Row> {
    fn killed(scene: &mut Scene) -> PathBuf {
        scene.daemon().kill();
        scene.place.home().join("heartbeats/ticker.json")
    }
    let beat = |name, fault, verdict, says, bring| Row {
        bring,
        mend: Scene::start,
        ..row(name, fault, (verdict, AT_ONCE), says)
    };
    vec![
        beat("beat_missing", "the beat of a killed daemon is missing", "STOPPED, CRASHED", "no daemon runs", |scene| {
            fs::remove_file(killed(scene)).is_ok()
        }),
        beat("beat_garbage", "the beat is garbage", "UNKNOWN", "heartbeat", |scene| {
            fs::write(killed(scene), [0xff; 4096]).is_ok()
        }),
        beat("beat_of_the_future", "the beat is of the future", "UNKNOWN", "UNKNOWN", |scene| {
            rewrite(&killed(scene), in_2099);
            true
        }),
        beat("beat_of_another_boot", "the beat is of another boot", "CRASHED", "CRASHED", |scene| {
            rewrite(&killed(scene), |beat| beat.boot_id = "another".into());
            true
        }),
        beat("beat_of_another_machine", "the beat is of another machine", "UNKNOWN", "machine", |scene| {
            rewrite(&killed(scene), |beat| beat.machine_id = Some("another".into()));
            true
        }),
    ]
}

/// Jobs that don't do what they should.
fn jobs() -> Vec<Row> {
    vec![Row {
        begin: |scene| {
            let test = format!("test ! -e {}", scene.place.path("wrong").display());
            let nightly = json!({"id": "nightly", "schedule": "* * * * * *", "command": test});
            scene.place.write_jobs(&[scene.place.job("job", "* * * * * *", ""), nightly]);
            scene.start();
        },
        bring: |scene| is_done(scene, "wrong"),
        mend: |scene| fs::remove_file(scene.place.path("wrong")).expect("it was there"),
        told_by: By::Daemon,
        ..row("job_fails", "a job fails every night", ("DEGRADED", NEXT), "nightly")
    }]
}
