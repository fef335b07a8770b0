//! A compaction changes nothing but files: what a store tells is the same before, during and after, wherever it stops.

use std::{
    io,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

use jiff::{Timestamp, ToSpan as _};

use super::*;
use crate::{
    OccurrenceKind,
    audit::AuditQuery,
    store::{Ask, Asked, LedgerEntry, json::Retention},
    vfs::{Lock, Stat, VfsFile},
};

/// All that a store tells.
async fn picture(store: &JsonStore) -> String {
    let jobs = store.jobs().await.unwrap();
    let ledger = store.ledger(LedgerQuery::default()).await.unwrap();
    let problems = store.problems().await.unwrap();
    format!("{jobs:#?}\n{ledger:#?}\n{problems:#?}")
}

fn by_hand(job: &str, key: &str) -> Ask {
    Ask { job: id(job), kind: OccurrenceKind::Manual, key: key.into(), force: false }
}

/// A run of `job` from the asking to its end.
async fn run(store: &JsonStore, job: &str, key: &str, result: RunResult) {
    let Asked::Queued(run) = store.ask(by_hand(job, key)).await.unwrap() else { panic!("it is new") };
    let claim = store.claim(vec![run], LIMITS).await.unwrap().remove(0).expect("a place");
    assert!(matches!(store.start(&claim, LIMITS).await.unwrap(), Start::Go(_)));
    assert_ne!(store.finish(&claim, Outcome::new(result)).await.unwrap(), Settled::Lost);
}

/// A home in which everything has happened, and the claim of the run that is open.
async fn eventful() -> (Bench, JsonStore, Claim) {
    let bench = Bench::new();
    let store = bench.store();
    for name in ["open", "paused", "removed", "ran"] {
        store.define(job(name)).await.unwrap();
    }
    run(&store, "ran", "one", RunResult::Succeeded).await;
    bench.minute();
    let plans = bench.plans(&store).await;
    let claims: Vec<Claim> = store.admit(plans, LIMITS).await.unwrap().into_iter().flatten().flatten().collect();
    let of = |job: &str| claims.iter().find(|claim| claim.id.job == id(job)).cloned().unwrap();
    assert!(matches!(store.start(&of("open"), LIMITS).await.unwrap(), Start::Go(_)));
    assert!(matches!(store.start(&of("ran"), LIMITS).await.unwrap(), Start::Go(_)));
    assert_ne!(store.finish(&of("ran"), Outcome::new(RunResult::Failed)).await.unwrap(), Settled::Lost);
    store.pause(vec![id("paused")], None, Some("moving".into())).await.unwrap();
    store.define(Edit::Remove(vec![id("removed")])).await.unwrap();
    store.housekeep(Some("boot".into())).await.unwrap();
    (bench, store, of("open"))
}

fn names(home: &Home) -> Vec<String> {
    let mut names = RealFs.list(&home.state()).unwrap();
    names.retain(|name| name.starts_with("journal.") || name.starts_with("snapshot."));
    names.sort();
    names
}

#[tokio::test]
async fn a_store_goes_on_after_a_compaction_as_if_there_had_been_none() {
    let (bench, store, claim) = eventful().await;
    let (reader, before) = (bench.store(), picture(&store).await);
    store.compact().await.unwrap();
    assert_eq!(names(&bench.home), ["journal.2", "snapshot.2.jsonl"]);
    assert_eq!(RealFs.stat(&bench.home.journal(2)).unwrap().len, 0);
    for who in [&store, &reader, &bench.store()] {
        assert_eq!(picture(who).await, before);
    }
    let known = store.ask(by_hand("ran", "one")).await.unwrap();
    assert!(matches!(known, Asked::Known(_)), "an event that was seen is known still");
    assert!(reader.housekeep(Some("boot".into())).await.unwrap().is_empty(), "and so is the boot");
    assert_ne!(
        store.finish(&claim, Outcome::new(RunResult::Succeeded)).await.unwrap(),
        Settled::Lost,
        "a claim goes on"
    );
    run(&reader, "ran", "two", RunResult::Succeeded).await;
    assert_eq!(picture(&store).await, picture(&bench.store()).await);
    reader.compact().await.unwrap();
    reader.compact().await.unwrap();
    assert_eq!(names(&bench.home), ["journal.4", "snapshot.4.jsonl"]);
    assert_eq!(picture(&store).await, picture(&bench.store()).await);
    let removed = store.define(job("removed")).await.unwrap().remove(0);
    assert_eq!(removed.incarnation, 2, "a removed job's life doesn't come again");
}

#[tokio::test]
async fn what_is_written_while_a_snapshot_is_built_is_in_the_new_journal() {
    let (bench, store, claim) = eventful().await;
    let store = Arc::new(store);
    let compacting = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            for _ in 0..5 {
                store.compact().await.unwrap();
            }
        }
    });
    let others = bench.store();
    for n in 0..50 {
        let who = if n % 2 == 0 { &others } else { &*store };
        run(who, "ran", &format!("run {n}"), RunResult::Succeeded).await;
    }
    compacting.await.unwrap();
    store.compact().await.unwrap();
    assert_ne!(store.finish(&claim, Outcome::new(RunResult::Succeeded)).await.unwrap(), Settled::Lost);
    let entries = others.ledger(LedgerQuery::default()).await.unwrap();
    let mut runs: Vec<&str> = entries.iter().filter_map(|entry| entry.run()).map(crate::RunId::as_str).collect();
    runs.sort_unstable();
    let all = runs.len();
    runs.dedup();
    assert_eq!(runs.len(), all, "nothing is told twice");
    assert_eq!(entries.iter().filter(|entry| entry.job == id("ran")).count(), 52);
}

