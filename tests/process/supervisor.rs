//! Daemons that don't get on, and who is told of those that do.

use std::{
    io::{BufRead as _, BufReader},
    os::unix::net::UnixDatagram,
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::Signal;

use super::{
    bench::{Daemon, PATIENCE, Place, eventually},
    wedge::DeadMount,
};

/// A home whose daemon ends itself as soon as it may: after three intervals and 20 s.
fn impatient() -> Place {
    let place = Place::empty();
    place.write("config.yaml", "ticker: {interval: 1s, abort_after: 1s}\n");
    place
}

pub(super) fn ended_itself(daemon: &mut Daemon) {
    assert_eq!(daemon.wait().code(), Some(70), "{}", daemon.log());
}

#[test]
fn a_daemon_that_is_stuck_in_the_store_says_where_and_ends_itself_and_the_next_one_says_what_it_found() {
    let place = impatient();
    place.write_jobs(&[place.job("job", "* * * * * *", "")]);
    let mut daemon = place.daemon();
    place.until_started("job", 1);
    let Some(dead) = DeadMount::over_jobs(&place) else { return };
    ended_itself(&mut daemon);
    let log = daemon.log();
    assert!(log.contains("the daemon has not got on for 2"), "{log}");
    assert!(log.contains("thread `sched-store` waits in") || !wait_channels_are_told(), "{log}");
    assert!(log.contains("it ended itself (exit code 70), for a service manager to start it again"), "{log}");

    drop(dead);
    let status = place.until_verdict("crashed", 4);
    assert!(status["evidence"].to_string().contains("it ended itself (exit code 70)"), "{status:#}");
    let before = place.effects("job").len();
    let mut next = place.daemon();
    next.until_logged("ended without stopping, at cycle");
    next.until_logged("it said: the daemon has not got on for 2");
    place.until_started("job", before + 2);
    next.stop();
    place.no_instant_twice("job");
}

/// Each wait for it ends with an error after 30 s, which is no sign of life.
#[test]
fn a_store_that_never_answers_ends_the_daemon_however_often_it_gives_up_waiting() {
    let place = Place::empty();
    place.write("config.yaml", "ticker: {interval: 1s, abort_after: 40s}\n");
    place.write_jobs(&[place.job("job", "* * * * * *", "")]);
    let mut daemon = place.daemon();
    place.until_started("job", 1);
    let lock = std::fs::File::open(place.home().join("state/lock")).expect("the store's lock");
    lock.lock().expect("for good");
    daemon.until_logged("the store did not answer for 30 s");
    ended_itself(&mut daemon);
    assert!(daemon.log().contains("the daemon has not got on for 2"), "{}", daemon.log());
    drop(lock);
    let before = place.effects("job").len();
    let mut next = place.daemon();
    place.until_started("job", before + 2);
    next.stop();
    place.no_instant_twice("job");
}

#[test]
fn threads_that_never_return_are_noticed_from_outside_the_runtime() {
    let place = impatient();
    place.write_jobs(&[place.job("job", "* * * * * *", "")]);
    let mut daemon = place.daemon();
    place.until_started("job", 1);
    let Some(frozen) = Frozen::new(&daemon, "tokio") else { return };
    place.until_verdict("stalled", 4);
    daemon.until_logged("it ended itself");
    // The kernel keeps what is left of a thread for whoever traces it.
    drop(frozen);
    ended_itself(&mut daemon);
    assert!(daemon.log().contains("the daemon has not got on for 2"), "{}", daemon.log());
}

#[test]
fn a_log_that_nobody_reads_keeps_no_job_from_firing() {
    let place = Place::beating();
    place.write_jobs(&[place.job("job", "* * * * * *", "")]);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    rustix::pipe::fcntl_setpipe_size(&writer, 4096).expect("a small one");
    let full = writer.try_clone().expect("another end");
    let mut daemon = place.command(&["run", "-vvv"]).stdout(Stdio::null()).stderr(writer).spawn().expect("it runs");
    eventually("the pipe is full", || {
        let mut ready = [rustix::event::PollFd::new(&full, rustix::event::PollFlags::OUT)];
        let room = rustix::event::poll(&mut ready, Some(&rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 }));
        if room == Ok(0) { Ok(()) } else { Err("there is room".into()) }
    });
    let before = place.effects("job").len();
    place.until_started("job", before + 5);
    place.until_verdict("live", 0);
    super::bench::signal(daemon.id(), Signal::TERM);
    assert!(daemon.wait().expect("a child").success(), "nor from ending");
    drop(reader);
    place.no_instant_twice("job");
}

