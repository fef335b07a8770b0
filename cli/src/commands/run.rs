//! `sched run`: the daemon, in the foreground.

use std::{collections::BTreeSet, sync::Arc};

use scheduler_core::{
    Engine, ErrorKind, Home, JobRunner, JobStore as _,
    config::{self, Loaded},
    liveness::PulseWriter,
    provider::Resolved,
    store::{Edit, JsonStore, Selected, Which},
    vfs::RealFs,
};
use tokio::sync::{Notify, watch};

use crate::{
    alerts,
    args::RunArgs,
    context::{self, Context},
    daemon::{
        account::Auditor,
        filesystem, guard, init, lock, machinery,
        reload::{ChangingRunner, Reloader},
        reports,
        show::OutLoud,
        signals,
        supervisor::Supervisor,
    },
    example, exit,
    failure::Failure,
    foreign, home_setup,
    outages::{Now, Predecessor},
    output::Output,
    pings, runtime, when,
    words::quoted,
};

pub(crate) fn run(args: &RunArgs, context: &Context, out: &mut Output) -> Result<u8, Failure> {
    if init::is_needed() {
        return init::run();
    }
    if args.detached {
        // Fails only for one that leads its group already, which no signal from a terminal of somebody else reaches either.
        let _ = rustix::process::setsid();
    }
    runtime::runtime(true)?.block_on(daemon(args, context, out))
}

async fn daemon(args: &RunArgs, context: &Context, out: &mut Output) -> Result<u8, Failure> {
    let home = context.home()?;
    if args.example {
        refuse_a_home_in_use(context).await?;
    }
    let made = home_setup::make_to_keep(context, args.adopt)?;
    filesystem::check(&home, args.unsafe_fs)?;
    // From here on there is at most one of us; what was read before may be a moment old.
    let lock = Arc::new(lock::take(&home)?);
    let loaded = config::load(&RealFs, &home, true);
    let (loaded, provider) = resolved(&home, loaded).await?;
    // The reason for a fallback is told where it happens, once.
    for problem in loaded.problems.iter().filter(|problem| provider.reason.as_ref() != Some(&problem.what)) {
        tracing::warn!("{}; {}", problem.what, problem.hint);
    }
    let store = Arc::new(made.store);
    if args.example {
        add_examples(&store).await?;
    }
    let real = Arc::new(ChangingRunner::new(machinery::runner(&home, &loaded.config)));
    let runner: Arc<dyn JobRunner> =
        if args.example { Arc::new(OutLoud(Arc::clone(&real))) } else { Arc::clone(&real) as _ };
    let machinery = machinery::build(&home, &loaded.config, store, runner, context.clock(), "run");
    // Before the first beat is written: it must not name one that nobody asked for.
    machinery.pulse.publish(|beat| provider.tell(beat));
    take_over_from(&Predecessor::of(&home), &machinery.engine, context);
    let writer = PulseWriter::start(machinery.pulse.clone(), Arc::new(RealFs), home.ticker_json())?;
    let supervisor =
        Supervisor::start(machinery.pulse.clone(), Arc::clone(context.clock()), loaded.config.abort_after)?;
    let asked = Arc::new(Notify::new());
    signals::install(machinery.engine.clone(), Some(Arc::clone(&asked)))?;
    let interval = loaded.config.interval;
    let (wanted, to_be_sent) = watch::channel(reports::Wanted::of(&loaded.config));
    let looks = tokio::spawn(Auditor::new(&home, &machinery, context.clock()).work(to_be_sent.clone()));
    let reports = tokio::spawn(reports::Sender::new(&home, &machinery.desk, context.clock()).work(to_be_sent));
    let reloader = Reloader::new(&home, &machinery, real, supervisor.shared(), (loaded.config, wanted), &provider);
    let reloads = tokio::spawn(reloader.run(asked));

    let soonest = machinery.store.select(Which::Soonest(LISTED)).await?;
    if args.logs_json() {
        let (version, home) = (env!("CARGO_PKG_VERSION"), home.path().display());
        tracing::info!(version, %home, jobs = soonest.in_force, pid = std::process::id(), "the daemon runs");
    } else {
        banner(out, context, &home, &soonest, args.example)?;
    }
    if let Some(nobody) = alerts::nobody(&context.config().config, usize::from(!args.example)) {
        tracing::warn!("{}; {}", nobody.what, nobody.hint);
    }
    let problems = machinery.store.problems().await?;
    let payloads = machinery.store.select(Which::Payload).await?;
    for problem in problems.iter().filter(|problem| !problem.remark).chain(&foreign::problems(&payloads.jobs)) {
        tracing::warn!("{}; {}", problem.what, problem.hint);
    }
    let vouching = pings::vouch(&home, &machinery.pings, interval, context.clock());
    let own = guard::Own {
        home: home.clone(),
        lock: Arc::clone(&lock),
        desk: machinery.desk.clone(),
        pulse: machinery.pulse.clone(),
        clock: Arc::clone(context.clock()),
    };
    let guard = tokio::spawn(guard::work(own, interval));
    let ended = machinery.engine.run(provider).await;
    vouching.abort();
    guard.abort();
    // A look that is under way goes on where it is, and what it finds is found again by the next one.
    looks.abort();
    machinery.pings.settle(pings::PATIENCE).await;
    // With the reloader goes what is wanted of reports, and who sends them ends after the one that is on its way.
    reloads.abort();
    let ((), sent) =
        tokio::join!(machinery.desk.settle(alerts::PATIENCE), tokio::time::timeout(alerts::PATIENCE, reports));
    if sent.is_err() {
        tracing::warn!("a report is still on its way; whether it arrives is not waited for");
    }
    writer.finish();
    let closed = machinery.store.close().await;
    // Not before: a disk that hangs would keep a daemon from ending, too.
    drop(supervisor);
    ended?;
    closed?;
    let last = "stopped; nothing fires until the next `sched run`";
    if args.logs_json() {
        tracing::info!("{last}");
    } else {
        out.line(last)?;
    }
    Ok(exit::OK)
}

