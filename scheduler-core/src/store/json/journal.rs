//! The journal: an append-only file of frames, read from where the last reading ended.
//!
//! It knows nothing of what the events mean. Appending and cutting are only for a caller who holds `state/lock`; reading is
//! for everybody.

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    super::event::Event,
    frame::{self, Found},
};
use crate::{Error, ErrorKind, Result, vfs::VfsFile};

/// An open journal and how far it has been read.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: Box<dyn VfsFile>,
    /// Where the next frame begins. Shared, so that a watcher can tell our own appends from others'.
    end: Arc<AtomicU64>,
    seq: u64,
    /// Where the last frame that was read or written begins, and its header line: how a reader knows its place again.
    last: Option<(u64, Vec<u8>)>,
    durable_through: u64,
    /// Whether something was appended since the last sync.
    unsynced: bool,
    /// Whether this process has made sure that what it found is durable.
    vouches: bool,
}

/// Whether a reader may cut off what was never finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Reads beside writers: what isn't whole isn't there yet.
    Beside,
    /// Holds the lock: what isn't whole never will be.
    Alone,
}

/// What a reading came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caught {
    /// Everything there is has been read.
    Up,
    /// The file isn't the one that was read before: what was read must be forgotten and read again.
    Stale,
}

const READ_AT_ONCE: usize = 1 << 20;

impl Journal {
    /// A journal that nothing has been read of. It goes on after frame `seq`, which was durable before it was begun.
    pub(super) fn new(path: PathBuf, file: Box<dyn VfsFile>, seq: u64, end: Arc<AtomicU64>) -> Self {
        end.store(0, Ordering::Relaxed);
        Self { path, file, end, seq, last: None, durable_through: seq, unsynced: false, vouches: false }
    }

    /// Where the next frame begins, in bytes.
    pub(super) fn end(&self) -> u64 {
        self.end.load(Ordering::Relaxed)
    }

    /// The last frame that was read or written.
    pub(super) fn seq(&self) -> u64 {
        self.seq
    }

    pub(super) fn needs_sync(&self) -> bool {
        self.unsynced
    }

    /// Hands every event that was appended since the last call to `take`.
    ///
    /// # Errors
    /// `Corrupt` for a damaged frame that once was durable, `TooNew` for events this build doesn't know.
    pub(super) fn catch_up(&mut self, access: Access, take: impl FnMut(Event)) -> Result<Caught> {
        self.read(access, u64::MAX, take)
    }

    /// The same up to byte `end`, where a frame ends.
    ///
    /// # Errors
    /// As those.
    pub(super) fn read_until(&mut self, end: u64, take: impl FnMut(Event)) -> Result<Caught> {
        self.read(Access::Beside, end, take)
    }

