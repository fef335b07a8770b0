//! The claim protocol, checked in every order of events there is: processes that plan, claim, start, die and come back, and
//! answers that get lost.
//!
//! | file | what it is |
//! |---|---|
//! | `state` | what is written down, and what each process remembers |
//! | `book` | what a store does to what is written down: the real `transition`, and each way to get it wrong |
//! | `protocol` | who may do what next: the real `plan`, and the moves of processes, children and the clock |
//! | `properties` | what must be true of every state |
//!
//! A model that can't fail proves nothing, so every rule of the protocol is also taken away, and the checker must find what
//! that costs: the shortest course of events to it is part of the test.

mod book;
mod properties;
mod protocol;
mod state;

use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use scheduler_core::job::Overlap;
use stateright::{Checker as _, HasDiscoveries, Model as _};

use self::{book::Flaw, protocol::Protocol, state::State};

/// Whatever `protocol` can do keeps every property; from every state it can still bring everything to an end; and what it is
/// here to survive does happen.
#[expect(clippy::print_stdout, reason = "how much was looked at is the result")]
fn keeps_every_promise(name: &str, protocol: &Protocol) {
    let checker = protocol.clone().checker().threads(2).spawn_bfs().join();
    println!(
        "{name}: {} states, {} steps, {} deep",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth()
    );
    checker.assert_properties();
    assert!(checker.unique_state_count() > 10_000, "too little to mean anything");
    let (states, stuck) = states_without_an_end(protocol);
    assert_eq!(states, checker.unique_state_count(), "both have looked at everything");
    assert!(stuck.is_none(), "from here what was admitted can never end: {stuck:#?}");
}

/// All states, and one from which no course of events leads to the end of everything that was admitted.
fn states_without_an_end(protocol: &Protocol) -> (usize, Option<State>) {
    let (mut known, mut states, mut before) = (HashMap::new(), Vec::new(), Vec::<Vec<usize>>::new());
    let mut waiting: VecDeque<usize> = VecDeque::new();
    let mut index =
        |state: State, states: &mut Vec<State>, before: &mut Vec<Vec<usize>>, waiting: &mut VecDeque<usize>| {
            *known.entry(fingerprint(&state)).or_insert_with(|| {
                states.push(state);
                before.push(Vec::new());
                waiting.push_back(states.len() - 1);
                states.len() - 1
            })
        };
    for state in protocol.init_states() {
        index(state, &mut states, &mut before, &mut waiting);
    }
    while let Some(from) = waiting.pop_front() {
        for next in protocol.next_states(&states[from]) {
            let to = index(next, &mut states, &mut before, &mut waiting);
            before[to].push(from);
        }
    }
    let mut ends = vec![false; states.len()];
    let mut reached: Vec<usize> = (0..states.len()).filter(|n| states[*n].is_all_over()).collect();
    while let Some(one) = reached.pop() {
        if !std::mem::replace(&mut ends[one], true) {
            reached.extend(&before[one]);
        }
    }
    let stuck = ends.iter().position(|ends| !ends).map(|stuck| states.swap_remove(stuck));
    (ends.len(), stuck)
}

/// As the checker tells states apart.
fn fingerprint(state: &State) -> u64 {
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    hasher.finish()
}

/// In `protocol`, which is flawed, the checker finds that `property` doesn't hold: by this course of events, and by no
/// shorter one.
fn must_fail(protocol: &Protocol, property: &'static str, trace: &[&str]) {
    let found = (1..20).find_map(|depth| {
        let only = HasDiscoveries::AnyOf([property].into());
        let checker = protocol.clone().checker().threads(1).finish_when(only).target_max_depth(depth);
        checker.spawn_bfs().join().discovery(property)
    });
    let found = found.unwrap_or_else(|| panic!("{:?} costs nothing: `{property}` holds", protocol.flaw));
    let words: Vec<String> = found.into_actions().iter().map(ToString::to_string).collect();
    assert_eq!(words, trace, "{:?}", protocol.flaw);
}

/// What a flaw needs to show: one instant, one death, one claim that gets old.
fn flawed(flaw: Flaw) -> Protocol {
    Protocol { flaw: Some(flaw), minutes: 1, lost_answers: 0, ..Protocol::default() }
}

#[test]
fn two_processes_one_of_which_dies_and_lost_answers_keep_every_promise() {
    keeps_every_promise("a death and a lost answer", &Protocol { lapses: 0, ..Protocol::default() });
}

#[test]
fn two_deaths_a_lost_answer_and_a_zombie_keep_every_promise() {
    let protocol = Protocol { minutes: 1, crashes: 2, ..Protocol::default() };
    keeps_every_promise("two deaths and a zombie", &protocol);
}

