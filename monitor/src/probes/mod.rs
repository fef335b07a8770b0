//! Probes: commands that the daemon runs now and then to see whether something is well, and what they found.
//!
//! `command` runs one, `board` is the file in which `status` finds the answers.
//!
//! **Invariant:** each probe has a task of its own, and whatever becomes of one try, the next comes at its time.

mod board;
mod command;

use std::{collections::HashMap, ffi::OsString, path::PathBuf, sync::Arc};

use scheduler_core::{
    Alert, Clock, Home, JobId, JobStore, Result,
    config::{Config, PROBE_SCOPE, Probe},
    notify::AlertKind,
    occurrence::Occurrence,
    store::Which,
    vfs::Vfs,
};
use tokio::{
    sync::oneshot,
    task::{JoinHandle, spawn_blocking},
    time::{Instant, sleep_until},
};

pub use self::board::{Entry, State, read};
use self::{board::Board, command::Finding};
use crate::Desk;

/// What probes are run with.
///
/// ```
/// use scheduler_core::config::Config;
/// use sched_monitor::probes::Settings;
/// let settings = Settings::of(&Config::default(), "/", std::env::vars_os());
/// assert!(settings.probes.is_empty());
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// Which.
    pub probes: Vec<Probe>,
    /// What runs a line of text.
    pub shell: String,
    /// Where they run.
    pub folder: PathBuf,
    /// Their environment.
    pub environment: Vec<(OsString, OsString)>,
}

impl Settings {
    /// Those of `config`, run in `folder` with this environment but for what is secret.
    pub fn of(
        config: &Config,
        folder: impl Into<PathBuf>,
        environment: impl Iterator<Item = (OsString, OsString)>,
    ) -> Self {
        let secret = config.secret_variables();
        let environment = environment.filter(|(name, _)| secret.iter().all(|secret| name != secret.as_str())).collect();
        let (probes, shell) = (config.probes.clone(), config.defaults.shell.clone());
        Self { probes, shell, folder: folder.into(), environment }
    }
}

/// The probes of a daemon, at work until this is dropped.
///
/// ```
/// use std::sync::Arc;
/// use scheduler_core::{Home, SystemClock, config::Config, store::MemoryStore, vfs::RealFs};
/// use sched_monitor::{Desk, Settings, probes::{self, Probes}};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let home = Home::new(folder.path());
/// let clock = Arc::new(SystemClock);
/// let desk = Desk::new(Arc::new(RealFs), &home, clock.clone(), &Settings::default());
/// let store = Arc::new(MemoryStore::default());
/// let mut probes = Probes::new(Arc::new(RealFs), &home, clock, store, desk);
/// probes.change(probes::Settings::of(&Config::default(), "/", std::iter::empty()));
/// # }
/// ```
pub struct Probes {
    shared: Arc<Shared>,
    at_work: HashMap<String, AtWork>,
}

struct Shared {
    clock: Arc<dyn Clock>,
    store: Arc<dyn JobStore>,
    desk: Desk,
    board: Board,
}

/// A probe and what it is run with.
#[derive(Debug, PartialEq)]
struct Work {
    probe: Probe,
    shell: String,
    folder: PathBuf,
    environment: Vec<(OsString, OsString)>,
}

impl Probes {
    /// None yet. What they find is told to `desk`; whether a job runs, `store` knows.
    pub fn new(fs: Arc<dyn Vfs>, home: &Home, clock: Arc<dyn Clock>, store: Arc<dyn JobStore>, desk: Desk) -> Self {
        let board = Board::new(fs, home);
        let shared = Arc::new(Shared { clock, store, desk, board });
        Self { shared, at_work: HashMap::new() }
    }

    /// Brings other settings into force. A probe that stays what it is goes on; one that is new begins at once.
    pub fn change(&mut self, settings: Settings) {
        let Settings { probes, shell, folder, environment } = settings;
        let mut before = std::mem::take(&mut self.at_work);
        let names: Vec<String> = probes.iter().map(|probe| probe.name.clone()).collect();
        for probe in probes {
            let (shell, folder, environment) = (shell.clone(), folder.clone(), environment.clone());
            let (name, work) = (probe.name.clone(), Arc::new(Work { probe, shell, folder, environment }));
            let at_work = match before.remove(&name) {
                Some(same) if same.work == work => same,
                other => AtWork::begin(&self.shared, work, other.map(AtWork::stop)),
            };
            self.at_work.insert(name, at_work);
        }
        let gone = before.into_values().map(AtWork::stop).collect();
        tokio::spawn(forget_others(Arc::clone(&self.shared), names, gone));
    }
}