    fn read(&mut self, access: Access, until: u64, mut take: impl FnMut(Event)) -> Result<Caught> {
        let len = self.file.stat().map_err(|error| self.failed("look at", error))?.len.min(until);
        let mut at = self.end();
        if len < at || !self.is_in_place()? {
            return Ok(Caught::Stale);
        }
        let mut buffer = Vec::new();
        while at + buffer.len() as u64 != len || !buffer.is_empty() {
            let mut begin = 0;
            let whole = loop {
                match frame::decode(&buffer[begin..]) {
                    Found::Frame { header, body, size } if header.seq == self.seq + 1 => {
                        for line in body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                            take(serde_json::from_slice(line).map_err(|error| self.unknown_event(at, &error))?);
                        }
                        self.seq = header.seq;
                        self.last = Some((at, frame::header_line(&buffer[begin..]).to_vec()));
                        self.durable_through = self.durable_through.max(header.durable_through);
                        begin += size;
                        at += size as u64;
                        self.end.store(at, Ordering::Relaxed);
                    }
                    // Somebody took a frame back that had been read here, and wrote another in its place.
                    Found::Frame { .. } => return Ok(Caught::Stale),
                    Found::Incomplete => break true,
                    Found::Bad => break false,
                }
            };
            buffer.drain(..begin);
            let read_to = at + buffer.len() as u64;
            if whole && read_to < len {
                self.read_more(&mut buffer, read_to, len)?;
            } else if buffer.is_empty() {
                break;
            } else {
                // A frame that isn't whole and isn't going to be, as far as this reading goes.
                self.read_rest(&mut buffer, read_to, len)?;
                self.unfinished(access, at, &buffer)?;
                break;
            }
        }
        Ok(Caught::Up)
    }

    /// Whether the last frame that was read still stands where it stood. One that could not be proven durable is taken back,
    /// and another may have been written there since; going on from the middle of that one would take it for damage.
    fn is_in_place(&self) -> Result<bool> {
        let Some((at, header)) = &self.last else { return Ok(true) };
        let mut found = vec![0; header.len()];
        let read = self.file.read_at(&mut found, *at).map_err(|error| self.failed("read", error))?;
        Ok(found[..read] == header[..])
    }

    fn read_more(&self, buffer: &mut Vec<u8>, from: u64, len: u64) -> Result<()> {
        let old = buffer.len();
        let more = (len - from).min(READ_AT_ONCE.max(old) as u64) as usize;
        buffer.resize(old + more, 0);
        let mut filled = old;
        while filled < buffer.len() {
            let offset = from + (filled - old) as u64;
            match self.file.read_at(&mut buffer[filled..], offset).map_err(|error| self.failed("read", error))? {
                0 => break,
                read => filled += read,
            }
        }
        buffer.truncate(filled);
        if filled == old { Err(self.failed("read", io::ErrorKind::UnexpectedEof.into())) } else { Ok(()) }
    }

    fn read_rest(&self, buffer: &mut Vec<u8>, from: u64, len: u64) -> Result<()> {
        let mut from = from;
        while from < len {
            let before = buffer.len();
            self.read_more(buffer, from, len)?;
            from += (buffer.len() - before) as u64;
        }
        Ok(())
    }

    /// A bad frame is damage only if a later one proves that it once was whole; otherwise it is a write that was cut short,
    /// and nobody has been told that it succeeded.
    fn unfinished(&mut self, access: Access, at: u64, tail: &[u8]) -> Result<()> {
        if let Some(voucher) = frame::find_voucher(tail, self.seq + 1) {
            let error = Error::new(
                ErrorKind::Corrupt,
                format!(
                    "{} is damaged at byte {at}: frame {} is not whole, and frame {} proves that it was",
                    self.path.display(),
                    self.seq + 1,
                    voucher.seq,
                ),
            );
            return Err(error.hint(format!("nothing fires from a journal that can't be trusted: {}", super::DAMAGED)));
        }
        if access == Access::Alone {
            tracing::warn!(
                journal = %self.path.display(), bytes = tail.len(), at,
                "cut off a write that was never finished; nobody had been told that it succeeded"
            );
            self.file.set_len(at).map_err(|error| self.failed("cut", error))?;
        }
        Ok(())
    }

    /// Appends `events` as one frame. The caller holds the lock and has caught up. After an error the file is as before.
    pub(super) fn append(&mut self, events: &[Event]) -> Result<()> {
        if !self.vouches && self.seq > self.durable_through {
            // Processes that wrote one frame each have left nobody to vouch for them: without this, one flipped bit in the
            // first frame would make everything after it look like a write that was never finished. Once is enough; later
            // syncs are of our own frames, and cover what others wrote as well.
            self.sync()?;
        }
        self.vouches = true;
        let mut body = Vec::with_capacity(events.len() * 256);
        for event in events {
            serde_json::to_writer(&mut body, event).expect("events are JSON");
            body.push(b'\n');
        }
        let frame = frame::encode(self.seq + 1, self.durable_through, &body);
        let at = self.end();
        if let Err(error) = self.file.write_all_at(&frame, at) {
            let _ = self.file.set_len(at);
            return Err(self.failed("write", error));
        }
        self.seq += 1;
        self.last = Some((at, frame::header_line(&frame).to_vec()));
        self.end.store(at + frame.len() as u64, Ordering::Relaxed);
        self.unsynced = true;
        Ok(())
    }

    /// Makes everything up to here durable.
    ///
    /// # Errors
    /// As the system says; the caller must then [`take_back`](Self::take_back) what it has not been able to prove.
    pub(super) fn sync(&mut self) -> Result<()> {
        self.file.sync().map_err(|error| self.failed("sync", error))?;
        self.durable_through = self.seq;
        self.unsynced = false;
        Ok(())
    }

    /// Cuts the file back to `end`.
    pub(super) fn take_back(&mut self, end: u64) {
        let _ = self.file.set_len(end);
    }

    /// Everything from `begin` to where it has been read, for a new generation.
    pub(super) fn content(&self, begin: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.read_rest(&mut bytes, begin, self.end())?;
        Ok(bytes)
    }

    fn failed(&self, what: &str, error: io::Error) -> Error {
        Error::io(format!("cannot {what} {}", self.path.display()), error)
    }

    fn unknown_event(&self, at: u64, error: &serde_json::Error) -> Error {
        let place = format!("{} holds a record at byte {at} that this build doesn't know", self.path.display());
        Error::new(ErrorKind::TooNew, format!("{place}: {error}"))
            .hint("it was written by a newer sched; use that one, or a newer one still")
    }
}
