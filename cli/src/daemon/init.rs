//! The first process of a container inherits every orphan of it, and if nobody reaps them they stay as zombies for ever. So
//! where the daemon would be pid 1, it is a child of a small init that does nothing but reap and pass signals on.

use std::{env, process::Command, thread};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, wait};
use scheduler_core::Error;
use tokio::signal::unix::{SignalKind, signal};

use crate::{exit, failure::Failure};

/// Whether this process is the first of its pid namespace.
pub(crate) fn is_needed() -> bool {
    std::process::id() == 1
}

/// Runs this program again as a child, with the same arguments, and answers its exit code when it ends.
///
/// # Errors
/// It could not be started, or signals can't be heard.
pub(crate) fn run() -> Result<u8, Failure> {
    let failed = |what: &str| {
        let what = what.to_owned();
        move |error| Error::io(what, error)
    };
    let program = env::current_exe().map_err(failed("cannot find this program"))?;
    let child =
        Command::new(program).args(env::args_os().skip(1)).spawn().map_err(failed("cannot start the daemon"))?;
    let daemon = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a child has a pid");
    pass_signals_on(daemon)?;
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == daemon => {
                let code = status.exit_status().or_else(|| status.terminating_signal().map(|signal| 128 + signal));
                return Ok(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(exit::ERROR));
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(Error::io("cannot wait for the daemon", error.into()).into()),
        }
    }
}

fn pass_signals_on(daemon: Pid) -> Result<(), Failure> {
    let runtime = crate::runtime::runtime(false)?;
    let failed = |error| Error::io("cannot listen for signals", error);
    let listening = runtime.enter();
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(failed)?;
    drop(listening);
    thread::spawn(move || {
        runtime.block_on(async move {
            loop {
                let signal = tokio::select! {
                    _ = terminate.recv() => Signal::TERM,
                    _ = interrupt.recv() => Signal::INT,
                    _ = hangup.recv() => Signal::HUP,
                };
                let _ = kill_process(daemon, signal);
            }
        });
    });
    Ok(())
}
