//! Bytes into lines, with a bound: whoever writes without end must not take the reader's memory.

use std::io::Read;

use scheduler_core::{Error, ErrorKind, Result};

/// The longest line, in bytes, with its end.
pub const MAX_LINE: usize = 1 << 20;

/// Lines out of the bytes of a stream, as they come. Does no reading itself.
///
/// ```
/// use sched_plugin_host::protocol::LineBuffer;
/// let mut lines = LineBuffer::default();
/// lines.push(b"{}\n{\"id\"");
/// assert_eq!(lines.next_line()?.as_deref(), Some("{}"));
/// assert_eq!(lines.next_line()?, None);
/// lines.push(b": 1}\n");
/// assert_eq!(lines.next_line()?.as_deref(), Some("{\"id\": 1}"));
/// # Ok::<(), scheduler_core::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct LineBuffer {
    bytes: Vec<u8>,
    /// Where the next line begins.
    start: usize,
    /// Up to where there is no end of a line.
    searched: usize,
}

impl LineBuffer {
    /// More of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next line without its end, if there is a whole one.
    ///
    /// # Errors
    /// A line that is longer than [`MAX_LINE`] or not UTF-8. What follows means nothing then.
    pub fn next_line(&mut self) -> Result<Option<String>> {
        let Some(end) = self.bytes[self.searched..].iter().position(|byte| *byte == b'\n') else {
            self.searched = self.bytes.len();
            return if self.pending() >= MAX_LINE { Err(too_long()) } else { Ok(None) };
        };
        let end = self.searched + end;
        let line = &self.bytes[self.start..end];
        self.start = end + 1;
        self.searched = self.start;
        if line.len() >= MAX_LINE {
            return Err(too_long());
        }
        match std::str::from_utf8(line) {
            Ok(text) => Ok(Some(text.strip_suffix('\r').unwrap_or(text).to_owned())),
            Err(error) => {
                let byte = line[error.valid_up_to()];
                Err(Error::new(ErrorKind::Foreign, format!("a line is not UTF-8 (byte 0x{byte:02x})")))
            }
        }
    }

    /// How many bytes of a line there are whose end isn't.
    pub fn pending(&self) -> usize {
        self.bytes.len() - self.start
    }
}

fn too_long() -> Error {
    Error::new(ErrorKind::Foreign, "a line is longer than 1 MiB")
}

/// Lines out of something that blocks, such as a pipe in a thread of its own.
///
/// ```
/// use sched_plugin_host::protocol::LineReader;
/// let mut lines = LineReader::new("{}\n".as_bytes());
/// assert_eq!(lines.next_line()?.as_deref(), Some("{}"));
/// assert_eq!(lines.next_line()?, None);
/// # Ok::<(), scheduler_core::Error>(())
/// ```
#[derive(Debug)]
pub struct LineReader<R> {
    from: R,
    lines: LineBuffer,
}

impl<R: Read> LineReader<R> {
    /// Reads from `from`.
    pub fn new(from: R) -> Self {
        Self { from, lines: LineBuffer::default() }
    }

    /// Waits for the next line; `None` at the end.
    ///
    /// # Errors
    /// A line that is none (see [`LineBuffer::next_line`]), one that has no end, or what the system says.
    pub fn next_line(&mut self) -> Result<Option<String>> {
        let mut chunk = [0; 8 << 10];
        loop {
            if let Some(line) = self.lines.next_line()? {
                return Ok(Some(line));
            }
            match self.from.read(&mut chunk) {
                Ok(0) if self.lines.pending() > 0 => {
                    return Err(Error::new(ErrorKind::Foreign, "the last line has no end"));
                }
                Ok(0) => return Ok(None),
                Ok(read) => self.lines.push(&chunk[..read]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io("a line cannot be read", error)),
            }
        }
    }
}
