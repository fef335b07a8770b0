//! What a run writes: straight into its file, bounded while it runs and after.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use scheduler_core::RunResult;

use crate::support::{Bench, edit, text, until};

#[tokio::test]
async fn the_file_is_private_and_holds_all_of_a_short_output() {
    let bench = Bench::new();
    let run = bench.shell("echo out; echo err >&2; echo again");
    let outcome = bench.run(run.clone()).await;
    let output = outcome.output.unwrap();
    assert_eq!((output.path.clone(), output.written, output.kept), (bench.log(&run), 14, 14));
    assert_eq!(text(&output.path), "out\nerr\nagain\n");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        [mode(&output.path), mode(&bench.path("runs")), mode(&bench.path("runs/backup"))],
        [0o600, 0o700, 0o700]
    );
}

#[tokio::test]
async fn no_output_leaves_no_file() {
    let bench = Bench::new();
    let run = bench.argv(&["true"]);
    let outcome = bench.run(run.clone()).await;
    assert_eq!((outcome.result, outcome.output), (RunResult::Succeeded, None));
    assert_eq!(fs::read_dir(bench.path("runs/backup")).unwrap().count(), 0);
}

#[tokio::test]
async fn an_empty_file_stays_for_a_background_child_that_may_still_write() {
    let bench = Bench::new();
    let run = bench.shell("mkfifo $DIR/go; (read x <$DIR/go; echo late) &");
    assert_eq!(bench.run(run.clone()).await.output, None);
    fs::write(bench.path("go"), "x\n").unwrap();
    until("the child has written", || text(&bench.log(&run)) == "late\n").await;
}

#[tokio::test]
async fn of_a_long_output_beginning_and_end_are_kept() {
    let bench = Bench::with(|config| config.output_limit = 1000);
    let check = async |own: Option<u64>, expected: &str| {
        let run = edit(bench.shell("seq -f 'line %05g' 0 999"), |job| job.output_limit = own);
        let output = bench.run(run).await.output.unwrap();
        let shown = text(&output.path);
        let note = shown.lines().find(|line| line.contains("[sched:"));
        assert_eq!(note.unwrap_or("none"), expected);
        assert_eq!(output.written, 11_000);
        let without_note = shown.len() as u64 - note.map_or(0, |note| note.len() as u64 + 2);
        assert_eq!(output.kept, without_note);
        shown
    };
    let shown = check(None, "[sched: 11000 bytes written, 10000 left out here; limit 1000 bytes (output_limit)]").await;
    assert!(shown.starts_with("line 00000\nline 00001\n") && shown.ends_with("line 00998\nline 00999\n"), "{shown}");
    check(Some(4096), "[sched: 11000 bytes written, 6904 left out here; limit 4 KiB (output_limit)]").await;
    check(Some(0), "[sched: 11000 bytes written, 11000 left out here; limit 0 bytes (output_limit)]").await;
    check(Some(11_000), "none").await;
    check(Some(10_999), "[sched: 11000 bytes written, 1 left out here; limit 10999 bytes (output_limit)]").await;
    let files: Vec<_> = fs::read_dir(bench.path("runs/backup")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() == 5 && files.iter().all(|path| path.extension().unwrap() == "log"), "{files:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gigabyte_never_takes_a_gigabyte_of_disk() {
    let bench = Bench::new();
    let run = bench.shell("echo first; head -c 1073741812 /dev/zero; echo last1");
    let path = bench.log(&run);
    let (over, peak, looks) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let shared = Arc::new((over, peak, looks));
    let looker = thread::spawn({
        let (shared, path) = (Arc::clone(&shared), path.clone());
        move || {
            let (over, peak, looks) = &*shared;
            while !over.load(Ordering::Relaxed) {
                if let Ok(facts) = fs::metadata(&path) {
                    peak.fetch_max(facts.blocks() * 512, Ordering::Relaxed);
                    looks.fetch_add(1, Ordering::Relaxed);
                }
                thread::sleep(Duration::from_millis(1));
            }
        }
    });
    let begun = std::time::Instant::now();
    let output = bench.run(run).await.output.unwrap();
    let (over, peak, looks) = &*shared;
    over.store(true, Ordering::Relaxed);
    looker.join().unwrap();
    let (peak, looks) = (peak.load(Ordering::Relaxed), looks.load(Ordering::Relaxed));
    println!("1 GiB written in {:?}; at most {} KiB on disk in {looks} looks", begun.elapsed(), peak >> 10);
    assert!(looks > 20, "{looks}");
    assert!(peak < 256 << 20, "{peak} bytes on disk at one moment");

    assert_eq!((output.written, output.kept), (1 << 30, 1 << 20));
    let facts = fs::metadata(&path).unwrap();
    assert!(facts.len() < (1 << 20) + 200 && facts.blocks() * 512 < (1 << 20) + 16384, "{facts:?}");
    let shown = fs::read(&path).unwrap();
    assert!(shown.starts_with(b"first\n\0\0") && shown.ends_with(b"\0\0last1\n"));
    let note = "\n[sched: 1073741824 bytes written, 1072693248 left out here; limit 1 MiB (output_limit)]\n";
    let middle = &shown[1 << 19..][..note.len()];
    assert_eq!(String::from_utf8_lossy(middle), note);
}

/// What was left out before is of no account once the file was begun anew.
#[tokio::test]
async fn a_job_may_truncate_its_output() {
    let bench = Bench::with(|config| config.output_limit = 4096);
    let line = "mkfifo $DIR/go; head -c 1000000 /dev/zero; touch $DIR/ready; read x <$DIR/go; \
                echo anew > /dev/stderr; head -c 500000 /dev/zero; touch $DIR/again; read x <$DIR/go; echo last";
    let run = bench.shell(line);
    let started = bench.start(run.clone(), "ready").await;
    let on_disk = || fs::metadata(bench.log(&run)).unwrap().blocks() * 512;
    until("it is punched", || on_disk() < 100_000).await;
    fs::write(bench.path("go"), "x\n").unwrap();
    until("it has written again", || bench.path("again").exists()).await;
    until("it is punched again", || on_disk() < 100_000).await;
    fs::write(bench.path("go"), "x\n").unwrap();
    let output = started.outcome().await.output.unwrap();
    assert_eq!((output.written, output.kept), (500_010, 4096));
    let shown = text(&output.path);
    assert!(shown.starts_with("anew\n\0") && shown.ends_with("\0last\n"), "{shown:?}");
}

#[tokio::test]
async fn a_file_that_somebody_removed_is_no_error() {
    let bench = Bench::new();
    let run = bench.shell("echo hello; rm $DIR/runs/backup/*.log");
    let outcome = bench.run(run).await;
    assert_eq!((outcome.result, outcome.output, outcome.message), (RunResult::Succeeded, None, None));
}
