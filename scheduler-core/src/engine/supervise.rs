//! Keeps a provider at work: whatever it does, cron has a trigger.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use super::{Engine, SchedulerContext, Shared, hooks, pass::panic_words};
use crate::{
    liveness::Phase,
    provider::{CronScheduler, Liveness, Resolved, Ticker},
};

/// How long a provider that has been told to end may take: a little longer than the ten seconds after which the provider
/// of a plugin kills its process.
const TO_END: Duration = Duration::from_secs(12);

/// Runs `resolved` until the engine stops, and the built-in ticker when it doesn't hold.
pub(super) async fn run(engine: Engine, mut resolved: Resolved) {
    let shared = &engine.0;
    loop {
        let provider = Arc::clone(&resolved.provider);
        if let Some(reason) = &resolved.reason {
            tracing::warn!("{reason}; the built-in ticker fires instead");
        }
        let generation = shared.generation.fetch_add(1, Ordering::Relaxed) + 1;
        let cx = SchedulerContext::new(engine.clone(), generation);
        let liveness = provider.liveness();
        let awake = shared.options.clock.monotonic().as_nanos() as u64;
        shared.options.pulse.publish(|beat| {
            resolved.tell(beat);
            beat.provider_monotonic_ns = Some(awake);
            if beat.phase == Phase::Starting {
                beat.phase = Phase::Idle;
            }
        });
        tracing::info!(provider = provider.name(), "firing");
        let hooks = tokio::spawn(hooks::run(Arc::clone(&provider), cx.clone()));
        let end = hold(&*provider, liveness, start(&provider, cx.clone()), &cx, shared).await;
        cx.stopping().cancel();
        hooks.abort();
        if let Ok(Err(error)) = tokio::time::timeout(Duration::from_secs(10), provider.stop()).await {
            tracing::warn!(provider = provider.name(), %error, "the provider could not take down what it put up");
        }
        match end {
            End::Stopping => return,
            End::Replaced(next) => resolved = next,
            End::Failed(why) => {
                if provider.name() == Ticker.name() {
                    // The built-in has nobody to fall back to but itself; a pause keeps a broken machine from spinning.
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                resolved = Resolved::fallback(why);
            }
        }
    }
}

fn start(provider: &Arc<dyn CronScheduler>, cx: SchedulerContext) -> tokio::task::JoinHandle<crate::Result<()>> {
    let provider = Arc::clone(provider);
    tokio::spawn(async move { provider.start(cx).await })
}

/// Why a provider's time is over.
enum End {
    /// The engine stops.
    Stopping,
    /// It doesn't hold.
    Failed(String),
    /// Somebody wants another one.
    Replaced(Resolved),
}

/// Waits until the provider is to end or has to be replaced.
async fn hold(
    provider: &dyn CronScheduler,
    liveness: Liveness,
    mut running: tokio::task::JoinHandle<crate::Result<()>>,
    cx: &SchedulerContext,
    shared: &Shared,
) -> End {
    let name = provider.name();
    let ended = tokio::select! {
        ended = &mut running => ended,
        () = cx.stopping().cancelled() => {
            let_end(name, running).await;
            return End::Stopping;
        }
        next = shared.successor() => {
            // From here on whatever it asks is refused: two must not decide at once.
            cx.revoke();
            cx.stopping().cancel();
            let_end(name, running).await;
            return End::Replaced(next);
        }
    };
    match ended {
        _ if cx.stopping().is_cancelled() => End::Stopping,
        Ok(Ok(())) if liveness == Liveness::External => tokio::select! {
            () = cx.stopping().cancelled() => End::Stopping,
            next = shared.successor() => {
                cx.revoke();
                End::Replaced(next)
            }
        },
        Ok(Ok(())) => End::Failed(format!("provider `{name}` returned though nobody told it to stop")),
        Ok(Err(error)) => End::Failed(format!("provider `{name}` failed: {error}")),
        Err(panic) => End::Failed(format!("provider `{name}` panicked: {}", panic_words(panic))),
    }
}

/// Waits for a provider that has been told to end; one that doesn't listen is left behind.
async fn let_end(name: &str, mut running: tokio::task::JoinHandle<crate::Result<()>>) {
    if tokio::time::timeout(TO_END, &mut running).await.is_err() {
        tracing::warn!(provider = name, "the provider does not stop; it is left behind");
        running.abort();
    }
}