/// A probe with its task, which ends soon after this is dropped: what it has started is ended, what it found is told.
struct AtWork {
    work: Arc<Work>,
    task: JoinHandle<()>,
    _stop: oneshot::Sender<()>,
}

impl AtWork {
    /// Begins when `after`, the task of the one before it, has ended.
    fn begin(shared: &Arc<Shared>, work: Arc<Work>, after: Option<JoinHandle<()>>) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (shared, its) = (Arc::clone(shared), Arc::clone(&work));
        let task = tokio::spawn(async move {
            if let Some(after) = after {
                let _ = after.await;
            }
            watch(shared, its, stopped).await;
        });
        Self { work, task, _stop: stop }
    }

    fn stop(self) -> JoinHandle<()> {
        self.task
    }
}

/// Runs one probe until it is stopped.
async fn watch(shared: Arc<Shared>, work: Arc<Work>, mut stopped: oneshot::Receiver<()>) {
    let (probe, mut next, mut told) = (&work.probe, Instant::now(), None);
    loop {
        tokio::select! {
            _ = &mut stopped => return,
            () = sleep_until(next) => {}
        }
        // Whatever comes of this try; times that it takes up are left out.
        let now = Instant::now();
        while next <= now {
            next += probe.every;
        }
        if let Some(why) = shared.in_the_way(&probe.not_during).await {
            tracing::debug!(probe = probe.name, "put off: {why}");
            shared.board.put_off(&probe.name, why, shared.clock.now()).await;
            continue;
        }
        let finding = tokio::select! {
            _ = &mut stopped => return,
            finding = command::run(&work) => finding,
        };
        let is_well = finding.is_well();
        shared.board.found(&probe.name, &finding, shared.clock.now()).await;
        if told == Some(is_well) {
            continue;
        }
        match &finding.wrong {
            Some(why) => tracing::warn!(probe = probe.name, "{why}"),
            // At first that is what is expected.
            None if told.is_some() => tracing::info!(probe = probe.name, "it is well again"),
            None => {}
        }
        match shared.tell(probe, &finding).await {
            Ok(()) => told = Some(is_well),
            Err(error) => {
                tracing::warn!(probe = probe.name, %error, "what it found could not be told; its next run tries again");
            }
        }
    }
}

impl Shared {
    /// Why a probe that may not run beside these jobs can't run now.
    async fn in_the_way(&self, jobs: &[JobId]) -> Option<String> {
        for job in jobs {
            match self.store.select(Which::Job(job.clone())).await {
                Ok(found) => {
                    let mut open = found.jobs.iter().flat_map(|view| &view.open);
                    if open.any(Occurrence::is_running) {
                        return Some(format!("job `{job}` runs"));
                    }
                }
                Err(error) => return Some(format!("whether job `{job}` runs is not known: {error}")),
            }
        }
        None
    }

    async fn tell(&self, probe: &Probe, finding: &Finding) -> Result<()> {
        let alert = finding.wrong.as_ref().map(|why| {
            let title = format!("probe `{}`: {why}", probe.name);
            let alert = Alert::open(probe.scope(), title, self.clock.now()).detail(finding.output.clone());
            alert.kind(AlertKind::Problem).to(probe.notify.clone())
        });
        self.desk.reconcile(probe.scope(), alert.into_iter().collect()).await.map(drop)
    }
}

/// Closes the alerts of probes that there are no more, and takes these off the board.
async fn forget_others(shared: Arc<Shared>, names: Vec<String>, gone: Vec<JoinHandle<()>>) {
    // One that has just found something still tells of it.
    for task in gone {
        let _ = task.await;
    }
    shared.board.keep(&names).await;
    let shelf = shared.desk.shelf();
    let Ok(Ok(shelved)) = spawn_blocking(move || shelf.read()).await else { return };
    let is_gone =
        |scope: &&String| scope.strip_prefix(PROBE_SCOPE).is_some_and(|name| names.iter().all(|known| known != name));
    for scope in shelved.open().filter_map(|alert| alert.scope.as_ref()).filter(is_gone) {
        if let Err(error) = shared.desk.reconcile(scope.clone(), Vec::new()).await {
            tracing::warn!(%error, scope, "the alert of a probe that is gone stays open");
        }
    }
}
