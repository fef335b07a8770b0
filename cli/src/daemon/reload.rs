//! SIGHUP: config.yaml is read again, and what it says otherwise takes effect without a restart. Runs that are open end as
//! they began.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use parking_lot::RwLock;
use sched_monitor::{Desk, Pings, probes::Probes};
use sched_runner::{CommandRunner, RunnerConfig};
use scheduler_core::{
    Engine, Home, Job, JobRunner, Orphan, Outcome, ProcessRef, Result, RunContext, RunId,
    config::{self, Config, Loaded},
    liveness::Pulse,
    provider::Resolved,
    store::{JsonStore, Problem},
    vfs::RealFs,
};
use tokio::sync::{Notify, watch};

use super::{
    machinery::{self, Machinery},
    plugins,
    reports::Wanted,
    supervisor,
};
use crate::{alerts, context, pings, probes};

/// How long a plugin that failed is left alone, at first and at most.
const FIRST_RETRY: Duration = Duration::from_secs(10);
const LAST_RETRY: Duration = Duration::from_mins(10);

/// Brings config.yaml into force in a daemon that runs.
pub(crate) struct Reloader {
    home: Home,
    engine: Engine,
    pulse: Pulse,
    store: Arc<JsonStore>,
    desk: Desk,
    pings: Pings,
    probes: Probes,
    runner: Arc<ChangingRunner>,
    supervisor: Arc<supervisor::Shared>,
    /// What is in force.
    config: Config,
    /// Who sends the reports hears here what is wanted of them.
    reports: watch::Sender<Wanted>,
    /// The provider that was asked for last, why it isn't the one that config.yaml names, and which code it is.
    wanted: ((String, Option<String>), Option<String>),
}

impl Reloader {
    /// For the daemon of `home` that is started with `config` and `provider`.
    pub(crate) fn new(
        home: &Home,
        machinery: &Machinery,
        runner: Arc<ChangingRunner>,
        supervisor: Arc<supervisor::Shared>,
        (config, reports): (Config, watch::Sender<Wanted>),
        provider: &Resolved,
    ) -> Self {
        let Machinery { engine, pulse, store, desk, pings } = machinery;
        let (engine, pulse, store, desk) = (engine.clone(), pulse.clone(), Arc::clone(store), desk.clone());
        let pings = pings.clone();
        let probes = probes::of(home, &store, &desk);
        let wanted = (named(provider), plugins::of(home, &config).mark(&config.provider));
        Self {
            home: home.clone(),
            engine,
            pulse,
            store,
            desk,
            pings,
            probes,
            runner,
            supervisor,
            config,
            reports,
            wanted,
        }
    }

    /// Reloads whenever it is `asked`, and starts a plugin that failed again, ever more rarely.
    pub(crate) async fn run(mut self, asked: Arc<Notify>) {
        let mut patience = FIRST_RETRY;
        self.probes.change(probes::settings(&self.home, &self.config));
        loop {
            let is_plugin = self.wanted.1.is_some();
            tokio::select! {
                () = asked.notified() => patience = FIRST_RETRY,
                () = tokio::time::sleep(patience), if is_plugin => {
                    patience = self.retry(patience).await;
                    continue;
                }
            }
            if self.engine.is_stopping() {
                tracing::warn!("SIGHUP: the daemon is stopping; nothing is reloaded");
            } else {
                self.reload().await;
            }
        }
    }

    /// Starts the plugin again if the built-in ticker fires in its place; answers how long to wait before the next look.
    async fn retry(&mut self, patience: Duration) -> Duration {
        let beat = self.pulse.current();
        if self.engine.is_stopping() || beat.provider == self.config.provider {
            return FIRST_RETRY;
        }
        let Some(provider) = self.provider(Vec::new()).await else { return patience };
        if provider.reason.is_some() {
            // What can't be used at all, a plugin in quarantine say, waits for somebody's SIGHUP.
            self.wanted.1 = None;
        }
        self.engine.reload(machinery::settings(&self.config), Some(provider));
        (patience * 2).min(LAST_RETRY)
    }

    /// The provider that the configuration in force asks for; a plugin is started for that.
    async fn provider(&self, problems: Vec<Problem>) -> Option<Resolved> {
        let (home, config) = (self.home.clone(), self.config.clone());
        let loaded = Loaded { config, problems, ..Loaded::default() };
        tokio::task::spawn_blocking(move || machinery::provider(&home, &loaded)).await.ok()
    }

