//! The JSON store on disks that fail, tear and lie, and beside other processes' stores on the same home.

mod compaction;
mod repair;

use std::{path::PathBuf, sync::Arc, time::Duration};

use serde_json::json;

use super::{JsonStore, JsonStoreOptions};
use crate::{
    Clock, ErrorKind, Home, JobId, JobStore, Outcome, RunResult,
    plan::plan,
    store::{Admission, Claim, Edit, Finding, Groups, LedgerQuery, Limits, Recovery, Settled, Start},
    testing::{CrashFs, FaultyFs, Loss, ManualClock},
    vfs::{Open, RealFs, Vfs},
};

const LIMITS: Limits = Limits { max_parallel: 100, catch_up: 100, groups: Groups::NONE };

struct Bench {
    home: Home,
    clock: Arc<ManualClock>,
    disk: FaultyFs,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path().join("home"));
        let clock = Arc::new(ManualClock::at("2026-03-01T10:00:30Z"));
        Self { home, clock, disk: FaultyFs::default(), _folder: folder }
    }

    /// A store on this home, as another process would have it.
    fn store(&self) -> JsonStore {
        self.try_store().unwrap()
    }

    fn try_store(&self) -> crate::Result<JsonStore> {
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as Arc<dyn Clock>;
        JsonStore::open(&JsonStoreOptions::new(self.home.clone(), clock).with_fs(Arc::new(self.disk.clone())))
    }

    fn journal(&self) -> PathBuf {
        self.home.journal(1)
    }

    fn bytes(&self) -> Vec<u8> {
        RealFs.read(&self.journal()).unwrap()
    }

    fn write(&self, bytes: &[u8]) {
        let file = RealFs.open(&self.journal(), Open::ReadWrite).unwrap();
        file.set_len(0).unwrap();
        file.write_all_at(bytes, 0).unwrap();
    }

    /// Saves a jobs.json, as an editor does.
    fn save(&self, text: &str) {
        let file = RealFs.open(&self.home.jobs_json(), Open::Create).unwrap();
        file.set_len(0).unwrap();
        file.write_all_at(text.as_bytes(), 0).unwrap();
    }

    fn minute(&self) {
        self.clock.advance(Duration::from_mins(1));
    }

    async fn plans(&self, store: &JsonStore) -> Vec<Admission> {
        let now = self.clock.now();
        let due = store.open(now, LIMITS).await.unwrap().due;
        let admission = |due: crate::store::DueJob| Admission {
            job: due.job.id.clone(),
            incarnation: due.incarnation,
            revision: due.revision,
            expected: due.cursor.next_at,
            plan: plan(&due.job, &due.cursor, now).unwrap(),
        };
        due.into_iter().map(admission).collect()
    }

    async fn claim(&self, store: &JsonStore) -> Claim {
        let plans = self.plans(store).await;
        let won = store.admit(plans, LIMITS).await.unwrap();
        won.into_iter().flatten().flatten().next().expect("a claim")
    }
}

fn job(id: &str) -> Edit {
    Edit::Add(vec![json!({"id": id, "schedule": "* * * * *", "command": ["true"]})])
}

fn id(text: &str) -> JobId {
    text.parse().unwrap()
}

async fn finished(store: &JsonStore) -> usize {
    store.ledger(LedgerQuery::default()).await.unwrap().len()
}

#[tokio::test]
async fn on_a_full_disk_nothing_changes_and_nothing_is_lost() {
    let bench = Bench::new();
    let store = bench.store();
    store.define(job("a")).await.unwrap();
    bench.minute();
    let (journal, jobs) = (bench.bytes(), RealFs.read(&bench.home.jobs_json()).unwrap());
    bench.disk.fill(true);
    let plans = bench.plans(&store).await;
    let refused = store.admit(plans.clone(), LIMITS).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NoSpace, "{refused}");
    assert_eq!(store.define(job("b")).await.unwrap_err().kind(), ErrorKind::NoSpace);
    assert_eq!(bench.bytes(), journal, "the half that was written is gone again");
    assert_eq!(RealFs.read(&bench.home.jobs_json()).unwrap(), jobs);
    bench.disk.fill(false);
    let claims: Vec<Claim> = store.admit(plans, LIMITS).await.unwrap().into_iter().flatten().flatten().collect();
    assert_eq!(claims.len(), 1, "what was due still is");
    assert!(matches!(store.start(&claims[0], LIMITS).await.unwrap(), Start::Go(_)));
}

