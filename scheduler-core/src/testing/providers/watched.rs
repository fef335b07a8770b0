//! The provider under test, with somebody looking over its shoulder: how its `start` and its `stop` ended, and nothing of its
//! answers is changed.

use std::{sync::Arc, thread};

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::Mutex as AsyncMutex;
use tokio_util::sync::CancellationToken;

use crate::{
    Result,
    provider::{Availability, CronScheduler, FireOutcome, FireRequest, JobsChanged, Liveness, SchedulerContext},
};

pub(super) struct Watched {
    inner: Arc<dyn CronScheduler>,
    seen: Mutex<Seen>,
    /// The engine calls one hook at a time, and so does the suite.
    hook: AsyncMutex<()>,
    /// Ends `start`, whatever it does.
    cut: CancellationToken,
}

#[derive(Debug, Default)]
struct Seen {
    cx: Option<SchedulerContext>,
    started: Option<Ended>,
    stopped: Option<Result<(), String>>,
}

/// How `start` ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    Returned,
    Failed(String),
    Panicked,
    /// Its future was dropped.
    LeftBehind,
}

impl Ended {
    pub(super) fn words(&self) -> String {
        match self {
            Self::Returned => "its `start` returned".into(),
            Self::Failed(why) => format!("its `start` failed: {why}"),
            Self::Panicked => "its `start` panicked".into(),
            Self::LeftBehind => "its `start` was left behind".into(),
        }
    }
}

impl Watched {
    pub(super) fn new(inner: Arc<dyn CronScheduler>) -> Self {
        Self { inner, seen: Mutex::default(), hook: AsyncMutex::default(), cut: CancellationToken::new() }
    }

    /// What it was started with, once it was.
    pub(super) fn context(&self) -> Option<SchedulerContext> {
        self.seen.lock().cx.clone()
    }

    /// How its `start` ended, once it has.
    pub(super) fn ended(&self) -> Option<Ended> {
        self.seen.lock().started.clone()
    }

    /// What `stop` answered, once it has.
    pub(super) fn stopped(&self) -> Option<Result<(), String>> {
        self.seen.lock().stopped.clone()
    }

    /// Ends it by force.
    pub(super) fn cut(&self) {
        self.cut.cancel();
    }
}

/// Notes the end of `start`, even one that unwinds.
struct Note<'w>(&'w Watched, Option<Ended>);

impl Drop for Note<'_> {
    fn drop(&mut self) {
        let otherwise = if thread::panicking() { Ended::Panicked } else { Ended::LeftBehind };
        self.0.seen.lock().started = Some(self.1.take().unwrap_or(otherwise));
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl CronScheduler for Watched {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn start(&self, cx: SchedulerContext) -> Result<()> {
        let mut note = Note(self, None);
        self.seen.lock().cx = Some(cx.clone());
        tokio::select! {
            ended = self.inner.start(cx) => {
                note.1 = Some(ended.as_ref().map_or_else(|error| Ended::Failed(error.to_string()), |()| Ended::Returned));
                ended
            }
            () = self.cut.cancelled() => Ok(()),
        }
    }

    fn is_available(&self) -> Availability {
        self.inner.is_available()
    }

    fn liveness(&self) -> Liveness {
        self.inner.liveness()
    }

    async fn stop(&self) -> Result<()> {
        tokio::select! {
            answer = self.inner.stop() => {
                self.seen.lock().stopped = Some(answer.as_ref().copied().map_err(ToString::to_string));
                answer
            }
            () = self.cut.cancelled() => Ok(()),
        }
    }

    async fn fire_due(&self, cx: &SchedulerContext, fire: &FireRequest) -> Result<FireOutcome> {
        let _hook = self.hook.lock().await;
        self.inner.fire_due(cx, fire).await
    }

    async fn reconcile(&self, cx: &SchedulerContext) -> Result<()> {
        let _hook = self.hook.lock().await;
        self.inner.reconcile(cx).await
    }

    async fn on_jobs_changed(&self, cx: &SchedulerContext, changed: &JobsChanged) -> Result<()> {
        let _hook = self.hook.lock().await;
        self.inner.on_jobs_changed(cx, changed).await
    }
}
