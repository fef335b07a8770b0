//! Alerts, as this program has them: the desk of a home, the sinks that config.yaml names, and who isn't one of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::Path,
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use sched_monitor::{Desk, Settings, Shelf};
use scheduler_core::{
    Alert, Clock, Home, Job, JobId,
    config::{Config, Secret, sinks::Sink},
    store::{JobView, Problem},
    vfs::RealFs,
};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    context::machine_id,
    daemon::{lock, machinery},
    env, unknown,
};

/// How long a process that somebody waits for, at a terminal or as systemd for a daemon that stops, waits for its sinks. What is
/// under way then is noted as failed, and told by the next process.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// For how long one that nobody waits for, a watchdog or a tick that cron has called, begins deliveries. Each gets the time that
/// its sink may take: without a daemon there is no other process that could wait longer.
pub(crate) const BEGINS: Duration = Duration::from_mins(1);

/// Where alerts are kept while the home takes no files: in the memory of the machine, as of any Linux.
const SPARE: &str = "/dev/shm";

/// The desk of `home`, with the sinks of `config`.
pub(crate) fn desk(home: &Home, config: &Config, clock: &Arc<dyn Clock>) -> Desk {
    Desk::new(Arc::new(RealFs), home, Arc::clone(clock), &settings(home, config))
}

/// One that delivers nothing by itself.
pub(crate) fn desk_to_look(home: &Home, config: &Config, clock: &Arc<dyn Clock>) -> Desk {
    Desk::to_look(Arc::new(RealFs), home, Arc::clone(clock), &settings(home, config))
}

/// What `config` says about sinks.
pub(crate) fn settings(home: &Home, config: &Config) -> Settings {
    let mut settings = Settings::of(config, machinery::agent(config), env::secret);
    settings.node = format!("{}:{}", machine_id().unwrap_or_else(|| settings.agent.clone()), home.path().display());
    settings.spare = Some(SPARE.into());
    settings
}

