//! A provider's life as a whole: it goes on, it shows, and it ends when it is told to.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use tokio::time::sleep;

use super::{
    Not,
    clock::often,
    life::{Checked, INTERVAL, Life, Pace, applicable, kept},
};
use crate::{
    Result,
    provider::{CronScheduler, FireOutcome, FireRequest, Liveness, Resolved, SchedulerContext},
};

/// What one that fails at once gets to do it in.
const AT_FIRST: Duration = Duration::from_millis(300);
/// One that hasn't shown itself by then is looked at by another check.
const TO_SHOW: Duration = Duration::from_secs(5);
/// For what a provider does as soon as it is told that time has passed.
const AT_ONCE: Duration = Duration::from_secs(2);
/// Of intervals, so many.
const INTERVALS: u32 = 2;

pub(super) async fn works(life: &Life) -> Checked {
    if matches!(life.pace, Pace::ByHand(_)) && life.provider.liveness() == Liveness::Ticks {
        // Until it shows that it works, or has ended: a panic takes as long as the program's hook takes to print it.
        let shown = life.engine.pulse().current().provider_monotonic_ns;
        life.comes_true(TO_SHOW, || life.engine.pulse().current().provider_monotonic_ns != shown).await;
    }
    life.settle(AT_FIRST).await?;
    Ok(None)
}

pub(super) async fn stops(life: &Life, bound: Duration) -> Checked {
    life.engine.stop();
    has_ended(life, bound, "it was told to stop").await?;
    match life.provider.stopped() {
        Some(Err(error)) => Err(kept(format!("its `stop` failed: {error}"))),
        _ => Ok(None),
    }
}

/// Waits for the end of `start` and of `stop`. Here one may end in any way.
async fn has_ended(life: &Life, bound: Duration, since: &str) -> Result<(), Not> {
    let deadline = Instant::now() + bound;
    loop {
        match (life.provider.ended(), life.provider.stopped()) {
            (Some(_), Some(_)) => return Ok(()),
            (None, _) if Instant::now() > deadline => {
                return Err(kept(format!("its `start` still runs {bound:?} after {since}")));
            }
            (Some(_), None) if Instant::now() > deadline => {
                return Err(kept(format!("its `stop` still runs {bound:?} after {since}")));
            }
            _ => life.pass(Duration::from_millis(1)).await,
        }
    }
}

pub(super) async fn beats(life: &Life) -> Checked {
    if life.provider.liveness() == Liveness::External {
        return Err(applicable("it arms something outside, and its silence says nothing"));
    }
    // So that what comes next has something to count already.
    often(life).await?;
    for _ in 0..INTERVALS {
        let shown = life.engine.pulse().current().provider_monotonic_ns;
        // By hand an interval passes at once. In real time it may take two: one that is a moment late is well.
        let bound = match &life.pace {
            Pace::ByHand(clock) => {
                clock.advance(INTERVAL);
                AT_ONCE
            }
            Pace::Real => INTERVAL * 2,
        };
        let deadline = Instant::now() + bound;
        while life.engine.pulse().current().provider_monotonic_ns == shown {
            life.works()?;
            if Instant::now() > deadline {
                return Err(kept(format!("it neither ticked nor beat in an interval of {INTERVAL:?}")));
            }
            sleep(Duration::from_millis(2)).await;
        }
    }
    life.works()?;
    Ok(None)
}

/// A life that is over, for one that took over.
struct Successor;

#[async_trait]
impl CronScheduler for Successor {
    fn name(&self) -> &'static str {
        "successor"
    }

    async fn start(&self, _: SchedulerContext) -> Result<()> {
        Ok(())
    }

    fn liveness(&self) -> Liveness {
        Liveness::External
    }
}

pub(super) async fn is_replaced(life: &Life, bound: Duration) -> Checked {
    let job = life.add("from-before", "@yearly").await?;
    life.replace_by(Resolved { provider: Arc::new(Successor), reason: None });
    has_ended(life, bound, "another provider took over").await?;
    match life.fire(FireRequest::event(job, "late")).await? {
        Ok(FireOutcome::Revoked) | Err(_) if life.ran("from-before") == 0 => Ok(None),
        answer => Err(kept(format!("what it fires after it was replaced is not refused: {answer:?}"))),
    }
}
