//! A book and a history made of everything that can be read: first what is filed of definitions, then the snapshot, then the
//! journal, each as far as it is whole and, with care, a little further.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    path::Path,
    sync::Arc,
};

use serde_json::{Value, json};

use super::{
    super::{
        super::{
            LedgerEntry, LedgerWhat,
            book::{Book, Line},
            definition::Definition,
            event::{Defined, Event, Paused},
            record::JobRecord,
            transactions::{Candidate, Transaction},
        },
        copy::backup_name,
        document::Document,
        frame::Header,
        ledger_files, snapshot,
    },
    Damage, Kept, Site,
    inventory::Inventory,
    pieces::{self, Piece},
};
use crate::{Error, ErrorKind, JobId, OwnerId, Result, job::entry_id};

/// What was read.
pub(super) struct Salvage {
    pub(super) book: Book,
    pub(super) damages: Vec<Damage>,
    /// What the journal tells of the past, and its events about definitions.
    pub(super) past: Vec<LedgerEntry>,
    pub(super) definitions: Vec<Event>,
    /// The last frame of the journal that was read.
    pub(super) seq: u64,
    /// The highest incarnation of each job that was met anywhere.
    pub(super) incarnations: BTreeMap<JobId, u32>,
    frames_lost: u64,
    /// Entries in files of the history.
    filed: usize,
    /// Jobs whose definition in force stands in a damaged place alone.
    unproven: BTreeSet<JobId>,
    held: Vec<JobId>,
}

impl Salvage {
    /// Reads everything and changes nothing.
    pub(super) fn of(site: &Site, inventory: &Inventory) -> Result<Self> {
        let mut salvage = Self {
            book: Book::new(Arc::new(site.options.defaults.clone())),
            damages: inventory.damage.iter().cloned().collect(),
            past: Vec::new(),
            definitions: Vec::new(),
            seq: 0,
            incarnations: BTreeMap::new(),
            frames_lost: 0,
            filed: 0,
            unproven: BTreeSet::new(),
            held: Vec::new(),
        };
        salvage.read_ledger(site, inventory)?;
        salvage.read_snapshot(site, inventory)?;
        salvage.read_journal(site, inventory)?;
        salvage.compare_with_jobs_json(site);
        salvage.note_incarnations();
        salvage.book.end_salvage();
        Ok(salvage)
    }

    pub(super) fn kept(&self) -> Kept {
        Kept {
            jobs: self.book.in_force(),
            held: self.held.clone(),
            entries: self.filed + self.past.len(),
            open: self.book.open().count(),
            frames_lost: self.frames_lost,
        }
    }

    /// Definitions as they were filed by compactions; and of the rest how much there is, and of which lives.
    fn read_ledger(&mut self, site: &Site, inventory: &Inventory) -> Result<()> {
        let (fs, home) = (&*site.fs, &site.home);
        for path in ledger_files::definitions(fs, home, inventory.counted)? {
            let bytes = fs.read(&path).map_err(|error| Error::io(format!("cannot read {}", path.display()), error))?;
            for event in pieces::lines(&bytes).filter_map(|line| serde_json::from_slice::<Event>(line).ok()) {
                self.book.salvage_event(&event, &mut |_| {});
            }
        }
        for file in ledger_files::list(fs, home, inventory.counted)? {
            let _ = file.last_first(fs, home, |line| {
                if let Ok(entry) = serde_json::from_slice::<LedgerEntry>(line) {
                    self.filed += 1;
                    if let LedgerWhat::Occurrence { id, .. } = entry.what {
                        note(&mut self.incarnations, &id.job, id.incarnation);
                    }
                }
                ControlFlow::Continue(())
            })?;
        }
        Ok(())
    }

    fn read_snapshot(&mut self, site: &Site, inventory: &Inventory) -> Result<()> {
        let named = inventory.manifest.as_ref().and_then(|manifest| manifest.compacted);
        if let Some(named) = named.filter(|named| !inventory.snapshots.contains_key(named)) {
            self.damages.push(Damage::missing(site.home.snapshot(named), ", and MANIFEST says that it counts"));
        }
        let Some(generation) = inventory.snapshot else { return Ok(()) };
        let path = site.home.snapshot(generation);
        let bytes = &inventory.snapshots[&generation];
        let (mut last, mut ended, mut run) = (0, false, Stretch::default());
        for piece in pieces::of(bytes) {
            match piece {
                Piece::Whole { at, header, body } if header.seq > last && !ended => {
                    self.lost_between(&path, run.at.take().unwrap_or(at), last, header, at);
                    last = header.seq;
                    for line in pieces::lines(body) {
                        if let Some(seq) = snapshot::seq_in(line) {
                            self.seq = seq;
                        } else if line.starts_with(snapshot::END) {
                            ended = true;
                        } else {
                            let line = serde_json::from_slice(line).map_err(|error| too_new(&path, &error))?;
                            if let Line::Open(open) = &line {
                                note(&mut self.incarnations, &open.id.job, open.id.incarnation);
                            }
                            self.book.salvage_line(line);
                        }
                    }
                }
                Piece::Whole { .. } => {}
                Piece::Damaged { at, bytes } => {
                    run.begin(at);
                    self.read_unproven(bytes, site);
                }
            }
        }
        if !ended {
            let at = run.at.unwrap_or(bytes.len());
            let what = format!("it ends too early; {last} frames before that can be read");
            self.damages.push(Damage { path, at: Some(at as u64), what });
            self.frames_lost += 1;
        }
        Ok(())
    }

