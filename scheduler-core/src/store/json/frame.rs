//! Frames: how a batch of events is laid out in a journal, and how a reader tells a whole one from a torn one.
//!
//! ```text
//! {"seq":7,"len":261,"crc32":"9c0b13f2","durable_through":6}
//! {"run":{"id":"...","at":"...","change":{"start":{...}}}}
//! ```
//! The checksum covers the header's numbers and the body. `durable_through` is the last frame whose sync had returned when this
//! one was written: it tells an unfinished write, which was never promised to anybody, from a damaged disk.

use serde::{Deserialize, Serialize};

/// The line before the events of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) seq: u64,
    pub(super) len: usize,
    pub(super) durable_through: u64,
}

#[derive(Serialize, Deserialize)]
struct Line<'a> {
    seq: u64,
    len: usize,
    crc32: &'a str,
    durable_through: u64,
}

/// What stands at a place in a journal.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// A whole frame; the next one begins after `size` bytes.
    Frame { header: Header, body: &'a [u8], size: usize },
    /// The beginning of a frame, or nothing at all.
    Incomplete,
    /// Something else.
    Bad,
}

/// No header is longer: a reader that has seen so many bytes without an end of line is not looking at one.
const LONGEST_HEADER: usize = 160;
const BEGIN: &[u8] = b"{\"seq\":";

pub(super) fn encode(seq: u64, durable_through: u64, body: &[u8]) -> Vec<u8> {
    let crc32 = format!("{:08x}", checksum(seq, durable_through, body));
    let line = Line { seq, len: body.len(), crc32: &crc32, durable_through };
    let mut frame = serde_json::to_vec(&line).expect("numbers and letters are JSON");
    frame.push(b'\n');
    frame.extend_from_slice(body);
    frame
}

pub(super) fn decode(bytes: &[u8]) -> Found<'_> {
    let Some(end) = bytes.iter().take(LONGEST_HEADER).position(|byte| *byte == b'\n') else {
        let plausible = bytes.len() < LONGEST_HEADER && (bytes.starts_with(BEGIN) || BEGIN.starts_with(bytes));
        return if plausible { Found::Incomplete } else { Found::Bad };
    };
    let Ok(line) = serde_json::from_slice::<Line<'_>>(&bytes[..end]) else { return Found::Bad };
    let rest = &bytes[end + 1..];
    if rest.len() < line.len {
        return Found::Incomplete;
    }
    let body = &rest[..line.len];
    if u32::from_str_radix(line.crc32, 16) != Ok(checksum(line.seq, line.durable_through, body)) {
        return Found::Bad;
    }
    let header = Header { seq: line.seq, len: line.len, durable_through: line.durable_through };
    Found::Frame { header, body, size: end + 1 + line.len }
}

/// The header of the frame that `bytes` begins with, as it is written. Its checksum makes it one of a kind.
pub(super) fn header_line(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == b'\n').next().unwrap_or_default()
}

/// The first whole frame in `bytes` that vouches for frame `seq`: it was written after that one's sync had returned.
pub(super) fn find_voucher(bytes: &[u8], seq: u64) -> Option<Header> {
    let mut from = 0;
    while let Some(offset) = find_begin(&bytes[from..]) {
        if let Found::Frame { header, .. } = decode(&bytes[from + offset..])
            && header.seq > seq
            && header.durable_through >= seq
        {
            return Some(header);
        }
        from += offset + 1;
    }
    None
}

/// Where in `bytes` the next frame may begin.
pub(super) fn find_begin(bytes: &[u8]) -> Option<usize> {
    bytes.windows(BEGIN.len()).position(|window| window == BEGIN)
}

fn checksum(seq: u64, durable_through: u64, body: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&seq.to_le_bytes());
    crc.update(&durable_through.to_le_bytes());
    crc.update(body);
    crc.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_cut_anywhere_is_incomplete_and_one_with_any_changed_byte_is_never_taken() {
        let frame = encode(7, 6, b"{\"a\":1}\n{\"b\":2}\n");
        assert!(matches!(decode(&frame), Found::Frame { size, .. } if size == frame.len()));
        for cut in 0..frame.len() {
            assert_eq!(decode(&frame[..cut]), Found::Incomplete, "cut at {cut}");
        }
        for at in 0..frame.len() {
            let mut damaged = frame.clone();
            damaged[at] ^= 1;
            let taken = matches!(decode(&damaged), Found::Frame { header, body, .. }
                if header != (Header { seq: 7, len: 16, durable_through: 6 }) || body != b"{\"a\":1}\n{\"b\":2}\n");
            assert!(!taken, "byte {at} changed and the frame was taken");
        }
    }

    #[test]
    fn only_a_later_frame_that_covers_it_vouches_for_a_bad_one() {
        let mut tail = b"garbage {\"seq\":".to_vec();
        tail.extend(encode(8, 6, b"{}\n"));
        assert_eq!(find_voucher(&tail, 7), None, "frame 8 was written before 7 was known to be durable");
        tail.extend(encode(9, 7, b"{}\n"));
        assert_eq!(find_voucher(&tail, 7).map(|header| header.seq), Some(9));
    }
}
