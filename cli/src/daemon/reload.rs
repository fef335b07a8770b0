//! SIGHUP: config.yaml is read again, and what it says otherwise takes effect without a restart. Runs that are open end as
//! they began.

use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::RwLock;
use sched_runner::{CommandRunner, RunnerConfig};
use scheduler_core::{
    Engine, Home, Job, JobRunner, Orphan, Outcome, ProcessRef, Result, RunContext,
    config::{self, Config},
    liveness::Pulse,
    provider::Resolved,
    store::JsonStore,
    vfs::RealFs,
};
use tokio::sync::Notify;

use super::machinery::{self, Machinery};
use crate::context;

/// Brings config.yaml into force in a daemon that runs.
pub(crate) struct Reloader {
    home: Home,
    engine: Engine,
    pulse: Pulse,
    store: Arc<JsonStore>,
    runner: Arc<ChangingRunner>,
    /// What is in force.
    config: Config,
    /// The provider that was asked for last, and why it isn't the one that config.yaml names.
    wanted: (String, Option<String>),
}

impl Reloader {
    /// For the daemon of `home` that is started with `config` and `provider`.
    pub(crate) fn new(
        home: &Home,
        machinery: &Machinery,
        runner: Arc<ChangingRunner>,
        config: Config,
        provider: &Resolved,
    ) -> Self {
        let Machinery { engine, pulse, store } = machinery;
        let (engine, pulse, store) = (engine.clone(), pulse.clone(), Arc::clone(store));
        Self { home: home.clone(), engine, pulse, store, runner, config, wanted: named(provider) }
    }

    /// Reloads whenever it is `asked`.
    pub(crate) async fn run(mut self, asked: Arc<Notify>) {
        loop {
            asked.notified().await;
            if self.engine.is_stopping() {
                tracing::warn!("SIGHUP: the daemon is stopping; nothing is reloaded");
            } else {
                self.reload().await;
            }
        }
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
        let provider = machinery::provider(&loaded);
        for problem in loaded.problems.iter().filter(|problem| provider.reason.as_ref() != Some(&problem.what)) {
            tracing::warn!("{}; {}", problem.what, problem.hint);
        }
        let mut config = loaded.config;
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
        if (&config.history, &config.defaults) != (&self.config.history, &self.config.defaults) {
            self.runner.change(machinery::runner_config(&self.home, &config));
        }
        let agent = machinery::agent(&config);
        self.pulse.publish(|beat| beat.agent = agent);
        let differences: Vec<String> = self.config.differences(&config).iter().map(ToString::to_string).collect();
        match differences.as_slice() {
            [] => tracing::info!("SIGHUP: config.yaml was read again; nothing in it has changed"),
            some => tracing::info!("SIGHUP: config.yaml was read again; {}", some.join(", ")),
        }
        self.config = config;
        let wanted = named(&provider);
        // Compared with what fires too: one that has failed since is tried again.
        let beat = self.pulse.current();
        let is_another = wanted != self.wanted || wanted != (beat.provider, beat.fallback_reason);
        self.wanted = wanted;
        self.engine.reload(machinery::settings(&self.config), is_another.then_some(provider));
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
}
