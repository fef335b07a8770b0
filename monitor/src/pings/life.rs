//! The daemon's own sign of life, for as long as it fires and no longer.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep_until};

use super::{Pings, hosts::backoff};

/// How soon it is looked again whether a daemon that doesn't fire does.
const LOOKS: Duration = Duration::from_millis(500);

/// How long a look may take. One that takes longer hangs with what it looks at.
const LOOK: Duration = Duration::from_secs(5);

impl Pings {
    /// Tells the `url` of the settings that the daemon fires, every interval and at once when that begins, as long as `fires`
    /// says so. Ends only when it is dropped.
    ///
    /// # Behavior
    /// - `fires` is asked before every try, on a thread that may wait: no sign of life is older than its evidence.
    /// - What isn't heard is tried again after 1 s, 2 s, 4 s and so on, up to every minute.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use sched_monitor::{PingSettings, Pings};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let pings = Pings::new(PingSettings::default());
    /// let vouching = tokio::spawn(async move { pings.vouch(Arc::new(|| true)).await });
    /// vouching.abort();
    /// # }
    /// ```
    pub async fn vouch(&self, fires: Arc<dyn Fn() -> bool + Send + Sync>) {
        let mut changes = self.0.settings.subscribe();
        let mut failures = 0;
        loop {
            let settings = Arc::clone(&changes.borrow_and_update());
            let Some(url) = &settings.url else {
                if changes.changed().await.is_err() {
                    return;
                }
                continue;
            };
            let begun = Instant::now();
            let next = if does(Arc::clone(&fires)).await {
                match self.0.sender.life(url, &settings).await {
                    Ok(()) => {
                        if std::mem::take(&mut failures) > 0 {
                            tracing::info!("{url} hears again that the daemon fires");
                        }
                        begun + settings.interval
                    }
                    Err(why) => {
                        failures += 1;
                        if failures == 1 {
                            tracing::warn!(
                                hint = why.hint_text(),
                                "the sign of life was not heard: {why}; tried again after 1 s, then ever more rarely"
                            );
                        }
                        Instant::now() + backoff(failures).min(settings.interval)
                    }
                }
            } else {
                begun + LOOKS
            };
            tokio::select! {
                () = sleep_until(next) => {}
                changed = changes.changed() => if changed.is_err() { return },
            }
        }
    }
}

async fn does(fires: Arc<dyn Fn() -> bool + Send + Sync>) -> bool {
    let looked = tokio::time::timeout(LOOK, tokio::task::spawn_blocking(move || fires())).await;
    matches!(looked, Ok(Ok(true)))
}
