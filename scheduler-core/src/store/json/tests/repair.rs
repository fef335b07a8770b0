//! A repaired store opens, has every definition, and fires nothing for an instant that has passed: whatever was damaged, and
//! wherever the repair was cut short.

use std::path::Path;

use jiff::Timestamp;

use super::*;
use crate::{
    OccurrenceKind, OwnerId, ProcessRef,
    occurrence::SkipReason,
    plan::Planned,
    store::{
        Ask, Asked, LedgerWhat, Start,
        json::{Repair, Repaired},
    },
    vfs::Lock,
};

/// A home on a disk in memory, at a moment of its life.
struct Site {
    disk: CrashFs,
    home: Home,
    clock: Arc<ManualClock>,
}

/// Those that are in force in the end.
const JOBS: [&str; 5] = ["once", "open", "paused", "ran", "waits"];

impl Site {
    /// The same files on a disk of their own.
    fn copy(&self) -> Self {
        self.disk.record();
        self.disk.mark(0);
        let moment = self.disk.moments().pop().unwrap();
        let clock = Arc::new(ManualClock::at(&self.clock.now().to_string()));
        Self { disk: moment.after(Loss::Nothing), home: self.home.clone(), clock }
    }

    fn options(&self) -> JsonStoreOptions {
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as Arc<dyn Clock>;
        JsonStoreOptions::new(self.home.clone(), clock).with_fs(Arc::new(self.disk.clone())).with_compaction(None)
    }

    fn store(&self) -> crate::Result<JsonStore> {
        JsonStore::open(&self.options())
    }

    fn read(&self, path: &Path) -> Vec<u8> {
        self.disk.read(path).unwrap()
    }

    fn write(&self, path: &Path, bytes: &[u8]) {
        let file = self.disk.open(path, Open::Create).unwrap();
        file.set_len(0).unwrap();
        file.write_all_at(bytes, 0).unwrap();
        file.sync().unwrap();
    }

    fn repair(&self) -> Option<Repaired> {
        let repair = Repair::begin(&self.options()).unwrap()?;
        assert!(!repair.damages().is_empty());
        Some(repair.carry_out(Some("boot"), &|_| None).unwrap())
    }

    /// The files of the state, locks and owners apart.
    fn files(&self) -> Vec<PathBuf> {
        let of = |folder: PathBuf| {
            let names = self.disk.list(&folder).unwrap_or_default();
            names.into_iter().map(move |name| folder.join(name))
        };
        let is_file = |path: &PathBuf| self.disk.read(path).is_ok_and(|bytes| !bytes.is_empty());
        of(self.home.state()).chain(of(self.home.ledger())).filter(is_file).collect()
    }
}

fn named(id: &str, schedule: &str, more: &serde_json::Value) -> serde_json::Value {
    let mut entry = json!({"id": id, "schedule": schedule, "command": "true"});
    entry.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    entry
}

