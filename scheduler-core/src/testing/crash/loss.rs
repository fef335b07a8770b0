//! A power cut: the disk at some moment, and what may be left of it.

use super::{CrashFs, disk::Disk, file::Reach};

/// The disk as it was after some call.
///
/// ```
/// use std::path::Path;
/// use scheduler_core::{testing::{CrashFs, Loss}, vfs::{Open, Vfs}};
/// let disk = CrashFs::default();
/// let file = disk.open(Path::new("/file"), Open::Create)?;
/// disk.record();
/// file.write_all_at(b"content", 0)?;
/// let moment = disk.moments().remove(0);
/// assert_eq!((moment.reached(), moment.written()), (0, 7));
/// assert_eq!(moment.after(Loss::Torn(3)).read(Path::new("/file"))?, b"con");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Moment {
    disk: Disk,
    reached: u64,
    /// The file that was just written to its end, and how many bytes.
    torn: Option<(u64, usize)>,
}

/// What a power cut takes.
///
/// ```
/// use std::path::Path;
/// use scheduler_core::{testing::{CrashFs, Loss}, vfs::{Open, Vfs}};
/// let disk = CrashFs::default();
/// disk.record();
/// disk.open(Path::new("/file"), Open::Create)?;
/// let moment = disk.moments().remove(0);
/// let is_there = |loss| moment.after(loss).stat(Path::new("/file")).is_ok();
/// assert!(is_there(Loss::Nothing) && !is_there(Loss::Everything));
/// assert!((0..10).any(|seed| is_there(Loss::Some(seed))) && !(0..10).all(|seed| is_there(Loss::Some(seed))));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Nothing: the process was killed, and the machine goes on.
    Nothing,
    /// All that was not synced.
    Everything,
    /// Some of it, in any order, by this seed: pages, lengths of files, and names.
    Some(u64),
    /// Nothing, but of the last write only so many bytes are there.
    Torn(usize),
}

impl Moment {
    pub(super) fn new(disk: Disk, reached: u64, torn: Option<(u64, usize)>) -> Self {
        Self { disk, reached, torn }
    }

    /// What had been [promised](CrashFs::mark) by then.
    pub fn reached(&self) -> u64 {
        self.reached
    }

    /// How many bytes the call wrote; 0 if it was another call.
    pub fn written(&self) -> usize {
        self.torn.map_or(0, |(_, written)| written)
    }

    /// The disk that is found after `loss`. Nobody holds a lock on it.
    pub fn after(&self, loss: Loss) -> CrashFs {
        CrashFs::holding(match (loss, self.torn) {
            (Loss::Torn(kept), Some((inode, written))) => self.disk.torn(inode, written, kept.min(written)),
            (Loss::Nothing | Loss::Torn(_), _) => self.disk.left(|| true, || Reach::All),
            (Loss::Everything, _) => self.disk.left(|| false, || Reach::Nothing),
            (Loss::Some(seed), _) => {
                let (mut dice, mut others) = (Dice(seed), Dice(!seed));
                // Some cuts take nearly all, some nearly nothing.
                let (likely, renames) = (1 + dice.roll(7), 1 + others.roll(7));
                let reach = move || match dice.roll(8) {
                    die if die < likely => Reach::All,
                    die if die % 2 == 0 => Reach::Size,
                    _ => Reach::Nothing,
                };
                self.disk.left(move || others.roll(8) < renames, reach)
            }
        })
    }
}

/// The same numbers for the same seed, everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
}
