//! Store, runner, provider and engine of a home, put together as its config.yaml says.

use std::sync::Arc;

use sched_monitor::Desk;
use sched_plugin_host::with_bundled;
use sched_runner::{CommandRunner, RunnerConfig, proc};
use scheduler_core::{
    Clock, Engine, Home, JobRunner,
    config::{Config, Loaded},
    engine::Settings,
    liveness::{Heartbeat, Pulse},
    provider::{ProviderFactory, Resolved, resolve},
    store::{JsonStore, Limits},
};

use super::plugins;
use crate::{alerts, context::machine_id};

/// A home's engine, ready to be run.
pub(crate) struct Machinery {
    pub(crate) engine: Engine,
    pub(crate) pulse: Pulse,
    pub(crate) store: Arc<JsonStore>,
    /// Who is told.
    pub(crate) desk: Desk,
}

/// The runner that `config` asks for.
pub(crate) fn runner(home: &Home, config: &Config) -> CommandRunner {
    CommandRunner::new(runner_config(home, config))
}

/// What `config` says about runs.
pub(crate) fn runner_config(home: &Home, config: &Config) -> RunnerConfig {
    let mut runner = RunnerConfig::new(home.runs());
    runner.shell.clone_from(&config.defaults.shell);
    runner.inherit_env = config.defaults.inherit_env;
    runner.env.clone_from(&config.defaults.env);
    runner.secret_env = config.secret_variables();
    runner.output_limit = config.history.output_limit;
    runner.keep_logs_per_job = config.history.logs_per_job;
    runner.logs_max_bytes = config.history.logs_max_bytes;
    runner
}

/// What `config` says about the engine.
pub(crate) fn settings(config: &Config) -> Settings {
    let limits = Limits { max_parallel: config.max_parallel, groups: config.groups.clone(), ..Limits::default() };
    Settings { limits, interval: config.interval, drain: config.drain_timeout }
}

/// Puts an engine around `store` and `runner`. `node` is what its heartbeat says about who beats.
pub(crate) fn build(
    home: &Home,
    config: &Config,
    store: Arc<JsonStore>,
    runner: Arc<dyn JobRunner>,
    clock: &Arc<dyn Clock>,
    node: &str,
) -> Machinery {
    let pulse = Pulse::new(heartbeat(config, clock, node), Arc::clone(clock));
    let Settings { limits, interval, drain } = settings(config);
    let desk = alerts::desk(home, config, clock);
    let engine = Engine::builder(Arc::clone(&store) as _, runner)
        .notifier(Arc::new(desk.clone()))
        .clock(Arc::clone(clock))
        .pulse(pulse.clone())
        .limits(limits)
        .interval(interval)
        .drain(drain)
        .boot_key(boot_key())
        .build();
    Machinery { engine, pulse, store, desk }
}

/// The provider that fires, and why it isn't the one that was asked for. A plugin is started for that, which may take as long
/// as it may to get ready.
pub(crate) fn provider(home: &Home, loaded: &Loaded) -> Resolved {
    chosen(loaded, || plugins::of(home, &loaded.config).factories())
}

/// The same, to look: a plugin is only looked at.
pub(crate) fn provider_to_be(home: &Home, loaded: &Loaded) -> Resolved {
    chosen(loaded, || plugins::of(home, &loaded.config).dry_factories())
}

fn chosen(loaded: &Loaded, plugins: impl FnOnce() -> Vec<Arc<dyn ProviderFactory>>) -> Resolved {
    if let Some(problem) = loaded.problems.iter().find(|problem| is_about_the_provider(&problem.key, loaded.readable)) {
        return Resolved::fallback(problem.what.clone());
    }
    resolve(&loaded.config.provider, &with_bundled(sched_providers::bundled(), plugins()))
}

/// A file that can't be read as a whole names no provider either.
fn is_about_the_provider(key: &str, readable: bool) -> bool {
    !readable || key == "config-provider"
}

fn heartbeat(config: &Config, clock: &Arc<dyn Clock>, node: &str) -> Heartbeat {
    let me = proc::myself();
    let mut beat = Heartbeat::new(node, clock.now(), config.interval);
    beat.agent = agent(config);
    beat.machine_id = machine_id();
    beat.boot_id = me.boot_id;
    beat.pid = me.pid;
    beat.pid_ns = proc::pid_namespace();
    beat.proc_start = me.start_time;
    beat
}

/// The name in heartbeats.
pub(crate) fn agent(config: &Config) -> String {
    let host = || rustix::system::uname().nodename().to_string_lossy().into_owned();
    config.agent.clone().unwrap_or_else(host)
}

/// Names this start of the machine. A container's start is one too: its boot id is its host's, but its first process is new.
pub(crate) fn boot_key() -> Option<String> {
    let first = proc::identity(1)?;
    Some(format!("{}-{}", first.boot_id, first.start_time))
}
