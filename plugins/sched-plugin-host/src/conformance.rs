//! Gate 3, as an author sees it before an operator does: the suite for providers, held against a plugin in its process.
//!
//! Everything is the suite's own: jobs that run nothing, a store in memory, and a record of crashes that nobody reads. Of the
//! home that the plugin may lie in nothing is used.

use std::{sync::Arc, time::Duration};

use scheduler_core::{
    Error, ErrorKind, JobId,
    testing::{ProviderSuite, Report},
};
use serde_json::Value;
use tokio::task::spawn_blocking;

use crate::{preflight::Cleared, source::Plugins};

/// How often a plugin that ticks has to, as the suite's engine says.
pub(crate) const INTERVAL: Duration = Duration::from_secs(1);

/// So that the host's own bound comes first, whose words are better.
const LATER: Duration = Duration::from_secs(1);
/// So that a plugin that has to be killed is not taken for one that stopped in time.
const SOONER: Duration = Duration::from_millis(250);

impl Plugins {
    /// Holds a plugin that passed [`check`](Self::check) against the suite for providers: it is started, stopped and ended a
    /// few times over, one process at a time, in some seconds of real time. What it does is noted where these plugins note
    /// crashes, so they should be those of a home that nobody uses.
    pub async fn conformance(&self, cleared: &Cleared) -> Report {
        let (plugins, plugin) = (self.clone(), Arc::new(cleared.clone()));
        let make = move || {
            let (plugins, plugin) = (plugins.clone(), Arc::clone(&plugin));
            async move {
                let started = spawn_blocking(move || plugins.started(&plugin, INTERVAL)).await;
                started.map_err(|_| Error::new(ErrorKind::Foreign, "it could not be started"))?
            }
        };
        let timeouts = cleared.manifest.timeouts;
        let suite = ProviderSuite::new(make).in_real_time().jobs(jobs_in(&cleared.manifest.config));
        suite.bounds(timeouts.call + LATER, timeouts.stop.saturating_sub(SOONER)).run().await
    }
}

/// What in a plugin's config may be the id of a job: it finds a job of that name, so that what it fires for its events isn't
/// refused.
fn jobs_in(config: &Value) -> Vec<JobId> {
    let mut found = Vec::new();
    collect(config, &mut found);
    found.sort();
    found.dedup();
    found
}

fn collect(value: &Value, found: &mut Vec<JobId>) {
    match value {
        Value::String(text) => found.extend(text.parse::<JobId>()),
        Value::Array(values) => values.iter().for_each(|value| collect(value, found)),
        Value::Object(values) => values.values().for_each(|value| collect(value, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_may_be_a_job_is_found_wherever_it_is_in_the_config() {
        let config = json!({"job": "import", "times": ["12:30:00"], "more": [{"jobs": ["b", "import"]}], "every": 5});
        assert_eq!(jobs_in(&config).iter().map(JobId::as_str).collect::<Vec<_>>(), ["b", "import"]);
        assert!(jobs_in(&Value::Null).is_empty());
    }
}