#[test]
fn a_daemon_that_was_frozen_goes_on_and_does_not_end_itself() {
    let place = impatient();
    place.write_jobs(&[place.job("job", "* * * * * *", "")]);
    let mut daemon = place.daemon();
    place.until_started("job", 1);
    daemon.signal(Signal::STOP);
    place.until_verdict("stalled", 4);
    daemon.signal(Signal::CONT);
    let before = place.effects("job").len();
    place.until_started("job", before + 2);
    place.until_verdict("live", 0);
    daemon.stop();
    place.no_instant_twice("job");
}

#[test]
fn the_service_manager_hears_of_readiness_of_every_sign_of_life_and_of_the_end() {
    let place = Place::beating();
    place.write_jobs(&[place.job("job", "* * * * * *", "env >> ../environment")]);
    let socket = place.path("notify");
    let listener = UnixDatagram::bind(&socket).expect("a socket");
    listener.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    let mut command = place.command(&["run"]);
    command.env("NOTIFY_SOCKET", &socket).env("WATCHDOG_USEC", "600000");
    let mut daemon = place.start_command(&mut command);
    let hear = || {
        let mut buffer = [0; 4096];
        let length = listener.recv(&mut buffer).expect("something is said");
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    let until = |what: &str| {
        let mut heard = Vec::new();
        while !heard.last().is_some_and(|last: &String| last.lines().any(|line| line.starts_with(what))) {
            heard.push(hear());
        }
        heard
    };
    let first = until("READY=1");
    assert!(first.iter().all(|heard| !heard.contains("fires") || heard.contains("READY=1")), "{first:?}");
    (0..3).for_each(|_| drop(until("WATCHDOG=1")));
    assert!(until("STATUS=").last().is_some_and(|heard| heard.contains("builtin fires")), "what it does");

    // Frozen, it says nothing: that is what its watchdog is for.
    daemon.signal(Signal::STOP);
    place.until_verdict("stalled", 4);
    listener.set_nonblocking(true).expect("no waiting");
    while listener.recv(&mut [0; 4096]).is_ok() {}
    listener.set_nonblocking(false).expect("waiting again");
    daemon.signal(Signal::CONT);
    until("WATCHDOG=1");
    daemon.signal(Signal::TERM);
    until("STOPPING=1");
    assert_eq!(daemon.wait().code(), Some(0), "{}", daemon.log());
    let environment = std::fs::read_to_string(place.path("environment")).unwrap_or_default();
    assert!(!environment.contains("NOTIFY_SOCKET") && !environment.contains("WATCHDOG"), "{environment}");
}

/// Threads of a process that were stopped while its others go on, as a debugger does it; they go on when this is dropped.
pub(super) struct Frozen(Child);

impl Frozen {
    /// Stops those whose name begins with `name`. `None`, with the reason printed, where this isn't allowed.
    #[expect(clippy::print_stdout, reason = "who runs the tests must be able to see what was not proved")]
    pub(super) fn new(daemon: &Daemon, name: &str) -> Option<Self> {
        let mut python = Command::new("python3");
        python.args(["-c", include_str!("freeze.py"), &daemon.pid().to_string(), name]);
        let mut python = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python3 runs");
        let mut answer = String::new();
        BufReader::new(python.stdout.take().expect("a pipe")).read_line(&mut answer).expect("an answer");
        if answer.starts_with("frozen") {
            return Some(Self(python));
        }
        println!("skipped, nothing is proved: {answer}");
        let _ = python.wait();
        None
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Some machines keep to themselves where a thread waits.
fn wait_channels_are_told() -> bool {
    let sleeper = std::thread::spawn(|| std::thread::sleep(Duration::from_millis(200)));
    let told = std::fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .flatten()
        .any(|task| std::fs::read_to_string(task.path().join("wchan")).is_ok_and(|place| place.len() > 1));
    sleeper.join().expect("it wakes");
    told
}