/// A life in which everything has happened, that ends with a run that is open and one that waits.
async fn lived(compacted: bool) -> Site {
    let site = Site {
        disk: CrashFs::default(),
        home: Home::new("/home"),
        clock: Arc::new(ManualClock::at("2026-03-01T10:00:30Z")),
    };
    let store = site.store().unwrap();
    for id in ["open", "paused", "removed", "ran", "waits"] {
        store.define(Edit::Add(vec![named(id, "* * * * *", &json!({}))])).await.unwrap();
    }
    store.define(Edit::Add(vec![named("once", "* * * * *", &json!({"max_runs": 1}))])).await.unwrap();
    let fire = async |store: &JsonStore, which: &[&str]| {
        site.clock.advance(Duration::from_mins(1));
        let now = site.clock.now();
        let due = store.open(now, LIMITS).await.unwrap().due;
        let plans = due.into_iter().filter(|due| which.contains(&due.job.id.as_str())).map(|due| Admission {
            job: due.job.id.clone(),
            incarnation: due.incarnation,
            revision: due.revision,
            expected: due.cursor.next_at,
            plan: plan(&due.job, &due.cursor, now).unwrap(),
        });
        let claims = store.admit(plans.collect(), LIMITS).await.unwrap();
        let mut started = Vec::new();
        for claim in claims.into_iter().flatten().flatten() {
            assert!(matches!(store.start(&claim, LIMITS).await.unwrap(), Start::Go(_)));
            started.push(claim);
        }
        started
    };
    for claim in fire(&store, &["ran", "once"]).await {
        store.finish(&claim, Outcome::new(RunResult::Succeeded)).await.unwrap();
    }
    store.pause(vec![id("paused")], None, Some("moving".into())).await.unwrap();
    store.define(Edit::Remove(vec![id("removed")])).await.unwrap();
    store.housekeep(Some("boot".into())).await.unwrap();
    if compacted {
        store.compact().await.unwrap();
    }
    for claim in fire(&store, &["ran"]).await {
        store.finish(&claim, Outcome::new(RunResult::Failed)).await.unwrap();
    }
    assert_eq!(fire(&store, &["open"]).await.len(), 1);
    let ask = Ask { job: id("waits"), kind: OccurrenceKind::External, key: "event".into(), force: false };
    assert!(matches!(store.ask(ask).await.unwrap(), Asked::Queued(_)));
    // Somebody else's last word, so that everything before it is known to be durable.
    store.define(Edit::Replace(vec![named("ran", "* * * * *", &json!({"description": "changed"}))])).await.unwrap();
    store.define(Edit::Replace(vec![named("open", "* * * * *", &json!({"description": "changed"}))])).await.unwrap();
    store.close().await.unwrap();
    site.clock.advance(Duration::from_mins(10));
    drop(store);
    site.copy()
}

/// What must hold of every store that was repaired at `repaired_at`.
async fn must_hold(site: &Site, repaired_at: Timestamp, context: &str) -> JsonStore {
    let store = must_hold_or_be_held(site, repaired_at, context, &[]).await;
    assert!(store.problems().await.unwrap().iter().all(|problem| problem.key == "jobs-json"), "{context}");
    store
}

/// The same where some jobs are paused until somebody has looked at them.
async fn must_hold_or_be_held(site: &Site, repaired_at: Timestamp, context: &str, held: &[JobId]) -> JsonStore {
    let store = site.store().unwrap_or_else(|error| panic!("{context}: {error}"));
    let views = store.jobs().await.unwrap();
    // That it was removed may be what is lost: then it is held.
    let is_back = |view: &&crate::store::JobView| view.id == id("removed") && held.contains(&view.id);
    let mut ids: Vec<&str> = views.iter().filter(|view| !is_back(view)).map(|view| view.id.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, JOBS, "{context}");
    assert!(Repair::begin(&site.options()).unwrap().is_none(), "{context}: it is sound");
    let open = store.open(repaired_at, LIMITS).await.unwrap();
    assert!(open.due.is_empty() && open.startable.is_empty(), "{context}: {open:?}");
    site.clock.advance(Duration::from_mins(2));
    let now = site.clock.now();
    let open = store.open(now, LIMITS).await.unwrap();
    let fires = open.due.iter().any(|due| due.job.id == id("waits"));
    assert_eq!(fires, !held.contains(&id("waits")), "{context}: it fires on, if it isn't held");
    assert!(open.startable.is_empty(), "{context}");
    for due in open.due {
        for (at, planned) in plan(&due.job, &due.cursor, now).unwrap().admit {
            assert!(!matches!(planned, Planned::Run(_)) || at > repaired_at, "{context}: {} at {at}", due.job.id);
        }
    }
    store
}

/// Whether `site` is refused as damaged, with a hint that names what to do.
fn is_refused(site: &Site, context: &str) -> bool {
    match site.store() {
        Ok(_) => false,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{context}: {error}");
            assert!(error.hint_text().is_some_and(|hint| hint.contains("sched repair")), "{context}: {error}");
            true
        }
    }
}

