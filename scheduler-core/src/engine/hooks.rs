//! Calls a provider's hooks, one at a time: `reconcile` at start, after a reload and every ten minutes, `on_jobs_changed` at most once a
//! second.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;

use super::SchedulerContext;
use crate::{
    JobId, Result,
    provider::{CronScheduler, JobsChanged, Ticker},
};

const RECONCILE: Duration = Duration::from_mins(10);
const DEBOUNCE: Duration = Duration::from_secs(1);

pub(super) async fn run(provider: Arc<dyn CronScheduler>, cx: SchedulerContext) {
    if provider.name() == Ticker.name() {
        // The built-in looks for itself; comparing all jobs after every fire would be work for nobody.
        return;
    }
    let mut changes = cx.changes();
    let mut reloads = cx.reloads();
    let mut known = BTreeMap::new();
    let mut reconcile = tokio::time::interval(RECONCILE);
    loop {
        tokio::select! {
            _ = reconcile.tick() => report(&*provider, "reconcile", provider.reconcile(&cx).await),
            _ = reloads.changed() => report(&*provider, "reconcile", provider.reconcile(&cx).await),
            _ = changes.changed() => {
                tokio::time::sleep(DEBOUNCE).await;
                changes.mark_unchanged();
            }
        }
        let Ok(now) = states(&cx).await else { continue };
        let changed = difference(&known, &now);
        if !known.is_empty() && !changed.jobs.is_empty() {
            report(&*provider, "on_jobs_changed", provider.on_jobs_changed(&cx, &changed).await);
        }
        known = now;
    }
}

/// What a change shows in: life, revision, next instant, and whether it is paused.
type State = (u32, u64, Option<Timestamp>, bool);

async fn states(cx: &SchedulerContext) -> Result<BTreeMap<JobId, State>> {
    let state = |view: &crate::store::JobView| (view.incarnation, view.revision, view.next_at, view.paused.is_some());
    Ok(cx.jobs().await?.iter().map(|view| (view.id.clone(), state(view))).collect())
}

fn difference(before: &BTreeMap<JobId, State>, after: &BTreeMap<JobId, State>) -> JobsChanged {
    let moved = |id: &&JobId| before.get(*id) != after.get(*id);
    let mut jobs: Vec<JobId> = before.keys().chain(after.keys()).filter(moved).cloned().collect();
    jobs.sort();
    jobs.dedup();
    let same = |(a, b): (&State, &State)| (a.0, a.1, a.3) == (b.0, b.1, b.3);
    let only_next_at = jobs.iter().all(|id| before.get(id).zip(after.get(id)).is_some_and(same));
    JobsChanged { jobs, only_next_at }
}

fn report(provider: &dyn CronScheduler, hook: &str, answer: Result<()>) {
    if let Err(error) = answer {
        tracing::warn!(provider = provider.name(), %error, "`{hook}` failed; it is tried again");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_every_job_once_and_tells_moved_instants_from_edits() {
        let id = |name: &str| name.parse::<JobId>().unwrap();
        let state = |revision, at: i64| (1, revision, Timestamp::from_second(at).ok(), false);
        let before = BTreeMap::from([(id("a"), state(1, 10)), (id("b"), state(1, 10)), (id("c"), state(1, 10))]);
        let mut after = before.clone();
        assert_eq!(difference(&before, &after), JobsChanged { jobs: vec![], only_next_at: true });
        after.insert(id("a"), state(1, 20));
        assert_eq!(difference(&before, &after), JobsChanged { jobs: vec![id("a")], only_next_at: true });
        after.insert(id("b"), state(2, 10));
        after.remove(&id("c"));
        let all = vec![id("a"), id("b"), id("c")];
        assert_eq!(difference(&before, &after), JobsChanged { jobs: all, only_next_at: false });
    }
}