#[tokio::test]
async fn a_copy_taken_at_any_moment_is_a_whole_store() {
    let (bench, store, _) = eventful().await;
    let copying = std::thread::spawn({
        let home = bench.home.clone();
        move || {
            let copy = |n: usize| {
                let copy = Home::new(home.path().with_file_name(format!("copy-{n}")));
                super::super::copy_home(&RealFs, &home, &copy).unwrap();
                copy
            };
            (0..20).map(copy).collect::<Vec<Home>>()
        }
    });
    let mut n = 0;
    while !copying.is_finished() {
        run(&store, "ran", &format!("run {n}"), RunResult::Succeeded).await;
        store.compact().await.unwrap();
        n += 1;
    }
    let whole = store.ledger(LedgerQuery::default()).await.unwrap();
    for home in copying.join().unwrap() {
        let clock: Arc<dyn Clock> = Arc::clone(&bench.clock) as Arc<dyn Clock>;
        let copy = JsonStore::open(&JsonStoreOptions::new(home, clock)).unwrap();
        let entries = copy.ledger(LedgerQuery::default()).await.unwrap();
        assert!(entries.len() >= 3 && whole.starts_with(&entries), "{entries:#?}");
        assert_eq!(copy.jobs().await.unwrap().len(), 3);
        copy.compact().await.unwrap();
    }
}

#[tokio::test]
async fn a_compaction_that_stops_anywhere_leaves_a_whole_store_and_the_next_one_clears_up() {
    for steps in 0.. {
        let (bench, store, _) = eventful().await;
        store.compact().await.unwrap();
        run(&store, "ran", "two", RunResult::Succeeded).await;
        let before = picture(&store).await;
        let disk = Dying::default();
        let clock: Arc<dyn Clock> = Arc::clone(&bench.clock) as Arc<dyn Clock>;
        let options = JsonStoreOptions::new(bench.home.clone(), clock).with_fs(Arc::new(disk.clone()));
        let dying = JsonStore::open(&options).unwrap();
        disk.0.store(steps, Ordering::SeqCst);
        let _ = dying.compact().await;
        let died = disk.0.load(Ordering::SeqCst) == 0;
        drop(dying);
        assert_eq!(picture(&store).await, before, "after {steps} steps, to who was there");
        let fresh = bench.store();
        assert_eq!(picture(&fresh).await, before, "after {steps} steps");
        run(&fresh, "ran", "three", RunResult::Succeeded).await;
        let before = picture(&fresh).await;
        fresh.compact().await.unwrap();
        assert_eq!(picture(&bench.store()).await, before, "after {steps} steps and the next one");
        assert_eq!(names(&bench.home).len(), 2, "after {steps} steps: {:?}", names(&bench.home));
        if !died {
            assert!(steps > 20, "there are more steps than {steps}");
            break;
        }
    }
}

