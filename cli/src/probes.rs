//! Probes, as this program has them: what they are run with, and what they found, for `status`.

use std::{ffi::OsString, fmt::Write as _, sync::Arc};

use sched_monitor::{
    Desk,
    probes::{self, Entry, Probes, Settings, State},
};
use scheduler_core::{
    Home, JobId, SystemClock,
    config::{Config, Probe},
    store::{JobView, JsonStore, Problem},
    vfs::RealFs,
};
use serde_json::{Value, json};

use crate::{env, unknown};

/// Those of `home`, which tell `desk`. None is at work yet.
pub(crate) fn of(home: &Home, store: &Arc<JsonStore>, desk: &Desk) -> Probes {
    Probes::new(Arc::new(RealFs), home, Arc::new(SystemClock), Arc::clone(store) as _, desk.clone())
}

/// What `config` says about them.
pub(crate) fn settings(home: &Home, config: &Config) -> Settings {
    // What is the daemon's alone: whoever could write to NOTIFY_SOCKET could keep a dead daemon's watchdog quiet.
    let is_the_daemons = |name: &OsString| {
        ["NOTIFY_SOCKET", "WATCHDOG_", "LISTEN_"].iter().any(|own| name.as_encoded_bytes().starts_with(own.as_bytes()))
    };
    let environment = env::all().into_iter().filter(|(name, _)| !is_the_daemons(name));
    Settings::of(config, home.path(), environment)
}

/// What isn't well, as a daemon that runs has found it.
pub(crate) fn problems(home: &Home, config: &Config) -> Vec<Problem> {
    if config.probes.is_empty() {
        return Vec::new();
    }
    let known = match probes::read(&RealFs, home) {
        Ok(known) => known,
        Err(error) => {
            let hint = "remove the file; the daemon writes it anew";
            return vec![Problem::new("probes", format!("what the probes found is not known: {error}"), hint)];
        }
    };
    let bad =
        |probe: &Probe| known.get(&probe.name).filter(|entry| entry.state == State::Bad).map(|entry| bad(probe, entry));
    config.probes.iter().filter_map(bad).collect()
}

fn bad(probe: &Probe, entry: &Entry) -> Problem {
    let mut what = format!("probe `{}` finds something wrong", probe.name);
    if let Some(since) = entry.since {
        let _ = write!(what, " since {since:.0}");
    }
    if let Some(why) = &entry.why {
        let _ = write!(what, ": {why}");
    }
    let every = scheduler_core::duration::format(probe.every);
    Problem::new(probe.scope(), what, format!("put right what it says; it looks again every {every}"))
}

/// Jobs that probes name in `not_during` and that there aren't.
pub(crate) fn unknown_jobs(views: &[JobView], probes: &[Probe]) -> Vec<Problem> {
    let named = probes.iter().flat_map(|probe| probe.not_during.iter().map(move |job| (probe, job)));
    let lacking = named.filter(|(_, job)| views.iter().all(|view| view.id != **job));
    let problem = |(probe, job): (&Probe, &JobId)| {
        let what = format!("probe `{}` is not to run during job `{job}`, and there is no such job", probe.name);
        let otherwise = "take it out of `not_during` in config.yaml";
        let hint = unknown::hint(job.as_str(), views.iter().map(|view| view.id.as_str()), otherwise);
        Problem::remark(format!("{}-{job}", probe.scope()), what, hint)
    };
    lacking.map(problem).collect()
}

/// What is known of each, for programs.
pub(crate) fn to_json(home: &Home, config: &Config) -> Vec<Value> {
    if config.probes.is_empty() {
        return Vec::new();
    }
    // Why there is nothing to be read is among the problems.
    let known = probes::read(&RealFs, home).unwrap_or_default();
    let one = |probe: &Probe| {
        let mut value = json!(known.get(&probe.name).cloned().unwrap_or_default());
        value["name"] = json!(probe.name);
        value["every_s"] = json!(probe.every.as_secs_f64());
        value
    };
    config.probes.iter().map(one).collect()
}
