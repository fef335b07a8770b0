//! A daemon in a program of its own, each of whose ticks panics while there is a file `stumble` beside its home, `$SCHED_HOME`:
//! a mistake that the built `sched` has nowhere to be asked for.

use std::{env, fs, path::PathBuf, sync::Arc, thread, time::Duration};

use sched_runner::{CommandRunner, RunnerConfig, proc};
use scheduler_core::{
    Clock, Engine, Home, Result, SystemClock,
    liveness::{Heartbeat, Pulse, PulseWriter},
    provider::Ticker,
    store::{JsonStore, JsonStoreOptions},
    testing::FaultyFs,
    vfs::{Lock, Open, RealFs, Vfs as _},
};
use tokio::signal::unix::{SignalKind, signal};

const INTERVAL: Duration = Duration::from_secs(1);

#[tokio::main]
async fn main() -> Result<()> {
    let folder = PathBuf::from(env::var_os("SCHED_HOME").expect("$SCHED_HOME"));
    let home = Home::new(&folder);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let disk = FaultyFs::default();
    let mut options = JsonStoreOptions::new(home.clone(), Arc::clone(&clock));
    options.fs = Arc::new(disk.clone());
    let store = Arc::new(JsonStore::open(&options)?);

    // As a daemon does it: `status` asks this lock who there is.
    let lock = RealFs.open(&home.daemon_lock(), Open::Create).expect("a lock");
    assert!(lock.try_lock(Lock::Exclusive).expect("a lock"), "somebody has it");
    let me = proc::myself();
    lock.write_all_at(&serde_json::to_vec(&me).expect("JSON"), 0).expect("its name");

    let mut beat = Heartbeat::new("run", clock.now(), INTERVAL);
    (beat.boot_id, beat.pid, beat.pid_ns, beat.proc_start) = (me.boot_id, me.pid, proc::pid_namespace(), me.start_time);
    beat.agent = "stumbles".into();
    let pulse = Pulse::new(beat, Arc::clone(&clock));
    let writer = PulseWriter::start(pulse.clone(), Arc::new(RealFs), home.ticker_json())?;
    let runner = Arc::new(CommandRunner::new(RunnerConfig::new(home.runs())));
    let engine = Engine::builder(store, runner).clock(clock).pulse(pulse).interval(INTERVAL).build();
    thread::spawn(move || {
        loop {
            disk.panic_in_syncs(fs::exists(folder.with_file_name("stumble")).is_ok_and(|there| there));
            thread::sleep(Duration::from_millis(5));
        }
    });
    let mut told = signal(SignalKind::terminate()).expect("a signal");
    let stop = async move {
        told.recv().await;
    };
    let done = engine.run_until(Ticker, stop).await;
    writer.finish();
    done
}