/// Ways to lose parts of a state, and the file that each is about.
fn damages(site: &Site) -> Vec<(&'static str, PathBuf, Option<Vec<u8>>)> {
    let generation = if site.disk.stat(&site.home.snapshot(2)).is_ok() { 2 } else { 1 };
    let (manifest, journal, snapshot) =
        (site.home.manifest(), site.home.journal(generation), site.home.snapshot(generation));
    let mut damages = vec![
        ("no manifest", manifest.clone(), None),
        ("an empty manifest", manifest.clone(), Some(Vec::new())),
        ("a cut manifest", manifest.clone(), Some(site.read(&manifest)[..20].to_vec())),
        ("no journal", journal.clone(), None),
    ];
    let whole = site.read(&journal);
    for (name, at) in [("flipped early", 40), ("flipped in the middle", whole.len() / 2)] {
        let mut flipped = whole.clone();
        flipped[at] ^= 4;
        damages.push((name, journal.clone(), Some(flipped)));
    }
    let (third, two_thirds) = (whole.len() / 3, whole.len() / 3 * 2);
    damages.push(("zeros", journal.clone(), {
        let mut zeros = whole.clone();
        zeros[third..two_thirds].fill(0);
        Some(zeros)
    }));
    damages.push(("a hole", journal.clone(), Some([&whole[..third], &whole[two_thirds..]].concat())));
    damages.push(("garbage before", journal, Some([&b"garbage {\"seq\":1 \xff\n"[..], &whole].concat())));
    if generation == 2 {
        let whole = site.read(&snapshot);
        damages.push(("no snapshot", snapshot.clone(), None));
        damages.push(("an empty snapshot", snapshot.clone(), Some(Vec::new())));
        damages.push(("a cut snapshot", snapshot.clone(), Some(whole[..whole.len() / 2].to_vec())));
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 4;
        damages.push(("a flipped snapshot", snapshot, Some(flipped)));
    }
    damages
}

