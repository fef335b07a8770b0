//! Names of heartbeats as names of files. Any name will do: whatever isn't plain is encoded, and what is too long is cut
//! and told apart by a hash. Refusing a name would lose the beat, and a job that beats must not be taken for dead.

use std::fmt;

use serde::{Serialize, Serializer};

/// What a heartbeat is called, as its file is.
///
/// Letters and digits of ASCII, `_`, `-` and `.` stand for themselves; every other byte, and a `.` at the beginning, is
/// `%` and two digits, so no name leaves its folder. `%` alone is the empty name. What is longer than
/// [`MAX_LEN`](BeatName::MAX_LEN) is cut, and ends in `~` and a hash of all of it.
///
/// ```
/// use scheduler_core::liveness::beats::BeatName;
/// assert_eq!(BeatName::new("nightly-backup").stem(), "nightly-backup");
/// assert_eq!(BeatName::new("nightly-backup").key(), "heartbeat-nightly-backup");
/// let hostile = BeatName::new("../../etc/passwd");
/// assert_eq!(hostile.stem(), "%2E.%2F..%2Fetc%2Fpasswd");
/// assert_eq!(hostile.to_string(), "../../etc/passwd");
/// assert!(hostile.is_called("../../etc/passwd") && !hostile.is_called("passwd"));
/// assert_eq!(hostile.typed(), "'../../etc/passwd'", "for a shell");
/// assert!(BeatName::new("x".repeat(10_000)).stem().len() <= BeatName::MAX_LEN);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BeatName(String);

impl BeatName {
    /// The longest stem, in bytes: with all that is put before and behind it, it still is the name of a file.
    pub const MAX_LEN: usize = 200;

    /// The name that somebody gave, in whatever bytes.
    pub fn new(name: impl AsRef<[u8]>) -> Self {
        let name = name.as_ref();
        let mut stem = String::new();
        for (index, byte) in name.iter().enumerate() {
            let plain = byte.is_ascii_alphanumeric() || b"_-".contains(byte) || *byte == b'.' && index > 0;
            if plain {
                stem.push(char::from(*byte));
            } else {
                stem.push_str(&format!("%{byte:02X}"));
            }
        }
        if stem.is_empty() {
            stem.push('%');
        }
        if stem.len() > Self::MAX_LEN {
            let hash = hash(name);
            let room = Self::MAX_LEN - 17;
            // Not in the middle of an encoded byte.
            let cut = stem[..room].rfind('%').filter(|at| at + 3 > room).unwrap_or(room);
            stem.truncate(cut);
            stem.push_str(&format!("~{hash:016x}"));
        }
        Self(stem)
    }

    /// The name that a file has: its stem as it is, since that file is there under it.
    pub(super) fn of_stem(stem: &str) -> Self {
        Self(stem.to_owned())
    }

    /// What its files are called, without what stands behind the last dot.
    pub fn stem(&self) -> &str {
        &self.0
    }

    /// The stable name of what may be wrong with it; it also is the name of a file.
    ///
    /// ```
    /// assert_eq!(scheduler_core::liveness::beats::BeatName::new("backup").key(), "heartbeat-backup");
    /// ```
    pub fn key(&self) -> String {
        format!("heartbeat-{}", self.stem())
    }

    /// Whether somebody who says `name` means this one: as it was given, or as it is shown.
    pub fn is_called(&self, name: &str) -> bool {
        *self == Self::new(name) || self.to_string() == name
    }

    /// The name as it would be typed into a shell.
    pub fn typed(&self) -> String {
        let shown = self.to_string();
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        if shown.chars().all(plain) { shown } else { format!("'{}'", shown.replace('\'', r"'\''")) }
    }
}

impl fmt::Display for BeatName {
    /// As it was given, but that it can't move a cursor.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == "%" {
            return f.pad("(empty)");
        }
        let mut bytes = Vec::new();
        let mut rest = self.0.as_bytes();
        while let [first, others @ ..] = rest {
            let encoded = others.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
            let decoded = encoded.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| *first == b'%');
            bytes.push(decoded.unwrap_or(*first));
            rest = if decoded.is_some() { &others[2..] } else { others };
        }
        let mut shown = String::new();
        for c in String::from_utf8_lossy(&bytes).chars() {
            if c.is_control() {
                shown.extend(c.escape_default());
            } else {
                shown.push(c);
            }
        }
        f.pad(&shown)
    }
}

impl Serialize for BeatName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// FNV-1a: it tells apart what begins alike, and must never change, or long names would lose their files.
fn hash(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}