/// A plugin has seconds to get ready, which is nothing for the runtime to wait for.
async fn resolved(home: &Home, loaded: Loaded) -> Result<(Loaded, Resolved), Failure> {
    let home = home.clone();
    let resolve = move || {
        let provider = machinery::provider(&home, &loaded);
        (loaded, provider)
    };
    let gone = |why| Failure::new(ErrorKind::Foreign, format!("no provider could be found: {why}"));
    tokio::task::spawn_blocking(resolve).await.map_err(gone)
}

/// The lock is ours, so whoever beat last is gone; if it didn't say goodbye, somebody should know.
fn take_over_from(predecessor: &Predecessor, engine: &Engine, context: &Context) {
    for outage in predecessor.outages(&Now::by(&**context.clock())) {
        engine.note(outage);
    }
    if let Some(last) = predecessor.crashed() {
        let (pid, cycle) = (last.pid, last.cycle);
        let runs = match last.running {
            0 => String::new(),
            1 => "; 1 run was open and is looked for".to_owned(),
            runs => format!("; {runs} runs were open and are looked for"),
        };
        let why = last.error.as_ref().map_or_else(String::new, |error| format!("; it said: {}", error.message));
        tracing::warn!(
            "the previous daemon (pid {pid}) ended without stopping, at cycle {cycle}; its last beat: {:.0}{runs}{why}",
            last.at
        );
    }
}

/// `--example` is for trying out: it must not run beside somebody's real jobs.
async fn refuse_a_home_in_use(context: &Context) -> Result<(), Failure> {
    let examples: BTreeSet<String> = example::ids().into_iter().collect();
    let views = context::jobs(&context.look()?).await?;
    let theirs: Vec<String> =
        views.iter().map(|view| view.id.to_string()).filter(|id| !examples.contains(id)).take(3).collect();
    if theirs.is_empty() {
        return Ok(());
    }
    let home = context.home()?;
    let what = format!("{} has jobs of its own ({}, ...)", home.path().display(), theirs.join(", "));
    Err(Failure::new(ErrorKind::Exists, what)
        .hint("`sched run` runs those; to try the examples: sched --home /tmp/sched-example run --example"))
}

async fn add_examples(store: &JsonStore) -> Result<(), Failure> {
    let known: BTreeSet<String> = store.jobs().await?.iter().map(|view| view.id.to_string()).collect();
    let is_new = |entry: &serde_json::Value| entry["id"].as_str().is_some_and(|id| !known.contains(id));
    let missing: Vec<serde_json::Value> = example::jobs().into_iter().filter(is_new).collect();
    if !missing.is_empty() {
        store.define(Edit::Add(missing)).await?;
    }
    Ok(())
}

/// How many jobs the banner lists.
const LISTED: usize = 10;

fn banner(out: &mut Output, context: &Context, home: &Home, soonest: &Selected, example: bool) -> Result<(), Failure> {
    out.line(format_args!("sched {}: the cron that cannot die silently", env!("CARGO_PKG_VERSION")))?;
    out.line(format_args!("home: {}", home.path().display()))?;
    match (soonest.in_force, soonest.waiting) {
        (0, _) => out.line("no jobs yet: sched add '30 2 * * *' -- backup.sh")?,
        (1, 1) => out.line("one job, which waits for its instant:")?,
        (all, waiting) => out.line(format_args!("{all} jobs, {waiting} of them wait for their instant:"))?,
    }
    let now = context.now();
    for view in &soonest.jobs {
        if let (Ok(job), Some(due_at)) = (&view.job, view.due_at) {
            let what = job.schedule.describe(None);
            let when = when::both(due_at, &job.time_zone, now);
            out.line(format_args!("  {:<16} {when}  {what}", view.id.as_str()))?;
        }
    }
    if soonest.waiting > soonest.jobs.len() {
        out.line(format_args!("  and {} more: sched list", soonest.waiting - soonest.jobs.len()))?;
    }
    out.line(format_args!("in a second terminal: {} status", command_for(home)))?;
    out.line(if example { "Ctrl-C stops it; each fire is a line:" } else { "Ctrl-C stops it" })?;
    out.flush()
}

/// What to type elsewhere to reach this home.
fn command_for(home: &Home) -> String {
    let program = std::env::current_exe().map_or_else(|_| "sched".into(), |path| path.display().to_string());
    format!("{} --home {}", quoted(&program), quoted(&home.path().display().to_string()))
}
