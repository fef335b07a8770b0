//! The salvaged book, settled and written as a new generation.
//!
//! In the order of a compaction: everything that is new is durable before MANIFEST names it, and what is old is removed
//! after that. Of what is removed there is a copy by then.

use std::path::PathBuf;

use jiff::tz::TimeZone;

use super::{
    super::{
        super::{
            event::{Defined, Event},
            record::JobRecord,
            transactions::Transaction,
        },
        copy::copy_path,
        ledger_files::{self, LedgerWriter},
        manifest::{FORMAT, Manifest},
        snapshot,
    },
    Repaired, Site,
    inventory::Inventory,
    salvage::{Salvage, tombstone},
};
use crate::{Error, JobId, Orphan, OwnerId, ProcessRef, Result, job::build, vfs::Open};

pub(super) fn renew(
    site: &Site,
    inventory: &Inventory,
    mut salvage: Salvage,
    boot: Option<&str>,
    lives: &dyn Fn(&Orphan) -> Option<ProcessRef>,
) -> Result<Repaired> {
    let kept = salvage.kept();
    let now = site.options.clock.now();
    let owner = OwnerId::random(now);
    let mut transaction = Transaction::new(&mut salvage.book, now, &owner);
    let ended = transaction.settle_everything(boot, lives);
    let Transaction { closed, .. } = transaction;
    salvage.past.extend(closed);
    begin_anew(&mut salvage, site);

    let generation = inventory.highest + 1;
    let (aside, replaced) = put_aside(site, inventory)?;
    write_ledger(site, &salvage, generation)?;
    snapshot::write(&*site.fs, site.home.snapshot(generation), salvage.seq, salvage.book.still())?;
    site.give_path(&site.home.snapshot(generation))?;
    let journal = site.home.journal(generation);
    let failed = |error| Error::io(format!("cannot write {}", journal.display()), error);
    let file = site.fs.open(&journal, Open::Create).map_err(failed)?;
    file.set_len(0).and_then(|()| site.give(&*file)).and_then(|()| file.sync()).map_err(failed)?;
    site.fs.sync_dir(&site.home.state()).map_err(failed)?;
    manifest(site, inventory, generation, &owner).write(&*site.fs, &site.home)?;
    site.give_path(&site.home.manifest())?;
    for path in replaced {
        // It counts for nobody any more: what can't be removed is left over, and the next compaction removes it.
        let _ = site.fs.remove(&path);
    }
    Ok(Repaired { kept, unknown: ended.unknown, orphaned: ended.orphaned, skipped: ended.skipped, aside })
}

/// No life of a job comes again that may have been in what is lost.
fn begin_anew(salvage: &mut Salvage, site: &Site) {
    let now = site.options.clock.now();
    for (job, highest) in std::mem::take(&mut salvage.incarnations) {
        match salvage.book.record(&job) {
            Some(record) if record.removed => {
                let record = JobRecord { incarnation: highest, ..record.clone() };
                salvage.book.bury(&job, record);
            }
            Some(_) => salvage.book.begin_anew(&job, highest + 1),
            None => salvage.book.bury(&job, tombstone(&job, highest, now)),
        }
    }
}

/// Copies what the new generation takes the place of into a folder of its own. Answers that, and what is to be removed in the
/// end.
fn put_aside(site: &Site, inventory: &Inventory) -> Result<(PathBuf, Vec<PathBuf>)> {
    let (fs, home) = (&*site.fs, &site.home);
    let stamp = site.options.clock.now().to_zoned(TimeZone::UTC).strftime("damaged-%Y%m%dT%H%M%SZ").to_string();
    let names = (1..).map(|n| if n == 1 { stamp.clone() } else { format!("{stamp}-{n}") });
    let mut folders = names.map(|name| home.state().join(name));
    let aside = folders.find(|folder| fs.stat(folder).is_err()).unwrap_or_else(|| home.state().join(&stamp));
    let failed = |path: &PathBuf| {
        let what = format!("cannot write {}", path.display());
        move |error| Error::io(what, error)
    };
    fs.create_dir_all(&aside).map_err(failed(&aside))?;
    let journals = inventory.journals.keys().map(|generation| home.journal(*generation));
    let replaced: Vec<PathBuf> =
        journals.chain(inventory.snapshots.keys().map(|generation| home.snapshot(*generation))).collect();
    // Files of the history that a compaction has begun and not ended hold what the journal holds too.
    let mut unfinished = ledger_files::that_count(fs, home, Some(u64::MAX))?;
    unfinished.retain(|name| ledger_files::generation_of(name) > inventory.counted);
    let unfinished: Vec<PathBuf> = unfinished.iter().map(|name| home.ledger().join(name)).collect();
    for path in replaced.iter().chain(&unfinished).chain([&home.manifest()]) {
        copy_path(fs, path, &aside)?;
    }
    fs.sync_dir(&aside).map_err(failed(&aside))?;
    // Best effort: that the owner of the home may look at it is no condition of anything.
    let _ = site.give_path(&aside);
    fs.sync_dir(&home.state()).map_err(failed(&home.state()))?;
    // Before MANIFEST is switched: from there on they would count.
    for path in &unfinished {
        fs.remove(path).map_err(|error| Error::io(format!("cannot remove {}", path.display()), error))?;
    }
    Ok((aside, replaced))
}

/// Files what the journal told of the past, and of each job how it goes on.
fn write_ledger(site: &Site, salvage: &Salvage, generation: u64) -> Result<()> {
    let mut writer = LedgerWriter::new(&*site.fs, &site.home, generation)?;
    site.give_path(&site.home.ledger())?;
    for entry in &salvage.past {
        writer.entry(entry)?;
    }
    let now = site.options.clock.now();
    for event in &salvage.definitions {
        writer.definition(event)?;
    }
    let jobs: Vec<&JobId> = salvage.book.jobs().map(|(id, _)| id).collect();
    for (job, record) in jobs.into_iter().filter_map(|job| Some((job, salvage.book.job(job)?))) {
        writer.definition(&Event::Defined(Box::new(Defined {
            job: job.clone(),
            incarnation: record.incarnation,
            revision: record.revision,
            definition: record.definition.clone(),
            zone: record.zone.to_string(),
            anchor: record.anchor,
            at: now,
            schedule_hash: record.schedule_hash,
            build: build(),
            terms: record.terms.clone(),
            next_at: record.next_at,
        })))?;
        if let Some(paused) = &record.paused {
            writer.definition(&Event::Paused((**paused).clone()))?;
        }
    }
    writer.finish()?;
    let mut written = ledger_files::that_count(&*site.fs, &site.home, Some(generation))?;
    written.retain(|name| ledger_files::generation_of(name) == Some(generation));
    written.iter().try_for_each(|name| site.give_path(&site.home.ledger().join(name)))
}

/// The manifest of the new generation.
fn manifest(site: &Site, inventory: &Inventory, generation: u64, fresh: &OwnerId) -> Manifest {
    let before = inventory.manifest.as_ref();
    let ours = || site.options.machine_id.clone();
    let theirs = before.and_then(|manifest| manifest.machine_id.clone()).filter(|_| !site.options.adopt);
    Manifest {
        format: FORMAT,
        store_id: before.map_or_else(|| fresh.to_string(), |manifest| manifest.store_id.clone()),
        machine_id: theirs.or_else(ours),
        generation,
        compacted: Some(generation),
        kept_from: before.and_then(|manifest| manifest.kept_from),
    }
}
