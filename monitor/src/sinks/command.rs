//! A program that gets the alert as JSON on its standard input. It, and all it starts, is gone when its time is up.

use std::{io, os::unix::process::ExitStatusExt as _, process::Stdio, time::Duration};

use async_trait::async_trait;
use rustix::process::{Pid, Signal, kill_process_group};
use scheduler_core::{Error, ErrorKind, Result};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::{ChildStderr, Command},
};

use super::Carrier;
use crate::{notice::Notice, report::Letter};

/// The most that is kept of what it complains about.
const COMPLAINT: usize = 4096;

/// How long the rest of a complaint is waited for, once the program is gone.
const REST: Duration = Duration::from_millis(200);

/// A program to be run for every message.
#[derive(Debug)]
pub(super) struct Program {
    command: Vec<String>,
    timeout: Duration,
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

impl Program {
    pub(super) fn new(command: Vec<String>, timeout: Duration) -> Self {
        Self { command, timeout }
    }

    async fn run(&self, input: &[u8]) -> Result<()> {
        let program = self.command.first().map_or("", String::as_str);
        let failed = |what: &str, error: io::Error| Error::io(format!("{what} `{program}`"), error);
        let mut command = Command::new(program);
        command.args(self.command.iter().skip(1));
        // A group of its own, so that what it starts can be ended with it.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| failed("cannot start", error))?;
        let mut group = Group(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)));
        let (stdin, mut stderr) = (child.stdin.take(), child.stderr.take());
        let mut complaint = Vec::new();
        let talk = async {
            if let Some(mut stdin) = stdin {
                // A program that doesn't read is free not to.
                let _ = stdin.write_all(input).await;
            }
            listen(stderr.as_mut(), &mut complaint).await;
            std::future::pending::<()>().await;
        };
        let status = tokio::select! {
            biased;
            // What it leaves running may keep its standard error open for ever.
            status = child.wait() => status.map_err(|error| failed("cannot wait for", error))?,
            () = talk => return Ok(()),
            () = tokio::time::sleep(self.timeout) => {
                let what = format!("`{program}` took longer than {:?} and was ended", self.timeout);
                return Err(Error::new(ErrorKind::Io, what));
            }
        };
        // It went by itself; what it left running was meant to stay.
        group.0 = None;
        let _ = tokio::time::timeout(REST, listen(stderr.as_mut(), &mut complaint)).await;
        if status.success() {
            return Ok(());
        }
        let how = match (status.code(), status.signal()) {
            (Some(code), _) => format!("exit code {code}"),
            (None, Some(signal)) => format!("signal {signal}"),
            (None, None) => "an unknown end".into(),
        };
        let complaint = String::from_utf8_lossy(&complaint);
        let last = complaint.lines().rev().find(|line| !line.trim().is_empty());
        let why = last.map_or_else(String::new, |line| format!(": {}", line.trim()));
        Err(Error::new(ErrorKind::Foreign, format!("`{program}` failed with {how}{why}")))
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

#[async_trait]
impl Carrier for Program {
    async fn deliver(&self, notice: &Notice) -> Result<Option<String>> {
        let mut input = notice.json().to_string().into_bytes();
        input.push(b'\n');
        self.run(&input).await.map(|()| None)
    }

    async fn deliver_report(&self, letter: &Letter) -> Result<()> {
        let mut input = letter.for_programs().to_string().into_bytes();
        input.push(b'\n');
        self.run(&input).await
    }

    fn preview(&self, notice: &Notice) -> String {
        format!("runs {} with this on its standard input:\n{:#}", self.command.join(" "), notice.json())
    }

    fn patience(&self) -> Duration {
        self.timeout + Duration::from_secs(5)
    }
}
