//! Every step from every state, as a table: what is not listed is refused.

use super::*;

fn occurrence(state: State) -> Occurrence {
    let id = OccurrenceId::scheduled("job".parse().unwrap(), 1, Timestamp::UNIX_EPOCH);
    let mut occurrence = Occurrence::queued(id, RunId::new("run"), Timestamp::UNIX_EPOCH, Cause::OnTime);
    occurrence.epoch = u32::from(state != State::Queued);
    occurrence.state = state;
    occurrence
}

fn claimed() -> Claimed {
    Claimed { owner: OwnerId::new("owner"), token: Token::new("token") }
}

fn process() -> ProcessRef {
    ProcessRef { pid: 7, start_time: 7, boot_id: "boot".into() }
}

fn retry() -> Retry {
    Retry { run: RunId::new("again"), not_before: "2026-01-01T00:00:00Z".parse().unwrap() }
}

fn states() -> [(&'static str, State); 6] {
    [
        ("queued", State::Queued),
        ("claimed", State::Claimed(claimed())),
        ("running", State::Running(claimed(), None)),
        ("spawned", State::Running(claimed(), Some(process()))),
        ("orphaned", State::Orphaned(Some(process()))),
        ("closed", State::Closed(Closing::Cancelled)),
    ]
}

fn changes() -> Vec<(&'static str, Change)> {
    let finish =
        |result, retry| Change::Finish { token: Token::new("token"), epoch: 1, outcome: Outcome::new(result), retry };
    let abandon = |result, retry| Change::Abandon { epoch: 1, outcome: Outcome::new(result), retry };
    vec![
        ("claim", Change::Claim(claimed())),
        ("requeue", Change::Requeue { epoch: 1 }),
        ("start", Change::Start { token: Token::new("token"), epoch: 1 }),
        ("note process", Change::Spawned { token: Token::new("token"), process: process() }),
        ("finish", finish(RunResult::Succeeded, None)),
        ("fail for good", finish(RunResult::Failed, None)),
        ("fail and retry", finish(RunResult::Failed, Some(retry()))),
        ("succeed and retry", finish(RunResult::Succeeded, Some(retry()))),
        ("stop and retry", finish(RunResult::Cancelled, Some(retry()))),
        ("orphan", Change::Orphan { epoch: 1, process: Some(process()) }),
        ("abandon", abandon(RunResult::Unknown, None)),
        ("abandon and retry", abandon(RunResult::Unknown, Some(retry()))),
        ("abandon as succeeded", abandon(RunResult::Succeeded, None)),
        ("cancel", Change::RequestCancel),
        ("replace", Change::Replace),
        ("skip", Change::Skip(SkipReason::Overlap)),
    ]
}

#[test]
fn exactly_these_steps_exist() {
    // state, change, the word for what follows
    let allowed = [
        ("queued", "claim", "claimed"),
        ("queued", "cancel", "cancelled"),
        ("queued", "skip", "skipped"),
        ("claimed", "requeue", "queued"),
        ("claimed", "start", "running"),
        ("claimed", "cancel", "cancelled"),
        ("claimed", "skip", "skipped"),
        ("running", "note process", "running"),
        ("running", "finish", "succeeded"),
        ("running", "fail for good", "failed"),
        ("running", "fail and retry", "queued"),
        ("running", "orphan", "orphaned"),
        ("running", "abandon", "unknown"),
        ("running", "abandon and retry", "queued"),
        ("running", "cancel", "running"),
        ("running", "replace", "running"),
        ("spawned", "finish", "succeeded"),
        ("spawned", "fail for good", "failed"),
        ("spawned", "fail and retry", "queued"),
        ("spawned", "orphan", "orphaned"),
        ("spawned", "abandon", "unknown"),
        ("spawned", "abandon and retry", "queued"),
        ("spawned", "cancel", "running"),
        ("spawned", "replace", "running"),
        ("orphaned", "abandon", "unknown"),
        ("orphaned", "abandon and retry", "queued"),
        ("orphaned", "cancel", "orphaned"),
        ("orphaned", "replace", "orphaned"),
    ];
    for (state_name, state) in states() {
        for (change_name, change) in changes() {
            let after = transition(&occurrence(state.clone()), &change, Timestamp::UNIX_EPOCH);
            let expected = allowed.iter().find(|(s, c, _)| (*s, *c) == (state_name, change_name)).map(|(_, _, to)| *to);
            assert_eq!(
                after.as_ref().ok().map(Occurrence::word),
                expected,
                "{state_name} --{change_name}--> {after:?}"
            );
        }
    }
}

#[test]
fn a_wrong_token_or_epoch_fences_every_step_that_needs_one() {
    let token = || Token::new("stolen");
    let right = || Token::new("token");
    let outcome = || Outcome::new(RunResult::Succeeded);
    let wrong = [
        (State::Claimed(claimed()), Change::Start { token: token(), epoch: 1 }),
        (State::Claimed(claimed()), Change::Start { token: right(), epoch: 2 }),
        (State::Claimed(claimed()), Change::Requeue { epoch: 2 }),
        (State::Running(claimed(), None), Change::Spawned { token: token(), process: process() }),
        (State::Running(claimed(), None), Change::Finish { token: token(), epoch: 1, outcome: outcome(), retry: None }),
        (State::Running(claimed(), None), Change::Finish { token: right(), epoch: 2, outcome: outcome(), retry: None }),
        (State::Running(claimed(), None), Change::Orphan { epoch: 2, process: None }),
        (State::Orphaned(None), Change::Abandon { epoch: 2, outcome: Outcome::new(RunResult::Unknown), retry: None }),
    ];
    for (state, change) in wrong {
        let refused = transition(&occurrence(state), &change, Timestamp::UNIX_EPOCH);
        assert_eq!(refused, Err(Refused::Fenced), "{change:?}");
    }
}

#[test]
fn a_claim_taken_back_leaves_the_zombie_fenced_out() {
    let now = Timestamp::UNIX_EPOCH;
    let first = transition(&occurrence(State::Queued), &Change::Claim(claimed()), now).unwrap();
    let back = transition(&first, &Change::Requeue { epoch: first.epoch }, now).unwrap();
    let other = Claimed { owner: OwnerId::new("other"), token: Token::new("other") };
    let second = transition(&back, &Change::Claim(other), now).unwrap();
    let zombie = Change::Start { token: Token::new("token"), epoch: first.epoch };
    assert_eq!(transition(&second, &zombie, now), Err(Refused::Fenced));
}

#[test]
fn a_retry_is_another_attempt_at_the_same_occurrence_and_ends_with_the_last_one_if_it_never_starts() {
    let now = Timestamp::UNIX_EPOCH;
    let failed = || Outcome::failed("no space");
    let finish = Change::Finish { token: Token::new("token"), epoch: 1, outcome: failed(), retry: Some(retry()) };
    let before = occurrence(State::Running(claimed(), Some(process())));
    let again = transition(&before, &finish, now).unwrap();
    assert_eq!((&again.id, again.run.as_str(), again.attempt), (&before.id, "again", 2));
    assert_eq!((again.not_before, again.started_at, again.epoch), (Some(retry().not_before), None, 1));
    let last = Attempt { run: before.run.clone(), outcome: failed() };
    assert_eq!(again.last.as_deref(), Some(&last));
    assert_eq!(transition(&again, &finish, now), Err(Refused::WrongState), "the attempt before is over");

    let over = transition(&again, &Change::Skip(SkipReason::Superseded), now).unwrap();
    assert_eq!(over.state, State::Closed(Closing::GaveUp { reason: SkipReason::Superseded, last: Box::new(last) }));
    assert_eq!(over.word(), "failed");
    assert_eq!(transition(&again, &Change::RequestCancel, now).unwrap().word(), "cancelled");

    let unwanted = Occurrence { cancel_requested: true, ..before };
    assert_eq!(transition(&unwanted, &finish, now), Err(Refused::WrongState), "who cancelled it wants no other");
}

#[test]
fn steps_of_older_journals_are_read_as_they_were_meant() {
    for line in [
        r#"{"finish":{"token":"token","epoch":1,"outcome":{"result":"failed"}}}"#,
        r#"{"abandon":{"epoch":1,"outcome":{"result":"unknown"}}}"#,
    ] {
        let change: Change = serde_json::from_str(line).unwrap();
        let after = transition(&occurrence(State::Running(claimed(), None)), &change, Timestamp::UNIX_EPOCH).unwrap();
        assert!(matches!(after.state, State::Closed(Closing::Ran(_))), "{line}");
        assert_eq!(serde_json::to_string(&change).unwrap(), line);
    }
}

#[test]
fn what_was_cancelled_is_not_claimed_or_started() {
    for (state, change) in [
        (State::Queued, Change::Claim(claimed())),
        (State::Claimed(claimed()), Change::Start { token: Token::new("token"), epoch: 1 }),
    ] {
        let mut before = occurrence(state);
        before.cancel_requested = true;
        assert_eq!(transition(&before, &change, Timestamp::UNIX_EPOCH), Err(Refused::CancelRequested));
    }
}

#[test]
fn every_change_survives_its_journal_line() {
    for (name, change) in changes() {
        let line = serde_json::to_string(&change).unwrap();
        assert_eq!(serde_json::from_str::<Change>(&line).unwrap(), change, "{name}: {line}");
    }
}
