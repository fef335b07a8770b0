//! One file's content: what everybody sees, and what of it would be there after a power cut.

use crate::vfs::Stat;

/// How much of a write reaches the disk together. Small, so that a frame of a journal is many of them.
const PAGE: usize = 64;

/// Content, and how it came about.
#[derive(Debug, Clone, Default)]
pub(super) struct File {
    visible: Vec<u8>,
    /// What is on the disk for sure.
    durable: Vec<u8>,
    /// What happened since, in order.
    parts: Vec<(Part, Fate)>,
    changes: u32,
}

/// A change that reaches the disk as a whole or not at all.
#[derive(Debug, Clone)]
enum Part {
    Write { at: usize, bytes: Vec<u8> },
    Len(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It may have reached the disk.
    OnItsWay,
    /// Likewise, and no later sync will say more: one has failed, and what it was for counts as clean since.
    GivenUp,
    /// It has, though something before it may not.
    Sure,
}

impl File {
    pub(super) fn visible(&self) -> &[u8] {
        &self.visible
    }

    pub(super) fn stat(&self, inode: u64) -> Stat {
        let len = self.visible.len() as u64;
        Stat { len, inode, modified_ns: i128::from(self.changes), mode: 0o100_600, uid: 0, gid: 0 }
    }

    pub(super) fn write(&mut self, at: usize, bytes: &[u8]) {
        let mut from = 0;
        while from < bytes.len() {
            // Pages lie in the file, not in the write.
            let to = bytes.len().min(from + PAGE - (at + from) % PAGE);
            self.change(Part::Write { at: at + from, bytes: bytes[from..to].to_vec() });
            from = to;
        }
    }

    pub(super) fn set_len(&mut self, len: usize) {
        self.change(Part::Len(len));
    }

    fn change(&mut self, part: Part) {
        part.reach(&mut self.visible);
        self.changes += 1;
        self.parts.push((part, Fate::OnItsWay));
    }

    pub(super) fn sync(&mut self) {
        self.parts.iter_mut().filter(|(_, fate)| *fate == Fate::OnItsWay).for_each(|(_, fate)| *fate = Fate::Sure);
        while self.parts.first().is_some_and(|(_, fate)| *fate == Fate::Sure) {
            self.parts.remove(0).0.reach(&mut self.durable);
        }
    }

    pub(super) fn fail_to_sync(&mut self) {
        self.parts.iter_mut().filter(|(_, fate)| *fate == Fate::OnItsWay).for_each(|(_, fate)| *fate = Fate::GivenUp);
    }

    /// What is on the disk if `reaches` says what reaches it of all that may.
    pub(super) fn left(&self, mut reaches: impl FnMut() -> Reach) -> Self {
        let mut durable = self.durable.clone();
        for (part, fate) in &self.parts {
            match if *fate == Fate::Sure { Reach::All } else { reaches() } {
                Reach::All => part.reach(&mut durable),
                Reach::Size => part.lengthen(&mut durable),
                Reach::Nothing => {}
            }
        }
        Self::of(durable, self.changes)
    }

    /// Everything has reached the disk, but of the last `written` bytes only the first `kept`.
    pub(super) fn torn(&self, written: usize, kept: usize) -> Self {
        let mut durable = self.visible.clone();
        durable.truncate(durable.len() - written + kept);
        Self::of(durable, self.changes)
    }

    fn of(content: Vec<u8>, changes: u32) -> Self {
        Self { visible: content.clone(), durable: content, parts: Vec::new(), changes: changes + 1 }
    }
}

/// How much of a part reaches the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    All,
    /// The file is as long as with it, and the content is zeros.
    Size,
    Nothing,
}

impl Part {
    fn reach(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { at, bytes } => {
                self.lengthen(content);
                content[*at..*at + bytes.len()].copy_from_slice(bytes);
            }
            Self::Len(len) => content.resize(*len, 0),
        }
    }

    fn lengthen(&self, content: &mut Vec<u8>) {
        if let Self::Write { at, bytes } = self
            && content.len() < at + bytes.len()
        {
            content.resize(at + bytes.len(), 0);
        }
    }
}
