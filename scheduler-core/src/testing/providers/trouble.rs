//! What isn't as a provider would like it: a job is paused, somebody else is faster, the store fails.

use std::time::Duration;

use super::{
    Not,
    clock::{OFTEN, often},
    life::{Checked, INTERVAL, Life, kept},
    store::{Fate, Trouble},
};
use crate::{
    JobId, Result,
    provider::{FireOutcome, FireRequest},
    store::Edit,
};

/// What a check says that could look at a provider's `fire_due` alone.
const BY_FIRE_DUE: Option<&str> = Some("as far as its `fire_due` shows: it asked for nothing by itself meanwhile");

/// What follows from such a thing follows at once.
const TO_FOLLOW: Duration = Duration::from_millis(200);

pub(super) async fn paused(life: &Life, by_clock: bool) -> Checked {
    let job = life.add("resting", "* * * * * *").await?;
    life.pause(job.clone()).await?;
    // Its instant comes and goes.
    if by_clock {
        fires_on(life, "while one job is paused no other is fired").await?;
    } else {
        life.pass(INTERVAL).await;
    }
    life.settle(TO_FOLLOW).await?;
    for request in [FireRequest::due(job.clone()), FireRequest::event(job.clone(), "while-paused")] {
        match life.fire(request).await? {
            Ok(FireOutcome::Paused) => {}
            answer => return Err(kept(format!("fired while paused, it answered {}", words(&answer)))),
        }
    }
    life.works()?;
    if life.ran("resting") > 0 {
        return Err(kept("a paused job was run"));
    }
    life.edit(Edit::Remove(vec![job])).await?;
    Ok(None)
}

pub(super) async fn lost(life: &Life, by_clock: bool) -> Checked {
    let job = life.add("contested", "@yearly").await?;
    let (answer, met) = troubled(life, by_clock, Trouble::Rival, Fate::Lost, &job).await?;
    if !matches!(answer, Ok(FireOutcome::LostClaim)) {
        return Err(kept(format!("a claim that was lost is answered with {}", words(&answer))));
    }
    if life.ran("contested") > 0 {
        return Err(kept("what somebody else claimed was run"));
    }
    if met {
        fires_on(life, "after a lost claim it fires no more").await?;
    }
    life.edit(Edit::Remove(vec![job])).await?;
    Ok(if met { None } else { BY_FIRE_DUE })
}

pub(super) async fn failing(life: &Life, by_clock: bool) -> Checked {
    let job = life.add("unlucky", "@yearly").await?;
    let (answer, met) = troubled(life, by_clock, Trouble::Failing, Fate::Refused, &job).await?;
    if let Ok(FireOutcome::Started(_) | FireOutcome::Queued(_)) = answer {
        return Err(kept(format!("what the store refused is answered with {}", words(&answer))));
    }
    match life.fire(event(&job)).await? {
        Ok(FireOutcome::Started(_) | FireOutcome::Queued(_)) => {}
        again => return Err(kept(format!("when the store works again, its `fire_due` answers {}", words(&again)))),
    }
    if met {
        fires_on(life, "after the store has failed it fires no more").await?;
    }
    life.edit(Edit::Remove(vec![job])).await?;
    Ok(if met { None } else { BY_FIRE_DUE })
}

/// What an event for `job` comes to while the store is in trouble; and whether the provider met with that trouble by itself.
async fn troubled(
    life: &Life,
    by_clock: bool,
    trouble: Trouble,
    fate: Fate,
    job: &JobId,
) -> Result<(Result<FireOutcome>, bool), Not> {
    if by_clock {
        often(life).await?;
    }
    let before = life.store.count(OFTEN, fate);
    life.store.set(trouble);
    let answer = life.fire(event(job)).await;
    let met = by_clock && life.comes_true(life.pace.to_fire(), || life.store.count(OFTEN, fate) > before).await;
    let settled = life.settle(TO_FOLLOW).await;
    life.store.set(Trouble::Nothing);
    settled?;
    Ok((answer?, met))
}

fn event(job: &JobId) -> FireRequest {
    FireRequest::event(job.clone(), "in-trouble")
}

/// One that fires by the schedules does so from now on, or it is `stuck`.
async fn fires_on(life: &Life, stuck: &str) -> Result<(), Not> {
    often(life).await?;
    let fired = life.ran(OFTEN);
    life.until(life.pace.to_fire(), stuck, || life.ran(OFTEN) > fired).await
}

/// An answer of `fire_due`, quoted.
pub(super) fn words(answer: &Result<FireOutcome>) -> String {
    match answer {
        Ok(outcome) => format!("\"{outcome}\""),
        Err(error) => format!("the error \"{error}\""),
    }
}
