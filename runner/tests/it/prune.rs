//! Which output files are kept.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use sched_runner::{CommandRunner, RunnerConfig};
use scheduler_core::{JobRunner, RunId};
use tokio::runtime::Handle;

use crate::support::{Bench, edit, text, until};

fn logs(bench: &Bench, job: &str) -> Vec<PathBuf> {
    let mut logs: Vec<_> =
        fs::read_dir(bench.path("runs").join(job)).unwrap().map(|entry| entry.unwrap().path()).collect();
    logs.sort();
    logs
}

#[tokio::test]
async fn the_newest_of_each_job_are_kept() {
    let bench = Bench::with(|config| config.keep_logs_per_job = 3);
    let mut expected = Vec::new();
    for number in 0..6 {
        let mut run = bench.shell(&format!("echo {number}"));
        run.run = RunId::new(format!("r{number}"));
        expected.push(bench.log(&run));
        bench.run(run).await;
    }
    let other = edit(bench.shell("echo other"), |job| job.id = "other".parse().unwrap());
    bench.run(other).await;
    assert_eq!(logs(&bench, "backup"), expected[3..]);
    assert_eq!(logs(&bench, "other").len(), 1);
}

/// However old it is: what a run or its background child still writes to is not removed.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_in_use_is_never_removed() {
    let bench = Bench::with(|config| {
        config.keep_logs_per_job = 0;
        config.logs_max_bytes = 0;
    });
    let running = bench.shell("mkfifo $DIR/go1; echo begun; touch $DIR/ready; read x <$DIR/go1; echo done");
    let started = bench.start(running.clone(), "ready").await;
    let background = bench.shell("mkfifo $DIR/go2; (read x <$DIR/go2; echo late) & echo early");
    bench.run(background.clone()).await;
    bench.run(bench.shell("echo gone")).await;
    assert_eq!(logs(&bench, "backup"), [bench.log(&running), bench.log(&background)]);
    fs::write(bench.path("go2"), "x\n").unwrap();
    until("the child has written", || text(&bench.log(&background)) == "early\nlate\n").await;
    // Another process than the owner of the run sees the same: it asks nothing but the file itself.
    let mut config = RunnerConfig::new(bench.path("runs"));
    config.keep_logs_per_job = 0;
    let other = CommandRunner::new(config);
    until("the other one has removed what is not in use any more", || {
        !bench.log(&background).exists() || {
            let run = bench.shell("echo gone");
            tokio::task::block_in_place(|| Handle::current().block_on(other.run(run)));
            false
        }
    })
    .await;
    assert_eq!(logs(&bench, "backup"), [bench.log(&running)]);
    assert_eq!(text(&bench.log(&running)), "begun\n");
    fs::write(bench.path("go1"), "x\n").unwrap();
    let outcome = started.outcome().await;
    assert_eq!(outcome.output.unwrap().written, 11);
}

#[tokio::test]
async fn all_together_stay_within_their_room_the_oldest_go_first() {
    let bench = Bench::with(|config| config.logs_max_bytes = 150 * 1024);
    for number in 0..10_u64 {
        let path = bench.path("runs").join(format!("job{number}")).join("r.log");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, vec![b'x'; 64 * 1024]).unwrap();
        let file = fs::File::options().append(true).open(&path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(1000 - number)).unwrap();
    }
    fs::write(bench.path("runs/README"), "not an output file").unwrap();
    // The first run of a runner looks at all files.
    let run = bench.shell("echo hello");
    bench.run(run.clone()).await;
    let left: Vec<_> =
        (0..10).filter(|number| bench.path("runs").join(format!("job{number}/r.log")).exists()).collect();
    assert_eq!(left, [8, 9], "64 KiB each, and the new one");
    assert!(bench.path("runs/README").exists() && bench.log(&run).exists());
}

#[tokio::test]
async fn what_a_crash_left_half_done_is_removed_after_a_while() {
    let bench = Bench::new();
    let folder = bench.path("runs/backup");
    fs::create_dir_all(&folder).unwrap();
    for (name, age) in [("old.log.tmp", 7200), ("young.log.tmp", 10)] {
        fs::write(folder.join(name), "half").unwrap();
        let file = fs::File::options().append(true).open(folder.join(name)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
    }
    bench.run(bench.shell("echo hello")).await;
    assert!(!folder.join("old.log.tmp").exists() && folder.join("young.log.tmp").exists());
}
