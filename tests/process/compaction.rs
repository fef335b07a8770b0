//! Compaction beside processes that are at work, and processes that are killed at it.

use std::{collections::BTreeSet, fs, sync::Arc, thread, time::Duration};

use scheduler_core::{
    Home, JobStore as _, OccurrenceKind, SystemClock,
    store::{Ask, JsonStore, JsonStoreOptions, LedgerEntry, LedgerQuery},
};

use super::bench::{Place, eventually};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

fn store(place: &Place, compact_at: Option<u64>) -> JsonStore {
    let options = JsonStoreOptions::new(Home::new(place.home()), Arc::new(SystemClock));
    JsonStore::open(&options.with_compaction(compact_at)).expect("a store")
}

/// The history of the home, in which no run may be told twice.
fn history(place: &Place) -> Vec<LedgerEntry> {
    let entries = block_on(store(place, None).ledger(LedgerQuery::default())).expect("a history");
    let mut seen = BTreeSet::new();
    for run in entries.iter().filter_map(LedgerEntry::run) {
        assert!(seen.insert(run.clone()), "{run} is told twice");
    }
    entries
}

fn generations(place: &Place) -> Vec<String> {
    let names =
        fs::read_dir(place.home().join("state")).expect("a folder").map(|entry| entry.expect("a name").file_name());
    let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    names.retain(|name| name.starts_with("journal.") || name.starts_with("snapshot."));
    names.sort();
    names
}

#[test]
fn a_daemon_fires_on_while_another_process_compacts_its_home_over_and_over() {
    let place = Place::beating();
    let ids = ["a", "b", "c"];
    place.write_jobs(&ids.map(|id| place.job(id, "* * * * * *", "")));
    let mut daemon = place.daemon();
    place.until_started("a", 1);
    let other = store(&place, None);
    for n in 2..6 {
        for _ in 0..5 {
            block_on(other.compact()).expect("a compaction");
        }
        place.until_started("a", n);
    }
    daemon.stop();
    assert!(!daemon.log().contains("ERROR"), "{}", daemon.log());
    for id in ids {
        place.no_instant_twice(id);
        let ran = history(&place).iter().filter(|entry| entry.job.as_str() == id && entry.run().is_some()).count();
        assert_eq!(ran, place.effects(id).len(), "every start is in the history");
    }
    assert_eq!(generations(&place), ["journal.21", "snapshot.21.jsonl"]);
}

#[test]
fn a_daemon_killed_while_it_compacts_loses_nothing_and_the_next_one_gets_it_done() {
    let place = Place::beating();
    place.write_jobs(&[place.job("job", "@manually", "")]);
    // So much that a daemon compacts it as soon as it has written a word. Asked for while it is paused, each is one entry.
    let much = 60_000;
    place.ok(&["list"]);
    let filling = store(&place, None);
    let asked = async |n: u32| {
        let job = "job".parse().expect("an id");
        let ask = Ask { job, kind: OccurrenceKind::Manual, key: format!("{n}"), force: false };
        filling.ask(ask).await.expect("asked");
    };
    block_on(async {
        filling.pause(vec!["job".parse().expect("an id")], None, None).await.expect("paused");
        for piece in 0..much / 4000 {
            let asking: Vec<_> = (0..4000).map(|n| asked(piece * 4000 + n)).collect();
            futures_of(asking).await;
        }
        filling.close().await.expect("closed");
    });
    assert!(fs::metadata(place.home().join("state/journal.1")).expect("a journal").len() > 8 << 20);
    let mut moment: u64 = 0x2545_f491;
    for _ in 0..8 {
        let mut daemon = place.start(&["run"]);
        // A moment, not a wait: spread over the time that a compaction takes here.
        moment = moment.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        thread::sleep(Duration::from_millis(100 + (moment >> 33) % 1500));
        daemon.kill();
        assert_eq!(history(&place).len(), much as usize);
    }
    let mut daemon = place.daemon();
    eventually("a compaction that gets to its end", || match generations(&place).as_slice() {
        [journal, _] if journal != "journal.1" => Ok(()),
        some => Err(format!("{some:?}")),
    });
    daemon.stop();
    assert_eq!(history(&place).len(), much as usize);
    assert_eq!(block_on(store(&place, None).jobs()).expect("jobs").len(), 1);
}

/// All of them at once, on one task: the store makes one frame of those that wait together.
async fn futures_of(mut all: Vec<impl Future<Output = ()>>) {
    let mut all: Vec<_> = all.drain(..).map(Box::pin).collect();
    std::future::poll_fn(|context| {
        all.retain_mut(|one| one.as_mut().poll(context).is_pending());
        if all.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}
