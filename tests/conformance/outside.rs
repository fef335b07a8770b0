//! Providers that arm something outside, and let the suite see what.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::Timestamp;
use scheduler_core::{
    JobId, Result,
    provider::{CronScheduler, JobsChanged, Liveness, SchedulerContext},
    testing::{Mark, ProviderSuite, Report},
};

use super::{NO_SOCKETS, marked};

/// What is armed outlives the provider, as it does in another process.
type Alarms = Arc<Mutex<Vec<(JobId, Timestamp)>>>;

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    ArmsAgain,
    KeepsWhatIsGone,
    ForgetsPauses,
}

struct Outside(Alarms, Fault);

#[async_trait]
impl CronScheduler for Outside {
    fn name(&self) -> &'static str {
        "outside"
    }

    async fn start(&self, _: SchedulerContext) -> Result<()> {
        Ok(())
    }

    fn liveness(&self) -> Liveness {
        Liveness::External
    }

    async fn reconcile(&self, cx: &SchedulerContext) -> Result<()> {
        let jobs = cx.jobs().await?.into_iter();
        let due = jobs.filter(|job| job.paused.is_none() || self.1 == Fault::ForgetsPauses);
        let due: Vec<(JobId, Timestamp)> = due.filter_map(|job| Some((job.id, job.due_at?))).collect();
        let mut armed = self.0.lock().expect("no panic while it was held");
        match self.1 {
            Fault::ArmsAgain => {
                armed.retain(|(job, _)| due.iter().any(|(other, _)| job == other));
                armed.extend(due);
            }
            Fault::KeepsWhatIsGone => {
                armed.retain(|(job, _)| !due.iter().any(|(other, _)| job == other));
                armed.extend(due);
            }
            Fault::None | Fault::ForgetsPauses => *armed = due,
        }
        Ok(())
    }

    async fn on_jobs_changed(&self, cx: &SchedulerContext, _: &JobsChanged) -> Result<()> {
        self.reconcile(cx).await
    }
}

async fn report(fault: Fault) -> Report {
    let alarms = Alarms::default();
    // Of an earlier life of it.
    alarms.lock().expect("nobody else").push(("long-gone".parse().expect("an id"), Timestamp::UNIX_EPOCH));
    let made = Arc::clone(&alarms);
    let suite = ProviderSuite::new(move || std::future::ready(Ok(Outside(Arc::clone(&made), fault))));
    suite.armed(move || alarms.lock().expect("no panic while it was held").clone()).run().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_armed_outside_is_compared_with_the_jobs() {
    let _quiet = NO_SOCKETS.read().await;
    let good = report(Fault::None).await;
    assert!(good.passed(), "{good}");
    let unseen = ["ticks or beats in every interval", "fires a job again and again", "fires an instant once"];
    assert_eq!(marked(&good, Mark::NotApplicable), unseen, "{good}");

    for (fault, when) in [
        (Fault::ArmsAgain, "reconciled after jobs were added"),
        (Fault::KeepsWhatIsGone, "reconciled at the start, armed is `gone` at "),
        (Fault::ForgetsPauses, "reconciled after one was paused, armed is `left-alone` at "),
    ] {
        let bad = report(fault).await;
        let failed: Vec<_> = bad.failed().map(|row| (row.check, row.why.as_deref().unwrap_or_default())).collect();
        assert!(matches!(failed[..], [("arms what the jobs say", why)] if why.starts_with(when)), "{bad}");
    }
}