#[tokio::test]
async fn the_journal_is_compacted_when_it_has_grown_and_a_full_disk_is_a_problem_that_is_shown() {
    let bench = Bench::new();
    let clock: Arc<dyn Clock> = Arc::clone(&bench.clock) as Arc<dyn Clock>;
    let options = JsonStoreOptions::new(bench.home.clone(), clock).with_fs(Arc::new(bench.disk.clone()));
    let store = JsonStore::open(&options.clone().with_compaction(Some(2000))).unwrap();
    store.define(job("ran")).await.unwrap();
    for n in 0..20 {
        run(&store, "ran", &n.to_string(), RunResult::Succeeded).await;
    }
    store.close().await.unwrap();
    assert_ne!(names(&bench.home)[0], "journal.1");
    let store = JsonStore::open(&options).unwrap();
    assert_eq!(finished(&store).await, 20);
    bench.disk.fill(true);
    assert_eq!(store.compact().await.unwrap_err().kind(), ErrorKind::NoSpace);
    assert!(store.problems().await.unwrap()[0].what.contains("the journal can't be compacted"));
    bench.disk.fill(false);
    store.compact().await.unwrap();
    assert!(store.problems().await.unwrap().is_empty());
    assert_eq!(finished(&store).await, 20);
}

#[tokio::test]
async fn the_history_is_read_from_the_newest_on_across_journal_and_ledger() {
    let bench = Bench::new();
    let store = bench.store();
    store.define(Edit::Add(vec![json!({"id": "a", "schedule": "@manually", "command": "x"})])).await.unwrap();
    store.define(Edit::Add(vec![json!({"id": "b", "schedule": "@manually", "command": "x"})])).await.unwrap();
    let mut whole: Vec<LedgerEntry> = Vec::new();
    for n in 0..30 {
        let result = if n % 7 == 0 { RunResult::Failed } else { RunResult::Succeeded };
        run(&store, if n % 3 == 0 { "a" } else { "b" }, &n.to_string(), result).await;
        whole.push(store.ledger(LedgerQuery { last: Some(1), ..LedgerQuery::default() }).await.unwrap().remove(0));
        bench.clock.advance(Duration::from_hours(5));
        if n % 4 == 0 {
            store.compact().await.unwrap();
        }
    }
    assert_eq!(store.ledger(LedgerQuery::default()).await.unwrap(), whole);
    for last in [0, 1, 2, 3, 10, 29, 30, 31] {
        for job in [None, Some(id("a"))] {
            let (failed, one) = (LedgerQuery::default(), LedgerQuery::default());
            let failed = LedgerQuery { ends: vec!["failed", "skipped"], ..failed };
            let one = LedgerQuery { run: whole[9].run().cloned(), ..one };
            let since = LedgerQuery { since: Some(whole[11].at), ..LedgerQuery::default() };
            for query in [LedgerQuery::default(), failed, one, since] {
                let query = LedgerQuery { job: job.clone(), last: Some(last), ..query };
                let wanted: Vec<&LedgerEntry> = whole.iter().filter(|entry| query.wants(entry)).collect();
                let expected: Vec<LedgerEntry> =
                    wanted[wanted.len().saturating_sub(last)..].iter().map(|entry| (*entry).clone()).collect();
                assert_eq!(store.ledger(query.clone()).await.unwrap(), expected, "{query:?}");
            }
        }
    }
}

