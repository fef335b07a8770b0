//! The JSON store on a disk that loses what was not synced, at every moment and in every way: what was answered is there, and
//! nothing of it twice.
//!
//! `life` is what happens on the disk, `after` is what must be true of what is left. Which parts of unsynced writes are lost
//! is drawn from seeds, so a failure comes back.

mod after;
mod life;

use std::{io, sync::Arc};

use scheduler_core::{
    Clock, ErrorKind, Home, Result,
    store::{JsonStore, JsonStoreOptions},
    testing::{CrashFs, Loss, ManualClock, Moment},
};

use self::{
    after::{Found, recover},
    life::{Life, live},
};

fn on_a_runtime<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

/// Cuts the power at `moment` of `life`, and checks what is left: it is what had been written up to some step, no earlier than
/// the last one that was answered as durable.
async fn check(life: &Life, moment: &Moment, loss: Loss) {
    let reached = moment.reached() as usize;
    let context = format!("{loss:?} {}", life.place(reached));
    let found = match recover(&moment.after(loss), life, reached).await {
        Found::Opened(found) => found,
        Found::Refused(error) => panic!("{context}: the power was cut and the store is refused: {error:#}"),
    };
    let earliest = life.durable_before(reached);
    let candidates = earliest..=(reached + 1).min(life.steps.len() - 1);
    let edit = life.steps[*candidates.end()].book.as_ref().expect("it was watched");
    let is_left = |step: usize| {
        let before = life.steps[step].book.as_ref().expect("it was watched");
        found.book == *before || found.book.is_edited(before, edit)
    };
    if !candidates.clone().any(is_left) {
        let nearest = &life.steps[reached].book;
        panic!("{context}: what is left is none of {candidates:?}:\nfound {:#?}\nwas {nearest:#?}", found.book);
    }
}

#[test]
fn a_power_cut_at_any_moment_leaves_what_was_answered_and_starts_nothing_twice() {
    on_a_runtime(async {
        let disk = CrashFs::default();
        disk.record();
        let life = live(&disk, true).await.expect("nothing fails here");
        let moments = disk.moments();
        let last_write = moments.iter().rposition(|moment| moment.written() > 0);
        let (mut cuts, mut torn) = (0, 0);
        for (n, moment) in moments.iter().enumerate() {
            let seeds = (0..8).map(|draw| Loss::Some(draw * 1_000_003 + n as u64));
            for loss in [Loss::Nothing, Loss::Everything].into_iter().chain(seeds) {
                check(&life, moment, loss).await;
                cuts += 1;
            }
            // The last write is torn at every byte, those before it here and there.
            let every = if Some(n) == last_write { 1 } else { 9 };
            for kept in (0..moment.written()).step_by(every) {
                check(&life, moment, Loss::Torn(kept)).await;
                torn += 1;
            }
        }
        println!(
            "{} steps, {} moments: {cuts} power cuts and {torn} torn writes, each recovered and lived on with",
            life.steps.len() - 1,
            moments.len(),
        );
        assert!(cuts > 1000 && torn > 1000, "{cuts} cuts and {torn} torn writes are too few to mean anything");
    });
}

/// Lets every call of a life fail in turn with `error`, every fourth also together with the next two, and cuts the power in the end.
#[expect(clippy::print_stdout, reason = "how much was looked at is the result")]
fn every_call_fails_once(error: io::ErrorKind) {
    on_a_runtime(async {
        let calls = {
            let disk = CrashFs::default();
            live(&disk, false).await.expect("nothing fails here");
            disk.calls()
        };
        let (mut lives, mut given_up, mut recovered, mut refused) = (0, 0, 0, 0);
        for call in 0..calls {
            for together in if call % 4 == 0 { &[1, 3][..] } else { &[1] } {
                let disk = CrashFs::default();
                disk.fail(call, *together, error);
                let context = format!("{error:?} at call {call}, {together} in a row");
                lives += 1;
                let Some(life) = live(&disk, false).await else {
                    given_up += 1;
                    continue;
                };
                disk.record();
                disk.mark(life.steps.len() as u64 - 1);
                let moment = disk.moments().remove(0);
                for loss in [Loss::Nothing, Loss::Everything, Loss::Some(call)] {
                    match recover(&moment.after(loss), &life, life.steps.len() - 1).await {
                        Found::Opened(_) => recovered += 1,
                        Found::Refused(why) => {
                            let clear = why.kind() == ErrorKind::Corrupt && why.hint_text().is_some();
                            assert!(clear && loss != Loss::Nothing, "{context}, {loss:?}: {why:#}");
                            refused += 1;
                        }
                    }
                }
            }
        }
        println!(
            "{calls} calls: {lives} lives with a failure, {given_up} ended by it; {recovered} recoveries, {refused} refused"
        );
        assert!(recovered > 500, "{recovered} recoveries are too few to mean anything");
        assert!(given_up * 20 < lives, "{given_up} of {lives} lives ended by one failure");
    });
}

#[test]
fn a_disk_that_fails_at_any_call_costs_no_promise() {
    every_call_fails_once(io::ErrorKind::Other);
}

#[test]
fn a_disk_that_is_full_at_any_call_costs_no_promise() {
    every_call_fails_once(io::ErrorKind::StorageFull);
}

/// A store on `disk`, as a process of its own has it.
fn store_on(disk: &CrashFs, clock: &Arc<ManualClock>) -> Result<Arc<JsonStore>> {
    let clock: Arc<dyn Clock> = Arc::clone(clock) as _;
    let options = JsonStoreOptions::new(Home::new("/home"), clock);
    JsonStore::open(&options.with_fs(Arc::new(disk.clone()))).map(Arc::new)
}
