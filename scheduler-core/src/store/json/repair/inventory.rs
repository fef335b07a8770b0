//! Which files of a store there are, and which of them count: as MANIFEST says, or without one as they say themselves.

use std::{collections::BTreeMap, io, path::Path};

use super::{
    super::{frame::Found, ledger_files, manifest::Manifest, snapshot},
    Damage,
    pieces::{self, Piece},
};
use crate::{
    Error, ErrorKind, Home, Result,
    vfs::{Open, Vfs},
};

/// The files of a store.
pub(super) struct Inventory {
    /// What MANIFEST says, if it can be read.
    pub(super) manifest: Option<Manifest>,
    /// What is the matter with it.
    pub(super) damage: Option<Damage>,
    /// Generations of which there is a journal, or a snapshot, with the bytes.
    pub(super) journals: BTreeMap<u64, Vec<u8>>,
    pub(super) snapshots: BTreeMap<u64, Vec<u8>>,
    /// The journal and the snapshot to go by.
    pub(super) journal: Option<u64>,
    pub(super) snapshot: Option<u64>,
    /// The last compaction whose files of the history count.
    pub(super) counted: Option<u64>,
    /// No file is of a later generation.
    pub(super) highest: u64,
}

impl Inventory {
    /// Reads all there is.
    ///
    /// # Errors
    /// What can't be read, `TooNew` for a store of a newer build.
    pub(super) fn take(fs: &dyn Vfs, home: &Home) -> Result<Self> {
        let (manifest, damage) = match Manifest::read(fs, home) {
            Ok(Some(manifest)) => (Some(manifest), None),
            Ok(None) => (None, Some(Damage::missing(home.manifest(), ""))),
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                let what = "it can't be read, or its checksum doesn't fit".into();
                (None, Some(Damage { path: home.manifest(), at: Some(0), what }))
            }
            Err(error) => return Err(error),
        };
        let (mut journals, mut snapshots) = (BTreeMap::new(), BTreeMap::new());
        for name in listed(fs, home)? {
            let read = || {
                let path = home.state().join(&name);
                whole(fs, &path).map_err(|error| Error::io(format!("cannot read {}", path.display()), error))
            };
            let number = |text: Option<&str>| text.and_then(|text| text.parse::<u64>().ok());
            if let Some(generation) = number(name.strip_prefix("journal.")) {
                journals.insert(generation, read()?);
            } else if let Some(generation) =
                number(name.strip_prefix("snapshot.").and_then(|rest| rest.strip_suffix(".jsonl")))
            {
                snapshots.insert(generation, read()?);
            }
        }
        let filed = ledger_files::that_count(fs, home, Some(u64::MAX))?;
        let highest = journals.keys().chain(snapshots.keys()).copied().chain(manifest.iter().map(|m| m.generation));
        let highest = highest.chain(filed.iter().filter_map(|name| ledger_files::generation_of(name))).max();
        let mut inventory = Self {
            manifest,
            damage,
            journals,
            snapshots,
            journal: None,
            snapshot: None,
            counted: None,
            highest: highest.unwrap_or_default(),
        };
        inventory.choose();
        Ok(inventory)
    }

    /// Whether any file of the store says anything.
    pub(super) fn holds_something(&self) -> bool {
        self.journals.values().chain(self.snapshots.values()).any(|bytes| !bytes.is_empty())
    }

    pub(super) fn machine_id(&self) -> Option<&str> {
        self.manifest.as_ref().and_then(|manifest| manifest.machine_id.as_deref())
    }

    fn choose(&mut self) {
        if let Some(manifest) = self.manifest.as_ref().filter(|m| self.journals.contains_key(&m.generation)) {
            self.journal = Some(manifest.generation);
            self.snapshot = manifest.compacted.filter(|compacted| self.snapshots.contains_key(compacted));
            self.counted = manifest.compacted;
            return;
        }
        // Frames are numbered through all generations, so the journal that goes furthest is the last one. One that a
        // compaction has begun and not ended is no worse than the one before it.
        let reach = |(generation, bytes): (&u64, &Vec<u8>)| {
            let from = self.snapshots.get(generation).filter(|bytes| ends(bytes)).and_then(|bytes| seq_of(bytes));
            (last_seq(bytes).or(from), *generation)
        };
        self.journal = self.journals.iter().map(reach).max().map(|(_, generation)| generation);
        self.snapshot = match self.journal {
            Some(journal) => self.snapshot_of(journal),
            None => self.snapshots.iter().filter(|(_, bytes)| ends(bytes)).map(|(generation, _)| *generation).max(),
        };
        self.snapshot = self.snapshot.or_else(|| {
            // Part of one is more than none, unless the journal begins with the first frame there ever was.
            let starts_at_one = self.journal.is_some_and(|journal| first_seq(&self.journals[&journal]) == Some(1));
            (!starts_at_one).then(|| self.snapshots.keys().max().copied()).flatten()
        });
        let said = self.manifest.as_ref().and_then(|manifest| manifest.compacted);
        self.counted = said.max(self.snapshot);
    }

    /// The snapshot that `journal` goes on from.
    fn snapshot_of(&self, journal: u64) -> Option<u64> {
        match first_seq(&self.journals[&journal]) {
            Some(1) => None,
            Some(first) => self
                .snapshots
                .iter()
                .filter(|(generation, bytes)| **generation <= journal && seq_of(bytes) == Some(first - 1))
                .map(|(generation, _)| *generation)
                .max(),
            None => self.snapshots.get(&journal).filter(|bytes| ends(bytes)).map(|_| journal),
        }
    }
}

fn listed(fs: &dyn Vfs, home: &Home) -> Result<Vec<String>> {
    match fs.list(&home.state()) {
        Ok(names) => Ok(names),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Error::io(format!("cannot list {}", home.state().display()), error)),
    }
}

/// The number of the frame that a journal begins with, if that is whole.
fn first_seq(bytes: &[u8]) -> Option<u64> {
    match super::super::frame::decode(bytes) {
        Found::Frame { header, .. } => Some(header.seq),
        _ => None,
    }
}

/// The number of the last whole frame of a journal.
fn last_seq(bytes: &[u8]) -> Option<u64> {
    pieces::of(bytes).iter().rev().find_map(|piece| match piece {
        Piece::Whole { header, .. } => Some(header.seq),
        Piece::Damaged { .. } => None,
    })
}

/// The frame of the journal that a snapshot stands behind.
pub(super) fn seq_of(bytes: &[u8]) -> Option<u64> {
    match super::super::frame::decode(bytes) {
        Found::Frame { body, .. } => pieces::lines(body).next().and_then(snapshot::seq_in),
        _ => None,
    }
}

/// Whether a snapshot has been written to its end.
fn ends(bytes: &[u8]) -> bool {
    match pieces::of(bytes).last() {
        Some(Piece::Whole { body, .. }) => body.starts_with(snapshot::END),
        _ => false,
    }
}

/// All that is in the file at `path`, however large it has become.
fn whole(fs: &dyn Vfs, path: &Path) -> io::Result<Vec<u8>> {
    let file = fs.open(path, Open::Read)?;
    let mut bytes = vec![0; usize::try_from(file.stat()?.len).map_err(|_| io::ErrorKind::FileTooLarge)?];
    let mut len = 0;
    while len < bytes.len() {
        match file.read_at(&mut bytes[len..], len as u64)? {
            0 => break,
            read => len += read,
        }
    }
    bytes.truncate(len);
    Ok(bytes)
}