#[tokio::test]
async fn after_a_failed_sync_nothing_of_that_frame_has_happened_and_the_journal_moves() {
    let bench = Bench::new();
    let (store, other) = (bench.store(), bench.store());
    store.define(job("a")).await.unwrap();
    bench.minute();
    let plans = bench.plans(&store).await;
    bench.disk.fail_syncs(true);
    store.admit(plans.clone(), LIMITS).await.unwrap_err();
    assert_eq!(other.open(bench.clock.now(), LIMITS).await.unwrap().due.len(), 1, "nobody else sees it either");
    bench.disk.fail_syncs(false);
    let claims: Vec<Claim> = other.admit(plans, LIMITS).await.unwrap().into_iter().flatten().flatten().collect();
    assert_eq!(claims.len(), 1);
    assert!(bench.plans(&store).await.is_empty(), "and this one sees what the other did");
    store.pause(vec![id("a")], None, None).await.unwrap();
    assert!(RealFs.stat(&bench.home.journal(2)).is_ok(), "what can't be proven is not built upon");
    assert!(RealFs.stat(&bench.journal()).is_err());
    let fresh = bench.store();
    assert!(fresh.jobs().await.unwrap()[0].paused.is_some());
    assert_eq!(fresh.jobs().await.unwrap()[0].open.len(), 1);
}

#[tokio::test]
async fn a_panic_ends_what_it_happened_in_and_nothing_else() {
    let bench = Bench::new();
    let (store, other) = (bench.store(), bench.store());
    store.define(job("a")).await.unwrap();
    bench.minute();
    let plans = bench.plans(&store).await;
    bench.disk.panic_in_syncs(true);
    let error = store.admit(plans.clone(), LIMITS).await.unwrap_err();
    assert!(error.to_string().contains("the store panicked: asked to"), "{error}");
    let again = store.admit(plans, LIMITS).await.unwrap();
    assert!(again.iter().all(Result::is_err), "that was written all the same: {again:?}");
    let error = store.define(job("b")).await.unwrap_err();
    assert!(error.to_string().contains("the store panicked"), "{error}");
    bench.disk.panic_in_syncs(false);
    // Its frame was written, and by nobody answered: whoever reads on sees it, and it is admitted once.
    for store in [&store, &other] {
        let open = store.open(bench.clock.now(), LIMITS).await.unwrap();
        assert!(open.due.is_empty(), "{open:#?}");
        assert_eq!(store.jobs().await.unwrap()[0].open.len(), 1);
    }
    store.pause(vec![id("a")], None, None).await.unwrap();
    assert!(other.jobs().await.unwrap()[0].paused.is_some(), "neither is kept out by what the panic held");
    let (journal, fresh) = (bench.bytes(), bench.store());
    assert_eq!(fresh.jobs().await.unwrap()[0].open.len(), 1);
    assert_eq!(bench.bytes(), journal);
}

#[tokio::test]
async fn a_journal_torn_anywhere_in_its_last_frame_keeps_everything_before_it() {
    let bench = Bench::new();
    let store = bench.store();
    store.define(job("a")).await.unwrap();
    let before = bench.bytes();
    store.pause(vec![id("a")], None, None).await.unwrap();
    store.close().await.unwrap();
    let after = bench.bytes();
    for cut in before.len() + 1..after.len() {
        bench.write(&after[..cut]);
        let store = bench.store();
        let jobs = store.jobs().await.unwrap();
        assert!(jobs.len() == 1 && jobs[0].paused.is_none(), "cut at {cut}");
        // The next writer cuts the torn frame off and goes on.
        store.pause(vec![id("a")], None, Some("again".into())).await.unwrap();
        assert!(bench.store().jobs().await.unwrap()[0].paused.is_some(), "cut at {cut}");
    }
}

#[tokio::test]
async fn damage_before_the_last_frame_is_refused_with_its_place() {
    let bench = Bench::new();
    let store = bench.store();
    store.define(job("a")).await.unwrap();
    for n in 0..3 {
        store.pause(vec![id("a")], None, Some(n.to_string())).await.unwrap();
    }
    store.close().await.unwrap();
    let whole = bench.bytes();
    for at in [10, whole.len() / 3] {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x20;
        bench.write(&damaged);
        let refused = bench.try_store().unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Corrupt, "{refused}");
        assert!(refused.to_string().contains("journal.1 is damaged at byte "), "{refused}");
        assert!(refused.hint_text().is_some_and(|hint| hint.contains("backup")));
        assert_eq!(bench.bytes(), damaged, "and it is left as it is");
    }
}

