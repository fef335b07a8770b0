//! Libraries at work: from the folder of a home, through the gate and the child, to jobs that an engine runs.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sched_plugin_host::{Grounds, Plugins, Strikes, library};
use scheduler_core::{
    Engine, Home, JobStore as _, SystemClock,
    liveness::{Heartbeat, Pulse},
    provider::resolve,
    store::{Edit, MemoryStore},
    testing::RecordingRunner,
    vfs::RealFs,
};
use serde_json::json;
use tempfile::TempDir;

use crate::{
    examples::{build_fixed_interval, is_there, library_in_rust},
    parent::host_program,
};

/// A home with one plugin, and an engine that uses it, with one job for every second, and one for events.
struct Work {
    engine: Engine,
    runner: Arc<RecordingRunner>,
    pulse: Pulse,
    running: tokio::task::JoinHandle<scheduler_core::Result<()>>,
    _folder: TempDir,
}

impl Work {
    async fn start(name: &str, code: &Path, config: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::new(folder.path().join("home"));
        install(&folder.path().join("home/plugins").join(name), name, code, config);
        let (clock, interval) = (Arc::new(SystemClock), Duration::from_secs(1));
        let grounds = Grounds {
            cache: home.state().join("plugins"),
            loader: vec![host_program().into(), library::ARGUMENT.into()],
            environment: std::env::vars_os().collect(),
        };
        let strikes = Strikes::new(Arc::new(RealFs), Arc::clone(&clock) as _, &home);
        let resolved = resolve(name, &Plugins::new(&home, grounds, strikes, interval).factories());

        let store = Arc::new(MemoryStore::default());
        let jobs = [("each-second", "every 1s"), ("import", "@yearly")];
        let jobs = jobs.map(|(id, schedule)| json!({"id": id, "schedule": schedule, "payload": 1}));
        store.define(Edit::Add(jobs.into())).await.expect("two jobs");
        let runner = Arc::new(RecordingRunner::default());
        let pulse = Pulse::new(Heartbeat::new("test", jiff::Timestamp::UNIX_EPOCH, interval), clock);
        let engine = Engine::builder(store, Arc::clone(&runner) as _).pulse(pulse.clone()).interval(interval).build();
        let running = tokio::spawn({
            let engine = engine.clone();
            async move { engine.run(resolved).await }
        });
        Self { engine, runner, pulse, running, _folder: folder }
    }

    /// It was the plugin that did it, to its end.
    async fn stop(self, name: &str) {
        let beat = self.pulse.current();
        assert_eq!((beat.provider.as_str(), beat.fallback_reason), (name, None));
        self.engine.stop();
        self.running.await.expect("no panic").expect("a clean end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_library_in_rust_fires_for_an_event_and_by_the_clock() {
    let watched = tempfile::tempdir().expect("a folder");
    let config = format!("{{folder: {:?}, job: import}}", watched.path());
    let work = Work::start("on-folder-change", &library_in_rust(), &config).await;
    // Whoever has ticked has looked at the folder before.
    work.runner.until(|ran| !ran.is_empty()).await;
    write(&watched.path().join("a"), "1");
    work.runner.until(|ran| ran.iter().any(|ran| ran.job.as_str() == "import")).await;
    work.stop("on-folder-change").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_library_in_c_fires_by_the_clock() {
    if !is_there("make") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let library: PathBuf = build_fixed_interval(folder.path());
    let work = Work::start("fixed-interval", &library, "{every_seconds: 1}").await;
    work.runner.until(|ran| ran.len() >= 3).await;
    work.stop("fixed-interval").await;
}

/// The example's folder, with another config.
#[expect(clippy::disallowed_methods, reason = "a plugin's folder that is thrown away")]
fn install(folder: &Path, name: &str, code: &Path, config: &str) {
    fs::create_dir_all(folder).expect("a folder");
    fs::copy(code, folder.join(code.file_name().expect("a name"))).expect("a copy");
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name).join("plugin.yaml");
    let manifest = fs::read_to_string(example).expect("the example's plugin.yaml");
    let head = manifest.split("config:").next().expect("what comes before it");
    fs::write(folder.join("plugin.yaml"), format!("{head}config: {config}\n")).expect("plugin.yaml");
}

#[expect(clippy::disallowed_methods, reason = "a file in the watched folder")]
fn write(file: &Path, text: &str) {
    fs::write(file, text).expect("a file");
}
