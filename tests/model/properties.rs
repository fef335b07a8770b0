//! What must be true of every state, and what must happen in some: the second keeps the first from being true of nothing.

use scheduler_core::{
    RunResult,
    job::Overlap,
    occurrence::{Closing, State as Stand},
};
use stateright::Property;

use super::{
    book::was_told,
    protocol::Protocol,
    state::{Row, Stage, State},
};

pub(super) const STARTED_ONCE: &str = "an instant is started at most once";
pub(super) const SETTLED_ONCE: &str = "every instant before the cursor is settled once, and none after it";
pub(super) const TOLD_BY_ITS_STARTER: &str = "the end of a run is told by whoever started it";
pub(super) const ALONE: &str = "where overlap is forbidden one child lives at a time";
pub(super) const NOT_OVER_WHILE_IT_LIVES: &str = "nothing is over while its child lives";
const DURABLE_BEFORE_SPAWN: &str = "a child has a start on record";

pub(super) fn properties(protocol: &Protocol) -> Vec<Property<Protocol>> {
    let mut properties: Vec<Property<Protocol>> = vec![
        Property::always(STARTED_ONCE, |_: &Protocol, state: &State| {
            state.settlements().all(|(at, _)| {
                let rows = state.rows.iter().filter(|row| row.occurrence.at == at);
                rows.map(|row| row.spawned).sum::<u8>() <= 1
            })
        }),
        Property::always(SETTLED_ONCE, |_, state: &State| {
            state.settlements().all(|(at, times)| times == usize::from(at < state.next_at))
        }),
        Property::always(TOLD_BY_ITS_STARTER, |_, state: &State| {
            state.rows.iter().all(|row| !was_told(row) || row.ended_by == row.started_by)
        }),
        Property::always(ALONE, |protocol, state: &State| {
            protocol.overlap != Overlap::Forbid || state.rows.iter().map(|row| row.living).sum::<u8>() <= 1
        }),
        Property::always(NOT_OVER_WHILE_IT_LIVES, |_, state: &State| {
            state.rows.iter().all(|row| !row.is_over() || row.living == 0)
        }),
        Property::always(DURABLE_BEFORE_SPAWN, |_, state: &State| {
            state.rows.iter().all(|row| row.spawned == 0 || row.started_by.is_some())
        }),
        Property::sometimes("a run outlives its owner", |_, state: &State| {
            state.rows.iter().any(|row| matches!(row.occurrence.state, Stand::Orphaned(_)) && row.living > 0)
        }),
        Property::sometimes("a start without a run is unknown", |_, state: &State| {
            state.rows.iter().any(|row| row.spawned == 0 && is_unknown(row))
        }),
        Property::sometimes("what a dead owner had not started runs", |_, state: &State| {
            state.rows.iter().any(|row| row.occurrence.epoch > 1 && was_told(row))
        }),
    ];
    if protocol.minutes > 1 {
        properties.push(Property::sometimes("every instant runs", |_, state: &State| {
            state.rows.len() > 1 && state.rows.iter().all(was_told)
        }));
    }
    if protocol.lapses > 0 {
        properties.push(Property::sometimes("a zombie holds what somebody else runs", |_, state: &State| {
            let held = state.nodes.iter().flat_map(|node| &node.held);
            let mut stale = held.filter(|held| state.rows[held.row].occurrence.epoch > held.epoch);
            stale.any(|held| held.stage == Stage::Claimed && state.rows[held.row].living == 1)
        }));
    }
    properties
}

fn is_unknown(row: &Row) -> bool {
    matches!(&row.occurrence.state, Stand::Closed(Closing::Ran(outcome)) if outcome.result == RunResult::Unknown)
}
