//! What no job may find in its environment: the variables that jobs' addresses of push monitors are made of. Whoever knows such
//! an address can vouch for a job, so those of one job are no other's to know either.

use std::{collections::BTreeSet, sync::Arc};

use super::Shared;
use crate::{Job, Result, store::Which};

/// Their names, as of the last look.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    names: Arc<BTreeSet<String>>,
    /// The definitions that were looked through; `None` before the first turn.
    seen_in: Option<u64>,
}

impl Shared {
    /// Looks through the jobs if `definitions` says that there may be others than the last time, or if it isn't known.
    pub(super) async fn note_secrets(&self, definitions: Option<u64>) -> Result<()> {
        if definitions.is_some() && self.secrets.lock().seen_in == definitions {
            return Ok(());
        }
        let pinging = self.options.store.select(Which::Pinging).await?;
        let jobs = pinging.jobs.iter().filter_map(|view| view.job.as_deref().ok());
        let names = Arc::new(jobs.flat_map(named_by).collect());
        *self.secrets.lock() = Secrets { names, seen_in: definitions };
        Ok(())
    }

    /// What a run of `job` must not inherit. Its own are among it however new its definition is.
    pub(super) fn secrets_for(&self, job: &Job) -> Arc<BTreeSet<String>> {
        let known = Arc::clone(&self.secrets.lock().names);
        if named_by(job).all(|name| known.contains(&name)) {
            return known;
        }
        Arc::new(known.iter().cloned().chain(named_by(job)).collect())
    }
}

fn named_by(job: &Job) -> impl Iterator<Item = String> + '_ {
    job.ping_url.iter().flat_map(|url| url.secret().variables()).map(str::to_owned)
}
