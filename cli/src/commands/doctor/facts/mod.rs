//! Gathers what the rows rest on. The one part of the doctor that looks at the machine; it concludes nothing. The home
//! and its disk are files of their own.
//!
//! What may not be looked at is `None` and no failure: only a home that isn't there, or can't be read at all, is one.

mod disk;
mod home;

use std::{
    ffi::OsString,
    fs, io,
    os::unix::ffi::OsStringExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use sched_runner::{CommandRunner, ntp};
use scheduler_core::{Error, Home, Job, JobRunner as _, liveness::verdict, schedule::zone, store::JobView};

use super::{
    super::validate,
    disk::Disk,
    files::{Files, Found, Obstacle, Programs},
    home::HomeFolder,
    limits::{self, Limits},
    services::Services,
    time::Time,
};
use crate::{
    context::{Context, machine_id, no_home},
    daemon::machinery,
    facts::{self, Known},
    failure::Failure,
};

/// All of it.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) path: PathBuf,
    pub(super) files: Files,
    /// `None` if the jobs can't be read; the files then say why.
    pub(super) programs: Option<Programs>,
    pub(super) home: HomeFolder,
    pub(super) disk: Disk,
    pub(super) time: Time,
    pub(super) limits: Limits,
    pub(super) services: Services,
}

/// Looks at everything.
///
/// # Errors
/// There is no home, or it can't be read.
pub(super) async fn gather(context: &Context) -> Result<Machine, Failure> {
    let home = context.home()?;
    let names = match names(home.path()) {
        Ok(names) if names.iter().any(|name| name == "jobs.json" || name == "state") => names,
        Ok(_) => return Err(no_home(&home)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(no_home(&home)),
        // The store says what a home is.
        Err(_) if home.path().is_file() => return context.look().and(Err(no_home(&home))),
        Err(error) => {
            return Err(Error::io(format!("cannot read {}", home.path().display()), error).into());
        }
    };
    let files = files(context).await;
    let Known { facts, views, .. } = facts::collect(context, &home).await;
    let daemon = facts.holder_state.and(facts.lock.holder.as_ref()).filter(|_| facts.lock.held).map(|who| who.pid);
    Ok(Machine {
        files,
        programs: facts.store_error.is_none().then(|| programs(context, &home, &views, daemon)),
        home: home::folder(context, &home, &names),
        disk: disk::disk(&home, &**context.clock()),
        time: time(context),
        limits: process_limits(daemon, context.config().config.max_parallel),
        services: Services {
            verdict: verdict(&facts),
            daemon,
            systemd: Path::new("/run/systemd/system").is_dir(),
            cgroup: daemon.and_then(|pid| fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()),
            crons: crons(),
            machine_id: machine_id(),
        },
        path: home.path().to_owned(),
    })
}

async fn files(context: &Context) -> Files {
    let found = validate::of_home(context).await.map(|findings| Found {
        // The machine's zone has a row of its own too.
        problems: findings.problems.into_iter().filter(|problem| problem.key != "system-timezone").collect(),
        // Programs have rows of their own, which know more: the environment of the daemon, and interpreters.
        warnings: findings.warnings.into_iter().filter(|warning| !validate::is_obstacle(warning)).collect(),
        jobs: findings.jobs,
    });
    Files { found: found.map_err(|failure| (failure.message, failure.hints.join("; "))) }
}

/// A runner as the daemon has it, which runs as `daemon` if it does, and in whose environment.
pub(in crate::commands) fn runner(context: &Context, home: &Home, daemon: Option<u32>) -> (CommandRunner, String) {
    let config = machinery::runner_config(home, &context.config().config);
    let of_daemon = daemon.and_then(|pid| Some((pid, environment(pid)?)));
    match of_daemon {
        Some((pid, variables)) => {
            let runner = CommandRunner::inheriting(config, variables.into_iter());
            (runner, format!("the environment of the daemon (pid {pid})"))
        }
        None => (CommandRunner::new(config), "the environment of this command".to_owned()),
    }
}

fn programs(context: &Context, home: &Home, views: &[JobView], daemon: Option<u32>) -> Programs {
    let (runner, environment) = runner(context, home, daemon);
    let jobs: Vec<_> = views.iter().filter_map(|view| view.job.as_ref().ok()).collect();
    let obstacle = |job: &Arc<Job>| {
        let error = runner.validate(job).err()?;
        let hint = error.hint_text().map(str::to_owned);
        Some(Obstacle { job: job.id.clone(), enabled: job.enabled, what: error.to_string(), hint })
    };
    Programs { jobs: jobs.len(), obstacles: jobs.iter().filter_map(|job| obstacle(job)).collect(), environment }
}

/// The environment that process `pid` was started in.
fn environment(pid: u32) -> Option<Vec<(OsString, OsString)>> {
    let bytes = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let pair = |entry: &[u8]| {
        let at = entry.iter().position(|byte| *byte == b'=')?;
        Some((OsString::from_vec(entry[..at].to_vec()), OsString::from_vec(entry[at + 1..].to_vec())))
    };
    Some(bytes.split(|byte| *byte == 0).filter_map(pair).collect())
}

fn time(context: &Context) -> Time {
    let configured = context.config().config.timezone.clone();
    let zone = zone::parse(&configured).map_err(|error| error.message().to_owned());
    let nameless = "the system's time zone has rules but no name";
    // The smaller one first: what is read later is later.
    let monotonic = context.clock().monotonic();
    Time {
        now: context.now(),
        boottime: context.clock().boottime(),
        monotonic,
        synchronised: ntp::synchronised(),
        tzdata: zone::tzdata_release(),
        configured,
        zone: zone.and_then(|zone| zone.iana_name().map(str::to_owned).ok_or_else(|| nameless.to_owned())),
    }
}

fn process_limits(daemon: Option<u32>, max_parallel: usize) -> Limits {
    let of = |pid: &str| fs::read_to_string(format!("/proc/{pid}/limits"));
    let (whose, text) = match daemon {
        Some(pid) => (format!("the daemon (pid {pid})"), of(&pid.to_string())),
        None => ("this command".to_owned(), of("self")),
    };
    let limit = |name: &str| text.as_ref().ok().and_then(|text| limits::soft(text, name));
    Limits { whose, files: limit("Max open files"), processes: limit("Max processes"), max_parallel }
}

/// Cron daemons, as the kernel calls them.
const CRONS: [&str; 4] = ["cron", "crond", "fcron", "anacron"];

fn crons() -> Option<Vec<(String, u32)>> {
    let mut found: Vec<(String, u32)> = names(Path::new("/proc"))
        .ok()?
        .iter()
        .filter_map(|name| name.parse().ok())
        .filter_map(|pid: u32| {
            let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?.trim().to_owned();
            CRONS.contains(&name.as_str()).then_some((name, pid))
        })
        .collect();
    found.sort_unstable_by_key(|(_, pid)| *pid);
    Some(found)
}

/// Names in a folder, in order; those that aren't UTF-8 are none of ours.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let names = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.file_name()));
    let names: Vec<OsString> = names.collect::<io::Result<_>>()?;
    let mut names: Vec<String> = names.into_iter().filter_map(|name| name.into_string().ok()).collect();
    names.sort_unstable();
    Ok(names)
}
