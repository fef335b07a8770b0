//! The suite that every provider must pass: those that are well do, and for each rule there is one that breaks it and is found
//! out by exactly that check.

mod broken;
mod outside;

use std::sync::Arc;

use async_trait::async_trait;
use scheduler_core::{
    Result,
    provider::{CronScheduler, SchedulerContext, Ticker},
    testing::{Mark, ProviderSuite, Report, provider_conformance},
};
use tokio::sync::RwLock;

/// Held by all that make no sockets, against the one that does: a process sees its sockets, and not whose they are.
pub(crate) static NO_SOCKETS: RwLock<()> = RwLock::const_new(());

/// Ticks whenever something may be due, with nothing but the two methods there must be.
struct TwoMethods;

#[async_trait]
impl CronScheduler for TwoMethods {
    fn name(&self) -> &'static str {
        "two-methods"
    }

    async fn start(&self, cx: SchedulerContext) -> Result<()> {
        while !cx.stopping().is_cancelled() {
            // What failed is on record, and tried again with the next tick.
            let _ = cx.tick().await;
            tokio::select! {
                () = cx.stopping().cancelled() => {}
                () = cx.clock().sleep_until(cx.clock().now() + cx.interval()) => {}
            }
        }
        Ok(())
    }
}

/// The rows with this mark.
fn marked(report: &Report, mark: Mark) -> Vec<&'static str> {
    report.rows.iter().filter(|row| row.mark == mark).map(|row| row.check).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_built_in_ticker_and_one_with_two_methods_pass_by_the_clock_and_in_real_time() {
    let _quiet = NO_SOCKETS.read().await;
    provider_conformance(async || Ticker).await;
    provider_conformance(async || TwoMethods).await;
    let report = ProviderSuite::new(async || Ok(Ticker)).in_real_time().run().await;
    // It fires by the schedules, so nothing but what is armed outside goes unseen.
    assert!(report.passed(), "{report}");
    assert_eq!(marked(&report, Mark::NotApplicable), ["arms what the jobs say"], "{report}");
    assert!(report.rows.iter().all(|row| row.mark != Mark::Passed || row.why.is_none()), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pointer_to_a_provider_passes_as_the_provider_does() {
    let _quiet = NO_SOCKETS.read().await;
    provider_conformance(async || Arc::new(TwoMethods)).await;
    provider_conformance(async || Box::new(TwoMethods)).await;
    provider_conformance(async || Arc::new(Box::new(Ticker)) as Arc<dyn CronScheduler>).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn standby_passes_and_what_it_never_does_is_not_counted_for_it() {
    let _quiet = NO_SOCKETS.read().await;
    let suite = ProviderSuite::new(async || sched_providers::bundled()[0].build());
    let report = suite.run().await;
    assert!(report.passed(), "{report}");
    assert_eq!(report.provider, "none");
    let unseen = [
        "ticks or beats in every interval",
        "fires a job again and again",
        "fires an instant once",
        "arms what the jobs say",
    ];
    assert_eq!(marked(&report, Mark::NotApplicable), unseen, "{report}");
    // It asks for nothing, so these saw only what its hook does.
    let partly = report.rows.iter().filter(|row| row.mark == Mark::Passed && row.why.is_some());
    let partly: Vec<&str> = partly.map(|row| row.check).collect();
    assert_eq!(partly, ["goes on when somebody else was faster", "goes on when the store has failed"], "{report}");
}