#[tokio::test]
async fn what_definitions_were_in_force_when_can_be_told_for_ever() {
    let (bench, store, _) = eventful().await;
    store.compact().await.unwrap();
    store.resume(vec![id("paused")]).await.unwrap();
    store.compact().await.unwrap();
    run(&store, "ran", "two", RunResult::Succeeded).await;
    store.compact().await.unwrap();
    let file = |generation: u64| bench.home.ledger().join(format!("definitions.{generation}.jsonl"));
    let kinds = |generation: u64| -> Vec<String> {
        let text = String::from_utf8(RealFs.read(&file(generation)).unwrap()).unwrap();
        text.lines().map(|line| line.split('"').nth(1).unwrap().to_owned()).collect()
    };
    assert_eq!(kinds(2), ["defined", "defined", "defined", "defined", "paused", "removed", "booted"]);
    assert_eq!(kinds(3), ["resumed"]);
    assert!(RealFs.stat(&file(4)).is_err(), "nothing changed");
}

#[tokio::test]
async fn whole_days_are_pruned_oldest_first_but_never_the_last_runs_of_a_job() {
    let bench = Bench::new();
    let clock: Arc<dyn Clock> = Arc::clone(&bench.clock) as Arc<dyn Clock>;
    let options = JsonStoreOptions::new(bench.home.clone(), clock).with_fs(Arc::new(bench.disk.clone()));
    let keep = |keep_days: u32, max_bytes: u64| Retention { keep_days, max_bytes };
    let store = JsonStore::open(&options.with_retention(keep(3, 1 << 30))).unwrap();
    for name in ["often", "seldom"] {
        store.define(Edit::Add(vec![json!({"id": name, "schedule": "@manually", "command": "x"})])).await.unwrap();
    }
    let first = bench.clock.now();
    for day in 0..10 {
        for n in 0..10 {
            run(&store, "often", &format!("{day} {n}"), RunResult::Succeeded).await;
        }
        if day % 5 == 0 {
            run(&store, "seldom", &day.to_string(), RunResult::Failed).await;
        }
        store.compact().await.unwrap();
        bench.clock.advance(Duration::from_hours(24));
    }
    store.compact().await.unwrap();
    let ages = async |store: &JsonStore, job: &str| -> Vec<i64> {
        let query = LedgerQuery { job: Some(id(job)), ..LedgerQuery::default() };
        let days = |at: Timestamp| at.duration_since(first).as_hours() / 24;
        store.ledger(query).await.unwrap().into_iter().map(|entry| days(entry.at)).collect()
    };
    assert_eq!(ages(&store, "seldom").await, [0, 5], "its last runs stay, however old");
    let often = ages(&store, "often").await;
    assert_eq!((often[0], often.len()), (7, 30), "whole days back to the first that is kept: {often:?}");
    let days = RealFs.list(&bench.home.ledger()).unwrap();
    assert!(!days.iter().any(|name| name.starts_with("2026-03-03")), "{days:?}");

    // Too many bytes: the oldest days go until a quarter is free, but again not the last twenty runs.
    let len = |name: &String| RealFs.stat(&bench.home.ledger().join(name)).unwrap().len;
    let total: u64 = days.iter().map(len).sum();
    store.set_retention(keep(3, total / 3)).await.unwrap();
    store.compact().await.unwrap();
    assert_eq!(ages(&store, "seldom").await, [0, 5]);
    assert_eq!(ages(&store, "often").await.len(), 20);
    assert!(first.checked_add(240.hours()).unwrap() <= bench.clock.now());
    assert_eq!(picture(&store).await, picture(&bench.store()).await);
}

