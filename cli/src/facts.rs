//! Collects what a verdict rests on: the lock, the beats, the jobs, the files, and last of all the clocks.

use std::time::Duration;

use jiff::SignedDuration;
use sched_monitor::{OpenAlert, Shelved};
use sched_runner::proc;
use scheduler_core::{
    Clock, ErrorKind, Home, JobStore as _, ProcessRef, RunId,
    config::Config,
    liveness::{
        Facts, JobFacts, OpenRun, Troubled, Unreadable, VerdictKind, WatchdogBeat, WatchdogFacts, beats::Judged,
        heartbeat, verdict,
    },
    notify::job_key,
    store::{JobView, Limits, Open, Problem},
    vfs::RealFs,
};

use crate::{
    alerts::{self, Environment},
    beats,
    context::{self, Context, machine_id},
    daemon::{account, lock, reports},
    failure::Failure,
    foreign, groups, probes, runtime,
};

/// What is known, with the jobs it was learnt from.
pub(crate) struct Known {
    pub(crate) facts: Facts,
    pub(crate) views: Vec<JobView>,
    /// The heartbeats of jobs, which are among the problems of `facts` where they are one.
    pub(crate) beats: Vec<Judged>,
    /// The alerts; files that can't be read are among the problems of `facts`.
    pub(crate) alerts: Vec<OpenAlert>,
}

/// An instant that passed longer ago than this is overdue: no tick takes so long.
const OVERDUE: Duration = Duration::from_secs(30);

/// Collects the facts of `home`. Never fails: what can't be known is a fact too.
pub(crate) async fn collect(context: &Context, home: &Home) -> Known {
    if let Some(failure) = context::barred(home) {
        return of_barred(context, home, failure);
    }
    let loaded = context.config();
    let mut facts = signs_of_life(home);
    facts.watchdog.every = loaded.config.watchdog.expected();
    facts.watchdog.beat = WatchdogBeat::read(&RealFs, &home.watchdog_json());
    facts.interval = loaded.config.interval;
    facts.provider_configured = match (&facts.beat, loaded.readable) {
        // What it asks for can't be known, so nothing is known to be otherwise.
        (Ok(beat), false) => beat.provider.clone(),
        _ => loaded.config.provider.clone(),
    };
    facts.problems.clone_from(&loaded.problems);
    facts.problems.extend(reports::problems(home, context.now()));
    let survey = beats::survey(context, home, beats::FACTOR);
    facts.problems.extend(survey.problems());
    let shelved = alerts::shelf(home).read().unwrap_or_else(|error| {
        let hint = error.hint_text().unwrap_or("see whether the disk of the home answers");
        facts.problems.push(Problem::new("alerts", error.to_string(), hint));
        Shelved::default()
    });
    facts.problems.extend(shelved.problems.iter().cloned());
    let mut views = Vec::new();
    match store_in_time(home).await {
        Ok((jobs, open, problems)) => {
            let standby = facts.lock.held && facts.beat.as_ref().is_ok_and(|beat| beat.provider == "none");
            facts.account = account::facts(home, &shelved);
            facts.jobs = job_facts(context, &jobs, &open, facts.interval, standby);
            for troubled in &mut facts.jobs.troubled {
                troubled.acknowledged = is_acknowledged(troubled, &shelved);
            }
            facts.problems.extend(problems);
            if let Some(nobody) = alerts::nobody(&loaded.config, facts.jobs.enabled) {
                facts.problems.push(nobody);
            }
            facts.problems.extend(unset(home, &loaded.config));
            views = jobs;
        }
        Err(failure) => {
            facts.store_hint = Some(failure.hints.join("; ")).filter(|hint| !hint.is_empty());
            facts.store_error = Some(failure.message);
        }
    }
    if facts.lock.held {
        facts.problems.extend(probes::problems(home, &loaded.config));
    }
    read_clocks(&mut facts, &**context.clock());
    Known { facts, views, beats: survey.beats, alerts: shelved.alerts }
}