#[test]
fn the_same_holds_where_runs_of_a_job_may_overlap() {
    let protocol = Protocol { overlap: Overlap::Allow, lost_answers: 0, lapses: 0, ..Protocol::default() };
    keeps_every_promise("overlap allowed", &protocol);
}

#[test]
fn the_same_holds_for_three_processes_and_a_clock_that_is_set_back() {
    let protocol = Protocol { nodes: 3, minutes: 1, lost_answers: 0, clock_steps: 1, ..Protocol::default() };
    keeps_every_promise("three processes and a clock set back", &protocol);
}

#[test]
#[ignore = "millions of states: minutes of work in a release build"]
fn the_same_holds_for_all_of_it_at_once() {
    keeps_every_promise("all at once, overlap forbidden", &Protocol { clock_steps: 1, ..Protocol::default() });
    let protocol = Protocol { overlap: Overlap::Allow, ..Protocol::default() };
    keeps_every_promise("all at once, overlap allowed", &protocol);
}

#[test]
fn a_process_that_spawns_before_its_start_is_durable_starts_an_instant_twice() {
    must_fail(
        &flawed(Flaw::SpawnBeforeStart),
        properties::STARTED_ONCE,
        &[
            "a minute passes",
            "1 plans",
            "1 admits",
            "1 spawns #0",
            "the claim of #0 gets old",
            "1 claims #0",
            "1 spawns #0",
        ],
    );
}

#[test]
fn a_store_that_takes_a_running_claim_back_for_its_age_starts_an_instant_twice() {
    must_fail(
        &flawed(Flaw::ReclaimRunning),
        properties::STARTED_ONCE,
        &[
            "a minute passes",
            "1 plans",
            "1 admits",
            "1 starts #0",
            "1 spawns #0",
            "the claim of #0 gets old",
            "1 claims #0",
            "1 starts #0",
            "1 spawns #0",
        ],
    );
}

#[test]
fn a_store_that_believes_whoever_tells_an_end_records_one_of_a_run_that_goes_on() {
    must_fail(
        &flawed(Flaw::UnfencedFinish),
        properties::NOT_OVER_WHILE_IT_LIVES,
        &[
            "a minute passes",
            "1 plans",
            "1 admits",
            "the claim of #0 gets old",
            "0 claims #0",
            "0 starts #0",
            "0 spawns #0",
            "1 finishes #0",
        ],
    );
}

#[test]
fn a_store_that_admits_and_leaves_the_cursor_starts_an_instant_twice() {
    let protocol = Protocol { overlap: Overlap::Allow, ..flawed(Flaw::CursorStays) };
    must_fail(
        &protocol,
        properties::STARTED_ONCE,
        &[
            "a minute passes",
            "0 plans",
            "0 admits",
            "0 starts #0",
            "0 spawns #0",
            "1 plans",
            "1 admits",
            "1 starts #1",
            "1 spawns #1",
        ],
    );
}

#[test]
fn a_store_that_admits_without_comparing_the_cursor_starts_an_instant_twice() {
    let protocol = Protocol { overlap: Overlap::Allow, ..flawed(Flaw::CursorNotCompared) };
    must_fail(
        &protocol,
        properties::STARTED_ONCE,
        &[
            "a minute passes",
            "0 plans",
            "1 plans",
            "1 admits",
            "0 admits",
            "0 starts #1",
            "0 spawns #1",
            "1 starts #0",
            "1 spawns #0",
        ],
    );
}

#[test]
fn a_cursor_that_moves_before_the_occurrence_is_written_loses_an_instant() {
    must_fail(&flawed(Flaw::CursorFirst), properties::SETTLED_ONCE, &["a minute passes", "1 plans"]);
}

#[test]
fn a_store_that_starts_whoever_asks_starts_an_instant_twice() {
    must_fail(
        &flawed(Flaw::UnfencedStart),
        properties::STARTED_ONCE,
        &[
            "a minute passes",
            "1 plans",
            "1 admits",
            "the claim of #0 gets old",
            "0 claims #0",
            "1 starts #0",
            "0 starts #0",
            "0 spawns #0",
            "1 spawns #0",
        ],
    );
}

#[test]
fn a_recovery_that_does_not_look_for_the_child_lets_two_runs_overlap() {
    let protocol = Protocol { minutes: 2, ..flawed(Flaw::ChildNotLookedFor) };
    must_fail(
        &protocol,
        properties::ALONE,
        &[
            "a minute passes",
            "a minute passes",
            "0 plans",
            "0 admits",
            "0 starts #0",
            "0 spawns #0",
            "0 dies",
            "1 judges #0",
            "1 settles",
            "1 claims #1",
            "1 starts #1",
            "1 spawns #1",
        ],
    );
}
