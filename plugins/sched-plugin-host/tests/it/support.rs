//! A home with one plugin in it, `bells`, and an engine that asks for it.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use sched_plugin_host::{Found, Grounds, Plugins, Strikes};
use scheduler_core::{
    Engine, Home, JobStore, SystemClock,
    liveness::{Heartbeat, Pulse},
    provider::{Resolved, resolve},
    store::{Edit, MemoryStore},
    testing::RecordingRunner,
    vfs::RealFs,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// How the scripts begin: `ready LIVENESS HOOKS` answers `hello`.
const PROLOGUE: &str = r#"
echo $$ > pid
IFS= read -r hello
nonce=${hello#*\"nonce\":\"}; nonce=${nonce%%\"*}
ready() {
    printf '{"id":1,"ok":{"ready":{"name":"bells","version":"1","nonce":"%s","liveness":"%s","hooks":[%s]}}}\n' "$nonce" "$1" "$2"
}
say() { printf '%s\n' "$1"; }
# The answer to the call in `$line`.
answer() { id=${line#*\"id\":}; id=${id%%,*}; printf '{"id":%s,"ok":%s}\n' "$id" "${1-{\}}"; }
"#;

pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    /// With the plugin that this shell script is, after the prologue.
    pub(crate) fn script(script: &str) -> Self {
        Self::with("sh", &format!("{PROLOGUE}{script}"))
    }

    /// With the plugin that `text` is to `interpreter`.
    pub(crate) fn with(interpreter: &str, text: &str) -> Self {
        let place = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        fs::create_dir_all(place.folder()).expect("a folder");
        for folder in [place.folder(), place.folder().join("..")] {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("a mode");
        }
        let manifest = format!(
            "name: bells\nversion: '1'\nkind: exec\ncommand: [{interpreter}, code]\nprotocol: 1\n\
             config: {{every: 5}}\ntimeouts: {{ready: 2s, call: 1s, stop: 1s}}\n"
        );
        place.write("plugin.yaml", &manifest);
        place.write("code", text);
        place
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.folder().join(name);
        fs::write(&path, text).expect("a file");
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).expect("a mode");
    }

    /// What the plugin left in its folder; empty if nothing.
    pub(crate) fn left(&self, name: &str) -> String {
        fs::read_to_string(self.folder().join(name)).unwrap_or_default()
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().join("home/plugins/bells")
    }

    /// A sentence, in which `%` is the plugin's file.
    pub(crate) fn told(&self, sentence: &str) -> String {
        let code = self.folder().canonicalize().expect("a folder").join("code");
        sentence.replace('%', &code.display().to_string())
    }

    pub(crate) fn home(&self) -> Home {
        Home::new(self.folder.path().join("home"))
    }

    pub(crate) fn strikes(&self) -> Strikes {
        Strikes::new(Arc::new(RealFs), Arc::new(SystemClock), &self.home())
    }

    pub(crate) fn plugins(&self) -> Plugins {
        let environment = std::env::vars_os().chain([("SECRET".into(), "hush".into())]).collect();
        let grounds = Grounds { cache: self.home().state().join("plugins"), loader: Vec::new(), environment };
        Plugins::new(&self.home(), grounds, self.strikes(), Duration::from_secs(1))
    }

    pub(crate) fn found(&self) -> Vec<Found> {
        self.plugins().look(&["none"])
    }

    pub(crate) fn resolve(&self) -> Resolved {
        resolve("bells", &self.plugins().factories())
    }

    /// Whether the process of the plugin, which wrote its pid, is gone: reaped if it is ours, and else dead.
    pub(crate) fn is_gone(&self) -> bool {
        let pid = self.left("pid");
        assert!(!pid.is_empty(), "it never ran");
        let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        let Some((_, rest)) = stat.rsplit_once(") ") else { return true };
        let parent = rest.split(' ').nth(1);
        // Somebody else's zombie, whose parent is in no hurry.
        rest.starts_with('Z') && parent != Some(&std::process::id().to_string())
    }
}

/// An engine with a job `job`, at work by the plugin of a place.
pub(crate) struct Work {
    pub(crate) engine: Engine,
    pub(crate) runner: Arc<RecordingRunner>,
    pub(crate) pulse: Pulse,
    running: JoinHandle<scheduler_core::Result<()>>,
}

impl Work {
    pub(crate) async fn start(resolved: Resolved, schedule: &str) -> Self {
        Self::start_with(resolved, vec![json!({"id": "job", "schedule": schedule, "payload": 1})]).await
    }

    pub(crate) async fn start_with(resolved: Resolved, jobs: Vec<Value>) -> Self {
        let store = Arc::new(MemoryStore::default());
        store.define(Edit::Add(jobs)).await.expect("jobs");
        let runner = Arc::new(RecordingRunner::default());
        let clock = Arc::new(SystemClock);
        let interval = Duration::from_secs(1);
        let pulse = Pulse::new(Heartbeat::new("test", jiff::Timestamp::UNIX_EPOCH, interval), clock);
        let engine = Engine::builder(store, Arc::clone(&runner) as _).pulse(pulse.clone()).interval(interval).build();
        let running = tokio::spawn({
            let engine = engine.clone();
            async move { engine.run(resolved).await }
        });
        Self { engine, runner, pulse, running }
    }

    /// Why the built-in ticker fires, once it does.
    pub(crate) async fn fallen_back(&self) -> String {
        eventually("the built-in takes over", || {
            Some(self.pulse.current()).filter(|beat| beat.provider == "builtin")?.fallback_reason
        })
        .await
    }

    pub(crate) async fn stop(self) {
        self.engine.stop();
        self.running.await.expect("no panic").expect("a clean end");
    }
}

/// Polls a fact about other threads or processes until it holds; panics with `what` after a generous while.
pub(crate) async fn eventually<T>(what: &str, mut fact: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        if let Some(value) = fact() {
            return value;
        }
        assert!(Instant::now() < deadline, "never came true: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
