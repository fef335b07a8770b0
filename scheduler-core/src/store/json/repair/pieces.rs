//! A file of frames in pieces: frames that are whole, and what lies between them.

use super::super::frame::{self, Found, Header};

/// A stretch of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'b> {
    /// A frame whose checksum holds.
    Whole { at: usize, header: Header, body: &'b [u8] },
    /// No frame, from this byte on.
    Damaged { at: usize, bytes: &'b [u8] },
}

/// All of `bytes`, in order.
pub(super) fn of(bytes: &[u8]) -> Vec<Piece<'_>> {
    let (mut pieces, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        if let Found::Frame { header, body, size } = frame::decode(&bytes[at..]) {
            pieces.push(Piece::Whole { at, header, body });
            at += size;
            continue;
        }
        let end = next_whole(bytes, at + 1);
        pieces.push(Piece::Damaged { at, bytes: &bytes[at..end] });
        at = end;
    }
    pieces
}

/// Where the next whole frame at or after `from` begins, or where the file ends.
fn next_whole(bytes: &[u8], from: usize) -> usize {
    let mut from = from;
    while let Some(offset) = bytes.get(from..).and_then(frame::find_begin) {
        let at = from + offset;
        if matches!(frame::decode(&bytes[at..]), Found::Frame { .. }) {
            return at;
        }
        from = at + 1;
    }
    bytes.len()
}

/// The lines of a body.
pub(super) fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_frames_are_found_around_any_damage() {
        let frames: Vec<Vec<u8>> = (1..=3).map(|seq| frame::encode(seq, seq - 1, b"{\"a\":1}\n")).collect();
        let (before, after) = (frames[0].len(), frames[0].len() + frames[1].len());
        for at in before..after {
            let mut bytes = frames.concat();
            bytes[at] ^= 0x10;
            let pieces = of(&bytes);
            let seqs: Vec<u64> = pieces
                .iter()
                .filter_map(|piece| match piece {
                    Piece::Whole { header, .. } => Some(header.seq),
                    Piece::Damaged { .. } => None,
                })
                .collect();
            // A letter of the checksum in the other case says the same.
            assert!(seqs == [1, 3] || seqs == [1, 2, 3], "byte {at}: {pieces:?}");
            let damaged = pieces.iter().any(|piece| {
                matches!(piece, Piece::Damaged { at, bytes }
                if *at == before && bytes.len() == after - before)
            });
            assert!(damaged || seqs.len() == 3, "byte {at}: {pieces:?}");
        }
    }
}
