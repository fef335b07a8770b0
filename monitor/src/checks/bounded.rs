//! A program with a bound: it, and all that it started, is gone when its time is up or nobody waits for it any more.

use std::{ffi::OsString, io, os::unix::process::ExitStatusExt as _, process::Stdio, time::Duration};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::AsyncReadExt as _,
    process::{ChildStderr, Command},
};

/// The most that is kept of what it complains about.
const COMPLAINT: usize = 4096;

/// How long the rest of a complaint is waited for, once the program is gone.
const REST: Duration = Duration::from_millis(200);

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    /// With this code, and this at the end of its standard error.
    Exit(i32, String),
    /// By this signal.
    Signal(i32),
    /// Not in time: it was ended.
    Late,
    /// Not at all: it could not be started.
    NotStarted(String),
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

/// Runs `words` with nothing in its environment but `path`, in the root folder: what it finds there must not change what it
/// says.
pub(super) async fn run(words: &[OsString], path: &OsString, within: Duration) -> Ended {
    let Some((program, arguments)) = words.split_first() else {
        return Ended::NotStarted("no program is named".into());
    };
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("PATH", path).env("LC_ALL", "C").current_dir("/");
    // A group of its own, so that what it starts can be ended with it.
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Ended::NotStarted(said(&error)),
    };
    let _group = Group(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)));
    let mut stderr = child.stderr.take();
    let mut complaint = Vec::new();
    let status = tokio::select! {
        biased;
        // What it leaves running may keep its standard error open for ever.
        status = child.wait() => status,
        () = async { listen(stderr.as_mut(), &mut complaint).await; std::future::pending().await } => return Ended::Late,
        () = tokio::time::sleep(within) => return Ended::Late,
    };
    let _ = tokio::time::timeout(REST, listen(stderr.as_mut(), &mut complaint)).await;
    match status.map(|status| (status.code(), status.signal())) {
        Ok((Some(code), _)) => Ended::Exit(code, String::from_utf8_lossy(&complaint).into_owned()),
        Ok((None, signal)) => Ended::Signal(signal.unwrap_or_default()),
        Err(error) => Ended::NotStarted(said(&error)),
    }
}

fn said(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        _ => error.to_string(),
    }
}

/// Reads until there is no more, and keeps the end of it. All of it is read: a pipe that is full would stop the program.
async fn listen(stderr: Option<&mut ChildStderr>, complaint: &mut Vec<u8>) {
    let Some(stderr) = stderr else { return };
    let mut buffer = [0; 1024];
    while let Ok(length @ 1..) = stderr.read(&mut buffer).await {
        complaint.extend_from_slice(&buffer[..length]);
        complaint.drain(..complaint.len().saturating_sub(COMPLAINT));
    }
}
