//! Files of lines that are written once, from the beginning, and read from either end.

use std::{io, ops::ControlFlow, path::PathBuf};

use crate::{
    Error, Result,
    vfs::{Open, Vfs, VfsFile},
};

/// How much is written or read at once.
const PIECE: usize = 256 << 10;

/// A file that is being written.
pub(super) struct LineWriter {
    path: PathBuf,
    file: Box<dyn VfsFile>,
    buffer: Vec<u8>,
    /// Where the buffer goes.
    at: u64,
}

impl LineWriter {
    /// Goes on after the first `len` bytes of the file at `path`, which is made if it isn't there; what else was in it goes.
    pub(super) fn open(fs: &dyn Vfs, path: PathBuf, len: u64) -> Result<Self> {
        let opened = fs.open(&path, Open::Create).and_then(|file| file.set_len(len).map(|()| file));
        let file = opened.map_err(|error| failed("make", &path, error))?;
        Ok(Self { path, file, buffer: Vec::with_capacity(PIECE), at: len })
    }

    /// Adds bytes; whoever adds a line ends it.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<()> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PIECE { self.flush() } else { Ok(()) }
    }

    /// Makes it durable. Answers its length.
    pub(super) fn finish(mut self) -> Result<u64> {
        self.flush()?;
        self.file.sync().map_err(|error| failed("sync", &self.path, error))?;
        Ok(self.at)
    }

    fn flush(&mut self) -> Result<()> {
        self.file.write_all_at(&self.buffer, self.at).map_err(|error| failed("write", &self.path, error))?;
        self.at += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

fn failed(what: &str, path: &std::path::Path, error: io::Error) -> Error {
    Error::io(format!("cannot {what} {}", path.display()), error)
}

/// Hands the lines of `file` to `take`, the last one first, until it has enough.
pub(super) fn last_first(
    file: &dyn VfsFile,
    mut take: impl FnMut(&[u8]) -> ControlFlow<()>,
) -> io::Result<ControlFlow<()>> {
    let mut begin = file.stat()?.len;
    // What has been read and not handed on: it begins in the middle of a line, unless it begins with the file.
    let mut rest: Vec<u8> = Vec::new();
    while begin > 0 {
        let piece = begin.min(PIECE as u64);
        begin -= piece;
        let mut bytes = vec![0; piece as usize];
        read_exactly(file, &mut bytes, begin)?;
        bytes.append(&mut rest);
        let mut lines = bytes.rsplit(|byte| *byte == b'\n').peekable();
        while let Some(line) = lines.next() {
            if lines.peek().is_none() && begin > 0 {
                rest = line.to_vec();
            } else if !line.is_empty() && take(line).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Hands the lines of `file` to `take`, the first one first, until it has enough; `read` is told how many bytes have been read.
pub(super) fn first_first(
    file: &dyn VfsFile,
    read: impl Fn(u64),
    mut take: impl FnMut(&[u8]) -> ControlFlow<()>,
) -> io::Result<ControlFlow<()>> {
    let mut at = 0;
    // What has been read and not handed on; a line may be longer than a piece.
    let mut buffer: Vec<u8> = Vec::with_capacity(2 * PIECE);
    loop {
        let old = buffer.len();
        buffer.resize(old + PIECE, 0);
        let more = file.read_at(&mut buffer[old..], at)?;
        buffer.truncate(old + more);
        at += more as u64;
        read(at);
        // At the end of the file, what is left is a line too.
        let end = if more == 0 {
            buffer.len()
        } else {
            buffer.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1)
        };
        for line in buffer[..end].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            if take(line).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        if more == 0 {
            return Ok(ControlFlow::Continue(()));
        }
        buffer.drain(..end);
    }
}

fn read_exactly(file: &dyn VfsFile, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], offset + filled as u64)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => filled += read,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vfs::RealFs;

    fn forwards(text: &[u8], most: usize) -> Vec<Vec<u8>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        let mut writer = LineWriter::open(&RealFs, path.clone(), 0).unwrap();
        writer.push(text).unwrap();
        writer.finish().unwrap();
        let mut lines = Vec::new();
        let read = std::cell::Cell::new(0);
        let file = RealFs.open(&path, Open::Read).unwrap();
        let enough = first_first(
            &*file,
            |at| read.set(at),
            |line| {
                lines.push(line.to_vec());
                if lines.len() == most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        );
        assert_eq!(enough.unwrap().is_break(), lines.len() == most);
        assert!(lines.len() == most || read.get() == text.len() as u64);
        lines
    }

    fn backwards(text: &[u8], most: usize) -> Vec<Vec<u8>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        let mut writer = LineWriter::open(&RealFs, path.clone(), 0).unwrap();
        text.chunks(100_000).for_each(|chunk| writer.push(chunk).unwrap());
        assert_eq!(writer.finish().unwrap(), text.len() as u64);
        let mut lines = Vec::new();
        let file = RealFs.open(&path, Open::Read).unwrap();
        let enough = last_first(&*file, |line| {
            lines.push(line.to_vec());
            if lines.len() == most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!(enough.unwrap().is_break(), lines.len() == most);
        lines
    }

    #[test]
    fn lines_come_from_either_end_however_they_lie_across_pieces() {
        for longest in [1, 7, 1000, PIECE, PIECE + 1, 3 * PIECE] {
            let lines: Vec<Vec<u8>> = (1..9_usize).map(|n| vec![b'a'; longest * n % (longest + n) + 1]).collect();
            let text: Vec<u8> = lines.iter().flat_map(|line| [line.as_slice(), b"\n"].concat()).collect();
            let expected: Vec<Vec<u8>> = lines.iter().rev().cloned().collect();
            assert_eq!(backwards(&text, usize::MAX), expected, "longest {longest}");
            assert_eq!(backwards(&text, 3), expected[..3]);
            assert_eq!(forwards(&text, usize::MAX), lines);
            assert_eq!(forwards(&text, 3), lines[..3]);
        }
        assert!(backwards(b"", usize::MAX).is_empty());
        assert_eq!(backwards(b"one\ntwo", usize::MAX), [b"two", b"one"]);
        assert_eq!(forwards(b"one\ntwo", usize::MAX), [b"one", b"two"]);
        assert!(forwards(b"", usize::MAX).is_empty());
    }

    #[test]
    fn what_was_in_the_file_behind_the_given_length_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        for (len, bytes) in [(0, &b"one\ntwo\n"[..]), (4, b"2\n")] {
            let mut writer = LineWriter::open(&RealFs, path.clone(), len).unwrap();
            writer.push(bytes).unwrap();
            writer.finish().unwrap();
        }
        assert_eq!(RealFs.read(&path).unwrap(), b"one\n2\n");
    }
}
