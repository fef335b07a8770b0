//! The beat in memory and the thread that writes it. The disk is a real one behind a recorder that can be told to fail;
//! tests wait for what it saw, not for time to pass.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use async_trait::async_trait;
use parking_lot::{Condvar, Mutex};

use super::*;
use crate::{
    Clock,
    liveness::{
        heartbeat::{self, FILE_LEN},
        pulse::Order,
    },
    vfs::{Lock, Open, RealFs, Stat, Vfs, VfsFile},
};

/// A clock that stands still until it is moved.
#[derive(Debug, Default)]
struct Still(Mutex<Duration>);

#[async_trait]
impl Clock for Still {
    fn now(&self) -> Timestamp {
        now() + SignedDuration::try_from(*self.0.lock()).unwrap()
    }

    fn boottime(&self) -> Duration {
        HOUR + *self.0.lock()
    }

    fn monotonic(&self) -> Duration {
        *self.0.lock()
    }

    async fn sleep_until(&self, _: Timestamp) {}
}

/// What reached the disk.
#[derive(Debug, Default)]
struct Seen {
    beats: Vec<Heartbeat>,
    failed: usize,
    fail: bool,
    /// How many reads meet half a beat.
    torn: usize,
}

#[derive(Debug, Clone, Default)]
struct Recorder(Arc<(Mutex<Seen>, Condvar)>);

impl Recorder {
    /// Waits until what was seen is as it should be.
    fn wait(&self, until: impl Fn(&Seen) -> bool) {
        let (seen, changed) = &*self.0;
        changed.wait_while(&mut seen.lock(), |seen| !until(seen));
    }

    fn fail(&self, fail: bool) {
        self.0.0.lock().fail = fail;
    }

    fn cycles(&self) -> Vec<u64> {
        self.0.0.lock().beats.iter().map(|beat| beat.cycle).collect()
    }
}

impl Vfs for Recorder {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        RealFs.read(path)
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        RealFs.stat(path)
    }

    fn open(&self, path: &Path, how: Open) -> io::Result<Box<dyn VfsFile>> {
        Ok(Box::new(RecordedFile { file: RealFs.open(path, how)?, recorder: self.clone() }))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        RealFs.list(path)
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        RealFs.create_dir_all(path)
    }

    fn rename(&self, _: &Path, _: &Path) -> io::Result<()> {
        panic!("a beat is written in place")
    }

    fn exchange(&self, _: &Path, _: &Path) -> io::Result<()> {
        panic!("a beat is written in place")
    }

    fn remove(&self, _: &Path) -> io::Result<()> {
        panic!("a beat is never removed")
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        panic!("a beat need not outlive the machine")
    }
}

#[derive(Debug)]
struct RecordedFile {
    file: Box<dyn VfsFile>,
    recorder: Recorder,
}

