//! One fault: the home, what `status` says while it lasts, who is told, and what is left of it.

use std::{
    any::Any,
    fs,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::rows::{By, Row};
use crate::process::bench::{Daemon, Place, Ran, eventually};

/// Where a fault is brought about.
pub(super) struct Scene {
    pub(super) place: Place,
    pub(super) daemon: Option<Daemon>,
    /// What lasts as long as the fault: a mounted disk, a frozen thread, another process.
    pub(super) held: Vec<Box<dyn Any>>,
    /// What its commands are started with, if this isn't the user who runs the tests.
    pub(super) user: Vec<String>,
}

/// What was seen of a fault.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// From the fault to the first `status` that isn't healthy, for good.
    pub(super) detected: Duration,
    /// From the fault to when a sink had it.
    pub(super) told: Duration,
    /// From when it was put right to LIVE.
    pub(super) over: Duration,
}

/// How long `status` is asked on while the fault lasts, after somebody was told of it.
const LOOKS: Duration = Duration::from_secs(3);

impl Scene {
    /// A home with a job each second, and a sink that is a file beside it.
    pub(super) fn new(more: &str) -> Self {
        let scene = Self { place: Place::empty(), daemon: None, held: Vec::new(), user: Vec::new() };
        scene.furnish(more);
        scene
    }

    /// Its files: that of a disk that is mounted on the home must come after it.
    pub(super) fn furnish(&self, more: &str) {
        let sink = format!("cat >> {}", self.place.path("told").display());
        let sink = serde_json::json!([{"name": "file", "type": "command", "command": ["sh", "-c", sink]}]);
        self.place.write("config.yaml", format!("ticker: {{interval: 1s, abort_after: 0}}\nnotify: {sink}\n{more}"));
        self.place.write_jobs(&[self.place.job("job", "* * * * * *", "")]);
    }

    /// Starts the daemon, and waits until it is LIVE and has fired.
    pub(super) fn start(&mut self) {
        let daemon = self.start_command(&["run"]);
        self.daemon = Some(daemon);
        self.is_live();
    }

    pub(super) fn is_live(&self) {
        let before = self.place.effects("job").len();
        eventually("it is LIVE", || match self.status() {
            (Some(0), status) if status["verdict"] == "live" => Ok(()),
            (_, status) => Err(format!("{status:#}\n{}", self.log())),
        });
        self.place.until_started("job", before + 1);
    }

    pub(super) fn daemon(&mut self) -> &mut Daemon {
        self.daemon.as_mut().expect("it was started")
    }

    fn log(&self) -> String {
        self.daemon.as_ref().map(Daemon::log).unwrap_or_default()
    }

    /// Starts `sched` as the user whose home it is.
    pub(super) fn start_command(&self, line: &[&str]) -> Daemon {
        let mut command = self.place.command(line);
        if let Some((first, rest)) = self.user.split_first() {
            let ours = command;
            command = std::process::Command::new(first);
            command.args(rest).args(ours.get_args()).env_clear().stdin(std::process::Stdio::null());
            command.envs(ours.get_envs().filter_map(|(name, value)| Some((name, value?))));
            command.current_dir(self.place.path("."));
        }
        self.place.start_command(&mut command)
    }

    pub(super) fn run(&self, line: &[&str]) -> Ran {
        self.start_command(line).ran()
    }

    pub(super) fn status(&self) -> (Option<i32>, Value) {
        let ran = self.run(&["--json", "status"]);
        let value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
        (ran.code, value)
    }

    /// What the sink was told: event, key, title and detail.
    fn told(&self) -> Vec<[String; 4]> {
        let text = fs::read_to_string(self.place.path("told")).unwrap_or_default();
        let values = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
        // The last one may be on its way.
        let values = values.map_while(Result::ok);
        values
            .map(|value| {
                ["event", "key", "title", "detail"].map(|key| value[key].as_str().unwrap_or_default().to_owned())
            })
            .collect()
    }

    /// The key under which the sink was told of what `says` this.
    fn key_of(&self, says: &str) -> Option<String> {
        let told = self.told();
        told.into_iter()
            .find(|[event, _, title, detail]| event == "opened" && (title.contains(says) || detail.contains(says)))
            .map(|[_, key, ..]| key)
    }
}

/// Brings the fault about and looks at what comes of it. `None` where that isn't allowed, with the reason printed.
pub(super) fn play(row: &Row) -> Option<Seen> {
    let mut scene = (row.home)()?;
    (row.begin)(&mut scene);
    assert!(scene.told().is_empty(), "{}: {:?}", row.name, scene.told());
    let begin = Instant::now();
    if !(row.bring)(&mut scene) {
        return None;
    }
    let detected = eventually(row.fault, || match scene.status() {
        (code, status) if row.is_called(&status) && code != Some(0) => Ok(begin.elapsed()),
        (_, status) => Err(format!("{status:#}\n{}", scene.log())),
    });
    assert!(detected <= row.within, "{}: {detected:?}, and it should be {:?}", row.name, row.within);
    // As a crontab starts it, once.
    let watchdog = (row.told_by == By::Watchdog).then(|| scene.run(&["watchdog"]));
    assert!(watchdog.as_ref().is_none_or(|ran| ran.code != Some(0)), "{}: {watchdog:?}", row.name);
    let key = eventually(&format!("{}: a sink is told of `{}`", row.name, row.says), || {
        scene.key_of(row.says).ok_or_else(|| format!("{:#?}\n{watchdog:?}", scene.told()))
    });
    let told = begin.elapsed();
    let from = Instant::now();
    while from.elapsed() < LOOKS {
        let (code, status) = scene.status();
        assert_ne!(code, Some(0), "{}: {status:#}", row.name);
    }

    let end = Instant::now();
    (row.mend)(&mut scene);
    scene.is_live();
    let over = end.elapsed();
    eventually(&format!("{}: a sink is told that `{key}` is over", row.name), || {
        let ran = scene.run(&["watchdog"]);
        let is_over = scene.told().iter().any(|[event, of, ..]| event == "closed" && *of == key);
        if is_over && ran.code == Some(0) { Ok(()) } else { Err(format!("{:#?}\n{ran:?}", scene.told())) }
    });
    if let Some(daemon) = &mut scene.daemon {
        daemon.stop();
    }
    scene.place.no_instant_twice("job");
    let audit = scene.run(&["audit"]);
    assert_eq!(audit.code, Some(0), "{}: {audit:?}", row.name);
    Some(Seen { detected, told, over })
}