    fn read_journal(&mut self, site: &Site, inventory: &Inventory) -> Result<()> {
        if let Some(manifest) = &inventory.manifest
            && !inventory.journals.contains_key(&manifest.generation)
        {
            let path = site.home.journal(manifest.generation);
            self.damages.push(Damage::missing(path, ", and MANIFEST says that it counts"));
        }
        let Some(generation) = inventory.journal else { return Ok(()) };
        let path = site.home.journal(generation);
        let (mut last, mut run) = (self.seq, Stretch::default());
        for piece in pieces::of(&inventory.journals[&generation]) {
            match piece {
                Piece::Whole { at, header, body } if header.seq > last => {
                    self.lost_between(&path, run.at.take().unwrap_or(at), last, header, at);
                    last = header.seq;
                    for line in pieces::lines(body) {
                        self.take(serde_json::from_slice(line).map_err(|error| too_new(&path, &error))?);
                    }
                }
                Piece::Whole { .. } => {}
                Piece::Damaged { at, bytes } => {
                    run.begin(at);
                    self.read_unproven(bytes, site);
                }
            }
        }
        self.seq = last;
        // What is left at the end is a write that was never finished, which is no damage.
        Ok(())
    }

    /// Notes what lies between the last whole frame and this one.
    fn lost_between(&mut self, path: &Path, from: usize, last: u64, header: Header, at: usize) {
        let lost = header.seq - last - 1;
        if lost == 0 && from == at {
            return;
        }
        let what = match lost {
            0 => "bytes that belong to no frame".to_owned(),
            1 => format!("frame {} can't be read", last + 1),
            _ => format!("frames {} to {} can't be read", last + 1, header.seq - 1),
        };
        self.frames_lost += lost;
        self.damages.push(Damage { path: path.to_owned(), at: Some(from as u64), what });
    }

    fn take(&mut self, event: Event) {
        let lives = &mut self.incarnations;
        match &event {
            Event::Defined(defined) => {
                note(lives, &defined.job, defined.incarnation);
                self.unproven.remove(&defined.job);
            }
            Event::Admitted(admitted) => note(lives, &admitted.job, admitted.incarnation),
            Event::Asked { id, .. } => note(lives, &id.job, id.incarnation),
            Event::ClockRepaired { job, incarnation, .. } => note(lives, job, *incarnation),
            _ => {}
        }
        let past = &mut self.past;
        self.book.salvage_event(&event, &mut |entry| past.push(entry));
        if event.is_about_definitions() {
            self.definitions.push(event);
        }
    }

