//! The keeper and `jobs.json`: looking at the file, taking it in, editing it, keeping the versions it displaces.

use std::io;

use super::{
    super::{
        super::{Edit, JobView, event::Event, transactions::Transaction},
        Mode,
        definitions::{self, Sheet},
        document::{Document, Unreadable},
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
    pub(super) content: Result<(Document, String), Unseen>,
}

pub(super) enum Unseen {
    Missing,
    Failed(Error),
    Unreadable(Unreadable),
}

impl Keeper {
    /// Looks at `jobs.json`; says whether it has to be taken in.
    pub(super) fn look(&mut self) -> bool {
        let path = self.home.jobs_json();
        let stat = self.fs.stat(&path).ok();
        if self.seen.as_ref().is_some_and(|seen| seen.stat == stat && stat.is_some()) {
            return self.is_new();
        }
        let content = match self.fs.read(&path) {
            Ok(bytes) => match Document::parse(&bytes) {
                Ok(document) => Ok((document, definitions::hash(&bytes))),
                Err(why) => Err(Unseen::Unreadable(why)),
            },
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

    /// Whether the file that was looked at is one that isn't in force.
    fn is_new(&self) -> bool {
        matches!(&self.seen, Some(Seen { content: Ok((_, hash)), .. }) if self.book.definitions_hash() != Some(hash))
    }

    /// Takes the file that was looked at in, if it is new.
    pub(super) fn take_in(&mut self, events: &mut Vec<Event>) {
        if let Some(Seen { content: Ok((document, hash)), .. }) = self.seen.as_ref().filter(|_| self.is_new()) {
            let mut transaction = Transaction::new(&mut self.book, self.clock.now(), &self.owner.id);
            definitions::take_in(&mut transaction, document, hash.clone());
            events.append(&mut transaction.events);
        }
    }

    /// Edits `jobs.json` and takes the edit in: the file first, the frame second.
    pub(in crate::store::json) fn edit(&mut self, edit: &Edit) -> Result<Vec<JobView>> {
        self.locked(|keeper| {
            loop {
                // Read again whatever its date says: an edit must not be merged into a text of a moment ago.
                keeper.seen = None;
                keeper.look();
                let mut events = Vec::new();
                keeper.take_in(&mut events);
                let (before, mut document) = keeper.editable()?;
                let mut transaction = Transaction::new(&mut keeper.book, keeper.clock.now(), &keeper.owner.id);
                let mut sheet = Sheet::new(&mut document);
                let views = transaction.edit(&mut sheet, edit)?;
                let touched = sheet.finish();
                if touched {
                    transaction.emit(Event::Definitions { hash: definitions::hash(document.text().as_bytes()) });
                }
                events.append(&mut transaction.events);
                if !touched || keeper.replace_jobs_json(before.as_deref(), &document)? {
                    keeper.write(&events, true)?;
                    keeper.look();
                    return Ok(views);
                }
                // Somebody saved the file while it was being edited here: their version is merged, not lost.
                keeper.reload()?;
            }
        })
    }

    /// The file's bytes, and the document to edit.
    fn editable(&self) -> Result<(Option<Vec<u8>>, Document)> {
        let path = self.home.jobs_json();
        let rebuilt = || Document::of(self.book.jobs().map(|(_, record)| (*record.definition).clone()));
        match &self.seen {
            Some(Seen { content: Ok((document, _)), .. }) => Ok((self.fs.read(&path).ok(), document.clone())),
            Some(Seen { content: Err(Unseen::Missing), .. }) | None => Ok((None, rebuilt())),
            Some(Seen { content: Err(Unseen::Unreadable(why)), .. }) => match self.fs.read(&path) {
                Ok(bytes) if bytes.trim_ascii().is_empty() => Ok((Some(bytes), rebuilt())),
                _ => {
                    let what = format!("{}: {}: {}; nothing was changed", path.display(), why.place, why.why);
                    Err(Error::new(ErrorKind::Invalid, what).hint(if self.has_backup() {
                        "correct the file first; jobs.json.bak.1 is the version before"
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

    /// Puts `document` in the place of `jobs.json`. False if the file that it displaced isn't `before`.
    fn replace_jobs_json(&mut self, before: Option<&[u8]>, document: &Document) -> Result<bool> {
        let path = self.home.jobs_json();
        let backup = |n: usize| self.home.path().join(format!("jobs.json.bak.{n}"));
        let displaced = backup(0);
        atomic_write(&*self.fs, &path, document.text().as_bytes(), Some(&displaced)).map_err(|error| {
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
                "put it back (jobs.json.bak.1 is the version before); the next `sched add` rebuilds it"
            }
            (Self::Missing, false) => "put it back; the next `sched add` rebuilds it",
            (Self::Failed(_), _) => "check who owns it and its mode",
            (Self::Unreadable(_), true) => "correct it, or put jobs.json.bak.1 back",
            (Self::Unreadable(_), false) => "correct it; `sched list` shows what is in force",
        }
    }
}
