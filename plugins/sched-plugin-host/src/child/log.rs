//! What a plugin has to say to people: into the daemon's log, with its name, and with a bound on how much.

use std::{
    fs::File,
    io::Read,
    os::fd::OwnedFd,
    thread,
    time::{Duration, Instant},
};

use crate::protocol::{LogLevel, brief};

/// A longer line is cut into several.
const LONGEST: usize = 4 << 10;
/// More lines than this in a second are counted and not written: a plugin must not fill the disk that cron works on.
const PER_SECOND: usize = 100;

/// Writes what comes out of `stderr` to the log, until it ends.
pub(super) fn follow(name: &str, stderr: OwnedFd) {
    let plugin = name.to_owned();
    let follow = move || {
        let mut meter = Meter::new(&plugin);
        let mut lines = Vec::new();
        let (mut from, mut chunk) = (File::from(stderr), [0; LONGEST]);
        while let Ok(read @ 1..) = from.read(&mut chunk) {
            for byte in &chunk[..read] {
                match byte {
                    b'\n' => meter.bytes(&mut lines),
                    byte => {
                        lines.push(*byte);
                        if lines.len() >= LONGEST {
                            meter.bytes(&mut lines);
                        }
                    }
                }
            }
        }
        meter.bytes(&mut lines);
    };
    if let Err(error) = thread::Builder::new().name("sched-plugin-log".into()).spawn(follow) {
        tracing::warn!(plugin = name, %error, "what the plugin writes to its standard error can't be read");
    }
}

pub(super) fn line(plugin: &str, level: LogLevel, message: &str) {
    let message = brief(message, LONGEST);
    match level {
        LogLevel::Error => tracing::error!(plugin, "{message}"),
        LogLevel::Warn => tracing::warn!(plugin, "{message}"),
        LogLevel::Info => tracing::info!(plugin, "{message}"),
        LogLevel::Debug => tracing::debug!(plugin, "{message}"),
        LogLevel::Trace => tracing::trace!(plugin, "{message}"),
    }
}

/// Lines of one plugin, of which at most so many a second are written.
pub(crate) struct Meter {
    plugin: String,
    since: Instant,
    written: usize,
    dropped: usize,
}

impl Meter {
    pub(crate) fn new(plugin: &str) -> Self {
        Self { plugin: plugin.to_owned(), since: Instant::now(), written: 0, dropped: 0 }
    }

    /// A line that the plugin called `log` with.
    pub(crate) fn line(&mut self, level: LogLevel, message: &str) {
        if self.since.elapsed() >= Duration::from_secs(1) {
            self.settle();
            (self.since, self.written) = (Instant::now(), 0);
        }
        if self.written < PER_SECOND {
            line(&self.plugin, level, message);
            self.written += 1;
        } else {
            self.dropped += 1;
        }
    }

    /// One that it wrote, which leaves the buffer empty.
    fn bytes(&mut self, bytes: &mut Vec<u8>) {
        if !bytes.is_empty() {
            self.line(LogLevel::Info, &String::from_utf8_lossy(bytes));
            bytes.clear();
        }
    }

    fn settle(&mut self) {
        let dropped = std::mem::take(&mut self.dropped);
        if dropped > 0 {
            tracing::warn!(
                plugin = self.plugin,
                "{dropped} lines were left out: it writes more than {PER_SECOND} a second"
            );
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.settle();
    }
}
