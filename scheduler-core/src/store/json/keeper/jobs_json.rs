//! The keeper and `jobs.json`: looking at the file, taking it in, editing it, keeping the versions it displaces.

use std::{
    io,
    sync::{Arc, mpsc::sync_channel},
    thread,
};

use serde_json::value::RawValue;

use super::{
    super::{
        super::{Edit, JobView, event::Event, transactions::Transaction},
        Mode,
        copy::backup_name,
        definitions::{self, Checked, Reading, Sheet},
        document::{Document, Layout, Unreadable},
    },
    Keeper,
};
use crate::{
    Error, ErrorKind, Result,
    vfs::{Stat, atomic_write},
};

/// How many displaced versions of `jobs.json` are kept.
const BACKUPS: usize = 5;

/// A look at `jobs.json`.
pub(super) struct Seen {
    stat: Option<Stat>,
    pub(super) content: Result<Text, Unseen>,
}

/// A text of it that can be read.
pub(super) struct Text {
    hash: String,
    /// Kept until it has been taken in; what is in force is in the book.
    bytes: Option<Vec<u8>>,
}

pub(super) enum Unseen {
    Missing,
    Failed(Error),
    Unreadable(Unreadable),
}

/// How many definitions go into one frame: bounds what they need in memory on their way.
const AT_ONCE: usize = 256;
/// How many frames' worth of entries are checked ahead of being written.
const AHEAD: usize = 2;

