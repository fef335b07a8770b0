//! Push monitors, as this program tells them: that a home fires, on the evidence that `status` has too.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use sched_monitor::{PingSettings, Pings};
use scheduler_core::{
    Clock, Home, Result,
    config::Config,
    liveness::VerdictKind,
    vfs::{RealFs, Vfs as _, atomic_write},
};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;

use crate::{daemon::lock, env, facts};

/// How long a process waits for its pings before it ends.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);

/// What `config` says about pings.
pub(crate) fn settings(config: &Config) -> PingSettings {
    PingSettings::of(config, env::secret)
}

/// Vouches for the daemon of `home`, which is this process, until it is aborted.
///
/// The task runs in the runtime of the daemon, so it can't go on where all of that is stuck; and it judges as `status` does, by
/// what is on the disk, so it doesn't go on where only the engine is stuck.
pub(crate) fn vouch(home: &Home, pings: &Pings, interval: Duration, clock: &Arc<dyn Clock>) -> JoinHandle<()> {
    let (home, pings, clock) = (home.clone(), pings.clone(), Arc::clone(clock));
    let fires = move || is_firing(facts::verdict_on_life(&home, interval, &*clock));
    tokio::spawn(async move { pings.vouch(Arc::new(fires)).await })
}

/// Whether jobs fire, or aren't meant to. What needs attention is told otherwise.
fn is_firing(verdict: VerdictKind) -> bool {
    matches!(verdict, VerdictKind::Live | VerdictKind::External | VerdictKind::Standby | VerdictKind::Degraded)
}

/// What a tick leaves for the next one.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Last {
    format: u32,
    /// When the last sign of life was heard.
    #[serde(default)]
    heard_at: Option<Timestamp>,
    /// Whether the last try failed: then that is in a log already.
    #[serde(default)]
    failing: bool,
}

impl Last {
    /// Whether the next is due. A clock that was set back is no reason to be silent until it comes round again.
    fn is_due(&self, interval: Duration, now: Timestamp) -> bool {
        let interval = SignedDuration::try_from(interval).unwrap_or(SignedDuration::MAX);
        self.heard_at.is_none_or(|at| at > now || now.duration_since(at) >= interval)
    }
}

/// Says that a home without a daemon fires: a tick has just succeeded. At most once an interval, over all ticks. A daemon that
/// has the home speaks for itself, and is silent for a reason.
pub(crate) async fn tick_succeeded(home: &Home, pings: &Pings, config: &Config, now: Timestamp) {
    let Some(url) = &config.monitor.ping_url else { return };
    let path = home.heartbeats().join("ping.json");
    let last: Last = RealFs.read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    if lock::look(home).held || !last.is_due(config.monitor.ping_interval, now) {
        return;
    }
    let late = || scheduler_core::Error::new(scheduler_core::ErrorKind::Io, "no answer in time");
    let answer: Result<()> =
        tokio::time::timeout(PATIENCE, pings.sign_of_life(url)).await.unwrap_or_else(|_| Err(late()));
    let next = match &answer {
        Ok(()) => Last { format: 1, heard_at: Some(now), failing: false },
        Err(why) => {
            if !last.failing {
                tracing::warn!(
                    hint = why.hint_text(),
                    "{url} did not hear that jobs fire: {why}; the next tick tries again"
                );
            }
            Last { format: 1, failing: true, ..last }
        }
    };
    let bytes = serde_json::to_vec(&next).expect("it is JSON");
    if let Err(error) = atomic_write(&RealFs, &path, &bytes, None) {
        tracing::warn!(%error, "{} can't be written, so the next tick pings again", path.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_pings_once_an_interval() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let check = |heard_at: Option<&str>, expected: bool| {
            let last = Last { heard_at: heard_at.map(|at| at.parse().unwrap()), ..Last::default() };
            assert_eq!(last.is_due(Duration::from_mins(5), now), expected, "{last:?}");
        };
        check(None, true);
        check(Some("2026-11-22T11:55:01Z"), false);
        check(Some("2026-11-22T11:55:00Z"), true);
        check(Some("2026-11-22T12:00:01Z"), true);
    }
}
