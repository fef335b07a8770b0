//! A plugin as a [`CronScheduler`]: the engine's calls go to its process, and its calls to the engine.
//!
//! - `link`: calls to the plugin, and who waits for which answer. `course`: the life of its process from `start` to its
//!   end. `service`: what it asks of the engine. `failure`: why its time is over.
//!
//! A plugin that dies, hangs in a call or breaks the protocol is ended at once, with its group, and `start` fails with the
//! reason in one sentence: the engine then fires with the built-in ticker. A plugin is not started again by itself; a
//! reload (SIGHUP) does it, until two crashes of the same code have it put into quarantine.

mod course;
mod failure;
mod link;
mod service;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use parking_lot::Mutex;
use scheduler_core::{
    Error, ErrorKind, Result,
    provider::{
        Availability, CronScheduler, FireOutcome, FireRequest, FireWhat, JobsChanged, Liveness, SchedulerContext,
    },
};

use crate::{
    child::{Child, Introduced},
    preflight::Cleared,
    protocol::{Fired, Hook, HostCall, LONGEST_PAGE, Ready, WireLiveness},
    strikes::Strikes,
};
use failure::Failure;
use link::Link;

/// A plugin whose process runs.
#[derive(Debug)]
pub struct PluginProvider {
    plugin: Cleared,
    /// The longest that it may be silent, as it was told.
    interval: Duration,
    /// What it said of itself, or why it can't work.
    ready: Result<Ready, String>,
    /// Until `start` takes it.
    child: Mutex<Option<Child>>,
    link: Arc<Link>,
    strikes: Strikes,
}

impl PluginProvider {
    pub(crate) fn new(
        plugin: &Cleared,
        interval: Duration,
        (child, introduced): (Child, Introduced),
        strikes: Strikes,
    ) -> Self {
        let (ready, child) = match introduced {
            Introduced::Ready(ready) => (Ok(ready), Some(child)),
            // Its process ends here: nobody will start it.
            Introduced::Unavailable(why) => (Err(why), None),
        };
        Self {
            plugin: plugin.clone(),
            interval,
            ready,
            child: Mutex::new(child),
            link: Arc::new(Link::new(plugin.manifest.timeouts.call)),
            strikes,
        }
    }

    fn has(&self, hook: Hook) -> bool {
        self.ready.as_ref().is_ok_and(|ready| ready.has(hook))
    }

    /// What the plugin answered to `fire_due`; what the engine said to it meanwhile counts more than what it makes of it.
    async fn ask_to_fire(&self, cx: &SchedulerContext, fire: &FireRequest, at: Option<i64>) -> Result<FireOutcome> {
        let call = HostCall::FireDue { job: fire.job.to_string(), at };
        let (answer, fired) = self.link.fire_due(&fire.job, call).await?;
        let fired_nothing = || {
            Error::new(
                ErrorKind::Foreign,
                format!("`{}` says that it fired `{}`, and fired nothing", self.name(), fire.job),
            )
        };
        match answer {
            _ if fired.is_some() => fired.ok_or_else(fired_nothing),
            Err(fault) => service::refusal(self.name(), &fault),
            Ok(value) => match serde_json::from_value::<Fired>(value) {
                Ok(Fired { outcome, .. }) => service::outcome(outcome).ok_or_else(fired_nothing),
                Err(why) => {
                    self.link.fail(Failure::breach(format!("its answer to `fire_due` is no outcome: {why}")));
                    // It may be the only word about this occurrence that ever comes.
                    cx.fire(fire).await
                }
            },
        }
    }
}

#[async_trait]
impl CronScheduler for PluginProvider {
    fn name(&self) -> &str {
        &self.plugin.manifest.name
    }

    async fn start(&self, cx: SchedulerContext) -> Result<()> {
        let Some(child) = self.child.lock().take() else {
            return Err(Error::new(ErrorKind::Foreign, "it was started before, and its process is gone"));
        };
        let course = course::Course {
            name: self.name(),
            timeouts: self.plugin.manifest.timeouts,
            ticks: self.liveness() == Liveness::Ticks,
            longest_silence: self.interval * 3,
            link: &self.link,
            cx: &cx,
        };
        let ended = course.run(child).await;
        self.link.close();
        let Err(failure) = ended else { return Ok(()) };
        let what = self.plugin.told(&failure.what);
        if failure.is_crash {
            self.strikes.record(&self.plugin.sha256, self.name(), &what);
        }
        Err(Error::new(ErrorKind::Foreign, what))
    }

    fn is_available(&self) -> Availability {
        match &self.ready {
            Ok(_) => Availability::Available,
            Err(why) => Availability::Unavailable(why.clone()),
        }
    }

    fn liveness(&self) -> Liveness {
        match &self.ready {
            Ok(Ready { liveness: WireLiveness::Ticks, .. }) => Liveness::Ticks,
            _ => Liveness::External,
        }
    }

    async fn fire_due(&self, cx: &SchedulerContext, fire: &FireRequest) -> Result<FireOutcome> {
        match &fire.what {
            FireWhat::Due if self.has(Hook::FireDue) => self.ask_to_fire(cx, fire, None).await,
            FireWhat::At(at) if self.has(Hook::FireDue) => self.ask_to_fire(cx, fire, Some(at.as_millisecond())).await,
            // The protocol has no events from this side: whoever has one has its key, and nothing to add.
            _ => cx.fire(fire).await,
        }
    }

    async fn reconcile(&self, _: &SchedulerContext) -> Result<()> {
        if !self.has(Hook::Reconcile) {
            return Ok(());
        }
        self.link.hook(HostCall::Reconcile).await
    }

    async fn on_jobs_changed(&self, _: &SchedulerContext, changed: &JobsChanged) -> Result<()> {
        if !self.has(Hook::JobsChanged) {
            return Ok(());
        }
        // As many as fit into a line.
        for jobs in changed.jobs.chunks(LONGEST_PAGE) {
            let ids = jobs.iter().map(ToString::to_string).collect();
            self.link.hook(HostCall::JobsChanged { ids, only_next_at: changed.only_next_at }).await?;
        }
        Ok(())
    }
}