#[tokio::test]
async fn every_damage_is_repaired_with_all_definitions_and_nothing_fires_twice() {
    for compacted in [false, true] {
        let sound = lived(compacted).await;
        for (name, path, left) in damages(&sound) {
            for jobs_json in ["whole", "broken", "missing"] {
                let context = format!("compacted {compacted}, {name}, jobs.json {jobs_json}");
                let site = sound.copy();
                match &left {
                    Some(bytes) => site.write(&path, bytes),
                    None => site.disk.remove(&path).unwrap(),
                }
                match jobs_json {
                    "whole" => {}
                    "broken" => site.write(&site.home.jobs_json(), b"{"),
                    _ => site.disk.remove(&site.home.jobs_json()).unwrap(),
                }
                assert!(is_refused(&site, &context), "{context}");
                let before = site.files();
                let at = site.clock.now();
                let done = site.repair().unwrap_or_else(|| panic!("{context}"));
                for damaged in before.iter().filter(|path| path.parent() == Some(&site.home.state())) {
                    assert!(site.disk.stat(&done.aside.join(damaged.file_name().unwrap())).is_ok(), "{context}");
                }
                let store = must_hold_or_be_held(&site, at, &context, &done.kept.held).await;
                if jobs_json == "whole" {
                    assert!(done.kept.held.is_empty(), "{context}: {done:?}");
                }
                store.close().await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn a_flipped_bit_anywhere_is_harmless_or_repaired() {
    for compacted in [false, true] {
        let sound = lived(compacted).await;
        let (mut refused, mut flips) = (0, 0);
        for path in sound.files() {
            let whole = sound.read(&path);
            // All of the smallest file, and of the others so much that every kind of line is met.
            let step = if path == sound.home.manifest() { 1 } else { 11 };
            for at in (0..whole.len()).step_by(step) {
                let context = format!("compacted {compacted}, byte {at} of {}", path.display());
                let site = sound.copy();
                let mut flipped = whole.clone();
                flipped[at] ^= 1 << (at % 7);
                site.write(&path, &flipped);
                flips += 1;
                let now = site.clock.now();
                if is_refused(&site, &context) {
                    refused += 1;
                    assert!(site.repair().is_some(), "{context}");
                    must_hold(&site, now, &context).await;
                } else {
                    assert!(site.repair().is_none(), "{context}");
                }
            }
        }
        assert!(refused * 2 > flips, "{refused} of {flips} were refused: too few to mean anything");
    }
}

#[tokio::test]
async fn what_is_known_goes_on_and_what_is_not_is_settled() {
    let site = lived(true).await;
    let entries = site.store().unwrap().ledger(LedgerQuery::default()).await.unwrap().len();
    let mut journal = site.read(&site.home.journal(2));
    let last = journal.len() - 10;
    journal[last] ^= 1;
    let first = journal.len() / 4;
    journal[first] ^= 1;
    site.write(&site.home.journal(2), &journal);
    let before = site.copy().disk;
    let repair = Repair::begin(&site.options()).unwrap().unwrap();
    let damage = repair.damages()[0].to_string();
    assert!(damage.starts_with("/home/state/journal.2 is damaged at byte "), "{damage}");
    assert_eq!(repair.kept().jobs, JOBS.len());
    assert_eq!(before.read(&site.home.manifest()).unwrap(), site.read(&site.home.manifest()), "nothing is done yet");
    let done = repair.carry_out(Some("boot"), &|_| None).unwrap();
    assert!(done.kept.frames_lost > 0 && done.kept.entries <= entries + 1, "{done:?}");
    let now = site.clock.now();
    let store = must_hold(&site, now, "settled").await;
    let views = store.jobs().await.unwrap();
    let view = |name: &str| views.iter().find(|view| view.id == id(name)).unwrap();
    assert_eq!(view("paused").paused.as_ref().and_then(|paused| paused.reason.as_deref()), Some("moving"));
    assert_eq!((view("once").started, view("once").next_at), (1, None), "it has run as often as it may");
    assert!(views.iter().all(|view| view.incarnation == 2 && view.open.is_empty()), "{views:#?}");
    let ledger = store.ledger(LedgerQuery::default()).await.unwrap();
    let mut gaps: Vec<&str> = ledger
        .iter()
        .filter(
            |entry| matches!(&entry.what, LedgerWhat::Gap(gap) if gap.reason == SkipReason::Repaired && gap.to <= now),
        )
        .map(|entry| entry.job.as_str())
        .collect();
    gaps.sort_unstable();
    assert_eq!(gaps, ["open", "paused", "ran", "waits"], "one gap for each job that owed something");
    // The event that was seen is the same one in this life.
    let ask = |key: &str| Ask { job: id("waits"), kind: OccurrenceKind::External, key: key.into(), force: false };
    assert!(matches!(store.ask(ask("another")).await.unwrap(), Asked::Queued(_)));
    // An id that is used again is another job.
    store.define(Edit::Add(vec![named("removed", "* * * * *", &json!({}))])).await.unwrap();
    let views = store.jobs().await.unwrap();
    assert_eq!(views.iter().find(|view| view.id == id("removed")).unwrap().incarnation, 2);
}

#[tokio::test]
async fn what_was_open_ends_and_what_lives_goes_on() {
    for lives in [false, true] {
        let site = lived(false).await;
        site.disk.remove(&site.home.manifest()).unwrap();
        let process = ProcessRef { pid: 7, start_time: 1, boot_id: "boot".into() };
        let repair = Repair::begin(&site.options()).unwrap().unwrap();
        assert_eq!(repair.kept().open, 2);
        let done = repair.carry_out(Some("boot"), &|_| lives.then(|| process.clone())).unwrap();
        let counts = (done.unknown, done.orphaned, done.skipped);
        assert_eq!(counts, if lives { (0, 1, 1) } else { (1, 0, 1) });
        let store = must_hold(&site, site.clock.now(), "open").await;
        let views = store.jobs().await.unwrap();
        let open: Vec<&str> =
            views.iter().flat_map(|view| &view.open).map(crate::occurrence::Occurrence::word).collect();
        assert_eq!(open, if lives { vec!["orphaned"] } else { vec![] });
        // An event that was read is known in the new life too.
        let ask = Ask { job: id("waits"), kind: OccurrenceKind::External, key: "event".into(), force: false };
        assert!(matches!(store.ask(ask).await.unwrap(), Asked::Known(_)));
        let ended = store.ledger(LedgerQuery { ends: vec!["unknown"], ..LedgerQuery::default() }).await.unwrap();
        assert_eq!(ended.len(), usize::from(!lives));
    }
}

#[tokio::test]
async fn a_power_cut_in_a_repair_leaves_the_old_state_or_the_new() {
    for compacted in [false, true] {
        let sound = lived(compacted).await;
        for (name, path, left) in damages(&sound) {
            let site = sound.copy();
            match &left {
                Some(bytes) => site.write(&path, bytes),
                None => site.disk.remove(&path).unwrap(),
            }
            site.disk.sync_dir(&site.home.state()).unwrap();
            let whole = Repair::begin(&site.copy().options()).unwrap().unwrap().kept();
            let at = site.clock.now();
            site.disk.record();
            site.repair().unwrap();
            let moments = site.disk.moments();
            for (n, moment) in moments.iter().enumerate() {
                for loss in [Loss::Nothing, Loss::Everything, Loss::Some(n as u64), Loss::Some(1000 + n as u64)] {
                    let context = format!("compacted {compacted}, {name}, moment {n}, {loss:?}");
                    let clock = Arc::new(ManualClock::at(&at.to_string()));
                    let cut = Site { disk: moment.after(loss), home: site.home.clone(), clock };
                    if is_refused(&cut, &context) {
                        let again = cut.repair().unwrap_or_else(|| panic!("{context}"));
                        assert!(again.kept.entries >= whole.entries, "{context}: {again:?}, not {whole:?}");
                        assert_eq!(again.kept.jobs, whole.jobs, "{context}");
                    }
                    let store = must_hold(&cut, at, &context).await;
                    let entries = store.ledger(LedgerQuery::default()).await.unwrap();
                    let mut runs: Vec<_> = entries.iter().filter_map(|entry| entry.run()).collect();
                    let all = runs.len();
                    runs.sort_unstable();
                    runs.dedup();
                    assert_eq!(runs.len(), all, "{context}: no entry is there twice");
                    assert!(all >= whole.entries, "{context}: {all} of {}", whole.entries);
                }
            }
        }
    }
}

#[tokio::test]
async fn nobody_repairs_while_somebody_is_at_work() {
    let site = lived(false).await;
    site.disk.remove(&site.home.manifest()).unwrap();
    let busy = |what: &str| {
        let error = Repair::begin(&site.options()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Busy, "{error}");
        assert!(error.to_string().contains(what), "{error}");
    };
    for path in [site.home.lock(), site.home.compact_lock()] {
        let held = site.disk.open(&path, Open::Create).unwrap();
        held.lock(Lock::Exclusive).unwrap();
        busy(&path.display().to_string());
    }
    let owner = OwnerId::random(site.clock.now());
    let held = site.disk.open(&site.home.owners().join(owner.as_str()), Open::Create).unwrap();
    held.lock(Lock::Exclusive).unwrap();
    busy(owner.as_str());
    drop(held);
    assert!(site.repair().is_some());
}

#[tokio::test]
async fn a_definition_that_nothing_proves_is_kept_and_held() {
    let site = lived(false).await;
    for n in 1..=5 {
        let _ = site.disk.remove(&site.home.path().join(format!("jobs.json.bak.{n}")));
    }
    site.write(&site.home.jobs_json(), b"{");
    // In the frame that defined it, and not in its line: the first letter of the checksum.
    let journal = site.read(&site.home.journal(1));
    let text = String::from_utf8(journal.clone()).unwrap();
    let defined = text.find("\"job\":\"waits\"").unwrap();
    let header = text[..defined].rfind("\"crc32\":\"").unwrap() + 9;
    let mut damaged = journal;
    damaged[header] ^= 1;
    site.write(&site.home.journal(1), &damaged);
    assert!(is_refused(&site, "held"));
    let done = site.repair().unwrap();
    assert_eq!((done.kept.held, done.kept.jobs), (vec![id("waits")], JOBS.len()));
    let store = site.store().unwrap();
    let views = store.jobs().await.unwrap();
    let held: Vec<&str> = views.iter().filter(|view| view.paused.is_some()).map(|view| view.id.as_str()).collect();
    assert_eq!(held, ["paused", "waits"]);
    store.resume(vec![id("waits")]).await.unwrap();
    must_hold(&site, site.clock.now(), "resumed").await;
}