/// Variables that sinks name and whoever delivers doesn't have. Without a daemon that is whoever calls `sched tick`, and this is
/// hardly where it does.
fn unset(home: &Home, config: &Config) -> Vec<Problem> {
    match Environment::of(home) {
        Some(daemon @ Environment::Daemon(..)) => alerts::unset(config, &daemon),
        _ => Vec::new(),
    }
}

/// What is known of a home in which nothing can be read: that, once, and not of each of its files.
fn of_barred(context: &Context, home: &Home, failure: Failure) -> Known {
    let mut facts = signs_of_life(home);
    facts.home_exists = true;
    facts.lock.unreadable = Some(failure.message.clone());
    facts.store_hint = Some(failure.hints.join("; ")).filter(|hint| !hint.is_empty());
    facts.store_error = Some(failure.message);
    read_clocks(&mut facts, &**context.clock());
    Known { facts, views: Vec::new(), beats: Vec::new(), alerts: Vec::new() }
}

/// The verdict on `home` by its lock and its beats alone: what fires and what doesn't is told apart by nothing else. Blocks.
pub(crate) fn verdict_on_life(home: &Home, interval: Duration, clock: &dyn Clock) -> VerdictKind {
    let mut facts = signs_of_life(home);
    facts.interval = interval;
    read_clocks(&mut facts, clock);
    verdict(&facts).kind
}

/// What is wrong with the watchdog of `home`. One that has never come is missed by whoever has `waited` for three of its intervals.
/// Blocks.
pub(crate) fn problem_of_watchdog(context: &Context, home: &Home, waited: Duration) -> Option<Problem> {
    let mut facts = Facts::default();
    facts.watchdog.every = context.config().config.watchdog.expected();
    facts.watchdog.beat = WatchdogBeat::read(&RealFs, &home.watchdog_json());
    let had_time = facts.watchdog.every.is_some_and(|every| waited >= every.saturating_mul(WatchdogFacts::PATIENCE));
    if facts.watchdog.beat == Err(Unreadable::Missing) && !had_time {
        return None;
    }
    read_clocks(&mut facts, &**context.clock());
    facts.missed_watchdog()
}

fn signs_of_life(home: &Home) -> Facts {
    let look = lock::look(home);
    let mut facts = Facts::default();
    facts.home_exists = home.path().exists();
    facts.lock.held = look.held;
    facts.lock.unreadable = look.unreadable;
    facts.holder_state =
        look.holder.as_ref().filter(|holder| is_the_same(holder)).and_then(|holder| proc::state(holder.pid));
    facts.lock.holder = look.holder;
    facts.beat = heartbeat::read(&RealFs, &home.ticker_json());
    facts.beat_state = facts.beat.as_ref().ok().and_then(|beat| {
        let process = ProcessRef { pid: beat.pid, start_time: beat.proc_start, boot_id: beat.boot_id.clone() };
        let here = beat.pid_ns.is_none() || beat.pid_ns == proc::pid_namespace();
        (here && is_the_same(&process)).then(|| proc::state(beat.pid)).flatten()
    });
    facts.tick = heartbeat::read(&RealFs, &home.tick_json());
    facts
}

/// Last of all: a beat that seems to come from the future is taken for a lie.
fn read_clocks(facts: &mut Facts, clock: &dyn Clock) {
    facts.boot_id = proc::boot_id();
    facts.machine_id = machine_id();
    facts.pid_ns = proc::pid_namespace();
    facts.boottime = clock.boottime();
    facts.monotonic = clock.monotonic();
    facts.now = clock.now();
}

/// Whether the pid still belongs to the process that wrote its name: pids are used again.
fn is_the_same(process: &ProcessRef) -> bool {
    proc::identity(process.pid).as_ref() == Some(process)
}

