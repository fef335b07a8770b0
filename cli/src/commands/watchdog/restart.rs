//! A daemon that crashed is started again: by this process if nothing else does, ever more rarely if that doesn't help, and
//! never one that was told to stop.

use std::{
    fs::{self, OpenOptions},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use scheduler_core::{
    Clock, Error, Home,
    liveness::{Phase, VerdictKind},
    vfs::{Open, RealFs, Vfs as _, atomic_write},
};
use serde::{Deserialize, Serialize};

use super::{
    super::service,
    own::{Own, Seen},
};
use crate::daemon::lock;

/// How long the second start waits after the first; the next ones twice as long each.
const FIRST: SignedDuration = SignedDuration::from_secs(30);
/// And at most.
const LONGEST: SignedDuration = SignedDuration::from_mins(30);
/// How long a daemon may take until it holds its lock.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often that is looked at.
const LOOKS: Duration = Duration::from_millis(50);
/// How large the log of daemons may get before it is put aside.
const LOG: u64 = 1 << 20;

/// The starts since the daemon was last seen well.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Attempts {
    count: u32,
    at: Option<Timestamp>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Decision {
    /// Nothing: nothing has crashed.
    Leave,
    /// It is well: what was tried is forgotten.
    Forget,
    /// It crashed, and is not started, for this reason.
    Refuse(String),
    /// It is started, for the so-manieth time since it was last seen well.
    Start(u32),
}

/// Starts daemons, and takes note of their ends while it lives.
#[derive(Debug, Default)]
pub(super) struct Starter(Vec<Child>);

impl Starter {
    /// Starts the daemon of `home` if it crashed and nothing is against it. Answers what was done, in words.
    pub(super) async fn consider(&mut self, home: &Home, own: &Own, clock: &Arc<dyn Clock>) -> Option<String> {
        // One that ended and that nobody waits for would lie about as a zombie.
        self.0.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
        let Own::Seen(seen) = own else { return None };
        let systemd = || service::keeps(home);
        match decide(seen, &read(home), systemd, clock.now()) {
            Decision::Leave => None,
            Decision::Forget => {
                let _ = RealFs.remove(&home.restarts());
                None
            }
            Decision::Refuse(why) => Some(format!("the daemon is not started: {why}")),
            Decision::Start(count) => Some(self.start(home, count, clock).await.unwrap_or_else(|why| {
                tracing::error!("the daemon could not be started: {why}");
                format!("the daemon could not be started: {why}")
            })),
        }
    }

    async fn start(&mut self, home: &Home, count: u32, clock: &Arc<dyn Clock>) -> Result<String, Error> {
        let Some(_lock) = super::lock(&RealFs, home)? else {
            return Ok("the daemon is not started: another watchdog is at it".into());
        };
        // Between the look and the lock another watchdog may have done it.
        if lock::look(home).held {
            return Ok("the daemon is not started: it runs by now".into());
        }
        let attempts = Attempts { count, at: Some(clock.now()) };
        // Written before: a daemon that takes the machine down with it must not be started at once by the next one.
        write(home, &attempts)?;
        let mut child = spawn(home)?;
        let pid = child.id();
        let log = home.daemon_log();
        let until = clock.monotonic() + PATIENCE;
        let said = loop {
            if lock::look(home).held {
                break format!("started the daemon (pid {pid}); what it says is in {}", log.display());
            }
            if let Ok(Some(status)) = child.try_wait() {
                break format!(
                    "the daemon (pid {pid}) was started and ended at once ({status}); see {}",
                    log.display()
                );
            }
            if clock.monotonic() >= until {
                break format!("the daemon (pid {pid}) was started and is slow; what it says is in {}", log.display());
            }
            tokio::time::sleep(LOOKS).await;
        };
        self.0.push(child);
        Ok(said)
    }
}

/// Pure, but for `systemd`, which is asked last: what keeps the daemon at work already.
fn decide(seen: &Seen, attempts: &Attempts, systemd: impl FnOnce() -> Option<String>, now: Timestamp) -> Decision {
    let facts = &seen.facts;
    match seen.verdict.kind {
        VerdictKind::Crashed => {}
        kind if kind.exit_code() < 4 && attempts.count > 0 => return Decision::Forget,
        _ => return Decision::Leave,
    }
    if facts.lock.held {
        return Decision::Refuse("something that it started still holds its lock".into());
    }
    let told_to_stop = facts
        .beat
        .as_ref()
        .is_ok_and(|beat| beat.phase == Phase::Draining && facts.boot_id.as_deref() == Some(beat.boot_id.as_str()));
    if told_to_stop {
        return Decision::Refuse("it was told to stop before it died".into());
    }
    if let Some(unit) = systemd() {
        return Decision::Refuse(format!("systemd does that, by {unit}"));
    }
    // One that got as far as to fire was helped, though no watchdog saw it well before it died again.
    let helped = |at: Timestamp| facts.beat.as_ref().is_ok_and(|beat| beat.last_success_at.is_some_and(|ok| ok > at));
    let Some(at) = attempts.at.filter(|at| *at <= now) else {
        return Decision::Start(attempts.count.saturating_add(1));
    };
    let helped = helped(at);
    let count = if helped { 1 } else { attempts.count };
    let due = at + pause(count);
    if due <= now {
        return Decision::Start(if helped { 1 } else { count.saturating_add(1) });
    }
    let whole = |span: SignedDuration| {
        let span = Duration::try_from(span).unwrap_or_default();
        scheduler_core::duration::format(Duration::from_secs(span.as_secs().max(1)))
    };
    let why = match count {
        _ if helped => format!("it was started {} ago, and died again", whole(now.duration_since(at))),
        1 => "1 start did not help".into(),
        count => format!("{count} starts did not help"),
    };
    Decision::Refuse(format!("{why}; the next is tried in {}", whole(due.duration_since(now))))
}

/// How long after so many starts the next one is tried.
fn pause(count: u32) -> SignedDuration {
    let doubled = 2_i32.saturating_pow(count.saturating_sub(1));
    FIRST.checked_mul(doubled).unwrap_or(LONGEST).min(LONGEST)
}

fn read(home: &Home) -> Attempts {
    // One that can't be read counts for none: a daemon that isn't started is the greater harm.
    RealFs.read(&home.restarts()).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

fn write(home: &Home, attempts: &Attempts) -> Result<(), Error> {
    let path = home.restarts();
    let failed = |error| Error::io(format!("cannot write {}", path.display()), error);
    let mut text = serde_json::to_vec(attempts).unwrap_or_default();
    text.push(b'\n');
    atomic_write(&RealFs, &path, &text, None).map(drop).map_err(failed)
}

/// Starts `sched run` in a session of its own, with nothing of ours or our caller's but the environment.
fn spawn(home: &Home) -> Result<Child, Error> {
    let failed = |error| Error::io("cannot start the daemon", error);
    let log = open_log(&home.daemon_log())?;
    let program = std::env::current_exe().map_err(failed)?;
    // A program that was replaced since is called so; its path has the new one.
    let shown = program.to_string_lossy();
    let program = shown.strip_suffix(" (deleted)").map_or(program.clone(), Into::into);
    let mut command = Command::new(program);
    command.arg("--home").arg(home.path()).args(["run", "--detached"]).current_dir("/");
    command.stdin(Stdio::null()).stdout(log.try_clone().map_err(failed)?).stderr(log);
    sched_runner::detached(&mut command).spawn().map_err(failed)
}

#[expect(clippy::disallowed_methods, reason = "a log that a child appends to is no state of ours")]
fn open_log(path: &Path) -> Result<fs::File, Error> {
    let failed = |error| Error::io(format!("cannot open {}", path.display()), error);
    if fs::metadata(path).is_ok_and(|log| log.len() > LOG) {
        RealFs.rename(path, &path.with_extension("log.1")).map_err(failed)?;
    }
    // What is no file in its place is an error, and nothing to wait for.
    RealFs.open(path, Open::Create).map_err(failed)?;
    OpenOptions::new().create(true).append(true).open(path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use scheduler_core::liveness::{Facts, Heartbeat, verdict};

    use super::*;

    fn now() -> Timestamp {
        "2026-11-22T03:00:00Z".parse().unwrap()
    }

    /// The home of a daemon that died in this boot, ten minutes ago.
    fn crashed() -> Facts {
        let mut facts = Facts::default();
        facts.home_exists = true;
        facts.now = now();
        facts.boot_id = Some("boot".into());
        (facts.boottime, facts.monotonic) = (Duration::from_hours(10), Duration::from_hours(10));
        let at = now() - SignedDuration::from_mins(10);
        let mut beat = Heartbeat::new("run", at, Duration::from_mins(1));
        (beat.boot_id, beat.phase, beat.at) = ("boot".into(), Phase::Idle, at);
        beat.boottime_ns = Duration::from_mins(590).as_nanos() as u64;
        beat.monotonic_ns = beat.boottime_ns;
        facts.beat = Ok(beat);
        facts
    }

    #[track_caller]
    fn check(change: impl FnOnce(&mut Facts), tries: (u32, i64), unit: Option<&str>, expected: &str) {
        let mut facts = crashed();
        change(&mut facts);
        let seen = Seen {
            verdict: verdict(&facts),
            facts,
            beats: Vec::new(),
            files: Ok((Vec::new(), 0)),
            obstacles: Vec::new(),
            jobs: 0,
            scripts: Vec::new(),
            found: HashMap::new(),
        };
        let (count, ago) = tries;
        let attempts = Attempts { count, at: (count > 0).then(|| now() - SignedDuration::from_secs(ago)) };
        let decision = decide(&seen, &attempts, || unit.map(str::to_owned), now());
        let shown = match decision {
            Decision::Refuse(why) => why,
            other => format!("{other:?}"),
        };
        assert!(shown.starts_with(expected), "{shown}\nis not\n{expected}\n{:?}", seen.verdict.kind);
    }

    fn phase(phase: Phase) -> impl FnOnce(&mut Facts) {
        move |facts| facts.beat.as_mut().unwrap().phase = phase
    }

    #[test]
    fn only_what_crashed_is_started_and_only_if_nobody_else_does() {
        check(|_| {}, (0, 0), None, "Start(1)");
        check(|facts| facts.boot_id = Some("next".into()), (0, 0), None, "Start(1)");
        check(phase(Phase::Stopped), (0, 0), None, "Leave");
        check(phase(Phase::Draining), (0, 0), None, "it was told to stop");
        check(|_| {}, (0, 0), Some("sched.service"), "systemd does that, by sched.service");
        check(|facts| facts.home_exists = false, (0, 0), None, "Leave");
        check(|facts| facts.lock.unreadable = Some("no".into()), (0, 0), None, "Leave");
        // What the machine's end cut short was not meant to stop for good.
        let rebooted = |facts: &mut Facts| {
            phase(Phase::Draining)(facts);
            facts.boot_id = Some("next".into());
        };
        check(rebooted, (0, 0), None, "Start(1)");
    }

    #[test]
    fn what_does_not_help_is_done_ever_more_rarely() {
        check(|_| {}, (1, 29), None, "1 start did not help; the next is tried in 1s");
        check(|_| {}, (1, 30), None, "Start(2)");
        check(|_| {}, (3, 60), None, "3 starts did not help; the next is tried in 1m");
        check(|_| {}, (40, 1799), None, "40 starts did not help; the next is tried in 1s");
        check(|_| {}, (40, 1800), None, "Start(41)");
        // A clock that was set back must not put it off.
        check(|_| {}, (5, -9999), None, "Start(6)");
        // One that fired after the start was helped; one that did so before was not.
        let fired = |ago: i64| {
            move |facts: &mut Facts| {
                facts.beat.as_mut().unwrap().last_success_at = Some(now() - SignedDuration::from_secs(ago));
            }
        };
        check(fired(10), (1, 20), None, "it was started 20s ago, and died again; the next is tried in 10s");
        check(fired(10), (7, 20), None, "it was started 20s ago, and died again; the next is tried in 10s");
        check(fired(10), (7, 30), None, "Start(1)");
        check(fired(21), (7, 20), None, "7 starts did not help; the next is tried in 29m 40s");
        check(phase(Phase::Stopped), (3, 60), None, "Leave");
    }
}
