//! The file of a heartbeat: one JSON object in 4 KiB, its checksum last.
//!
//! It is written in place, because a rename for every tick costs a millisecond and fails on a full disk. A reader can
//! so meet half of the old beat and half of the new one; the checksum tells, and it looks again.

use std::{io, path::Path};

use super::{FORMAT, Heartbeat, Unreadable};
use crate::{
    Error,
    vfs::{Open, Vfs},
};

/// The size of a heartbeat's file, in bytes: always the same, so that a beat never needs new space on the disk.
///
/// ```
/// use std::time::Duration;
/// use scheduler_core::liveness::heartbeat::{FILE_LEN, Heartbeat};
/// let beat = Heartbeat::new("node", jiff::Timestamp::UNIX_EPOCH, Duration::from_secs(60));
/// assert_eq!(beat.encode().len(), FILE_LEN);
/// ```
pub const FILE_LEN: usize = 4096;

/// How often a file is looked at that holds no whole beat.
const LOOKS: usize = 16;

/// What stands between the members of a beat and the checksum of the bytes before it.
const CRC: &str = ",\"crc32\":\"";

/// Reads the beat at `path`. A file that holds no whole beat is looked at again at once, a few times, since its writer
/// may have been in the middle of it.
///
/// # Errors
/// Why there is none.
///
/// ```
/// use std::path::Path;
/// use scheduler_core::{liveness::{Unreadable, heartbeat}, vfs::RealFs};
/// assert_eq!(heartbeat::read(&RealFs, Path::new("/nonexistent")), Err(Unreadable::Missing));
/// ```
pub fn read(fs: &dyn Vfs, path: &Path) -> Result<Heartbeat, Unreadable> {
    let mut last = look(fs, path);
    for _ in 1..LOOKS {
        match last {
            Err(Unreadable::Empty | Unreadable::Garbage(_)) => last = look(fs, path),
            _ => break,
        }
    }
    last
}

fn look(fs: &dyn Vfs, path: &Path) -> Result<Heartbeat, Unreadable> {
    const KIND: u32 = 0o170_000;
    const PIPE: u32 = 0o010_000;
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Unreadable::Missing,
        _ => Unreadable::Failed(Error::io("cannot be read", error).to_string()),
    };
    // To open a pipe is to wait for its writer: `status` must answer even if somebody put one there.
    if fs.stat(path).map_err(failed)?.mode & KIND == PIPE {
        return Err(Unreadable::Garbage("it is a pipe".into()));
    }
    let file = fs.open(path, Open::Read).map_err(failed)?;
    let mut content = vec![0; FILE_LEN];
    let mut len = 0;
    while len < FILE_LEN {
        match file.read_at(&mut content[len..], len as u64).map_err(failed)? {
            0 => break,
            read => len += read,
        }
    }
    Heartbeat::decode(&content[..len])
}

impl Heartbeat {
    /// The content of the file: the object, its checksum as the last member, spaces, a newline; [`FILE_LEN`] bytes.
    /// Texts that are too long for that are cut.
    ///
    /// ```
    /// use std::time::Duration;
    /// use scheduler_core::liveness::{Heartbeat, heartbeat};
    /// let beat = Heartbeat::new("node", jiff::Timestamp::UNIX_EPOCH, Duration::from_secs(60));
    /// assert_eq!(beat.encode().len(), heartbeat::FILE_LEN);
    /// assert_eq!(Heartbeat::decode(&beat.encode()), Ok(beat));
    /// ```
    pub fn encode(&self) -> Vec<u8> {
        let mut file = serde_json::to_vec(&self.cut_to_fit()).unwrap_or_default();
        // The checksum becomes the last member of the object that it is of.
        file.pop();
        let crc = crc32fast::hash(&file);
        file.extend_from_slice(format!("{CRC}{crc:08x}\"}}").as_bytes());
        file.resize(FILE_LEN - 1, b' ');
        file.push(b'\n');
        file
    }

    /// The beat in the content of a file.
    ///
    /// # Errors
    /// [`Unreadable::Empty`], or [`Unreadable::Garbage`] with what is wrong.
    pub fn decode(file: &[u8]) -> Result<Self, Unreadable> {
        let garbage = |why: &str| Unreadable::Garbage(why.to_owned());
        if file.iter().all(|byte| matches!(byte, b' ' | b'\n' | 0)) {
            return Err(Unreadable::Empty);
        }
        let end = file.windows(CRC.len()).rposition(|window| window == CRC.as_bytes());
        let (sealed, seal) = file.split_at(end.ok_or_else(|| garbage("it has no checksum"))?);
        let seal =
            seal[CRC.len()..].trim_ascii_end().strip_suffix(b"\"}").and_then(|crc| std::str::from_utf8(crc).ok());
        let crc = seal.filter(|crc| crc.len() == 8).and_then(|crc| u32::from_str_radix(crc, 16).ok());
        if crc != Some(crc32fast::hash(sealed)) {
            return Err(garbage("its checksum is wrong"));
        }
        let object = [sealed, b"}"].concat();
        let beat: Self = serde_json::from_slice(&object).map_err(|error| Unreadable::Garbage(error.to_string()))?;
        match beat.format {
            FORMAT => Ok(beat),
            other => Err(Unreadable::Garbage(format!("it is of format {other}, and this build reads {FORMAT}"))),
        }
    }

    /// The same with texts no longer than the file has room for, counted as JSON writes them.
    fn cut_to_fit(&self) -> Self {
        let mut beat = self.clone();
        let cut_option = |text: &mut Option<String>, most| text.iter_mut().for_each(|text| cut(text, most));
        cut(&mut beat.node, 128);
        cut(&mut beat.agent, 128);
        cut_option(&mut beat.machine_id, 64);
        cut(&mut beat.boot_id, 64);
        cut(&mut beat.provider, 128);
        cut_option(&mut beat.fallback_reason, 512);
        cut_option(&mut beat.last_action, 256);
        beat.error.iter_mut().for_each(|error| cut(&mut error.message, 1024));
        beat
    }
}

/// Cuts `text` so that JSON needs no more than `most` bytes for it.
fn cut(text: &mut String, most: usize) {
    const DOTS: &str = "...";
    let written = |c: char| match c {
        '"' | '\\' => 2,
        c if c.is_ascii_control() => 6,
        c => c.len_utf8(),
    };
    if text.chars().map(written).sum::<usize>() <= most {
        return;
    }
    let mut used = DOTS.len();
    let end = text.char_indices().find(|(_, c)| {
        used += written(*c);
        used > most
    });
    text.truncate(end.map_or(text.len(), |(at, _)| at));
    text.push_str(DOTS);
}
