//! What a fire comes to, asked for through the provider's `fire_due`: what isn't owed isn't run, and what is, once.

use jiff::Timestamp;

use super::{
    Not,
    clock::OFTEN,
    life::{Checked, INTERVAL, Life, kept},
    trouble::words,
};
use crate::{
    JobId,
    provider::{FireOutcome, FireRequest},
    store::Edit,
    testing::Ran,
};

pub(super) async fn nothing_is_due(life: &Life) -> Checked {
    let job = life.add("not-yet", "@yearly").await?;
    let answer = life.fire(FireRequest::due(job.clone())).await?;
    if !matches!(answer, Ok(FireOutcome::NotDue)) {
        return Err(kept(format!("fired before it is due, it answered {}", words(&answer))));
    }
    life.works()?;
    if life.ran("not-yet") > 0 {
        return Err(kept("a job was run before it is due"));
    }
    life.edit(Edit::Remove(vec![job])).await?;
    Ok(None)
}

pub(super) async fn an_event_once(life: &Life) -> Checked {
    let job = life.add("rung", "@yearly").await?;
    let first = life.fire(FireRequest::event(job.clone(), "ring")).await?;
    // The engine's own turn may have been faster to start what the event has queued.
    if !matches!(first, Ok(FireOutcome::Started(_) | FireOutcome::Queued(_))) {
        return Err(kept(format!("fired for an event, it answered {}", words(&first))));
    }
    let second = life.fire(FireRequest::event(job.clone(), "ring")).await?;
    if !matches!(second, Ok(FireOutcome::LostClaim)) {
        return Err(kept(format!("fired for the same event again, it answered {}", words(&second))));
    }
    life.until(INTERVAL * 2, "the event's run never began", || life.ran("rung") > 0).await?;
    match life.ran("rung") {
        1 => life.edit(Edit::Remove(vec![job])).await.map(|()| None),
        times => Err(kept(format!("an event was run {times} times"))),
    }
}

/// An instant of a job that has come: of the one that the provider itself has fired, if it fires by the schedules, and else of
/// one that is added for it.
async fn come(life: &Life) -> Result<(JobId, Timestamp), Not> {
    // One that fires events besides has runs at moments that are no instants of the schedule, which are whole seconds.
    let by_schedule = |ran: &Ran| ran.job.as_str() == OFTEN && ran.at.subsec_nanosecond() == 0;
    if let Some(ran) = life.runner.ran().into_iter().rev().find(by_schedule) {
        return Ok((ran.job, ran.at));
    }
    let job = life.add("on-the-dot", "* * * * * *").await?;
    let next = life.jobs().await?.into_iter().find(|view| view.id == job).and_then(|view| view.next_at);
    let instant = next.ok_or_else(|| kept("the suite's own job owes nothing"))?;
    life.until(INTERVAL * 3, "its instant never came", || life.now() >= instant).await?;
    Ok((job, instant))
}

pub(super) async fn an_instant_once(life: &Life) -> Checked {
    let (job, instant) = come(life).await?;
    // A provider that fires by the schedules may have been faster.
    let first = life.fire(FireRequest::at(job.clone(), instant)).await?;
    if !matches!(first, Ok(FireOutcome::Started(_) | FireOutcome::Queued(_) | FireOutcome::LostClaim)) {
        return Err(kept(format!("fired at an instant of its schedule, it answered {}", words(&first))));
    }
    let second = life.fire(FireRequest::at(job.clone(), instant)).await?;
    if !matches!(second, Ok(FireOutcome::LostClaim)) {
        return Err(kept(format!("fired at the same instant again, it answered {}", words(&second))));
    }
    let times = || life.runner.ran().iter().filter(|ran| ran.job == job && ran.at == instant).count();
    life.until(INTERVAL * 2, "the instant's run never began", || times() > 0).await?;
    match times() {
        1 => life.edit(Edit::Remove(vec![job.clone()])).await.map(|()| None),
        times => Err(kept(format!("an instant was run {times} times"))),
    }
}

pub(super) async fn no_such_job(life: &Life) -> Checked {
    let answer = life.fire(FireRequest::due(super::life::named("nobody")?)).await?;
    life.works()?;
    match answer {
        Ok(FireOutcome::NotFound) => Ok(None),
        answer => Err(kept(format!("fired for a job that isn't there, it answered {}", words(&answer)))),
    }
}

pub(super) async fn nothing_while_draining(life: &Life) -> Checked {
    let job = life.add("leaving", "@yearly").await?;
    // Its run is what the engine waits for.
    life.runner.hold("leaving");
    life.fire(FireRequest::event(job.clone(), "last-one")).await?.map_err(|error| kept(error.to_string()))?;
    life.until(INTERVAL * 2, "its run never began", || life.ran("leaving") > 0).await?;
    life.engine.stop();
    let other = life.add("too-late", "@yearly").await?;
    let answer = life.fire(FireRequest::event(other, "too-late")).await?;
    life.runner.release("leaving");
    match answer {
        Ok(FireOutcome::Draining) if life.ran("too-late") == 0 => Ok(None),
        answer => Err(kept(format!("fired while the engine drains, it answered {}", words(&answer)))),
    }
}