    async fn reload(&mut self) {
        let home = self.home.clone();
        // A disk that hangs must not hold up the runtime.
        let Ok(loaded) = tokio::task::spawn_blocking(move || config::load(&RealFs, &home, true)).await else { return };
        if let Some(why) = &loaded.unreadable {
            tracing::error!("SIGHUP: {why}; the configuration in force stays");
            self.engine.reload(machinery::settings(&self.config), None);
            return;
        }
        let home = self.home.clone();
        let look = move || {
            let mark = plugins::of(&home, &loaded.config).mark(&loaded.config.provider);
            (machinery::provider_to_be(&home, &loaded), mark, loaded)
        };
        let Ok((to_be, mark, loaded)) = tokio::task::spawn_blocking(look).await else { return };
        for problem in loaded.problems.iter().filter(|problem| to_be.reason.as_ref() != Some(&problem.what)) {
            tracing::warn!("{}; {}", problem.what, problem.hint);
        }
        let mut config = loaded.config.clone();
        let defaults = config.job_defaults();
        if defaults != self.config.job_defaults()
            && let Err(error) = self.store.set_defaults(defaults).await
        {
            tracing::error!(%error, "SIGHUP: `timezone`, `misfire` and `defaults` stay as they were; try again");
            config.timezone.clone_from(&self.config.timezone);
            config.misfire = self.config.misfire;
            config.defaults.timeout = self.config.defaults.timeout;
            config.defaults.overlap = self.config.defaults.overlap;
            config.defaults.retries = self.config.defaults.retries;
        }
        if let Err(error) = self.store.set_retention(context::retention(&config)).await {
            tracing::error!(%error, "SIGHUP: `history.keep_days` and `history.max_bytes` stay as they were; try again");
            config.history.keep_days = self.config.history.keep_days;
            config.history.max_bytes = self.config.history.max_bytes;
        }
        let about_runs = |config: &Config| (config.history.clone(), config.defaults.clone(), config.secret_variables());
        if about_runs(&config) != about_runs(&self.config) {
            self.runner.change(machinery::runner_config(&self.home, &config));
        }
        self.supervisor.abort_after(config.abort_after);
        // Always: what failed so far may have been put right in a file or a server that this one doesn't show.
        self.desk.change(&alerts::settings(&self.home, &config));
        self.pings.change(pings::settings(&config));
        self.probes.change(probes::settings(&self.home, &config));
        self.reports.send_replace(Wanted::of(&config));
        let agent = machinery::agent(&config);
        self.pulse.publish(|beat| beat.agent = agent);
        let differences: Vec<String> = self.config.differences(&config).iter().map(ToString::to_string).collect();
        match differences.as_slice() {
            [] => tracing::info!("SIGHUP: config.yaml was read again; nothing in it has changed"),
            some => tracing::info!("SIGHUP: config.yaml was read again; {}", some.join(", ")),
        }
        self.config = config;
        let wanted = (named(&to_be), mark);
        // Compared with what fires too: one that has failed since is tried again. A plugin that is at work, and is still what
        // it was, isn't started a second time.
        let beat = self.pulse.current();
        let is_another = wanted != self.wanted || wanted.0 != (beat.provider, beat.fallback_reason);
        self.wanted = wanted;
        let provider = if is_another { self.provider(loaded.problems).await } else { None };
        self.engine.reload(machinery::settings(&self.config), provider);
    }
}

fn named(resolved: &Resolved) -> (String, Option<String>) {
    (resolved.provider.name().to_owned(), resolved.reason.clone())
}

/// The runner of a daemon, which can become another one for the runs to come.
pub(crate) struct ChangingRunner(RwLock<Arc<CommandRunner>>);

impl ChangingRunner {
    pub(crate) fn new(runner: CommandRunner) -> Self {
        Self(RwLock::new(Arc::new(runner)))
    }

    fn change(&self, config: RunnerConfig) {
        let mut runner = self.0.write();
        *runner = Arc::new(runner.reconfigured(config));
    }

    fn now(&self) -> Arc<CommandRunner> {
        Arc::clone(&self.0.read())
    }
}

#[async_trait]
impl JobRunner for ChangingRunner {
    fn validate(&self, job: &Job) -> Result<()> {
        self.now().validate(job)
    }

    async fn run(&self, run: RunContext) -> Outcome {
        self.now().run(run).await
    }

    fn find_orphan(&self, orphan: &Orphan) -> Option<ProcessRef> {
        self.now().find_orphan(orphan)
    }

    async fn adopt(&self, orphan: Orphan, run: RunContext) -> Outcome {
        self.now().adopt(orphan, run).await
    }

    fn settled(&self, job: &Job, run: &RunId, outcome: &Outcome, followed: bool) {
        self.now().settled(job, run, outcome, followed);
    }
}