impl VfsFile for RecordedFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let read = self.file.read_at(buffer, offset)?;
        let torn = &mut self.recorder.0.0.lock().torn;
        if *torn > 0 && read > 0 {
            *torn -= 1;
            buffer[100..read].fill(b' ');
        }
        Ok(read)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        assert_eq!((bytes.len(), offset), (FILE_LEN, 0), "one write of the whole file");
        let (seen, changed) = &*self.recorder.0;
        let mut seen = seen.lock();
        changed.notify_all();
        if seen.fail {
            seen.failed += 1;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.write_all_at(bytes, offset)?;
        seen.beats.push(Heartbeat::decode(bytes).unwrap());
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        panic!("a beat need not outlive the machine")
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn stat(&self) -> io::Result<Stat> {
        self.file.stat()
    }

    fn set_owner_and_mode(&self, like: &Stat) -> io::Result<()> {
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

struct Bench {
    folder: tempfile::TempDir,
    clock: Arc<Still>,
    disk: Recorder,
    pulse: Pulse,
}

impl Bench {
    fn new() -> Self {
        let clock = Arc::new(Still::default());
        let beat = Heartbeat::new("node", now(), Duration::from_mins(1));
        let pulse = Pulse::new(beat, clock.clone());
        Self { folder: tempfile::tempdir().unwrap(), clock, disk: Recorder::default(), pulse }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("heartbeats/ticker.json")
    }

    /// A writer that has written the first beat.
    fn writer(&self) -> PulseWriter {
        let writer = PulseWriter::start(self.pulse.clone(), Arc::new(self.disk.clone()), self.path()).unwrap();
        self.disk.wait(|seen| seen.beats.len() + seen.failed > 0);
        writer
    }

    fn read(&self) -> Result<Heartbeat, Unreadable> {
        heartbeat::read(&RealFs, &self.path())
    }
}

#[test]
fn publishing_dates_the_beat_and_only_progress_is_progress() {
    let bench = Bench::new();
    *bench.clock.0.lock() = Duration::from_millis(1500);
    bench.pulse.publish(|beat| beat.queue = 3);
    let beat = bench.pulse.current();
    assert_eq!((beat.queue, beat.at), (3, now() + SignedDuration::from_millis(1500)));
    assert_eq!((beat.boottime_ns, beat.monotonic_ns), (3_601_500_000_000, 1_500_000_000));
    assert_eq!(beat.at_unix, now().as_second() + 1);
    assert_eq!((beat.progress_monotonic_ns, beat.provider_monotonic_ns), (0, None));

    bench.pulse.progress(|beat| beat.cycle += 1);
    bench.pulse.provider_progress();
    let beat = bench.pulse.current();
    assert_eq!(
        (beat.cycle, beat.progress_monotonic_ns, beat.provider_monotonic_ns),
        (1, 1_500_000_000, Some(1_500_000_000))
    );
}

#[test]
fn the_file_is_made_with_its_folders_and_holds_the_last_state_at_the_end() {
    let bench = Bench::new();
    let writer = bench.writer();
    assert_eq!(bench.read().unwrap().phase, Phase::Starting);
    for cycle in 1..=1000 {
        bench.pulse.progress(|beat| (beat.cycle, beat.phase) = (cycle, Phase::Ticking));
        bench.pulse.progress(|beat| beat.phase = Phase::Idle);
    }
    writer.finish();
    assert_eq!(bench.read(), Ok(bench.pulse.current()));
    assert_eq!(fs::metadata(bench.path()).unwrap().len(), FILE_LEN as u64);
}

#[test]
fn a_thousand_ticks_a_second_are_one_write_a_second() {
    let bench = Bench::new();
    let writer = bench.writer();
    let begun = Instant::now();
    bench.pulse.publish(|beat| beat.phase = Phase::Idle);
    for cycle in 1..=1000 {
        bench.pulse.publish(|beat| (beat.cycle, beat.phase) = (cycle, Phase::Ticking));
        bench.pulse.publish(|beat| beat.phase = Phase::Idle);
    }
    writer.finish();
    // The first, the end of starting, the last, and those whose second came while this ran.
    let (written, seconds) = (bench.disk.cycles().len(), begun.elapsed().as_secs() as usize);
    assert!(written <= 4 + seconds, "{written} writes in {seconds} s");
    assert_eq!(bench.disk.cycles().last(), Some(&1000));
}

#[test]
fn a_beat_reaches_the_disk_by_itself_a_second_after_the_last_one() {
    let bench = Bench::new();
    let begun = Instant::now();
    let writer = bench.writer();
    bench.pulse.publish(|beat| beat.cycle = 7);
    bench.disk.wait(|seen| seen.beats.last().is_some_and(|beat| beat.cycle == 7));
    assert!(begun.elapsed() >= Duration::from_secs(1));
    writer.finish();
    assert_eq!(bench.disk.cycles(), [0, 7], "what is written already is not written again");
}

#[test]
fn turns_of_events_wait_for_nothing() {
    let bench = Bench::new();
    // Mere beats would wait for an hour, and the test with them.
    let next = || match bench.pulse.next_order(Instant::now().checked_add(HOUR)) {
        Order::Write(beat) => beat,
        Order::Finish(_) => panic!("nobody finished it"),
    };
    assert_eq!(next().phase, Phase::Starting);
    let failure = |message: &str| Some(Failure { message: message.into(), since: now(), count: 1 });
    let changes: [&dyn Fn(&mut Heartbeat); 7] = [
        &|beat| beat.phase = Phase::Idle,
        &|beat| beat.error = failure("one"),
        &|beat| beat.error = failure("two"),
        &|beat| beat.error = None,
        &|beat| beat.status = Status::Error,
        &|beat| beat.phase = Phase::Draining,
        &|beat| beat.phase = Phase::Stopped,
    ];
    for change in changes {
        bench.pulse.publish(change);
        // A mere beat on top of it doesn't make it wait.
        bench.pulse.publish(|beat| beat.queue += 1);
        assert_eq!(*next(), bench.pulse.current());
    }
    bench.pulse.publish(|beat| beat.queue = 99);
    bench.pulse.finish();
    assert!(matches!(bench.pulse.next_order(None), Order::Finish(Some(beat)) if beat.queue == 99));
    assert!(matches!(bench.pulse.next_order(None), Order::Finish(_)));
}

#[test]
fn ticks_wait_for_the_pause_and_go_with_the_next_turn_of_events() {
    let bench = Bench::new();
    bench.pulse.publish(|beat| beat.phase = Phase::Idle);
    bench.pulse.next_order(None);
    bench.pulse.publish(|beat| (beat.cycle, beat.phase) = (1, Phase::Ticking));
    let pulse = bench.pulse.clone();
    let waiting = std::thread::spawn(move || pulse.next_order(Instant::now().checked_add(HOUR)));
    let still_waits = || {
        while !bench.pulse.writer_is_pausing() {
            assert!(!waiting.is_finished(), "a tick was taken for a turn of events");
            std::thread::yield_now();
        }
    };
    still_waits();
    for cycle in 2..=1000 {
        bench.pulse.publish(|beat| beat.phase = Phase::Idle);
        bench.pulse.publish(|beat| (beat.cycle, beat.phase) = (cycle, Phase::Ticking));
    }
    bench.pulse.provider_progress();
    still_waits();
    let error = Failure { message: "no space left".into(), since: now(), count: 1 };
    bench.pulse.publish(|beat| beat.error = Some(error));
    let Order::Write(beat) = waiting.join().unwrap() else { panic!("nobody finished it") };
    assert_eq!((beat.cycle, beat.error.is_some()), (1000, true));
}

#[test]
fn a_file_that_was_taken_away_or_replaced_is_made_anew() {
    let bench = Bench::new();
    let writer = bench.writer();
    fs::remove_dir_all(bench.path().parent().unwrap()).unwrap();
    bench.pulse.publish(|beat| beat.phase = Phase::Idle);
    bench.disk.wait(|seen| seen.beats.len() == 2);
    assert_eq!(bench.read().unwrap().phase, Phase::Idle);

    let other = bench.folder.path().join("other");
    fs::write(&other, "x".repeat(9000)).unwrap();
    fs::rename(&other, bench.path()).unwrap();
    bench.pulse.publish(|beat| beat.phase = Phase::Draining);
    bench.disk.wait(|seen| seen.beats.len() == 3);
    assert_eq!(bench.read().unwrap().phase, Phase::Draining);
    assert_eq!(fs::metadata(bench.path()).unwrap().len(), FILE_LEN as u64);
    writer.finish();
}

#[test]
fn a_reader_never_meets_half_a_beat() {
    let bench = Bench::new();
    let writer = bench.writer();
    let (path, pulse) = (bench.path(), bench.pulse.clone());
    let reader = std::thread::spawn(move || {
        loop {
            // Whatever is being written meanwhile, it is whole and it goes forwards.
            let beat = heartbeat::read(&RealFs, &path).unwrap();
            assert!(beat.cycle <= pulse.current().cycle);
            if beat.phase == Phase::Stopped {
                return beat.cycle;
            }
        }
    });
    for cycle in 1..=2000 {
        let phase = if cycle % 2 == 0 { Phase::Starting } else { Phase::Draining };
        bench.pulse.publish(|beat| (beat.cycle, beat.phase) = (cycle, phase));
    }
    bench.pulse.publish(|beat| beat.phase = Phase::Stopped);
    writer.finish();
    assert_eq!(reader.join().unwrap(), 2000);
}

#[test]
fn half_a_beat_is_looked_at_again_but_not_for_ever() {
    let bench = Bench::new();
    bench.writer().finish();
    let read = |torn| {
        bench.disk.0.0.lock().torn = torn;
        heartbeat::read(&bench.disk, &bench.path())
    };
    assert_eq!(read(3), Ok(bench.pulse.current()));
    assert_eq!(read(1000), Err(Unreadable::Garbage("it has no checksum".into())));
    assert!(bench.disk.0.0.lock().torn > 900);
}

#[test]
fn a_failing_disk_never_ends_it() {
    let bench = Bench::new();
    bench.disk.fail(true);
    let writer = bench.writer();
    bench.pulse.publish(|beat| beat.phase = Phase::Idle);
    bench.disk.wait(|seen| seen.failed >= 2);
    bench.disk.fail(false);
    // Nothing more is published: it tries again by itself.
    bench.disk.wait(|seen| !seen.beats.is_empty());
    assert_eq!(bench.read().unwrap().phase, Phase::Idle);
    writer.finish();
}

#[test]
fn one_that_is_dropped_ends_too() {
    let bench = Bench::new();
    let writer = bench.writer();
    bench.pulse.publish(|beat| beat.cycle = 9);
    drop(writer);
    bench.disk.wait(|seen| seen.beats.last().is_some_and(|beat| beat.cycle == 9));
}
