//! Providers that fire by the schedules: a job comes up again after each fire, and each of its instants once.

use serde_json::json;

use super::{
    Not,
    life::{Checked, Life, Pace, applicable, kept},
    store::Fate,
};
use crate::{
    provider::{CronScheduler as _, Liveness},
    store::Edit,
};

/// A job that is due every second.
pub(super) const OFTEN: &str = "often";

/// Why a check has nothing to look at that is about fires by the schedules.
pub(super) const OWN_INSTANTS: &str = "it was not seen to fire by the schedules";

/// What such a provider may be, which is none of its faults.
const OWN: &str = "it lives, and has instants of its own, or events";

/// Sees to it that the job is there.
pub(super) async fn often(life: &Life) -> Result<(), Not> {
    let entry = json!({"id": OFTEN, "schedule": "* * * * * *", "payload": "nothing"});
    life.edit(Edit::Apply { put: vec![entry], remove: Vec::new(), seen: Vec::new() }).await
}

pub(super) async fn again(life: &Life) -> Checked {
    if life.provider.liveness() == Liveness::External {
        return Err(applicable("something outside calls when a job is due"));
    }
    often(life).await?;
    // In real time each takes a second.
    let times = if matches!(life.pace, Pace::Real) { 2 } else { 3 };
    let bound = life.pace.to_fire();
    if life.comes_true(bound, || life.ran(OFTEN) >= times).await {
        return Ok(None);
    }
    life.works()?;
    let fired = match life.ran(OFTEN) {
        0 => "never fired".to_owned(),
        1 => "fired once".to_owned(),
        times => format!("fired {times} times"),
    };
    match (life.ran(OFTEN), &life.pace) {
        // By hand, many times as long has passed as there may be between two beats.
        (1.., Pace::ByHand(_)) => Err(kept(format!("a job that is due every second was {fired}, and no more"))),
        (0, Pace::ByHand(_)) => Err(applicable(format!("a job that is due every second was {fired}: {OWN}"))),
        (_, Pace::Real) => {
            Err(applicable(format!("a job that is due every second was {fired} within {bound:?}: {OWN}")))
        }
    }
}

pub(super) fn once(life: &Life, by_clock: bool) -> Checked {
    if !by_clock {
        return Err(applicable(OWN_INSTANTS));
    }
    // It has been seen to fire some, and what else it did for the first of them it has done by now.
    let events = life.store.count(OFTEN, Fate::Event);
    if events > 0 {
        return Err(kept(format!("it fires a job by its schedule, and by {events} events of its own besides")));
    }
    let mut instants = life.runner.instants(OFTEN);
    let all = instants.len();
    instants.sort();
    instants.dedup();
    if instants.len() < all {
        return Err(kept(format!("{all} runs for {} instants", instants.len())));
    }
    Ok(None)
}
