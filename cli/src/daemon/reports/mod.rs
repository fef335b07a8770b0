//! The morning report goes out by itself: at the instants of `report.schedule`, each at most once, however many processes
//! look after the home.
//!
//! - `record` is what is known of the reports so far, in `state/report.json`: who has written an instant down there under the
//!   lock sends its report, and nobody else does.
//!
//! **Invariant:** no fire waits for a report. It is made on a thread of its own, from a look at the files that takes no lock of
//! the store, and sent by the sinks' own tasks.

mod record;

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use sched_monitor::{Desk, Report};
use scheduler_core::{
    Clock, ErrorKind, Home,
    config::{Config, ReportPlan},
    store::Problem,
};
use tokio::{runtime::Handle, sync::watch, task::JoinSet};

use self::record::{Claim, Record};
use crate::{context::Context, reporting};

/// The clock is looked at again after this, whatever it said: it may have been set.
const LOOKS: Duration = Duration::from_mins(1);

/// What may be wanted of reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    plan: ReportPlan,
    /// The zone of schedules that name none.
    zone: String,
}

impl Wanted {
    /// What `config` says.
    pub(crate) fn of(config: &Config) -> Self {
        Self { plan: config.report.clone(), zone: config.job_defaults().zone_name().to_owned() }
    }
}

/// Who sends the reports of a home.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    home: Home,
    desk: Desk,
    clock: Arc<dyn Clock>,
}

impl Sender {
    /// For `home`, by the sinks of `desk`.
    pub(crate) fn new(home: &Home, desk: &Desk, clock: &Arc<dyn Clock>) -> Self {
        Self { home: home.clone(), desk: desk.clone(), clock: Arc::clone(clock) }
    }

    /// Sends every report when it is due, for as long as somebody holds the other end of `wanted`.
    pub(crate) async fn work(self, mut wanted: watch::Receiver<Wanted>) {
        loop {
            let now_wanted = wanted.borrow_and_update().clone();
            let next = self.send_what_is_due(&now_wanted).await;
            let now = self.clock.now();
            let look =
                now.saturating_add(SignedDuration::try_from(LOOKS).unwrap_or_default()).unwrap_or(Timestamp::MAX);
            let until = next.map_or(look, |next| next.min(look));
            tokio::select! {
                changed = wanted.changed() => if changed.is_err() { return },
                // An instant that is past already could not be settled; it is looked at again later, not at once.
                () = self.clock.sleep_until(if until <= now { look } else { until }) => {}
            }
        }
    }

    /// Sends the report that is due, if one is. Answers when the next will be.
    pub(crate) async fn send_what_is_due(&self, wanted: &Wanted) -> Option<Timestamp> {
        let (schedule, zone) = wanted.plan.schedule(&wanted.zone)?;
        let now = self.clock.now();
        let (home, plan, its_zone) = (self.home.clone(), wanted.plan.clone(), zone.clone());
        let its_schedule = schedule.clone();
        let claimed =
            tokio::task::spawn_blocking(move || record::claim(&home, &plan, &its_schedule, &its_zone, now)).await;
        match claimed {
            Ok(Ok(Claim::Won(instant))) => self.send(&wanted.plan, instant).await,
            Ok(Ok(Claim::Missed(instant))) => {
                tracing::warn!("the report of {instant} is more than a day late; it is not sent any more");
            }
            Ok(Ok(Claim::Nothing)) => {}
            Ok(Err(error)) => {
                tracing::error!(%error, "no report is sent: whether it was sent already can't be written down");
            }
            Err(error) => tracing::error!(%error, "no report is sent: looking whether one is due broke off"),
        }
        schedule.next_after(now, &zone)
    }

    async fn send(&self, plan: &ReportPlan, instant: Timestamp) {
        let report = match self.make(plan, instant).await {
            Ok(report) => Arc::new(report),
            Err(error) => {
                let why = format!("it could not be made: {error}");
                tracing::error!("the report of {instant}: {why}");
                return self.note(plan.notify.iter().map(|sink| (sink.clone(), Err(why.clone()))).collect()).await;
            }
        };
        let mut deliveries = JoinSet::new();
        for sink in plan.notify.clone() {
            let (desk, report) = (self.desk.clone(), Arc::clone(&report));
            deliveries.spawn(async move {
                let answer = desk.deliver(&sink, &report).await;
                match &answer {
                    Ok(()) => tracing::info!(sink, "the report was delivered: {}", report.summary),
                    Err(error) => {
                        tracing::error!(sink, %error, hint = error.hint_text(), "the report was not delivered");
                    }
                }
                (sink, answer.map_err(|error| error.to_string()))
            });
        }
        self.note(deliveries.join_all().await).await;
    }

    /// Reading the history of a day is work, and none that the runtime's threads should do: they fire.
    async fn make(&self, plan: &ReportPlan, instant: Timestamp) -> Result<Report, tokio::task::JoinError> {
        let home = self.home.clone();
        let since = instant.saturating_sub(SignedDuration::try_from(plan.since).unwrap_or(SignedDuration::MAX));
        let since = since.unwrap_or(Timestamp::UNIX_EPOCH);
        let runtime = Handle::current();
        let make = move || {
            let context = Context::new(Some(home.path().to_owned()));
            runtime.block_on(reporting::report(&context, &home, since))
        };
        tokio::task::spawn_blocking(make).await
    }

    async fn note(&self, answers: Vec<(String, Result<(), String>)>) {
        let home = self.home.clone();
        let noted = tokio::task::spawn_blocking(move || record::note(&home, &answers)).await;
        if let Ok(Err(error)) = noted {
            tracing::warn!(%error, "what became of the report could not be written down");
        }
    }
}

/// What the last report that went out by itself has left to be seen to.
pub(crate) fn problems(home: &Home, now: Timestamp) -> Vec<Problem> {
    let record = match Record::read(home) {
        Ok(record) => record,
        Err(error) => {
            let hint = match error.kind() {
                ErrorKind::Invalid => "remove the file: the next report goes out at its next instant",
                _ => "check who owns the file and that it can be read",
            };
            return vec![Problem::new("report", error.to_string(), hint)];
        }
    };
    record.map(|record| record.problems(now)).unwrap_or_default()
}