#[tokio::test]
async fn a_pruning_that_stops_anywhere_leaves_nothing_that_an_audit_would_miss() {
    for steps in 0.. {
        let bench = Bench::new();
        let store = bench.store();
        store.define(job("ran")).await.unwrap();
        for _ in 0..3 {
            bench.minute();
            for claim in store.admit(bench.plans(&store).await, LIMITS).await.unwrap().into_iter().flatten().flatten() {
                assert!(matches!(store.start(&claim, LIMITS).await.unwrap(), Start::Go(_)));
                assert_ne!(store.finish(&claim, Outcome::new(RunResult::Succeeded)).await.unwrap(), Settled::Lost);
            }
            store.compact().await.unwrap();
            bench.clock.advance(Duration::from_hours(24));
        }
        let all = finished(&store).await;
        let disk = Dying::default();
        let clock: Arc<dyn Clock> = Arc::clone(&bench.clock) as Arc<dyn Clock>;
        let options = JsonStoreOptions::new(bench.home.clone(), clock).with_fs(Arc::new(disk.clone()));
        let dying = JsonStore::open(&options.with_retention(Retention { keep_days: 0, max_bytes: 1 << 30 })).unwrap();
        disk.0.store(steps, Ordering::SeqCst);
        let _ = dying.compact().await;
        let died = disk.0.load(Ordering::SeqCst) == 0;
        drop(dying);
        let audit = bench.store().audit(AuditQuery::default()).await.unwrap();
        assert!(audit.is_complete(), "after {steps} steps: {audit:#?}");
        assert!(steps > 0 || audit.jobs[0].owed > 1000, "at first all days are there: {audit:#?}");
        if !died {
            assert!(finished(&bench.store()).await <= all && audit.pruned_before.is_some(), "{audit:#?}");
            break;
        }
    }
}

/// A disk that is there for so many changes and then not any more, as when the process is killed.
#[derive(Debug, Clone)]
struct Dying(Arc<AtomicUsize>);

impl Default for Dying {
    fn default() -> Self {
        Self(Arc::new(AtomicUsize::new(usize::MAX)))
    }
}

impl Dying {
    fn step(&self) -> io::Result<()> {
        let less = |left: usize| Some(if left == usize::MAX { left } else { left.saturating_sub(1) });
        match self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less) {
            Ok(0) | Err(_) => Err(io::Error::other("killed")),
            Ok(_) => Ok(()),
        }
    }
}

impl Vfs for Dying {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        RealFs.read(path)
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        RealFs.stat(path)
    }

    fn open(&self, path: &Path, how: Open) -> io::Result<Box<dyn VfsFile>> {
        if how == Open::Create {
            self.step()?;
        }
        Ok(Box::new(DyingFile { file: RealFs.open(path, how)?, disk: self.clone() }))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        RealFs.list(path)
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        RealFs.create_dir_all(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        RealFs.rename(from, to)
    }

    fn exchange(&self, a: &Path, b: &Path) -> io::Result<()> {
        self.step()?;
        RealFs.exchange(a, b)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        RealFs.remove(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        RealFs.sync_dir(path)
    }
}

#[derive(Debug)]
struct DyingFile {
    file: Box<dyn VfsFile>,
    disk: Dying,
}

impl VfsFile for DyingFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        if let Err(killed) = self.disk.step() {
            self.file.write_all_at(&bytes[..bytes.len() / 2], offset)?;
            return Err(killed);
        }
        self.file.write_all_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.step()?;
        self.file.sync()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.disk.step()?;
        self.file.set_len(len)
    }

    fn stat(&self) -> io::Result<Stat> {
        self.file.stat()
    }

    fn set_owner_and_mode(&self, like: &Stat) -> io::Result<()> {
        self.disk.step()?;
        self.file.set_owner_and_mode(like)
    }

    fn lock(&self, lock: Lock) -> io::Result<()> {
        self.file.lock(lock)
    }

    fn try_lock(&self, lock: Lock) -> io::Result<bool> {
        self.file.try_lock(lock)
    }

    fn unlock(&self) -> io::Result<()> {
        self.file.unlock()
    }
}
