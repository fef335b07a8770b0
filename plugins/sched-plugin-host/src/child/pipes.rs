//! Our ends of a plugin's pipes, read and written with a deadline.

use std::{
    fmt,
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::{Errno, ioctl_fionbio, read, write},
};
use scheduler_core::duration;

use super::Process;
use crate::protocol::{Code, Fault, LineBuffer, MOST_WORDS, brief};

/// How long a process whose output has ended has to end too, so that we can say how.
const TO_END: Duration = Duration::from_secs(1);

/// Both pipes, and what was read beyond the last line.
#[derive(Debug)]
pub(crate) struct Pipes {
    pub(crate) stdin: OwnedFd,
    pub(crate) stdout: OwnedFd,
    pub(crate) lines: LineBuffer,
}

/// Why there is nothing more to hear from a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Silence {
    /// Its output has ended.
    Closed,
    /// It doesn't read its input any more.
    Deaf,
    /// It had this long, and said nothing.
    Late(Duration),
    /// What it does is not the protocol.
    Breach(String),
    /// It answered `hello` with an error.
    Refused(Fault),
}

impl Silence {
    /// The same as a sentence, which for an output that has ended begins with how the process did.
    pub(crate) fn words(&self, process: &mut Process, when: &str) -> String {
        match self {
            Self::Closed | Self::Deaf => match process.exited_within(TO_END) {
                Some(ended) => format!("it {ended} {when}"),
                None if *self == Self::Closed => format!("it closed its output {when}"),
                None => format!("it closed its input {when}"),
            },
            other => other.to_string(),
        }
    }
}

impl Silence {
    /// Whether it counts against the plugin's code. One that says in due form that it can't work has done nothing wrong.
    pub(crate) fn is_crash(&self) -> bool {
        !matches!(self, Self::Refused(fault) if fault.code != Code::Panic)
    }
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("it closed its output"),
            Self::Deaf => f.write_str("it closed its input"),
            Self::Late(time) => write!(f, "it was not ready within {}", duration::format(*time)),
            Self::Breach(what) => write!(f, "it broke the protocol: {what}"),
            Self::Refused(fault) => write!(f, "it can't be started: {}", brief(&fault.to_string(), MOST_WORDS)),
        }
    }
}

impl Pipes {
    pub(super) fn new(stdin: OwnedFd, stdout: OwnedFd) -> Result<Self, Errno> {
        ioctl_fionbio(&stdin, true)?;
        ioctl_fionbio(&stdout, true)?;
        Ok(Self { stdin, stdout, lines: LineBuffer::default() })
    }

    /// Writes all of `bytes`; `false` if that took longer than `until`.
    pub(super) fn write_all(&self, mut bytes: &[u8], until: Instant) -> Result<bool, Silence> {
        while !bytes.is_empty() {
            match write(&self.stdin, bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(Errno::AGAIN) if wait(&self.stdin, PollFlags::OUT, until) => {}
                Err(Errno::AGAIN) => return Ok(false),
                Err(Errno::INTR) => {}
                Err(_) => return Err(Silence::Deaf),
            }
        }
        Ok(true)
    }

    /// The next line; `None` if that took longer than `until`.
    pub(super) fn next_line(&mut self, until: Instant) -> Result<Option<String>, Silence> {
        let mut chunk = [0; 8 << 10];
        loop {
            match self.lines.next_line() {
                Ok(Some(line)) => return Ok(Some(line)),
                Ok(None) => {}
                Err(error) => return Err(Silence::Breach(error.to_string())),
            }
            match read(&self.stdout, &mut chunk) {
                Ok(0) => return Err(Silence::Closed),
                Ok(read) => self.lines.push(&chunk[..read]),
                Err(Errno::AGAIN) if wait(&self.stdout, PollFlags::IN, until) => {}
                Err(Errno::AGAIN) => return Ok(None),
                Err(Errno::INTR) => {}
                Err(_) => return Err(Silence::Closed),
            }
        }
    }
}

fn wait(pipe: &OwnedFd, what: PollFlags, until: Instant) -> bool {
    let left = until.saturating_duration_since(Instant::now());
    let left = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
    match poll(&mut [PollFd::new(pipe, what)], Some(&left)) {
        Ok(ready) => ready > 0,
        Err(Errno::INTR) => true,
        Err(_) => false,
    }
}