/// Waits for the sinks of a process that nobody waits for. Who sends it a signal does.
pub(crate) async fn settle_patiently(desk: &Desk) {
    let asked = |kind| async move {
        match signal(kind) {
            Ok(mut asked) => drop(asked.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    let hurry = async {
        tokio::select! {
            () = asked(SignalKind::terminate()) => {}
            () = asked(SignalKind::interrupt()) => {}
        }
    };
    desk.settle_patiently(BEGINS, hurry).await;
}

/// The files of the alerts of `home`.
pub(crate) fn shelf(home: &Home) -> Shelf {
    Shelf::new(Arc::new(RealFs), home).or_in(Some(Path::new(SPARE)))
}

/// Closes the alerts of `removed`. The jobs are removed already, so what can't be closed is a warning. A daemon does it on
/// its next turn; without one, whoever removes the job does.
pub(crate) fn close(home: &Home, removed: &[JobId], now: Timestamp) {
    for job in removed {
        if let Err(error) = shelf(home).forget(job, now) {
            tracing::warn!("the alert of job `{job}` stays: {error}");
        }
    }
}

/// That nobody is told, if there are `jobs` to be told of.
pub(crate) fn nobody(config: &Config, jobs: usize) -> Option<Problem> {
    let is_silent = config.notify.is_empty() && jobs > 0;
    let what = "no sink is configured: when a job fails, nobody is told";
    let hint = "name one under `notify` in config.yaml, then try it with `sched alerts test`";
    is_silent.then(|| Problem::remark("no-sink", what, hint))
}

/// Variables that sinks name and that aren't set where `environment` is read: these sinks can't be reached from there.
pub(crate) fn unset(config: &Config, environment: &Environment) -> Vec<Problem> {
    let mut unset = Vec::new();
    for sink in &config.notify {
        let variables: BTreeSet<&str> = sink.secrets().into_iter().flat_map(Secret::variables).collect();
        for name in variables.into_iter().filter(|name| !environment.has(name)) {
            let what = format!("config.yaml: notify: sink `{}`: `${{{name}}}` is not set in {environment}", sink.name);
            let hint = match environment {
                Environment::Daemon(..) => "set it there, or use `file:PATH`, and start the daemon anew",
                Environment::Ours => {
                    "see that it is set where the daemon, or cron, has its environment, which may be another one"
                }
            };
            unset.push(Problem::remark(format!("unset-{}-{name}", sink.name), what, hint));
        }
    }
    unset
}

/// Where variables are looked for.
pub(crate) enum Environment {
    /// In that of the daemon with this pid, which has these.
    Daemon(u32, BTreeSet<String>),
    /// In that of this process, which may be another one.
    Ours,
}

impl Environment {
    /// That of the daemon of `home`; ours, if none runs. `None` if the daemon's is not for us to see.
    pub(crate) fn of(home: &Home) -> Option<Self> {
        let daemon = lock::look(home);
        if !daemon.held {
            return Some(Self::Ours);
        }
        let pid = daemon.holder?.pid;
        let bytes = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
        let pairs = bytes.split(|byte| *byte == 0).map(String::from_utf8_lossy);
        let set =
            pairs.filter_map(|pair| pair.split_once('=').map(|(name, value)| (name.to_owned(), value.is_empty())));
        // One that is set to nothing counts as not set.
        Some(Self::Daemon(pid, set.filter(|(_, is_empty)| !is_empty).map(|(name, _)| name).collect()))
    }

    fn has(&self, name: &str) -> bool {
        match self {
            Self::Daemon(_, names) => names.contains(name),
            Self::Ours => env::secret(name).is_some(),
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Daemon(pid, _) => write!(f, "the environment of the daemon (pid {pid})"),
            Self::Ours => f.write_str("the environment of this command"),
        }
    }
}

/// Sinks that jobs name and config.yaml doesn't: what these jobs have to tell, somebody else was to hear.
pub(crate) fn unknown_sinks<'j>(jobs: impl Iterator<Item = &'j Job>, sinks: &[Sink]) -> Vec<Problem> {
    let mut lacking: BTreeMap<&str, Vec<&JobId>> = BTreeMap::new();
    for job in jobs {
        for name in job.notify.iter().flatten().filter(|name| sinks.iter().all(|sink| sink.name != **name)) {
            lacking.entry(name).or_default().push(&job.id);
        }
    }
    lacking.into_iter().map(|(name, jobs)| unknown_sink(name, &jobs, sinks)).collect()
}

/// The same for all jobs in force that would fire.
pub(crate) fn unknown_sinks_in_force(views: &[JobView], sinks: &[Sink]) -> Vec<Problem> {
    unknown_sinks(unknown::in_force(views), sinks)
}

fn unknown_sink(name: &str, jobs: &[&JobId], sinks: &[Sink]) -> Problem {
    let what = format!("there is no sink `{name}` in config.yaml, so it hears nothing of: {}", unknown::listed(jobs));
    let otherwise = "name it under `notify` in config.yaml, or take it out of the job's `notify`";
    let hint = unknown::hint(name, sinks.iter().map(|sink| sink.name.as_str()), otherwise);
    Problem::new(format!("sink-{name}"), what, hint)
}

/// What the keys of problems with heartbeats begin with.
const HEARTBEAT: &str = "heartbeat";

/// Opens an alert for each of `problems`, which are about heartbeats, and closes those of heartbeats that are `looked_at` and
/// no problem any more. Answers the keys of those that weren't open before. What can't be done is a warning: the problems
/// themselves are told all the same.
pub(crate) fn settle_heartbeats(
    home: &Home,
    now: Timestamp,
    problems: &[Problem],
    looked_at: impl Fn(&str) -> bool,
) -> Vec<String> {
    let shelf = shelf(home);
    let shelved = shelf.read().unwrap_or_default();
    let open: Vec<&str> = shelved.open().map(|alert| alert.key.as_str()).collect();
    let over = open.iter().filter(|key| key.starts_with(HEARTBEAT) && looked_at(key));
    let over = over.filter(|key| problems.iter().all(|problem| problem.key != **key));
    let closed = over.map(|key| Alert::closed(*key, "the heartbeat is well again, or forgotten", now));
    // One that is open stays as it is: who was told of it is in its file.
    let opened = problems
        .iter()
        .filter(|problem| !open.contains(&problem.key.as_str()))
        .map(|problem| Alert::open(&problem.key, &problem.what, now).detail(format!("hint: {}", problem.hint)));
    for alert in opened.chain(closed) {
        if let Err(error) = shelf.take(&alert) {
            tracing::warn!("the alert `{}` can't be brought up to date: {error}", alert.key);
        }
    }
    let keys = problems.iter().map(|problem| &problem.key);
    keys.filter(|key| !open.contains(&key.as_str())).cloned().collect()
}

#[cfg(test)]
mod tests {
    use scheduler_core::{
        config::sinks::Via,
        job::Command,
        schedule::{ParseOptions, Schedule},
    };

    use super::*;

    #[test]
    fn a_sink_that_is_not_there_is_told_once_with_its_jobs_and_the_nearest() {
        let job = |id: &str, sinks: &[&str]| {
            let schedule = Schedule::parse("@daily", &ParseOptions::default()).unwrap();
            let mut job = Job::new(id.parse().unwrap(), schedule, Command::Shell("true".into()));
            job.notify = Some(sinks.iter().map(|name| (*name).to_owned()).collect());
            job
        };
        let via = Via::Command { command: vec!["page".into()], timeout: PATIENCE };
        let sinks = [Sink::new("ops", via)];
        let check = |jobs: &[Job], expected: &[(&str, &str)]| {
            let told = unknown_sinks(jobs.iter(), &sinks);
            assert_eq!(told.iter().map(|one| (one.what.as_str(), one.hint.as_str())).collect::<Vec<_>>(), expected);
        };
        check(&[job("a", &["ops"]), job("b", &[])], &[]);
        let wrong = [job("a", &["opps", "ops"]), job("b", &["mail"]), job("c", &["opps"])];
        let other = "name it under `notify` in config.yaml, or take it out of the job's `notify`";
        check(
            &wrong,
            &[
                ("there is no sink `mail` in config.yaml, so it hears nothing of: `b`", other),
                ("there is no sink `opps` in config.yaml, so it hears nothing of: `a`, `c`", "did you mean `ops`?"),
            ],
        );
    }
}