    /// What stands in a damaged place and can be read all the same. Nothing proves it, so only what does no harm if it is wrong
    /// is taken: definitions, to be held until somebody has looked; pauses; how often a job has started; runs to look for.
    fn read_unproven(&mut self, bytes: &[u8], site: &Site) {
        let now = site.options.clock.now();
        for line in pieces::lines(bytes) {
            if let Ok(Event::Defined(defined)) = serde_json::from_slice(line) {
                let job = defined.job.clone();
                self.unproven_job(&job, record_of(*defined), now);
            } else if let Ok(Event::Paused(paused)) = serde_json::from_slice(line) {
                if self.book.job(&paused.job).is_some() {
                    self.book.hold(paused);
                }
            } else {
                match serde_json::from_slice(line) {
                    Ok(Line::Job { job, record }) => self.unproven_job(&job, Arc::unwrap_or_clone(record), now),
                    Ok(line @ Line::Open(_)) => {
                        if matches!(&line, Line::Open(open) if open.is_running()) {
                            self.book.salvage_line(line);
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    fn unproven_job(&mut self, job: &JobId, record: JobRecord, now: jiff::Timestamp) {
        // The id is there twice, so one wrong letter in it makes no other job.
        if entry_id(&record.definition.value()).ok().as_ref() != Some(job) {
            return;
        }
        note(&mut self.incarnations, job, record.incarnation);
        if self.book.salvage_unproven(job, record, now) {
            self.unproven.insert(job.clone());
        }
    }

    /// What `jobs.json` and its former versions say of what could not be proven. A `jobs.json` that can be read is taken in
    /// by whoever opens the store next, so it has the last word; without one, nothing that is uncertain fires unseen.
    fn compare_with_jobs_json(&mut self, site: &Site) {
        let entries = |name: String| -> Option<BTreeMap<JobId, Value>> {
            let document = Document::parse(&site.fs.read(&site.home.path().join(name)).ok()?).ok()?;
            let entries = document.entries.into_iter().rev();
            Some(entries.filter_map(|entry| Some((entry_id(&entry.value).ok()?, entry.value))).collect())
        };
        let (now, defaults) = (site.options.clock.now(), &site.options.defaults);
        let owner = OwnerId::random(now);
        let current = entries("jobs.json".into());
        let former: Vec<_> = (1..=5).filter_map(|n| entries(backup_name(n))).collect();
        let mut transaction = Transaction::new(&mut self.book, now, &owner);
        self.unproven.retain(|id| {
            let Some(value) = transaction.book.job(id).map(|record| record.definition.value()) else { return false };
            let entry = match &current {
                // What it doesn't name any more is removed with the next look at it.
                Some(current) if !current.contains_key(id) => return false,
                Some(current) => current.get(id),
                None => former.iter().filter_map(|version| version.get(id)).find(|entry| **entry == value),
            };
            match entry.map(|entry| Candidate::check(entry, defaults, now)) {
                Some(Ok(candidate)) => {
                    transaction.define_anew(candidate);
                    false
                }
                _ => true,
            }
        });
        if current.is_none()
            && self.frames_lost > 0
            && let Some(newest) = former.first()
        {
            // What removed it may be lost.
            let unnamed = transaction.book.jobs().map(|(id, _)| id).filter(|id| !newest.contains_key(*id)).cloned();
            self.unproven.extend(unnamed);
        }
        let missing = if current.is_none() { former.into_iter().next().unwrap_or_default() } else { BTreeMap::new() };
        for (id, entry) in missing {
            if transaction.book.record(&id).is_none()
                && let Ok(candidate) = Candidate::check(&entry, defaults, now)
                && transaction.define(candidate)
            {
                self.unproven.insert(id);
            }
        }
        for job in std::mem::take(&mut self.unproven) {
            let reason = "the store was repaired, and nothing proves that this job is right: look at it first".into();
            self.book.hold(Paused { job: job.clone(), at: now, until: None, reason: Some(reason) });
            self.held.push(job);
        }
    }

    fn note_incarnations(&mut self) {
        let lives = &mut self.incarnations;
        for (job, record) in self.book.records() {
            note(lives, job, record.incarnation);
        }
        for id in self.book.events_seen() {
            note(lives, &id.job, id.incarnation);
        }
    }
}

/// Where a damaged stretch begins, while one is being read.
#[derive(Default)]
struct Stretch {
    at: Option<usize>,
}

impl Stretch {
    fn begin(&mut self, at: usize) {
        self.at = self.at.or(Some(at));
    }
}

fn note(incarnations: &mut BTreeMap<JobId, u32>, job: &JobId, incarnation: u32) {
    let highest = incarnations.entry(job.clone()).or_default();
    *highest = (*highest).max(incarnation);
}

fn record_of(defined: Defined) -> JobRecord {
    JobRecord {
        definition: defined.definition,
        invalid: None,
        incarnation: defined.incarnation,
        revision: defined.revision,
        removed: false,
        zone: defined.zone.into(),
        anchor: defined.anchor,
        defined_at: defined.at,
        schedule_hash: defined.schedule_hash,
        terms: defined.terms,
        next_at: None,
        past: None,
        paused: None,
    }
}

/// What is left of a job of which only the name and the lives are known.
pub(super) fn tombstone(job: &JobId, incarnation: u32, now: jiff::Timestamp) -> JobRecord {
    JobRecord {
        definition: Definition::new(&json!({ "id": job })),
        invalid: None,
        incarnation,
        revision: 1,
        removed: true,
        zone: "UTC".into(),
        anchor: now,
        defined_at: now,
        schedule_hash: 0,
        terms: None,
        next_at: None,
        past: None,
        paused: None,
    }
}

fn too_new(path: &Path, error: &serde_json::Error) -> Error {
    let what = format!("{} holds a record that this build doesn't know: {error}", path.display());
    Error::new(ErrorKind::TooNew, what).hint("repair it with the newer sched that wrote it; nothing was changed")
}
