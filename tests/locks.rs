//! Two stores race for every instant of a home: with locks nobody starts one twice, and with locks that do nothing somebody
//! does. The second keeps the first from being true of a race that never happens.

use std::{
    collections::BTreeMap,
    io,
    path::Path,
    sync::{Arc, Barrier, Mutex},
    time::Duration,
};

use scheduler_core::{
    Clock, Home, JobStore as _, OccurrenceId, Result,
    plan::plan,
    store::{Admission, Edit, Groups, JsonStore, JsonStoreOptions, Limits, Start},
    testing::ManualClock,
    vfs::{Lock, Open, RealFs, Stat, Vfs, VfsFile},
};
use serde_json::json;

const LIMITS: Limits = Limits { max_parallel: 1000, catch_up: 1000, groups: Groups::NONE };

/// The real file system, on which everybody gets every lock at once.
#[derive(Debug)]
struct NoLocks;

#[derive(Debug)]
struct Unlocked(Box<dyn VfsFile>);

impl Vfs for NoLocks {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        RealFs.read(path)
    }
    fn stat(&self, path: &Path) -> io::Result<Stat> {
        RealFs.stat(path)
    }
    fn open(&self, path: &Path, how: Open) -> io::Result<Box<dyn VfsFile>> {
        Ok(Box::new(Unlocked(RealFs.open(path, how)?)))
    }
    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        RealFs.list(path)
    }
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        RealFs.create_dir_all(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealFs.rename(from, to)
    }
    fn exchange(&self, a: &Path, b: &Path) -> io::Result<()> {
        RealFs.exchange(a, b)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        RealFs.remove(path)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        RealFs.sync_dir(path)
    }
}

impl VfsFile for Unlocked {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }
    fn sync(&self) -> io::Result<()> {
        self.0.sync()
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }
    fn stat(&self) -> io::Result<Stat> {
        self.0.stat()
    }
    fn set_owner_and_mode(&self, like: &Stat) -> io::Result<()> {
        self.0.set_owner_and_mode(like)
    }
    fn lock(&self, _: Lock) -> io::Result<()> {
        Ok(())
    }
    fn try_lock(&self, _: Lock) -> io::Result<bool> {
        Ok(true)
    }
    fn unlock(&self) -> io::Result<()> {
        Ok(())
    }
}

/// How often each instant was started, in up to `rounds` rounds or until one was started twice.
fn race(fs: &Arc<dyn Vfs>, rounds: usize) -> BTreeMap<OccurrenceId, usize> {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(ManualClock::at("2026-03-01T10:00:00Z"));
    let open = || {
        let options =
            JsonStoreOptions::new(Home::new(folder.path().join("home")), Arc::clone(&clock) as Arc<dyn Clock>);
        JsonStore::open(&options.with_fs(Arc::clone(fs))).expect("a store")
    };
    let stores = [open(), open()];
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let job = json!({"id": "job", "schedule": "* * * * *", "command": "true", "overlap": "allow"});
    runtime().block_on(stores[0].define(Edit::Add(vec![job]))).expect("a job");
    let starts = Mutex::new(BTreeMap::new());
    for _ in 0..rounds {
        clock.advance(Duration::from_mins(1));
        let ready = Barrier::new(stores.len());
        std::thread::scope(|scope| {
            for store in &stores {
                scope.spawn(|| {
                    let started = runtime().block_on(fire(store, &clock, &ready)).unwrap_or_default();
                    for id in started {
                        *starts.lock().expect("nobody panics").entry(id).or_insert(0) += 1;
                    }
                });
            }
        });
        if starts.lock().expect("nobody panics").values().any(|times| *times > 1) {
            break;
        }
    }
    starts.into_inner().expect("nobody panics")
}

/// Plans, waits for the other one to have planned, and starts what it wins.
async fn fire(store: &JsonStore, clock: &ManualClock, ready: &Barrier) -> Result<Vec<OccurrenceId>> {
    let now = clock.now();
    let open = store.open(now, LIMITS).await;
    ready.wait();
    let plans = open?.due.into_iter().filter_map(|due| {
        let plan = plan(&due.job, &due.cursor, now)?;
        let (job, incarnation, revision) = (due.job.id.clone(), due.incarnation, due.revision);
        Some(Admission { job, incarnation, revision, expected: due.cursor.next_at, plan })
    });
    let mut started = Vec::new();
    for claim in store.admit(plans.collect(), LIMITS).await?.into_iter().flatten().flatten() {
        if let Start::Go(_) = store.start(&claim, LIMITS).await? {
            started.push(claim.id);
        }
    }
    Ok(started)
}

#[test]
fn with_locks_no_instant_of_a_hundred_is_started_twice_and_none_is_left_out() {
    let starts = race(&(Arc::new(RealFs) as Arc<dyn Vfs>), 100);
    assert_eq!((starts.len(), starts.values().max()), (100, Some(&1)), "{starts:?}");
}

#[test]
fn without_locks_some_instant_of_a_thousand_is_started_twice() {
    let starts = race(&(Arc::new(NoLocks) as Arc<dyn Vfs>), 1000);
    assert_eq!(starts.values().max(), Some(&2), "{} instants, and no lock was missed", starts.len());
}
