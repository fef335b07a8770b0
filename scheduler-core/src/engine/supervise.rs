//! Keeps a provider at work: whatever it does, cron has a trigger.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use super::{Engine, SchedulerContext, hooks, pass::panic_words};
use crate::{
    liveness::Phase,
    provider::{CronScheduler, Liveness, Resolved, Ticker},
};

/// Runs `resolved` until the engine stops, and the built-in ticker when it doesn't hold.
pub(super) async fn run(engine: Engine, resolved: Resolved) {
    let shared = &engine.0;
    let Resolved { mut provider, mut reason } = resolved;
    loop {
        if let Some(reason) = &reason {
            tracing::warn!("{reason}; the built-in ticker fires instead");
        }
        let generation = shared.generation.fetch_add(1, Ordering::Relaxed) + 1;
        let cx = SchedulerContext::new(engine.clone(), generation);
        let liveness = provider.liveness();
        let awake = shared.options.clock.monotonic().as_nanos() as u64;
        shared.options.pulse.publish(|beat| {
            provider.name().clone_into(&mut beat.provider);
            beat.provider_ticks = liveness == Liveness::Ticks;
            beat.provider_monotonic_ns = Some(awake);
            beat.fallback_reason.clone_from(&reason);
            if beat.phase == Phase::Starting {
                beat.phase = Phase::Idle;
            }
        });
        tracing::info!(provider = provider.name(), "firing");
        let hooks = tokio::spawn(hooks::run(Arc::clone(&provider), cx.clone()));
        let why = hold(&*provider, liveness, start(&provider, cx.clone()), &cx).await;
        cx.stopping().cancel();
        hooks.abort();
        if let Ok(Err(error)) = tokio::time::timeout(Duration::from_secs(10), provider.stop()).await {
            tracing::warn!(provider = provider.name(), %error, "the provider could not take down what it put up");
        }
        let Some(why) = why else { return };
        reason = Some(why);
        if provider.name() == Ticker.name() {
            // The built-in has nobody to fall back to but itself; a pause keeps a broken machine from spinning.
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        provider = Arc::new(Ticker);
    }
}

fn start(provider: &Arc<dyn CronScheduler>, cx: SchedulerContext) -> tokio::task::JoinHandle<crate::Result<()>> {
    let provider = Arc::clone(provider);
    tokio::spawn(async move { provider.start(cx).await })
}

/// Waits until the provider is to end (`None`) or has to be replaced (why).
async fn hold(
    provider: &dyn CronScheduler,
    liveness: Liveness,
    mut running: tokio::task::JoinHandle<crate::Result<()>>,
    cx: &SchedulerContext,
) -> Option<String> {
    let name = provider.name();
    let ended = tokio::select! {
        ended = &mut running => ended,
        () = cx.stopping().cancelled() => {
            // It has been told; one that doesn't listen is left behind.
            if tokio::time::timeout(Duration::from_secs(10), &mut running).await.is_err() {
                tracing::warn!(provider = name, "the provider does not stop; it is left behind");
                running.abort();
            }
            return None;
        }
    };
    match ended {
        _ if cx.stopping().is_cancelled() => None,
        Ok(Ok(())) if liveness == Liveness::External => {
            cx.stopping().cancelled().await;
            None
        }
        Ok(Ok(())) => Some(format!("provider `{name}` returned though nobody told it to stop")),
        Ok(Err(error)) => Some(format!("provider `{name}` failed: {error}")),
        Err(panic) => Some(format!("provider `{name}` panicked: {}", panic_words(panic))),
    }
}
