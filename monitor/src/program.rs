//! A program with a bound: it, and all that it started, is gone when its time is up or nobody waits for it any more.

use std::{
    io,
    os::{fd::OwnedFd, unix::process::ExitStatusExt as _},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::unix::pipe,
    process::Command,
    time::{sleep, timeout},
};

/// How long the rest of what it prints is waited for, once the program is gone.
const REST: Duration = Duration::from_millis(200);

/// What a program may do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// How long it may take.
    pub(crate) within: Duration,
    /// How much is kept of what it prints: the end of it.
    pub(crate) keep: usize,
    /// Whether that is all it prints, or what it prints on its standard error alone.
    pub(crate) all: bool,
}

/// How a program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// `None` if its time was up.
    pub(crate) status: Option<ExitStatus>,
    /// The end of what it printed.
    pub(crate) printed: String,
}

impl Ended {
    /// The last line of it that says something, behind a colon.
    pub(crate) fn last_words(&self) -> String {
        let last = self.printed.lines().rev().find(|line| !line.trim().is_empty());
        last.map_or_else(String::new, |line| format!(": {}", line.trim()))
    }
}

/// How it ended, in words.
pub(crate) fn words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "an unknown end".into(),
    }
}

/// Ends a process group when it is dropped, however that comes about.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Runs `command` with `input` on its standard input, to its end or the end of its time.
///
/// # Errors
/// It can't be started, or can't be waited for.
pub(crate) async fn run(mut command: Command, input: &[u8], bounds: Bounds) -> io::Result<Ended> {
    let (reader, writer) = io::pipe()?;
    let stdout = if bounds.all { Stdio::from(writer.try_clone()?) } else { Stdio::null() };
    command.stdout(stdout).stderr(writer).stdin(if input.is_empty() { Stdio::null() } else { Stdio::piped() });
    // A group of its own, so that what it starts can be ended with it.
    let mut child = command.process_group(0).kill_on_drop(true).spawn()?;
    // It holds ends of the pipe, and nobody would ever see the end of that.
    drop(command);
    let mut group = Group(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)));
    let mut reader = pipe::Receiver::from_owned_fd(OwnedFd::from(reader))?;
    let (stdin, mut printed) = (child.stdin.take(), Vec::new());
    let talk = async {
        let write = async {
            if let Some(mut stdin) = stdin {
                // A program that doesn't read is free not to.
                let _ = stdin.write_all(input).await;
            }
        };
        tokio::join!(write, listen(&mut reader, &mut printed, bounds.keep));
        std::future::pending().await
    };
    let status = tokio::select! {
        biased;
        // What it leaves running may keep what it prints to open for ever.
        status = child.wait() => Some(status?),
        never = talk => never,
        () = sleep(bounds.within) => None,
    };
    if status.is_some() {
        // It went by itself; what it left running was meant to stay.
        group.0 = None;
    } else {
        drop(group);
        let _ = timeout(REST, child.wait()).await;
    }
    let _ = timeout(REST, listen(&mut reader, &mut printed, bounds.keep)).await;
    Ok(Ended { status, printed: String::from_utf8_lossy(&printed).into_owned() })
}

/// Reads until there is no more, and keeps the end of it. All of it is read: a pipe that is full would stop the program.
async fn listen(from: &mut pipe::Receiver, printed: &mut Vec<u8>, keep: usize) {
    let mut buffer = [0; 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        printed.extend_from_slice(&buffer[..length]);
        printed.drain(..printed.len().saturating_sub(keep));
    }
}
