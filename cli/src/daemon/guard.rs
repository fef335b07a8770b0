//! What the daemon looks at beside its work, once a minute at least.
//!
//! - Its watchdog: one that comes no more can't tell anybody, so the one that it watched does. `status` says so too, and so does
//!   `sched heartbeat check`, which is about the same alert; but nobody may be looking.
//! - Its lock: without that, a second daemon could start beside this one, so this one ends.

use std::{sync::Arc, time::Duration};

use sched_monitor::Desk;
use scheduler_core::{
    Alert, Clock, Home,
    liveness::{Pulse, beats::BeatName},
    store::Problem,
};
use tokio::time::{Instant, MissedTickBehavior};

use super::{lock::DaemonLock, supervisor};
use crate::{alerts, beats::WATCHDOG, context::Context, exit, facts};

/// The scope of the one alert that is told from here.
const SCOPE: &str = "guard";

/// However seldom the daemon turns, a watchdog that is gone is told within minutes.
const AT_MOST: Duration = Duration::from_mins(1);

/// What belongs to the daemon that looks.
pub(crate) struct Own {
    pub(crate) home: Home,
    pub(crate) lock: Arc<DaemonLock>,
    pub(crate) desk: Desk,
    pub(crate) pulse: Pulse,
    pub(crate) clock: Arc<dyn Clock>,
}

/// Looks once in an `interval` or a minute, whichever is shorter, for as long as it is let.
pub(crate) async fn work(own: Own, interval: Duration) {
    let Own { home, lock, desk, pulse, clock } = own;
    let began = Instant::now();
    let mut looks = tokio::time::interval(interval.min(AT_MOST));
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // It may be so from before.
    let mut is_open = true;
    loop {
        looks.tick().await;
        let held = Arc::clone(&lock);
        if matches!(tokio::task::spawn_blocking(move || held.is_in_place()).await, Ok(false)) {
            let path = home.daemon_lock();
            let what = format!(
                "{} was taken away: another daemon could start beside this one, so it ended itself (exit code {})",
                path.display(),
                exit::ABORTED
            );
            supervisor::end(&pulse, &*clock, &what);
        }
        let problem = problem(&home, began.elapsed()).await;
        // Nothing is wrong, and nothing was: that is nearly always so, and costs no lock.
        if problem.is_some() || is_open {
            is_open = problem.is_some();
            tell(problem, &desk, &*clock).await;
        }
    }
}

/// Looks once, for a home that only ticks. One that has never come is not missed: nobody knows how long it had time to.
pub(crate) async fn look(home: &Home, desk: &Desk, clock: &Arc<dyn Clock>) {
    let problem = problem(home, Duration::ZERO).await;
    let is_open = || alerts::shelf(home).read().is_ok_and(|shelved| shelved.open().any(|alert| alert.key == key()));
    if problem.is_some() || is_open() {
        tell(problem, desk, &**clock).await;
    }
}

/// As `sched heartbeat check` calls it: whoever finds it first opens it, and either closes it.
fn key() -> String {
    BeatName::new(WATCHDOG).key()
}

async fn problem(home: &Home, waited: Duration) -> Option<Problem> {
    let home = home.clone();
    let looked = tokio::task::spawn_blocking(move || {
        let context = Context::new(Some(home.path().to_owned()));
        facts::problem_of_watchdog(&context, &home, waited)
    });
    looked.await.ok().flatten()
}

async fn tell(problem: Option<Problem>, desk: &Desk, clock: &dyn Clock) {
    let told = problem.map(|problem| {
        let alert = Alert::open(key(), &problem.what, clock.now());
        alert.detail(format!("hint: {}", problem.hint))
    });
    if let Err(error) = desk.reconcile(SCOPE, told.into_iter().collect()).await {
        tracing::warn!("whether the watchdog still comes can't be told: {error}");
    }
}
