//! Looks at the size of a run's output while it runs, and has it bounded.
//!
//! Only ever reads a size here; the punching is done on a thread that may block.

use std::{convert::Infallible, sync::Arc, time::Duration};

use tokio::{
    task::spawn_blocking,
    time::{Instant, sleep},
};

use crate::output::{Log, SMALLEST_HOLE};

/// How often the size is looked at: between runs that write little and those that could fill a disk in a minute.
const SLOWEST: Duration = Duration::from_millis(250);
const FASTEST: Duration = Duration::from_millis(5);

/// Keeps the disk space of `log` near its limit until it is dropped: beyond it there is at most what is written between
/// two looks, and the faster the run writes, the sooner the next one comes.
pub(crate) async fn keep_bounded(log: Arc<Log>) -> Infallible {
    let mut pause = FASTEST;
    let mut before = (Instant::now(), 0);
    let mut complained = false;
    loop {
        sleep(pause).await;
        let written = log.written();
        if written > log.limit {
            let punched = spawn_blocking({
                let log = Arc::clone(&log);
                move || log.punch()
            });
            if let Ok(Err(error)) = punched.await
                && !complained
            {
                complained = true;
                tracing::warn!(path = %log.path.display(), %error, "output can't be bounded before the run ends");
            }
        }
        let now = (Instant::now(), written);
        pause = next_pause(pause, now.0 - before.0, now.1.saturating_sub(before.1), log.limit.max(SMALLEST_HOLE));
        before = now;
    }
}

/// As long as it takes to write one limit at the pace of late, and at most twice the last pause.
fn next_pause(last: Duration, elapsed: Duration, grown: u64, limit: u64) -> Duration {
    let pace = elapsed.as_secs_f64() * limit as f64 / grown.max(1) as f64;
    let pause = Duration::try_from_secs_f64(pace).unwrap_or(SLOWEST);
    pause.min(last * 2).clamp(FASTEST, SLOWEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_more_often_the_faster_a_run_writes() {
        let check = |last, elapsed, grown, expected| {
            let millis = Duration::from_millis;
            assert_eq!(next_pause(millis(last), millis(elapsed), grown, 1000), millis(expected));
        };
        check(250, 250, 0, 250);
        check(5, 5, 0, 10);
        check(250, 250, 1000, 250);
        check(250, 250, 2500, 100);
        check(250, 250, 1_000_000, 5);
        check(5, 250, 1000, 10);
    }
}
