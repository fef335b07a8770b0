//! Whether everything that was owed is on record: whoever keeps the home looks at its history now and then, and leaves what it
//! found in `state/account.json`, for `status` and all who ask it.
//!
//! **Invariant:** no fire waits for a look. It is a thread of its own with the lowest priority, reads files without a lock of the
//! store, and what it finds is told by the desk's tasks.

use std::{io, sync::Arc, thread, time::Duration};

use jiff::{SignedDuration, Timestamp};
use sched_monitor::{Desk, Shelved};
use sched_runner::proc;
use scheduler_core::{
    Alert, Clock, Engine, Error, ErrorKind, Home, JobStore as _, Notifier as _, Result,
    audit::{Audit, AuditQuery},
    liveness::{Account, AccountFacts},
    store::JsonStore,
    vfs::{Lock, Open, RealFs, Vfs as _},
};
use tokio::sync::{oneshot, watch};

use super::machinery::Machinery;
use crate::{alerts, failure::Failure, runtime};

/// How often it is asked whether a look is due.
const LOOKS: Duration = Duration::from_mins(1);
/// How soon after one that failed: what is not known is not well.
const AGAIN: Duration = Duration::from_secs(10);
/// What the system gives to nobody else.
const LOWEST_PRIORITY: i32 = 19;

/// What is known of the history of `home`, and whether somebody has taken note of it.
pub(crate) fn facts(home: &Home, shelved: &Shelved) -> AccountFacts {
    let mut facts = AccountFacts::default();
    facts.every = Some(Account::EVERY);
    facts.last = Account::read(&RealFs, &home.account());
    let alert = shelved.open().find(|alert| alert.key == Account::KEY);
    facts.acknowledged_at = alert.and_then(|alert| alert.acknowledged.as_ref()).map(|known| known.at);
    facts
}

/// The alert that something is missing, if something is.
pub(crate) fn alert(account: &Account, at: Timestamp) -> Option<Alert> {
    let missing = account.sentence()?;
    Some(Alert::open(Account::KEY, missing, at).detail("hint: `sched audit` lists them, `sched why` explains each"))
}

/// Who looks at the history of a home.
#[derive(Clone)]
pub(crate) struct Auditor {
    home: Home,
    store: Arc<JsonStore>,
    engine: Engine,
    desk: Desk,
    clock: Arc<dyn Clock>,
}

impl Auditor {
    /// For `home`, whose engine is in `machinery`.
    pub(crate) fn new(home: &Home, machinery: &Machinery, clock: &Arc<dyn Clock>) -> Self {
        let Machinery { engine, store, desk, .. } = machinery;
        let (home, store, engine) = (home.clone(), Arc::clone(store), engine.clone());
        Self { home, store, engine, desk: desk.clone(), clock: Arc::clone(clock) }
    }

    /// Looks at once, whenever it is due, and at each reload, for as long as there may be one.
    pub(crate) async fn work<T>(self, mut reloads: watch::Receiver<T>) {
        let mut anyway = true;
        loop {
            let looked = self.look(anyway).await;
            let wait = SignedDuration::try_from(if looked { LOOKS } else { AGAIN }).unwrap_or_default();
            let next = self.clock.now().saturating_add(wait).unwrap_or(Timestamp::MAX);
            tokio::select! {
                reloaded = reloads.changed() => match reloaded {
                    Ok(()) => anyway = true,
                    Err(_) => return,
                },
                () = self.clock.sleep_until(next) => anyway = false,
            }
        }
    }

    /// Looks if it is due, or `anyway`. False if nothing can be known just now.
    pub(crate) async fn look(&self, anyway: bool) -> bool {
        let (auditor, (tell, told)) = (self.clone(), oneshot::channel());
        let look = move || drop(tell.send(auditor.look_here(anyway)));
        let spawned = thread::Builder::new().name("sched-account".into()).spawn(look);
        let found = match spawned {
            Ok(_) => told.await.unwrap_or_else(|_| Err(Error::io("it broke off", io::ErrorKind::Other.into()))),
            Err(error) => Err(Error::io("cannot start a thread", error)),
        };
        match found {
            Ok(Some(account)) => {
                self.tell(&account).await;
                account.error.is_none()
            }
            Ok(None) => true,
            Err(error) => {
                tracing::warn!(%error, "whether everything that was owed is on record could not be looked at");
                true
            }
        }
    }

    /// One look, on a thread of its own; `None` if it is not due, or somebody else is at it.
    fn look_here(&self, anyway: bool) -> Result<Option<Account>> {
        // Of this thread alone, and of those that it starts. Where it isn't granted, it is as any other.
        let _ = rustix::process::setpriority_process(None, LOWEST_PRIORITY);
        let path = self.home.state().join("account.lock");
        let failed = |error| Error::io(format!("cannot lock {}", path.display()), error);
        let lock = RealFs.open(&path, Open::Create).map_err(failed)?;
        if !lock.try_lock(Lock::Exclusive).map_err(failed)? {
            return Ok(None);
        }
        let (begun, now) = (self.clock.monotonic(), self.clock.now());
        let mark = Account::mark(&RealFs, &self.home);
        let known = facts(&self.home, &alerts::shelf(&self.home).read().unwrap_or_default());
        let before = known.last.as_ref().ok();
        if !anyway && before.is_some_and(|before| !before.is_old(now, &mark)) {
            return Ok(None);
        }
        let since = Some(Account::looks_back_to(before, known.is_acknowledged(), now));
        let audit = self.audit(AuditQuery { since, ..AuditQuery::default() });
        let account = match audit {
            Ok(audit) => Account::of(&audit, before, now),
            // A store that is being closed answers nothing any more, and there is nothing wrong with that.
            Err(_) if self.engine.is_stopping() => return Ok(None),
            Err(error) => Account::failed(&error, before, now),
        };
        let awake = self.clock.monotonic();
        let account = account.took(awake.saturating_sub(begun)).of_files(mark).in_boot(proc::boot_id(), awake);
        account.write(&RealFs, &self.home.account())?;
        Ok(Some(account))
    }

    /// In a runtime of its own, whose threads have the priority of this one.
    fn audit(&self, query: AuditQuery) -> Result<Audit> {
        let failed = |why: Failure| Error::new(ErrorKind::Io, why.message);
        runtime::runtime(false).map_err(failed)?.block_on(self.store.audit(query))
    }

    /// Says what is new: in the log, and to whom the desk tells it.
    async fn tell(&self, account: &Account) {
        if let Some(error) = account.error.as_ref().filter(|error| error.count == 1) {
            tracing::error!("whether everything that was owed is on record is not known: {}", error.message);
        }
        let missing = alert(account, account.at);
        let news = if account.has_news(account.at) {
            missing.inspect(|missing| tracing::error!("{}; {}", missing.title, missing.detail))
        } else {
            let is_over = missing.is_none() && account.error.is_none() && self.is_told();
            is_over.then(|| Alert::closed(Account::KEY, "nothing of the last day is missing any more", account.at))
        };
        if let Some(news) = news
            && let Err(error) = self.desk.notify(&news).await
        {
            tracing::error!(%error, "an alert could not be handed on: {}", news.title);
        }
    }

    /// Whether an alert is open that something is missing.
    fn is_told(&self) -> bool {
        let shelved = alerts::shelf(&self.home).read().unwrap_or_default();
        shelved.open().any(|alert| alert.key == Account::KEY)
    }
}