/// How long the store may take to answer.
const STORE: Duration = Duration::from_secs(10);

type Store = (Vec<JobView>, Open, Vec<Problem>);

/// What is in the store of `home`. A disk that doesn't answer keeps nobody from what is known without it.
async fn store_in_time(home: &Home) -> Result<Store, Failure> {
    let of = home.path().to_owned();
    // With a runtime of its own, since the thread is left behind if need be.
    let read = move || runtime::block_on(async { read_store(&Context::new(Some(of))).await });
    let Ok(read) = tokio::time::timeout(STORE, tokio::task::spawn_blocking(read)).await else {
        let what = format!("the store of {} has not answered for {} s", home.path().display(), STORE.as_secs());
        let hint = "see whether `cat jobs.json` and `ls state` answer there: a dead mount or a failing disk does not";
        return Err(Failure::new(ErrorKind::Io, what).hint(hint));
    };
    read.unwrap_or_else(|_| Err(Failure::new(ErrorKind::Io, "the look at the store broke off")))
}

async fn read_store(context: &Context) -> Result<Store, Failure> {
    let store = context.look()?;
    let views = context::jobs(&store).await?;
    let open = store.open(context.now(), Limits::default()).await?;
    let mut problems = store.problems().await?;
    problems.extend(foreign::problems(&views));
    problems.extend(groups::problems_in_force(&views, &context.config().config.groups));
    problems.extend(probes::unknown_jobs(&views, &context.config().config.probes));
    problems.extend(alerts::unknown_sinks_in_force(&views, &context.config().config.notify));
    Ok((views, open, problems))
}

/// Whether somebody has taken note of this run: of an earlier one doesn't count.
fn is_acknowledged(troubled: &Troubled, shelved: &Shelved) -> bool {
    let key = job_key(&troubled.job);
    let alert = shelved.open().find(|alert| alert.key == key);
    alert.and_then(|alert| alert.acknowledged.as_ref()).is_some_and(|known| known.at >= troubled.at)
}

fn job_facts(context: &Context, views: &[JobView], open: &Open, interval: Duration, standby: bool) -> JobFacts {
    let now = context.now();
    let mut jobs = JobFacts::default();
    jobs.total = views.len();
    let patience = SignedDuration::try_from(OVERDUE.max(interval)).unwrap_or(SignedDuration::MAX);
    for view in views {
        let Ok(job) = &view.job else { continue };
        let abandoned = |run: &RunId| open.abandoned.iter().chain(&open.orphaned).any(|one| one.occurrence.run == *run);
        jobs.open.extend(view.open.iter().map(|occurrence| OpenRun {
            job: view.id.clone(),
            run: occurrence.run.clone(),
            state: occurrence.word(),
            since: occurrence.started_at.or(Some(occurrence.at)),
            pid: occurrence.process().map(|process| process.pid),
            abandoned: abandoned(&occurrence.run),
        }));
        if !job.enabled {
            continue;
        }
        jobs.enabled += 1;
        if let Some(last) = &view.last
            && let (Some(outcome), Some(run)) =
                (last.outcome().filter(|outcome| outcome.result.is_trouble()), last.run())
        {
            let (job, run, message) = (view.id.clone(), run.clone(), outcome.reason());
            jobs.troubled.push(Troubled {
                job,
                run,
                result: outcome.result,
                at: last.at,
                message,
                acknowledged: false,
            });
        }
        if view.paused.is_some() {
            jobs.paused += 1;
            continue;
        }
        if let Some(due_at) = view.due_at {
            jobs.next = Some(jobs.next.map_or(due_at, |next| next.min(due_at)));
            if !standby && now.duration_since(due_at) > patience {
                jobs.overdue.push((view.id.clone(), due_at));
            }
        }
        if view.settled_through.duration_since(now) > SignedDuration::from_secs(1) {
            jobs.silent_until.push((view.id.clone(), view.settled_through));
        }
    }
    jobs
}
