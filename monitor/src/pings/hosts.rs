//! Who is reached: a server that is down or hangs is asked by few, and ever more rarely, whatever waits for it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use scheduler_core::Error;
use tokio::{sync::Semaphore, time::Instant};

/// How many ask one server at once.
const AT_ONCE: usize = 8;

/// How soon it is tried again, at first and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));

/// How long to wait after so many failures in a row.
pub(super) fn backoff(failures: u32) -> Duration {
    BACKOFF.0.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(BACKOFF.1)
}

/// All servers that were asked so far.
#[derive(Debug, Default)]
pub(super) struct Hosts(Mutex<HashMap<String, Arc<Host>>>);

impl Hosts {
    /// The one at `place`, which is the part of an address that may be seen.
    pub(super) fn at(&self, place: &str) -> Arc<Host> {
        let new = || Arc::new(Host { place: place.into(), slots: Semaphore::new(AT_ONCE), silence: Mutex::default() });
        Arc::clone(self.0.lock().entry(place.to_owned()).or_insert_with(new))
    }
}

/// One server.
#[derive(Debug)]
pub(super) struct Host {
    place: String,
    pub(super) slots: Semaphore,
    silence: Mutex<Option<Silence>>,
}

/// It doesn't answer.
#[derive(Debug)]
struct Silence {
    failures: u32,
    not_before: Instant,
}

impl Host {
    /// When it may be asked; `None` is now.
    pub(super) fn not_before(&self) -> Option<Instant> {
        self.silence.lock().as_ref().map(|silence| silence.not_before).filter(|at| *at > Instant::now())
    }

    /// It answered.
    pub(super) fn answered(&self) {
        if self.silence.lock().take().is_some() {
            tracing::info!("{} is reached again; what waits for it follows", self.place);
        }
    }

    /// It didn't, for this reason. Those who asked together count once.
    pub(super) fn silent(&self, why: &Error) {
        let (mut silence, now) = (self.silence.lock(), Instant::now());
        match &mut *silence {
            None => {
                *silence = Some(Silence { failures: 1, not_before: now + backoff(1) });
                tracing::warn!(
                    "pings don't arrive: {why}; tried again after 1 s, then ever more rarely, up to every minute"
                );
            }
            Some(silence) if silence.not_before <= now => {
                silence.failures += 1;
                silence.not_before = now + backoff(silence.failures);
            }
            Some(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_tried_ever_more_rarely() {
        let pauses: Vec<u64> = (1..=8).map(|failures| backoff(failures).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(backoff(u32::MAX).as_secs(), 60);
    }
}
