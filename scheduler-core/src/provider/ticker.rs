//! The built-in ticker: what every other provider falls back to. It lives here and not among the plugins, so that it can't
//! be taken away.

use async_trait::async_trait;
use jiff::SignedDuration;

use super::{CronScheduler, SchedulerContext};
use crate::Result;

/// Sleeps until something is due, and fires it.
///
/// It wakes a moment before the earliest next instant to claim it, when jobs change and at least once every interval; it never waits for a job. A
/// failed tick is written down where `sched status` finds it, and the loop goes on: stopping is only ever by the token.
///
/// ```
/// use scheduler_core::provider::{CronScheduler, Ticker};
/// assert_eq!(Ticker.name(), "builtin");
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Ticker;

/// After a failed tick the loop doesn't spin on the same error.
const AFTER_FAILURE: SignedDuration = SignedDuration::from_secs(1);

#[async_trait]
impl CronScheduler for Ticker {
    fn name(&self) -> &'static str {
        "builtin"
    }

    async fn start(&self, cx: SchedulerContext) -> Result<()> {
        let mut changes = cx.changes();
        let ahead = SignedDuration::try_from(cx.claim_ahead()).unwrap_or_default();
        while !cx.stopping().is_cancelled() {
            // Taken before the tick: a change during it is one that the tick may not have seen.
            changes.mark_unchanged();
            let began = cx.clock().now();
            let failed = cx.tick().await.is_err();
            let now = cx.clock().now();
            let later = |by: SignedDuration| now.saturating_add(by).unwrap_or(now);
            let interval = SignedDuration::try_from(cx.interval()).unwrap_or(SignedDuration::from_secs(60));
            let until = match cx.next_wakeup() {
                _ if !cx.may_dispatch() => later(interval),
                _ if failed => later(AFTER_FAILURE),
                // Due before the tick and still due after it: something keeps it from being settled.
                Some(next) if next <= began => later(AFTER_FAILURE),
                Some(next) => {
                    let early = next.saturating_sub(ahead).unwrap_or(next);
                    // What could not be claimed ahead, because a run of it is open, is claimed at its instant.
                    let wake = if early > began { early } else { next };
                    wake.min(later(interval))
                }
                None => later(interval),
            };
            tokio::select! {
                () = cx.stopping().cancelled() => {}
                // Not after a failure: what a failed write leaves behind looks like a change, and would be tried at once.
                _ = changes.changed(), if !failed => {}
                () = cx.clock().sleep_until(until) => {}
            }
        }
        Ok(())
    }
}
