//! What a plugin asks of the engine, and the translation between its words and the engine's.

use jiff::Timestamp;
use scheduler_core::{
    Error, ErrorKind, Result,
    provider::{FireOutcome, FireRequest, SchedulerContext},
    store::JobView,
};
use serde_json::json;

use super::link::{Answer, Link};
use crate::protocol::{
    Code, Fault, Fire, FireKind, Fired, JobItem, JobPage, LONGEST_PAGE, MOST_WORDS, Outcome, PluginCall, brief,
};

/// The answer to a call that takes time.
pub(super) async fn answer(cx: &SchedulerContext, link: &Link, call: PluginCall) -> Answer {
    match call {
        PluginCall::Fire(fire) => {
            let request = request(fire)?;
            // To the engine, and never back to the plugin's own `fire_due`.
            let outcome = cx.fire(&request).await.map_err(|error| fault(&error))?;
            link.fired(&request.job, &outcome);
            fired(&outcome)
        }
        PluginCall::Tick => cx.tick().await.map(|()| json!({})).map_err(|error| fault(&error)),
        PluginCall::Jobs { after } => {
            let jobs = cx.jobs().await.map_err(|error| fault(&error))?;
            listed(jobs.iter().map(item).collect(), after)
        }
        PluginCall::NextWakeup => Ok(json!(cx.next_wakeup().map(Timestamp::as_millisecond))),
        PluginCall::Beat | PluginCall::Log { .. } | PluginCall::Stopped => Ok(json!({})),
    }
}

fn item(job: &JobView) -> JobItem {
    JobItem {
        id: job.id.to_string(),
        next_at: job.next_at.map(Timestamp::as_millisecond),
        due_at: job.due_at.map(Timestamp::as_millisecond),
        paused: job.paused.is_some(),
    }
}

/// All jobs, or those of one page.
fn listed(mut jobs: Vec<JobItem>, after: Option<String>) -> Answer {
    let value = match after {
        None => serde_json::to_value(jobs),
        Some(after) => {
            jobs.retain(|job| job.id > after);
            jobs.sort_by(|a, b| a.id.cmp(&b.id));
            let more = jobs.len() > LONGEST_PAGE;
            jobs.truncate(LONGEST_PAGE);
            serde_json::to_value(JobPage { jobs, more })
        }
    };
    value.map_err(|error| Fault::new(Code::Generic, error.to_string()))
}

fn request(fire: Fire) -> Result<FireRequest, Fault> {
    let invalid = |why: String| Fault::new(Code::Invalid, why);
    let job = fire.job.parse().map_err(|error: Error| invalid(error.to_string()))?;
    Ok(match fire.kind {
        FireKind::Due => FireRequest::due(job),
        FireKind::At => {
            let at = fire.at.ok_or_else(|| invalid("`fire` of the kind `at` has no `at`".into()))?;
            let at = Timestamp::from_millisecond(at).map_err(|_| invalid(format!("{at} is no instant")))?;
            FireRequest::at(job, at)
        }
        FireKind::Event => {
            let key = fire.key.filter(|key| !key.is_empty());
            FireRequest::event(job, key.ok_or_else(|| invalid("`fire` of the kind `event` has no `key`".into()))?)
        }
    })
}

/// What came of a fire, as a plugin hears it.
fn fired(outcome: &FireOutcome) -> Answer {
    let (word, run, reason) = match outcome {
        FireOutcome::Started(run) => (Outcome::Started, Some(run.to_string()), None),
        FireOutcome::Queued(run) => (Outcome::Queued, Some(run.to_string()), None),
        FireOutcome::NotDue => (Outcome::NotDue, None, None),
        FireOutcome::LostClaim => (Outcome::Lost, None, None),
        FireOutcome::Paused => (Outcome::Paused, None, None),
        FireOutcome::Skipped(reason) => (Outcome::Skipped, None, Some(reason.words().to_owned())),
        FireOutcome::Draining => (Outcome::Draining, None, None),
        FireOutcome::NotFound => return Err(Fault::new(Code::NotFound, outcome.to_string())),
        FireOutcome::Revoked => return Err(Fault::new(Code::Revoked, outcome.to_string())),
        other => return Err(Fault::new(Code::Generic, other.to_string())),
    };
    serde_json::to_value(Fired { outcome: word, run, reason })
        .map_err(|error| Fault::new(Code::Generic, error.to_string()))
}

/// What a plugin says came of its `fire_due`, though it fired nothing; `None` for what it can't know without a fire.
pub(super) fn outcome(outcome: Outcome) -> Option<FireOutcome> {
    match outcome {
        Outcome::NotDue => Some(FireOutcome::NotDue),
        Outcome::Lost => Some(FireOutcome::LostClaim),
        Outcome::Paused => Some(FireOutcome::Paused),
        Outcome::Draining => Some(FireOutcome::Draining),
        Outcome::Started | Outcome::Queued | Outcome::Skipped => None,
    }
}

/// What the error that a plugin answered `fire_due` with means.
pub(super) fn refusal(plugin: &str, fault: &Fault) -> Result<FireOutcome> {
    match fault.code {
        Code::NotFound => Ok(FireOutcome::NotFound),
        Code::Revoked => Ok(FireOutcome::Revoked),
        _ => Err(Error::new(
            ErrorKind::Foreign,
            format!("provider `{plugin}`: {}", brief(&fault.to_string(), MOST_WORDS)),
        )),
    }
}

fn fault(error: &Error) -> Fault {
    let code = match error.kind() {
        ErrorKind::NotFound => Code::NotFound,
        ErrorKind::Invalid => Code::Invalid,
        ErrorKind::Revoked => Code::Revoked,
        ErrorKind::Stopping => Code::Stopping,
        ErrorKind::Busy | ErrorKind::Unanswered | ErrorKind::NoSpace | ErrorKind::Io => Code::Unavailable,
        _ => Code::Generic,
    };
    Fault::new(code, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_make_up_the_whole_list() {
        let job = |n: usize| JobItem { id: format!("job-{n:06}"), next_at: None, due_at: None, paused: false };
        let all: Vec<JobItem> = (0..2 * LONGEST_PAGE + 7).map(job).collect();
        let (mut pages, mut got, mut after) = (0, Vec::new(), String::new());
        loop {
            let backwards = all.iter().rev().cloned().collect();
            let page = listed(backwards, Some(after.clone())).expect("a page");
            let JobPage { jobs, more } = serde_json::from_value(page).expect("a page");
            after.clone_from(&jobs.last().expect("a job").id);
            pages += 1;
            got.extend(jobs);
            if !more {
                break;
            }
        }
        assert_eq!((pages, got), (3, all.clone()));
        assert_eq!(listed(all.clone(), None), Ok(json!(all)));
        assert_eq!(listed(all, Some("job-1".into())), Ok(json!({"jobs": [], "more": false})));
    }
}