#[tokio::test]
async fn frames_of_processes_that_wrote_one_each_are_vouched_for_by_the_next() {
    let bench = Bench::new();
    bench.store().define(job("a")).await.unwrap();
    for n in 0..3 {
        bench.store().pause(vec![id("a")], None, Some(n.to_string())).await.unwrap();
    }
    let whole = bench.bytes();
    let mut damaged = whole.clone();
    damaged[whole.len() / 5] ^= 0x20;
    bench.write(&damaged);
    assert_eq!(bench.try_store().unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(bench.bytes(), damaged, "nothing was cut off");
}

#[tokio::test]
async fn a_dead_owners_claims_come_back_and_its_runs_never_start_again() {
    let bench = Bench::new();
    let dead = bench.store();
    dead.define(job("a")).await.unwrap();
    dead.define(job("b")).await.unwrap();
    bench.minute();
    let plans = bench.plans(&dead).await;
    let claims: Vec<Claim> = dead.admit(plans, LIMITS).await.unwrap().into_iter().flatten().flatten().collect();
    assert!(matches!(dead.start(&claims[0], LIMITS).await.unwrap(), Start::Go(_)));

    let survivor = bench.store();
    let judge = |epoch| {
        claims
            .iter()
            .map(move |claim| Recovery { run: claim.run.clone(), epoch, finding: Finding::NeverStarted })
            .collect()
    };
    assert!(survivor.open(bench.clock.now(), LIMITS).await.unwrap().abandoned.is_empty());
    assert_eq!(
        survivor.recover(judge(1)).await.unwrap(),
        [Settled::Lost, Settled::Lost],
        "an owner that lives is not robbed"
    );
    let zombie = claims[1].clone();
    drop(dead);
    let abandoned = loop {
        // The thread of the dropped store lets go of the lock when it ends.
        let open = survivor.open(bench.clock.now(), LIMITS).await.unwrap();
        if open.abandoned.len() == 2 {
            break open.abandoned;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(abandoned.iter().filter(|one| one.orphan.is_some()).count(), 1, "only what had started has a process");
    assert_eq!(
        survivor.recover(judge(1)).await.unwrap(),
        [Settled::Lost, Settled::Done],
        "what runs is not put back into the queue"
    );
    let outcome = Outcome::new(RunResult::Unknown);
    let over = Recovery { run: claims[0].run.clone(), epoch: 1, finding: Finding::Over(outcome) };
    assert_eq!(survivor.recover(vec![over]).await.unwrap(), [Settled::Done]);
    assert_eq!(finished(&survivor).await, 1);
    let open = survivor.open(bench.clock.now(), LIMITS).await.unwrap();
    assert_eq!(open.startable, std::slice::from_ref(&zombie.run), "what had not started is there for anybody");
    let again = survivor.claim(open.startable, LIMITS).await.unwrap().remove(0).unwrap();
    assert!(matches!(survivor.start(&zombie, LIMITS).await.unwrap(), Start::Lost), "but not for the zombie");
    assert!(matches!(survivor.start(&again, LIMITS).await.unwrap(), Start::Go(_)));
}

#[tokio::test]
async fn a_start_that_was_not_answered_can_be_asked_again_but_not_after_it_ran() {
    let bench = Bench::new();
    let store = bench.store();
    store.define(job("a")).await.unwrap();
    bench.minute();
    let claim = bench.claim(&store).await;
    for _ in 0..2 {
        assert!(matches!(store.start(&claim, LIMITS).await.unwrap(), Start::Go(_)));
    }
    let process = crate::ProcessRef { pid: 1, start_time: 1, boot_id: "boot".into() };
    store.spawned(&claim, process).await.unwrap();
    assert!(matches!(store.start(&claim, LIMITS).await.unwrap(), Start::Lost));
}

#[tokio::test]
async fn a_batch_costs_one_sync_and_a_noted_process_none() {
    let bench = Bench::new();
    let store = bench.store();
    let entries = (0..50).map(|n| json!({"id": format!("j{n}"), "schedule": "* * * * *", "command": "true"})).collect();
    store.define(Edit::Add(entries)).await.unwrap();
    bench.minute();
    let plans = bench.plans(&store).await;
    let before = bench.disk.syncs();
    let claims: Vec<Claim> = store.admit(plans, LIMITS).await.unwrap().into_iter().flatten().flatten().collect();
    assert_eq!((claims.len(), bench.disk.syncs() - before), (50, 1), "fifty admissions and claims");
    assert!(matches!(store.start(&claims[0], LIMITS).await.unwrap(), Start::Go(_)));
    let before = bench.disk.syncs();
    let process = crate::ProcessRef { pid: 1, start_time: 1, boot_id: "boot".into() };
    store.spawned(&claims[0], process).await.unwrap();
    assert_eq!(bench.disk.syncs(), before);
}

#[tokio::test]
async fn an_applied_set_is_one_sync_and_leaves_the_other_entries_where_and_as_they_were() {
    let bench = Bench::new();
    let store = bench.store();
    let other = "{\"id\": \"b\",   \"schedule\": \"@daily\",\n  \"command\": [\"x\"], \"someday\": 1}";
    let jobs = format!(
        "{{\"$schema\": \"s\", \"jobs\": [{{\"id\": \"a\", \"$why\": \"mine\", \"schedule\": \"@daily\", \"command\": [\"x\"]}},\n\
         {other}, {{\"id\": \"c\", \"schedule\": \"@daily\", \"command\": [\"x\"]}}]}}"
    );
    bench.save(&jobs);
    assert_eq!(store.jobs().await.unwrap().len(), 3);
    let (before, syncs) = (bench.bytes().len(), bench.disk.syncs());
    let put = |id: &str| json!({"id": id, "schedule": "@hourly", "command": ["x"]});
    let edit = Edit::Apply { put: vec![put("a"), put("d")], remove: vec![id("c")], seen: Vec::new() };
    store.define(edit.clone()).await.unwrap();
    // One for the file, one for the frame.
    assert_eq!(bench.disk.syncs() - syncs, 2);
    let frames = bench.bytes()[before..].split(|byte| *byte == b'\n').filter(|l| l.starts_with(b"{\"seq\"")).count();
    assert_eq!(frames, 1);
    let text = String::from_utf8(RealFs.read(&bench.home.jobs_json()).unwrap()).unwrap();
    let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part} is gone:\n{text}"));
    assert!(place("\"a\"") < place(other) && place(other) < place("\"d\""), "{text}");
    assert!(place("\"$schema\": \"s\"") < place("\"$why\": \"mine\"") && !text.contains("\"c\""), "{text}");
    let backup = || RealFs.stat(&bench.home.path().join("jobs.json.bak.2")).is_ok();
    store.define(Edit::Replace(vec![put("a")])).await.unwrap();
    assert!(!backup(), "an edit that changes nothing writes nothing");
    store.define(Edit::Replace(vec![json!({"id": "a", "schedule": "@weekly", "command": ["x"]})])).await.unwrap();
    assert!(backup());
}

#[tokio::test]
async fn a_file_that_is_saved_during_an_edit_is_merged_and_a_change_of_the_same_job_is_not_lost() {
    let bench = Bench::new();
    let store = bench.store();
    store.define(job("a")).await.unwrap();
    let entry = |schedule: &str| json!({"id": "a", "schedule": schedule, "command": ["true"]});
    let theirs = |a: &serde_json::Value| {
        json!({"jobs": [a, {"id": "theirs", "schedule": "@daily", "command": "x"}], "note": "by hand"}).to_string()
    };
    bench.disk.save_meanwhile(theirs(&entry("* * * * *")));
    store.define(Edit::Replace(vec![entry("@hourly")])).await.unwrap();
    let ids: Vec<String> = store.jobs().await.unwrap().iter().map(|job| job.id.to_string()).collect();
    assert_eq!(ids, ["a", "theirs"]);
    bench.disk.save_meanwhile(theirs(&entry("@weekly")));
    let seen = vec![(id("a"), Some(entry("@hourly")))];
    let edit = Edit::Apply { put: vec![entry("@daily")], remove: vec![], seen };
    assert_eq!(store.define(edit).await.unwrap_err().kind(), ErrorKind::Changed);
    assert_eq!(*store.jobs().await.unwrap()[0].definition, entry("@weekly"));
    let text = String::from_utf8(RealFs.read(&bench.home.jobs_json()).unwrap()).unwrap();
    assert_eq!(text, theirs(&entry("@weekly")), "theirs stands as they saved it");
}

#[tokio::test]
async fn an_entry_that_could_not_be_taken_in_is_there_all_the_same() {
    let bench = Bench::new();
    let store = bench.store();
    bench.save(r#"{"jobs": [{"id": "a", "schedule": "nonsense", "command": "x"}]}"#);
    assert_eq!(store.define(job("a")).await.unwrap_err().kind(), ErrorKind::Exists);
    let good = json!({"id": "a", "schedule": "@daily", "command": "x"});
    let seen = vec![(id("a"), None)];
    let edit = Edit::Apply { put: vec![good.clone()], remove: vec![], seen };
    assert_eq!(store.define(edit).await.unwrap_err().kind(), ErrorKind::Changed);
    store.define(Edit::Replace(vec![good])).await.unwrap();
    assert_eq!(store.jobs().await.unwrap().len(), 1);
    store.define(Edit::Remove(vec![id("a")])).await.unwrap();
    assert_eq!(store.define(Edit::Remove(vec![id("a")])).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn the_last_five_displaced_versions_of_jobs_json_are_kept() {
    let bench = Bench::new();
    let store = bench.store();
    for n in 0..8 {
        store.define(job(&format!("j{n}"))).await.unwrap();
    }
    let version = |n: usize| RealFs.read(&bench.home.path().join(format!("jobs.json.bak.{n}")));
    let jobs_in = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().matches("\"id\"").count();
    let kept: Vec<usize> = (1..=5).map(|n| jobs_in(version(n).unwrap())).collect();
    assert_eq!(kept, [7, 6, 5, 4, 3]);
    assert!(version(6).is_err() && version(0).is_err());
}

#[tokio::test]
async fn a_home_of_another_machine_is_refused_until_it_is_adopted() {
    let bench = Bench::new();
    let on = |machine: &str, adopt| {
        let clock: Arc<dyn Clock> = Arc::clone(&bench.clock) as Arc<dyn Clock>;
        let options = JsonStoreOptions::new(bench.home.clone(), clock).on_machine(Some(machine.into()), adopt);
        JsonStore::open(&options)
    };
    on("first", false).unwrap().define(job("a")).await.unwrap();
    let refused = on("second", false).unwrap_err();
    assert!(refused.to_string().contains("belongs to another machine (first)"), "{refused}");
    assert!(refused.hint_text().is_some_and(|hint| hint.contains("--adopt")));
    assert_eq!(on("second", true).unwrap().jobs().await.unwrap().len(), 1);
    on("second", false).unwrap();
    assert!(on("first", false).is_err());
}

#[tokio::test]
async fn a_frame_that_was_taken_back_and_replaced_is_read_anew() {
    let bench = Bench::new();
    let (reader, writer) = (bench.store(), bench.store());
    writer.define(job("a")).await.unwrap();
    let before = bench.bytes();
    writer.pause(vec![id("a")], None, Some("this never was".into())).await.unwrap();
    assert!(reader.jobs().await.unwrap()[0].paused.is_some());
    writer.close().await.unwrap();
    // As after a power cut: the last frame is gone, another one stands there, and behind it the beginning of a third.
    bench.write(&before);
    bench.store().define(job("b")).await.unwrap();
    let mut torn = bench.bytes();
    torn.extend_from_slice(b"{\"seq\":9,\"len\":99");
    bench.write(&torn);
    let jobs = reader.jobs().await.unwrap();
    assert_eq!(jobs.iter().map(|job| job.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert!(jobs[0].paused.is_none());
    reader.pause(vec![id("b")], None, None).await.unwrap();
    assert!(bench.store().jobs().await.unwrap()[1].paused.is_some(), "and it writes behind what is whole");
}

#[tokio::test]
async fn a_new_store_outlives_a_power_cut_from_its_first_answer_on() {
    let disk = CrashFs::default();
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at("2026-03-01T10:00:30Z"));
    let open = |disk: &CrashFs| {
        let options = JsonStoreOptions::new(Home::new("/srv/home"), Arc::clone(&clock));
        JsonStore::open(&options.with_fs(Arc::new(disk.clone())))
    };
    disk.create_dir_all("/srv".as_ref()).unwrap();
    disk.sync_dir("/".as_ref()).unwrap();
    disk.record();
    open(&disk).unwrap().define(job("a")).await.unwrap();
    disk.mark(1);
    for (n, moment) in disk.moments().into_iter().enumerate() {
        for loss in [Loss::Everything].into_iter().chain((0..20).map(Loss::Some)) {
            let context = format!("{loss:?} at moment {n}");
            let store = open(&moment.after(loss)).unwrap_or_else(|error| panic!("{context}: {error}"));
            let known = store.jobs().await.unwrap().len();
            assert!(known == 1 || moment.reached() == 0, "{context}: what was answered is gone");
        }
    }
}
