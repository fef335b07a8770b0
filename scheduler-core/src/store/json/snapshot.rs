//! `state/snapshot.<generation>.jsonl`: the book as it was where a journal begins.
//!
//! Written and read as a stream, in frames of some lines each, so that neither needs room for all of it. The first frame
//! says which frame of the journal it stands behind, and the last one how many lines there must be.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{
    super::book::{Line, Still},
    frame::{self, Found},
    lines::LineWriter,
};
use crate::{
    Error, ErrorKind, Result,
    vfs::{Vfs, VfsFile},
};

/// About how many bytes of lines go into one frame.
const BODY: usize = 64 << 10;
const READ_AT_ONCE: usize = 256 << 10;
/// How the last line begins.
pub(super) const END: &[u8] = b"{\"end\":";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mark {
    /// First: the last frame of the journal that is in here.
    Snapshot { seq: u64 },
    /// Last: how many lines were between.
    End { lines: u64 },
}

/// Writes `still`, the book after frame `seq`, and makes it durable.
pub(super) fn write(fs: &dyn Vfs, path: PathBuf, seq: u64, still: Still) -> Result<()> {
    let mut file = LineWriter::open(fs, path, 0)?;
    let mut frames = 0;
    let mut frame = |body: &mut Vec<u8>| {
        frames += 1;
        let pushed = file.push(&frame::encode(frames, 0, body));
        body.clear();
        pushed
    };
    let (mut body, mut lines) = (Vec::with_capacity(2 * BODY), 0);
    put(&mut body, &Mark::Snapshot { seq });
    frame(&mut body)?;
    for line in still.lines() {
        put(&mut body, &line);
        lines += 1;
        if body.len() >= BODY {
            frame(&mut body)?;
        }
    }
    frame(&mut body)?;
    put(&mut body, &Mark::End { lines });
    frame(&mut body)?;
    file.finish().map(|_| ())
}

fn put(body: &mut Vec<u8>, line: &impl Serialize) {
    serde_json::to_writer(&mut *body, line).expect("lines are JSON");
    body.push(b'\n');
}

/// Hands every line that `wants` says yes to, by its text, to `take`. Answers the frame of the journal that it stands behind.
///
/// # Errors
/// `Corrupt` if it isn't whole, `TooNew` for lines that this build doesn't know.
pub(super) fn read(
    path: &Path,
    file: &dyn VfsFile,
    wants: impl Fn(&[u8]) -> bool,
    mut take: impl FnMut(Line),
) -> Result<u64> {
    let mut frames = Frames { path, file, buffer: Vec::new(), begin: 0, at: 0, read: 0 };
    let first = frames.next(mark)?;
    let Some(Some(Mark::Snapshot { seq })) = first.into_iter().next() else {
        return Err(frames.damaged("it has no beginning"));
    };
    let mut lines = 0;
    loop {
        let mut end = None;
        let mut unknown = None;
        frames.next(|line| {
            if line.starts_with(END) {
                end = mark(line);
                return;
            }
            lines += 1;
            if wants(line) && unknown.is_none() {
                match serde_json::from_slice(line) {
                    Ok(line) => take(line),
                    Err(error) => unknown = Some(error),
                }
            }
        })?;
        if let Some(error) = unknown {
            let what = format!("{} holds a line that this build doesn't know: {error}", path.display());
            let hint = "it was written by a newer sched; use that one, or a newer one still";
            return Err(Error::new(ErrorKind::TooNew, what).hint(hint));
        }
        match end {
            None => {}
            Some(Mark::End { lines: expected }) if expected == lines => return Ok(seq),
            Some(_) => return Err(frames.damaged("lines are missing")),
        }
    }
}

/// The frame of the journal that a snapshot stands behind, if `line` is its first one.
pub(super) fn seq_in(line: &[u8]) -> Option<u64> {
    match mark(line) {
        Some(Mark::Snapshot { seq }) => Some(seq),
        _ => None,
    }
}

fn mark(line: &[u8]) -> Option<Mark> {
    serde_json::from_slice(line).ok()
}

/// The frames of a snapshot, one after the other.
struct Frames<'f> {
    path: &'f Path,
    file: &'f dyn VfsFile,
    buffer: Vec<u8>,
    /// Where in the buffer the next frame begins, and where in the file the buffer ends.
    begin: usize,
    at: u64,
    /// How many have been read.
    read: u64,
}

impl Frames<'_> {
    /// The lines of the next frame, through `each`.
    fn next<T>(&mut self, each: impl FnMut(&[u8]) -> T) -> Result<Vec<T>> {
        loop {
            match frame::decode(&self.buffer[self.begin..]) {
                Found::Frame { header, body, size } if header.seq == self.read + 1 => {
                    let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(each).collect();
                    self.read += 1;
                    self.begin += size;
                    return Ok(lines);
                }
                Found::Incomplete => {
                    if !self.read_more()? {
                        return Err(self.damaged("it ends too early"));
                    }
                }
                Found::Frame { .. } | Found::Bad => return Err(self.damaged("a frame is not whole")),
            }
        }
    }

    fn read_more(&mut self) -> Result<bool> {
        self.buffer.drain(..self.begin);
        self.begin = 0;
        let old = self.buffer.len();
        self.buffer.resize(old + READ_AT_ONCE, 0);
        let read = self.file.read_at(&mut self.buffer[old..], self.at);
        let read = read.map_err(|error| Error::io(format!("cannot read {}", self.path.display()), error))?;
        self.buffer.truncate(old + read);
        self.at += read as u64;
        Ok(read > 0)
    }

    fn damaged(&self, why: &str) -> Error {
        let at = self.at - (self.buffer.len() - self.begin) as u64;
        Error::new(ErrorKind::Corrupt, format!("{} is damaged at byte {at}: {why}", self.path.display()))
            .hint(super::DAMAGED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        store::book::Book,
        vfs::{Open, RealFs},
    };

    fn reread(bytes: &[u8]) -> Result<u64> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("snapshot.2.jsonl");
        let file = RealFs.open(&path, Open::Create).unwrap();
        file.write_all_at(bytes, 0).unwrap();
        read(&path, &*file, |_| true, |_| {})
    }

    #[test]
    fn a_snapshot_cut_or_changed_anywhere_is_never_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("snapshot.2.jsonl");
        write(&RealFs, path.clone(), 7, Book::default().still()).unwrap();
        let whole = RealFs.read(&path).unwrap();
        assert_eq!(reread(&whole).unwrap(), 7);
        for cut in 0..whole.len() {
            let error = reread(&whole[..cut]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "cut at {cut}: {error}");
        }
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            // A changed letter of a header that changes no number (`crc32` in the other case) is no damage.
            assert!(reread(&damaged).map_or(true, |seq| seq == 7), "byte {at}");
        }
        let mut damaged = whole.clone();
        let body = whole.iter().position(|byte| *byte == b'\n').unwrap() + 5;
        damaged[body] ^= 1;
        assert_eq!(reread(&damaged).unwrap_err().kind(), ErrorKind::Corrupt);
    }
}
