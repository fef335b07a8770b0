//! What the engine calls beside `start`: `reconcile`, from whatever state, and `on_jobs_changed`.

use serde_json::json;

use super::{
    Armed, Not,
    life::{Checked, Life, kept, named},
};
use crate::{JobId, store::Edit};

const LEFT: &str = "left-alone";
const MOVED: &str = "moved";
const GONE: &str = "gone";

/// A state that jobs can be in; each is reached from the one before.
#[derive(Debug, Clone, Copy)]
enum State {
    AtTheStart,
    Added,
    Changed,
    Paused,
    Removed,
}

impl State {
    const ALL: [Self; 5] = [Self::AtTheStart, Self::Added, Self::Changed, Self::Paused, Self::Removed];

    fn words(self) -> &'static str {
        match self {
            Self::AtTheStart => "at the start",
            Self::Added => "after jobs were added",
            Self::Changed => "after one was changed and one removed",
            Self::Paused => "after one was paused",
            Self::Removed => "after all were removed",
        }
    }

    async fn reach(self, life: &Life) -> Result<(), Not> {
        match self {
            Self::AtTheStart => {}
            Self::Added => {
                for job in [LEFT, MOVED, GONE] {
                    life.add(job, "@yearly").await?;
                }
            }
            Self::Changed => {
                let moved = json!({"id": MOVED, "schedule": "@monthly", "payload": "nothing"});
                life.edit(Edit::Replace(vec![moved])).await?;
                life.edit(Edit::Remove(vec![named(GONE)?])).await?;
            }
            Self::Paused => life.pause(named(LEFT)?).await?,
            Self::Removed => life.edit(Edit::Remove(vec![named(LEFT)?, named(MOVED)?])).await?,
        }
        Ok(())
    }
}

/// Twice in each state: where all is as it should be there is nothing to do, and nothing to complain about.
const TIMES: [&str; 2] = ["", " for the second time"];

async fn reconciled(life: &Life, when: &str, time: &str) -> Result<(), Not> {
    if let Err(error) = life.reconcile().await? {
        return Err(kept(format!("called {when}{time}, `reconcile` failed: {error}")));
    }
    life.works()
}

pub(super) async fn reconciles(life: &Life) -> Checked {
    for state in State::ALL {
        state.reach(life).await?;
        for time in TIMES {
            reconciled(life, state.words(), time).await?;
        }
    }
    Ok(None)
}

pub(super) async fn arms(life: &Life, armed: &Armed) -> Checked {
    for state in State::ALL {
        state.reach(life).await?;
        for time in TIMES {
            reconciled(life, state.words(), time).await?;
            let due = life.jobs().await?.into_iter().filter(|job| job.paused.is_none());
            let mut wanted: Vec<_> = due.filter_map(|job| Some((job.id, job.due_at?))).collect();
            let mut found = armed();
            wanted.sort();
            found.sort();
            if wanted != found {
                let (when, wanted, found) = (state.words(), listed(&wanted), listed(&found));
                return Err(kept(format!("reconciled {when}{time}, armed is {found}, and due {wanted}")));
            }
        }
    }
    Ok(None)
}

fn listed(armed: &[(JobId, jiff::Timestamp)]) -> String {
    let items: Vec<String> = armed.iter().map(|(job, at)| format!("`{job}` at {at}")).collect();
    if items.is_empty() { "nothing".into() } else { items.join(", ") }
}

pub(super) async fn changes(life: &Life) -> Checked {
    let job = life.add("changing", "@yearly").await?;
    let gone = named("never-was")?;
    for (jobs, only_next_at) in [(vec![job.clone()], true), (vec![job.clone(), gone], false), (Vec::new(), true)] {
        let told = jobs.len();
        if let Err(error) = life.jobs_changed(jobs, only_next_at).await? {
            return Err(kept(format!("told of {told} changed jobs, it failed: {error}")));
        }
    }
    life.works()?;
    if life.ran("changing") > 0 {
        return Err(kept("a job that isn't due was run because it changed"));
    }
    life.edit(Edit::Remove(vec![job])).await?;
    Ok(None)
}
