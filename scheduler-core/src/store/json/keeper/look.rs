//! The keeper answers questions: what is open, which jobs there are, what is wrong.

use std::path::Path;

use super::{
    super::{
        super::{JobView, Limits, Open, Problem, Selected, Which, transactions},
        definitions,
        owners::{Coroner, bury},
    },
    Keeper,
    jobs_json::Seen,
};
use crate::{OwnerId, Result};

impl Keeper {
    pub(in crate::store::json) fn open_view(&mut self, now: jiff::Timestamp, limits: &Limits) -> Result<Open> {
        self.refresh()?;
        let coroner = Coroner::new(&*self.fs, &self.home);
        Ok(transactions::open(&mut self.book, now, limits, &self.owner.id, &|owner| coroner.is_dead(owner)))
    }

    pub(in crate::store::json) fn views(&mut self) -> Result<Vec<JobView>> {
        self.refresh()?;
        Ok(transactions::views(&self.book))
    }

    pub(in crate::store::json) fn select(&mut self, which: &Which) -> Result<Selected> {
        self.refresh()?;
        Ok(transactions::select(&self.book, which))
    }

    pub(in crate::store::json) fn problems(&mut self) -> Result<Vec<Problem>> {
        self.refresh()?;
        let path = self.home.jobs_json();
        let path = path.display().to_string();
        let mut problems = match &self.seen {
            Some(Seen { content: Ok(_), .. }) if self.is_flawless() => Vec::new(),
            Some(Seen { content: Ok(_), .. }) => match self.document() {
                Ok(document) => definitions::problems(&path, &document, self.book.defaults(), Some(&self.book)),
                Err(_) => Vec::new(),
            },
            Some(Seen { content: Err(error), .. }) if self.files.is_some() => {
                let known = match self.book.in_force() {
                    0 => "no job is known from before".to_owned(),
                    1 => "the one known job stays in force".to_owned(),
                    known => format!("the {known} known jobs stay in force"),
                };
                let what = format!("{path}: {}; {known}", error.words());
                vec![Problem::new("jobs-json", what, error.hint(self.has_backup()))]
            }
            _ => Vec::new(),
        };
        if let Some((at, job)) = self.book.clock_repaired()
            && self.clock.now().duration_since(*at).abs() < jiff::SignedDuration::from_hours(24)
        {
            let what =
                format!("the clock was wrong and was taken back at {at}; job `{job}` and maybe others started afresh");
            problems.push(Problem::new("clock-repaired", what, "check the machine's time source; this stays for 24 h"));
        }
        if let Some((at, error)) = self.failed_compaction() {
            let what = format!("the journal can't be compacted and goes on growing, since {at}: {error}");
            let hint = error.hint_text().unwrap_or("check the disk; it is tried again every minute");
            problems.push(Problem::remark("compaction", what, hint));
        }
        if self.book.anomalies() > 0 {
            let what = format!("{} records in the journal make no sense and were passed over", self.book.anomalies());
            problems.push(Problem::remark("anomalies", what, "keep a copy of the `state` folder and report it"));
        }
        Ok(problems)
    }

    /// Removes the files of owners that are dead and own nothing any more. Called under no lock: it takes it.
    pub(in crate::store::json) fn bury_dead_owners(&mut self) -> Result<()> {
        let listed = self.fs.list(&self.home.owners()).unwrap_or_default();
        let others: Vec<OwnerId> = listed.into_iter().map(OwnerId::new).filter(|id| *id != self.owner.id).collect();
        if others.is_empty() {
            return Ok(());
        }
        self.locked(|keeper| {
            let coroner = Coroner::new(&*keeper.fs, &keeper.home);
            for id in others {
                let owns = keeper.book.open().any(|occurrence| occurrence.owner() == Some(&id));
                if !owns && coroner.is_dead(&id) {
                    bury(&*keeper.fs, &keeper.home, &id);
                }
            }
            Ok(())
        })
    }

    pub(in crate::store::json) fn home(&self) -> &Path {
        self.home.path()
    }
}
