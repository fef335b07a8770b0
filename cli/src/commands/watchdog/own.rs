//! Looks at this home: its scheduler, its heartbeats, its files, and whether its jobs could start.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use sched_monitor::checks::{Found, syntax::Script};
use scheduler_core::{
    Home, JobId,
    liveness::beats::{Expectations, Judged},
    liveness::{Account, Facts, Verdict, VerdictKind, WatchdogFacts, verdict},
    notify::job_key,
    store::Problem,
    vfs::RealFs,
};
use tokio::{
    runtime::Handle,
    sync::Semaphore,
    task::{JoinError, JoinHandle, JoinSet},
};

use super::{
    super::{doctor, validate},
    scripts::{self, Obstacle},
};
use crate::{
    context::Context,
    facts::{self, Known},
};

/// How long the home may take to answer.
const HOME: Duration = Duration::from_secs(30);
/// How long one script may take to be looked through.
const SCRIPT: Duration = Duration::from_secs(10);
/// And all of them.
const SCRIPTS: Duration = Duration::from_secs(40);
/// How many are looked through at once.
const AT_ONCE: usize = 4;

/// What was seen of the home.
#[derive(Debug)]
pub(super) enum Own {
    /// It answered.
    Seen(Box<Seen>),
    /// It did not, and why.
    Dark(String),
}

#[derive(Debug)]
pub(super) struct Seen {
    pub(super) facts: Facts,
    pub(super) verdict: Verdict,
    pub(super) beats: Vec<Judged>,
    /// What `validate` says: problems, and how many jobs are valid; or why it can't.
    pub(super) files: Result<(Vec<Problem>, usize), (String, String)>,
    /// What keeps jobs from starting, if the jobs are known.
    pub(super) obstacles: Vec<(JobId, Obstacle)>,
    /// How many enabled jobs there are.
    pub(super) jobs: usize,
    /// What jobs run that can be looked through, with what was found.
    pub(super) scripts: Vec<(JobId, Script)>,
    pub(super) found: HashMap<Script, Found>,
}

impl Own {
    /// The verdict on the scheduler.
    pub(super) fn kind(&self) -> VerdictKind {
        match self {
            Self::Seen(seen) => seen.verdict.kind,
            Self::Dark(_) => VerdictKind::Unknown,
        }
    }

    /// The keys of the alerts of what somebody may acknowledge and lasts all the same: jobs that failed, and what is on no
    /// record.
    pub(super) fn troubled(&self) -> Vec<String> {
        match self {
            Self::Seen(seen) => {
                let missing = seen.facts.account.last.as_ref().is_ok_and(|last| last.count() > 0);
                let jobs = seen.facts.jobs.troubled.iter().map(|troubled| job_key(&troubled.job));
                jobs.chain(missing.then(|| Account::KEY.to_owned())).collect()
            }
            Self::Dark(_) => Vec::new(),
        }
    }
}

/// Looks at a home, again and again. One look that hangs is enough: another one would hang beside it. Unless it is dry, a look
/// also notes since when heartbeats are expected.
#[derive(Debug, Default)]
pub(super) struct Looks(Option<JoinHandle<Seen>>);

impl Looks {
    /// Whether one has not come back.
    pub(super) fn hang(&self) -> bool {
        self.0.as_ref().is_some_and(|look| !look.is_finished())
    }

    pub(super) async fn look(&mut self, home: &Home, dry: bool) -> Own {
        let Ok(looked) = tokio::time::timeout(HOME, self.seen(home, dry)).await else {
            return Own::Dark(format!("the home has not answered for {} s", HOME.as_secs()));
        };
        let Ok(mut seen) = looked else { return Own::Dark("the look at the home broke off".into()) };
        seen.found = look_through(seen.scripts.iter().map(|(_, script)| script.clone()).collect()).await;
        Own::Seen(Box::new(seen))
    }

    async fn seen(&mut self, home: &Home, dry: bool) -> Result<Seen, JoinError> {
        if let Some(old) = &mut self.0 {
            // What it has seen was so long ago.
            let _ = old.await;
            self.0 = None;
        }
        let (handle, of) = (Handle::current(), home.clone());
        // On a thread of its own: a disk that doesn't answer must not keep the other checks.
        let begun = self.0.insert(tokio::task::spawn_blocking(move || handle.block_on(seen(&of, dry))));
        let seen = begun.await;
        self.0 = None;
        seen
    }
}

async fn seen(home: &Home, dry: bool) -> Seen {
    let context = Context::new(Some(home.path().to_owned()));
    if !dry && let Err(error) = Expectations::note(&RealFs, home, context.config(), context.now()) {
        tracing::warn!("since when config.yaml expects its heartbeats can't be noted: {error}");
    }
    let Known { mut facts, views, beats, .. } = facts::collect(&context, home).await;
    // Here it is.
    facts.watchdog = WatchdogFacts::default();
    let files = match &facts.store_error {
        // The same files once more would be waited for once more.
        Some(why) => Err((why.clone(), facts.store_hint.clone().unwrap_or_default())),
        None => match validate::of_home(&context).await {
            Ok(findings) => Ok((findings.problems, findings.jobs)),
            Err(failure) => Err((failure.message, failure.hints.join("; "))),
        },
    };
    let daemon = facts.holder_state.and(facts.lock.holder.as_ref()).filter(|_| facts.lock.held).map(|who| who.pid);
    let (runner, _) = doctor::runner(&context, home, daemon);
    let (mut obstacles, mut found_scripts, mut jobs) = (Vec::new(), Vec::new(), 0);
    for job in views.iter().filter_map(|view| view.job.as_ref().ok()).filter(|job| job.enabled) {
        // What another program runs is that program's to look at.
        if job.payload().is_some() {
            continue;
        }
        jobs += 1;
        let looked = match runner.executable(job) {
            Ok(executable) => scripts::of(&executable),
            Err(error) => Err(Obstacle { what: error.to_string(), hint: error.hint_text().map(str::to_owned) }),
        };
        match looked {
            Ok(scripts) => found_scripts.extend(scripts.into_iter().map(|script| (job.id.clone(), script))),
            Err(obstacle) => obstacles.push((job.id.clone(), obstacle)),
        }
    }
    Seen {
        verdict: verdict(&facts),
        beats,
        facts,
        files,
        obstacles,
        jobs,
        scripts: found_scripts,
        found: HashMap::new(),
    }
}

/// Looks through `scripts`, a few at once; those that there was no time for are left out.
async fn look_through(scripts: HashSet<Script>) -> HashMap<Script, Found> {
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for script in scripts {
        let turns = Arc::clone(&turns);
        tasks.spawn(async move {
            let _turn = turns.acquire().await;
            let found = script.look(SCRIPT).await;
            (script, found)
        });
    }
    let mut found = HashMap::new();
    let all = async {
        while let Some(done) = tasks.join_next().await {
            found.extend(done.ok());
        }
    };
    let _ = tokio::time::timeout(SCRIPTS, all).await;
    found
}