impl Keeper {
    /// Looks at `jobs.json`; says whether it has to be taken in.
    pub(super) fn look(&mut self) -> bool {
        let path = self.home.jobs_json();
        let stat = self.fs.stat(&path).ok();
        if self.seen.as_ref().is_some_and(|seen| seen.stat == stat && stat.is_some()) {
            return self.is_new();
        }
        let content = match self.fs.read(&path) {
            Ok(bytes) => self.text(bytes).map_err(Unseen::Unreadable),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Unseen::Missing),
            Err(error) => Err(Unseen::Failed(Error::io(format!("cannot read {}", path.display()), error))),
        };
        let before = self.seen.take().and_then(|seen| seen.content.err().map(|error| error.words()));
        if let Err(error) = &content
            && before.as_ref() != Some(&error.words())
            && self.mode == Mode::Change
            && self.book.jobs().next().is_some()
        {
            tracing::warn!(
                problem = error.words(),
                "{} can't be taken in; the jobs known so far stay in force",
                path.display()
            );
        }
        self.seen = Some(Seen { stat, content });
        self.is_new()
    }

    fn text(&self, bytes: Vec<u8>) -> Result<Text, Unreadable> {
        let hash = definitions::hash(&bytes);
        if self.is_in_force(&hash) {
            return Ok(Text { hash, bytes: None });
        }
        Layout::read(&bytes)?;
        Ok(Text { hash, bytes: Some(bytes) })
    }

    fn is_in_force(&self, hash: &str) -> bool {
        self.book.taken_in().is_some_and(|taken_in| taken_in.hash == hash)
    }

    /// Whether the file that was looked at is one that isn't in force.
    fn is_new(&self) -> bool {
        matches!(&self.seen, Some(Seen { content: Ok(text), .. }) if !self.is_in_force(&text.hash))
    }

    /// Whether the text in force had nothing wrong with it.
    pub(super) fn is_flawless(&self) -> bool {
        !self.is_new() && self.book.taken_in().is_some_and(|taken_in| taken_in.flawless)
    }

    /// The file, read for whoever wants to know what stands where.
    pub(super) fn document(&self) -> Result<Document> {
        let path = self.home.jobs_json();
        let bytes = self.fs.read(&path).map_err(|error| Error::io(format!("cannot read {}", path.display()), error))?;
        Document::parse(&bytes)
            .map_err(|why| Error::new(ErrorKind::Invalid, format!("{}: {}: {}", path.display(), why.place, why.why)))
    }

    /// Takes the file that was looked at in, if it is new. What fills more than one frame is written here; the rest goes to
    /// `events`.
    pub(super) fn take_in(&mut self, events: &mut Vec<Event>) -> Result<()> {
        if !self.is_new() {
            return Ok(());
        }
        let bytes = match &mut self.seen {
            Some(Seen { content: Ok(text), .. }) => text.bytes.take(),
            _ => None,
        };
        let Some(bytes) = bytes else {
            // It was taken in here once, and something else since: that is for a fresh look.
            self.seen = None;
            return Ok(());
        };
        let hash = definitions::hash(&bytes);
        let Ok(layout) = Layout::read(&bytes) else { return Ok(()) };
        let (defaults, now) = (Arc::clone(self.book.defaults()), self.clock.now());
        let check = |entries: &[&RawValue]| -> Vec<Checked> {
            entries.iter().map(|entry| definitions::check(entry, &defaults, now)).collect()
        };
        let mut reading = Reading::default();
        let (first, rest) = layout.entries.split_at(AT_ONCE.min(layout.entries.len()));
        self.take_in_some(&mut reading, check(first), events)?;
        // Of a large file, the entries to come are checked while those before are written down.
        thread::scope(|scope| {
            let (ahead, checked) = sync_channel(AHEAD);
            if rest.is_empty() {
                drop(ahead);
            } else {
                scope.spawn(move || rest.chunks(AT_ONCE).map(check).try_for_each(|entries| ahead.send(entries)));
            }
            checked.into_iter().try_for_each(|entries| self.take_in_some(&mut reading, entries, events))
        })?;
        let mut transaction = Transaction::new(&mut self.book, now, &self.owner.id);
        reading.finish(&mut transaction, layout.entries.is_empty(), hash);
        events.append(&mut transaction.events);
        Ok(())
    }

    fn take_in_some(&mut self, reading: &mut Reading, entries: Vec<Checked>, events: &mut Vec<Event>) -> Result<()> {
        if self.mode == Mode::Change {
            self.write(events, false)?;
        }
        events.clear();
        let mut transaction = Transaction::new(&mut self.book, self.clock.now(), &self.owner.id);
        reading.take_in(&mut transaction, entries);
        events.append(&mut transaction.events);
        Ok(())
    }

    /// Edits `jobs.json` and takes the edit in: the file first, the frame second.
    pub(in crate::store::json) fn edit(&mut self, edit: &Edit) -> Result<Vec<JobView>> {
        self.locked(|keeper| {
            loop {
                // Read again whatever its date says: an edit must not be merged into a text of a moment ago.
                keeper.seen = None;
                keeper.look();
                let mut events = Vec::new();
                keeper.take_in(&mut events)?;
                let flawless = keeper.is_flawless() && definitions::has_only_known_fields(edit);
                let Some((before, mut document)) = keeper.editable()? else {
                    keeper.reload()?;
                    continue;
                };
                let mut transaction = Transaction::new(&mut keeper.book, keeper.clock.now(), &keeper.owner.id);
                let mut sheet = Sheet::new(&mut document);
                let views = transaction.edit(&mut sheet, edit)?;
                let touched = sheet.finish();
                if touched {
                    let hash = definitions::hash(document.text().as_bytes());
                    transaction.emit(Event::Definitions { hash, flawless });
                }
                events.append(&mut transaction.events);
                if !touched || keeper.replace_jobs_json(before.as_deref(), document.text().as_bytes())? {
                    keeper.write(&events, true)?;
                    keeper.look();
                    return Ok(views);
                }
                // Somebody saved the file while it was being edited here: their version is merged, not lost.
                keeper.reload()?;
            }
        })
    }

    /// The file's bytes, and the document to edit; `None` if it is no longer the file that was looked at.
    fn editable(&self) -> Result<Option<(Option<Vec<u8>>, Document)>> {
        let path = self.home.jobs_json();
        let rebuilt = || Document::of(self.book.jobs().map(|(_, record)| record.definition.value()));
        match &self.seen {
            Some(Seen { content: Ok(_), .. }) => {
                let bytes = match self.fs.read(&path) {
                    Ok(bytes) => bytes,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                    Err(error) => return Err(Error::io("cannot read jobs.json again", error)),
                };
                Ok(Document::parse(&bytes).ok().map(|document| (Some(bytes), document)))
            }
            Some(Seen { content: Err(Unseen::Missing), .. }) | None => Ok(Some((None, rebuilt()))),
            Some(Seen { content: Err(Unseen::Unreadable(why)), .. }) => match self.fs.read(&path) {
                Ok(bytes) if bytes.trim_ascii().is_empty() => Ok(Some((Some(bytes), rebuilt()))),
                _ => {
                    let what = format!("{}: {}: {}; nothing was changed", path.display(), why.place, why.why);
                    Err(Error::new(ErrorKind::Invalid, what).hint(if self.has_backup() {
                        "correct the file first, or put the version before (jobs.json.bak.1) back with `sched restore`"
                    } else {
                        "correct the file first"
                    }))
                }
            },
            Some(Seen { content: Err(Unseen::Failed(error)), .. }) => Err(Error::new(error.kind(), error.to_string())),
        }
    }

    pub(super) fn has_backup(&self) -> bool {
        self.fs.stat(&self.home.path().join("jobs.json.bak.1")).is_ok()
    }

    /// Puts the `n`th displaced version back and takes it in.
    pub(in crate::store::json) fn restore(&mut self, n: usize) -> Result<()> {
        let path = self.home.path().join(backup_name(n));
        self.locked(|keeper| {
            let failed = |error| Error::io(format!("cannot read {}", path.display()), error);
            let text = keeper.fs.read(&path).map_err(failed)?;
            Layout::read(&text).map_err(|why| {
                let what = format!("{}: {}: {}; nothing was changed", path.display(), why.place, why.why);
                Error::new(ErrorKind::Invalid, what).hint("restore another version")
            })?;
            loop {
                let before = keeper.fs.read(&keeper.home.jobs_json()).ok();
                if keeper.replace_jobs_json(before.as_deref(), &text)? {
                    break;
                }
            }
            keeper.look();
            let mut events = Vec::new();
            keeper.take_in(&mut events)?;
            keeper.write(&events, true)
        })
    }

    /// Puts `text` in the place of `jobs.json`. False if the file that it displaced isn't `before`.
    fn replace_jobs_json(&mut self, before: Option<&[u8]>, text: &[u8]) -> Result<bool> {
        let path = self.home.jobs_json();
        let backup = |n: usize| self.home.path().join(backup_name(n));
        let displaced = backup(0);
        atomic_write(&*self.fs, &path, text, Some(&displaced)).map_err(|error| {
            let refused = error.kind() == io::ErrorKind::PermissionDenied;
            let error = Error::io(format!("cannot replace {}; nothing was changed", path.display()), error);
            if refused { error.hint("run this as the user who owns the file and its folder") } else { error }
        })?;
        self.seen = None;
        let Some(before) = before else { return Ok(true) };
        let unchanged = self.fs.read(&displaced).is_ok_and(|bytes| bytes == before);
        if !unchanged {
            let _ = self.fs.exchange(&displaced, &path);
            let _ = self.fs.remove(&displaced);
            return Ok(false);
        }
        for n in (1..=BACKUPS).rev() {
            if self.fs.stat(&backup(n - 1)).is_ok() {
                let _ = self.fs.rename(&backup(n - 1), &backup(n));
            }
        }
        Ok(true)
    }
}

impl Unseen {
    pub(super) fn words(&self) -> String {
        match self {
            Self::Missing => "the file is missing".into(),
            Self::Failed(error) => error.to_string(),
            Self::Unreadable(why) => format!("{}: {}", why.place, why.why),
        }
    }

    /// What to do. A file that no command has rewritten yet has no version before it (`backup`).
    pub(super) fn hint(&self, backup: bool) -> &'static str {
        match (self, backup) {
            (Self::Missing, true) => {
                "`sched restore` puts the version before (jobs.json.bak.1) back; the next `sched add` rebuilds it"
            }
            (Self::Missing, false) => "put it back; the next `sched add` rebuilds it",
            (Self::Failed(_), _) => "check who owns it and its mode",
            (Self::Unreadable(_), true) => {
                "correct it, or put the version before (jobs.json.bak.1) back with `sched restore`"
            }
            (Self::Unreadable(_), false) => "correct it; `sched list` shows what is in force",
        }
    }
}
